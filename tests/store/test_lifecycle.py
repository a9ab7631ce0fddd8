import pytest

from app.domain.errors import StoreUnavailable
from app.domain.execution import Status
from app.store.protocol import Load
from tests.store.company import LATER, NOON, THERE, payload, process


def test_an_open_store_can_be_written(store):
    store.check()


def test_a_closed_store_takes_no_more_work(store, company):
    execution = company.execution()
    store.close()

    with pytest.raises(StoreUnavailable):
        company.executions.add(execution, payload())
    with pytest.raises(StoreUnavailable):
        company.executions.start(execution, at=NOON)
    with pytest.raises(StoreUnavailable):
        company.executions.claim(THERE, limit=1)
    with pytest.raises(StoreUnavailable):
        store.processes.add(process(THERE))
    with pytest.raises(StoreUnavailable):
        store.check()


def test_closing_carries_out_what_was_handed_over(store, company):
    handed_over = [
        company.executions.add(company.execution(), payload()) for _ in range(300)
    ]

    store.close()

    assert all(each.done() and each.exception() is None for each in handed_over)


def test_a_store_that_nobody_uses_is_not_busy(store, company):
    company.accept()

    assert store.load() == Load(waiting=0, readers=0)


def test_closing_again_is_no_error(store):
    store.close()
    store.close()


def test_a_cancelled_wait_harms_nobody_else(company):
    futures = {}
    for number in range(200):
        execution = company.execution()
        future = company.executions.add(execution, payload())
        if number % 3 == 0:
            future.cancel()
        futures[execution.id] = future

    wanted = {
        each: future for each, future in futures.items() if not future.cancelled()
    }

    assert [each.result(timeout=5) for each in wanted.values()] == list(wanted)
    held = company.run()
    assert company.finish(held, status=Status.SUCCESS, at=LATER)


def test_a_callback_that_fails_harms_nobody_else(company, caplog):
    def fail(_):
        raise RuntimeError("a waiter's mistake")

    future = company.executions.add(company.execution(), payload())
    future.add_done_callback(fail)

    future.result(timeout=5)
    assert company.accept()
    assert "a waiter's mistake" in caplog.text
