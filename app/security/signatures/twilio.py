"""Twilio signs the URL and the sorted fields of a form, or a hash of another body."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, parse_qsl, urlsplit

from app.security.signatures.keys import TEXT, Key
from app.security.signatures.marks import Algorithm, Encoding, Mark, equals
from app.security.signatures.signed import Header, Signed, Verdict, as_text

FORM = "application/x-www-form-urlencoded"
MOST = 1000  # fields
PORT = re.compile(r":[0-9]*\Z")
PORTS = {"http": ":80", "https": ":443"}
MARKS = tuple(  # SHA-256 where its newer keys are used
    Mark(where=Header("x-twilio-signature"), algorithm=each, encoding=Encoding.BASE64)
    for each in (Algorithm.SHA1, Algorithm.SHA256)
)


@dataclass(frozen=True, slots=True)
class Twilio:
    """A judge for Twilio's webhooks; there is no time in its signature."""

    keys: tuple[Key, ...] = (TEXT,)

    def verdict(self, signed: Signed, secrets: Sequence[bytes], _: float) -> Verdict:
        """Say whether one of these tokens signed this request."""
        if MARKS[0].where.raw(signed) is None:
            return Verdict.MISSING
        found = [(mark, mark.candidates(signed)) for mark in MARKS]
        fields = _fields(signed)
        if fields is None or not any(candidates for _, candidates in found):
            return Verdict.MALFORMED
        fitting = [
            mark.fits(candidates, url.encode("utf-8", "replace") + fields, secrets)
            for mark, candidates in found
            for url in _spellings(signed)
        ]
        is_whole = _is_form(signed) or _is_hashed(signed)
        return Verdict.OK if any(fitting) and is_whole else Verdict.BAD


@dataclass(frozen=True, slots=True)
class Delivery:
    """What tells one of Twilio's deliveries from another."""

    def raw(self, signed: Signed) -> bytes | None:
        token = signed.headers.get("i-twilio-idempotency-token")
        return token or _message(signed.value)

    def entries(self, signed: Signed) -> list[bytes]:
        raw = self.raw(signed)
        return [] if raw is None else [raw]


def _message(value: object) -> bytes | None:
    """Join a message and its status: a status is told once, each in its own turn."""
    if not isinstance(value, dict):
        return None
    sid = as_text(value.get("MessageSid"))
    status = as_text(value.get("MessageStatus") or value.get("SmsStatus"))
    return None if sid is None or status is None else sid + b":" + status


def _is_form(signed: Signed) -> bool:
    return (signed.kind or "").partition(";")[0].strip().lower() == FORM


def _is_hashed(signed: Signed) -> bool:
    """Tell whether the URL, which is signed, holds the body's hash."""
    told = parse_qs(signed.query, errors="replace").get("bodySHA256", [])
    if not signed.body and not told:
        return True
    right = equals(hashlib.sha256(signed.body).hexdigest().encode())
    return len(told) == 1 and right(told[0].lower().encode("utf-8", "replace"))


def _fields(signed: Signed) -> bytes | None:
    """Sort a form's fields and write them one after the other; None if it is none."""
    if not _is_form(signed):
        return b""
    try:
        pairs = parse_qsl(
            signed.body.decode("latin-1"),
            keep_blank_values=True,
            encoding="latin-1",  # whatever the bytes are, they stay as they are
            max_num_fields=MOST,
        )
    except ValueError:
        return None
    return "".join(n + v for n, v in sorted(set(pairs))).encode("latin-1")


def _spellings(signed: Signed) -> Iterator[str]:
    """Give the URL with its port and without: Twilio signs either."""
    rest = f"?{signed.query}" if signed.query else ""
    parts = urlsplit(signed.url)
    host = PORT.sub("", parts.netloc)
    port = parts.netloc.removeprefix(host) or PORTS.get(parts.scheme, "")
    yield f"{parts.scheme}://{host}{parts.path}{rest}"
    yield f"{parts.scheme}://{host}{port}{parts.path}{rest}"
