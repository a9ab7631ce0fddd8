"""Alembic, which runs the migrations.

Imported only when there is something to run: it takes as long as the rest of the store.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

log = logging.getLogger(__name__)


def upgrade(connection: Connection, folder: Path, *, found: str | None) -> bool:
    """Run the migrations of a folder that follow the one that was found."""
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    if found is not None and not _is_known(scripts, found):
        log.warning("Database is newer than this release", extra={"revision": found})
        return False
    command.upgrade(config, "head")
    log.info("Database migrated", extra={"revision": scripts.get_current_head()})
    return True


def known(folder: Path) -> Sequence[str]:
    """Return every revision of a folder, the first one first."""
    scripts = ScriptDirectory(str(folder))
    return [each.revision for each in scripts.walk_revisions()][::-1]


def _is_known(scripts: ScriptDirectory, revision: str) -> bool:
    try:
        return scripts.get_revision(revision) is not None
    except CommandError:
        return False
