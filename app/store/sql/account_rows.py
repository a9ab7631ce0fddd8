"""Between rows and people: tenants, members, keys, sessions and invitations."""

from app.domain.account import ApiKey, Member, Role, Scope, Tenant, User
from app.domain.invitation import Invitation
from app.domain.session import Session
from app.domain.times import from_ms, to_ms
from app.store.sql.rows import AnyRow, Values, instant, millis


def tenant(row: AnyRow) -> Tenant:
    """Read a tenant."""
    return Tenant(id=row.id, name=row.name, created_at=from_ms(row.created_at))


def user(row: AnyRow) -> User:
    """Read a user."""
    return User(
        id=row.id,
        email=row.email,
        password_hash=row.password_hash,
        created_at=from_ms(row.created_at),
    )


def member(row: AnyRow) -> Member:
    """Read a member."""
    return Member(
        tenant_id=row.tenant_id,
        user_id=row.user_id,
        email=row.email,
        role=Role(row.role),
        joined_at=from_ms(row.since),
    )


def user_values(user: User) -> Values:
    """Write a user."""
    return {
        "id": user.id,
        "email": user.email,
        "email_folded": user.email.lower(),
        "password_hash": user.password_hash,
        "created_at": to_ms(user.created_at),
    }


def member_values(member: Member) -> Values:
    """Write a member, but for the address."""
    return {
        "tenant_id": member.tenant_id,
        "user_id": member.user_id,
        "role": member.role,
        "joined_at": to_ms(member.joined_at),
    }


def api_key_values(key: ApiKey) -> Values:
    """Write a key."""
    return {
        "tenant_id": key.tenant_id,
        "id": key.id,
        "user_id": key.user_id,
        "name": key.name,
        "prefix": key.prefix,
        "secret_hash": key.secret_hash,
        "scopes": " ".join(sorted(key.scopes)),
        "created_at": to_ms(key.created_at),
        "expires_at": millis(key.expires_at),
        "revoked_at": millis(key.revoked_at),
        "used_at": millis(key.used_at),
    }


def api_key(row: AnyRow) -> ApiKey:
    """Read a key."""
    return ApiKey(
        tenant_id=row.tenant_id,
        id=row.id,
        user_id=row.user_id,
        role=Role(row.role),
        name=row.name,
        prefix=row.prefix,
        secret_hash=row.secret_hash,
        scopes=frozenset(Scope(each) for each in row.scopes.split()),
        created_at=from_ms(row.created_at),
        expires_at=instant(row.expires_at),
        revoked_at=instant(row.revoked_at),
        used_at=instant(row.used_at),
    )


def session_values(session: Session) -> Values:
    """Write a session, but for the role."""
    return {
        "user_id": session.user_id,
        "id": session.id,
        "token_hash": session.token_hash,
        "tenant_id": session.tenant_id,
        "created_at": to_ms(session.created_at),
        "used_at": to_ms(session.used_at),
        "expires_at": to_ms(session.expires_at),
        "address": session.address,
        "agent": session.agent,
    }


def session(row: AnyRow) -> Session:
    """Read a session."""
    return Session(
        id=row.id,
        token_hash=row.token_hash,
        user_id=row.user_id,
        tenant_id=row.tenant_id,
        role=Role(row.role),
        created_at=from_ms(row.created_at),
        used_at=from_ms(row.used_at),
        address=row.address,
        agent=row.agent,
    )


def invitation_values(invitation: Invitation) -> Values:
    """Write an invitation."""
    return {
        "tenant_id": invitation.tenant_id,
        "id": invitation.id,
        "email": invitation.email,
        "role": invitation.role,
        "token_hash": invitation.token_hash,
        "inviter_id": invitation.inviter_id,
        "created_at": to_ms(invitation.created_at),
        "expires_at": to_ms(invitation.expires_at),
    }


def invitation(row: AnyRow) -> Invitation:
    """Read an invitation."""
    return Invitation(
        tenant_id=row.tenant_id,
        id=row.id,
        email=row.email,
        role=Role(row.role),
        token_hash=row.token_hash,
        inviter_id=row.inviter_id,
        created_at=from_ms(row.created_at),
        expires_at=from_ms(row.expires_at),
    )
