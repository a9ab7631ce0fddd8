"""What `verify` may say: which scheme, which of its options, which secrets."""

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from app.domain.errors import Fault
from app.domain.template import child
from app.engine.reading import near
from app.security.signatures import choosing
from app.security.signatures.scheme import Scheme
from app.security.signatures.templates import Template

MOST = 10  # secrets that count at the same time
LONGEST = 4096  # characters of a secret
DAY = 86_400  # seconds
SECRET = "must be a string, {credential: name} or a list of them"  # noqa: S105
AT = "/trigger/verify"
ONE_TIME = (
    "must be left out: Mailgun signs a token and not the event, so only the token as"
    " key keeps others from sending one token with many events"
)
_COMMON = frozenset({"scheme", "secret"})


def _web_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise PydanticCustomError("url", "is no URL") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise PydanticCustomError("url", "must begin with http:// or https:// and host")
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        message = "must end before ? and #; the query is that of each request"
        raise PydanticCustomError("url", message)
    return url


def _template(text: str) -> str:
    try:
        Template.parse(text)
    except ValueError as error:
        raise PydanticCustomError("template", str(error)) from error
    return text


HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
Tolerance = Annotated[float, Field(ge=1, le=DAY, allow_inf_nan=False)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class TimestampShape(_Shape):
    """Where the time of signing stands."""

    header: HeaderName
    unit: Literal["s", "ms", "iso8601"] = "s"


class IdShape(_Shape):
    """Where the delivery's id stands."""

    header: HeaderName


class VerifyShape(_Shape):
    """Every option that some scheme takes; `faults` says which go together."""

    scheme: str
    secret: Any
    verify_token: Any = None
    url: Annotated[str, AfterValidator(_web_address)] | None = None
    tolerance: Tolerance | None = None
    header: HeaderName | None = None
    prefix: Annotated[str, Field(max_length=64)] | None = None
    hash: Literal["sha1", "sha256", "sha512"] | None = None
    encoding: Literal["hex", "base64"] | None = None
    template: Annotated[str, Field(max_length=200), AfterValidator(_template)] = (
        "{body}"
    )
    timestamp: TimestampShape | None = None
    id: IdShape | None = None


def faults(trigger: Any) -> Iterator[Fault]:
    """Find what does not fit together, in a trigger of any shape."""
    verify = trigger.get("verify") if isinstance(trigger, Mapping) else None
    if not isinstance(verify, Mapping) or not isinstance(verify.get("scheme"), str):
        return
    name = verify["scheme"]
    if name not in choosing.NAMES:
        yield _unknown(name)
        return
    yield from _of_options(name, verify)
    if name == "mailgun" and trigger.get("dedupe") is not None:
        yield Fault("/trigger/dedupe", ONE_TIME)
    if name == "hmac":
        yield from _of_template(verify)
    if "secret" in verify:
        yield from _of_secret(verify["secret"], "secret", _chosen(verify))
    if verify.get("verify_token") is not None:
        yield from _of_secret(verify["verify_token"], "verify_token", None)


def _unknown(name: str) -> Fault:
    known = ", ".join(sorted(choosing.NAMES))
    hint = near(name, choosing.NAMES)
    return Fault(f"{AT}/scheme", f"is not a known scheme: {known}{hint}")


def _of_options(name: str, verify: Mapping[str, Any]) -> Iterator[Fault]:
    """Tell options of other schemes from those that nobody has."""
    taken = choosing.OPTIONS[name] | _COMMON
    listed = ", ".join(sorted(taken, key=lambda each: (each not in _COMMON, each)))
    for option in verify:
        if option not in taken and option in VerifyShape.model_fields:
            message = f"is no option of the scheme '{name}', which takes {listed}"
            yield Fault(child(AT, option), message)
    if "header" in taken and "header" not in verify:
        yield Fault(f"{AT}/header", "is required: where the scheme's mark stands")


def _of_template(verify: Mapping[str, Any]) -> Iterator[Fault]:
    try:
        template = Template.parse(verify.get("template", "{body}"))
    except (ValueError, TypeError):  # told already
        return
    parts, said = template.parts, {k for k, v in verify.items() if v is not None}
    at = f"{AT}/template"
    if "{body}" not in parts:
        yield Fault(at, "must hold {body}: what is not signed could be anybody's")
    for part, option in (("{ts}", "timestamp"), ("{id}", "id")):
        if part in parts and option not in said:
            yield Fault(at, f"holds {part}; say with `{option}` which header that is")
    if not template.is_plain:
        yield Fault(at, "must have a text between {id} and the part after it")
    yield from _of_unused(said, parts)


def _of_unused(said: Collection[str], parts: Collection[str]) -> Iterator[Fault]:
    if "timestamp" in said and "{ts}" not in parts:
        message = "is not signed, and so proves nothing; the template must hold {ts}"
        yield Fault(f"{AT}/timestamp", message)
    if "tolerance" in said and "timestamp" not in said:
        yield Fault(f"{AT}/tolerance", "needs `timestamp`: which header has the time")
    if "url" in said and "{url}" not in parts:
        yield Fault(f"{AT}/url", "is not used; the template must hold {url}")


def _chosen(verify: Mapping[str, Any]) -> Scheme | None:
    try:
        return choosing.choose(verify)
    except (AttributeError, KeyError, TypeError, ValueError):  # told already
        return None


def _of_secret(value: Any, option: str, scheme: Scheme | None) -> Iterator[Fault]:
    pointer = f"{AT}/{option}"
    if not isinstance(value, list):
        yield from _of_one(value, pointer, scheme)
        return
    if not 1 <= len(value) <= MOST:
        yield Fault(pointer, f"must list 1 to {MOST} secrets, not {len(value)}")
    for index, each in enumerate(value[:MOST]):
        yield from _of_one(each, f"{pointer}/{index}", scheme)


def _of_one(value: Any, pointer: str, scheme: Scheme | None) -> Iterator[Fault]:
    if isinstance(value, dict) and set(value) == {"credential"}:
        name = value["credential"]
        if not isinstance(name, str) or not name.strip():
            yield Fault(f"{pointer}/credential", "must be the name of a credential")
    elif not isinstance(value, str):
        yield Fault(pointer, SECRET)
    else:
        message = _misfit(value, scheme)
        if message is not None:
            yield Fault(pointer, message)


def _misfit(secret: str, scheme: Scheme | None) -> str | None:
    if not 0 < len(secret) <= LONGEST:
        return f"must have 1 to {LONGEST} characters"
    if secret != secret.strip():
        return "begins or ends with white space; remove it"
    return None if scheme is None else scheme.fault(secret.encode())
