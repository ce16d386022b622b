"""What a file is by its first bytes, and what lies in a zip: never more is unpacked than was allowed."""

from __future__ import annotations

import io
import zipfile
import zlib

from orderhub.connectors.ways.reasons import NotTaken, megabytes

MOST_UNPACKED = 50_000_000
MOST_RATIO = 100
MOST_ENTRIES = 200
_ZIP = b"PK\x03\x04"
_END = b"PK\x05\x06"
_NO_TEXT = (
    (b"\x1f\x8b", "gzip archive"), (b"7z\xbc\xaf\x27\x1c", "7z archive"), (b"Rar!\x1a\x07", "rar archive"),
    (b"BZh", "bzip2 archive"), (b"\xfd7zXZ\x00", "xz archive"), (b"\x28\xb5\x2f\xfd", "zstd archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls/doc"), (b"%PDF-", "PDF"), (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"), (b"GIF8", "GIF"), (b"\x7fELF", "program"), (b"MZ\x90", "program"), (b"PK", "zip without files"),
)  # fmt: skip


def files(name: str, data: bytes) -> list[tuple[str, bytes]]:
    """The files in these bytes: of a zip those in it, else the one. Raises NotTaken for what is no text and for bombs."""
    if not data.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise NotTaken("file_empty")
    if data.startswith(_ZIP):
        return _unpacked(data)
    for first, what in _NO_TEXT:
        if data.startswith(first):
            raise NotTaken("not_text", what)
    return [(name, data)]


def _unpacked(data: bytes) -> list[tuple[str, bytes]]:
    _check_directory(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _check(entries)
            found, left = [], MOST_UNPACKED
            for entry in entries:
                with archive.open(entry) as packed:
                    # What the directory says may be a lie: read no further than is left.
                    content = packed.read(left + 1)
                left -= len(content)
                if left < 0:
                    raise NotTaken("zip_bomb", megabytes(MOST_UNPACKED))
                found.append((entry.filename.replace("\\", "/").rsplit("/", 1)[-1], content))
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError, NotImplementedError, RuntimeError):
        raise NotTaken("zip_broken") from None
    return found


def _check_directory(data: bytes) -> None:
    """Refuse a directory of very many entries before it is listed."""
    end = data.rfind(_END)
    if end < 0 or len(data) < end + 22:
        raise NotTaken("zip_broken")
    count = int.from_bytes(data[end + 10 : end + 12], "little")
    if count > MOST_ENTRIES:
        raise NotTaken("zip_bomb", str(count))


def _check(entries: list[zipfile.ZipInfo]) -> None:
    if any(entry.filename.startswith(("xl/", "word/")) for entry in entries):
        raise NotTaken("not_text", "xlsx/docx")
    if any(entry.flag_bits & 1 for entry in entries):
        raise NotTaken("zip_locked")
    total = sum(entry.file_size for entry in entries)
    steep = max((entry.file_size / max(1, entry.compress_size) for entry in entries), default=0)
    if total > MOST_UNPACKED or (steep > MOST_RATIO and total > 1_000_000) or len(entries) > MOST_ENTRIES:
        raise NotTaken("zip_bomb", megabytes(total))
