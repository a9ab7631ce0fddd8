"""Judging by a record: what is signed, how, and where the parts stand."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.security.signatures.instants import Timestamp
from app.security.signatures.keys import Key
from app.security.signatures.marks import Mark
from app.security.signatures.signed import Signed, Source, Verdict
from app.security.signatures.templates import BODY, Template

_ID = re.compile(rb"[!-~]{1,256}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A judge that most schemes need no more than."""

    marks: tuple[Mark, ...]
    template: Template = BODY
    timestamp: Timestamp | None = None
    id: Source | None = None  # when the template holds it

    @property
    def keys(self) -> tuple[Key, ...]:
        """The forms that a secret may have."""
        return tuple(mark.key for mark in self.marks)

    def verdict(self, signed: Signed, secrets: Sequence[bytes], now: float) -> Verdict:
        """Say whether one of these secrets signed this request, about now.

        Args:
            signed: anything a stranger may send.
            secrets: as a person entered them.
            now: seconds since 1970.
        """
        if not any(mark.where.raw(signed) for mark in self.marks):
            return Verdict.MISSING
        found = [(mark, mark.candidates(signed)) for mark in self.marks]
        parts = self._parts(signed)
        if isinstance(parts, Verdict):
            return parts
        if not any(candidates for _, candidates in found):
            return Verdict.MALFORMED
        message = self.template.fill(parts)
        # all of them, always: which one fits must not show in the time it takes
        fitting = [mark.fits(each, message, secrets) for mark, each in found]
        if not any(fitting):
            return Verdict.BAD
        return Verdict.STALE if self._is_stale(parts["{ts}"], now) else Verdict.OK

    def _parts(self, signed: Signed) -> Mapping[str, bytes] | Verdict:
        """Read the parts of the message, or say what is wrong with one."""
        parts = {"{body}": signed.body, "{url}": signed.address, "{ts}": b""}
        if self.timestamp is not None:
            text = self.timestamp.text(signed)
            if text is None:
                return Verdict.MISSING
            if self.timestamp.moment(text) is None:
                return Verdict.MALFORMED
            parts["{ts}"] = text
        if self.id is not None:
            own = self.id.raw(signed)
            if own is None:
                return Verdict.MISSING
            if not self._is_apart(own):
                return Verdict.MALFORMED
            parts["{id}"] = own
        return parts

    def _is_apart(self, own: bytes) -> bool:
        """Tell whether an id could not be taken for other parts of the message."""
        if _ID.fullmatch(own) is None:
            return False
        return not any(each in own for each in self.template.literals)

    def _is_stale(self, text: bytes, now: float) -> bool:
        if self.timestamp is None:
            return False
        moment = self.timestamp.moment(text)
        return moment is None or self.timestamp.is_stale(moment, now)
