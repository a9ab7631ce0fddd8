"""A thread that does one thing again and again."""

import threading

from app.engine.ticker import Ticker


def test_calls_again_when_nudged():
    called = threading.Semaphore(0)

    def action():
        called.release()
        return 60.0

    ticker = Ticker("t", action)
    ticker.start()
    assert called.acquire(timeout=5)
    ticker.nudge()
    assert called.acquire(timeout=5)
    ticker.stop()


def test_goes_on_after_an_action_that_raised(caplog):
    called = threading.Semaphore(0)

    def action():
        called.release()
        raise ValueError("broken")

    ticker = Ticker("t", action, pause=0.001)
    ticker.start()
    assert called.acquire(timeout=5)
    assert called.acquire(timeout=5)
    ticker.stop()

    assert "Tick failed" in caplog.text


def test_stops_before_it_was_started_and_never_begins():
    called = threading.Event()

    def action():
        called.set()
        return 60.0

    ticker = Ticker("t", action)
    ticker.stop()
    ticker.start()
    ticker.stop()

    assert not called.is_set()
