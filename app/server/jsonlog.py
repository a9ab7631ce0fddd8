"""One JSON object a line, for our own loggers, gunicorn's and every library's alike."""

import json
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from logging import LogRecord, makeLogRecord
from typing import Any

import orjson
from pythonjsonlogger.core import BaseJsonFormatter
from pythonjsonlogger.defaults import unknown_default

SERVICE = "sluice"
LONGEST = 8192  # characters kept of a message, a traceback or a stack
UNSAYABLE = (TypeError, ValueError, RecursionError)  # keys, NaN, cycles, depth
SIMPLE = frozenset({str, int, bool, type(None)})  # of these orjson and json write alike
FIRST = len(vars(makeLogRecord({})))  # fields that a record has before anybody adds one
TEXTS = {"exception": "exc_info", "stack": "stack_info"}


class JsonLogFormatter(BaseJsonFormatter):
    """Write ``{"timestamp", "level", "message", "logger", "service", ...extras}``.

    `timestamp` is RFC 3339 in UTC with milliseconds and ``Z``, `level` is in lower
    case. A traceback goes into `exception`, the end of it when it is long. Extras
    follow as they are, what JSON cannot say as text; an extra never replaces one of
    the fields above. All text is ASCII, so that no character can break a line.
    """

    def add_fields(
        self,
        log_data: dict[str, Any],
        record: LogRecord,
        message_dict: dict[str, Any],
    ) -> None:
        log_data.update(_core(record))
        for field, source in TEXTS.items():
            if source in message_dict:
                log_data[field] = _tail(str(message_dict[source]))
        log_data |= extras(record) | log_data  # what is there already stays

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        try:
            return (is_simple(log_data) and _simply(log_data)) or _dump(log_data)
        except UNSAYABLE:
            return _dump({name: _plain(value) for name, value in log_data.items()})


def extras(record: LogRecord) -> dict[str, Any]:
    """Return what whoever logged has added to a record."""
    added = dict(islice(vars(record).items(), FIRST, None))
    for name in ("message", "asctime"):  # which formatters add
        added.pop(name, None)
    return added


def is_simple(fields: dict[str, Any]) -> bool:
    """Tell whether there are but texts and whole numbers, as in nearly every line."""
    return SIMPLE.issuperset(map(type, fields.values()))


def _core(record: LogRecord) -> dict[str, Any]:
    return {
        "timestamp": _timestamp(record.created),
        "level": record.levelname.lower(),
        "message": record.getMessage()[:LONGEST],
        "logger": record.name,
        "service": SERVICE,
    }


def _timestamp(created: float) -> str:
    seconds, micros = divmod(round(created * 1e6), 1_000_000)
    return f"{_second(seconds)}.{micros // 1000:03}Z"


@lru_cache(1)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _simply(log_data: dict[str, Any]) -> str | None:
    """Write it in a twentieth of the time, if that comes to the same."""
    written = orjson.dumps(log_data)
    return written.decode() if written.isascii() else None


def _dump(value: Any) -> str:
    return json.dumps(
        value, default=unknown_default, allow_nan=False, separators=(",", ":")
    )


def _plain(value: Any) -> Any:
    try:
        _dump(value)
    except UNSAYABLE:
        return unknown_default(value)[:LONGEST]
    return value


def _tail(text: str) -> str:
    return text if len(text) <= LONGEST else f"...{text[3 - LONGEST :]}"
