"""Files nobody should upload: every one is drawn from a seed, so that a failure can be repeated."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import random
import zipfile
from collections.abc import Callable

from tests.connectors import files_cast as cast

PIECES = (
    b"\x00",
    b"\xff",
    b"\xfe",
    b"\x81",
    b"\xef\xbb\xbf",
    b'"',
    b'""',
    b"'",
    b",",
    b"\t",
    b";",
    b"\r",
    b"\n",
    b"\r\n",
    b"=",
    b"1e309",
    b"2.00000E+18",
    b"-1",
    b"9" * 400,
    b"x" * 200_000,
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    "\u202e".encode(),
    "汉".encode("gb18030"),
    "汉".encode("utf-16"),
    "０".encode(),
    b"=cmd|' /C calc'!A0",
    b"2026-02-30",
    b"nan",
    b"",
)
ENCODINGS = (
    "utf-8", "utf-8-sig", "gbk", "gb18030", "big5", "shift_jis", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252",
    "utf-7",
)  # fmt: skip
CELLS = (
    "1e309", "-1e309", "nan", "inf", "1_000", "０", "٣", "=1+1", "=cmd|' /C calc'!A0", "@SUM(A1)", "A\x00B", "A\x07B",
    "\ufffd", "\uffff", "\u2028", "\u202e", "\x85", "\x1f", "a\rb", "a\nb", 'a"b', '"', '"""', "'", '="', '="1"', "' ' '",
    " ", "\u3000", "9" * 5000, "x" * 40_000, "0000-00-00", "9999-12-31 23:59:59+14:00", "2026-11-11T24:00:00",
    "2026-11-11 08:00:00 +2460", "-0", "1e5", "2E+5", "12,5", "NULL", "None", "true", "😀" * 50, "e\u0301" * 60,
)  # fmt: skip

Make = Callable[[random.Random], list[bytes]]


def mutated(rng: random.Random, data: bytes) -> bytes:
    """The bytes with some cut out, doubled, overwritten or replaced by something nasty."""
    for _ in range(rng.randint(1, 8)):
        start = rng.randrange(len(data) + 1)
        end = min(len(data), start + rng.choice((0, 1, 2, 5, 40)))
        change = rng.randrange(6)
        if change == 0:
            data = data[:start] + rng.choice(PIECES) + data[start:]
        elif change == 1:
            data = data[:start] + rng.choice(PIECES) + data[end:]
        elif change == 2:
            data = data[:start] + data[end:]
        elif change == 3:
            data = data[:end] + data[start:]
        elif change == 4:
            data = data[:start] + rng.randbytes(end - start) + data[end:]
        else:
            lines = data.split(b"\n")
            rng.shuffle(lines)
            data = b"\n".join(lines if rng.random() < 0.5 else [lines[0], *lines])
    return data


def _sheets(rng: random.Random) -> list[cast.Sheet]:
    return cast.CAST[rng.choice(sorted(cast.CAST))]()


def _text(sheet: cast.Sheet, *, end: str = "\r\n", delimiter: str | None = None) -> str:
    buffer = io.StringIO()
    out = csv.writer(buffer, delimiter=delimiter or sheet.delimiter, lineterminator=end)
    out.writerows([sheet.header, *sheet.rows])
    return buffer.getvalue()


def _mutations(rng: random.Random) -> list[bytes]:
    sheets = _sheets(rng)
    for sheet in sheets:
        sheet.encoding = rng.choice((sheet.encoding, sheet.encoding, "utf-8", "utf-16"))
    return [mutated(rng, sheet.data()) if rng.random() < 0.9 else sheet.data() for sheet in sheets]


def _nasty_cells(rng: random.Random) -> list[bytes]:
    sheets = _sheets(rng)
    for sheet in sheets:
        for _ in range(rng.randint(1, 12)):
            row = rng.choice([*sheet.rows, sheet.header])
            row[rng.randrange(len(row))] = rng.choice(CELLS)
    return [_text(sheet).encode(sheet.encoding, "replace") for sheet in sheets]


def _any_encoding(rng: random.Random) -> list[bytes]:
    marks = (b"", b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF8 * 2)
    texts = [_text(sheet, delimiter=rng.choice(",;\t|")) for sheet in _sheets(rng)]
    return [rng.choice(marks) + text.encode(rng.choice(ENCODINGS), "replace") for text in texts]


def _mixed_encodings(rng: random.Random) -> list[bytes]:
    return [
        b"".join(
            line.encode(rng.choice(("utf-8", "gb18030", "utf-16-le")), "replace")
            for line in _text(sheet).splitlines(keepends=True)
        )
        for sheet in _sheets(rng)
    ]


