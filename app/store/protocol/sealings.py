"""The contract of what is sealed."""

from collections.abc import Sequence
from typing import Protocol

from app.domain.sealing import Kind, Sealed


class Sealings(Protocol):
    """Whatever is sealed, of all tenants; for a change of keys, and nothing else."""

    def page(
        self, kind: Kind, *, limit: int, after: Sealed | None = None
    ) -> Sequence[Sealed]:
        """Return rows of a kind in an order that does not change."""
        ...

    def exchange(self, pairs: Sequence[tuple[Sealed, Sealed]]) -> int:
        """Put each second in the place of its first, and count them.

        What has changed in the meantime stays as it is by now.
        """
        ...
