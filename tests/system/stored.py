"""What a data directory holds, read from the file and not through the service."""

import shutil
import sqlite3
import struct
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

WAL_HEADER, FRAME_HEADER = 32, 24  # bytes


def rows(data: Path, query: str) -> list[Any]:
    """Ask a copy, so that the file stays as its processes left it."""
    with TemporaryDirectory() as folder:
        for each in data.glob("sluice.db*"):
            shutil.copy(each, folder)
        database = sqlite3.connect(Path(folder) / "sluice.db")
        try:
            return database.execute(query).fetchall()
        finally:
            database.close()


def statuses(data: Path) -> Counter[str]:
    """Count the executions by their status."""
    query = "SELECT status, count(*) FROM executions GROUP BY status"
    return Counter(dict(rows(data, query)))


def frames(data: Path) -> int:
    """Count the pages in the write-ahead log since it was last begun anew."""
    log = (data / "sluice.db-wal").read_bytes()
    [page] = struct.unpack(">I", log[8:12])
    salts, size = log[16:24], FRAME_HEADER + page
    count, at = 0, WAL_HEADER
    while log[at + 8 : at + 16] == salts:
        count, at = count + 1, at + size
    return count
