"""One JSON object a line, for our own loggers, gunicorn's and every library's alike."""

import json
from datetime import UTC, datetime
from logging import LogRecord
from typing import Any

from pythonjsonlogger.core import BaseJsonFormatter
from pythonjsonlogger.defaults import unknown_default

SERVICE = "sluice"
LONGEST = 8192  # characters kept of a message, a traceback or a stack
UNSAYABLE = (TypeError, ValueError, RecursionError)  # keys, NaN, cycles, depth


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
        texts = {"exception": "exc_info", "stack": "stack_info"}
        for field, source in texts.items():
            if message_dict.get(source):
                log_data[field] = _tail(str(message_dict[source]))
        for name, value in record.__dict__.items():
            if name not in self.reserved_attrs and not name.startswith("_"):
                log_data.setdefault(name, value)

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        try:
            return _dump(log_data)
        except UNSAYABLE:
            return _dump({name: _plain(value) for name, value in log_data.items()})


def _core(record: LogRecord) -> dict[str, Any]:
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    return {
        "timestamp": at.replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "message": record.getMessage()[:LONGEST],
        "logger": record.name,
        "service": SERVICE,
    }


def _dump(value: Any) -> str:
    return json.dumps(value, default=unknown_default, allow_nan=False)


def _plain(value: Any) -> Any:
    try:
        _dump(value)
    except UNSAYABLE:
        return unknown_default(value)[:LONGEST]
    return value


def _tail(text: str) -> str:
    return text if len(text) <= LONGEST else f"...{text[3 - LONGEST :]}"
