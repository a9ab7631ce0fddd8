"""All collections of the store in memory."""

from typing import cast

from app.store.memory.accounts import MemoryAccounts
from app.store.memory.api_keys import MemoryApiKeys
from app.store.memory.audit import MemoryAudit, Noted
from app.store.memory.credentials import MemoryCredentials
from app.store.memory.dedupe import MemoryDedupe
from app.store.memory.executions import MemoryExecutions
from app.store.memory.grants import MemoryGrants
from app.store.memory.invitations import MemoryInvitations
from app.store.memory.ledger import MemoryLedger
from app.store.memory.members import MemoryMembers
from app.store.memory.processes import MemoryProcesses
from app.store.memory.sealings import MemorySealings
from app.store.memory.sessions import MemorySessions
from app.store.memory.state import State
from app.store.memory.tries import MemoryTries
from app.store.memory.workflows import MemoryWorkflows
from app.store.protocol import Collections, Load, Note


class MemoryStore:
    """`Store` in dictionaries; forgotten when the process ends.

    Usable without `start`. Once closed it can be read but not written, until it is
    started again: what a restarted process would find.
    """

    def __init__(self) -> None:
        self._state = State()
        self.accounts = MemoryAccounts(self._state)
        self.members = MemoryMembers(self._state)
        self.invitations = MemoryInvitations(self._state)
        self.sessions = MemorySessions(self._state)
        self.tries = MemoryTries(self._state)
        self.api_keys = MemoryApiKeys(self._state)
        self.workflows = MemoryWorkflows(self._state)
        self.credentials = MemoryCredentials(self._state)
        self.grants = MemoryGrants(self._state)
        self.sealings = MemorySealings(self._state)
        self.executions = MemoryExecutions(self._state)
        self.dedupe = MemoryDedupe(self._state)
        self.ledger = MemoryLedger(self._state)
        self.audit = MemoryAudit(self._state)
        self.processes = MemoryProcesses(self._state)

    def noting(self, note: Note) -> Collections:
        return cast("Collections", Noted(self._state, self, note))

    def prepare(self) -> None:
        """There is nothing to do."""

    def start(self) -> None:
        with self._state.lock:
            self._state.is_open = True

    def check(self) -> None:
        with self._state.writing():
            pass

    def maintain(self) -> None:
        """There is nothing to do."""

    def load(self) -> Load:
        return Load(waiting=0, readers=0)

    def close(self) -> None:
        with self._state.lock:
            self._state.is_open = False
