"""Whatever is uploaded, it is read, refused as a file or refused row by row; nothing else is ever raised."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest

from orderhub.connectors.files import messages, reader, report
from orderhub.connectors.files.faults import FileRefused
from orderhub.connectors.files.parsed import Result
from tests.connectors import files_cast as cast
from tests.connectors.hostile_files import hostile, mutated, one_long_order

FILES = 300
#: Eight parts of 250 make 2,000 hostile uploads.
PARTS, UPLOADS = 8, 250


def told(refusal: FileRefused) -> bool:
    """Whether there are words for why the file was refused, in both languages."""
    return all(all(messages.about_file(refusal, language=language)) for language in messages.LANGUAGES)


def check(result: Result) -> None:
    """What is true of whatever was read: one fault a row, each with words; orders whole and usable."""
    places = [(error.file, error.row) for error in result.errors]
    assert len(places) == len(set(places)), "a row reported two faults"
    assert all(messages.about_row(error, language="zh").title for error in result.errors)
    assert len(set(cast.accepted(result))) == len(result.orders)
    assert all(line.quantity > 0 and line.line_total >= 0 for order in result.orders for line in order.lines)
    assert all(order.lines and order.city and order.placed_at.tzinfo for order in result.orders)
    assert result.rows >= len(result.errors)


@pytest.mark.parametrize("part", range(PARTS))
def test_2000_hostile_uploads_are_read_or_refused_in_words(tmp_path: Path, part: int) -> None:
    read, refused = 0, list[FileRefused]()

    for number in range(UPLOADS):
        seed = f"hostile/{part}/{number}"
        kind, contents = hostile(random.Random(seed))
        print(f"seed {seed}: {kind}")
        uploads = [cast.saved_bytes(tmp_path, f"{place}.csv", data) for place, data in enumerate(contents)]
        try:
            recognized = reader.recognize(uploads)
            preview = reader.preview(recognized)
            result = cast.read(recognized)
        except FileRefused as refusal:
            refused.append(refusal)
            continue
        read += 1
        check(result)
        report.write_errors(io.StringIO(), [*result.errors, *preview.errors], "en")

    assert all(map(told, refused))
    assert read + len(refused) == UPLOADS
    assert min(read, len(refused)) > UPLOADS // 10


def test_10000_lines_in_one_order_are_one_order_or_one_refusal(tmp_path: Path) -> None:
    [data] = one_long_order(random.Random("hostile/long"))

    result = cast.imported_files([cast.saved_bytes(tmp_path, "orders.csv", data)])

    check(result)
    assert result.rows == 10_000
    assert sum(len(order.lines) for order in result.orders) + len(result.errors) == 10_000


@pytest.mark.parametrize("kind", ["skus", "stock"])
def test_mutated_lists_raise_nothing_but_refusals(tmp_path: Path, kind: str) -> None:
    rng = random.Random(f"fuzz/{kind}")
    header = {"skus": b"sku,name,price,grams\n", "stock": b"warehouse,sku,on_hand\n"}[kind]
    row = {"skus": b"SKU-%d,thing,1.50,20\n", "stock": b"HZ,SKU-%d,20\n"}[kind]
    read = 0

    for _ in range(FILES):
        data = header + b"".join(row % number for number in range(10))
        upload = cast.saved_bytes(tmp_path, "list.csv", mutated(rng, data))
        try:
            recognized = reader.recognize([upload], kind=kind)
        except FileRefused:
            continue
        read += 1
        result = reader.read_skus(recognized) if kind == "skus" else reader.read_stock(recognized)
        assert result.rows >= len(result.errors)

    assert read > FILES // 10
