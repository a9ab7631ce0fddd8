"""Who is calling, for which tenant, and whether that suffices."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask, current_app, g, request

from app.domain import ids, times
from app.domain.account import ApiKey, Scope
from app.domain.errors import NotFound
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
}


@dataclass(frozen=True, slots=True)
class Caller:
    """A program with a key of one tenant."""

    key: ApiKey

    @property
    def tenant_id(self) -> str:
        """Whose data it sees."""
        return self.key.tenant_id

    @property
    def user_id(self) -> str:
        """In whose name it acts."""
        return self.key.user_id

    def may(self, scope: Scope) -> bool:
        """Tell whether one of the key's scopes includes this one."""
        return any(each.covers(scope) for each in self.key.scopes)


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
    g.caller = found = Caller(_key())
    logs.bind(tenant_id=found.tenant_id, user_id=found.user_id)
    if not found.may(needed):
        raise Refused(_forbidden(needed))
    _check_ids(request.view_args or {})


def _key() -> ApiKey:
    """Return the key that the caller proves to have, if it holds."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != SCHEME.lower():
        raise Refused(_unauthorized(MISSING))
    presented = keys.parse(text.strip())
    stored = presented and services().store.api_keys.find(presented.prefix)
    if not (presented and stored and presented.proves(stored.secret_hash)):
        raise Refused(_unauthorized(UNKNOWN))
    if stored.revoked_at or (stored.expires_at and stored.expires_at <= times.now()):
        raise Refused(_unauthorized(UNKNOWN))
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
    detail = f"This needs a key with scope `{needed}` or above."
    return Problem(status=403, code="forbidden", detail=detail)
