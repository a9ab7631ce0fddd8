"""Tokens of credentials of type `oauth2`: kept as long as they are good."""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Protocol

from app.connectors.flights import Flights
from app.connectors.http import HttpClient
from app.connectors.oauth import Server, Tokens
from app.domain import jsons, times
from app.domain.context import ExecutionContext
from app.domain.credential import Opened
from app.domain.errors import StepFailed, StoreUnavailable, Unsealable
from app.domain.grant import Consent, Grant
from app.security.vault import Vault

SIZE = 4096  # tokens of clients that are remembered
LEASE = timedelta(seconds=60)  # for which one process may renew what others need
LOOK = 0.1  # seconds between looks at what another process renews
GRANT, VERIFIER = "grant", "verifier"  # what is sealed beside a credential's fields
UNASKED = (
    "Nobody has authorized the credential `{name}` yet;"
    " ask with POST /api/v1/credentials/{id}/authorize."
)
OVER = (
    "The authorization of the credential `{name}` is over ({why});"
    " ask again with POST /api/v1/credentials/{id}/authorize."
)


class KeepsGrants(Protocol):
    """The part of the store's grants that is needed here."""

    def get(self, tenant_id: str, credential_id: str) -> Grant | None: ...
    def claim(self, grant: Grant, *, until: datetime, at: datetime) -> bool: ...
    def release(self, grant: Grant) -> None: ...
    def renew(self, grant: Grant, sealed: bytes) -> bool: ...


class Purse:
    """Gets tokens, and other ones in time; shared by all threads.

    What a client gets for itself is remembered in this process. What a person granted
    is in the store, where all processes find the newest; one of them renews it.
    """

    def __init__(
        self,
        http: HttpClient,
        grants: KeepsGrants,
        vault: Vault,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._http, self._grants, self._vault = http, grants, vault
        self._clock = clock
        self._flights: Flights[Tokens] = Flights()
        self._lock = threading.Lock()
        self._own: OrderedDict[Hashable, Tokens] = OrderedDict()

    def token(
        self, context: ExecutionContext, client: Opened, *, stale: str | None = None
    ) -> str:
        """Return a token that is good.

        Args:
            context: of whoever needs it.
            client: the credential.
            stale: a token that a server has refused, so that another one is needed.

        Raises:
            StepFailed: ``credential-unauthorized``, ``credential-refused``,
                ``credential-unreadable``, or why the server could not be asked.
            Cancelled, Interrupted, DeadlineExceeded: from the context.
            StoreUnavailable: the store failed.
        """
        asks = client.data["grant"] == "authorization_code"
        find, get = (self._granted, self._renewed) if asks else (self._kept, self._new)
        found = find(client)
        if found is None or not found.is_good(self._clock(), stale=stale):
            key = (_key(client), stale)
            found = self._flights.share(
                context, key, lambda: get(context, client, stale)
            )
        return found.access

    def redeem(
        self,
        context: ExecutionContext,
        client: Opened,
        consent: Consent,
        *,
        code: str,
        redirect_uri: str,
    ) -> bytes:
        """Return the tokens for a code that a person brought back, sealed.

        Raises:
            StepFailed, DeadlineExceeded: as `token`.
        """
        verifier = self._opened(client, consent.verifier, VERIFIER).decode()
        found = Server(self._http, client).for_code(
            context,
            self._clock(),
            code=code,
            verifier=verifier,
            redirect_uri=redirect_uri,
        )
        return self._sealed(client, found)

    def _kept(self, client: Opened) -> Tokens | None:
        with self._lock:
            return self._own.get(_key(client))

    def _new(
        self, context: ExecutionContext, client: Opened, stale: str | None
    ) -> Tokens:
        found = self._kept(client)
        if found is not None and found.is_good(self._clock(), stale=stale):
            return found  # another one got it since we looked
        found = Server(self._http, client).for_itself(context, self._clock())
        with self._lock:
            self._own[_key(client)] = found
            self._own.move_to_end(_key(client))
            while len(self._own) > SIZE:
                self._own.popitem(last=False)
        return found

    def _granted(self, client: Opened) -> Tokens:
        return self._read(client, self._newest(client))

    def _renewed(
        self, context: ExecutionContext, client: Opened, stale: str | None
    ) -> Tokens:
        while True:
            grant = self._newest(client)
            found = self._read(client, grant)
            if found.is_good(self._clock(), stale=stale):
                return found  # another process got it
            if found.refresh is None:
                raise _over(client, "it has expired and cannot be renewed")
            with self._claimed(grant) as claimed:
                if claimed and (other := self._renew(context, client, grant, found)):
                    return other
            context.sleep(LOOK)

    def _renew(
        self, context: ExecutionContext, client: Opened, grant: Grant, found: Tokens
    ) -> Tokens | None:
        """Exchange a refresh token; None if somebody was faster."""
        server = Server(self._http, client)
        try:
            other = server.renewed(context, self._clock(), found.refresh or "")
        except StepFailed as failure:
            if failure.code != "credential-refused":
                raise
            if self._newest(client).generation != grant.generation:
                return None
            raise _over(client, "it was withdrawn, or has expired") from failure
        sealed = self._sealed(client, other)
        return other if self._grants.renew(grant, sealed) else None

    @contextmanager
    def _claimed(self, grant: Grant) -> Iterator[bool]:
        """Keep other processes from using a refresh token that is good for one use."""
        now = times.now()
        claimed = self._grants.claim(grant, until=now + LEASE, at=now)
        try:
            yield claimed
        finally:
            if claimed:
                with suppress(StoreUnavailable):  # then the lease ends it
                    self._grants.release(grant)

    def _newest(self, client: Opened) -> Grant:
        found = self._grants.get(client.tenant_id, client.id)
        if found is None:
            message = UNASKED.format(name=client.name, id=client.id)
            raise StepFailed("credential-unauthorized", message)
        return found

    def _read(self, client: Opened, grant: Grant) -> Tokens:
        return Tokens.read(self._opened(client, grant.sealed, GRANT))

    def _opened(self, client: Opened, sealed: bytes, field: str) -> bytes:
        try:
            return self._vault.open(
                sealed,
                tenant_id=client.tenant_id,
                credential_id=client.id,
                field=field,
            )
        except Unsealable as error:
            raise StepFailed(error.code, str(error)) from error

    def _sealed(self, client: Opened, found: Tokens) -> bytes:
        return self._vault.seal(
            found.written(),
            tenant_id=client.tenant_id,
            credential_id=client.id,
            field=GRANT,
        )


def _key(client: Opened) -> Hashable:
    """Tell clients apart, and one from itself after its data has changed."""
    digest = hashlib.sha256(jsons.encode(dict(client.data))).digest()
    return client.tenant_id, client.id, digest


def _over(client: Opened, why: str) -> StepFailed:
    message = OVER.format(name=client.name, id=client.id, why=why)
    return StepFailed("credential-unauthorized", message)
