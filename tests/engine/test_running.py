"""What runs in this process, and executions that carry on."""

import time

from app.domain.context import ExecutionContext
from app.engine.running import Running
from app.engine.watching import Watchers


def context(execution_id="exec_1"):
    return ExecutionContext(execution_id, time.monotonic() + 60)


def test_lets_nothing_start_once_closed():
    running = Running()
    running.close()

    with running.entered(context()) as admitted:
        assert not admitted
        assert len(running) == 0


def test_once_closed_still_lets_those_start_who_are_welcome():
    running = Running()
    running.close(but={"exec_1"}.__contains__)

    assert running.admits("exec_1")
    assert not running.admits("exec_2")


def test_cancels_the_execution_that_is_named_and_no_other():
    running, one, other = Running(), context("exec_1"), context("exec_2")

    with running.entered(one), running.entered(other):
        running.cancel("exec_1")
        running.cancel("exec_9")

    assert one.stop.why is not None
    assert other.stop.why is None


def test_wakes_everybody_who_watches_an_execution_and_forgets_them():
    watchers = Watchers()

    with watchers.watching("exec_1") as first, watchers.watching("exec_1") as second:
        watchers.tell("exec_1")
        watchers.tell("exec_2")

        assert first.wait(0)
        assert second.wait(0)
    assert not watchers.watched()
