"""A file is cut into records by bytes, and a bad record leaves its neighbors alone."""

from __future__ import annotations

import csv
import io
import random
import time
from pathlib import Path

import pytest

from orderhub.connectors.files import records


def read(folder: Path, data: bytes, **options: object) -> list[tuple[int, list[str], str]]:
    """Number, cells and fault of every record of a file with these bytes."""
    path = folder / "file.csv"
    path.write_bytes(data)
    settings = {"encoding": "utf-8", "delimiter": ",", "is_quoting": True, **options}
    return [(x.row, x.cells, x.fault) for x in records.read(path, **settings)]


def test_blank_records_are_skipped_and_keep_their_number(tmp_path: Path) -> None:
    found = read(tmp_path, 'a,b\r\n\r\n,\r\n" ","\u3000"\r\n1,2\r\n\x1a'.encode())

    assert found == [(1, ["a", "b"], ""), (5, ["1", "2"], "")]


def test_quoted_cells_hold_separators_quotes_and_line_ends(tmp_path: Path) -> None:
    found = read(tmp_path, b'a,b\n"x,""y""\nz",2\n3,4\n')

    assert found == [(1, ["a", "b"], ""), (2, ['x,"y"\nz', "2"], ""), (3, ["3", "4"], "")]


def test_a_quote_inside_an_unquoted_cell_is_only_a_character(tmp_path: Path) -> None:
    found = read(tmp_path, b'a,b\n5" pipe,2\n3,4\n')

    assert found == [(1, ["a", "b"], ""), (2, ['5" pipe', "2"], ""), (3, ["3", "4"], "")]


def test_a_quote_never_closed_costs_only_its_own_row(tmp_path: Path) -> None:
    found = read(tmp_path, b'a,b\n1,"2\n3,4\n5,6\n')

    assert [(row, fault) for row, _, fault in found] == [(1, ""), (2, "open_quote"), (3, ""), (4, "")]
    assert found[2] == (3, ["3", "4"], "")


def test_without_quoting_quotes_are_data(tmp_path: Path) -> None:
    found = read(tmp_path, b'a\tb\n"1\t2\n', delimiter="\t", is_quoting=False)

    assert found == [(1, ["a", "b"], ""), (2, ['"1', "2"], "")]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "shift_jis", "cp1252"])
def test_bad_bytes_spoil_one_record_only(tmp_path: Path, encoding: str) -> None:
    bad = b"\x81" if encoding == "cp1252" else b"\xff"

    found = read(tmp_path, b"a,b\n1," + bad + b"\n3,4\n", encoding=encoding)

    assert [(row, fault) for row, _, fault in found] == [(1, ""), (2, "bad_bytes"), (3, "")]


def test_a_broken_surrogate_spoils_one_record_of_utf16_only(tmp_path: Path) -> None:
    text = "a,b\n1,".encode("utf-16-le") + b"\x00\xd8" + "\n3,上\n".encode("utf-16-le") + b"\x41"

    found = read(tmp_path, b"\xff\xfe" + text, encoding="utf-16")

    assert [(row, fault) for row, _, fault in found] == [(1, ""), (2, "bad_bytes"), (3, ""), (4, "bad_bytes")]
    assert found[2][1] == ["3", "上"]


def test_nul_and_control_characters_are_told_apart(tmp_path: Path) -> None:
    found = read(tmp_path, b"a,b\n1,A\x00B\n1,A\x07B\n1,A\tB\n")

    assert [fault for _, _, fault in found] == ["", "nul_byte", "control_character", ""]


def test_a_cell_of_200_kilobytes_is_one_fault_and_the_csv_modules_limit_is_left_alone(tmp_path: Path) -> None:
    limit = csv.field_size_limit()
    long = b"x" * 200_000

    found = read(tmp_path, b"a,b\n1," + long + b'\n2,"' + long + b'""y"\n3,4\n')

    assert [(row, fault) for row, _, fault in found] == [
        (1, ""),
        (2, "long_field"),
        (3, "long_field"),
        (4, ""),
    ]
    assert [cells[0] for _, cells, _ in found] == ["a", "1", "2", "3"]
    assert found[2][1][1] == "x" * 200_000 + '"y'
    assert csv.field_size_limit() == limit


def test_a_record_of_several_megabytes_is_cut_and_refused(tmp_path: Path) -> None:
    found = read(tmp_path, b"a,b\n1," + b"x" * 3_000_000 + b"\n3,4\n")

    assert [(row, cells[0], fault) for row, cells, fault in found] == [
        (1, "a", ""),
        (2, "1", "long_field"),
        (3, "3", ""),
    ]
    assert len(found[1][1][1]) < records.MAX_RECORD_BYTES


def test_records_agree_with_the_csv_module_wherever_chunks_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(7)
    rows = [
        ["".join(rng.choice('ab,"\n汉 ;') for _ in range(rng.randint(0, 6))) for _ in range(3)]
        for _ in range(200)
    ]
    rows = [[f"r{number}", *row] for number, row in enumerate(rows)]
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)

    for chunk_bytes in (1, 7, 4096):
        monkeypatch.setattr(records, "CHUNK_BYTES", chunk_bytes)
        for encoding in ("utf-8", "gb18030", "utf-16"):
            found = read(tmp_path, buffer.getvalue().encode(encoding), encoding=encoding)

            assert [cells for _, cells, _ in found] == rows
            assert {fault for _, _, fault in found} == {""}


def test_lines_that_each_open_a_quote_do_not_cost_quadratic_time(tmp_path: Path) -> None:
    line = b'1,"2\n' + b"3,4\n" * (records.MAX_QUOTED_LINES + 5)

    def processor_seconds(count: int) -> float:
        started = time.process_time()
        found = read(tmp_path, b"a,b\n" + line * count)
        assert sum(fault == "open_quote" for _, _, fault in found) == count
        return time.process_time() - started

    few = min(processor_seconds(10) for _ in range(3))
    many = min(processor_seconds(100) for _ in range(3))

    # Ten times the lines: ten times the work, a hundred times if it were quadratic.
    assert many < 40 * few
