"""Make, list and end API keys."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from app.domain import ids, times
from app.domain.account import ApiKey, Scope
from app.domain.audit import Action
from app.security import keys
from app.web import deeds, pages
from app.web.auth import Caller, caller
from app.web.noting import noting
from app.web.operations import Operation
from app.web.problems import Problem, Refused
from app.web.schemas.keys import (
    KeyPage,
    KeyQuery,
    KeyRequest,
    KeyView,
    NewKeyView,
    expires_no_later,
)
from app.web.schemas.reading import body, query
from app.web.services import services

bp = Blueprint("api_keys", __name__, url_prefix="/api/v1/api-keys")


@bp.get("")
@Operation(scope=Scope.ADMIN, own=Scope.READ, query=KeyQuery, answers={200: KeyPage})
def index() -> ResponseReturnValue:
    """List the keys that are not revoked; who is no owner sees their own."""
    asked = query(KeyQuery)
    before = pages.after_id(asked.cursor, "key")
    found = services().store.api_keys.list(
        caller().tenant_id, limit=asked.limit + 1, before=before, user_id=_whose()
    )
    return pages.page(found, asked.limit, KeyView.of, key=lambda each: each.id)


@bp.post("")
@Operation(
    scope=Scope.ADMIN,
    own=Scope.READ,
    body=KeyRequest,
    answers={201: NewKeyView},
    problems=(409,),
    audits=(Action.KEY_CREATE,),
)
def create() -> ResponseReturnValue:
    """Make a key that may do no more, and no longer, than who calls."""
    asked = body(KeyRequest)
    minted = keys.mint()
    key = _granted(caller(), asked, minted)
    noting(lambda _: [deeds.key_made(key)]).api_keys.add(key)
    return jsonify(NewKeyView.made(key, minted.text)), 201


@bp.delete("/<key_id>")
@Operation(
    scope=Scope.ADMIN,
    own=Scope.READ,
    answers={204: None},
    problems=(409,),
    audits=(Action.KEY_REVOKE,),
)
def revoke(key_id: str) -> ResponseReturnValue:
    """End a key at once; again is no error."""
    told = noting(deeds.key_revoked)
    told.api_keys.revoke(caller().tenant_id, key_id, at=times.now(), user_id=_whose())
    return "", 204


def _whose() -> str | None:
    """Return whose keys the caller may see and end; None: everybody's."""
    who = caller()
    return None if who.may(Scope.ADMIN) else who.user_id


def _granted(who: Caller, asked: KeyRequest, minted: keys.Minted) -> ApiKey:
    if not all(who.may(each) for each in asked.scopes):
        raise Refused(_too_much("has no higher scope"))
    if not expires_no_later(who.expires_at, asked.expires_at):
        raise Refused(_too_much("ends earlier; give an earlier `expires_at`"))
    return ApiKey(
        tenant_id=who.tenant_id,
        id=ids.new("key"),
        user_id=who.user_id,
        role=who.role,
        name=asked.name,
        prefix=minted.prefix,
        secret_hash=minted.secret_hash,
        scopes=frozenset(asked.scopes),
        created_at=times.now(),
        expires_at=asked.expires_at,
    )


def _too_much(reason: str) -> Problem:
    detail = f"Nobody grants more than they may do, and the caller {reason}."
    return Problem(status=403, code="forbidden", detail=detail)
