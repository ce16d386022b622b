"""Ways in besides the door: what a profile says of files, mail attachments and tables, and what is asked for each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch

from orderhub.connectors.speech import doors, fetching_asks
from orderhub.connectors.speech.asking import Ask
from orderhub.connectors.speech.doors import Door
from orderhub.connectors.speech.flaws import Doc

FILES, MAIL, TABLE = fetching_asks.FILES, fetching_asks.MAIL, fetching_asks.TABLE
KINDS = (FILES, MAIL, TABLE)
#: What makes two files the same file: the bytes; the name and the bytes; both and when it was written.
ONCE_BY = ("content", "name", "time")
#: A file is a message (or several), or goes to the import of this sort.
IMPORTS = ("orders", "skus", "stock")
_COMMON = (*doors.READING, "every_s", "about")
_FILE_WORDS = (*_COMMON, "pattern", "once_by", "imports", "dialect")
_WORDS: Mapping[str, tuple[str, ...]] = {
    FILES: (*_FILE_WORDS, "still_s", "ready"),
    MAIL: _FILE_WORDS,
    TABLE: (*_COMMON, "name", "moved_by", "id", "overlap_s", "overlap_rows", "page"),
}
_EVERY_S = {FILES: 30, MAIL: 120, TABLE: 30}
_READY = re.compile(r"\.[A-Za-z0-9_]{1,16}")


@dataclass(frozen=True, slots=True)
class Way:
    """One way in: how often it is looked at, which files or rows are taken, and the door that reads them."""

    kind: str
    every_s: int
    door: Door | None = None
    pattern: tuple[str, ...] = ("*",)
    once_by: str = "content"
    imports: str = ""
    dialect: str = ""
    still_s: int = 10
    ready: str = ""
    name: str = ""
    moved_by: str = ""
    id: str = ""
    overlap_s: int = 300
    overlap_rows: int = 1000
    page: int = 200
    asks: tuple[Ask, ...] = field(default=())

    def wants(self, name: str, patterns: tuple[str, ...] = ()) -> bool:
        """Whether a file of this name is taken, whatever its case; by these patterns, else by those of the profile."""
        return any(fnmatch(name.lower(), one.lower()) for one in patterns or self.pattern)


def read(doc: Doc, door: Door | None) -> dict[str, Way]:
    """The ways in of a profile's document by kind; flaws are noted there.

    What says no routes of its own is read as files are, and these as the door reads.
    """
    found: dict[str, Way] = {}
    for kind, part in sorted(doc.named("doors")):
        if kind not in KINDS:
            part.note("", "not_a_choice", value=kind[:60], choices=", ".join(KINDS))
            continue
        usual = found[FILES].door if FILES in found and kind == MAIL else door
        found[kind] = _way(kind, part, usual)
    return found


def _way(kind: str, part: Doc, usual: Door | None) -> Way:
    part.only(*_WORDS[kind])
    imports = part.text("imports", choices=IMPORTS)
    own = doors.reading(part) if any(word in part.data for word in doors.READING) else None
    if own is None and usual is None and not imports:
        part.note("routes", "missing")
    ready = part.text("ready")
    if ready and not _READY.fullmatch(ready):
        part.note("ready", "bad_ending", value=ready[:40])
    patterns = tuple(part.text("pattern").replace(",", " ").split())
    name, moved_by, column = part.text("name"), part.text("moved_by"), part.text("id")
    return Way(
        kind, part.number("every_s", _EVERY_S[kind], least=5, most=86_400), own or usual,
        pattern=patterns or ("*",), once_by=part.text("once_by", "content", choices=ONCE_BY), imports=imports,
        dialect=part.text("dialect"), still_s=part.number("still_s", 10, most=3600), ready=ready, name=name,
        moved_by=moved_by, id=column, overlap_s=part.number("overlap_s", 300, most=86_400),
        overlap_rows=part.number("overlap_rows", 1000, most=100_000),
        page=part.number("page", 200, least=1, most=1000), asks=fetching_asks.of(kind, name, moved_by, column),
    )  # fmt: skip


def on(kind: str) -> str:
    """The setting that says whether this way in is used."""
    return f"{kind}_on"


def needed(kind: str, settings: Mapping[str, object]) -> tuple[str, ...]:
    """The settings a way in cannot do without, by what was chosen."""
    if kind == FILES:
        return _SFTP_NEEDS if settings.get("files_place") == "sftp" else ()
    return _NEEDS[kind]


#: The fingerprint is not among them: Test shows the one the host presents, and nothing is said to it before.
_SFTP_NEEDS = ("sftp_host", "sftp_user")
_NEEDS = {
    MAIL: ("mail_host", "mail_user", "mail_password", "mail_senders"),
    TABLE: ("table_host", "table_database", "table_user", "table_name", "table_moved_by"),
}  # fmt: skip
