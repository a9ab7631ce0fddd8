"""Secrets written into a definition, which become credentials when it is saved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain import ids, references
from app.domain.credential import SECRETS, Credential
from app.domain.errors import NotFound, Unsealable
from app.domain.references import Spot
from app.domain.workflow import Definition
from app.security.secrets import Secrets
from app.store.protocol import Credentials

MAX_NAME = 200  # characters
SPARE = 20  # of them, for a number


@dataclass(frozen=True, slots=True)
class Moved:
    """A definition without secrets, and the credentials that were made of them."""

    definition: Mapping[str, Any]
    credentials: Sequence[Credential]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The workflow that a definition is saved for."""

    tenant_id: str
    workflow_id: str
    name: str
    at: datetime


class Mover:
    """Puts names of credentials in the place of secrets.

    Args:
        credentials: of all tenants.
        secrets: seals them.
    """

    def __init__(self, credentials: Credentials, secrets: Secrets) -> None:
        self._credentials, self._secrets = credentials, secrets

    def move(self, owner: Owner, definition: Definition) -> Moved:
        """Seal what is written into a definition; what was sealed before is reused."""
        moving = [each for each in references.spots(definition) if each.secret]
        if not moving:
            return Moved(definition, ())
        kept = list(self._credentials.owned(owner.tenant_id, owner.workflow_id))
        new: list[Credential] = []
        taken = set(references.names(definition))
        names: dict[tuple[str | None, str | None], str] = {}  # by type and secret
        for spot in moving:
            if (spot.type, spot.secret) in names:
                continue
            found = self._find(spot, kept)
            if found is None:
                found = self._make(owner, spot, taken)
                new.append(found)
                taken.add(found.name)
            names[spot.type, spot.secret] = found.name
        named = {each.path: names[each.type, each.secret] for each in moving}
        return Moved(references.with_names(definition, named), new)

    def _is_free(self, tenant_id: str, name: str) -> bool:
        try:
            self._credentials.by_name(tenant_id, name)
        except NotFound:
            return True
        return False

    def _find(self, spot: Spot, known: Sequence[Credential]) -> Credential | None:
        """Return the credential that holds this secret already."""
        data = _data(spot)
        for each in known:
            if each.type == spot.type and all(
                self._holds(each, field, value) for field, value in data.items()
            ):
                return each
        return None

    def _holds(self, credential: Credential, field: str, value: str) -> bool:
        try:
            return self._secrets.holds(credential, field, value)
        except Unsealable:  # what nobody can read any more is saved anew
            return False

    def _make(self, owner: Owner, spot: Spot, taken: set[str]) -> Credential:
        assert spot.type is not None
        credential_id = ids.new("cred")
        return Credential(
            tenant_id=owner.tenant_id,
            id=credential_id,
            name=self._free_name(owner, spot.label, taken),
            type=spot.type,
            workflow_id=owner.workflow_id,
            sealed=self._secrets.seal(owner.tenant_id, credential_id, _data(spot)),
            created_at=owner.at,
            updated_at=owner.at,
        )

    def _free_name(self, owner: Owner, label: str, taken: set[str]) -> str:
        stem = owner.name.replace("{{", "{ {")  # a name may stand in a template
        stem = f"{stem[: MAX_NAME - len(label) - SPARE]} {label}"
        number = 1
        while True:
            name = f"{stem} {number}"
            if name not in taken and self._is_free(owner.tenant_id, name):
                return name
            number += 1


def _data(spot: Spot) -> dict[str, str]:
    """Return the fields of the credential that a secret becomes."""
    assert spot.type is not None
    assert spot.secret is not None
    [field] = SECRETS[spot.type]
    return {field: spot.secret}
