"""From what a definition says under `verify` to the scheme that it means."""

from collections.abc import Mapping
from typing import Any

from app.security.signatures.instants import Timestamp
from app.security.signatures.marks import Algorithm, Encoding, Mark
from app.security.signatures.presets import AT_URL, PRESETS, TIMED
from app.security.signatures.scheme import Scheme
from app.security.signatures.signature import Signature
from app.security.signatures.signed import Header
from app.security.signatures.templates import Template

NAMES = (*PRESETS, "hmac", "token")
OPTIONS: Mapping[str, frozenset[str]] = {
    **{name: each.options for name, each in PRESETS.items()},
    "token": frozenset({"header"}),
    "hmac": TIMED
    | AT_URL
    | {"header", "prefix", "hash", "encoding", "template"}
    | {"timestamp", "id"},
}


def choose(verify: Mapping[str, Any]) -> Scheme:
    """Return the scheme of a definition that was checked when it was saved.

    Raises:
        KeyError, ValueError: a release that understood more has saved it.
    """
    name = verify["scheme"]
    if name == "hmac":
        scheme = _hmac(verify)
    elif name == "token":
        scheme = _token(verify)
    else:
        scheme = PRESETS[name]
    tolerance = verify.get("tolerance")
    return scheme if tolerance is None else scheme.tolerating(float(tolerance))


def _token(verify: Mapping[str, Any]) -> Scheme:
    where = Header(verify["header"].lower())
    mark = Mark(where=where, algorithm=Algorithm.PLAIN, encoding=Encoding.RAW)
    return Scheme(name="token", judge=Signature(marks=(mark,)))


def _hmac(verify: Mapping[str, Any]) -> Scheme:
    mark = Mark(
        where=Header(verify["header"].lower(), verify.get("prefix", "").encode()),
        algorithm=Algorithm(verify.get("hash", "sha256")),
        encoding=Encoding(verify.get("encoding", "hex")),
    )
    template = Template.parse(verify.get("template", "{body}"))
    own = _header(verify.get("id"))
    judge = Signature(
        marks=(mark,),
        template=template,
        timestamp=_timestamp(verify.get("timestamp")),
        id=own if "{id}" in template.parts else None,
    )
    return Scheme(name="hmac", judge=judge, ids=() if own is None else (own,))


def _header(said: Mapping[str, Any] | None) -> Header | None:
    return None if said is None else Header(said["header"].lower())


def _timestamp(said: Mapping[str, Any] | None) -> Timestamp | None:
    where = _header(said)
    if said is None or where is None:
        return None
    return Timestamp(where, said.get("unit", "s"))
