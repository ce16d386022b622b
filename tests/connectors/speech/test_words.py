"""Every code somebody may see has a sentence in both languages, and no sentence is left over."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from orderhub.connectors.speech import signing, words
from orderhub.connectors.speech.flaws import Flaw
from orderhub.connectors.speech.mapping import Fault
from orderhub.fields.engine import patterns

FOLDER = Path(signing.__file__).parent
_CODE = re.compile(r"[a-z][a-z_]{2,}")
#: Which argument of a call is the code.
_CALLS = {"Unreadable": 0, "Bad": 0, "BadPath": 0, "PatternError": 0, "note": 1, "Fault": 2, "Flaw": 1}


def used(name: str, sources: list[Path]) -> set[str]:
    """The literal codes given to calls of a name."""
    found = set()
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Call):
                called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                at = _CALLS.get(name, 0)
                if called == name and len(node.args) > at:
                    found |= {
                        part.value
                        for part in ast.walk(node.args[at])
                        if isinstance(part, ast.Constant)
                        and isinstance(part.value, str)
                        and _CODE.fullmatch(part.value)
                    }
    return found


def test_every_code_has_a_sentence_and_every_sentence_a_code() -> None:
    ours = sorted(FOLDER.glob("*.py"))
    unreadable = used("Unreadable", ours)
    faults = used("Bad", ours) | used("Fault", ours) | unreadable
    flaws = (
        used("note", ours)
        | used("Flaw", ours)
        | used("BadPath", ours)
        | used("PatternError", [Path(patterns.__file__)])
    )

    assert unreadable == set(words.UNREADABLE)
    assert faults == set(words.FAULTS)
    # Two codes are returned by check_args, so no call names them.
    assert flaws | {"unknown_transform", "wrong_arguments", "wrong_argument"} == set(words.FLAWS)


@pytest.mark.parametrize("table", [words.UNREADABLE, words.FAULTS, words.FLAWS, words.VERDICTS])
def test_both_languages_use_facts_of_the_same_names(table: dict[str, tuple[str, str]]) -> None:
    for code, (zh, en) in table.items():
        assert zh.endswith(("。", "}")), code
        assert en.endswith((".", "}")), code
        assert sorted(re.findall(r"\{(\w+)\}", zh)) == sorted(re.findall(r"\{(\w+)\}", en)), code


def test_a_flaw_and_a_fault_are_said_with_their_place() -> None:
    one = Flaw("maps.order.fields[3].as[0]", "unknown_transform", {"name": "eval"})
    two = Fault("lines[2].qty", "line_items", "not_whole", "1.5")

    assert words.flaw(one, "en") == "maps.order.fields[3].as[0]: There is no transform eval."
    assert words.flaw(one, "zh-hans") == "maps.order.fields[3].as[0]: 没有名为 eval 的转换。"
    assert words.fault(two, "en") == "lines[2].qty (line_items): “1.5” is not a whole number."
    assert words.fault(Fault("", "", "not_json"), "en") == "The body is not valid JSON."
    assert words.say(words.FAULTS, "from_tomorrow", {}, "en") == "Something is wrong (from_tomorrow)."
    assert words.say(words.FLAWS, "out_of_range", {"value": 1}, "en") == "1 is not between – and –."
