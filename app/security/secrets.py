"""Credentials in the clear: made here, and opened only when they are needed."""

import hmac
from collections.abc import Mapping
from typing import Protocol

from app.domain.credential import Credential, Opened
from app.domain.errors import NotFound
from app.security.vault import Vault


class FindsCredentials(Protocol):
    """The part of the store's credentials that is needed here."""

    def by_name(self, tenant_id: str, name: str) -> Credential: ...


class Secrets:
    """Seals the fields of credentials and opens them again."""

    def __init__(self, credentials: FindsCredentials, vault: Vault) -> None:
        self._credentials, self._vault = credentials, vault

    def reveal(self, tenant_id: str, name: str, *, field: str = "value") -> bytes:
        """Return one field of the credential of this name.

        Raises:
            NotFound: the tenant has no such credential, or it has no such field.
            Unsealable: it does not open.
            StoreUnavailable: the store cannot be read.
        """
        return self.open(self._credentials.by_name(tenant_id, name), field)

    def opened(self, tenant_id: str, name: str) -> Opened:
        """Return the credential of this name with all its fields.

        Raises:
            NotFound: the tenant has no such credential.
            Unsealable: it does not open.
            StoreUnavailable: the store cannot be read.
        """
        return self.whole(self._credentials.by_name(tenant_id, name))

    def whole(self, credential: Credential) -> Opened:
        """Return a credential with all its fields.

        Raises:
            Unsealable: it does not open.
        """
        names = credential.sealed
        return Opened(
            tenant_id=credential.tenant_id,
            id=credential.id,
            name=credential.name,
            type=credential.type,
            data={each: self.open(credential, each).decode() for each in names},
        )

    def open(self, credential: Credential, field: str) -> bytes:
        """Return one field of a credential.

        Raises:
            NotFound: it has no such field.
            Unsealable: it does not open.
        """
        if field not in credential.sealed:
            raise NotFound(
                f"The credential `{credential.name}` is of type {credential.type}"
                f" and has no {field}."
            )
        return self._vault.open(
            credential.sealed[field],
            tenant_id=credential.tenant_id,
            credential_id=credential.id,
            field=field,
        )

    def seal(
        self, tenant_id: str, credential_id: str, data: Mapping[str, str]
    ) -> dict[str, bytes]:
        """Seal each field of a credential."""
        return {
            field: self._vault.seal(
                value.encode(),
                tenant_id=tenant_id,
                credential_id=credential_id,
                field=field,
            )
            for field, value in data.items()
        }

    def holds(self, credential: Credential, field: str, value: str) -> bool:
        """Tell whether this value is sealed in a credential.

        Raises:
            Unsealable: it does not open.
        """
        return hmac.compare_digest(self.open(credential, field), value.encode())
