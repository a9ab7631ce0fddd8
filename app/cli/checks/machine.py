"""What a server needs of its machine: disk, files, a clock that goes forward."""

import os
import resource
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.cli.checks.findings import Finding, ok, problem, warning

GIB = 1 << 30
LITTLE, LEAST = 1 * GIB, GIB // 10  # bytes free
FEW = 0.05  # of the disk, or of its files
OPEN_FILES = 1024  # 800 connections, the engine's and the database's
BUILT = datetime(2026, 1, 1, tzinfo=UTC)  # no clock may be before
FORWARD = timedelta(minutes=1)  # that what is stored may be ahead of the clock


def check(data_dir: Path, newest: datetime | None) -> Iterator[Finding]:
    """Look at the machine.

    Args:
        data_dir: where the data is.
        newest: the youngest instant that the database holds, if any.
    """
    yield from _disk(data_dir)
    yield _clock(newest)
    yield _open_files()


def _disk(folder: Path) -> Iterator[Finding]:
    while not folder.exists():
        folder = folder.parent
    disk, files = shutil.disk_usage(folder), os.statvfs(folder)
    found = f"{disk.free / GIB:.1f} GiB of {disk.total / GIB:.1f} GiB are free"
    wanted = {"expected": f"{LITTLE / GIB:.0f} GiB or more"}
    advice = "Make room: a full disk refuses every event"
    if disk.free < LEAST:
        yield problem("disk", found, **wanted, advice=advice)
    elif disk.free < max(LITTLE, FEW * disk.total):
        yield warning("disk", found, **wanted, advice=advice)
    else:
        yield ok("disk", found)
    if files.f_files and files.f_favail < FEW * files.f_files:
        found = f"{files.f_favail} of {files.f_files} files can still be made"
        yield warning("disk", found, expected="5% or more", advice=advice)


def _clock(newest: datetime | None) -> Finding:
    now = datetime.fromtimestamp(time.time(), UTC)
    told = f"the clock says {now:%Y-%m-%d %H:%M:%S} UTC"
    advice = "Set the clock and keep it right (chrony, systemd-timesyncd)"
    if now < BUILT:
        return problem("clock", told, expected=f"after {BUILT.year}", advice=advice)
    if newest is not None and newest > now + FORWARD:
        found = f"{told}, and the newest execution came at {newest:%Y-%m-%d %H:%M:%S}"
        expected = "nothing from the future"
        return problem("clock", found, expected=expected, advice=advice)
    return ok("clock", told)


def _open_files() -> Finding:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard >= OPEN_FILES:
        told = "any number of" if hard == resource.RLIM_INFINITY else str(hard)
        return ok("open-files", f"a process may open {told} files")
    return warning(
        "open-files",
        f"a process may open {hard} files",
        expected=f"{OPEN_FILES} or more",
        advice="Raise the limit: LimitNOFILE in the unit, or ulimit -Hn",
    )
