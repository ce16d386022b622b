"""From a sample message to proposals: every path in it with an example, and which of them is likely which field of ours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rapidfuzz import fuzz

from orderhub.connectors.console.our_fields import FIELDS, LISTS, Ours
from orderhub.connectors.speech.moments import text_of

MOST_PATHS = 400
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS = re.compile(r"[^0-9a-z\u4e00-\u9fff]+")
#: A name must be this like, in percent, to be proposed at all.
LIKE_ENOUGH = 78.0
_CENTS = ("cent", "fen", "分", "minor")


@dataclass(frozen=True, slots=True)
class Found:
    """One value of a sample: its path from the message (or from an item of the list `inside`), and the value as text."""

    path: str
    value: str
    inside: str = ""
    is_list: bool = False
    raw: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A path for a field of ours with how it is read, how sure this is (percent), and a doubt to look at ("cents")."""

    path: str
    how: str
    sure: int
    doubt: str = ""


def message_of(tree: Any) -> tuple[Any, str]:
    """One message of a sample, and the path that splits a body which is a list of them ("" where it is one)."""
    if isinstance(tree, list):
        return (tree[0] if tree else {}), "_body"
    return tree, ""


#: Meanings of which one message usually holds several; the path of each is under `_up` where it stands around the list.
IN_LISTS = frozenset({"scan", "stock"})


def items_of(means: str, tree: Any) -> str:
    """The path of the list in a message whose items are each one thing of the meaning; "" where the message is one."""
    if means not in IN_LISTS:
        return ""
    lists = [one for one in paths(tree) if one.is_list and not one.inside]
    return max(lists, key=lambda one: len(one.raw), default=Found("", "")).path


def item_of(tree: Any, found: Any) -> Any:
    """An item of a list as a map sees it: its own values, and what is around it under `_up`."""
    first = found[0] if isinstance(found, list) and found else found
    return {**(first if isinstance(first, Mapping) else {"_item": first}), "_up": tree}


def paths(tree: Any) -> list[Found]:
    """Every value of a message with its path, in order; of a list of objects the first one stands for all."""
    found: list[Found] = []
    _walk(tree, "", "", found)
    return found[:MOST_PATHS]


def joined(first: str, name: str) -> str:
    """A path one step deeper; names that are not plain are quoted."""
    step = name if _PLAIN.fullmatch(name) else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{first}.{step}" if first else step


def _walk(node: Any, path: str, inside: str, found: list[Found]) -> None:
    if len(found) > MOST_PATHS:
        return
    if isinstance(node, Mapping):
        for name, value in node.items():
            _walk(value, joined(path, str(name)), inside, found)
    elif isinstance(node, list):
        first = next((item for item in node if isinstance(item, Mapping)), None)
        text = f"[{len(node)}]" if first is not None else ", ".join(text_of(item) for item in node[:5])
        found.append(Found(path, text, inside, first is not None, node))
        # A list in a list of ours is reached from its item by a path of the map's own.
        if first is not None and not inside:
            _walk(first, "", path, found)
    elif path:
        found.append(Found(path, "" if node is None else text_of(node)[:120], inside, False, node))


def proposals(means: str, found: Sequence[Found]) -> dict[tuple[str, str], Proposal]:
    """For each field of ours, by (list, name), the most likely path; the list itself is under (list, "")."""
    given: dict[tuple[str, str], Proposal] = {}
    top = [one for one in found if not one.inside and not one.is_list]
    given |= _assigned("", FIELDS.get(means, ()), top)
    for name, (fields, others, _zh, _en) in LISTS.get(means, {}).items():
        lists = [one for one in found if one.is_list and not one.inside]
        best = max(lists, key=lambda one: _list_score(one, found, others, fields), default=None)
        if best is None or _list_score(best, found, others, fields) < LIKE_ENOUGH:
            continue
        given[name, ""] = Proposal(best.path, "", round(_list_score(best, found, others, fields)))
        inner = [one for one in found if one.inside == best.path and not one.is_list]
        given |= _assigned(name, fields, inner)
    return given


