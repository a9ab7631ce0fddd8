"""Credentials that definitions name: which of them are missing, which do not fit."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from app.domain import references
from app.domain.errors import Fault, NotFound
from app.domain.references import Path, Spot
from app.domain.template import child
from app.domain.workflow import Definition
from app.store.protocol import Credentials

MAKE_IT = "names no credential; make it at /api/v1/credentials first"
NO_EXPRESSION = "must be a name and no expression, so that no event chooses a secret"
Takes = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Missing:
    """A credential that somebody has yet to make."""

    name: str
    types: tuple[str, ...]  # any of which fits
    used_at: tuple[str, ...]  # JSON pointers into the definition

    def faults(self) -> Iterator[Fault]:
        """Say so at each place."""
        kind = f" of type {' or '.join(self.types)}" if self.types else ""
        message = f"{MAKE_IT}, `{self.name}`{kind}"
        yield from (Fault(each, message) for each in self.used_at)


@dataclass(frozen=True, slots=True)
class Found:
    """What is wrong with the credentials that a definition names."""

    misfits: Sequence[Fault] = ()
    missing: Sequence[Missing] = ()

    def faults(self) -> Iterator[Fault]:
        """Say all of it."""
        yield from self.misfits
        for each in self.missing:
            yield from each.faults()


class Needs:
    """Looks for credentials.

    Args:
        credentials: of all tenants.
        takes: which types of credential a kind of step takes.
    """

    def __init__(self, credentials: Credentials, takes: Takes) -> None:
        self._credentials, self._takes = credentials, takes

    def of(self, tenant_id: str, definition: Definition) -> Found:
        """Look for each credential that a definition names."""
        misfits: list[Fault] = []
        missing: dict[str, Missing] = {}
        types: dict[str, str | None] = {}
        for spot in references.spots(definition):
            if spot.name is None:
                continue
            if "{{" in spot.name:
                misfits.append(Fault(pointer(spot.path), NO_EXPRESSION))
                continue
            if spot.name not in types:
                types[spot.name] = self._type(tenant_id, spot.name)
            found, fitting = types[spot.name], self._fitting(spot)
            if found is None:
                misfits += _note(missing, spot, fitting)
            elif fitting and found not in fitting:
                misfits.append(Fault(pointer(spot.path), _misfit([found], fitting)))
        return Found(misfits, tuple(missing.values()))

    def _fitting(self, spot: Spot) -> tuple[str, ...]:
        return tuple(self._takes(spot.uses)) if spot.type is None else (spot.type,)

    def _type(self, tenant_id: str, name: str) -> str | None:
        try:
            return self._credentials.by_name(tenant_id, name).type
        except NotFound:
            return None


def pointer(path: Path) -> str:
    """Write a path as a JSON pointer."""
    written = ""
    for part in path:
        written = child(written, part)
    return written


def _note(
    missing: dict[str, Missing], spot: Spot, fitting: tuple[str, ...]
) -> Iterator[Fault]:
    """Note that a credential is missing, and find what no single one could be."""
    at = pointer(spot.path)
    assert spot.name is not None
    noted = missing.setdefault(spot.name, Missing(spot.name, fitting, ()))
    both = tuple(each for each in noted.types if each in fitting)
    if not both and noted.types and fitting:
        yield Fault(at, _misfit(noted.types, fitting))
        return
    missing[spot.name] = replace(
        noted, types=both or noted.types or fitting, used_at=(*noted.used_at, at)
    )


def _misfit(found: Sequence[str], fitting: Sequence[str]) -> str:
    return (
        f"names a credential of type {' or '.join(found)};"
        f" type {' or '.join(fitting)} is needed here"
    )
