"""Secrets written into a definition, which become credentials when it is saved."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain import ids, references
from app.domain.credential import FIELDS, Credential
from app.domain.errors import Fault, NotFound, Unsealable
from app.domain.references import Path, Spot
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
    """Puts names of credentials in the place of secrets."""

    def __init__(self, credentials: Credentials, secrets: Secrets) -> None:
        self._credentials, self._secrets = credentials, secrets

    def faults(self, tenant_id: str, definition: Definition) -> Iterator[Fault]:
        """Find the names of credentials that do not exist, or are of another type."""
        known: dict[str, str | None] = {}
        for spot in references.spots(definition):
            if spot.name is None:
                continue
            if spot.name not in known:
                known[spot.name] = self._type(tenant_id, spot.name)
            message = _misfit(spot, known[spot.name])
            if message is not None:
                yield Fault(_pointer(spot.path), message)

    def move(self, owner: Owner, definition: Definition) -> Moved:
        """Seal what is written into a definition; what was sealed before is reused."""
        moving = [each for each in references.spots(definition) if each.secret]
        if not moving:
            return Moved(definition, ())
        kept = list(self._credentials.owned(owner.tenant_id, owner.workflow_id))
        new: list[Credential] = []
        named: dict[Path, str] = {}
        for spot in moving:
            found = self._find(spot, [*kept, *new])
            if found is None:
                taken = {each.name for each in new}
                found = self._make(owner, spot, taken)
                new.append(found)
            named[spot.path] = found.name
        return Moved(references.with_names(definition, named), new)

    def _type(self, tenant_id: str, name: str) -> str | None:
        try:
            return self._credentials.by_name(tenant_id, name).type
        except NotFound:
            return None

    def _find(self, spot: Spot, known: Sequence[Credential]) -> Credential | None:
        """Return the credential that holds this secret already."""
        assert spot.type is not None
        assert spot.secret is not None
        [field] = FIELDS[spot.type]
        for each in known:
            if each.type == spot.type and self._holds(each, field, spot.secret):
                return each
        return None

    def _holds(self, credential: Credential, field: str, value: str) -> bool:
        try:
            return self._secrets.holds(credential, field, value)
        except Unsealable:  # what nobody can read any more is saved anew
            return False

    def _make(self, owner: Owner, spot: Spot, taken: set[str]) -> Credential:
        assert spot.type is not None
        assert spot.secret is not None
        [field] = FIELDS[spot.type]
        credential_id = ids.new("cred")
        return Credential(
            tenant_id=owner.tenant_id,
            id=credential_id,
            name=self._free_name(owner, spot.label, taken),
            type=spot.type,
            workflow_id=owner.workflow_id,
            sealed=self._secrets.seal(
                owner.tenant_id, credential_id, {field: spot.secret}
            ),
            created_at=owner.at,
            updated_at=owner.at,
        )

    def _free_name(self, owner: Owner, label: str, taken: set[str]) -> str:
        stem = owner.name.replace("{{", "{ {")  # a name may stand in a template
        stem = f"{stem[: MAX_NAME - len(label) - SPARE]} {label}"
        number = 1
        while True:
            name = f"{stem} {number}"
            if name not in taken and self._type(owner.tenant_id, name) is None:
                return name
            number += 1


def _misfit(spot: Spot, found: str | None) -> str | None:
    if found is None:
        return "names no credential; make it at /api/v1/credentials first"
    if spot.type not in (None, found):
        return f"names a credential of type {found}; type {spot.type} is needed here"
    return None


def _pointer(path: Path) -> str:
    escaped = (str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return "".join(f"/{part}" for part in escaped)
