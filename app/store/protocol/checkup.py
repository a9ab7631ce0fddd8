"""What may be asked of a database that nobody has to serve."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from app.domain.ledger import Balance


class Checkup(Protocol):
    """Looks at a database and changes nothing; it may be in use.

    Every method but `exists` and `files` raises `StoreUnavailable` when it cannot be
    read.
    """

    def exists(self) -> bool:
        """Tell whether there is one."""
        ...

    def files(self) -> Sequence[Path]:
        """Return its files, if it is one on this machine."""
        ...

    def damage(self) -> Sequence[str]:
        """Read everything and say what is broken; may take a minute a gigabyte."""
        ...

    def revision(self) -> tuple[str | None, Sequence[str]]:
        """Return the schema that it has, and all that this release knows in order."""
        ...

    def tenants(self) -> Sequence[str]:
        """Return the ids of all tenants."""
        ...

    def balance(self, tenant_id: str) -> Balance:
        """Return the books of a tenant, read at one instant."""
        ...

    def newest(self) -> datetime | None:
        """Return when the newest execution came, if there is one."""
        ...

    def close(self) -> None:
        """Let go of every file."""
