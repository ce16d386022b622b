"""The pure engine: values of every kind, limits, definitions, and patterns against Python's own."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderhub.fields.engine import (
    Choice,
    Definition,
    Fault,
    Pattern,
    PatternError,
    from_text,
    parse,
    shown,
    to_text,
)
from orderhub.fields.filling import MOST_CHARACTERS, fill

CHOICES = (Choice("red", "红色", "Red"), Choice("gold", "金色", "Gold"))


def field(kind: str, **more: Any) -> Definition:
    return Definition(
        "order", "f", kind, "字段", "Field", **{"choices": CHOICES if "choice" in kind else (), **more}
    )


@pytest.mark.parametrize(
    ("kind", "given", "stored"),
    [
        ("text", "  a\nb ", "a\nb"),
        ("text", "", None),
        ("integer", 7, 7),
        ("integer", 0, 0),
        ("decimal", "12.50", "12.5"),
        ("decimal", 3, "3"),
        ("decimal", 0.1, "0.1"),
        ("decimal", "-0.0", "0"),
        ("money", "9.9", "9.9"),
        ("boolean", False, False),
        ("date", "2026-02-28", "2026-02-28"),
        ("time", "09:05", "09:05"),
        ("choice", "red", "red"),
        ("choice", "", None),
        ("choices", ["gold", "red", "gold"], ["red", "gold"]),
        ("choices", [], None),
        ("link", "https://a.cn/x?y=1", "https://a.cn/x?y=1"),
    ],
)
def test_values_are_stored_in_one_form(kind: str, given: Any, stored: Any) -> None:
    found = parse(field(kind), given)

    assert found == stored
    assert type(found) is type(stored)
    assert from_text(field(kind), to_text(field(kind), found)) == stored


@pytest.mark.parametrize(
    ("kind", "given", "code"),
    [
        ("text", 1, "field_text"),
        ("text", "x" * 2001, "field_long"),
        ("text", "a\x00b", "field_characters"),
        ("text", "\ud800", "field_characters"),
        ("integer", True, "field_integer"),
        ("integer", "7", "field_integer"),
        ("integer", 1.0, "field_integer"),
        ("integer", 10**16, "field_number_size"),
        ("decimal", "1e9", "field_decimal"),
        ("decimal", "NaN", "field_decimal"),
        ("decimal", "١", "field_decimal"),
        ("decimal", True, "field_decimal"),
        ("decimal", "9" * 16, "field_decimal"),
        ("decimal", "0.0000001", "field_places"),
        ("money", "1.005", "field_places"),
        ("boolean", "yes", "field_boolean"),
        ("boolean", 1, "field_boolean"),
        ("date", "2026-02-30", "field_date"),
        ("date", "26-2-3", "field_date"),
        ("time", "24:00", "field_time"),
        ("time", "9:05", "field_time"),
        ("choice", "blue", "field_choice"),
        ("choice", ["red"], "field_text"),
        ("choices", "red", "field_list"),
        ("choices", ["blue"], "field_choice"),
        ("choices", [["red"]], "field_text"),
        ("choices", ["red"] * 201, "field_most_chosen"),
        ("link", "javascript:alert(1)", "field_link"),
        ("link", "https://", "field_link"),
        ("link", "https://a b", "field_link"),
        ("link", "https://u:p@a.cn", "field_link"),
        ("link", "https://[", "field_link"),
        ("link", 'https://a/"x', "field_link"),
        ("text", {"a": 1}, "field_text"),
        ("integer", None, ""),
    ],
)
def test_hostile_values_are_refused(kind: str, given: Any, code: str) -> None:
    if not code:
        assert parse(field(kind), given) is None
        return
    with pytest.raises(Fault) as fault:
        parse(field(kind), given)
    assert fault.value.code == code


@pytest.mark.parametrize(
    ("kind", "limits", "good", "bad", "code"),
    [
        ("integer", {"least": "1", "most": "5"}, 5, 6, "field_most"),
        ("decimal", {"least": "0.5"}, "0.5", "0.49", "field_least"),
        ("date", {"least": "2026-11-22"}, "2026-11-22", "2026-11-21", "field_least"),
        ("time", {"most": "20:00"}, "20:00", "20:01", "field_most"),
        ("text", {"least": "2", "most": "3"}, "ab", "a", "field_length_least"),
        ("text", {"most": "3"}, "abc", "abcd", "field_length_most"),
        ("choices", {"least": "2"}, ["red", "gold"], ["red"], "field_count_least"),
        ("choices", {"most": "1"}, ["red"], ["red", "gold"], "field_count_most"),
        ("text", {"pattern": "[A-Z]{2}\\d+"}, "AB1", "AB", "field_pattern"),
    ],
)
def test_limits_count_their_ends_in(
    kind: str, limits: dict[str, str], good: Any, bad: Any, code: str
) -> None:
    assert parse(field(kind, **limits), good) == good
    with pytest.raises(Fault) as fault:
        parse(field(kind, **limits), bad)
    assert fault.value.code == code


def test_cells_are_read_in_both_languages() -> None:
    assert [from_text(field("boolean"), x) for x in ("是", "No", "1", "FALSE")] == [True, False, True, False]
    assert [from_text(field("choice"), x) for x in ("红色", "GOLD", "red")] == ["red", "gold", "red"]
    assert from_text(field("choices"), "金色；Red") == ["red", "gold"]
    assert from_text(field("date"), "2026/11/22") == "2026-11-22"
    assert [shown(field("choices"), ["red", "gold"], zh=zh) for zh in (True, False)] == [
        "红色、金色",
        "Red, Gold",
    ]
    assert shown(field("integer", unit="cm"), 42, zh=True) == "42 cm"


def test_all_values_together_keep_to_their_size() -> None:
    many = {f"f{n}": Definition("order", f"f{n}", "text", "字段") for n in range(200)}

    found = fill(many, dict.fromkeys(many, "字" * 160))

    assert found.faults[""].code == "fields_large"
    assert fill(many, dict.fromkeys(many, "字" * 100)).faults == {}
    assert MOST_CHARACTERS == 32_000


_ATOMS = st.sampled_from(["a", "b", "\\d", ".", "[ab]", "[^a]", "[0-9-]", "\\.", "中"])
_TIMES = st.sampled_from(["", "?", "*", "+", "{2}", "{1,3}", "{0,2}", "{2,}"])


@given(st.lists(st.tuples(_ATOMS, _TIMES), max_size=5), st.text(alphabet="ab1-.中x", max_size=12))
def test_patterns_mean_what_they_mean_elsewhere(parts: list[tuple[str, str]], text: str) -> None:
    pattern = "".join(atom + times for atom, times in parts)

    assert Pattern(pattern).matches(text) == bool(re.fullmatch(pattern, text, re.ASCII | re.DOTALL))


@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        ("(a+)+", "pattern_sign"),
        ("a|b", "pattern_sign"),
        ("^a$", "pattern_sign"),
        ("a{300}", "pattern_big"),
        ("[", "pattern_end"),
        ("[]", "pattern_class"),
        ("[z-a]", "pattern_range"),
        ("\\s", "pattern_escape"),
        ("\\", "pattern_end"),
        ("a{x}", "pattern_count"),
        ("a{3,2}", "pattern_count"),
        ("a{", "pattern_count"),
        ("*", "pattern_sign"),
        ("a**", "pattern_sign"),
        ("a" * 201, "pattern_long"),
        ("a{0}", "pattern_count"),
        ("(?=x)", "pattern_sign"),
        ("\\1", "pattern_escape"),
    ],
)
def test_what_is_not_in_the_dialect_is_refused(pattern: str, code: str) -> None:
    with pytest.raises(PatternError) as fault:
        Pattern(pattern)
    assert fault.value.code == code


@pytest.mark.parametrize("pattern", ["a*a*a*a*a*a*b", "[ab]*" * 39 + "c", "a?" * 90 + "a{90}", ".*.*.*.*x"])
def test_no_text_makes_a_pattern_slow(pattern: str) -> None:
    ready, began = Pattern(pattern), time.perf_counter()

    ready.matches("a" * 2000)

    assert time.perf_counter() - began < 2
