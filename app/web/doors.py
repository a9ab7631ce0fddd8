"""Finding the workflow behind a webhook URL, without asking the store each time."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from app.domain.dedupe import key_of_id
from app.domain.errors import ServiceError, StoreUnavailable
from app.domain.execution import Payload
from app.domain.expression import Expression
from app.domain.template import bare
from app.domain.workflow import Published, Workflow
from app.engine import keys
from app.security import tokens
from app.web.verifying import Verifier, Verifiers

log = logging.getLogger(__name__)

TTL = 1.0  # seconds another process's change may take to be seen here
MARGIN = 0.1  # seconds of it that must be left on an event loop
SIZE = 4096  # URLs remembered, the unknown ones included


@dataclass(frozen=True, slots=True)
class Door:
    """What a webhook URL lets in, as its workflow's current version says."""

    published: Published
    methods: tuple[str, ...]
    json_only: bool
    waits: bool  # the sender is answered at the end of the run
    is_open: bool  # active, and made to be started by webhooks
    dedupe: Expression | None = None  # gives the key; none: the sender's own id does
    verifier: Verifier | None = None  # none: any sender
    is_locked: bool = False  # its secrets cannot be read, so nobody can be verified

    @property
    def workflow(self) -> Workflow:
        """Whose door it is."""
        return self.published.workflow

    @property
    def accepted(self) -> int:
        """The status that its sender takes for success."""
        return self.verifier.scheme.accepted if self.verifier else 202

    @property
    def telling(self) -> frozenset[str]:
        """Headers that hold its secret."""
        return self.verifier.scheme.telling if self.verifier else frozenset()

    def key_of(self, own: str | None, payload: Payload) -> bytes | None:
        """Return the key by which a verified delivery is known when it comes again.

        Args:
            own: what its sender repeats, if it repeats something.
            payload: what is kept of it.

        Raises:
            StepFailed: the workflow's expression cannot be evaluated.
        """
        if self.dedupe is not None:
            return keys.key_of(self.dedupe, payload)
        return None if own is None else key_of_id(own)

    @property
    def is_swift(self) -> bool:
        """Whether judging a delivery and answering it takes no time worth a thread."""
        return not self.waits and self.dedupe is None

    @classmethod
    def of(cls, published: Published) -> "Door":
        """Read the trigger of a definition that was validated when it was saved."""
        trigger = published.version.definition["trigger"]
        expression = trigger.get("dedupe")
        return cls(
            published,
            methods=tuple(trigger.get("methods", ("POST",))),
            json_only=trigger.get("accept") == "json",
            waits=trigger.get("respond") == "on_finish",
            is_open=published.workflow.is_active and trigger["type"] == "webhook",
            dedupe=None if expression is None else bare(expression),
        )


class FindsByToken(Protocol):
    """The part of the store's workflows that is needed here."""

    def by_token(self, token: str) -> Published | None: ...


@dataclass(frozen=True, slots=True)
class _Known:
    door: Door | None
    until: float

    def concerns(self, tenant_id: str, workflow_id: str | None) -> bool:
        if self.door is None:
            return False
        workflow = self.door.workflow
        return workflow.tenant_id == tenant_id and workflow_id in (None, workflow.id)


class Doors:
    """The doors asked for lately; what is unknown is remembered as well.

    A change made in this process is seen at once (`forget`), one made in another
    within `TTL` seconds.
    """

    def __init__(
        self,
        workflows: FindsByToken,
        verifiers: Verifiers,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._workflows, self._verifiers, self._clock = workflows, verifiers, clock
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

    def is_swift(self, token: str) -> bool:
        """Tell whether the store need not be asked, nor a thread be taken.

        What is about to end is forgotten, so that the thread which is taken looks
        again, and others need none.
        """
        if not tokens.well_formed(token):
            return True
        with self._lock:
            known = self._known.get(token)
            if known is None or known.until < self._clock() + MARGIN:
                self._known.pop(token, None)
                return False
        return known.door is None or known.door.is_swift

    def forget(self, tenant_id: str, workflow_id: str | None = None) -> None:
        """Look again the next time: a workflow has changed, or what they share."""
        with self._lock:
            self._changes += 1
            for token, known in list(self._known.items()):
                if known.concerns(tenant_id, workflow_id):
                    del self._known[token]

    def _look_up(self, token: str, changes: int) -> Door | None:
        until = self._clock() + TTL
        published = self._workflows.by_token(token)
        door = None if published is None else self._door(published)
        with self._lock:
            if changes == self._changes:  # else it may be older than the change
                self._known[token] = _Known(door, until)
                self._known.move_to_end(token)
            while len(self._known) > SIZE:
                self._known.popitem(last=False)
        return door

    def _door(self, published: Published) -> Door:
        door = Door.of(published)
        if not door.is_open:
            return door
        try:
            return replace(door, verifier=self._verifiers.of(published))
        except StoreUnavailable:
            raise
        except ServiceError as error:
            log.error(  # noqa: TRY400 - expected, and its trace tells nothing more
                "Webhook secret unreadable",
                extra={
                    "tenant_id": door.workflow.tenant_id,
                    "workflow_id": door.workflow.id,
                    "code": error.code,
                    "reason": str(error),
                },
            )
            return replace(door, is_locked=True)