def _assigned(inside: str, fields: Iterable[Ours], found: Sequence[Found]) -> dict[tuple[str, str], Proposal]:
    """The best pairs first; no path twice."""
    pairs = sorted(
        ((score, number, ours, one) for number, ours in enumerate(fields) for one in found
         if (score := _score(ours, one)) >= LIKE_ENOUGH),
        key=lambda pair: (-pair[0], pair[1], len(pair[3].path)),
    )  # fmt: skip
    given: dict[tuple[str, str], Proposal] = {}
    taken: set[str] = set()
    for score, _number, ours, one in pairs:
        if (inside, ours.name) in given or one.path in taken:
            continue
        how, doubt = reading(ours.sort, one)
        given[inside, ours.name] = Proposal(one.path, how, round(score), doubt)
        taken.add(one.path)
    return given


def _list_score(one: Found, found: Sequence[Found], others: Sequence[str], fields: Sequence[Ours]) -> float:
    """How much a list looks like one of ours: by its name, or by what its items hold."""
    named = max((_alike(_leaf(one.path), other) for other in others), default=0.0)
    inner = [part for part in found if part.inside == one.path]
    needed = [ours for ours in fields if ours.required]
    held = sum(any(_score(ours, part) >= LIKE_ENOUGH for part in inner) for ours in needed)
    return max(named, 95.0 * held / len(needed) if needed else 0.0)


def _score(ours: Ours, one: Found) -> float:
    """How likely the value is the field, 0 to 100: the name's likeness, less where the value cannot be of the sort."""
    leaf, two = _leaf(one.path), _plain(" ".join(_steps(one.path)[-2:]))
    name = max(max(_alike(leaf, other), _alike(two, other) - 2) for other in (ours.name, *ours.others))
    # Deep values are rarer; among equals the first step wins.
    name -= min(4, len(_steps(one.path)) - 1) * 0.5
    fits = _fits(ours.sort, one.value)
    return name + 3 if fits else name - 25 if fits is False else name


def _alike(first: str, second: str) -> float:
    second = _plain(second)
    if first == second:
        return 100.0
    # Two letters are like everything: short names must be equal.
    if min(len(first), len(second)) < 3 and first.isascii() and second.isascii():
        return 0.0
    if not second.isascii() and len(second) > 1 and second in first:
        return 90.0
    return min(94.0, max(fuzz.ratio(first, second), fuzz.token_set_ratio(first, second) - 6))


def _fits(sort: str, value: str) -> bool | None:
    """Whether a value may be of the sort; None where nothing can be said."""
    if not value:
        return None
    tests = {
        "amount": lambda: bool(re.fullmatch(r"-?\d+(\.\d+)?", value)),
        "whole": lambda: bool(re.fullmatch(r"\d{1,9}(\.0+)?", value)),
        "moment": lambda: bool(_how_moment(value)),
        "phone": lambda: bool(re.fullmatch(r"[\d+*() -]{5,24}", value)),
    }
    return tests[sort]() if sort in tests else None


def reading(sort: str, one: Found) -> tuple[str, str]:
    """How the value is best read, and a doubt: "cents" for a whole amount that may be one of hundredths."""
    if sort == "amount":
        named = any(word in one.path.lower() for word in _CENTS)
        if named:
            return "cents", ""
        return "amount", "cents" if one.value.isdigit() and len(one.value) > 2 else ""
    if sort == "moment":
        return _how_moment(one.value) or "local", ""
    return {"whole": "whole", "phone": "phone", "status": "table", "truth": "yes_no"}.get(sort, "text"), ""


def _how_moment(value: str) -> str:
    if value.isdigit() and len(value) in (10, 13):
        return "epoch" if len(value) == 10 else "epoch_ms"
    try:
        at = datetime.fromisoformat(value.strip().replace("/", "-"))
    except ValueError:
        return ""
    if value.isdigit() and len(value) < 8:
        return ""
    return "iso" if at.tzinfo is not None else "local"


def _steps(path: str) -> list[str]:
    return re.findall(r'"(?:[^"\\]|\\.)*"|[^.]+', path)


def _leaf(path: str) -> str:
    steps = _steps(path)
    return _plain(steps[-1]) if steps else ""


def _plain(text: str) -> str:
    """A name as plain words: orderNo, order-no and ORDER_NO are alike."""
    split = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", text.strip('"'))
    return _WORDS.sub(" ", split.lower()).strip()
