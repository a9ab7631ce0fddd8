"""Statements of the hot path: compiled once, then given to the driver as they are."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Delete, Insert, Update
from sqlalchemy.engine import Dialect

from app.store.sql.rows import Values

Bind = Callable[[Mapping[str, Any]], Any]  # from a row to the driver's parameters


class Prepared:
    """One statement for any number of rows, which name its parameters.

    SQLAlchemy looks a statement up in its cache and converts each row's values each
    time, which costs more than the database does. Rows of ours hold nothing that needs
    conversion: text, integers, bytes and None.

    Args:
        statement: without RETURNING.
        columns: of an INSERT that names none itself.
    """

    def __init__(
        self, statement: Insert | Update | Delete, columns: Sequence[str] | None = None
    ) -> None:
        self.statement = statement
        self._columns = columns
        self._known: dict[str, tuple[str, Bind]] = {}  # by dialect

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Execute it for each row, and count the rows that it changed."""
        text, bind = self._compiled(connection.dialect)
        parameters = [bind(each) for each in rows]
        return connection.exec_driver_sql(text, parameters).rowcount

    def _compiled(self, dialect: Dialect) -> tuple[str, Bind]:
        known = self._known.get(dialect.name)
        if known is None:
            known = self._known[dialect.name] = self._compile(dialect)
        return known

    def _compile(self, dialect: Dialect) -> tuple[str, Bind]:
        compiled: Any = self.statement.compile(
            dialect=dialect, column_keys=self._columns
        )
        constants = {
            name: value
            for name, value in compiled.params.items()
            if not compiled.binds[name].required
        }
        if compiled.positional:
            return str(compiled), partial(_in_order, compiled.positiontup, constants)
        return str(compiled), lambda row: {**constants, **row}


def _in_order(names: Sequence[str], constants: Values, row: Mapping[str, Any]) -> Any:
    return tuple(map({**constants, **row}.__getitem__, names))
