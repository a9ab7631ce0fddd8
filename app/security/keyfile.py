"""A secret that is made once and kept in a file, for instances nobody configured."""

import os
import secrets
from base64 import b64decode, b64encode
from contextlib import suppress
from pathlib import Path

KEY_BYTES = 32


def key(path: Path, variable: str) -> bytes:
    """Return the key in a file, which is made with its folder if it is missing.

    Of processes that start together one makes it, and all return the same.

    Args:
        path: the file.
        variable: the setting that makes the file needless.

    Raises:
        ValueError: the file cannot be made or read, or holds no key; says what to do.
    """
    try:
        if not path.exists():
            _make(path)
        found = b64decode(path.read_bytes().strip(), validate=True)
    except (OSError, ValueError) as error:
        raise ValueError(_advice(path, variable, str(error))) from error
    if len(found) != KEY_BYTES:
        raise ValueError(_advice(path, variable, f"it holds {len(found)} bytes"))
    return found


def _make(path: Path) -> None:
    """Write a new key where only we can read it, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):  # another process was first
            path.hardlink_to(draft)
    finally:
        draft.unlink()
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Let the name outlive a loss of power, as what is sealed under the key does."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _advice(path: Path, variable: str, reason: str) -> str:
    return (
        f"{path} is not a key of {KEY_BYTES} bytes in base64 ({reason}); restore it,"
        f" or set {variable}"
    )
