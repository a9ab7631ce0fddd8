"""People who join a tenant without the ways of the API."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from flask import Flask
from flask.testing import FlaskClient

from app.domain import ids, times
from app.domain.account import ApiKey, Role, Scope
from app.security import keys, tokens
from app.store.protocol import Store
from tests.store.company import invitation, session, user
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


@dataclass(frozen=True)
class Browser:
    """Somebody who has logged in: a new session for each request.

    Args:
        app: the service.
        store: its store.
        tenant_id: where the session is active.
        user_id: whose it is.
        proves: whether pages of ours send the requests, which know the token.
        ended: whether the session is over when it is used.
        more: further headers.
    """

    app: Flask
    store: Store
    tenant_id: str
    user_id: str
    proves: bool = True
    ended: bool = False
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client(use_cookies=False)

    @property
    def headers(self) -> Mapping[str, str]:
        """What a browser sends along, and what a page of ours adds."""
        token, at = tokens.new(), times.now()
        login = replace(
            session(self.tenant_id, self.user_id),
            token_hash=tokens.digest(token),
            created_at=at,
            used_at=at,
        )
        user = self.store.accounts.user(self.user_id)
        self.store.sessions.add(login, password_hash=user.password_hash)
        if self.ended:
            self.store.sessions.end(self.user_id, login.id)
        cookies = self.app.extensions["services"].cookies
        proof = {"X-CSRF-Token": cookies.csrf_token(login)} if self.proves else {}
        return {"Cookie": f"{cookies.name}={token}", **proof, **self.more}