def _mixed_line_ends(rng: random.Random) -> list[bytes]:
    ends = ("\r\n", "\n", "\r", "\r\r\n", "\n\r", "\x0b", "\x85", "\u2028", "\n\n\n", "\r\n,,,\r\n")
    return [
        "".join(line + rng.choice(ends) for line in _text(sheet, end="\n").split("\n")).encode(sheet.encoding, "replace")
        for sheet in _sheets(rng)
    ]  # fmt: skip


def _quotes(rng: random.Random) -> list[bytes]:
    def spoil(line: str) -> str:
        at = rng.randrange(len(line) + 1)
        return line[:at] + rng.choice(('"', '""', '"\n', ',"', '",', '"x')) + line[at:]

    return [
        "\n".join(spoil(x) if rng.random() < 0.5 else x for x in _text(sheet, end="\n").split("\n")).encode("utf-8")
        for sheet in _sheets(rng)
    ]  # fmt: skip


def _ragged(rng: random.Random) -> list[bytes]:
    sheets = _sheets(rng)
    for sheet in sheets:
        for row in sheet.rows:
            if rng.random() < 0.5:
                row[rng.randrange(len(row)) :] = rng.choice(([], ["", " "], ["x"] * 60))
    return [_text(sheet).encode(sheet.encoding, "replace") for sheet in sheets]


def _headers(rng: random.Random) -> list[bytes]:
    sheets = _sheets(rng)
    for sheet in sheets:
        extra = rng.choice(
            (["x" * 100_000], [f"c{n}" for n in range(3000)], [sheet.header[0]], [""] * 500, ["\x00"], ["e\u0301"])
        )  # fmt: skip
        at = rng.randrange(len(sheet.header) + 1)
        sheet.header[at:at] = extra
        for row in sheet.rows:
            row[at:at] = [""] * len(extra)
        if rng.random() < 0.2:
            sheet.rows.insert(0, list(sheet.header))
    return [_text(sheet).encode(sheet.encoding, "replace") for sheet in sheets]


def one_long_order(rng: random.Random) -> list[bytes]:
    """One order of 10,000 lines, some of them repeated."""
    [sheet] = cast.generic()
    rows = [list(rng.choice(sheet.rows[:2])) for _ in range(10_000)]
    for number, row in enumerate(rows):
        row[1] = str(number // rng.choice((1, 1, 2)))
    sheet.rows = rows
    return [_text(sheet).encode()]


def _huge_cells(rng: random.Random) -> list[bytes]:
    [sheet] = cast.generic()
    for _ in range(3):
        rng.choice(sheet.rows)[rng.randrange(len(sheet.header))] = rng.choice("x汉,\"\n") * rng.choice(
            (32_767, 32_768, 200_000, 1_200_000)
        )  # fmt: skip
    return [_text(sheet).encode()]


def _zipped(rng: random.Random) -> list[bytes]:
    buffer = io.BytesIO()
    entry = rng.choice(
        ("xl/workbook.xml", "xl/worksheets/sheet1.xml", "orders.csv", "../../etc/passwd", "a.zip")
    )
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(rng.choice((1, 2, 250))):
            archive.writestr(f"{number}{entry}", rng.choice((b"<x/>", bytes(300_000), rng.randbytes(500))))
    data = buffer.getvalue()
    cut = rng.choice((len(data), rng.randrange(4, len(data)), len(data) - 1))
    return [rng.choice((data[:cut], mutated(rng, data), b"PK\x03\x04" + data[rng.randrange(9) :]))]


def _junk(rng: random.Random) -> list[bytes]:
    data = rng.randbytes(rng.choice((0, 1, 2, 3, 50, 5000)))
    start = rng.choice(
        (b"", b"order_no,sku\n", b"%PDF-", b"\x1f\x8b", b"<html>", b"\xd0\xcf\x11\xe0", b"\xff\xfe")
    )
    return [rng.choice((start + data, gzip.compress(data, mtime=0), start * 3, data.hex().encode() * 3))]


def _too_many_files(rng: random.Random) -> list[bytes]:
    return [sheet.data() for _ in range(rng.randint(1, 3)) for sheet in _sheets(rng)]


#: How often each kind is drawn; the slow ones seldom.
KINDS: tuple[tuple[Make, int], ...] = (
    (_mutations, 40), (_nasty_cells, 30), (_any_encoding, 20), (_mixed_encodings, 10), (_mixed_line_ends, 15),
    (_quotes, 20), (_ragged, 10), (_headers, 10), (_zipped, 10), (_junk, 15), (_too_many_files, 8), (_huge_cells, 2),
)  # fmt: skip


def hostile(rng: random.Random) -> tuple[str, list[bytes]]:
    """The name of a kind of hostile upload and the bytes of its files."""
    [make] = rng.choices([make for make, _ in KINDS], [weight for _, weight in KINDS])
    return make.__name__, make(rng)
