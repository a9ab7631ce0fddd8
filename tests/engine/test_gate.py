"""Who may compute, and when."""

import threading

import pytest

from app.domain.execution import Status
from app.engine.gate import SLICE, Gate
from tests.engine.rig import PATIENCE

VALUE = {"id": "a", "uses": "set", "with": {"value": 1}}


class Now:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Crowd:
    """Threads that want to compute, in the order in which they came."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.order: list[str] = []
        self._threads: list[threading.Thread] = []

    def join(self, name: str) -> None:
        thread = threading.Thread(target=self._compute, args=(name,))
        before = self._gate.waiting
        thread.start()
        self._threads.append(thread)
        while self._gate.waiting == before:
            assert thread.is_alive()

    def _compute(self, name: str) -> None:
        with self._gate.held():
            self.order.append(name)

    def end(self) -> None:
        for each in self._threads:
            each.join(5)
            assert not each.is_alive()


def wait_for_a_line(gate: Gate) -> None:
    """Wait until a thread waits for its turn."""
    pause = threading.Event()
    for _ in range(round(PATIENCE * 200)):
        if gate.waiting:
            return
        pause.wait(0.005)
    raise AssertionError("nobody waits for a turn")


@pytest.fixture
def now():
    return Now()


@pytest.fixture
def gate(now):
    return Gate(patience=PATIENCE, clock=now)


@pytest.fixture
def crowd(gate):
    return Crowd(gate)


def test_only_one_computes_and_the_others_follow_in_the_order_of_arrival(gate, crowd):
    with gate.held():
        for name in "abc":
            crowd.join(name)
        assert crowd.order == []

    crowd.end()
    assert crowd.order == ["a", "b", "c"]


def test_who_waits_for_something_leaves_the_gate_and_gets_in_again_after_the_others(
    gate, crowd
):
    with gate.held():
        crowd.join("a")
        with gate.left():
            crowd.end()
        crowd.order.append("back")

    assert crowd.order == ["a", "back"]


def test_what_fails_outside_is_raised_inside_and_the_gate_is_free_afterwards(gate):
    with pytest.raises(ZeroDivisionError), gate.held(), gate.left():
        raise ZeroDivisionError

    with gate.held():
        assert gate.waiting == 0


def test_a_long_turn_ends_at_the_next_rest_if_somebody_waits(gate, crowd, now):
    with gate.held():
        crowd.join("a")
        gate.rest()  # too early
        assert crowd.order == []

        now.seconds += 2 * SLICE
        gate.rest()

        assert crowd.order == ["a"]
    crowd.end()


def test_a_turn_that_does_not_end_holds_up_nobody_for_long(now):
    gate = Gate(patience=0.01, clock=now)
    crowd = Crowd(gate)

    with gate.held():
        crowd.join("a")
        crowd.join("b")
        crowd.end()  # though the turn has not ended

    assert sorted(crowd.order) == ["a", "b"]
    assert gate.waiting == 0
    with gate.held():  # and the gate works as before
        assert gate.waiting == 0


def one_behind_the_other(rig):
    """Submit one that computes until told, and one that waits for its turn."""
    thinking = rig.workflow({"id": "a", "uses": "thinker", "with": {}})
    quick = rig.workflow(VALUE)
    first = rig.submit(thinking)
    assert rig.outside.begun.wait(PATIENCE)
    second = rig.submit(quick)
    wait_for_a_line(rig.turns)
    return first, second


def test_an_execution_computes_only_when_the_one_before_has_its_turn_over(make_rig):
    rig = make_rig(workers=2)

    first, second = one_behind_the_other(rig)
    assert rig.get(second).status is not Status.SUCCESS
    rig.outside.open.set()

    assert rig.until(first, Status.SUCCESS)
    assert rig.until(second, Status.SUCCESS)


def test_while_one_waits_for_the_world_another_computes(make_rig):
    rig = make_rig(workers=2)
    waiting = rig.workflow({"id": "a", "uses": "gate", "with": {}})

    first = rig.submit(waiting)
    assert rig.outside.begun.wait(PATIENCE)

    assert rig.finish(rig.workflow(VALUE)).status is Status.SUCCESS
    assert rig.get(first).status is Status.RUNNING


def test_what_is_cancelled_while_it_waits_for_its_turn_computes_nothing(make_rig):
    rig = make_rig(workers=2)

    first, waits = one_behind_the_other(rig)
    rig.dispatcher.cancel("tenant_1", waits.id)
    rig.outside.open.set()

    assert rig.until(waits, Status.CANCELLED)
    assert rig.steps(waits) == {}
    assert rig.until(first, Status.SUCCESS)
