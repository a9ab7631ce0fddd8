import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import event, insert, select

from app.domain.errors import Conflict, Invalid, OutcomeUnknown, StoreUnavailable
from app.domain.execution import Segment, Status
from app.store.sql import SqlStore
from app.store.sql.locks import FileLock
from app.store.sql.sqlite import FileConnection
from app.store.sql.tables import probe, processes
from app.store.sql.tasks import Once
from app.store.sql.tenancy import ALL
from app.store.sql.writer import Writer
from tests.store.company import HERE, LATER, NOON, found, payload, process, step


class Gate:
    """Keeps a writer busy, so that what is handed over meanwhile is one batch."""

    def __init__(self, writer: Writer) -> None:
        self._begun, self._open = threading.Event(), threading.Event()
        self._passed = writer.put(Once(self._wait), "", None, of=ALL)
        assert self._begun.wait(timeout=5)

    def _wait(self, _) -> None:
        self._begun.set()
        assert self._open.wait(timeout=5)

    def open(self) -> None:
        self._open.set()
        self._passed.result(timeout=5)


@pytest.fixture
def company(sql_store):
    return found(sql_store)


@pytest.fixture
def commits(sql_store):
    """The transactions that were committed since."""
    seen = []
    engine = sql_store._database.connection._engine
    event.listen(engine, "commit", lambda _: seen.append("commit"))
    return seen


class Watch:
    """Remembers what it was told of commits."""

    def __init__(self) -> None:
        self.changes: list[int] = []
        self.contexts: list[str] = []
        self.failed = 0

    def committed(self, changes: int, seconds: float, contexts) -> None:
        assert seconds >= 0
        self.changes.append(changes)
        self.contexts += contexts

    def commit_failed(self) -> None:
        self.failed += 1


@pytest.fixture
def make_writer(database):
    writers = []

    def make(**options) -> Writer:
        lock = FileLock(database.with_suffix(".lock"))
        writer = Writer(FileConnection(database), lock, **options)
        writers.append(writer)
        writer.start()
        return writer

    yield make
    for each in writers:
        each.close()


def add(company, execution):
    return company.executions.add(execution, payload())


def answers(futures):
    return [each.exception(timeout=5) or each.result() for each in futures]


def kinds(futures):
    return [type(each) for each in answers(futures)]


def test_every_commit_is_told_with_its_size(make_writer):
    watch = Watch()
    writer = make_writer(watch=watch)
    gate = Gate(writer)
    waiting = [writer.put(Once(lambda _: None), "", None, of=ALL) for _ in range(3)]
    assert writer.waiting() == 3

    gate.open()
    assert answers(waiting) == [None] * 3
    writer.close()

    assert (watch.changes, watch.failed) == ([1, 3], 0)
    assert writer.waiting() == 0


def test_a_commit_is_told_with_the_traces_of_what_it_records(database, tmp_path):
    watch = Watch()
    store = SqlStore(f"sqlite:///{tmp_path}/watched.db", watch=watch)
    store.start()
    company = found(store)

    company.accept(trace="00-the-first-01")
    company.accept()
    company.run(trace="00-another-01")
    store.close()

    assert watch.contexts == ["00-the-first-01", "00-another-01"]


def test_a_commit_that_failed_is_told_as_one(make_writer, database):
    watch = Watch()
    writer = make_writer(watch=watch)
    writer.run(lambda _: None, of=ALL)
    database.unlink()

    failed = answers([writer.put(Once(lambda _: None), "", None, of=ALL)])
    writer.close()

    assert isinstance(failed[0], StoreUnavailable)
    assert (watch.changes, watch.failed) == ([1], 1)


def test_what_waits_is_committed_together(sql_store, company, commits):
    gate = Gate(sql_store._writer)
    futures = [add(company, company.execution()) for _ in range(100)]

    gate.open()

    assert kinds(futures) == [str] * 100
    assert commits == ["commit"] * 2  # the gate's own, and one for all


def test_a_member_that_fails_takes_no_other_along(sql_store, company, commits):
    twice = company.accept()
    commits.clear()
    gate = Gate(sql_store._writer)
    good = [add(company, company.execution()) for _ in range(25)]
    bad = add(company, twice)
    good += [add(company, company.execution()) for _ in range(25)]

    gate.open()

    assert isinstance(bad.exception(timeout=5), Conflict)
    assert kinds(good) == [str] * 50
    assert commits == ["commit"] * 2
    assert sql_store.ledger.balance(company.id).received == 51


def test_a_race_lost_in_a_batch_is_only_that_members_answer(sql_store, company):
    held = [company.run() for _ in range(20)]
    stale = replace(held[7], fence=9)
    gate = Gate(sql_store._writer)
    changes = [
        company.executions.finish(
            each,
            [step("a")],
            status=Status.SUCCESS,
            error=None,
            segments=[],
            at=LATER,
        )
        for each in [*held[:7], stale, *held[8:]]
    ]
    records = [
        company.executions.record(each, [step("b")]) for each in (stale, held[7])
    ]

    gate.open()

    assert answers(changes) == [True] * 7 + [False] + [True] * 12
    assert answers(records) == [False, True]
    assert company.now(held[7]) == held[7]
    journal = company.executions.steps(company.id, held[7].id)
    assert [each.path for each in journal] == ["b"]


def test_a_change_that_raises_is_undone_alone(sql_store, company):
    def half(connection):
        connection.execute(insert(processes).values(id="half", started_at=1))
        raise RuntimeError("in the middle")

    gate = Gate(sql_store._writer)
    good = add(company, company.execution())
    bad = sql_store._writer.put(Once(half), "", None, of=ALL)
    after = add(company, company.execution())

    gate.open()

    assert str(bad.exception(timeout=5)) == "in the middle"
    assert kinds([good, after]) == [str, str]
    assert sql_store.processes.others(HERE) == []


