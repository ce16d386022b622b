"""Rules as sentences in Chinese and English, built from the labels of the vocabulary."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rules.engine.compile import compile_condition, compile_rule
from rules.engine.language import Fact, Vocabulary

_SLOT = re.compile(r"\{(\w+)\}")
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
#: Units as they are read in Chinese; others are written alike.
_ZH_UNITS = {
    "h": "小时",
    "d": "天",
    "s": "秒",
    "min": "分钟",
    "km/h": "公里/小时",
    "km": "公里",
    "kg": "公斤",
    "g": "克",
}
_VERBS = {
    "zh": {
        "==": "等于",
        "!=": "不等于",
        "<": "小于",
        "<=": "不超过",
        ">": "大于",
        ">=": "不少于",
        "in": "属于",
        "not_in": "不属于",
        "contains": "包含",
        "starts_with": "开头是",
        "between": "介于",
        "within": "在",
    },
    "en": {
        "==": "is",
        "!=": "is not",
        "<": "is below",
        "<=": "is at most",
        ">": "is above",
        ">=": "is at least",
        "in": "is one of",
        "not_in": "is none of",
        "contains": "contains",
        "starts_with": "starts with",
        "between": "is between",
        "within": "is within",
    },
}


def sentence(tree: object, vocabulary: Vocabulary, language: str) -> str:
    """Text, in ``zh`` or ``en``, of a condition or a whole rule; RuleError if it does not compile."""
    if isinstance(tree, Mapping) and "then" in tree:
        compile_rule(tree, vocabulary)
        given = _phrase(tree["when"], vocabulary, language, top=True)
        deeds = [_deed(deed, vocabulary, language) for deed in tree["then"]]
        if tree["when"] == {"all": []}:
            return (
                f"任何情况下：{'、'.join(deeds)}"
                if language == "zh"
                else f"In every case: {', '.join(deeds)}"
            )
        if language == "zh":
            return f"如果{given}，则{'、'.join(deeds)}"
        return f"If {given}, then {', '.join(deeds)}"
    compile_condition(tree, vocabulary)
    return _phrase(tree, vocabulary, language, top=True)


def _phrase(tree: Any, vocabulary: Vocabulary, language: str, *, top: bool = False) -> str:
    """One condition; groups inside groups are put in brackets."""
    zh = language == "zh"
    if "fact" in tree:
        return _comparison(vocabulary.facts[tree["fact"]], tree["op"], tree["value"], zh=zh)
    if "not" in tree:
        inner = _phrase(tree["not"], vocabulary, language, top=True)
        return f"并非（{inner}）" if zh else f"not ({inner})"
    word = "all" if "all" in tree else "any"
    parts = [_phrase(part, vocabulary, language, top=len(tree[word]) == 1) for part in tree[word]]
    if not parts:
        return "任何情况" if zh else "in every case"
    glue = {"all": "且" if zh else " and ", "any": "或" if zh else " or "}[word]
    text = glue.join(parts)
    if top or len(parts) == 1:
        return text
    return f"（{text}）" if zh else f"({text})"


def _comparison(fact: Fact, op: str, value: Any, *, zh: bool) -> str:
    label = fact.zh if zh else fact.en
    if op == "is_set":
        state = ("已填写" if value else "未填写") if zh else ("is set" if value else "is not set")
        return f"{label}{state}" if zh else f"{label} {state}"
    if fact.type == "boolean":
        yes = value if op == "==" else not value
        return f"{label}{'为是' if yes else '为否'}" if zh else f"{label} is {'yes' if yes else 'no'}"
    if fact.type == "list[text]" and op != "contains":
        verb = {"in": "含有其一：" if zh else "has any of", "not_in": "不含：" if zh else "has none of"}[op]
    else:
        verb = _VERBS["zh" if zh else "en"][op]
    unit = _ZH_UNITS.get(fact.unit, fact.unit) if zh else fact.unit
    operand = _operand(
        value, "" if op == "within" else unit, zh=zh, glue=("–" if zh else " and ") if op == "between" else ""
    )
    return f"{label}{verb}{operand}" if zh else f"{label} {verb} {operand}"


def _operand(value: Any, unit: str, *, zh: bool, glue: str = "") -> str:
    """The right side with its unit; a leading currency sign goes before the figure."""
    if isinstance(value, Mapping):
        return f"{value['from']}–{value['to']}"
    if isinstance(value, (list, tuple)):
        return (glue or ("、" if zh else ", ")).join(_operand(v, unit, zh=zh) for v in value)
    if not unit:
        return f"「{value}」" if zh and isinstance(value, str) and not value[:1].isdigit() else str(value)
    return f"{unit}{value}" if unit in "¥$€£" else f"{value} {unit}"


def _deed(deed: Any, vocabulary: Vocabulary, language: str) -> str:
    action = vocabulary.actions[deed["do"]]
    zh, values = language == "zh", deed.get("with", {})
    if template := action.say[0 if zh else 1]:
        return _filled(template, values, zh=zh)
    label = action.zh if zh else action.en
    words = {name: pair[0 if zh else 1] for name, pair in action.labels.items()}
    given = [f"{words.get(name, name)}={_plain(value)}" for name, value in sorted(values.items())]
    if not given:
        return label
    return f"{label}（{'，'.join(given)}）" if zh else f"{label} ({', '.join(given)})"


def _filled(template: str, values: Mapping[str, Any], *, zh: bool) -> str:
    """The template with its values put in as they are: nothing in a value is ever read as a template."""

    def segment(found: re.Match[str]) -> str:
        inner = found[1]
        return inner if all(values.get(name) not in (None, False) for name in _SLOT.findall(inner)) else ""

    text = _OPTIONAL.sub(segment, template)
    return _SLOT.sub(lambda found: _shown(values.get(found[1], ""), zh=zh), text)


def _shown(value: Any, *, zh: bool) -> str:
    if value is True:
        return ""
    return ("、" if zh else ", ").join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
