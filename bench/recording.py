"""What events tell metrics and the tracer, to be told once more without the events."""

from collections.abc import Callable
from functools import partial
from typing import Any, Self

from app.telemetry.metrics import Metrics
from app.telemetry.traces import Tracer

COUNTED = (
    "committed",
    "executed",
    "http_request",
    "outbound",
    "started",
    "step",
    "webhook",
)
TRACED = ("committed", "span")


class Recording:
    """Keeps every call while it is open."""

    def __init__(self) -> None:
        self._calls: list[Callable[[], Any]] = []
        self._spans: list[Callable[[], Any]] = []
        self._originals: list[tuple[type, str, Callable[..., Any]]] = []

    def __enter__(self) -> Self:
        for kind, names in ((Metrics, COUNTED), (Tracer, TRACED)):
            for name in names:
                self._listen(kind, name)
        return self

    def __exit__(self, *_: object) -> None:
        for kind, name, original in self._originals:
            setattr(kind, name, original)

    def play(self) -> None:
        """Make the calls again; spans begin and end."""
        for call in self._calls:
            call()
        for begin in self._spans:
            with begin():
                pass

    def _listen(self, kind: type, name: str) -> None:
        original = getattr(kind, name)
        kept = self._spans if name == "span" else self._calls

        def heard(*given: Any, **named: Any) -> Any:
            kept.append(partial(original, *given, **named))
            return original(*given, **named)

        self._originals.append((kind, name, original))
        setattr(kind, name, heard)
