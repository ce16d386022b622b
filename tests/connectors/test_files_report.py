"""The error list and its wordings in two languages."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest

from orderhub.connectors.files import messages, report
from orderhub.connectors.files.faults import FileRefused, RowError

SOURCES = Path(__file__).parents[2] / "orderhub" / "connectors" / "files"
FIELDS = Path(__file__).parents[2] / "orderhub" / "fields"


def written(errors: list[RowError], language: str) -> list[dict[str, str]]:
    """The rows of the list as a spreadsheet reads them."""
    buffer = io.StringIO(newline="")
    assert report.write_errors(buffer, errors, language) == len(errors)
    assert buffer.getvalue().startswith("\ufefffile,row,order_no,column,kind,value,reason\r\n")
    return list(csv.DictReader(io.StringIO(buffer.getvalue().removeprefix("\ufeff"), newline="")))


@pytest.mark.parametrize(
    ("language", "reason"),
    [
        ("zh-hans", "“quantity”的“two”不是 1 到 999,999 的整数。请填写整数。"),
        ("en", "“two” in “quantity” is no whole number from 1 to 999,999. Write a whole number."),
    ],
)
def test_a_row_says_what_is_wrong_and_what_to_do_in_either_language(language: str, reason: str) -> None:
    error = RowError("a.csv", 7, "1001", "quantity", "bad_quantity", "two", {"lowest": 1, "highest": 999_999})

    assert written([error], language) == [
        {
            "file": "a.csv",
            "row": "7",
            "order_no": "1001",
            "column": "quantity",
            "kind": "bad_quantity",
            "value": "two",
            "reason": reason,
        }
    ]


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "  =1", "=" * 500])
def test_no_cell_of_the_list_is_a_formula(value: str) -> None:
    row = written([RowError(value, 2, value, value, "bad_price", value)], "en")[0]

    assert all(not row[name].lstrip().startswith(("=", "+", "-", "@")) for name in report.COLUMNS)
    assert row["value"].startswith("'")
    assert len(row["value"]) <= report.MAX_VALUE_CHARS + 1


def test_control_characters_never_reach_the_list() -> None:
    row = written([RowError("a.csv", 2, "1", "name", "nul_byte", "A\x00B\r\nC\x07")], "zh")[0]

    assert row["value"] == "A B  C "


def test_every_kind_that_the_code_raises_has_a_wording_and_every_wording_a_use() -> None:
    code = "".join(path.read_text("utf-8") for path in SOURCES.glob("*.py") if "wording" not in path.name)

    raised = set(re.findall(r'(?:CellFault|FileRefused|Caution)\(\s*"([a-z0-9_]+)"', code))
    quoted = set(re.findall(r'"([a-z0-9_]+)"', code))

    assert raised <= messages.MESSAGES.keys()
    # Raised by those who know the database.
    elsewhere = {"order_changed", "unknown_warehouse"}
    fields = "".join(path.read_text("utf-8") for path in FIELDS.rglob("*.py"))
    of_fields = set(re.findall(r'"(fields?_[a-z0-9_]+)"', fields))
    assert messages.MESSAGES.keys() - quoted - of_fields == elsewhere


@pytest.mark.parametrize("kind", sorted(messages.MESSAGES))
def test_every_kind_is_worded_in_both_languages_with_the_same_facts(kind: str) -> None:
    message = messages.MESSAGES[kind]

    facts = [set(re.findall(r"{(\w+)}", " ".join(wording))) for wording in (message.zh, message.en)]

    assert all(part.strip() for wording in (message.zh, message.en) for part in wording)
    assert any("\u4e00" <= letter <= "\u9fff" for letter in message.zh.title)
    assert "".join(message.en).replace("“", "").replace("”", "").isascii()
    assert facts[0] - facts[1] <= {"column", "value"}
    assert facts[1] - facts[0] <= {"column", "value"}


def test_sizes_are_shown_in_megabytes_and_lists_as_text() -> None:
    large = FileRefused("too_large", {"file": "a", "size_bytes": 3 * 2**20, "limit_bytes": 2**20})
    unknown = FileRefused("unknown_dialect", {"columns": ["a", "b"], "nearest": "generic", "missing": []})

    assert messages.about_file(large, language="en").reason == "The file has 3.0 MB; the limit is 1.0 MB."
    assert messages.about_file(unknown, language="zh").reason == (
        "没有匹配的模板。文件中的列：a, b。最接近 generic，还缺少：–。"
    )


def test_a_value_with_braces_is_shown_as_it_is() -> None:
    row = written([RowError("a.csv", 2, "1", "date", "bad_date", "{0.__class__}")], "en")[0]

    assert "{0.__class__}" in row["reason"]


def test_an_unknown_kind_is_a_programming_error() -> None:
    with pytest.raises(KeyError):
        messages.worded("no_such_kind", {}, language="en")
