"""How long and how much the event loop grants a connection."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Times in seconds, sizes in bytes. `gunicorn.conf.py` sets the first six."""

    read: float = 15.0  # from the accept, or the first byte, to the whole request
    write: float = 30.0  # for which a client may take nothing of an answer
    idle: float = 120.0  # between two requests of a connection
    drain: float = 30.0  # from SIGTERM to the end of the process
    connections: int = 800
    max_body: int = 1 << 20
    max_head: int = 64 << 10
    max_unsent: int = 2 << 20  # of one answer, kept for a slow reader without a thread
    received: int = 64 << 20  # bytes of all requests that are not answered yet
    unsent: int = 64 << 20  # bytes of all answers that are not read yet
    linger: float = 2.0  # for which late bytes of a closed connection are thrown away
    max_lingered: int = 8 << 20
    unhurried: float = 1.0  # an idle connection younger than this is never evicted
