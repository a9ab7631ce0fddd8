"""Whether secrets are hard to guess."""

import math
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from app.cli.checks.findings import Finding, ok, problem, warning
from app.settings import Settings

SHORTEST = {
    "SLUICE_SECRET_KEY": 32,
    "SLUICE_SETUP_TOKEN": 16,
    "SLUICE_METRICS_TOKEN": 16,
}
TEXT_BITS = 3.0  # of entropy in a character of a random text: base16 has 4
FEWEST_BYTES = 20  # different ones of 32; random ones have less once in 10**9 times
WELL_KNOWN = (  # of five characters or more: shorter ones come up by chance
    "12345",
    "change",
    "default",
    "example",
    "insecure",
    "password",
    "qwerty",
    "sample",
    "secret",
)
MAKE_TEXT = "Make another one: openssl rand -base64 32"
MAKE_KEY = (
    "Put a new one in front, `python -m app rotate-keys`, then take the old one out:"
    " openssl rand -base64 32"
)


def check(settings: Settings) -> Iterator[Finding]:
    """Look at every key and token that is set."""
    texts = {
        "SLUICE_SECRET_KEY": settings.secret_key,
        "SLUICE_SETUP_TOKEN": settings.setup_token,
        "SLUICE_METRICS_TOKEN": settings.metrics_token,
    }
    for name, value in texts.items():
        if value:
            yield _text(name, value)
    for number, key in enumerate(settings.sealing_keys, start=1):
        yield _key(number, key)
    yield from _repeated(settings)


def _text(name: str, value: str) -> Finding:
    shortest = SHORTEST[name]
    reasons = []
    if len(value) < shortest:
        reasons.append(f"has {len(value)} characters")
    if bits(value) < TEXT_BITS * min(len(value), shortest):
        reasons.append("repeats few characters")
    if any(each in value.lower() for each in WELL_KNOWN):
        reasons.append("holds a word of examples")
    if not reasons:
        return ok("keys", f"{name} has {len(value)} characters")
    found = f"{name} {' and '.join(reasons)}"
    expected = f"{shortest} random characters or more"
    return problem("keys", found, expected=expected, advice=MAKE_TEXT)


def _key(number: int, key: bytes) -> Finding:
    name = f"SLUICE_ENCRYPTION_KEYS, number {number}"
    if len(set(key)) < FEWEST_BYTES or _is_count(key):
        found = f"{name} repeats or counts bytes"
    elif all(each in range(0x20, 0x7F) for each in key):
        found = f"{name} is made of readable characters"
    else:
        return ok("keys", f"{name} looks random")
    return problem("keys", found, expected="32 random bytes", advice=MAKE_KEY)


def _repeated(settings: Settings) -> Iterator[Finding]:
    keys = settings.encryption_keys
    if len(set(keys)) < len(keys):
        yield warning(
            "keys",
            "SLUICE_ENCRYPTION_KEYS names a key twice",
            expected="each once",
            advice="Leave the second one out",
        )
    texts = [settings.secret_key, settings.setup_token, settings.metrics_token]
    given = [*(each for each in texts if each), *set(keys)]
    sealing = [b64encode(each).decode() for each in settings.sealing_keys]
    if len(set(given)) < len(given) or settings.secret_key in sealing:
        yield warning(
            "keys",
            "one value is used for several keys or tokens",
            expected="one for each",
            advice=MAKE_TEXT,
        )


def bits(text: str) -> float:
    """Estimate the entropy of a text from how often its characters occur."""
    counts = Counter(text).values()
    return sum(-n * math.log2(n / len(text)) for n in counts)


def _is_count(key: bytes) -> bool:
    steps = {(after - before) % 256 for before, after in pairwise(key)}
    return len(steps) == 1
