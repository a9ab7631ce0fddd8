"""Ids from one to another: an id tells when it was made."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from sqlalchemy import ColumnElement, FromClause

from app.domain import ids
from app.domain.times import to_ms
from app.store.protocol import ExecutionFilter
from app.store.sql.tables import executions

LAST = "\U0010ffff"  # sorts after every other character
APART = 60_000  # ms at most between `created_at` and the time that the id tells


@dataclass(frozen=True, slots=True)
class Stretch:
    """Ids from one to another: of several bounds a planner takes any one.

    The end is also there on the first page: without it the planner misjudges the
    indexes.
    """

    end: str  # before
    first: str = ""  # or later

    @classmethod
    def of(cls, wanted: ExecutionFilter, before: str | None) -> Self:
        """Find the ids that a page may have: a time also tells which."""
        end, first = LAST if before is None else before, ""
        if wanted.until is not None:
            end = min(end, ids.least("exec", to_ms(wanted.until) + APART))
        if wanted.since is not None:
            first = ids.least("exec", to_ms(wanted.since) - APART)
        return cls(end, first)

    def of_prefix(self, text: str) -> Self:
        """Limit it to ids that begin so."""
        return replace(
            self, first=max(self.first, text), end=min(self.end, text + LAST)
        )

    def from_any(self) -> Self:
        """Leave out where it begins."""
        return replace(self, first="")

    def conditions(self, of: FromClause = executions) -> Iterator[ColumnElement[bool]]:
        """Write it for a query of these executions."""
        if self.first:
            yield of.c.id >= self.first
        yield of.c.id < self.end
