"""Webhook tokens that the first release kept in plain, and where they go."""

import logging
from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection, select, update

from app.security import tokens
from app.security.vault import Vault
from app.store.sql.tables import workflows

log = logging.getLogger(__name__)
T = TypeVar("T")
PLAIN = workflows.c.token != ""


class Eraser(Protocol):
    """What can change a file, and leave no trace of what was there."""

    def transact(self, work: Callable[[Connection], T]) -> T: ...
    def erase(self, work: Callable[[Connection], T]) -> T: ...


def seal(database: Eraser, vault: Vault) -> None:
    """Seal what stands there in plain, and leave no trace of it in the file.

    Raises:
        StoreUnavailable: the database failed.
    """
    if not database.transact(_any):
        return
    count = database.erase(lambda connection: _seal(connection, vault))
    log.info("Webhook tokens sealed", extra={"count": count})


def _any(connection: Connection) -> bool:
    return connection.execute(select(workflows.c.id).where(PLAIN)).first() is not None


def _seal(connection: Connection, vault: Vault) -> int:
    columns = (workflows.c.tenant_id, workflows.c.id, workflows.c.token)
    found = connection.execute(select(*columns).where(PLAIN)).all()
    for tenant_id, workflow_id, plain in found:
        token = tokens.sealed(vault, plain, tenant_id, workflow_id)
        connection.execute(
            update(workflows)
            .where(workflows.c.tenant_id == tenant_id, workflows.c.id == workflow_id)
            .values(token="", token_sealed=token.sealed)
        )
    return len(found)
