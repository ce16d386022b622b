"""Personal values of a message behind marks: who may not see them can still read, correct and replay the rest."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

_PERSON = re.compile(
    r"receiver|recipient|consignee|buyer|customer|contact|shipping|billing|first_?name|last_?name|full_?name|surname|"
    r"收货|收件|买家|客户|姓名|联系人", re.IGNORECASE,
)  # fmt: skip
_ALWAYS = re.compile(
    r"phone|mobile|tel$|telephone|e?mail$|address|street|addr|id_?card|passport|zip|postcode|postal|lat$|latitude|lng$|"
    r"longitude|ip$|电话|手机|地址|邮箱|邮编|身份证", re.IGNORECASE,
)  # fmt: skip
_NAME = re.compile(r"name$|nick$|名$|姓名", re.IGNORECASE)
_MARK = re.compile(r"‹([^‹›·]{0,40})·(\d{1,4})›")


def personal_values(tree: Any, known: Iterable[Any] = ()) -> list[str]:
    """The texts in a tree that tell who or where somebody is, longest first; `known` are values a map found to be such."""
    found = {text for value in known for text in _texts(value)}
    _collect(tree, "", False, found)
    return sorted((text for text in found if len(text) > 1), key=lambda text: (-len(text), text))


def veil(text: str, values: Collection[str]) -> tuple[str, dict[str, str]]:
    """The text with a mark for every personal value, and what stands behind each mark."""
    marks: dict[str, str] = {}
    for number, value in enumerate(values, 1):
        for form in dict.fromkeys(
            (value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
        ):
            # A number is not looked for inside a longer one.
            pattern = rf"(?<!\d){re.escape(form)}(?!\d)" if form.isdigit() else re.escape(form)
            mark = f"‹{_hint(value)}·{number}›"
            text, count = re.subn(pattern, mark.replace("\\", ""), text)
            if count:
                marks[mark] = form
    return text, marks


def unveil(text: str, marks: Mapping[str, str]) -> str:
    """The text with the values back; raises KeyError for a mark that was never given."""
    return _MARK.sub(lambda hit: marks[hit.group()], text)


def masked(value: Any, names: Collection[str]) -> Any:
    """A document of ours with the fields of these names hidden, at any depth but in lists of goods."""
    if isinstance(value, Mapping):
        return {
            name: (_hint(str(inner)) if name in names and inner not in (None, "", {}, []) else masked(inner, names))
            if name != "lines" else inner
            for name, inner in value.items()
        }  # fmt: skip
    return [masked(inner, names) for inner in value] if isinstance(value, list) else value


def _collect(node: Any, name: str, of_person: bool, found: set[str]) -> None:
    if isinstance(node, Mapping):
        person = of_person or bool(_PERSON.search(name)) or _describes_somebody(node)
        for key, value in node.items():
            _collect(value, str(key), person, found)
    elif isinstance(node, list):
        for value in node:
            _collect(value, name, False, found)
    elif node not in (None, "", True, False) and (
        _ALWAYS.search(name)
        or (_PERSON.search(name) and _NAME.search(name))
        or (of_person and _NAME.search(name))
    ):
        found.add(str(node))


def _describes_somebody(node: Mapping[str, Any]) -> bool:
    return any(re.search(r"phone|mobile|tel$|电话|手机", str(key), re.IGNORECASE) for key in node)


def _texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [text for inner in value.values() for text in _texts(inner)]
    return [str(value)] if value not in (None, "", [], {}) and not isinstance(value, bool | list) else []


def _hint(value: str) -> str:
    """What may be seen: one character of a text, the last two digits of a number."""
    digits = "".join(filter(str.isdigit, value))
    if len(digits) > 6 and len(digits) > len(value) // 2:
        return f"***{digits[-2:]}"
    plain = re.sub(r"[‹›·\s]", "", value)
    return f"{plain[:1]}***"
