"""People who join a tenant without the ways of the API."""

from flask.testing import FlaskClient

from app.domain import ids, times
from app.domain.account import ApiKey, Role, Scope
from app.security import keys
from app.store.protocol import Store
from tests.store.company import invitation, user
from tests.web.conftest import Api


def join(
    client: FlaskClient,
    store: Store,
    owner: Api,
    role: Role,
    scope: Scope = Scope.ADMIN,
) -> tuple[str, Api]:
    """Let a new user into a tenant, and give it a key."""
    me = owner.call("GET", "/me")
    tenant_id, minted = me["tenant"]["id"], keys.mint()
    invited = invitation(tenant_id, me["user"]["id"], role=role, expires_at=times.now())
    store.invitations.add(invited)
    person = user(f"{ids.new('user')}@example.com")
    at = invited.created_at
    store.invitations.accept(invited.token_hash, person, at=at)
    key = ApiKey(
        tenant_id=tenant_id,
        id=ids.new("key"),
        user_id=person.id,
        role=role,
        name="Theirs",
        prefix=minted.prefix,
        secret_hash=minted.secret_hash,
        scopes=frozenset({scope}),
        created_at=at,
    )
    store.api_keys.add(key)
    return person.id, Api(client, minted.text)
