"""The header alone tells dialect, encoding and separator."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderhub.connectors.files import dialects, reader
from orderhub.connectors.files.faults import FileRefused
from tests.connectors import files_cast as cast


def refused(files: list[tuple[str, Path]], **choice: str) -> FileRefused:
    """The refusal that recognizing these files ends in."""
    with pytest.raises(FileRefused) as caught:
        reader.recognize(files, dialect=choice.get("dialect"), kind=choice.get("kind", "orders"))
    return caught.value


@pytest.mark.parametrize(
    ("dialect", "encoding", "delimiter"),
    [
        ("generic", "utf-8", ","),
        ("shopify", "utf-8", ","),
        ("taobao", "gb18030", ","),
        ("amazon", "cp1252", "\t"),
    ],
)
def test_every_dialect_is_recognized_by_its_header(
    tmp_path: Path, dialect: str, encoding: str, delimiter: str
) -> None:
    recognized = reader.recognize(cast.saved(tmp_path, cast.CAST[dialect]()))

    assert (recognized.dialect, recognized.encoding, recognized.delimiter) == (dialect, encoding, delimiter)
    assert recognized.warnings == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_generic_file_with_a_chinese_header_reads_alike_in_every_encoding_and_separator(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    [sheet] = cast.generic()
    chinese = {ours: theirs[-1] for ours, theirs in dialects.GENERIC.columns.items()}
    english = {theirs[0]: ours for ours, theirs in dialects.GENERIC.columns.items()}
    expected = cast.imported(tmp_path, [sheet])
    sheet.header = [chinese[english[name]] for name in sheet.header]
    sheet.encoding, sheet.delimiter = encoding, delimiter

    recognized = reader.recognize(cast.saved(tmp_path, [sheet]))
    result = cast.imported(tmp_path, [sheet])

    assert (recognized.encoding, recognized.delimiter) == (encoding, delimiter)
    assert result.orders == expected.orders
    assert result.errors == []


def test_utf16_big_endian_is_read(tmp_path: Path) -> None:
    [sheet] = cast.generic()
    data = b"\xfe\xff" + sheet.data().decode().encode("utf-16-be")

    result = cast.imported_files([cast.saved_bytes(tmp_path, "orders.csv", data)])

    assert cast.accepted(result) == ["1001", "1002", "1003", "1004"]
    assert result.orders[0].name == "收货人甲"


def test_header_names_are_trimmed_and_compared_without_case(tmp_path: Path) -> None:
    [sheet] = cast.generic()
    sheet.header = [f" \u3000{name.upper()}\u00a0" for name in sheet.header]

    recognized = reader.recognize(cast.saved(tmp_path, [sheet]))

    assert recognized.column_map["orders.csv"]["order_no"] == "ORDER_NO"
    assert recognized.headers["orders.csv"][0] == "ORDER_NO"


def test_optional_columns_may_be_absent(tmp_path: Path) -> None:
    [sheet] = cast.generic()
    needed = [
        "order_no",
        "placed_at",
        "sku",
        "quantity",
        "unit_price",
        "recipient",
        "province",
        "city",
        "address",
    ]
    sheet.rows = [[row[sheet.header.index(name)] for name in needed] for row in sheet.rows]
    sheet.header = needed

    recognized = reader.recognize(cast.saved(tmp_path, [sheet]))
    result = cast.imported(tmp_path, [sheet])

    assert cast.accepted(result) == ["1001", "1002", "1003", "1004"]
    first = result.orders[0]
    assert (first.country, first.currency, first.paid, first.paid_at, first.total) == (
        "CN",
        "CNY",
        True,
        None,
        None,
    )
    assert [caution.kind for caution in recognized.warnings] == ["payment_assumed"]


def test_repeated_header_names_are_refused_by_name(tmp_path: Path) -> None:
    [sheet] = cast.generic()
    sheet.header[sheet.header.index("note")] = "Phone"

    found = refused(cast.saved(tmp_path, [sheet]))

    assert found.kind == "duplicate_header"
    assert found.facts["columns"] == ["Phone", "phone"]


def test_an_unknown_header_shows_columns_seen_and_missing(tmp_path: Path) -> None:
    [sheet] = cast.generic()
    sheet.header[sheet.header.index("city")] = "town"

    found = refused(cast.saved(tmp_path, [sheet]))

    assert found.kind == "unknown_dialect"
    assert found.facts["nearest"] == "generic"
    assert found.facts["missing"] == ["city"]
    assert found.facts["columns"] == sheet.header


def test_a_line_of_junk_without_end_is_refused_at_once(tmp_path: Path) -> None:
    upload = cast.saved_bytes(tmp_path, "orders.csv", b"a,b;" * 2_000_000 + b"\nrow\n")

    assert refused([upload]).kind == "unknown_dialect"


def test_the_files_of_a_taobao_pair_may_come_in_any_order(tmp_path: Path) -> None:
    files = cast.saved(tmp_path, cast.taobao())

    forward, backward = cast.imported_files(files), cast.imported_files(files[::-1])

    assert forward.orders == backward.orders
    assert cast.accepted(forward) == ["1001", "1002", "1003", "1004"]


@pytest.mark.parametrize(("kept", "missing"), [(0, "ExportOrderDetailList"), (1, "ExportOrderList")])
def test_half_a_taobao_pair_is_refused_and_names_the_other(tmp_path: Path, kept: int, missing: str) -> None:
    found = refused([cast.saved(tmp_path, cast.taobao())[kept]])

    assert found.kind == "missing_pair"
    assert found.facts["missing"] == missing


def test_the_same_half_twice_is_no_pair(tmp_path: Path) -> None:
    files = cast.saved(tmp_path, cast.taobao())

    assert refused([files[0], files[0]]).kind == "missing_pair"


def test_two_single_files_are_not_read_as_one(tmp_path: Path) -> None:
    files = cast.saved(tmp_path, cast.generic())

    assert refused([*files, *files]).kind == "too_many_files"


def test_a_chosen_dialect_is_held_to(tmp_path: Path) -> None:
    files = cast.saved(tmp_path, cast.generic())

    found = refused(files, dialect="shopify")

    assert found.kind == "unknown_dialect"
    assert found.facts["nearest"] == "shopify"


def test_choices_that_do_not_exist_are_a_programming_error(tmp_path: Path) -> None:
    files = cast.saved(tmp_path, cast.generic())

    with pytest.raises(ValueError, match="no profile"):
        reader.recognize(files, dialect="ebay")
    with pytest.raises(ValueError, match="unknown encoding"):
        reader.recognize(files, encoding="ebcdic")


def test_an_amazon_report_in_utf8_is_told_from_cp1252_by_most_of_its_lines(tmp_path: Path) -> None:
    [sheet] = cast.amazon()
    sheet.encoding = "utf-8"

    recognized = reader.recognize(cast.saved(tmp_path, [sheet]))
    result = cast.imported(tmp_path, [sheet])

    assert recognized.encoding == "utf-8"
    assert result.orders[0].city == "München"
    assert result.orders[0].lines[0].name == "Café thing"


def test_an_encoding_chosen_by_hand_is_used(tmp_path: Path) -> None:
    [sheet] = cast.generic()
    sheet.encoding = "gb18030"
    files = cast.saved(tmp_path, [sheet])

    by_header, by_hand = cast.imported_files(files), cast.imported_files(files, encoding="gb18030")

    assert {error.kind for error in by_header.errors} == {"bad_bytes"}
    assert by_header.orders == []
    assert cast.accepted(by_hand) == ["1001", "1002", "1003", "1004"]
    assert [caution.kind for caution in reader.recognize(files).warnings] == ["encoding_doubt"]


def test_only_lone_carriage_returns_end_the_lines_of_an_old_macintosh_file(tmp_path: Path) -> None:
    [sheet] = cast.generic()
    data = sheet.data().replace(b"\r\n", b"\r")

    result = cast.imported_files([cast.saved_bytes(tmp_path, "orders.csv", data)])

    assert cast.accepted(result) == ["1001", "1002", "1003", "1004"]
