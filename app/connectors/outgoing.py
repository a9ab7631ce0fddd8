"""What goes out: URLs and headers are checked here, once, for every request."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urlencode, urljoin

import httpx2

from app.domain.errors import StepFailed
from app.domain.masking import Mask
from app.security import signing

_BEGIN = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?#]*)", re.IGNORECASE)
_NEVER = re.compile(r"[\x00-\x1f\x7f\\]")
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?|[0-9a-f:.]+")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x20-\x7e\t]*")
FRAMING = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# What another origin may see of a request that was redirected to it.
HARMLESS = frozenset(
    {"accept", "accept-language", "content-type", "idempotency-key", "user-agent"}
)
OF_THE_BODY = frozenset({"content-type", "idempotency-key", *signing.HEADERS})

Query = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class Body:
    """What a request carries, and as what."""

    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What shows a server who we are; for the origin that is called, and no other."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Query = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)  # that this is made of
    in_body: bool = False  # of the request stands one of them, too

    def is_in(self, text: str) -> bool:
        """Tell whether a text holds what it is made of, in whatever form."""
        return bool(self.secrets) and Mask(self.secrets).text(text) != text

    def beside(self, other: "Proof") -> "Proof":
        """Show both; the step's own places must be free of what a credential sets.

        Raises:
            StepFailed: `invalid-settings`, with what to leave out.
        """
        mine, others = (
            {name.lower() for name in each.headers} for each in (self, other)
        )
        for name in mine & others:
            raise _taken("headers", name)
        for name in self.query.keys() & other.query.keys():
            raise _taken("the query", name)
        return Proof(
            headers={**self.headers, **other.headers},
            query={**self.query, **other.query},
            secrets=(*self.secrets, *other.secrets),
            in_body=self.in_body or other.in_body,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as a connector asks for it; nothing in it is checked yet."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Query = field(default_factory=dict)  # added to what the URL has
    body: Body | None = None
    proof: Proof = Proof()
    follows: bool = True  # redirects; else they are answers like any other


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A checked request to one server, its header names in lower case."""

    method: str
    url: httpx2.URL
    headers: Mapping[str, str]
    content: bytes | None
    proof: Proof = Proof()  # added when it is sent, and nowhere else
    follows: bool = True

    @property
    def sent_url(self) -> httpx2.URL:
        """The URL with its proof; what a server put there itself stays as it is."""
        missing = self.proof.query.keys() - self.url.params.keys()
        return _with_query(self.url, {name: self.proof.query[name] for name in missing})

    @property
    def sent_headers(self) -> Mapping[str, str]:
        """The headers with the proof."""
        return {**self.headers, **self.proof.headers}

    @property
    def port(self) -> int:
        """The port that is connected to."""
        return self.url.port or (443 if self.url.scheme == "https" else 80)

    @property
    def origin(self) -> str:
        """The part of the URL that may be shown: paths and queries hold secrets."""
        return f"{self.url.scheme}://{self.url.host}:{self.port}"


def prepared(request: Request) -> Outgoing:
    """Check a request.

    Raises:
        StepFailed: `invalid-settings`, with what to change and no value in it.
    """
    with _refused_as("url"):
        url = parse_url(request.url)
    with _refused_as("headers"):
        headers = parse_headers(request.headers)
    with _refused_as("query"):
        url = _with_query(url, request.query)
    if request.body is not None:
        headers = {"content-type": request.body.content_type} | headers
    outgoing = Outgoing(
        method=request.method,
        url=url,
        headers=headers,
        content=None if request.body is None else request.body.content,
        proof=_proven(request.proof, headers, url),
        follows=request.follows,
    )
    with _refused_as("query"):
        _ = outgoing.sent_url
    return outgoing


