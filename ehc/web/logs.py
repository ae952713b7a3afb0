"""JSON lines on stderr, one object a line: time, level, logger, event, request_id, and the event's own fields."""

from __future__ import annotations

import json
import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from ehc.errors import EhcError

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The request that is being served; worker threads inherit it."""


class JsonFormatter(logging.Formatter):
    """`extra={"fields": {...}}` adds fields. An exception is logged as its type and stack; its message only when it is
    one of ours, which hold no personal data."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            "request_id": request_id.get(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1]:
            line["error"] = _chain(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def _chain(error: BaseException) -> list[dict[str, Any]]:
    """The error and what it came from."""
    stack = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    link: dict[str, Any] = {"type": type(error).__name__, "stack": stack}
    if isinstance(error, EhcError):
        link["message"] = str(error)
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return [link, *(_chain(cause) if cause else [])]
