"""The benchmark protocol: one JSON message per line in, one answer per question out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TextIO

from routing.world.run import Run

Message = dict[str, Any]


def serve(lines: Iterable[str], out: TextIO) -> None:
    """Answer until ``end`` or the end of input; a ``world`` message starts afresh."""
    run: Run | None = None
    for line in lines:
        if not line.strip():
            continue
        message = json.loads(line)
        if message["type"] == "end":
            return
        if message["type"] == "world":
            run = Run(message)
            answer: Message | None = {"type": "ready"}
        else:
            answer = None if run is None else run.take(message)
        if answer is not None:
            out.write(json.dumps(answer, separators=(",", ":"), ensure_ascii=False) + "\n")
            out.flush()
