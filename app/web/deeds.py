"""What the audit log tells of each change: names and numbers, never a secret."""

from collections.abc import Iterator, Sequence
from typing import Any

from app.domain.account import ApiKey, Member, RoleChange, Tenant, User
from app.domain.audit import Action, Change, Deed
from app.domain.credential import Credential
from app.domain.execution import Execution
from app.domain.grant import Consent
from app.domain.invitation import Invitation
from app.domain.session import Session
from app.domain.times import rfc3339
from app.domain.workflow import Edited, Published, Workflow
from app.web.needs import Missing


def tenant_made(tenant: Tenant) -> Deed:
    """Tell of a registration."""
    return Deed(Action.TENANT_CREATE, tenant.id, _new(name=tenant.name))


def key_made(key: ApiKey) -> Deed:
    """Tell of a new key, and of what it may do."""
    ends = None if key.expires_at is None else rfc3339(key.expires_at)
    scopes = sorted(each.value for each in key.scopes)
    changes = _new(name=key.name, scopes=scopes, expires_at=ends)
    return Deed(Action.KEY_CREATE, key.id, changes)


def key_revoked(key: ApiKey | None) -> Iterator[Deed]:
    """Tell of the end of a key, if it had not ended before."""
    if key is not None:
        yield Deed(Action.KEY_REVOKE, key.id, _gone(name=key.name))


def session_begun(session: Session) -> Deed:
    """Tell of a login, or of a user who came from another tenant."""
    return Deed(Action.SESSION_BEGIN, session.id)


def login_refused(user_id: str) -> Deed:
    """Tell that somebody tried, with a wrong password."""
    return Deed(Action.SESSION_REFUSE, user_id)


def password_changed(user: User) -> Deed:
    """Tell of another password."""
    return Deed(Action.PASSWORD_CHANGE, user.id)


def invited(invitation: Invitation) -> Deed:
    """Tell who was invited, and as what."""
    changes = _new(
        email=invitation.email,
        role=invitation.role.value,
        expires_at=rfc3339(invitation.expires_at),
    )
    return Deed(Action.INVITATION_CREATE, invitation.id, changes)


def withdrawn(invitation: Invitation) -> Deed:
    """Tell who is invited no more."""
    changes = _gone(email=invitation.email, role=invitation.role.value)
    return Deed(Action.INVITATION_WITHDRAW, invitation.id, changes)


def joined(member: Member) -> Deed:
    """Tell who has accepted an invitation."""
    changes = _new(email=member.email, role=member.role.value)
    return Deed(Action.MEMBER_JOIN, member.user_id, changes)


def member_changed(change: RoleChange) -> Iterator[Deed]:
    """Tell of another role; nothing, if it is the same."""
    member = change.member
    if change.was is not member.role:
        changes = {"role": Change(change.was.value, member.role.value)}
        yield Deed(Action.MEMBER_CHANGE, member.user_id, changes)


def member_removed(member: Member) -> Deed:
    """Tell who is no member any more."""
    changes = _gone(email=member.email, role=member.role.value)
    return Deed(Action.MEMBER_REMOVE, member.user_id, changes)


def workflow_made(
    made: Published, credentials: Sequence[Credential], missing: Sequence[Missing]
) -> Iterator[Deed]:
    """Tell of a new workflow, and of the secrets that came with it or are missing."""
    workflow = made.workflow
    changes = _new(
        name=workflow.name, version=workflow.version, is_active=workflow.is_active
    )
    yield Deed(Action.WORKFLOW_CREATE, workflow.id, changes | _missing(missing))
    yield from map(credential_made, credentials)


def workflow_published(
    edited: Edited, credentials: Sequence[Credential], missing: Sequence[Missing]
) -> Iterator[Deed]:
    """Tell of a new version, and of the secrets and the name that came with it."""
    changes = {"version": _version(edited), **_missing(missing)}
    yield Deed(Action.WORKFLOW_PUBLISH, edited.before.id, changes)
    yield from map(credential_made, credentials)
    yield from _renamed(edited)


def workflow_rolled_back(
    edited: Edited,
    to: int,
    credentials: Sequence[Credential],
    missing: Sequence[Missing],
) -> Iterator[Deed]:
    """Tell of an old version that became the newest."""
    changes = {"version": _version(edited), "same_as": Change(None, to)}
    yield Deed(Action.WORKFLOW_ROLLBACK, edited.before.id, changes | _missing(missing))
    yield from map(credential_made, credentials)


def workflow_changed(edited: Edited) -> Iterator[Deed]:
    """Tell what changed without a new version; nothing, if it was so before."""
    yield from _renamed(edited)
    before, after = edited.before, edited.after.workflow
    if before.is_active != after.is_active:
        action = (
            Action.WORKFLOW_ACTIVATE if after.is_active else Action.WORKFLOW_DEACTIVATE
        )
        yield Deed(action, after.id)


def workflow_deleted(workflow: Workflow) -> Deed:
    """Tell of the end of a workflow."""
    changes = _gone(name=workflow.name, version=workflow.version)
    return Deed(Action.WORKFLOW_DELETE, workflow.id, changes)


def token_rotated(rotated: Published) -> Deed:
    """Tell of another URL."""
    return Deed(Action.WORKFLOW_ROTATE_TOKEN, rotated.workflow.id)


def credential_made(credential: Credential) -> Deed:
    """Tell of a new secret, but not the secret."""
    changes = _new(name=credential.name, type=credential.type)
    return Deed(Action.CREDENTIAL_CREATE, credential.id, changes)


def credential_replaced(before: Credential, after: Credential) -> Deed:
    """Tell of another secret in the place of one."""
    changes = {}
    if before.name != after.name:
        changes["name"] = Change(before.name, after.name)
    return Deed(Action.CREDENTIAL_REPLACE, after.id, changes)


def credential_deleted(credential: Credential) -> Deed:
    """Tell of the end of a secret."""
    changes = _gone(name=credential.name, type=credential.type)
    return Deed(Action.CREDENTIAL_DELETE, credential.id, changes)


def consent_asked(credential_id: str) -> Deed:
    """Tell who sent a person to an authorization server."""
    return Deed(Action.CREDENTIAL_ASK, credential_id)


def consent_given(consent: Consent) -> Deed:
    """Tell that a person has authorized a credential."""
    return Deed(Action.CREDENTIAL_AUTHORIZE, consent.credential_id)


def execution_cancelled(execution: Execution) -> Deed:
    """Tell who ended a run, or asked it to stop."""
    workflow = Change(execution.workflow_id, execution.workflow_id)
    return Deed(Action.EXECUTION_CANCEL, execution.id, {"workflow_id": workflow})


def _renamed(edited: Edited) -> Iterator[Deed]:
    before, after = edited.before.name, edited.after.workflow.name
    if before != after:
        changes = {"name": Change(before, after)}
        yield Deed(Action.WORKFLOW_RENAME, edited.before.id, changes)


def _missing(missing: Sequence[Missing]) -> dict[str, Change]:
    names = [each.name for each in missing]
    return _new(missing_credentials=names) if names else {}


def _version(edited: Edited) -> Change:
    return Change(edited.before.version, edited.after.workflow.version)


def _new(**fields: Any) -> dict[str, Change]:
    return {name: Change(None, value) for name, value in fields.items()}


def _gone(**fields: Any) -> dict[str, Change]:
    return {name: Change(value, None) for name, value in fields.items()}
