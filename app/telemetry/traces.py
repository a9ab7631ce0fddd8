"""Whose trace a piece of work belongs to: W3C trace context, in and out.

Without an exporter spans are not recorded, but a trace that somebody began is passed
on, and named in the log. `otel.py` records; it is imported only when it is wanted.
"""

import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from enum import StrEnum
from types import TracebackType
from typing import Self

from app.domain.errors import ServiceError

HEADER = "traceparent"
_PARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})"
)
_current: ContextVar["Span | None"] = ContextVar("span", default=None)
Facts = Mapping[str, str | int | float | bool | None]  # as attributes are named
NONE: Facts = {}


class Kind(StrEnum):
    """On which side of a call a span stands."""

    INSIDE = "internal"
    IN = "server"
    OUT = "client"


def parsed(header: str | None) -> str | None:
    """Return a ``traceparent`` that may be believed, as version 00 writes it.

    Newer versions may add to the end; what is malformed begins no trace.
    """
    found = None if header is None else _PARENT.match(header)
    if header is None or found is None:
        return None
    rest = header[found.end() :]
    if rest and (header.startswith("00") or not rest.startswith("-")):
        return None
    trace_id, parent_id, flags = found.groups()
    return f"00-{trace_id}-{parent_id}-{flags}"


class Span:
    """A piece of work; this kind passes on the trace that it belongs to.

    As a context manager it is the current span of its thread, and ends with the block;
    an error of ours that leaves the block is its failure.
    """

    __slots__ = ("_token", "context")

    def __init__(self, context: str | None) -> None:
        self.context = context  # as a ``traceparent``

    @property
    def trace_id(self) -> str | None:
        """The trace's id, as logs name it."""
        return trace_id(self.context)

    def note(self, facts: Facts) -> None:
        """Add what came of it; None says nothing."""

    def fail(self, code: str) -> None:
        """Say that it failed, with a code of ours and no message."""

    def end(self) -> None:
        """Say that it is over; once."""

    def __enter__(self) -> Self:
        self._token = _current.set(self)
        return self

    def __exit__(
        self,
        _: type[BaseException] | None,
        error: BaseException | None,
        __: TracebackType | None,
    ) -> None:
        _current.reset(self._token)
        if isinstance(error, ServiceError):
            self.fail(error.code)
        elif isinstance(error, Exception) and type(error).__module__ == "builtins":
            self.fail("internal")
        self.end()


class _Nothing(Span):
    """A span of no trace: costs as little as possible."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return


NOTHING = _Nothing(None)


def here() -> Span:
    """Return the span that this thread is in; its context goes with every call."""
    return _current.get() or NOTHING


def trace_id(context: str | None) -> str | None:
    """Return the id of the trace in a ``traceparent``."""
    return None if context is None else context[3:35]


class Tracer:
    """Begins spans; this one records nothing."""

    def span(
        self,
        name: str,  # noqa: ARG002
        parent: str | None,
        facts: Facts = NONE,  # noqa: ARG002
        *,
        kind: Kind = Kind.INSIDE,  # noqa: ARG002
        began: datetime | None = None,  # noqa: ARG002
    ) -> Span:
        """Begin a span.

        Args:
            name: one of few.
            parent: the context of the work that it belongs to; none: a new trace.
            facts: what it is about: ids and numbers, never what somebody sent.
            kind: on which side of a call it stands.
            began: when, if that is in the past.
        """
        return NOTHING if parent is None else Span(parent)

    def committed(self, changes: int, seconds: float, contexts: Sequence[str]) -> None:
        """Record one group commit, with the traces that it was for."""

    def start(self) -> None:
        """Begin to send; after the fork."""

    def stop(self) -> None:
        """Send what is left, for a moment at most."""
