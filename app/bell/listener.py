"""Hears the bell, in a worker process."""

import logging
import threading
from collections.abc import Callable

import dramatiq

from app.bell.broker import ACTOR, QUEUE, listening

log = logging.getLogger(__name__)
IDLE = 100  # milliseconds between looks at Redis, at most
PATIENCE = 1000  # milliseconds for its threads to end


class Listener:
    """dramatiq's worker with one thread, which passes rings on.

    While Redis cannot be reached dramatiq tries again by itself, for ever.

    Args:
        url: of Redis.
        answer: called for each ring, in a thread of its own; it may take its time,
            and others hear the rings meanwhile.
    """

    def __init__(self, url: str, answer: Callable[[], None]) -> None:
        broker = listening(url)
        declare = dramatiq.actor(broker=broker, actor_name=ACTOR, queue_name=QUEUE)
        declare(answer)
        self._worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=IDLE)

    def start(self) -> None:
        """Begin to listen."""
        self._worker.start()

    def stop(self) -> None:
        """Stop listening; returns at once, for a Redis that hangs may keep us."""
        threading.Thread(target=self._stop, name="deaf", daemon=True).start()

    def _stop(self) -> None:
        try:
            self._worker.stop(timeout=PATIENCE)
        except Exception:
            log.debug("The listener did not end well", exc_info=True)
