"""Requests of strangers: made of nothing, or of an honest request that was damaged."""

import json
from dataclasses import replace
from random import Random
from typing import Any

from app.security.signatures.signed import Signed
from tests.security.signatures.senders import URL

KINDS = [b"application/json", b"application/x-www-form-urlencoded", b"text/plain"]
KINDS += [b"multipart/form-data; boundary=x", b"\xff", b"application/json;charset=x"]
MARKS = [b"v1=", b"sha256=", b"v0=", b"t=1767225600", b"v1,", b"v1a,", b"Basic ", b","]
MARKS += [b" ", b"Bearer ", b"0" * 64, b"A" * 43 + b"=", b"\xff", b"A" * 86 + b"=="]
MARKS += [b"1767225600", b"9" * 20, b"-1", b"2026-01-01T00:00:00Z", b"0" * 5000, b"\0"]
NAMES = ["type", "event", "payload", "plainToken", "challenge", "value", "signature"]
NAMES += ["clientState", "webhookTimestamp", "timestamp", "token", "id", "event_id"]
LEAVES = [None, True, 0, 1, -1, 10**30, 1.5, "", "x", "\ud7ff", "url_verification"]
LEAVES += ["endpoint.url_validation", "0" * 64, "1767225600", 1767225600000]
QUERIES = ["", "hub.mode=subscribe&hub.challenge=1", "validationToken=%00"]
QUERIES += ["validationToken=x", "bodySHA256=%ff", "&&==%", "\udcff=\xff", "a=1&a=2"]
BODIES = [b"", b"{", b"[[[[", b"\xff\xfe", b"a=1&b=%ff", b"&" * 3000, b"--x\r\n\r\n"]


def stranger(random: Random, honest: Signed) -> Signed:
    """Make a request of nothing; only the names of headers are known."""
    headers = {
        name: b"".join(random.choices(MARKS, k=random.randrange(4)))
        for name in honest.headers
        if random.random() < 0.8
    }
    headers["content-type"] = random.choice(KINDS)
    return Signed(
        body=_body(random),
        headers=headers,
        method=random.choice(["GET", "POST", "BREW"]),
        url=URL,
        query=random.choice(QUERIES),
    )


def damaged(random: Random, honest: Signed) -> Signed:
    """Change some bytes somewhere in what was signed rightly."""
    name = random.choice([*honest.headers, "body", "query"])
    if name == "body":
        return replace(honest, body=_changed(random, honest.body))
    if name == "query":
        return replace(honest, query=random.choice(QUERIES))
    changed = _changed(random, honest.headers[name])
    return replace(honest, headers={**honest.headers, name: changed})


def _body(random: Random) -> bytes:
    if random.random() < 0.3:
        return random.choice([*BODIES, random.randbytes(random.randrange(60))])
    return json.dumps(_value(random, 3)).encode()


def _value(random: Random, depth: int) -> Any:
    kind = random.random()
    if depth == 0 or kind < 0.3:
        return random.choice(LEAVES)
    if kind < 0.5:
        return [_value(random, depth - 1) for _ in range(random.randrange(3))]
    names = random.sample(NAMES, random.randrange(5))
    return {name: _value(random, depth - 1) for name in names}


def _changed(random: Random, data: bytes) -> bytes:
    at, piece = random.randrange(len(data) + 1), random.choice([b"", *MARKS])
    return data[:at] + piece + data[at + random.randrange(4) :]
