"""API keys."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated

from pydantic import Field

from app.domain.account import ApiKey, Scope
from app.web.schemas.types import Instant, Limit, Name, Query, Request, Shown, View


class KeyRequest(Request):
    """A new API key."""

    name: Name
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]
    expires_at: Instant | None = None


class KeyQuery(Query):
    """Which keys a list shows."""

    limit: Limit = 50
    cursor: str | None = None


class KeyView(View):
    """An API key, without its secret."""

    id: str
    name: str
    prefix: str
    user_id: str
    scopes: list[Scope]
    created_at: Shown
    expires_at: Shown | None
    last_used_at: Shown | None  # to within a minute

    @classmethod
    def of(cls, key: ApiKey) -> "KeyView":
        """Show a key."""
        return cls(
            id=key.id,
            name=key.name,
            prefix=key.prefix,
            user_id=key.user_id,
            scopes=ordered(key.scopes),
            created_at=key.created_at,
            expires_at=key.expires_at,
            last_used_at=key.used_at,
        )


class NewKeyView(KeyView):
    """A new API key; `key` is shown this once."""

    key: str

    @classmethod
    def made(cls, key: ApiKey, text: str) -> "NewKeyView":
        """Show a key together with its secret."""
        return cls(**dict(KeyView.of(key)), key=text)


class KeyPage(View):
    """A page of keys."""

    items: list[KeyView]
    next_cursor: str | None


def ordered(scopes: Collection[Scope]) -> list[Scope]:
    """List scopes from the least to the most."""
    return [each for each in Scope if each in scopes]


def expires_no_later(end: datetime | None, at: datetime | None) -> bool:
    """Tell whether what ends at an instant ends no later than this end."""
    return end is None or (at is not None and at <= end)
