"""Which kind of database a URL means."""

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.store.sql.database import Database
from app.store.sql.sqlite import Sqlite

WANTED = (
    "the database URL must name an SQLite file, like sqlite:///data/sluice.db, or a"
    " PostgreSQL database, like postgresql://user@host:5432/sluice"
)


def at(url: str, *, lock_path: Path | None = None) -> Database:
    """Return the database at a URL; nothing is opened.

    Raises:
        ValueError: the URL names none; its text is not repeated, for it may hold a
            password.
    """
    parsed = _parsed(url)
    if parsed.drivername == "sqlite":
        return Sqlite(_path(parsed), lock_path)
    if parsed.drivername == "postgresql" and parsed.database:
        # only now: nobody else pays for the driver
        from app.store.sql.postgresql import Postgresql  # noqa: PLC0415

        return Postgresql(parsed)
    raise ValueError(f"{WANTED}; found one for {parsed.drivername}")


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError(WANTED) from None


def _path(url: URL) -> Path:
    if url.database in (None, "", ":memory:") or url.query:
        raise ValueError(f"{WANTED}; found an SQLite database without a file")
    return Path(str(url.database))
