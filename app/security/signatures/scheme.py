"""A scheme: how one kind of sender shows who it is, and what it expects of us."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self

from app.security.signatures.keys import Key
from app.security.signatures.marks import Algorithm
from app.security.signatures.signature import Signature
from app.security.signatures.signed import Header, Signed, Source, Verdict


class Judge(Protocol):
    """Decides whether a request is signed."""

    @property
    def keys(self) -> tuple[Key, ...]:
        """The forms that a secret may have."""
        ...

    def verdict(self, signed: Signed, secrets: Sequence[bytes], now: float) -> Verdict:
        """Return a verdict for any input, in a time that tells nothing of a secret."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """A judge, and what else differs from sender to sender."""

    name: str
    judge: Judge
    ids: tuple[Source, ...] = ()  # of the delivery; the first that is there counts
    accepted: int = 202  # the status that its sender takes for success
    handshake: str | None = None  # of `handshakes.HANDSHAKES`
    options: frozenset[str] = frozenset()  # of `verify`, beside scheme and secret

    def fault(self, secret: bytes) -> str | None:
        """Say what a secret must be, if it is not."""
        if any(key.read(secret) is not None for key in self.judge.keys):
            return None
        forms = dict.fromkeys(key.expected for key in self.judge.keys)
        return f"must be {', or '.join(forms)}"

    def tolerating(self, seconds: float) -> Self:
        """Return this scheme with another tolerance, if it has any."""
        judge = self.judge
        if not isinstance(judge, Signature) or judge.timestamp is None:
            return self
        timestamp = replace(judge.timestamp, tolerance=seconds)
        return replace(self, judge=replace(judge, timestamp=timestamp))

    @property
    def telling(self) -> frozenset[str]:
        """Headers that hold the secret itself, and so are not to be kept."""
        marks = self.judge.marks if isinstance(self.judge, Signature) else ()
        plain = [each.where for each in marks if each.algorithm is Algorithm.PLAIN]
        return frozenset(each.name for each in plain if isinstance(each, Header))


def verify(
    scheme: Scheme, signed: Signed, secrets: Sequence[bytes], now: float
) -> Verdict:
    """Say whether a request was signed with one of these secrets.

    Never raises, whatever the request holds, and compares in constant time.

    Args:
        scheme: how.
        signed: the request, its body exactly as it came.
        secrets: as a person entered them; any may match.
        now: seconds since 1970.
    """
    return scheme.judge.verdict(signed, secrets, now)


def delivery_id(scheme: Scheme, signed: Signed) -> str | None:
    """Return what a sender repeats when it sends a delivery again; None without."""
    for source in scheme.ids:
        entries = source.entries(signed)
        if entries and entries[0]:
            return entries[0].decode("utf-8", "backslashreplace")
    return None
