"""JSON lines on stderr, one object a line: time, level, logger, event, request_id, and the event's own fields."""

from __future__ import annotations

import itertools
import json
import logging
import os
import re
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from ehc.errors import EhcError

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The request that is being served; worker threads inherit it."""

log = logging.getLogger("ehc.web")

_REQUEST_ID = re.compile(r"[0-9A-Za-z._-]{1,64}")
_process = os.urandom(8).hex()
_count = itertools.count(int.from_bytes(os.urandom(4)))


def _renew() -> None:
    """A forked process is another one."""
    global _process  # noqa: PLW0603
    _process = os.urandom(8).hex()


os.register_at_fork(after_in_child=_renew)


def request_id_of(given: str | None) -> str:
    """The caller's own when it is well-formed, else a new one: 32 hex digits, never used twice."""
    if given and _REQUEST_ID.fullmatch(given):
        return given
    return _process + next(_count).to_bytes(8).hex()


def request(  # noqa: PLR0917
    method: str,
    endpoint: str | None,
    status: int | None,
    seconds: float,
    problem: str | None = None,
    error: BaseException | None = None,
) -> None:
    """The line of a request: the endpoint's name, not the path, which may hold a card id."""
    fields = {
        "method": method,
        "endpoint": endpoint,
        "status": status,
        "ms": round(seconds * 1000, 3),
        "problem": problem,
    }
    log.log(logging.ERROR if error else logging.INFO, "request", exc_info=error, extra={"fields": fields})


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
