"""Codes and remarks of carriers: what wins, and what is nobody's."""

from __future__ import annotations

import time

import pytest

from orderhub.connectors.speech.codes import CodeMap
from orderhub.connectors.speech.flaws import Faulty

CODES = CodeMap.parse(
    [
        {"code": "30", "status": "in_transit", "milestone": "DEPARTED"},
        {"pattern": "派件|派送", "status": "out_for_delivery", "priority": 5},
        {"pattern": "签收", "status": "delivered", "priority": 6},
        {"code": "30", "pattern": "到达", "status": "in_transit", "milestone": "ARRIVED"},
        {"pattern": r"RETURN\w* TO.*SENDER", "status": "return_to_sender"},
        {"code": "99", "ignored": True},
    ]
)


@pytest.mark.parametrize(
    ("code", "remark", "status", "milestone"),
    [
        ("30", "快件已发车", "in_transit", "DEPARTED"),
        ("30", "快件到达 杭州", "in_transit", "ARRIVED"),
        ("30", "正在派送途中", "out_for_delivery", ""),
        ("", "派件中，本人签收", "delivered", ""),
        ("", "x RETURNED TO THE SENDER y", "return_to_sender", ""),
    ],
)
def test_the_meaning_with_priority_wins_then_the_one_that_says_more(
    code: str, remark: str, status: str, milestone: str
) -> None:
    found = CODES.lookup(code, remark)

    assert found is not None
    assert (found.status, found.milestone) == (status, milestone)


def test_what_nobody_said_is_nothing_and_what_is_ignored_is_known() -> None:
    assert CODES.lookup("31", "已揽收") is None
    assert CODES.lookup(None, None) is None
    found = CODES.lookup("99", "")
    assert found is not None
    assert found.ignored


def test_no_remark_makes_a_pattern_slow() -> None:
    nasty = CodeMap.parse([{"pattern": "a*a*a*a*a*a*a*b", "status": "lost"}])
    started = time.process_time()

    assert nasty.lookup("", "a" * 100_000) is None
    assert time.process_time() - started < 0.5


def test_a_list_says_everything_that_is_wrong_with_it_at_once() -> None:
    with pytest.raises(Faulty) as error:
        CodeMap.parse(
            [
                {"status": "x"},
                {"code": "1"},
                {"pattern": "(a|b", "status": "x"},
                {"code": 1, "state": "x"},
                "30",
            ]
        )

    assert {(flaw.path, flaw.code) for flaw in error.value.flaws} == {
        ("codes[0]", "code_or_pattern"),
        ("codes[1]", "means_nothing"),
        ("codes[2].pattern", "pattern_sign"),
        ("codes[3].state", "unknown_word"),
        ("codes[3].code", "not_text"),
        ("codes[3]", "code_or_pattern"),
        ("codes[3]", "means_nothing"),
        ("codes[4]", "not_object"),
        ("codes[4]", "code_or_pattern"),
        ("codes[4]", "means_nothing"),
    }
