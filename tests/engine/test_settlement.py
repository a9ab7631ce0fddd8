"""Writes that must happen."""

from concurrent.futures import Future
from typing import Any

from app.domain.errors import StoreUnavailable
from app.engine.settlement import Settlement


class Store:
    def __init__(self, *, outcomes: list[Any]):
        self.outcomes = outcomes

    def write(self):
        outcome = self.outcomes.pop(0)
        if outcome == "refused":
            raise StoreUnavailable("the queue is full")
        future: Future[Any] = Future()
        if outcome == "failed":
            future.set_exception(StoreUnavailable("the disk is full"))
        else:
            future.set_result(outcome)
        return future


def test_writes_at_once_when_it_can():
    heard: list[bool] = []

    Settlement().settle(Store(outcomes=[True]).write, heard.append)

    assert heard == [True]


def test_tries_again_until_it_is_written_and_tells_once():
    heard: list[bool] = []
    settlement = Settlement()
    settlement.settle(Store(outcomes=["refused", "failed", False]).write, heard.append)

    settlement.retry()
    assert heard == []
    settlement.retry()
    settlement.retry()

    assert heard == [False]
