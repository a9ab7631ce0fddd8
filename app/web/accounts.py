"""Register, see who is calling, make and end API keys."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from app.domain import ids, times
from app.domain.account import ApiKey, Scope
from app.security import keys
from app.web import pages
from app.web.auth import Caller, caller
from app.web.operations import Operation
from app.web.problems import Problem, Refused
from app.web.schemas.accounts import (
    KeyPage,
    KeyQuery,
    KeyRequest,
    KeyView,
    MeView,
    NewKeyView,
    RegisteredView,
    RegisterRequest,
    TenantView,
    UserView,
    expires_no_later,
    ordered,
)
from app.web.schemas.reading import body, query
from app.web.services import services

bp = Blueprint("accounts", __name__, url_prefix="/api/v1")


@bp.post("/auth/register")
@Operation(
    scope=None,
    body=RegisterRequest,
    answers={201: RegisteredView},
    problems=(403, 409),
)
def register() -> ResponseReturnValue:
    """Make a tenant with its owner and first key, which is shown this once."""
    asked = body(RegisterRequest)
    password = asked.password.get_secret_value()
    made = services().signup.register(
        asked.email, password, asked.tenant, token=asked.known_token()
    )
    user, tenant = UserView.of(made.owner), TenantView.of(made.tenant)
    return jsonify(RegisteredView(user=user, tenant=tenant, api_key=made.key)), 201


@bp.get("/me")
@Operation(scope=Scope.READ, answers={200: MeView})
def me() -> ResponseReturnValue:
    """Tell who is calling, for which tenant and with which scopes."""
    who, accounts = caller(), services().store.accounts
    view = MeView(
        user=UserView.of(accounts.user(who.user_id)),
        tenant=TenantView.of(accounts.tenant(who.tenant_id)),
        role=accounts.role(who.tenant_id, who.user_id),
        scopes=ordered(who.key.scopes),
    )
    return jsonify(view)


@bp.get("/api-keys")
@Operation(scope=Scope.ADMIN, query=KeyQuery, answers={200: KeyPage})
def list_keys() -> ResponseReturnValue:
    """List the keys that are not revoked."""
    asked = query(KeyQuery)
    before = pages.after_id(asked.cursor, "key")
    found = services().store.api_keys.list(
        caller().tenant_id, limit=asked.limit + 1, before=before
    )
    return pages.page(found, asked.limit, KeyView.of, key=lambda each: each.id)


@bp.post("/api-keys")
@Operation(scope=Scope.ADMIN, body=KeyRequest, answers={201: NewKeyView})
def make_key() -> ResponseReturnValue:
    """Make a key that may do no more, and no longer, than the calling one."""
    asked = body(KeyRequest)
    minted = keys.mint()
    key = _granted(caller(), asked, minted)
    services().store.api_keys.add(key)
    return jsonify(NewKeyView.made(key, minted.text)), 201


@bp.delete("/api-keys/<key_id>")
@Operation(scope=Scope.ADMIN, answers={204: None})
def revoke_key(key_id: str) -> ResponseReturnValue:
    """End a key at once; again is no error."""
    services().store.api_keys.revoke(caller().tenant_id, key_id, at=times.now())
    return "", 204


def _granted(who: Caller, asked: KeyRequest, minted: keys.Minted) -> ApiKey:
    if not all(who.may(each) for each in asked.scopes):
        raise Refused(_too_much("has none of higher scope"))
    if not expires_no_later(who.key, asked.expires_at):
        raise Refused(_too_much("ends earlier; give an earlier `expires_at`"))
    return ApiKey(
        tenant_id=who.tenant_id,
        id=ids.new("key"),
        user_id=who.user_id,
        name=asked.name,
        prefix=minted.prefix,
        secret_hash=minted.secret_hash,
        scopes=frozenset(asked.scopes),
        created_at=times.now(),
        expires_at=asked.expires_at,
    )


def _too_much(reason: str) -> Problem:
    detail = f"A key cannot grant more than itself, and the calling one {reason}."
    return Problem(status=403, code="forbidden", detail=detail)
