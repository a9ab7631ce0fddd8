"""What a data directory holds, read from the file and not through the service."""

import shutil
import sqlite3
import struct
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

WAL_HEADER, FRAME_HEADER = 32, 24  # bytes
BY_STATUS = "SELECT status, count(*) FROM executions GROUP BY status"


def rows(data: Path, query: str) -> list[Any]:
    """Ask the database of a server that runs."""
    return _ask(data / "sluice.db", query)


def left(data: Path, query: str) -> list[Any]:
    """Ask what processes left that are gone; a copy, for asking tidies up."""
    with TemporaryDirectory() as folder:
        for each in data.glob("sluice.db*"):
            shutil.copy(each, folder)
        return _ask(Path(folder) / "sluice.db", query)


def statuses_left(data: Path) -> Counter[str]:
    """Count the executions that gone processes left, by status."""
    return Counter(dict(left(data, BY_STATUS)))


def _ask(path: Path, query: str) -> list[Any]:
    database = sqlite3.connect(path, timeout=5)
    try:
        return database.execute(query).fetchall()
    finally:
        database.close()


def frames(data: Path) -> int:
    """Count the pages in the write-ahead log since it was last begun anew."""
    log = (data / "sluice.db-wal").read_bytes()
    if not log:
        return 0
    [page] = struct.unpack(">I", log[8:12])
    salts, size = log[16:24], FRAME_HEADER + page
    count, at = 0, WAL_HEADER
    while log[at + 8 : at + 16] == salts:
        count, at = count + 1, at + size
    return count


def begin_log_anew(data: Path) -> None:
    """Move the write-ahead log into the database, so that `frames` begins at none."""
    [(busy, _, _)] = rows(data, "PRAGMA wal_checkpoint(TRUNCATE)")
    assert not busy, "somebody was reading the database"
