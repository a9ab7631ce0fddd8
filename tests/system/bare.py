"""A server that answers whatever it is asked at once: what the machine itself costs."""

import sys
from collections.abc import Callable, Iterable
from typing import Any

from tests.system.serving import Server

ANSWER = b"{}"


class Bare(Server):
    """The shipped configuration, and next to nothing behind it."""

    program = (
        *(sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"),
        "tests.system.bare:app",
    )


def app(_: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", str(len(ANSWER)))])
    return [ANSWER]
