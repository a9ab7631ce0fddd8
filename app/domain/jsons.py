"""The one place that reads and writes JSON: exact, strict and bounded."""

import json
import math
from typing import Any

import orjson

MAX_DEPTH = 100  # arrays and objects inside each other
MAX_DIGITS = 400  # of one integer
MAX_BYTES = 64 << 20  # what `encode` writes when it is given no limit
_TOO_DEEP = f"arrays and objects are nested more than {MAX_DEPTH} deep"
_TOO_LONG = f"an integer has more than {MAX_DIGITS} digits"
_LONG_RUN = b"0" * 19  # the shortest integer that may not fit into 64 bits
_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"0" * 9)
_BOUND = 10**MAX_DIGITS
_CONTAINERS = frozenset((dict, list))


class TooLarge(ValueError):
    """A value would be longer, written down, than its limit."""


def parse(data: bytes) -> Any:
    """Read one JSON value; integers of any size stay exact.

    Strict UTF-8 without a byte order mark; no NaN, no number beyond a float's
    range, no lone surrogate. Of equal keys in an object the last one counts.

    Raises:
        ValueError: says what is wrong and where, and quotes nothing.
    """
    if _LONG_RUN in data.translate(_DIGITS_TO_ZERO):
        return _parse_exactly(data)
    try:
        value = orjson.loads(data)
    except ValueError:
        _text(data)  # has the better reason, if that is it
        raise
    if data.count(b"[") + data.count(b"{") > MAX_DEPTH:
        _check_depth(value)
    return value


def encode(value: Any, *, limit: int | None = None) -> bytes:
    """Write a JSON value compactly, or refuse before much memory is spent.

    A part that occurs several times counts each time, so a small value with
    2**30 leaves is refused like a large one.

    Args:
        value: None, bool, int, float, str, and lists and dicts of these.
        limit: the result's greatest length, bytes.

    Raises:
        TooLarge: the result would be longer than `limit`.
        ValueError: JSON has no such value.
    """
    limit = MAX_BYTES if limit is None else limit
    measure(value, limit=limit)
    try:
        data = orjson.dumps(value)
    except TypeError:  # an integer beyond 64 bits, or a lone surrogate
        data = _encode_exactly(value)
    if len(data) > limit:
        raise _too_large(limit)
    return data


def measure(value: Any, *, limit: int) -> int:
    """Count what a value takes at least as JSON, shared parts each time they occur.

    Returns:
        Bytes, never more than `encode` would write.

    Raises:
        TooLarge: it takes more than `limit`.
        ValueError: JSON has no such value.
    """
    size = 0
    level = [value]
    for _ in range(MAX_DEPTH):
        size, level = _weigh(level, size, limit)
        if not level:
            return size
    if not _CONTAINERS.isdisjoint(map(type, level)):
        raise ValueError(_TOO_DEEP)
    return _weigh(level, size, limit)[0]


def _parse_exactly(data: bytes) -> Any:
    """Read with the standard library: orjson makes floats of long integers."""
    try:
        value = json.loads(
            _text(data),
            parse_int=_integer,
            parse_float=_finite,
            parse_constant=_no_constant,
        )
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    _check_depth(value)
    if b"\\u" in data:
        _encode_exactly(value)  # the standard library lets lone surrogates in
    return value


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is not UTF-8") from error


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS + digits.startswith("-"):
        raise ValueError(_TOO_LONG)
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number is beyond the range of a 64-bit float")
    return number


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _encode_exactly(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("a string holds half of a surrogate pair") from error


def _check_depth(value: Any) -> None:
    level = [value] if type(value) in _CONTAINERS else []
    for _ in range(MAX_DEPTH):
        level = [
            child
            for each in level
            for child in (each.values() if type(each) is dict else each)
            if type(child) in _CONTAINERS
        ]
        if not level:
            return
    raise ValueError(_TOO_DEEP)


def _weigh(level: list[Any], size: int, limit: int) -> tuple[int, list[Any]]:
    """Add one level's size: a member is two bytes at least, itself and its comma."""
    below: list[Any] = []
    for each in level:
        kind = type(each)
        if kind is str:
            size += len(each)
        elif kind is dict:
            size += _size_of_keys(each)
            below += each.values()
        elif kind is list:
            size += 2 * len(each)
            below += each
        elif kind is not bool and each is not None:
            _check_scalar(each)
        if size > limit:
            raise _too_large(limit)
    return size, below


def _size_of_keys(value: dict[str, Any]) -> int:
    try:
        return len("".join(value)) + 4 * len(value)
    except TypeError as error:
        raise ValueError("the keys of an object must be strings") from error


def _check_scalar(value: Any) -> None:
    if isinstance(value, int):
        if not -_BOUND < value < _BOUND:
            raise ValueError(_TOO_LONG)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("JSON has no infinite number and no NaN")
    elif not isinstance(value, str):
        kind = type(value).__name__
        raise ValueError(f"{kind} is not a kind of JSON value")  # noqa: TRY004


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the value takes more than {limit} bytes as JSON")
