"""Only delimited text gets past the guard, judged by content and without unpacking anything."""

from __future__ import annotations

import gzip
import io
import random
import time
import zipfile
from pathlib import Path

import pytest

from orderhub.connectors.files import guard, reader
from orderhub.connectors.files.faults import FileRefused
from tests.connectors import files_cast as cast


def refusal(folder: Path, data: bytes, **limits: int) -> str:
    """The kind of refusal of a file with these bytes that claims to be a CSV."""
    name, path = cast.saved_bytes(folder, "orders.csv", data)
    with pytest.raises(FileRefused) as refused:
        guard.check(path, filename=name, **limits)
    assert refused.value.facts["file"] == name
    return refused.value.kind


def zipped(entries: dict[str, bytes]) -> bytes:
    """A zip archive of these entries."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (zipped({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<w/>"}), "spreadsheet_file"),
        (zipped({"orders.csv": b"order_no\n1\n"}), "archive_file"),
        (b"PK\x03\x04 no directory at all", "archive_file"),
        (gzip.compress(b"order_no,sku\n1,2\n", mtime=0), "archive_file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old_spreadsheet_file"),
        (b"%PDF-1.7\n%\xe2\xe3\nstuff", "pdf_file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "image_file"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "image_file"),
        (b"<!DOCTYPE html><html><table><tr><td>1</td></tr></table></html>", "markup_file"),
        (random.Random(1).randbytes(4000), "binary_file"),
        ("order_no,sku\n1,2\n".encode("utf-16-le"), "binary_file"),
        (b"", "empty_file"),
        (b"\xef\xbb\xbf\r\n\r\n", "empty_file"),
        (b"order_no,sku,quantity\r\n", "header_only"),
        (b"\n\norder_no,sku,quantity\n,,\n\n,,\n", "header_only"),
    ],
)
def test_a_file_that_is_no_table_of_text_is_refused_by_its_content(
    tmp_path: Path, data: bytes, kind: str
) -> None:
    assert refusal(tmp_path, data) == kind


@pytest.mark.parametrize(
    "entries",
    [
        {"xl/sheet1.xml": bytes(60 * 1024 * 1024)},
        {"xl/sheet1.xml": bytes(1024 * 1024)},
        {f"xl/{number}.xml": b"x" for number in range(guard.MAX_ENTRIES + 1)},
    ],
    ids=["too large unpacked", "ratio above 100", "too many entries"],
)
def test_a_zip_bomb_is_refused_within_a_second_and_never_unpacked(
    tmp_path: Path, entries: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = zipped(entries)
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("an entry was opened"))
    started_at = time.perf_counter()

    kind = refusal(tmp_path, data)

    assert kind == "zip_bomb"
    assert time.perf_counter() - started_at < 1


def test_a_file_above_the_limit_is_refused_with_both_sizes(tmp_path: Path) -> None:
    name, path = cast.saved_bytes(tmp_path, "orders.csv", b"order_no\n" + b"1\n" * 100)

    with pytest.raises(FileRefused) as refused:
        guard.check(path, filename=name, limit_bytes=100)

    assert refused.value.kind == "too_large"
    assert refused.value.facts == {"file": "orders.csv", "size_bytes": 209, "limit_bytes": 100}


def test_more_blank_lines_than_a_spreadsheet_has_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, b"order_no\n1\n" + b"\n" * guard.MAX_LINES) == "too_many_rows"


def test_ordinary_exports_pass(tmp_path: Path) -> None:
    for make in cast.CAST.values():
        for name, path in cast.saved(tmp_path, make()):
            guard.check(path, filename=name)


def test_recognizing_runs_the_guard_first(tmp_path: Path) -> None:
    upload = cast.saved_bytes(tmp_path, "orders.csv", zipped({"xl/workbook.xml": b"<w/>"}))

    with pytest.raises(FileRefused) as refused:
        reader.recognize([upload])

    assert refused.value.kind == "spreadsheet_file"
