"""A thread that does one thing again and again."""

import logging
import threading
from collections.abc import Callable

from app.domain.errors import StoreUnavailable

log = logging.getLogger(__name__)


class Ticker:
    """Calls `action` until stopped; it returns the seconds to the next call.

    An action that raises is logged and called again after `pause` seconds.
    """

    def __init__(
        self, name: str, action: Callable[[], float], *, pause: float = 1.0
    ) -> None:
        self._action, self._pause = action, pause
        self._wake = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)

    def start(self) -> None:
        """Begin, with a first call at once."""
        self._thread.start()

    def nudge(self) -> None:
        """Call the action now rather than later; safe from any thread."""
        self._wake.set()

    def stop(self, *, patience: float = 5.0) -> None:
        """Call it no more; wait for a call under way, at most `patience` seconds."""
        self._stopped = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(patience)

    def _loop(self) -> None:
        while not self._stopped:
            self._wake.wait(self._tick())
            self._wake.clear()

    def _tick(self) -> float:
        try:
            return self._action()
        except StoreUnavailable as error:
            log.warning("Store unavailable", extra={"reason": str(error)})
            return self._pause
        except Exception:
            log.exception("Tick failed", extra={"ticker": self._thread.name})
            return self._pause
