"""Finding the workflow behind a webhook URL, without asking the store each time."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.domain.workflow import Published, Workflow
from app.security import tokens

TTL = 1.0  # seconds another process's change may take to be seen here
SIZE = 4096  # URLs remembered, the unknown ones included


@dataclass(frozen=True, slots=True)
class Door:
    """What a webhook URL lets in, as its workflow's current version says."""

    published: Published
    methods: tuple[str, ...]
    json_only: bool
    waits: bool  # the sender is answered at the end of the run
    is_open: bool  # active, and made to be started by webhooks

    @property
    def workflow(self) -> Workflow:
        """Whose door it is."""
        return self.published.workflow

    @classmethod
    def of(cls, published: Published) -> "Door":
        """Read the trigger of a definition that was validated when it was saved."""
        trigger = published.version.definition["trigger"]
        return cls(
            published,
            methods=tuple(trigger.get("methods", ("POST",))),
            json_only=trigger.get("accept") == "json",
            waits=trigger.get("respond") == "on_finish",
            is_open=published.workflow.is_active and trigger["type"] == "webhook",
        )


class FindsByToken(Protocol):
    """The part of the store's workflows that is needed here."""

    def by_token(self, token: str) -> Published | None: ...


@dataclass(frozen=True, slots=True)
class _Known:
    door: Door | None
    until: float


class Doors:
    """The doors asked for lately; what is unknown is remembered as well.

    A change made in this process is seen at once (`forget`), one made in another
    within `TTL` seconds.
    """

    def __init__(
        self, workflows: FindsByToken, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._workflows, self._clock = workflows, clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._changes = 0

    def find(self, token: str) -> Door | None:
        """Return the door behind a token; None if it never was or is gone.

        Raises:
            StoreUnavailable: the store cannot be read.
        """
        if not tokens.well_formed(token):
            return None
        with self._lock:
            known, changes = self._known.get(token), self._changes
        if known is not None and known.until > self._clock():
            return known.door
        return self._look_up(token, changes)

    def forget(self, token: str) -> None:
        """Look again the next time: its workflow has changed."""
        with self._lock:
            self._changes += 1
            self._known.pop(token, None)

    def _look_up(self, token: str, changes: int) -> Door | None:
        until = self._clock() + TTL
        published = self._workflows.by_token(token)
        door = None if published is None else Door.of(published)
        with self._lock:
            if changes == self._changes:  # else it may be older than the change
                self._known[token] = _Known(door, until)
                self._known.move_to_end(token)
            while len(self._known) > SIZE:
                self._known.popitem(last=False)
        return door
