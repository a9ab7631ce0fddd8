"""The second wall between tenants: rows that a transaction has not asked for stay away.

Behind each query's own tenant stands the database's: a policy on every table with a
tenant, forced on the tables' owner as well, which shows the rows of the tenants that
the transaction has named (`tenancy`), and those of all for ``*``. Who names nobody
sees nothing.
"""

from sqlalchemy import Connection, text

NAMED = "string_to_array(nullif(current_setting('app.tenant', true), ''), ',')"
ANYBODY = "current_setting('app.tenant', true) = '*'"
OPEN = text("""
    SELECT c.relname, a.attname
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = current_schema()::regnamespace
        AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND NOT c.relrowsecurity
        AND (a.attname = 'tenant_id' AND c.relname <> 'founding'
            OR a.attname = 'id' AND c.relname = 'tenants')
""")
UNBOUND = text(
    "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
)


def build(connection: Connection) -> None:
    """Wall in every table with a tenant that is not yet."""
    for table, tenant in connection.execute(OPEN).all():
        for statement in (
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY of_named ON {table} USING ({tenant} = ANY ({NAMED}))",
            f"CREATE POLICY of_anybody ON {table} USING ({ANYBODY})",
        ):
            connection.exec_driver_sql(statement)


def is_passed_by(connection: Connection) -> bool:
    """Tell whether the server lets this role through every wall."""
    return bool(connection.execute(UNBOUND).scalar())
