"""Insert, unless it is there; the one statement that databases spell differently."""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import Insert, insert


def insert_or_skip(table: Table) -> Insert:
    """Insert a row, or nothing if its key is there: see the row count."""
    return insert(table).on_conflict_do_nothing()


def insert_or_replace(
    table: Table,
    statement: Insert | None = None,
    *,
    where: Callable[[Any], Any] | None = None,
) -> Insert:
    """Insert a row; of one that is there, replace everything but the key.

    With `where`, a row that is there stays unless the condition holds; the function
    is given the columns of the new row.
    """
    statement = insert(table) if statement is None else statement
    new = {each.name: statement.excluded[each.name] for each in _values(table)}
    return statement.on_conflict_do_update(
        index_elements=table.primary_key,
        set_=new,
        where=None if where is None else where(statement.excluded),
    )


def insert_or_touch(table: Table, column: str) -> Insert:
    """Insert a row, or lock the one that is there; either is returned as it is."""
    return insert(table).on_conflict_do_update(
        index_elements=table.primary_key, set_={column: table.c[column]}
    )


def insert_or_add(table: Table, counter: str) -> Insert:
    """Insert a row; to one that is there, add the counter."""
    statement = insert(table)
    total = table.c[counter] + statement.excluded[counter]
    return statement.on_conflict_do_update(
        index_elements=table.primary_key, set_={counter: total}
    )


def _values(table: Table) -> Iterable[Any]:
    return (each for each in table.columns if not each.primary_key)
