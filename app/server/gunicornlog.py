"""gunicorn's own log, without a line for each request: paths hold tokens."""

import logging
from typing import Any

from gunicorn.glogging import Logger

OURS = ("gunicorn.error", "app.server")


class QuietLogger(Logger):
    """Logs what happens to the server and nothing about requests."""

    def access(self, *_: Any) -> None:
        return

    def follow_root(self) -> None:
        """Log through the application's own handlers from now on, if it has any."""
        if not logging.getLogger().handlers:
            return
        for name in OURS:
            logger = logging.getLogger(name)
            logger.handlers.clear()
            logger.propagate = True
