"""What is said to an authorization server, and what it answers (RFC 6749)."""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote_plus, urlencode

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from app.connectors import authorizing, statuses
from app.connectors.http import HttpClient, Reply
from app.connectors.outgoing import Body, Proof, Request, parse_url
from app.domain import jsons
from app.domain.context import ExecutionContext
from app.domain.credential import Opened
from app.domain.errors import StepFailed

FORM = "application/x-www-form-urlencoded"
MARGIN = 60.0  # seconds before its end from which a token is not used any more
LONGEST_LIFE = 10 * 365 * 86_400.0  # seconds
ERROR = re.compile(r"[A-Za-z0-9_.-]{1,64}")
OK = 200
REFUSING = frozenset({OK, 400, 401, 403})  # there are servers that refuse with 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What was granted."""

    access: str = field(repr=False)
    refresh: str | None = field(default=None, repr=False)
    good_until: float | None = None  # seconds since 1970; None: until it is refused

    def is_good(self, now: float, *, stale: str | None = None) -> bool:
        """Tell whether the token may be used; `stale` is one that was refused."""
        late = self.good_until is not None and now >= self.good_until
        return not late and self.access != stale

    def written(self) -> bytes:
        """Write the tokens down, to be sealed."""
        return jsons.encode(
            {
                "access": self.access,
                "refresh": self.refresh,
                "good_until": self.good_until,
            }
        )

    @classmethod
    def read(cls, written: bytes) -> Self:
        """Undo `written`."""
        return cls(**jsons.parse(written))


def _life(value: Any) -> Any:
    """Read a life that some servers send as text."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,10}", value):
        return float(value)
    return value


def _small(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


LONGEST = 16_384  # characters of a token
# A pattern that counted them would be compiled into as many states: megabytes.
Token = Annotated[str, Field(pattern=r"^[\x21-\x7e]+$", max_length=LONGEST)]


class _Answer(BaseModel):
    """The answer of section 5.1; what else is in it is left alone."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    access_token: Token
    token_type: Annotated[Literal["bearer"] | None, BeforeValidator(_small)] = None
    expires_in: Annotated[
        float | None, BeforeValidator(_life), Field(gt=0, allow_inf_nan=False)
    ] = None
    refresh_token: Token | None = None


class Server:
    """An authorization server, as one credential of type `oauth2` describes it."""

    def __init__(self, http: HttpClient, client: Opened) -> None:
        self._http, self._client, self._data = http, client, client.data

    def for_itself(self, context: ExecutionContext, now: float) -> Tokens:
        """Get a token for the client itself (section 4.4)."""
        form = {"grant_type": "client_credentials", **_scope(self._data)}
        return self._ask(context, form, now)

    def for_code(
        self,
        context: ExecutionContext,
        now: float,
        *,
        code: str,
        verifier: str,
        redirect_uri: str,
    ) -> Tokens:
        """Get tokens for what a person brought back (section 4.1.3, RFC 7636)."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        return self._ask(context, form, now)

    def renewed(self, context: ExecutionContext, now: float, refresh: str) -> Tokens:
        """Get other tokens (section 6); the refresh token stays if no other comes."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh}
        found = self._ask(context, form, now)
        if found.refresh is not None:
            return found
        return Tokens(access=found.access, refresh=refresh, good_until=found.good_until)

    def _ask(
        self, context: ExecutionContext, form: Mapping[str, str], now: float
    ) -> Tokens:
        """Ask the token endpoint; it is not followed elsewhere.

        Raises:
            StepFailed: with one of the door's codes, ``http-status``, ``bad-answer``,
                or ``credential-refused``; the message names the credential.
        """
        try:
            reply = self._http.call(context, self._request(form))
            return self._granted(reply, now)
        except StepFailed as failure:
            raise StepFailed(
                failure.code,
                f"No token for the credential `{self._client.name}`: {failure}",
                retryable=failure.retryable,
                retry_after=failure.retry_after,
            ) from failure

    def _request(self, form: Mapping[str, str]) -> Request:
        identity, secret = self._data["client_id"], self._data["client_secret"]
        proof = Proof()
        if self._data.get("client_auth") == "body":
            form = {**form, "client_id": identity, "client_secret": secret}
        else:  # section 2.3.1: encoded as in a form, which few servers undo
            proof = authorizing.with_password(quote_plus(identity), quote_plus(secret))
        return Request(
            method="POST",
            url=self._data["token_url"],
            headers={"Accept": "application/json"},
            body=Body(urlencode(form).encode(), FORM),
            proof=proof,
            follows=False,
        )

    def _granted(self, reply: Reply, now: float) -> Tokens:
        said = _json(reply)
        error = said.get("error") if isinstance(said, dict) else None
        if error is not None and reply.status in REFUSING:
            why = f"{reply.origin} refused with {readable(error)}"
            raise StepFailed("credential-refused", why)
        statuses.require(reply, lambda status: status == OK)
        try:
            answer = _Answer.model_validate(said)
        except ValidationError as misfit:
            raise StepFailed("bad-answer", _misfit(reply, misfit)) from None
        return Tokens(
            access=answer.access_token,
            refresh=answer.refresh_token,
            good_until=_end(answer.expires_in, now),
        )


def question(client: Opened, *, state: str, verifier: str, redirect_uri: str) -> str:
    """Return the URL where a person is asked (section 4.1.1, RFC 7636)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": client.data["client_id"],
        "redirect_uri": redirect_uri,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **_scope(client.data),
    }
    return str(parse_url(client.data["authorize_url"]).copy_merge_params(asked))


def readable(error: Any) -> str:
    """Return the word by which a server refuses; never its prose."""
    is_word = isinstance(error, str) and ERROR.fullmatch(error)
    return str(error) if is_word else "no readable error"


def _scope(data: Mapping[str, str]) -> dict[str, str]:
    scopes = data.get("scopes")
    return {"scope": scopes} if scopes else {}


def _json(reply: Reply) -> Any:
    try:
        return jsons.parse(reply.body)
    except ValueError:
        return None


def _misfit(reply: Reply, error: ValidationError) -> str:
    found = error.errors(include_url=False)
    wrong = {str(each["loc"][0]) if each["loc"] else "all of it" for each in found}
    listed = ", ".join(sorted(wrong))
    return f"{reply.origin} answered with no token of RFC 6749; wrong is: {listed}"


def _end(life: float | None, now: float) -> float | None:
    """Return from when on a token is not used, a little before its end."""
    if life is None:
        return None
    life = min(life, LONGEST_LIFE)
    return now + life - min(MARGIN, life / 10)
