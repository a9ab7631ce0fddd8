"""Registration: a tenant, its owner and the owner's first key. Knows no Flask."""

import threading
from dataclasses import dataclass, field

from app.domain import ids, times
from app.domain.account import ApiKey, Role, Scope, Tenant, User
from app.domain.audit import Actor, Source
from app.domain.errors import SignupClosed
from app.security import keys, tokens
from app.security.passwords import Passwords
from app.store.protocol import Note, Store
from app.web import deeds
from app.web.limits import Limits
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Who may register."""

    only_first: bool  # refuse everybody after the first
    token: str | None = field(default=None, repr=False)  # what the first must know
    token_needed: bool = False  # refuse even the first while no token is set


class Signup:
    """Decides who may register, and registers them.

    Args:
        store: its singleton row decides the race of the first ones.
        passwords: hashes the owner's.
        limits: counts tries.
        policy: who may.
    """

    def __init__(
        self, store: Store, passwords: Passwords, limits: Limits, policy: Policy
    ) -> None:
        self._store, self._passwords = store, passwords
        self._limits, self._policy = limits, policy
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
            RateLimited: too many tries from this address.
            Overloaded: too many hashes are wanted at once.
        """
        if self._closed.is_set():
            raise SignupClosed(CLOSED)
        self._limits.sign_up(source.address)
        if self._policy.only_first:
            self._check(token)
        made, key = self._make(email, password, tenant)
        try:
            self._store.noting(_note(made, key, source)).accounts.register(
                made.tenant, made.owner, key, only_first=self._policy.only_first
            )
        except SignupClosed:
            self._closed.set()  # from now on without the cost of a hash
            raise SignupClosed(CLOSED) from None
        return made

    def _check(self, token: str | None) -> None:
        if self._policy.token is None:
            if self._policy.token_needed:
                raise _refused(UNSET)
        elif token is None or not tokens.same(token, self._policy.token):
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
