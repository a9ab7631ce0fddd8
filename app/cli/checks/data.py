"""Whether the database is whole, and its books balance."""

from collections.abc import Iterator
from pathlib import Path

from app.cli.checks.findings import Finding, ok, problem, warning
from app.domain.errors import StoreUnavailable
from app.engine.ownership import census
from app.store.protocol import Checkup


def check(checkup: Checkup, owners: Path) -> Iterator[Finding]:
    """Look at the database, and at who uses it.

    Args:
        checkup: of the database.
        owners: the folder of the lock files of those who do.
    """
    if not checkup.exists():
        yield warning(
            "database",
            "there is none yet",
            expected="the one of the server",
            advice="Set DATABASE_URL and SLUICE_DATA_DIR as for the server,"
            " or start it once",
        )
        return
    for look in (_integrity, _schema, _books):
        try:
            yield from look(checkup)
        except StoreUnavailable as error:
            yield _unreadable(error)
    yield from _processes(owners)


def _unreadable(error: StoreUnavailable) -> Finding:
    return problem(
        "database",
        f"{error}",
        expected="one that can be read",
        advice="Look at the disk and at the files' modes, or restore a backup",
    )


def _integrity(checkup: Checkup) -> Iterator[Finding]:
    damage = checkup.damage()
    if not damage:
        yield ok("database", "it is whole")
        return
    yield problem(
        "database",
        f"it is damaged: {'; '.join(damage)}",
        expected="no damage",
        advice="Stop the server, keep the files, restore a backup",
    )


def _schema(checkup: Checkup) -> Iterator[Finding]:
    found, known = checkup.revision()
    if found == known[-1]:
        yield ok("schema", f"it is at {found}")
        return
    newer = found is not None and found not in known
    yield warning(
        "schema",
        f"the database is at {found}",
        expected=f"{known[-1]}",
        advice="A newer release has used it; run that one"
        if newer
        else "Start the server: it migrates when it starts",
    )


def _books(checkup: Checkup) -> Iterator[Finding]:
    tenants, wrong, received = checkup.tenants(), 0, 0
    for tenant_id in tenants:
        books = checkup.balance(tenant_id)
        received += books.received
        if books.received != books.accounted:
            wrong += 1
            yield problem(
                "books",
                f"{tenant_id} received {books.received} and accounts for"
                f" {books.accounted}",
                expected="both the same",
                advice="Keep the database and the log, and report it",
            )
    if not wrong:
        yield ok("books", f"{len(tenants)} tenants, {received} received, all balance")


def _processes(owners: Path) -> Iterator[Finding]:
    known = census(owners)
    dead = [each for each, lives in known.items() if not lives]
    alive = len(known) - len(dead)
    told = f"{alive} running" if alive else "none is running"
    if not dead:
        yield ok("processes", told)
        return
    yield warning(
        "processes",
        f"{told}, {len(dead)} ended without a farewell: {', '.join(dead[:3])}",
        expected="none of those",
        advice="A running server takes their work over within seconds;"
        " look at its log if this stays"
        if alive
        else "The next start takes their work over",
    )
