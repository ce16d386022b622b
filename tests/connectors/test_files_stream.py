"""Order files read in chunks: whole orders only, each row told once, resumable, memory flat however rows lie."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Collection, Container
from pathlib import Path

import pytest

from orderhub.connectors.files import reader, records, stream
from orderhub.connectors.files.parsed import Chunk, ParsedOrder
from tests.connectors import files_cast as cast

BAD_CELLS = ("", "x", "1e309", "A\x00B", "a\nb", '"', "\u200b1")


def chunks(recognized: reader.Recognized, **options: int) -> list[Chunk]:
    """All chunks of the files with the cast's articles and regions."""
    return list(
        reader.stream_orders(recognized, catalog=cast.known_skus, regions=cast.judge_region, **options)
    )


def recognized(folder: Path, sheets: list[cast.Sheet]) -> reader.Recognized:
    """The sheets, saved and recognized."""
    return reader.recognize(cast.saved(folder, sheets))


def orders(found: list[Chunk]) -> list[ParsedOrder]:
    """The orders of all chunks."""
    return [order for chunk in found for order in chunk.orders]


def spoiled(sheets: list[cast.Sheet], rng: random.Random) -> list[cast.Sheet]:
    """The cast three times over under other numbers, with bad cells here and there and rows anywhere."""
    for sheet in sheets:
        rows = [list(row) for row in sheet.rows]
        for copy in ("2", "3"):
            sheet.rows += [[row[0].replace("100", f"{copy}00"), *row[1:]] for row in rows]
        for _ in range(4):
            row = rng.choice(sheet.rows)
            row[rng.randrange(len(row))] = rng.choice(BAD_CELLS if sheet.is_quoting else BAD_CELLS[:4])
        rng.shuffle(sheet.rows)
    return sheets


@pytest.mark.parametrize("dialect", sorted(cast.CAST))
def test_chunks_of_any_size_hold_the_same_orders_and_errors(tmp_path: Path, dialect: str) -> None:
    rng = random.Random(f"chunks/{dialect}")
    for _ in range(25):
        files = recognized(tmp_path, spoiled(cast.CAST[dialect](), rng))
        [whole] = chunks(files)

        for size in (1, 5):
            small = chunks(files, chunk_orders=size)

            errors = [(e.file, e.row, e.kind) for chunk in small for e in chunk.errors]
            assert sorted(orders(small)) == sorted(whole.orders)
            assert sorted(errors) == sorted((e.file, e.row, e.kind) for e in whole.errors)
            assert all(len(chunk.orders) <= size for chunk in small)
            assert small[-1].rows == whole.rows == whole.rows_total


@pytest.mark.parametrize("dialect", sorted(cast.CAST))
def test_reading_goes_on_where_the_last_chunk_ended(tmp_path: Path, dialect: str) -> None:
    files = recognized(tmp_path, spoiled(cast.CAST[dialect](), random.Random(f"resume/{dialect}")))
    every = chunks(files, chunk_orders=2)

    for done, chunk in enumerate(every, 1):
        assert chunks(files, chunk_orders=2, resume_after=chunk.position) == every[done:]


def test_chunks_follow_the_first_rows_and_tell_how_far_they_are(tmp_path: Path) -> None:
    found = chunks(recognized(tmp_path, cast.generic()), chunk_orders=2)

    assert [[order.external_id for order in chunk.orders] for chunk in found] == [
        ["1001", "1002"],
        ["1003", "1004"],
    ]
    assert [(chunk.rows, chunk.rows_total, chunk.orders_total) for chunk in found] == [(3, 7, 4), (7, 7, 4)]
    assert [chunk.position for chunk in found] == [4, 8]


