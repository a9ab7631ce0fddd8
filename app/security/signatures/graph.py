"""Microsoft Graph signs nothing: each item repeats a secret of its subscription."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.security.signatures.keys import TEXT, Key
from app.security.signatures.marks import equals
from app.security.signatures.signed import Signed, Verdict, as_text

MOST = 1000  # items of one delivery


@dataclass(frozen=True, slots=True)
class Graph:
    """A judge that wants the `clientState` of every item to be a secret of ours."""

    keys: tuple[Key, ...] = (TEXT,)

    def verdict(self, signed: Signed, secrets: Sequence[bytes], _: float) -> Verdict:
        """Say whether every item knows one of these secrets."""
        items = _items(signed)
        if not items:
            return Verdict.MISSING
        if len(items) > MOST or not all(isinstance(each, dict) for each in items):
            return Verdict.MALFORMED
        states = [as_text(each.get("clientState")) for each in items]
        if None in states:
            return Verdict.MISSING
        proofs = [equals(each) for each in secrets]
        known = [any([proof(each or b"") for proof in proofs]) for each in states]  # noqa: C419 - all of them, always
        return Verdict.OK if all(known) else Verdict.BAD


@dataclass(frozen=True, slots=True)
class Items:
    """What tells one delivery from another: its items, if each can be told apart."""

    def raw(self, signed: Signed) -> bytes | None:
        names = [_name(each) for each in _items(signed)]
        if not names or None in names:
            return None
        return b"\n".join(name for name in names if name is not None)

    def entries(self, signed: Signed) -> list[bytes]:
        raw = self.raw(signed)
        return [] if raw is None else [raw]


def _items(signed: Signed) -> list[Any]:
    value = signed.value
    items = value.get("value") if isinstance(value, dict) else None
    return items if isinstance(items, list) else []


def _name(item: Any) -> bytes | None:
    """Name an item by its id, or else by what changed and the new version's tag."""
    if not isinstance(item, dict):
        return None
    own = as_text(item.get("id"))
    if own:
        return own
    data = item.get("resourceData")
    tag = as_text(data.get("@odata.etag")) if isinstance(data, dict) else None
    parts = [as_text(item.get(each)) for each in ("subscriptionId", "resource")]
    named = [each for each in (*parts, tag) if each]
    return b" ".join(named) if len(named) == len(parts) + 1 else None
