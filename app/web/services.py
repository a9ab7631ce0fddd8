"""How an endpoint reaches what the factory wired."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from flask import Flask, current_app

from app.connectors.tokens import Purse
from app.engine.dispatcher import Dispatcher
from app.engine.plan import Compiler
from app.engine.rates import Rates
from app.engine.refusals import Refusals
from app.engine.vitals import Vitals
from app.security.passwords import PLACES, Passwords
from app.security.secrets import Secrets
from app.security.vault import Vault
from app.store.protocol import Store
from app.telemetry.metrics import Metrics
from app.telemetry.summed import Summed
from app.telemetry.traces import Tracer
from app.web.callers import Callers
from app.web.consenting import Consents
from app.web.cookies import Cookies
from app.web.doors import Doors
from app.web.entrance import Entrance
from app.web.gate import Gate
from app.web.guests import Guests
from app.web.limits import Limits
from app.web.needs import Needs
from app.web.receive import Receiver
from app.web.signup import Policy, Signup
from app.web.verifying import Verifiers
from app.web.waiting import WaitingRoom
from app.web.written_secrets import Mover


@dataclass(frozen=True, kw_only=True)
class Services:
    """What endpoints may use: what the factory gives, and what the web layer adds."""

    store: Store
    dispatcher: Dispatcher
    refusals: Refusals
    rates: Rates
    compiler: Compiler
    vault: Vault
    secrets: Secrets
    purse: Purse
    metrics: Metrics
    vitals: Vitals
    tracer: Tracer
    summed: Summed
    public_url: str  # what links begin with; no slash at the end
    max_body: int  # bytes
    max_workflows: int  # of one tenant
    waiting_places: int  # callers who may wait for the end of a run
    signup_first: bool = True  # only the first registration is taken
    setup_token: str | None = field(default=None, repr=False)
    production: bool = False
    session_key: bytes = field(repr=False)  # what tokens of sessions are derived from
    origins: Sequence[str] = ()  # whose pages may use a session
    password_places: int = PLACES  # callers who may wait for a hash
    metrics_token: str | None = field(default=None, repr=False)

    @property
    def is_https(self) -> bool:
        """Whether the world reaches this service by https alone, whatever we see."""
        return self.production and self.public_url.startswith("https:")

    @cached_property
    def doors(self) -> Doors:
        """The workflows behind webhook URLs."""
        verifiers = Verifiers(self.secrets, public_url=self.public_url)
        return Doors(self.store.workflows, verifiers)

    @cached_property
    def mover(self) -> Mover:
        """What makes credentials of secrets that are written into definitions."""
        return Mover(self.store.credentials, self.secrets)

    @cached_property
    def needs(self) -> Needs:
        """What looks for the credentials that definitions name."""
        return Needs(self.store.credentials, self.compiler.credential_types)

    @cached_property
    def consents(self) -> Consents:
        """Questions that people are sent away with."""
        return Consents(
            self.store, self.secrets, self.purse, public_url=self.public_url
        )

    @cached_property
    def room(self) -> WaitingRoom:
        """Places for callers who wait for the end of a run."""
        return WaitingRoom(
            self.dispatcher,
            self.refusals,
            self.store,
            places=self.waiting_places,
        )

    @cached_property
    def receiver(self) -> Receiver:
        """The way in for webhooks."""
        return Receiver(
            self.doors,
            self.dispatcher,
            self.refusals,
            self.metrics,
            self.room,
            rates=self.rates,
            tracer=self.tracer,
            summed=self.summed,
        )

    @cached_property
    def signup(self) -> Signup:
        """The way in for people."""
        policy = Policy(
            only_first=self.signup_first,
            token=self.setup_token,
            token_needed=self.production,
        )
        return Signup(self.store, self.passwords, self.limits, policy)

    @cached_property
    def gate(self) -> Gate:
        """What holds floods off before anybody signs in or up."""
        return Gate(places=self.password_places)

    @cached_property
    def callers(self) -> Callers:
        """What tells whose a request is, before anybody has checked it."""
        return Callers()

    @cached_property
    def passwords(self) -> Passwords:
        """What hashes passwords, few at a time."""
        return Passwords(places=self.password_places)

    @cached_property
    def limits(self) -> Limits:
        """How often somebody may sign in or up, or invite."""
        return Limits(self.store.tries)

    @cached_property
    def cookies(self) -> Cookies:
        """The cookies of sessions."""
        return Cookies(
            key=self.session_key,
            public_url=self.public_url,
            origins=self.origins,
            secure=self.production or self.public_url.startswith("https:"),
        )

    @cached_property
    def entrance(self) -> Entrance:
        """The way in for people who are known."""
        return Entrance(self.store, self.passwords, self.limits)

    @cached_property
    def guests(self) -> Guests:
        """The way in for people who were invited."""
        return Guests(self.store, self.entrance, self.passwords, self.limits)

    def install(self, app: Flask) -> None:
        """Make these the services of an app."""
        app.extensions["services"] = self


def services() -> Services:
    """Return the services of the current app."""
    found = current_app.extensions["services"]
    assert isinstance(found, Services)
    return found
