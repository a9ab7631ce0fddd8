"""Who is calling, for which tenant, and whether that suffices."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from flask import Flask, current_app, g, request

from app.domain import ids, times
from app.domain.account import ApiKey, Role, Scope, is_news
from app.domain.errors import NotFound, StoreUnavailable
from app.security import keys
from app.telemetry import logs
from app.web.operations import promised
from app.web.problems import Problem, Refused
from app.web.services import services

SCHEME = "Bearer"
UNKNOWN = "The API key is unknown, expired or revoked; make another."
MISSING = "Send an API key: `Authorization: Bearer sluice_…`."
PREFIXES: Mapping[str, str] = {
    "workflow_id": "wf",
    "execution_id": "exec",
    "key_id": "key",
    "credential_id": "cred",
    "member_id": "user",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody who has proved who it is, for one tenant."""

    tenant_id: str  # whose data it sees
    user_id: str  # in whose name it acts
    role: Role  # what the user is in the tenant, now
    scopes: frozenset[Scope]  # what it may do: no more than the user may
    via: str  # the id of the key that proved it
    expires_at: datetime | None = None  # of a key that ends

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


def _guard() -> None:
    if request.endpoint is None or request.method == "OPTIONS":
        return
    needed = promised(current_app, request.endpoint).scope
    if needed is None:
        return
    g.caller = found = Caller.of_key(_key())
    logs.bind(tenant_id=found.tenant_id, user_id=found.user_id)
    if not found.may(needed):
        raise Refused(_forbidden(needed))
    _check_ids(request.view_args or {})


def _key() -> ApiKey:
    """Return the key that the caller proves to have, if it holds."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != SCHEME.lower():
        raise Refused(_unauthorized(MISSING))
    api_keys, at = services().store.api_keys, times.now()
    presented = keys.parse(text.strip())
    stored = presented and api_keys.find(presented.prefix)
    if not (presented and stored and presented.proves(stored.secret_hash)):
        raise Refused(_unauthorized(UNKNOWN))
    if not stored.holds(at):
        raise Refused(_unauthorized(UNKNOWN))
    if is_news(stored.used_at, at):
        with suppress(StoreUnavailable):  # reading goes on without
            api_keys.use(stored, at=at)
    return stored


def _check_ids(arguments: Mapping[str, str]) -> None:
    """Spare the store what cannot be an id."""
    for name, value in arguments.items():
        if name in PREFIXES and not ids.well_formed(value, PREFIXES[name]):
            raise NotFound("There is nothing with this id.")


def _unauthorized(detail: str) -> Problem:
    headers = {"WWW-Authenticate": f'{SCHEME} realm="sluice"'}
    return Problem(status=401, code="unauthorized", detail=detail, headers=headers)


def _forbidden(needed: Scope) -> Problem:
    detail = f"This needs scope `{needed}` or above, of the key and of its user's role."
    return Problem(status=403, code="forbidden", detail=detail)
