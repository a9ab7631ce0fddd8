"""Sealing everything anew under the first key, while the service runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from app.domain.errors import Unsealable
from app.domain.sealing import Kind, Sealed
from app.security.vault import Vault
from app.store.protocol import Collections

BATCH = 100  # rows that one transaction changes
PASSES = 10  # over all rows, while others change them


@dataclass(frozen=True, slots=True)
class Progress:
    """What was found and done of one kind, in one pass."""

    kind: Kind
    seen: int = 0
    changed: int = 0
    left: int = 0  # somebody else changed them meanwhile
    lost: int = 0  # no key of the ring opens them


class KnowsTheDead(Protocol):
    """The part of the ownership that is needed here."""

    def dead(self) -> Sequence[str]: ...


class Rotation:
    """Goes over all that is sealed until all is sealed under the first key.

    What a service changes meanwhile wins, and is looked at again. It may be stopped and
    begun again at any moment: what is done is skipped.
    """

    def __init__(
        self,
        store: Collections,
        vault: Vault,
        ownership: KnowsTheDead,
        *,
        batch: int = BATCH,
    ) -> None:
        self._sealings, self._processes = store.sealings, store.processes
        self._vault, self._ownership, self._batch = vault, ownership, batch

    def ignorant(self) -> Sequence[str]:
        """Return the living processes that could not open what is sealed anew.

        Raises:
            StoreUnavailable: the store failed.
        """
        found = self._processes.without(self._vault.ring[0])
        dead = set(self._ownership.dead()) if found else set()
        return [each for each in found if each not in dead]

    def run(self, tell: Callable[[Progress], None]) -> Sequence[Progress]:
        """Return the last pass, which has nothing left unless the service never rests.

        Raises:
            StoreUnavailable: the store failed.
        """
        for _ in range(PASSES):
            done = [self._pass(kind, tell) for kind in Kind]
            if not any(each.changed or each.left for each in done):
                break
        return done

    def _pass(self, kind: Kind, tell: Callable[[Progress], None]) -> Progress:
        progress, after = Progress(kind), None
        while page := self._sealings.page(kind, limit=self._batch, after=after):
            progress, after = self._batch_of(page, progress), page[-1]
            tell(progress)
        return progress

    def _batch_of(self, page: Sequence[Sealed], so_far: Progress) -> Progress:
        old = [each for each in page if not self._is_current(each)]
        pairs = [(each, new) for each in old if (new := self._anew(each)) is not None]
        changed = self._sealings.exchange(pairs) if pairs else 0
        return replace(
            so_far,
            seen=so_far.seen + len(page),
            changed=so_far.changed + changed,
            left=so_far.left + len(pairs) - changed,
            lost=so_far.lost + len(old) - len(pairs),
        )

    def _is_current(self, row: Sealed) -> bool:
        return all(map(self._vault.is_current, row.fields.values()))

    def _anew(self, row: Sealed) -> Sealed | None:
        """Seal a row's fields under the first key; None if they do not open."""
        fields = {}
        for name, sealed in row.fields.items():
            place = {
                "tenant_id": row.tenant_id,
                "credential_id": row.place,
                "field": name,
            }
            try:
                fields[name] = self._vault.seal(
                    self._vault.open(sealed, **place), **place
                )
            except Unsealable:
                return None
        return replace(row, fields=fields)
