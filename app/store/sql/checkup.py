"""A look at a database from outside of any server."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select, text

from app.domain.ledger import Balance
from app.domain.times import from_ms
from app.store.sql import databases, ledger, migrate
from app.store.sql.account_tables import tenants
from app.store.sql.database import Reader
from app.store.sql.tables import executions
from app.store.sql.tenancy import ALL

EVER = ledger.Hours(None, None)


class SqlCheckup:
    """`Checkup` of a database, which is neither made nor migrated.

    Raises:
        ValueError: the URL names no database.
    """

    def __init__(self, url: str) -> None:
        self._database = databases.at(url)
        self._reader = Reader(self._database.readers())
        self._reader.open()

    def exists(self) -> bool:
        return self._database.exists()

    def files(self) -> Sequence[Path]:
        return self._database.files()

    def damage(self) -> Sequence[str]:
        rows = self._reader.all(self._database.integrity(), of=ALL)
        return [each.fault for each in rows]

    def revision(self) -> tuple[str | None, Sequence[str]]:
        rows = self._reader.all(text("SELECT version_num FROM alembic_version"), of=ALL)
        return (rows[0].version_num if rows else None), migrate.known()

    def tenants(self) -> Sequence[str]:
        query = select(tenants.c.id).order_by(tenants.c.id)
        return [each.id for each in self._reader.all(query, of=ALL)]

    def balance(self, tenant_id: str) -> Balance:
        return ledger.read_balance(self._reader, tenant_id, None, EVER)

    def newest(self) -> datetime | None:
        newest = func.max(executions.c.created_at).label("newest")
        [found] = self._reader.all(select(newest), of=ALL)
        return None if found.newest is None else from_ms(found.newest)

    def close(self) -> None:
        self._reader.close()
