"""The audit log: what people and programs did in a tenant.

No secret, payload or value of a credential has a place in it: names, ids, numbers,
roles and scopes only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.domain import ids, times


class Action(StrEnum):
    """What can be done; stable, for owners search by it."""

    TENANT_CREATE = "tenant.create"
    INVITATION_CREATE = "invitation.create"
    INVITATION_WITHDRAW = "invitation.withdraw"
    MEMBER_JOIN = "member.join"
    MEMBER_CHANGE = "member.change"
    MEMBER_REMOVE = "member.remove"
    SESSION_BEGIN = "session.begin"
    SESSION_REFUSE = "session.refuse"
    PASSWORD_CHANGE = "password.change"  # noqa: S105 - an action's name
    KEY_CREATE = "key.create"
    KEY_REVOKE = "key.revoke"
    WORKFLOW_CREATE = "workflow.create"
    WORKFLOW_PUBLISH = "workflow.publish"
    WORKFLOW_ROLLBACK = "workflow.rollback"
    WORKFLOW_RENAME = "workflow.rename"
    WORKFLOW_ACTIVATE = "workflow.activate"
    WORKFLOW_DEACTIVATE = "workflow.deactivate"
    WORKFLOW_ROTATE_TOKEN = "workflow.rotate-token"  # noqa: S105 - an action's name
    WORKFLOW_DELETE = "workflow.delete"
    CREDENTIAL_CREATE = "credential.create"
    CREDENTIAL_REPLACE = "credential.replace"
    CREDENTIAL_DELETE = "credential.delete"
    CREDENTIAL_ASK = "credential.ask"
    CREDENTIAL_AUTHORIZE = "credential.authorize"
    EXECUTION_CANCEL = "execution.cancel"


@dataclass(frozen=True, slots=True)
class Change:
    """One field before and after; null: it was not, or is no more."""

    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done, and to what; who did it is another matter."""

    action: str  # an `Action`; a newer release may have written others
    target: str  # an id
    changes: Mapping[str, Change] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a request came from, and its name in the log of the process."""

    address: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One deed in the log of a tenant."""

    tenant_id: str
    id: str
    at: datetime
    deed: Deed
    user_id: str | None = None  # in whose name; None: nobody who is known
    via: str | None = None  # the key or session that was shown
    source: Source = Source()


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something, by which means and from where."""

    tenant_id: str
    user_id: str | None = None
    via: str | None = None
    source: Source = Source()

    def did(self, deed: Deed) -> Entry:
        """Write it down, as of now."""
        return Entry(
            tenant_id=self.tenant_id,
            id=ids.new("audit"),
            at=times.now(),
            deed=deed,
            user_id=self.user_id,
            via=self.via,
            source=self.source,
        )
