"""The judge itself: it must find what is wrong in records that were spoilt."""

from tests.system import verdict
from tests.system.sink import Arrival

ORDER = ("first", "second")


def arrival(at: float, key: str) -> Arrival:
    return Arrival(at, "POST", "/", {"idempotency-key": key}, b"{}")


GOOD = [arrival(1, "e1:first"), arrival(2, "e1:second")]


def test_an_acknowledged_execution_that_is_gone_or_failed_is_lost():
    executions = [{"id": "e1", "status": "success"}, {"id": "e2", "status": "failed"}]

    assert verdict.lost(["e1"], executions) == []
    assert len(verdict.lost(["e1", "e2", "e3"], executions)) == 2


def test_an_execution_that_still_runs_has_not_ended():
    assert verdict.unended([{"id": "e1", "status": "success"}]) == []
    assert verdict.unended([{"id": "e1", "status": "running"}]) == ["e1 is running"]


def test_a_step_finished_before_the_crash_may_not_arrive_after_it():
    crash = verdict.Crash(1.5, frozenset({"e1:first"}))

    assert verdict.repeated([crash], GOOD) == []
    assert verdict.repeated([crash], [*GOOD, arrival(3, "e1:first")])


def test_a_step_in_flight_may_arrive_again_with_its_key():
    crash = verdict.Crash(2.5, frozenset({"e1:first"}))
    again = [*GOOD, arrival(3, "e1:second")]

    assert verdict.repeated([crash], again) == []
    assert verdict.overtaken(again, order=ORDER) == []


def test_a_first_step_after_the_second_is_found_without_the_store():
    assert verdict.overtaken([*GOOD, arrival(3, "e1:first")], order=ORDER)


def test_a_step_that_never_arrived_is_missed():
    assert verdict.unserved(["e1"], GOOD, steps=ORDER) == []
    assert verdict.unserved(["e1"], GOOD[:1], steps=ORDER) == [
        "e1:second never arrived"
    ]


def test_books_that_do_not_balance_are_told():
    books = dict.fromkeys(verdict.PARTS, 1) | {"received": len(verdict.PARTS)}

    assert verdict.unbalanced(books) == []
    assert verdict.unbalanced(books | {"received": 99})
