"""The contract for credentials."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from app.domain.credential import Credential


class Credentials(Protocol):
    """Credentials of every tenant; the store never sees what is sealed in them.

    While the current version of a workflow names one, it keeps its name and stays. One
    that came later than the version may go until the workflow is activated.
    """

    def add(self, credential: Credential) -> None:
        """Remember a new credential.

        Raises:
            Conflict: the tenant has a credential of this name.
        """

    def get(self, tenant_id: str, credential_id: str) -> Credential:
        """Return one credential.

        Raises:
            NotFound: the tenant has none with this id.
        """
        ...

    def by_name(self, tenant_id: str, name: str) -> Credential:
        """Return one credential.

        Raises:
            NotFound: the tenant has none of this name.
        """
        ...

    def list(
        self, tenant_id: str, *, limit: int, before: str | None
    ) -> Sequence[Credential]:
        """Return credentials, newest first, with ids below `before`."""
        ...

    def owned(self, tenant_id: str, workflow_id: str) -> Sequence[Credential]:
        """Return the credentials that were written into a workflow, newest first."""
        ...

    def replace(
        self,
        tenant_id: str,
        credential_id: str,
        *,
        name: str,
        sealed: Mapping[str, bytes],
        at: datetime,
    ) -> Credential:
        """Give a credential other fields, and maybe another name.

        What was granted for the fields before is forgotten.

        Raises:
            NotFound: the tenant has none with this id.
            Conflict: the new name is taken, or a workflow needs the old one.
        """
        ...

    def delete(self, tenant_id: str, credential_id: str) -> Credential:
        """Forget a credential, and return it for the last time.

        Raises:
            NotFound: the tenant has none with this id.
            Conflict: a workflow needs it.
        """
        ...
