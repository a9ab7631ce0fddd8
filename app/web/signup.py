"""Registration: a tenant, its owner and the owner's first key. Knows no Flask."""

import threading
from dataclasses import dataclass

from app.domain import ids, times
from app.domain.account import ApiKey, Role, Scope, Tenant, User
from app.domain.audit import Actor, Source
from app.domain.errors import SignupClosed
from app.security import keys, tokens
from app.security.passwords import Passwords
from app.store.protocol import Note, Store
from app.web import deeds
from app.web.problems import Problem, Refused

CLOSED = "Somebody has registered here already; ask them for an invitation."
UNSET = (
    "The first registration needs a setup token, and this instance has none;"
    " set SLUICE_SETUP_TOKEN and send it as `setup_token`."
)
WRONG = (
    "The setup_token is missing or wrong; the first registration needs the value of"
    " SLUICE_SETUP_TOKEN."
)
FIRST_KEY = "First key"


@dataclass(frozen=True, slots=True)
class Registered:
    """What a registration made; `key` is shown once."""

    tenant: Tenant
    owner: User
    key: str


class Signup:
    """Decides who may register, and registers them.

    Args:
        store: its singleton row decides the race of the first ones.
        passwords: hashes the owner's.
        only_first: refuse everybody after the first.
        token: what the first must know, if set.
        token_needed: refuse even the first while no token is set.
    """

    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        *,
        only_first: bool,
        token: str | None,
        token_needed: bool,
    ) -> None:
        self._store, self._passwords = store, passwords
        self._only_first = only_first
        self._token, self._token_needed = token, token_needed
        self._closed = threading.Event()

    def register(
        self,
        email: str,
        password: str,
        tenant: str,
        *,
        token: str | None,
        source: Source,
    ) -> Registered:
        """Make a tenant with its owner, whose audit log begins with that.

        Raises:
            SignupClosed: only the first may register, and somebody has.
            Refused: 403, the setup token is missing or wrong.
            Conflict: the address is taken.
            Overloaded: too many hashes are wanted at once.
        """
        if self._only_first:
            self._check(token)
        made, key = self._make(email, password, tenant)
        try:
            self._store.noting(_note(made, key, source)).accounts.register(
                made.tenant, made.owner, key, only_first=self._only_first
            )
        except SignupClosed:
            self._closed.set()  # from now on without the cost of a hash
            raise SignupClosed(CLOSED) from None
        return made

    def _check(self, token: str | None) -> None:
        if self._closed.is_set():
            raise SignupClosed(CLOSED)
        if self._token is None:
            if self._token_needed:
                raise _refused(UNSET)
        elif token is None or not tokens.same(token, self._token):
            raise _refused(WRONG)

    def _make(
        self, email: str, password: str, tenant: str
    ) -> tuple[Registered, ApiKey]:
        at, minted = times.now(), keys.mint()
        team = Tenant(id=ids.new("tenant"), name=tenant, created_at=at)
        owner = User(
            id=ids.new("user"),
            email=email,
            password_hash=self._passwords.hash(password),
            created_at=at,
        )
        key = ApiKey(
            tenant_id=team.id,
            id=ids.new("key"),
            user_id=owner.id,
            role=Role.OWNER,
            name=FIRST_KEY,
            prefix=minted.prefix,
            secret_hash=minted.secret_hash,
            scopes=frozenset({Scope.ADMIN}),
            created_at=at,
        )
        return Registered(team, owner, minted.text), key


def _note(made: Registered, key: ApiKey, source: Source) -> Note:
    """Begin the log of the new tenant."""
    actor = Actor(tenant_id=made.tenant.id, user_id=made.owner.id, source=source)
    told = (deeds.tenant_made(made.tenant), deeds.key_made(key))
    return lambda _: map(actor.did, told)


def _refused(detail: str) -> Refused:
    return Refused(Problem(status=403, code="setup-token", detail=detail))
