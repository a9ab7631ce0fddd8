"""Whose rows a transaction may see: a second wall behind each query's own tenant.

In SQLite there is none.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, func, select

ALL = "*"  # for the engine, which serves everybody, and to find whose a secret is
NOBODY = ""
LIMIT = select(func.set_config("app.tenant", bindparam("of"), True))  # noqa: FBT003


def among(tenants: Iterable[str]) -> str:
    """Name several at once."""
    named = set(tenants)
    return ALL if ALL in named else ",".join(sorted(named))


def limit(connection: Connection, of: str) -> None:
    """Let what follows in this transaction see only these tenants' rows."""
    if connection.dialect.name == "postgresql":
        connection.execute(LIMIT, {"of": of})
