"""The contract every store keeps.

Every method is one transaction, atomic and thread-safe. A method that returns a
`Future` hands its work to the writer and does not wait: the future ends when the
commit is durable (or failed, with `StoreUnavailable` or the named error), and its
callbacks run on the writer's thread, so they must be short and must not wait for
another change. Work handed over by one thread for one execution is carried out in that
order.

Every change raises `StoreUnavailable`, at once, when the store is closed or when too
much waits to be written.

Every query of a tenant's data names the tenant; an id of another tenant is not found.

Text in names and keys that holds U+0000 or half of a surrogate pair is refused with
`Invalid` and finds nothing, for not every database can keep it. In a failure's message
it is replaced, so that every failure can be recorded. JSON (definitions, headers,
queries) and bytes (bodies, outputs) come back exactly.
"""

from dataclasses import dataclass
from typing import Protocol

from app.store.protocol.accounts import Accounts, ApiKeys
from app.store.protocol.audit import Audit, AuditFilter, Note
from app.store.protocol.books import Ledger, Processes
from app.store.protocol.checkup import Checkup
from app.store.protocol.credentials import Credentials
from app.store.protocol.dedupe import Dedupe
from app.store.protocol.executions import ExecutionFilter, Executions, Queued
from app.store.protocol.grants import Grants
from app.store.protocol.invitations import Invitations
from app.store.protocol.members import Members
from app.store.protocol.sealings import Sealings
from app.store.protocol.sessions import Sessions
from app.store.protocol.tries import Tries
from app.store.protocol.workflows import Workflows

__all__ = [
    "Accounts",
    "ApiKeys",
    "Audit",
    "AuditFilter",
    "Checkup",
    "Collections",
    "Credentials",
    "Dedupe",
    "ExecutionFilter",
    "Executions",
    "Grants",
    "Invitations",
    "Ledger",
    "Load",
    "Members",
    "Note",
    "Processes",
    "Queued",
    "Sealings",
    "Sessions",
    "Store",
    "Tries",
    "Workflows",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How busy a store is in this process."""

    waiting: int  # changes that are not being written yet
    readers: int  # connections that read


class Collections(Protocol):
    """What the project remembers, one collection for each kind of thing."""

    @property
    def accounts(self) -> Accounts: ...
    @property
    def members(self) -> Members: ...
    @property
    def invitations(self) -> Invitations: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def tries(self) -> Tries: ...
    @property
    def api_keys(self) -> ApiKeys: ...
    @property
    def workflows(self) -> Workflows: ...
    @property
    def credentials(self) -> Credentials: ...
    @property
    def grants(self) -> Grants: ...
    @property
    def sealings(self) -> Sealings: ...
    @property
    def executions(self) -> Executions: ...
    @property
    def dedupe(self) -> Dedupe: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def processes(self) -> Processes: ...


class Store(Collections, Protocol):
    """The collections, and what is done to all of them at once."""

    def noting(self, note: Note) -> Collections:
        """Return the collections in a form that writes down each change.

        The entries that `note` makes of a change's result are committed with the
        change: both or neither. It is called within the transaction, maybe more than
        once, so it must be quick and must not use the store. Changes that return a
        `Future` raise `TypeError` instead; reading is never noted.
        """
        ...

    def prepare(self) -> None:
        """Bring the schema up to date, and open nothing that lasts; again does nothing.

        `start` does it, too. Who lets a child process do it before is spared the
        memory that it takes.

        Raises:
            StoreUnavailable: the database cannot be used.
        """

    def start(self) -> None:
        """Bring the schema up to date and begin to write; once, after the fork.

        Raises:
            StoreUnavailable: the database cannot be opened.
        """

    def check(self) -> None:
        """Commit something small.

        Raises:
            StoreUnavailable: it cannot be written now.
        """

    def maintain(self) -> None:
        """Do the housework of the database, now and then; any process may.

        Raises:
            StoreUnavailable: it could not be done now.
        """

    def load(self) -> Load:
        """Say how busy it is, at once and without asking the database."""
        ...

    def close(self) -> None:
        """Carry out what was handed over, then let go of every thread and file.

        Again is no error.
        """