def redirected(sent: Outgoing, status: int, location: str) -> Outgoing:
    """Follow a redirect as browsers do, but never from https to http.

    Another origin is sent no header that may hold a secret, and no proof.

    Raises:
        StepFailed: `bad-answer`, the redirect may not be followed.
    """
    try:
        url = parse_url(urljoin(str(sent.url), location))
    except ValueError as error:
        message = f"{sent.origin} redirected to a URL that {error}"
        raise StepFailed("bad-answer", message) from error
    if (sent.url.scheme, url.scheme) == ("https", "http"):
        message = f"{sent.origin} redirected from https to http, which is not followed"
        raise StepFailed("bad-answer", message)
    onward = replace(sent, url=url)
    as_get = _becomes_get(sent.method, status)
    if onward.origin != sent.origin:
        if sent.proof.in_body and not as_get:
            message = f"{sent.origin} redirected a body with a credential to another"
            raise StepFailed("bad-answer", f"{message} origin, which is not followed")
        if sent.proof.is_in(location):
            message = f"{sent.origin} redirected to another origin with the credential"
            raise StepFailed("bad-answer", f"{message}, which is not followed")
        headers = _only(sent.headers, HARMLESS)
        onward = replace(onward, headers=headers, proof=Proof())
    return _as_get(onward) if as_get else onward


def parse_url(text: str) -> httpx2.URL:
    """Read a URL that may be called.

    Raises:
        ValueError: says what to change, without the URL.
    """
    if _NEVER.search(text):
        raise ValueError("holds a control character or a backslash; encode it")
    begin = _BEGIN.match(text)
    if begin is None:
        raise ValueError("must begin with http:// or https:// and a host")
    if "@" in begin["authority"]:
        raise ValueError(
            "holds a user name or password before an @; use a header instead"
        )
    try:
        url = httpx2.URL(text)
    except httpx2.InvalidURL as error:
        raise ValueError("has a malformed host or port") from error
    if not _HOST.fullmatch(url.raw_host.decode()) or not _is_port(url.port):
        raise ValueError("has a malformed host or port")
    return url


def parse_headers(given: Mapping[str, str]) -> dict[str, str]:
    """Read headers that may be sent; their names come out in lower case.

    Raises:
        ValueError: says what to change, without a value.
    """
    for name, value in given.items():
        if not _NAME.fullmatch(name):
            raise ValueError(
                "hold a name with a character that is not allowed there;"
                " use letters, digits and hyphens"
            )
        if name.lower() in FRAMING:
            raise ValueError(
                f"must not hold {name}, which Sluice sets itself; leave it out"
            )
        if not _VALUE.fullmatch(value):
            raise ValueError(
                f"hold a control character or one outside of ASCII in {name};"
                " encode its value"
            )
    return {name.lower(): value.strip() for name, value in given.items()}


def _proven(proof: Proof, headers: Mapping[str, str], url: httpx2.URL) -> Proof:
    """Check what a credential adds; the request must leave its place free.

    Raises:
        StepFailed: `invalid-settings`, with what to leave out.
    """
    with _refused_as("credential"):
        added = parse_headers(proof.headers)
    for name in added.keys() & headers.keys():
        raise _taken("headers", name)
    for name in proof.query.keys() & url.params.keys():
        raise _taken("the query", name)
    return replace(proof, headers=added)


def _taken(where: str, name: str) -> StepFailed:
    message = f"{where} must not hold {name}, which the credential sets"
    return StepFailed("invalid-settings", message)


def _is_port(port: int | None) -> bool:
    return port is None or 1 <= port <= 65_535  # noqa: PLR2004  # 16 bits


@contextmanager
def _refused_as(setting: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise StepFailed("invalid-settings", f"{setting} {error}") from error


def _with_query(url: httpx2.URL, query: Query) -> httpx2.URL:
    if not query:
        return url
    added = urlencode(query, doseq=True, quote_via=quote)
    before = url.query.decode()
    query_string = f"{before}&{added}".removeprefix("&")
    try:
        return url.copy_with(query=query_string.encode())
    except httpx2.InvalidURL as error:
        raise ValueError("is too long for a URL; send a body instead") from error


def _only(headers: Mapping[str, str], names: frozenset[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name in names}


def _becomes_get(method: str, status: int) -> bool:
    if status == httpx2.codes.SEE_OTHER:
        return method not in ("GET", "HEAD")
    return status in (301, 302) and method == "POST"


def _as_get(sent: Outgoing) -> Outgoing:
    headers = _only(sent.headers, frozenset(sent.headers) - OF_THE_BODY)
    return replace(sent, method="GET", content=None, headers=headers)
