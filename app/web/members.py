"""The people in a tenant: list, change what they may do, remove."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from app.domain.account import Scope
from app.domain.audit import Action
from app.web import deeds, pages
from app.web.auth import caller
from app.web.noting import noting
from app.web.operations import Operation
from app.web.schemas.members import MemberChange, MemberPage, MemberQuery, MemberView
from app.web.schemas.reading import body, query
from app.web.services import services

bp = Blueprint("members", __name__, url_prefix="/api/v1/members")


@bp.get("")
@Operation(scope=Scope.READ, query=MemberQuery, answers={200: MemberPage})
def index() -> ResponseReturnValue:
    """List the members, newest user first."""
    asked = query(MemberQuery)
    found = services().store.members.list(
        caller().tenant_id,
        limit=asked.limit + 1,
        before=pages.after_id(asked.cursor, "user"),
    )
    return pages.page(found, asked.limit, MemberView.of, key=lambda each: each.user_id)


@bp.patch("/<member_id>")
@Operation(
    scope=Scope.ADMIN,
    body=MemberChange,
    answers={200: MemberView},
    problems=(409,),
    audits=(Action.MEMBER_CHANGE,),
)
def change(member_id: str) -> ResponseReturnValue:
    """Give a member another role; it counts for keys and sessions at once."""
    role, told = body(MemberChange).role, noting(deeds.member_changed)
    changed = told.members.change(caller().tenant_id, member_id, role)
    return jsonify(MemberView.of(changed.member))


@bp.delete("/<member_id>")
@Operation(
    scope=Scope.ADMIN,
    answers={204: None},
    problems=(409,),
    audits=(Action.MEMBER_REMOVE,),
)
def remove(member_id: str) -> ResponseReturnValue:
    """Remove a member, with the keys and sessions in this tenant."""
    told = noting(lambda gone: [deeds.member_removed(gone)])
    told.members.remove(caller().tenant_id, member_id)
    return "", 204
