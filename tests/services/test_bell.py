"""The bell, over a real Redis: rung, heard, silent for a while, and rung again."""

import signal
import threading
from functools import partial

import pytest

from app.bell.broker import ring, ringing, waiting
from app.bell.listener import Listener
from app.bell.ringer import Ringer
from app.telemetry.metrics import Metrics
from tests.system.waiting import eventually

pytestmark = pytest.mark.services


@pytest.fixture
def heard():
    return threading.Semaphore(0)


@pytest.fixture
def listener(redis, heard):
    one = Listener(redis.url, heard.release)
    one.start()
    yield one
    one.stop()


@pytest.fixture
def ringer(redis):
    broker = ringing(redis.url)
    one = Ringer(partial(ring, broker), partial(waiting, broker), Metrics(), rest=0.05)
    one.start()
    yield one
    one.stop()


def test_each_ring_is_heard(listener, ringer, heard):
    for _ in range(5):
        ringer.ring()

    assert all(heard.acquire(timeout=5) for _ in range(5))


def test_a_ring_is_kept_for_who_comes_later(redis, ringer, heard):
    ringer.ring()
    eventually(lambda: redis.say("EXISTS sluice:work") == ":1", within=5, what="it is")

    late = Listener(redis.url, heard.release)
    late.start()

    assert heard.acquire(timeout=5)
    late.stop()


def test_nothing_in_redis_tells_what_there_is_to_do(redis, ringer):
    ringer.ring()

    eventually(lambda: redis.say("HLEN sluice:work.msgs") == ":1", within=5, what="it")
    assert waiting(ringing(redis.url)) == 1
    [stored] = ringing(redis.url).client.hvals("sluice:work.msgs")
    assert b'"args":[],"kwargs":{}' in stored


def test_a_redis_that_died_and_came_back_empty_is_rung_and_heard_again(
    redis, listener, ringer, heard
):
    ringer.ring()
    assert heard.acquire(timeout=5)

    redis.kill()
    ringer.ring()
    redis.start()

    def again() -> bool:
        ringer.ring()
        return bool(heard.acquire(timeout=0.2))

    eventually(again, within=15, what="a ring is heard")


def test_a_frozen_redis_keeps_nobody_waiting(redis, ringer, heard):
    redis.send(signal.SIGSTOP)

    for _ in range(1000):
        ringer.ring()

    ringer.stop(patience=3)
    assert not ringer._thread.is_alive()
    redis.send(signal.SIGCONT)
