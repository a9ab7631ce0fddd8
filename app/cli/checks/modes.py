"""Who else may read or change the data."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from app.cli.checks.findings import Finding, ok, problem, warning
from app.security import modes

SHOWN = 5  # files named in one finding
WANTED = "0700 for folders and 0600 for files"


def check(data_dir: Path, database: Iterable[Path]) -> Iterator[Finding]:
    """Look at the modes and owners of the data directory and what is in it."""
    if not data_dir.exists():
        yield warning(
            "files",
            f"{data_dir} does not exist",
            expected="the data directory",
            advice="Set SLUICE_DATA_DIR as for the server, or start it once",
        )
        return
    files = sorted({*modes.within(data_dir), *database})
    yield from _modes(data_dir, files)
    yield from _owners(data_dir, files)


def _modes(data_dir: Path, files: Sequence[Path]) -> Iterator[Finding]:
    everybodys = modes.writable(files)
    others = [each for each in modes.readable(files) if each not in everybodys]
    advice = f"chmod -R go= {data_dir}"
    if everybodys:
        found = f"everybody may change {_named(everybodys)}"
        yield problem("files", found, expected=WANTED, advice=advice)
    if others:
        tell = problem if any(each.suffix == ".key" for each in others) else warning
        found = f"others may read {_named(others)}"
        yield tell("files", found, expected=WANTED, advice=advice)
    if not everybodys and not others:
        yield ok("files", f"nobody else may read {data_dir} ({len(files)} files)")


def _owners(data_dir: Path, files: Sequence[Path]) -> Iterator[Finding]:
    owner = data_dir.stat().st_uid
    foreign = [each for each in files if _owner(each, owner) != owner]
    if foreign:
        yield problem(
            "files",
            f"{_named(foreign)} belong to another user than {data_dir}",
            expected="one owner, the user of the server",
            advice=f"chown -R {owner} {data_dir}",
        )
    if os.geteuid() not in (owner, 0):
        yield warning(
            "user",
            f"this runs as user {os.geteuid()}, the data belong to {owner}",
            expected="the user of the server",
            advice="Run it as that user, or the report is not complete",
        )


def _owner(path: Path, default: int) -> int:
    try:
        return path.lstat().st_uid
    except FileNotFoundError:  # gone meanwhile: a server works here
        return default


def _named(files: Sequence[Path]) -> str:
    names = ", ".join(str(each) for each in files[:SHOWN])
    return f"{names} and {len(files) - SHOWN} more" if len(files) > SHOWN else names
