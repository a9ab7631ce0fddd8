"""Who else may read, or change, what is kept on the disk."""

import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

OTHERS = 0o077  # whatever group and others may do


def within(folder: Path) -> Iterator[Path]:
    """Return a folder and everything in it."""
    if folder.exists():
        yield folder
        yield from folder.rglob("*")


def readable(paths: Iterable[Path]) -> list[Path]:
    """Return what others than the owner may read, run or change."""
    return [each for each in paths if _mode(each) & OTHERS]


def writable(paths: Iterable[Path]) -> list[Path]:
    """Return what everybody may change."""
    return [each for each in paths if _mode(each) & stat.S_IWOTH]


def _mode(path: Path) -> int:
    try:
        found = path.lstat()
    except FileNotFoundError:  # gone meanwhile: a server works here
        return 0
    return 0 if stat.S_ISLNK(found.st_mode) else stat.S_IMODE(found.st_mode)
