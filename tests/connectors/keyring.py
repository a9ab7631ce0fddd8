"""Credentials that a test gives to a call."""

from typing import Any

from app.domain.credential import Opened
from app.domain.errors import NotFound, Unsealable


def opened(name, kind, /, **data) -> Opened:
    """A credential in the clear."""
    return Opened(
        tenant_id="tenant_1", id=f"cred_{name}", name=name, type=kind, data=data
    )


class Keys:
    """Knows these credentials; one that is None does not open."""

    def __init__(self, **known: Opened | None):
        self.known = known
        self.purse: Any = None  # what has tokens, if that matters

    def open(self, name):
        if name not in self.known:
            raise NotFound(f"There is no credential `{name}`.")
        found = self.known[name]
        if found is None:
            raise Unsealable("It does not open.")
        return found

    def token(self, context, client, *, stale=None):
        return self.purse.token(context, client, stale=stale)
