"""A PostgreSQL that is restarted, stopped at once, or cut off in the middle."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy.exc import DatabaseError

from app.domain.errors import Conflict, OutcomeUnknown, StoreUnavailable
from app.domain.ledger import Outcome
from app.store.sql import SqlStore
from tests.store.company import found, payload
from tests.system.waiting import eventually

pytestmark = pytest.mark.services
OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = 'sluice'"
)


@pytest.fixture
def store(own_postgres):
    one = SqlStore(own_postgres.create("sluice"))
    one.start()
    yield one
    one.close()


@pytest.fixture
def company(store):
    return found(store)


def is_writable(store) -> bool:
    try:
        store.check()
    except StoreUnavailable:
        return False
    return True


def cut_off(store, moment, cut) -> None:
    """Do something once, just before the writer's next commit or just after it."""
    engine = store._database.connection._engine
    commit = engine.dialect.do_commit

    def once(connection):
        engine.dialect.do_commit = commit
        if moment == "after":
            commit(connection)
            cut()
            connection.execute("SELECT 1")  # finds the connection dead
        cut()
        commit(connection)

    engine.dialect.do_commit = once


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_a_restart_of_the_server_needs_none_of_ours(store, company, own_postgres, how):
    before = company.accept()
    own_postgres.stop(how)

    with pytest.raises(StoreUnavailable):
        company.accept()
    with pytest.raises(StoreUnavailable, match="could not be read"):
        company.now(before)
    with pytest.raises(StoreUnavailable):
        store.check()

    own_postgres.start()
    eventually(lambda: is_writable(store), within=10, what="the store is back")
    assert company.now(before) == before
    assert company.accept()


def test_connections_that_died_unused_are_nobodys_error(company, own_postgres):
    before = company.accept()
    with ThreadPoolExecutor(8) as readers:
        list(readers.map(lambda _: company.now(before), range(40)))

    own_postgres.execute(OTHERS)

    assert company.accept()
    with ThreadPoolExecutor(8) as readers:
        seen = list(readers.map(lambda _: company.now(before), range(40)))
    assert seen == [before] * 40


def test_a_commit_that_was_cut_off_before_it_arrived_is_no_commit(
    store, company, own_postgres
):
    execution = company.execution()
    cut_off(store, "before", lambda: own_postgres.execute(OTHERS))

    future = company.executions.add(execution, payload())

    assert isinstance(future.exception(timeout=20), StoreUnavailable)
    assert store.ledger.balance(company.id).door == {}
    assert company.executions.add(execution, payload()).result(timeout=5)


def test_a_commit_whose_answer_was_lost_is_found_to_have_been_one(
    store, company, own_postgres
):
    execution = company.execution()
    cut_off(store, "after", lambda: own_postgres.execute(OTHERS))

    future = company.executions.add(execution, payload())

    assert future.result(timeout=20) == execution.id
    assert company.now(execution) == execution
    assert store.ledger.balance(company.id).door == {Outcome.RECEIVED: 1}


def test_when_nobody_can_say_what_became_of_a_commit_it_is_told_so(
    company, store, own_postgres, monkeypatch
):
    monkeypatch.setattr("app.store.sql.lost_commits.PATIENCE", 0.3)
    execution = company.execution()
    cut_off(store, "after", lambda: own_postgres.stop(signal.SIGQUIT))

    future = company.executions.add(execution, payload())

    with pytest.raises(OutcomeUnknown, match="unknown"):
        future.result(timeout=20)
    own_postgres.start()
    with pytest.raises(Conflict, match="recorded already"):
        company.executions.add(execution, payload()).result(timeout=5)


def test_what_is_acknowledged_is_there_after_an_immediate_stop(
    store, company, own_postgres
):
    acknowledged, refused = [], []
    stop = threading.Event()

    def accept(_):
        while not stop.is_set():
            try:
                acknowledged.append(company.accept())
            except (StoreUnavailable, TimeoutError):
                refused.append(1)
                stop.wait(0.05)

    def wait_for(more):
        goal = len(acknowledged) + more
        eventually(lambda: len(acknowledged) > goal, within=20, what="accepting")

    with ThreadPoolExecutor(4) as senders:
        running = [senders.submit(accept, n) for n in range(4)]
        for _ in range(2):
            wait_for(40)
            own_postgres.stop(signal.SIGQUIT)
            own_postgres.start()
        wait_for(10)
        stop.set()
    assert [each.exception() for each in running] == [None] * 4

    assert all(company.now(each).id == each.id for each in acknowledged)
    assert refused


def test_what_has_failed_inside_is_never_committed_as_if_it_had_not(store, company):
    def swallow(connection):
        with suppress(DatabaseError):
            connection.exec_driver_sql("SELECT 1 / 0")

    with pytest.raises(StoreUnavailable):
        store._writer.run(swallow, of=company.id)
    assert company.accept()


def test_what_is_acknowledged_is_on_the_disk_whatever_the_servers_default(own_postgres):
    url = own_postgres.create("sluice")
    own_postgres.execute("ALTER DATABASE sluice SET synchronous_commit = off")

    assert said(url, "synchronous_commit") == "on"
    assert said(f"{url}?options=-csynchronous_commit%3Doff", "synchronous_commit") == (
        "off"
    )


def said(url: str, setting: str) -> str:
    store = SqlStore(url)
    store.start()
    try:
        value: str = store._writer.run(
            lambda c: c.exec_driver_sql(f"SHOW {setting}").scalar_one(), of=""
        )
        return value
    finally:
        store.close()
