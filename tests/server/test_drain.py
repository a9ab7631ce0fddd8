import logging

import pytest

from app.server.drain import Drain, Idle


class Engine:
    """Runs `count` executions until `until`, and for `stubborn` more when aborted."""

    def __init__(self, loop, *, count=0, until=0.0, stubborn=0.0, fails=()):
        self.loop, self.count, self.until = loop, count, until
        self.stubborn, self.fails = stubborn, fails
        self.told = []

    def begin_drain(self):
        self._told("begin_drain")

    def running(self):
        return self.count if self.loop.now < self.until else 0

    def abort(self):
        self._told("abort")
        self.until = self.loop.now + self.stubborn

    def stop(self):
        self._told("stop")

    def _told(self, step):
        self.told.append((step, round(self.loop.now, 1)))
        if step in self.fails:
            raise RuntimeError("broken on purpose")


class Traffic:
    def __init__(self, loop, until):
        self.loop, self.until, self.hushed = loop, until, None
        self.serving = 0

    def __len__(self):
        return int(self.loop.now < self.until)

    def hush(self, seconds):
        self.hushed = seconds

    def abandon(self):
        return len(self)


class Loop:
    """An event loop in which time passes when it turns."""

    def __init__(self, *, connected_until=0.0, hurried_at=None):
        self.now = 0.0
        self.traffic = Traffic(self, connected_until)
        self.is_open = True
        self._hurried_at = hurried_at

    @property
    def hurried(self):
        return self._hurried_at is not None and self.now >= self._hurried_at

    def turn(self, patience):
        self.now = round(self.now + patience, 3)

    def close_door(self):
        self.is_open = False


def drain(loop, engine, seconds=30.0):
    Drain(loop, engine, seconds=seconds, clock=lambda: loop.now).run()
    return loop.now


@pytest.fixture
def summary(caplog):
    caplog.set_level(logging.INFO)
    return lambda: next(each for each in caplog.records if each.msg == "Drained")


def test_an_idle_process_ends_at_once():
    loop = Loop()

    assert drain(loop, Idle()) == 0
    assert not loop.is_open
    assert loop.traffic.hushed == 2.0


def test_what_runs_may_finish_and_nothing_new_starts(summary):
    loop = Loop()
    engine = Engine(loop, count=10, until=5.0)

    drain(loop, engine)

    assert engine.told == [("begin_drain", 0.0), ("stop", 5.0)]
    assert summary().interrupted == 0


def test_requests_are_waited_for():
    assert drain(Loop(connected_until=4.0), Idle()) == pytest.approx(4.0)


def test_what_overstays_is_interrupted_two_seconds_before_the_end(summary):
    loop = Loop()
    engine = Engine(loop, count=10, until=60.0, stubborn=0.3)

    drain(loop, engine)

    assert engine.told == [("begin_drain", 0.0), ("abort", 28.0), ("stop", 28.3)]
    assert summary().interrupted == 10
    assert summary().overstayed == 0


def test_what_ignores_its_interruption_is_not_waited_for(summary):
    loop = Loop()
    engine = Engine(loop, count=3, until=60.0, stubborn=60.0)

    assert drain(loop, engine) <= 29.1

    assert engine.told[-1][0] == "stop"
    assert summary().overstayed == 3


@pytest.mark.parametrize("seconds", [0.5, 1.0, 3.0, 8.0])
def test_ends_within_any_limit(seconds):
    loop = Loop(connected_until=100.0)

    assert drain(loop, Engine(loop, count=1, until=100.0, stubborn=100.0), seconds) < (
        seconds + 0.1
    )


def test_in_a_hurry_nobody_is_waited_for():
    loop = Loop(connected_until=20.0, hurried_at=1.0)
    engine = Engine(loop, count=1, until=60.0)

    assert drain(loop, engine) <= 1.2
    assert [step for step, _ in engine.told] == ["begin_drain", "abort", "stop"]


@pytest.mark.parametrize("broken", ["begin_drain", "abort", "stop"])
def test_a_step_that_fails_does_not_keep_the_others_from_being_taken(broken, caplog):
    loop = Loop()
    engine = Engine(loop, count=1, until=60.0, fails=[broken])

    drain(loop, engine)

    assert [step for step, _ in engine.told] == ["begin_drain", "abort", "stop"]
    assert "A step of the drain failed" in caplog.text
