"""What an uploaded file really is, by content and before anything is unpacked or decoded."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from orderhub.connectors.files.faults import FileRefused

MAX_BYTES = 64 * 1024 * 1024
MAX_UNPACKED_BYTES = 50 * 1024 * 1024
MAX_RATIO = 100
MAX_ENTRIES = 200
#: A directory of 200 entries is far below this; more means that even listing the archive is an attack.
MAX_DIRECTORY_BYTES = 256 * 1024
SAMPLE_BYTES = 64 * 1024
#: As many as a spreadsheet has; blank ones cost time as well.
MAX_LINES = 1_048_576

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "archive_file"),
    (b"7z\xbc\xaf\x27\x1c", "archive_file"),
    (b"Rar!\x1a\x07", "archive_file"),
    (b"BZh", "archive_file"),
    (b"\xfd7zXZ\x00", "archive_file"),
    (b"\x28\xb5\x2f\xfd", "archive_file"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old_spreadsheet_file"),
    (b"%PDF-", "pdf_file"),
    (b"\x89PNG\r\n\x1a\n", "image_file"),
    (b"\xff\xd8\xff", "image_file"),
    (b"GIF87a", "image_file"),
    (b"GIF89a", "image_file"),
    (b"BM\x36", "image_file"),
    (b"II*\x00", "image_file"),
    (b"MM\x00*", "image_file"),
    (b"\x7fELF", "binary_file"),
    (b"MZ\x90", "binary_file"),
)
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|table|\?xml|head|body)\b", re.IGNORECASE)
_CONTROL = bytes(set(range(32)) - {9, 10, 13})
_BLANK = b' \t\r\n\x00\x1a,;"'
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
#: Ordinary text has none, compressed or random bytes have about one in nine.
_MAX_CONTROL_SHARE = 0.05


def check(path: Path, *, filename: str, limit_bytes: int = MAX_BYTES) -> None:
    """Refuse (FileRefused) what is no delimited text: empty, too large, an archive, a picture, junk."""
    size = path.stat().st_size
    if size > limit_bytes:
        raise FileRefused("too_large", {"file": filename, "size_bytes": size, "limit_bytes": limit_bytes})
    with path.open("rb") as handle:
        head = handle.read(SAMPLE_BYTES)
    if not head.lstrip(b"\xef\xbb\xbf\xff\xfe\xfe\xff").strip(_BLANK):
        raise FileRefused("empty_file", {"file": filename})
    if head.startswith(b"PK"):
        raise FileRefused(_archive_kind(path, size=size), {"file": filename})
    kind = _kind_by_magic(head)
    if kind:
        raise FileRefused(kind, {"file": filename})
    _check_text(path, head, filename)


def _kind_by_magic(head: bytes) -> str | None:
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] in (b"WEBP", b"AVI ", b"WAVE"):
        return "image_file"
    return "markup_file" if _MARKUP.match(head.removeprefix(b"\xef\xbb\xbf")) else None


def _archive_kind(path: Path, *, size: int) -> str:
    """Read only the directory at the end of a zip, never an entry."""
    with path.open("rb") as handle:
        handle.seek(max(0, size - 66_000))
        tail = handle.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 22:
        return "archive_file"
    directory_bytes = int.from_bytes(tail[end + 12 : end + 16], "little")
    if (
        int.from_bytes(tail[end + 10 : end + 12], "little") > MAX_ENTRIES
        or directory_bytes > MAX_DIRECTORY_BYTES
    ):
        return "zip_bomb"
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, UnicodeError):
        return "archive_file"
    unpacked = sum(entry.file_size for entry in entries)
    ratio = max((entry.file_size / max(1, entry.compress_size) for entry in entries), default=0)
    if unpacked > MAX_UNPACKED_BYTES or ratio > MAX_RATIO or len(entries) > MAX_ENTRIES:
        return "zip_bomb"
    is_workbook = any(entry.filename.startswith("xl/") for entry in entries)
    return "spreadsheet_file" if is_workbook else "archive_file"


def _check_text(path: Path, head: bytes, filename: str) -> None:
    if not head.startswith(_UTF16):
        first_line = head.lstrip(b"\r\n").split(b"\n", 1)[0]
        controls = len(head) - len(head.translate(None, _CONTROL))
        # Our fault rows may hold single NUL bytes, a header never does.
        if b"\x00" in first_line or controls > _MAX_CONTROL_SHARE * len(head):
            raise FileRefused("binary_file", {"file": filename})
    if not _has_rows(path):
        raise FileRefused("header_only", {"file": filename})
    lines = _count_lines(path)
    if lines > MAX_LINES:
        raise FileRefused("too_many_rows", {"file": filename, "count": lines, "limit": MAX_LINES})


def _count_lines(path: Path) -> int:
    with path.open("rb") as handle:
        return sum(max(x.count(b"\n"), x.count(b"\r")) for x in iter(lambda: handle.read(1024 * 1024), b""))


def _has_rows(path: Path) -> bool:
    """Whether anything but separators and blanks follows the first line that is not blank."""
    is_past_header, is_in_header = False, False
    with path.open("rb") as handle:
        while chunk := handle.read(SAMPLE_BYTES):
            for number, piece in enumerate(chunk.replace(b"\r", b"\n").split(b"\n")):
                is_past_header = is_past_header or (number > 0 and is_in_header)
                is_in_header = is_in_header or bool(piece.strip(_BLANK))
                if is_past_header and piece.strip(_BLANK):
                    return True
    return False
