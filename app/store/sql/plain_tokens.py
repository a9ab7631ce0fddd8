"""Webhook tokens that the first release kept in plain, and where they go."""

import logging

from sqlalchemy import Connection, select, update

from app.security import tokens
from app.security.vault import Vault
from app.store.sql.database import WriteConnection
from app.store.sql.tables import workflows

log = logging.getLogger(__name__)
PLAIN = workflows.c.token != ""


def seal(database: WriteConnection, vault: Vault) -> None:
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
