"""Logs as JSON lines: one object per line, with what ties the line to a request, an order, a merchant, a task."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime

from celery._state import get_current_task

from orderhub.access import request_id

#: What callers may add with `extra={...}`; anything else they add is left out, so that nothing personal slips in.
FIELDS = (
    "method", "route", "status", "duration_ms", "stream", "order", "merchant", "queue", "task", "subscriber",
    "count",
)  # fmt: skip
LONGEST_TEXT = 2000


class JsonLines(logging.Formatter):
    """time, level, logger, message, request_id, task, the fields above, and the place of an error.

    An error is told by type and place, without its text: texts of database and HTTP errors quote the data.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage()[:LONGEST_TEXT],
        }
        if name := request_id.current():
            line["request_id"] = name
        task = get_current_task()
        if task is not None:
            line["task"] = task.name
            line["queue"] = (task.request.delivery_info or {}).get("routing_key", "")
        line |= {name: vars(record)[name] for name in FIELDS if vars(record).get(name) not in (None, "")}
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])
            line["trace"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
        return json.dumps(line, ensure_ascii=False, default=str)
