"""Log in and out, change tenant and password, see and end one's sessions."""

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from app.domain import times
from app.domain.account import Member, Scope
from app.domain.audit import Action
from app.domain.session import Session
from app.web import auth, pages
from app.web.accounts import described
from app.web.auth import Caller
from app.web.entrance import Begun
from app.web.operations import Operation
from app.web.requests import visitor
from app.web.schemas.accounts import MeView
from app.web.schemas.reading import body, query
from app.web.schemas.sessions import (
    LoginRequest,
    PasswordRequest,
    PlacesView,
    PlaceView,
    SessionPage,
    SessionQuery,
    SessionView,
    SwitchRequest,
)
from app.web.services import services

bp = Blueprint("sessions", __name__, url_prefix="/api/v1")
OWN = "nobody but its own user could use what ends"
COOKIE = {200: ("Set-Cookie",)}


@bp.post("/auth/login")
@Operation(
    scope=None,
    body=LoginRequest,
    answers={200: MeView},
    problems=(401, 403, 404, 409, 429),
    headers=COOKIE,
    audits=(Action.SESSION_BEGIN, Action.SESSION_REFUSE),
)
def log_in() -> ResponseReturnValue:
    """Begin a session; its cookie can be used instead of a key."""
    services().cookies.check_origin(request)
    asked = body(LoginRequest)
    before = auth.cookie_session()
    begun = services().entrance.log_in(
        asked.email, asked.password.get_secret_value(), asked.tenant_id, visitor()
    )
    if before is not None:
        services().entrance.leave(before)
    return _begun(begun)


@bp.post("/auth/logout")
@Operation(
    scope=Scope.READ,
    person=True,
    answers={204: None},
    headers={204: ("Set-Cookie",)},
    unaudited=OWN,
)
def log_out() -> ResponseReturnValue:
    """End this session."""
    services().entrance.leave(auth.session())
    response = Response(status=204)
    services().cookies.take(response)
    return response


@bp.post("/auth/switch")
@Operation(
    scope=Scope.READ,
    person=True,
    body=SwitchRequest,
    answers={200: MeView},
    problems=(404, 409),
    headers=COOKIE,
    audits=(Action.SESSION_BEGIN,),
)
def switch() -> ResponseReturnValue:
    """Go on in another tenant; the session gets another cookie and CSRF token."""
    asked = body(SwitchRequest)
    entrance = services().entrance
    return _begun(entrance.switch(auth.session(), asked.tenant_id, visitor()))


@bp.post("/auth/password")
@Operation(
    scope=Scope.READ,
    person=True,
    body=PasswordRequest,
    answers={200: MeView},
    problems=(409, 429),
    headers=COOKIE,
    audits=(Action.PASSWORD_CHANGE, Action.SESSION_REFUSE),
)
def change_password() -> ResponseReturnValue:
    """Change one's password; all other sessions end, and this one begins anew."""
    asked = body(PasswordRequest)
    begun = services().entrance.change_password(
        auth.session(),
        asked.password.get_secret_value(),
        asked.new_password.get_secret_value(),
        visitor(),
    )
    return _begun(begun)


@bp.get("/tenants")
@Operation(scope=Scope.READ, person=True, answers={200: PlacesView})
def places() -> ResponseReturnValue:
    """List the tenants one is in."""
    store = services().store

    def view(member: Member) -> PlaceView:
        return PlaceView.of(store.accounts.tenant(member.tenant_id), member.role)

    items = [view(each) for each in store.members.of(auth.session().user_id)]
    return jsonify(PlacesView(items=items, next_cursor=None))


@bp.get("/sessions")
@Operation(
    scope=Scope.READ, person=True, query=SessionQuery, answers={200: SessionPage}
)
def index() -> ResponseReturnValue:
    """List one's own sessions, newest first."""
    asked, mine = query(SessionQuery), auth.session()
    found = services().store.sessions.list(
        mine.user_id,
        at=times.now(),
        limit=asked.limit + 1,
        before=pages.after_id(asked.cursor, "sess"),
    )

    def view(session: Session) -> SessionView:
        return SessionView.of(session, is_current=session.id == mine.id)

    return pages.page(found, asked.limit, view, key=lambda each: each.id)


@bp.delete("/sessions")
@Operation(scope=Scope.READ, person=True, answers={204: None}, unaudited=OWN)
def end_others() -> ResponseReturnValue:
    """End all of one's sessions but this one."""
    mine = auth.session()
    services().store.sessions.end_others(mine.user_id, but=mine.id)
    return "", 204


@bp.delete("/sessions/<session_id>")
@Operation(scope=Scope.READ, person=True, answers={204: None}, unaudited=OWN)
def end(session_id: str) -> ResponseReturnValue:
    """End one of one's own sessions."""
    services().store.sessions.end(auth.session().user_id, session_id)
    return "", 204


def _begun(begun: Begun) -> Response:
    """Tell who is logged in, and give the cookie."""
    response = jsonify(described(Caller.of_session(begun.session)))
    services().cookies.give(response, begun.token)
    return response
