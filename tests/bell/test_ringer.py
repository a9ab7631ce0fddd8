"""Ringing from a thread, without ever keeping anybody."""

import logging
import threading
from collections import Counter

import pytest
from redis import ConnectionError as NoConnection

from app.bell.ringer import MOST, REST, Ringer


class Redis:
    """Takes rings, or does not."""

    def __init__(self):
        self.rings = 0
        self.broken = False
        self.tried = threading.Semaphore(0)

    def send(self):
        try:
            if self.broken:
                raise NoConnection("refused")
            self.rings += 1
        finally:
            self.tried.release()

    def waiting(self):
        return self.rings


class Counts:
    """Remembers what it is told."""

    def __init__(self):
        self.rings: Counter[str] = Counter()
        self.waiting = None

    def rung(self, outcome, rings):
        self.rings[outcome] += rings

    def unheard(self, rings):
        self.waiting = rings


class Clock:
    """Seconds that pass when told to."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def redis():
    return Redis()


@pytest.fixture
def counts():
    return Counts()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ringer(redis, counts, clock):
    one = Ringer(redis.send, redis.waiting, counts, clock=clock)
    yield one
    one.stop()


def test_rings_that_came_before_the_start_are_sent(ringer, redis):
    ringer.ring()
    ringer.ring()

    ringer.start()
    ringer.stop()

    assert redis.rings == 2


def test_a_flood_is_cut_because_one_ring_in_a_hundred_would_do(ringer, redis):
    for _ in range(MOST + 50):
        ringer.ring()

    ringer.start()
    ringer.stop()

    assert redis.rings == MOST


def test_after_a_failure_nothing_is_tried_for_a_while(
    ringer, redis, counts, clock, caplog
):
    caplog.set_level(logging.INFO)
    redis.broken = True
    ringer.start()
    ringer.ring()
    assert redis.tried.acquire(timeout=5)

    redis.broken = False
    ringer.ring()
    assert not redis.tried.acquire(timeout=0.05)

    clock.now += REST
    ringer.ring()
    assert redis.tried.acquire(timeout=5)

    ringer.stop()
    assert redis.rings == 1
    assert counts.rings == {"failed": 1, "dropped": 1, "sent": 1}
    assert counts.waiting == 1
    told = [each.message for each in caplog.records]
    assert told == ["Redis does not answer", "Redis answers again"]


def test_stopped_unstarted_and_twice_it_sends_what_was_rung_and_ends(ringer, redis):
    ringer.ring()
    ringer.stop()
    assert redis.rings == 0

    ringer.start()
    ringer.stop()
    ringer.stop()

    assert redis.rings == 1
    assert not any(each.name == "ringer" for each in threading.enumerate())
