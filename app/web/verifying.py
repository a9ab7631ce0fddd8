"""Who sent a delivery: its signature is checked, its handshake answered."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, Self
from urllib.parse import quote

from app.domain.errors import ServiceError
from app.domain.workflow import Published
from app.security.handshakes import HANDSHAKES, Handshake, Reply
from app.security.signatures import choosing
from app.security.signatures.scheme import Scheme, delivery_id, verify
from app.security.signatures.signed import Signed, Verdict
from app.web.deliveries import Delivery
from app.web.outcomes import Answer
from app.web.problems import Problem

UNSIGNED = (
    "The request's signature is missing, wrong or too old for this webhook; check the"
    " secret, the clock and the URL that the sender uses."
)
SAFE = "/!$&'()*+,;=:@-._~"  # what a path may hold as it is
Reveal = Callable[[str], bytes]  # the value of a credential, by its name


class Reveals(Protocol):
    """The part of the credentials that is needed here."""

    def reveal(self, tenant_id: str, name: str) -> bytes: ...


class Unusable(ServiceError):
    """A workflow's secrets are there and cannot verify anything."""

    code = "credential-unusable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """What one workflow knows of its sender."""

    scheme: Scheme
    secrets: tuple[bytes, ...] = field(repr=False)
    tokens: tuple[bytes, ...] = field(default=(), repr=False)  # of handshakes
    url: str | None = None  # as the sender knows it, if that is not ours
    hooks: str  # what the URLs of hooks begin with

    @classmethod
    def of(cls, said: Mapping[str, Any], reveal: Reveal, *, public_url: str) -> Self:
        """Read `verify` of a definition that was checked when it was saved.

        Raises:
            ServiceError: a secret cannot be had, or has not the scheme's form.
        """
        try:
            scheme = choosing.choose(said)
        except (KeyError, ValueError):
            raise Unusable("A later release has saved this scheme.") from None
        secrets = tuple(_secrets(said["secret"], reveal))
        for each in secrets:
            if fault := scheme.fault(each):
                raise Unusable(f"A secret of the scheme '{scheme.name}' {fault}.")
        return cls(
            scheme=scheme,
            secrets=secrets,
            tokens=tuple(_secrets(said.get("verify_token") or [], reveal)),
            url=said.get("url"),
            hooks=f"{public_url}/hooks/",
        )

    def verdict(self, signed: Signed, now: float) -> Verdict:
        """Say whether the sender signed this delivery about now, seconds since 1970."""
        return verify(self.scheme, signed, self.secrets, now)

    def delivery_id(self, signed: Signed) -> str | None:
        """Return what the sender repeats when it sends a delivery again."""
        return delivery_id(self.scheme, signed)

    def handshake(self, signed: Signed, now: float) -> Answer | Verdict | None:
        """Answer a question about the URL; None if the delivery is none.

        A verdict says why the question does not deserve an answer.
        """
        kind = HANDSHAKES.get(self.scheme.handshake or "")
        if kind is None or not kind.asked(signed):
            return None
        keys = self._signers(signed, now) if kind.is_signed else self.tokens
        if isinstance(keys, Verdict):
            return keys
        return _answered(kind, signed, keys)

    def _signers(self, signed: Signed, now: float) -> Sequence[bytes] | Verdict:
        """Return the secrets that signed a request, or why none did."""
        verdict = verify(self.scheme, signed, self.secrets, now)
        if verdict is not Verdict.OK:
            return verdict
        return [
            each
            for each in self.secrets
            if verify(self.scheme, signed, [each], now) is Verdict.OK
        ]

    def read(self, delivery: Delivery) -> Signed:
        """Return what signatures cover of a delivery."""
        path = quote(delivery.path, safe=SAFE, errors="replace")
        given = delivery.headers.items()
        return Signed(
            body=delivery.body if isinstance(delivery.body, bytes) else b"",
            headers={k: v.encode("latin-1", "replace") for k, v in given},
            method=delivery.method,
            url=(self.url or self.hooks + delivery.token) + path,
            query=delivery.query,
        )


class Verifiers:
    """Makes verifiers of what definitions say."""

    def __init__(self, secrets: Reveals, *, public_url: str) -> None:
        self._secrets, self._public_url = secrets, public_url

    def of(self, published: Published) -> Verifier | None:
        """Return the verifier of a workflow's current version; None without one.

        Raises:
            ServiceError: a secret cannot be had, or has not the scheme's form.
        """
        said = published.version.definition["trigger"].get("verify")
        if said is None:
            return None
        reveal = partial(self._secrets.reveal, published.workflow.tenant_id)
        return Verifier.of(said, reveal, public_url=self._public_url)


def unsigned() -> Problem:
    """Tell that a signature was refused, in the same words for every reason."""
    return Problem(status=401, code="signature", detail=UNSIGNED)


def locked() -> Problem:
    """Tell that a sender cannot be verified now, through no fault of its own."""
    detail = "The secret of this webhook cannot be read at the moment; send it again."
    headers = {"Retry-After": "30"}
    return Problem(
        status=503, code="credential-unreadable", detail=detail, headers=headers
    )


def _answered(
    kind: Handshake, signed: Signed, keys: Sequence[bytes]
) -> Answer | Verdict:
    reply = kind.answer(signed, keys)
    return Verdict.BAD if reply is None else _said(reply)


def _said(reply: Reply) -> Answer:
    headers = {"X-Content-Type-Options": "nosniff"}
    if reply.body:
        headers["Content-Type"] = reply.kind
    return Answer(reply.status, headers, reply.body)


def _secrets(said: Any, reveal: Reveal) -> Iterator[bytes]:
    for each in said if isinstance(said, list) else [said]:
        if isinstance(each, str):
            yield each.encode()
        else:
            yield reveal(each["credential"])