def test_what_the_database_says_about_one_change_is_said_in_our_words(sql_store):
    def twice(connection):
        for _ in range(2):
            connection.execute(insert(processes).values(id="one", started_at=1))

    def odd(connection):
        connection.execute(insert(processes).values(id="\ud800", started_at=1))

    with pytest.raises(Conflict, match="collides"):
        sql_store._writer.run(twice, of=ALL)
    with pytest.raises(Invalid, match="surrogate"):
        sql_store._writer.run(odd, of=ALL)


def test_a_database_that_fails_fails_the_batch_and_the_writer_lives_on(
    sql_store, company, caplog
):
    gate = Gate(sql_store._writer)
    lost = add(company, company.execution())
    broken = sql_store._writer.put(
        Once(lambda c: c.exec_driver_sql("SELECT * FROM nowhere")), "", None, of=ALL
    )

    gate.open()

    assert isinstance(lost.exception(timeout=5), StoreUnavailable)
    assert isinstance(broken.exception(timeout=5), StoreUnavailable)
    assert "Changes not committed" in caplog.text
    assert company.accept()


def test_a_full_disk_refuses_and_recovers(sql_store, company):
    def shrink(connection):
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 5}")

    sql_store._writer.run(shrink, of=ALL)  # until the writer connects anew
    gate = Gate(sql_store._writer)
    big = payload(body=b"x" * 50_000)
    futures = [company.executions.add(company.execution(), big) for _ in range(3)]

    gate.open()

    for each in futures:
        with pytest.raises(StoreUnavailable, match="full"):
            each.result(timeout=5)
    assert sql_store.ledger.balance(company.id).received == 0
    assert company.accept()


def test_a_full_queue_refuses_at_once(make_writer):
    writer = make_writer(room=3)
    gate = Gate(writer)
    futures = [writer.put(Once(lambda _: 7), "", None, of=ALL) for _ in range(3)]

    with pytest.raises(StoreUnavailable, match="3 changes"):
        writer.put(Once(lambda _: 7), "", None, of=ALL)

    gate.open()
    assert answers(futures) == [7, 7, 7]
    assert writer.run(lambda _: 8, of=ALL) == 8


def test_who_waits_too_long_is_told_and_the_change_is_not_made(make_writer):
    writer = make_writer(patience=0.05)
    gate = Gate(writer)

    with pytest.raises(StoreUnavailable, match=r"0\.05 s"):
        writer.run(lambda c: c.execute(insert(probe).values(id=5, at=1)), of=ALL)

    gate.open()
    assert (
        writer.put(
            Once(lambda c: c.execute(select(probe)).all()), "", None, of=ALL
        ).result(timeout=5)
        == []
    )


def test_who_waits_too_long_for_a_change_that_has_begun_is_told_that_it_may_be_made(
    make_writer,
):
    writer = make_writer(patience=0.5)
    begun, may_end = threading.Event(), threading.Event()

    def change(connection):
        begun.set()
        assert may_end.wait(30)
        connection.execute(insert(probe).values(id=5, at=1))

    with pytest.raises(OutcomeUnknown, match=r"0\.5 s"):
        writer.run(change, of=ALL)

    assert begun.is_set()
    may_end.set()
    look = Once(lambda c: len(c.execute(select(probe)).all()))
    assert writer.put(look, "", None, of=ALL).result(timeout=30) == 1


def test_a_callback_that_would_wait_for_its_own_thread_is_told(sql_store, caplog):
    gate = Gate(sql_store._writer)
    future = sql_store._writer.put(Once(lambda _: None), "", None, of=ALL)
    future.add_done_callback(lambda _: sql_store.processes.add(process(HERE)))

    gate.open()
    sql_store.check()

    assert "must not wait" in caplog.text
    assert sql_store.processes.others("") == []


def test_a_lock_held_elsewhere_delays_the_commit_and_loses_nothing(
    sql_store, company, database
):
    lock = FileLock(database.with_name(f"{database.name}.lock"))
    with lock.held():
        future = add(company, company.execution())
        with pytest.raises(TimeoutError):
            future.result(timeout=0.05)

    assert future.result(timeout=5)
    lock.close()


def test_a_writer_that_cannot_stop_in_time_says_so(make_writer, caplog):
    writer = make_writer(patience=0.05)
    gate = Gate(writer)

    writer.close()

    assert "Writer did not stop" in caplog.text
    gate.open()


def test_nothing_is_opened_before_the_start(tmp_path):
    before = set(threading.enumerate())

    store = SqlStore(f"sqlite:///{tmp_path}/new/store.db")

    assert set(threading.enumerate()) <= before
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StoreUnavailable, match="not open"):
        store.check()
    with pytest.raises(StoreUnavailable, match="not open"):
        store.processes.others(HERE)
    store.close()


def test_a_patient_end_and_the_claim_after_it_share_a_commit(
    sql_store, company, commits
):
    held = company.run()
    waiting = company.accept(owner=None)
    commits.clear()
    gate = Gate(sql_store._writer)
    end = company.executions.finish(
        held,
        (),
        status=Status.SUCCESS,
        error=None,
        segments=[Segment(NOON, LATER)],
        at=LATER,
        is_patient=True,
    )
    with ThreadPoolExecutor(1) as threads:
        claim = threads.submit(company.executions.claim, HERE, limit=1)
        while sql_store._writer.waiting() < 2:
            time.sleep(0.001)
        gate.open()

        assert [each.id for each in claim.result(timeout=5)] == [waiting.id]
    assert end.result(timeout=5)
    assert commits == ["commit"] * 2  # the gate's own, and one for both
