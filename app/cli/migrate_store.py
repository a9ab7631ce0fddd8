"""A stopped installation moved from SQLite to PostgreSQL, or back."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.cli.command import Command, Environment, Stopped
from app.domain import ids, times
from app.domain.errors import Conflict, StoreUnavailable
from app.domain.process import Kind, Process
from app.engine.leases import LeaseOwnership
from app.engine.ownership import FileOwnership, Ownership
from app.engine.recovery import Recovery
from app.settings import Settings
from app.store.sql import SqlStore, databases
from app.store.sql.moving import Count, move
from app.telemetry.metrics import Metrics

LEASE = 30.0  # seconds; not taken, for this process owns nothing


def _migrate(asked: Namespace, env: Environment) -> int:
    try:
        settings = Settings.from_env(
            {name: env[name] for name in ("SLUICE_DATA_DIR",) if name in env}
        )
        source = asked.source or env.get("DATABASE_URL") or settings.database
        _require_different(source, asked.target)
        _require_there(source)
        for url in (source, asked.target):
            _settle(url, settings.data_dir / "owners")
        move(databases.at(source), databases.at(asked.target), _tell)
        for url in (source, asked.target):
            _settle(url, settings.data_dir / "owners")
    except (ValueError, Conflict, StoreUnavailable) as error:
        raise Stopped(str(error)) from error
    sys.stderr.write("Moved. Set DATABASE_URL to the new database, then start.\n")
    return 0


def _require_different(source: str, target: str) -> None:
    if source == target:
        raise Stopped("--from and --to name the same database")


def _require_there(url: str) -> None:
    """Refuse a file that is not there: opening it would make an empty one."""
    if not databases.at(url).exists():
        raise Stopped("there is no database at the place that --from names")


def _settle(url: str, owners: Path) -> None:
    """Bring the tables up to date, and make owed work of what dead processes left.

    Raises:
        Stopped: a process lives there.
    """
    with _open(url) as store:
        me = Process(
            id=ids.new("proc"),
            kind=Kind.WEB,
            workers=0,
            queue=0,
            started_at=times.now(),
        )
        ownership = _ownership(url, owners, me, store)
        Recovery(store, ownership, Metrics()).sweep()
        if living := store.processes.others(me.id):
            raise Stopped(
                f"{len(living)} processes still own executions there; stop them, and"
                " wait half a minute if one was killed"
            )
        store.executions.disown()


def _ownership(url: str, owners: Path, me: Process, store: SqlStore) -> Ownership:
    if url.startswith("sqlite:"):
        return FileOwnership(owners, me, store.processes)
    return LeaseOwnership(me, store.processes, lease=LEASE)


@contextmanager
def _open(url: str) -> Iterator[SqlStore]:
    store = SqlStore(url)
    try:
        store.start()
        yield store
    finally:
        store.close()


def _tell(count: Count) -> None:
    sys.stdout.write(f"{count.table:<16} {count.rows:>10}  {count.sha256}\n")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--from",
        dest="source",
        metavar="URL",
        help="the database to move; without it, that of DATABASE_URL",
    )
    parser.add_argument(
        "--to", dest="target", metavar="URL", required=True, help="an empty database"
    )


COMMAND = Command(
    name="migrate-store",
    help="move a stopped installation into another database, all of it or nothing",
    run=_migrate,
    arguments=_arguments,
)
