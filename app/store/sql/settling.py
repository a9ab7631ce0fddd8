"""What PostgreSQL's tables have over those of SQLite, whichever migration made them."""

from sqlalchemy import Connection, text

from app.store.sql import partitions, walls

UNORDERED = text("""
    SELECT c.relname, a.attname
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = current_schema()::regnamespace
        AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND a.attnum > 0 AND a.atttypid = 'text'::regtype
        AND a.attcollation <> '"C"'::regcollation
""")


def settle(connection: Connection) -> None:
    """Add what is missing, in the transaction of the migrations; again does nothing.

    Text sorts by its bytes, as ids and cursors need it; every tenant has a wall; time
    has partitions.
    """
    for table, column in connection.execute(UNORDERED).all():
        connection.exec_driver_sql(
            f'ALTER TABLE {table} ALTER COLUMN {column} TYPE text COLLATE "C"'
        )
    walls.build(connection)
    partitions.build(connection)
