"""Register, and see who is calling."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from app.domain.account import Scope
from app.domain.audit import Action
from app.web.auth import Caller, caller
from app.web.operations import Operation
from app.web.requests import source
from app.web.schemas.accounts import (
    MeView,
    RegisteredView,
    RegisterRequest,
    TenantView,
    UserView,
)
from app.web.schemas.keys import ordered
from app.web.schemas.reading import body
from app.web.services import services

bp = Blueprint("accounts", __name__, url_prefix="/api/v1")


@bp.post("/auth/register")
@Operation(
    scope=None,
    body=RegisterRequest,
    answers={201: RegisteredView},
    problems=(403, 409, 429),
    audits=(Action.TENANT_CREATE, Action.KEY_CREATE),
)
def register() -> ResponseReturnValue:
    """Make a tenant with its owner and first key, which is shown this once."""
    asked = body(RegisterRequest)
    password = asked.password.get_secret_value()
    made = services().signup.register(
        asked.email,
        password,
        asked.tenant,
        token=asked.known_token(),
        source=source(),
    )
    user, tenant = UserView.of(made.owner), TenantView.of(made.tenant)
    return jsonify(RegisteredView(user=user, tenant=tenant, api_key=made.key)), 201


@bp.get("/me")
@Operation(scope=Scope.READ, answers={200: MeView})
def me() -> ResponseReturnValue:
    """Tell who is calling, for which tenant and with which scopes."""
    return jsonify(described(caller()))


def described(who: Caller) -> MeView:
    """Tell who somebody is."""
    accounts, cookies = services().store.accounts, services().cookies
    return MeView(
        user=UserView.of(accounts.user(who.user_id)),
        tenant=TenantView.of(accounts.tenant(who.tenant_id)),
        role=who.role,
        scopes=ordered(who.scopes),
        csrf_token=who.session and cookies.csrf_token(who.session),
    )
