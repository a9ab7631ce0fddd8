"""Entries of the audit log."""

from collections.abc import Mapping
from typing import Any

from app.domain.audit import Action, Entry
from app.store.protocol import AuditFilter
from app.web.schemas.types import Instant, Limit, Query, Shown, View, Word


class AuditQuery(Query):
    """Which entries a list shows; `actor` is a user, a key or a session."""

    action: Action | None = None
    actor: Word | None = None
    target: Word | None = None
    since: Instant | None = None
    until: Instant | None = None
    limit: Limit = 50
    cursor: str | None = None

    def wanted(self) -> AuditFilter:
        """Say it in the store's words."""
        return AuditFilter(
            action=self.action,
            actor=self.actor,
            target=self.target,
            since=self.since,
            until=self.until,
        )


class ChangeView(View):
    """A field before and after."""

    old: Any
    new: Any


class EntryView(View):
    """Who did what, when, from where and by which means."""

    id: str
    at: Shown
    action: str
    target: str
    changes: Mapping[str, ChangeView]
    user_id: str | None
    via: str | None  # the key or session that was shown
    address: str | None
    request_id: str | None

    @classmethod
    def of(cls, entry: Entry) -> "EntryView":
        """Show an entry."""
        changes = {
            name: ChangeView(old=each.old, new=each.new)
            for name, each in entry.deed.changes.items()
        }
        return cls(
            id=entry.id,
            at=entry.at,
            action=entry.deed.action,
            target=entry.deed.target,
            changes=changes,
            user_id=entry.user_id,
            via=entry.via,
            address=entry.source.address,
            request_id=entry.source.request_id,
        )


class EntryPage(View):
    """A page of entries."""

    items: list[EntryView]
    next_cursor: str | None
