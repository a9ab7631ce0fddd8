"""What the columns of every table are made of."""

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Text
from sqlalchemy import text as literal

STRICT: dict[str, Any] = {"sqlite_strict": True}
CLUSTERED: dict[str, Any] = {"sqlite_strict": True, "sqlite_with_rowid": False}

metadata = MetaData()


def text(name: str, *, key: bool = False, null: bool = False) -> Column[str]:
    """Make a column of text."""
    return Column(name, Text, primary_key=key, nullable=null)


def number(name: str, *, key: bool = False, null: bool = False) -> Column[int]:
    """Make a column of whole numbers, times and truth values among them."""
    kind = BigInteger().with_variant(Integer, "sqlite")
    return Column(name, kind, primary_key=key, nullable=null, autoincrement=False)


def binary(name: str, *, key: bool = False, null: bool = False) -> Column[bytes]:
    """Make a column of bytes."""
    return Column(name, LargeBinary, primary_key=key, nullable=null)


def where(condition: str) -> dict[str, Any]:
    """Limit an index to some rows."""
    return {"sqlite_where": literal(condition), "postgresql_where": literal(condition)}
