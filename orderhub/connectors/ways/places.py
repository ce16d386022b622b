"""Where files lie: what a folder must be able to do, wherever it is, and which names are never taken."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Protocol

DONE, REFUSED = "done", "refused"
#: So many names are looked at in one turn; the rest is for the next.
MOST_NAMES = 5000
_UNFINISHED = re.compile(
    r"(^[.~])|(\.(part|partial|tmp|temp|filepart|writing|upload|crdownload|swp)$)|(~$)", re.IGNORECASE
)
_REASON = ".reason.txt"
_STEP = re.compile(r"[^\x00-\x1f/\\<>:\"|?*]{1,100}")


@dataclass(frozen=True, slots=True)
class Seen:
    """One file as it was seen: its name, its size, and when it was written (any text that changes with it)."""

    name: str
    size: int
    written: str


class Changed(Exception):
    """The file is not what was seen: somebody is still writing it, or it is gone."""


class Place(Protocol):
    """A folder with files of another system."""

    def look(self) -> list[Seen]:
        """The files in it, those half written left out where their names say so."""

    def read(self, seen: Seen) -> bytes:
        """The bytes of a file; raises Changed."""

    def put_away(self, seen: Seen, shelf: str, *, day: date, reason: str = "") -> bool:
        """Move a file to `done` or `refused`, with its reason beside it; whether that may be done there."""

    def remove(self, name: str) -> None:
        """Take a marker away."""

    def clean(self, *, before: date) -> int:
        """Delete what was put away before that day; how many days."""

    def close(self) -> None:
        """Let go of it."""


def is_finished(name: str) -> bool:
    """Whether a name is none that programs give files while they write them."""
    return not _UNFINISHED.search(name)


def steps(path: str) -> list[str] | None:
    """The folders of a path below ours; None for one that leads anywhere else."""
    found = [step.strip() for step in path.replace("\\", "/").split("/") if step.strip()]
    if path.strip().startswith(("/", "~")) or any(
        step.startswith(".") or not _STEP.fullmatch(step) for step in found
    ):
        return None
    return None if any(step in (DONE, REFUSED) for step in found) else found


def reason_name(name: str) -> str:
    """What the file with the reason is called."""
    return f"{name[:200]}{_REASON}"


def other_name(name: str, number: int) -> str:
    """A name for a file whose own is taken."""
    head, dot, tail = name.rpartition(".")
    return f"{head}.{number}.{tail}" if dot and head else f"{name}.{number}"
