"""Invite people, withdraw an invitation, accept one."""

from datetime import datetime, timedelta

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from app.domain import ids, times
from app.domain.account import Scope
from app.domain.audit import Action
from app.domain.errors import Fault, Invalid
from app.domain.invitation import LIFE, Invitation
from app.security import tokens
from app.web import auth, deeds, pages
from app.web.auth import caller
from app.web.noting import noting
from app.web.operations import Operation
from app.web.requests import visitor
from app.web.schemas.accounts import TenantView, UserView
from app.web.schemas.invitations import (
    AcceptRequest,
    InvitationPage,
    InvitationQuery,
    InvitationRequest,
    InvitationView,
    JoinedView,
    NewInvitationView,
)
from app.web.schemas.reading import body, query
from app.web.services import services

bp = Blueprint("invitations", __name__, url_prefix="/api/v1")
LONGEST = timedelta(days=30)


@bp.get("/invitations")
@Operation(scope=Scope.ADMIN, query=InvitationQuery, answers={200: InvitationPage})
def index() -> ResponseReturnValue:
    """List the invitations that can still be accepted, newest first."""
    asked = query(InvitationQuery)
    found = services().store.invitations.list(
        caller().tenant_id,
        at=times.now(),
        limit=asked.limit + 1,
        before=pages.after_id(asked.cursor, "inv"),
    )
    return pages.page(found, asked.limit, InvitationView.of, key=lambda each: each.id)


@bp.post("/invitations")
@Operation(
    scope=Scope.ADMIN,
    body=InvitationRequest,
    answers={201: NewInvitationView},
    problems=(409, 429),
    audits=(Action.INVITATION_CREATE,),
)
def create() -> ResponseReturnValue:
    """Invite somebody; give them the link or the token, which is shown this once."""
    asked, who = body(InvitationRequest), caller()
    at, token = times.now(), tokens.new()
    services().limits.invite(who.tenant_id)
    made = Invitation(
        tenant_id=who.tenant_id,
        id=ids.new("inv"),
        email=asked.email,
        role=asked.role,
        token_hash=tokens.digest(token),
        inviter_id=who.user_id,
        created_at=at,
        expires_at=_end(asked.expires_at, at),
    )
    noting(lambda _: [deeds.invited(made)]).invitations.add(made)
    shown = NewInvitationView.made(made, token, services().public_url)
    return jsonify(shown), 201


@bp.delete("/invitations/<invitation_id>")
@Operation(
    scope=Scope.ADMIN,
    answers={204: None},
    audits=(Action.INVITATION_WITHDRAW,),
)
def withdraw(invitation_id: str) -> ResponseReturnValue:
    """Withdraw an invitation."""
    told = noting(lambda gone: [deeds.withdrawn(gone)])
    told.invitations.delete(caller().tenant_id, invitation_id)
    return "", 204


@bp.post("/auth/accept-invitation")
@Operation(
    scope=None,
    body=AcceptRequest,
    answers={201: JoinedView},
    problems=(401, 403, 404, 409, 429),
    audits=(Action.MEMBER_JOIN, Action.SESSION_REFUSE),
)
def accept() -> ResponseReturnValue:
    """Become a member: with a password, the user's or a new one's, or a session."""
    services().cookies.check_origin(request)
    asked, guests, store = body(AcceptRequest), services().guests, services().store
    if asked.password is None:
        joined = guests.accept_as(auth.person(), asked.token, visitor())
    else:
        secret = asked.password.get_secret_value()
        joined = guests.accept(asked.token, secret, visitor())
    view = JoinedView(
        user=UserView(id=joined.user_id, email=joined.email),
        tenant=TenantView.of(store.accounts.tenant(joined.tenant_id)),
        role=joined.role,
    )
    return jsonify(view), 201


def _end(asked: datetime | None, at: datetime) -> datetime:
    if asked is None:
        return at + LIFE
    if not at < asked <= at + LONGEST:
        fault = Fault("/expires_at", f"must be in the next {LONGEST.days} days")
        raise Invalid("The body does not fit.", [fault])
    return asked
