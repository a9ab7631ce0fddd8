"""What code of an older release does with a database, of which it knows less."""

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, Text, delete, insert, select, update
from sqlalchemy import LargeBinary as Bytes
from sqlalchemy.types import TypeEngine

from app.store.sql import migrate


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrate.HERE))
    return config


def revisions() -> list[str]:
    """Every revision but the newest, from the first on."""
    scripts = ScriptDirectory.from_config(_config())
    newest_first = [each.revision for each in scripts.walk_revisions()]
    return newest_first[:0:-1]


def upgrade(connection: Connection, revision: str) -> None:
    """Bring a new database to an old revision."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def known(connection: Connection) -> list[Table]:
    """The tables as the older code knows them, parents first."""
    metadata = MetaData()
    metadata.reflect(connection)
    return [each for each in metadata.sorted_tables if each.name != "alembic_version"]


def use(connection: Connection, tables: list[Table]) -> None:
    """Insert a row into every table, read it, change it, and delete it again."""
    for table in tables:
        row = {each.name: _value(each.type) for each in table.columns}
        connection.execute(insert(table).values(row))
        found = connection.execute(select(table)).mappings().one()
        assert {name: _plain(found[name]) for name in row} == row
    for table in reversed(tables):
        same = {each.name: each for each in table.columns}
        assert connection.execute(update(table).values(same)).rowcount == 1
        assert connection.execute(delete(table)).rowcount == 1


def _value(kind: TypeEngine[object]) -> object:
    """The same for every column of a kind, so that all references hold."""
    if isinstance(kind, Text):
        return "exec_1"
    return b"1" if isinstance(kind, Bytes) else 1


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value
