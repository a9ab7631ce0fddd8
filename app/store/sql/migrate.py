"""Bringing a database's schema up to date."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, inspect, text

HERE = Path(__file__).parent / "migrations"


def upgrade(connection: Connection) -> bool:
    """Run what has not been run yet, in the caller's transaction; tell if any was.

    A database that a newer release has migrated is left as it is: migrations only
    add, so that older code goes on working.
    """
    found = _found(connection)
    if found == newest():
        return False
    from app.store.sql import scripts  # noqa: PLC0415 - a third of a start

    return scripts.upgrade(connection, HERE, found=found)


def known() -> Sequence[str]:
    """Return every revision of this release, the first one first."""
    from app.store.sql import scripts  # noqa: PLC0415 - a third of a start

    return scripts.known(HERE)


def newest() -> str:
    """Return the last revision of this release, which its file is named after."""
    names = [each.name for each in (HERE / "versions").glob("r*_*.py")]
    return max(names).removeprefix("r").partition("_")[0]


def _found(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(
        text("SELECT version_num FROM alembic_version")
    )
    return found
