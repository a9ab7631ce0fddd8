"""Secrets written into a definition, which become credentials when it is saved."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain import ids, references
from app.domain.credential import SECRETS, Credential
from app.domain.errors import Fault, NotFound, Unsealable
from app.domain.references import Path, Spot
from app.domain.workflow import Definition
from app.security.secrets import Secrets
from app.store.protocol import Credentials

MAX_NAME = 200  # characters
SPARE = 20  # of them, for a number
Takes = Callable[[str], Sequence[str]]


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
        takes: which types of credential a kind of step takes.
    """

    def __init__(
        self, credentials: Credentials, secrets: Secrets, takes: Takes
    ) -> None:
        self._credentials, self._secrets, self._takes = credentials, secrets, takes

    def faults(self, tenant_id: str, definition: Definition) -> Iterator[Fault]:
        """Find the names of credentials that do not exist, or are of another type."""
        known: dict[str, str | None] = {}
        for spot in references.spots(definition):
            if spot.name is None:
                continue
            if spot.name not in known:
                known[spot.name] = self._type(tenant_id, spot.name)
            message = self._misfit(spot, known[spot.name])
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

    def _misfit(self, spot: Spot, found: str | None) -> str | None:
        if "{{" in (spot.name or ""):
            return "must be a name and no expression, so that no event chooses a secret"
        if found is None:
            return "names no credential; make it at /api/v1/credentials first"
        fitting = self._takes(spot.uses) if spot.type is None else (spot.type,)
        if not fitting or found in fitting:
            return None
        return (
            f"names a credential of type {found};"
            f" type {' or '.join(fitting)} is needed here"
        )

    def _type(self, tenant_id: str, name: str) -> str | None:
        try:
            return self._credentials.by_name(tenant_id, name).type
        except NotFound:
            return None

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
            if name not in taken and self._type(owner.tenant_id, name) is None:
                return name
            number += 1


def _data(spot: Spot) -> dict[str, str]:
    """Return the fields of the credential that a secret becomes."""
    assert spot.type is not None
    assert spot.secret is not None
    [field] = SECRETS[spot.type]
    named = {"name": spot.header} if spot.header else {}
    return {**named, field: spot.secret.strip() if spot.header else spot.secret}


def _pointer(path: Path) -> str:
    escaped = (str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return "".join(f"/{part}" for part in escaped)
