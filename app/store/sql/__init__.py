"""The store in SQL: the one place, beside the factory, that knows SQLAlchemy."""

from app.store.sql.checkup import SqlCheckup
from app.store.sql.store import SqlStore

__all__ = ["SqlCheckup", "SqlStore"]