def test_a_row_at_the_very_end_of_the_file_still_spoils_its_order(tmp_path: Path) -> None:
    [sheet] = cast.generic()
    sheet.rows.append(list(sheet.rows[0]))
    sheet.put(9, "line_no", "3")
    sheet.put(9, "quantity", "0")

    first, *others = chunks(recognized(tmp_path, [sheet]), chunk_orders=1)

    assert first.orders == []
    assert [(error.row, error.kind) for error in first.errors] == [(9, "bad_quantity")]
    assert [order.external_id for order in orders(others)] == ["1002", "1003", "1004"]


def test_rows_without_an_order_number_are_told_in_their_place(tmp_path: Path) -> None:
    [sheet] = cast.generic()
    sheet.put(4, "order_no", "")

    found = chunks(recognized(tmp_path, [sheet]), chunk_orders=1)

    assert [[error.row for error in chunk.errors] for chunk in found] == [[], [4], [], []]


def test_stray_details_come_after_the_orders_of_a_pair(tmp_path: Path) -> None:
    sheets = cast.taobao()
    sheets[1].rows.insert(0, ['="9999"', *sheets[1].rows[0][1:]])

    *_, last = chunks(recognized(tmp_path, sheets), chunk_orders=1)

    assert (last.orders, [(error.row, error.kind) for error in last.errors]) == (
        [],
        [(2, "detail_without_order")],
    )


def test_the_list_of_errors_ends_at_its_limit_also_when_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MAX_ERRORS", 3)
    [sheet] = cast.generic()
    for row in range(2, 9):
        sheet.put(row, "quantity", "0")
    files = recognized(tmp_path, [sheet])

    first, *others = chunks(files, chunk_orders=1)

    assert [(len(chunk.errors), chunk.unlisted_errors) for chunk in (first, *others)] == [
        (2, 0),
        (1, 0),
        (0, 3),
        (0, 1),
    ]
    assert chunks(files, chunk_orders=1, resume_after=first.position, errors_before=2) == others


def test_the_catalog_is_asked_once_for_each_article(tmp_path: Path) -> None:
    asked: list[str] = []

    def catalog(skus: Collection[str]) -> Container[str]:
        asked.extend(skus)
        return cast.SKUS

    files = recognized(tmp_path, cast.generic())
    list(reader.stream_orders(files, catalog=catalog, regions=cast.judge_region, chunk_orders=1))

    assert sorted(asked) == ["SKU-1", "SKU-2", "SKU-3", "SKU-4", "SKU-5"]


@pytest.mark.parametrize("is_shuffled", [False, True], ids=["in order", "shuffled"])
def test_memory_stays_flat_wherever_the_rows_of_an_order_lie(tmp_path: Path, is_shuffled: bool) -> None:
    [sheet] = cast.generic()
    pattern = [",".join(row) for row in ([*row[:-1], "note"] for row in sheet.rows)]
    lines = [line.replace("100", str(copy), 1) for copy in range(10_000, 11_000) for line in pattern]
    if is_shuffled:
        random.Random(5).shuffle(lines)
    data = "\n".join([",".join(sheet.header), *lines]).encode()
    files = reader.recognize([cast.saved_bytes(tmp_path, "orders.csv", data)])
    count = 0

    tracemalloc.start()
    for chunk in reader.stream_orders(
        files, catalog=cast.known_skus, regions=cast.judge_region, chunk_orders=100
    ):
        count += len(chunk.orders)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    # All orders at once take more than 4 MB.
    assert count == 4_000
    assert peak_bytes < 2_500_000


def test_a_record_too_large_to_hold_is_one_bad_row_of_its_order(tmp_path: Path) -> None:
    [sheet] = cast.generic()
    sheet.put(5, "note", "x" * (3 * records.MAX_RECORD_BYTES))
    sheet.put(6, "note", "a\r\nb")

    [found] = chunks(recognized(tmp_path, [sheet]))

    assert [(error.row, error.order_no, error.kind) for error in found.errors] == [
        (5, "1003", "long_field"),
    ]
    assert [order.external_id for order in found.orders] == ["1001", "1002", "1004"]
