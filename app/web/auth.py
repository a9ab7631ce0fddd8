"""Who is calling, for which tenant, and whether that suffices."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from flask import Flask, current_app, g, request

from app.domain import ids, times
from app.domain.account import ApiKey, Role, Scope, is_news
from app.domain.errors import NotFound, StoreUnavailable
from app.domain.session import Session
from app.security import keys, tokens
from app.telemetry import logs
from app.web import problems
from app.web.operations import promised
from app.web.problems import Problem, Refused
from app.web.services import services

SCHEME = "Bearer"
UNKNOWN = "The API key is unknown, expired or revoked; make another."
MISSING = "Send an API key (`Authorization: Bearer sluice_…`), or log in."
ENDED = "The session has ended; log in again."
PERSON = "This is for a person who has logged in, not for a key."
PREFIXES: Mapping[str, str] = {
    "workflow_id": "wf",
    "execution_id": "exec",
    "key_id": "key",
    "credential_id": "cred",
    "member_id": "user",
    "session_id": "sess",
    "invitation_id": "inv",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody who has proved who it is, for one tenant."""

    tenant_id: str  # whose data it sees
    user_id: str  # in whose name it acts
    role: Role  # what the user is in the tenant, now
    scopes: frozenset[Scope]  # what it may do: no more than the user may
    via: str  # the id of the key or session that proved it
    expires_at: datetime | None = None  # of a key that ends
    session: Session | None = None  # of a person who has logged in

    @classmethod
    def of_key(cls, key: ApiKey) -> "Caller":
        """Make the caller that a key stands for."""
        return cls(
            tenant_id=key.tenant_id,
            user_id=key.user_id,
            role=key.role,
            scopes=key.allowed,
            via=key.id,
            expires_at=key.expires_at,
        )

    @classmethod
    def of_session(cls, session: Session) -> "Caller":
        """Make the caller that a session stands for."""
        return cls(
            tenant_id=session.tenant_id,
            user_id=session.user_id,
            role=session.role,
            scopes=session.allowed,
            via=session.id,
            session=session,
        )

    def may(self, scope: Scope) -> bool:
        """Tell whether one of the scopes includes this one."""
        return any(each.covers(scope) for each in self.scopes)


def install(app: Flask) -> None:
    """Let nobody reach a view that promises less than they have."""
    app.before_request(_guard)


def caller() -> Caller:
    """Return who is calling; only in views that need a scope."""
    found = g.caller
    assert isinstance(found, Caller)
    return found


def session() -> Session:
    """Return the caller's session; only in views that are for persons."""
    found = caller().session
    assert found is not None
    return found


def cookie_session() -> Session | None:
    """Return the session of the cookie that came along, if it holds."""
    sessions, at = services().store.sessions, times.now()
    token = services().cookies.token(request)
    found = token and sessions.find(tokens.digest(token), at=at)
    if not found:
        return None
    if is_news(found.used_at, at):
        with suppress(StoreUnavailable):  # reading goes on without
            sessions.use(found, at=at)
    return found


def person() -> Session:
    """Return the session of whoever is logged in, if the request is their own.

    Raises:
        Refused: 401, nobody is; 403, another site may have sent the request.
    """
    if "Authorization" in request.headers:  # no cookie makes up for a wrong key
        raise Refused(problems.unauthorized(PERSON))
    found = cookie_session()
    if found is None:
        raise Refused(problems.unauthorized(ENDED if request.cookies else MISSING))
    services().cookies.check(request, found)
    return found


def _guard() -> None:
    if request.endpoint is None or request.method == "OPTIONS":
        return
    operation = promised(current_app, request.endpoint)
    if operation.scope is None:
        return
    g.caller = found = _caller()
    services().callers.learn(request.environ, found.tenant_id)
    logs.bind(tenant_id=found.tenant_id, user_id=found.user_id)
    if operation.person and found.session is None:
        raise Refused(Problem(status=403, code="forbidden", detail=PERSON))
    needed = (found.session and operation.own) or operation.scope
    if not found.may(needed):
        raise Refused(_forbidden(needed))
    _check_ids(request.view_args or {})


def _caller() -> Caller:
    if "Authorization" in request.headers:
        return Caller.of_key(_key())
    return Caller.of_session(person())


def _key() -> ApiKey:
    """Return the key that the caller proves to have, if it holds."""
    scheme, _, text = request.headers["Authorization"].partition(" ")
    if scheme.lower() != SCHEME.lower():
        raise Refused(problems.unauthorized(MISSING))
    api_keys, at = services().store.api_keys, times.now()
    presented = keys.parse(text.strip())
    stored = presented and api_keys.find(presented.prefix)
    if not (presented and stored and presented.proves(stored.secret_hash)):
        raise Refused(problems.unauthorized(UNKNOWN))
    if not stored.holds(at):
        raise Refused(problems.unauthorized(UNKNOWN))
    if is_news(stored.used_at, at):
        with suppress(StoreUnavailable):  # reading goes on without
            api_keys.use(stored, at=at)
    return stored


def _check_ids(arguments: Mapping[str, str]) -> None:
    """Spare the store what cannot be an id."""
    for name, value in arguments.items():
        if name in PREFIXES and not ids.well_formed(value, PREFIXES[name]):
            raise NotFound("There is nothing with this id.")


def _forbidden(needed: Scope) -> Problem:
    detail = f"This needs scope `{needed}` or above, of the key and of its user's role."
    return Problem(status=403, code="forbidden", detail=detail)
