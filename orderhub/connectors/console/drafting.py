"""A profile's draft as what the editor's forms show, and back: maps as rows, transforms by name, the rest untouched."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orderhub.connectors.console import sampling
from orderhub.connectors.console.our_fields import FIELDS, LISTS, STATES, find
from orderhub.connectors.speech import trees
from orderhub.connectors.speech.limits import Unreadable

#: How a value is read, with the words of the choice; what has an argument asks for it in the field beside.
HOWS: Mapping[str, tuple[str, str]] = {
    "text": ("文字", "text"), "as_is": ("原样", "as it is"), "amount": ("金额", "amount"),
    "cents": ("金额（单位：分）", "amount in cents"), "whole": ("整数", "whole number"), "yes_no": ("是 / 否", "yes or no"),
    "local": ("当地时间", "local time"), "iso": ("带时区的时间", "time with a zone"),
    "epoch": ("秒时间戳", "seconds since 1970"), "epoch_ms": ("毫秒时间戳", "milliseconds since 1970"),
    "packed": ("按格式的时间…", "time in a format…"), "phone": ("电话", "phone"), "table": ("对照表…", "table…"),
    "fixed": ("固定值…", "fixed value…"), "default": ("为空时用…", "if empty…"), "first": ("第一个", "the first"),
    "join": ("连接成一段", "joined"), "upper": ("大写", "capitals"), "strip": ("去空格", "without blanks"),
    "unexcel": ("表格编号", "id out of a spreadsheet"), "own": ("自写（JSON）…", "own (JSON)…"),
}  # fmt: skip
_PLAIN_STEPS: Mapping[str, list[Any]] = {
    "as_is": [], "text": ["str"], "amount": ["dec"], "cents": ["cents"], "whole": ["int"], "yes_no": ["bool"],
    "local": ["local"], "iso": ["iso"], "epoch": ["epoch"], "epoch_ms": ["epoch_ms"], "phone": ["phone"],
    "first": ["first"], "join": ["join"], "upper": ["upper"], "strip": ["strip"], "unexcel": ["unexcel"],
}  # fmt: skip
_WITH_ONE = {"packed_date": "packed", "const": "fixed", "default": "default"}
BLANK_ROWS = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table of a map: our field, in which list it is, their path, how it is read, whether it must be there."""

    to: str
    path: str = ""
    how: str = "text"
    detail: str = ""
    required: bool = False
    inside: str = ""


def skeleton(
    *, code: str, zh: str, en: str, role: str, means: str, form: str, sample: str, zone: str, currency: str
) -> dict[str, Any]:
    """The draft of a new profile around one sample: a door that reads it, one map, one test without its expectation."""
    split, request = "", {"body": sample}
    try:
        tree = trees.read(sample.encode(), form)
        split = sampling.message_of(tree)[1]
    except Unreadable:
        pass
    door: dict[str, Any] = {"form": form, "key": [], "routes": [{"when": [], "map": means}]}
    if split:
        door["split"] = split
    return {
        "code": code, "zh": zh, "en": en or zh, "role": role, "zone": zone, "currency": currency, "asks": [],
        "signatures": {}, "tables": {}, "maps": {means: {"means": means, "fields": []}}, "door": door, "operations": {},
        "schedules": [], "verified": [], "tests": [{"name": means, "kind": "in", "request": request}],
    }  # fmt: skip


# ---- maps ----------------------------------------------------------------------------------------


def rows(document: Mapping[str, Any]) -> list[Row]:
    """Every line of a map: our known fields first, in our order, then those it has besides, then a few empty ones."""
    means = str(document.get("means", ""))
    made = _rows_of(FIELDS.get(means, ()), document.get("fields"), "")
    made += [Row("", how="text") for _n in range(BLANK_ROWS)]
    each = document.get("each") or {}
    for name, (fields, _others, _zh, _en) in LISTS.get(means, {}).items():
        part = each.get(name) or {}
        made.append(
            Row("", str(part.get("from", "")), "", "", bool(part.get("required", name == "lines")), name)
        )
        made += _rows_of(fields, part.get("fields"), name)
    return made


def _rows_of(known: Iterable[Any], fields: Any, inside: str) -> list[Row]:
    given = {str(one.get("to", "")): one for one in fields or () if isinstance(one, Mapping)}
    made = [
        _row(given.pop(ours.name), inside) if ours.name in given
        else Row(ours.name, "", _first_how(ours.sort), "", ours.required, inside)
        for ours in known
    ]  # fmt: skip
    return made + [_row(one, inside) for one in given.values()]


def _first_how(sort: str) -> str:
    return {"amount": "amount", "whole": "whole", "moment": "local", "status": "table", "phone": "phone"}.get(
        sort, "text"
    )


def _row(one: Mapping[str, Any], inside: str) -> Row:
    how, detail = how_of(one.get("as") or [])
    return Row(
        str(one.get("to", "")), str(one.get("from") or ""), how, detail, bool(one.get("required")), inside
    )


def how_of(steps: Sequence[Any]) -> tuple[str, str]:
    """The choice a list of transforms is, and its argument as text; what is no choice of ours is shown as JSON."""
    for how, plain in _PLAIN_STEPS.items():
        if list(steps) == plain:
            return how, ""
    if len(steps) == 1 and isinstance(steps[0], list) and len(steps[0]) == 2:
        name, argument = steps[0]
        if name == "map":
            return "table", f"@{argument}" if isinstance(argument, str) else table_text(argument)
        if name in _WITH_ONE and isinstance(argument, str):
            return _WITH_ONE[name], argument
    return "own", json.dumps(list(steps), ensure_ascii=False)


def steps_of(how: str, detail: str) -> list[Any]:
    """The transforms of a choice; raises ValueError for JSON that is none."""
    detail = detail.strip()
    if how == "table":
        return [["map", detail[1:] if detail.startswith("@") else table_of(detail)]] if detail else []
    if how in _WITH_ONE.values():
        name = next(name for name, choice in _WITH_ONE.items() if choice == how)
        return [[name, detail]]
    if how == "own":
        found = json.loads(detail or "[]")
        if not isinstance(found, list):
            raise ValueError("not a list")
        return found
    return list(_PLAIN_STEPS.get(how, []))


def table_of(text: str) -> dict[str, str]:
    """`WAIT=created; PAID=paid` as a table; a full-width sign or a new line parts as well."""
    for sign, plain in (("；", ";"), ("＝", "="), ("\n", ";"), ("，", ";"), ("→", "=")):
        text = text.replace(sign, plain)
    pairs = (part.partition("=") for part in text.split(";") if "=" in part)
    return {left.strip(): right.strip() for left, _sign, right in pairs}


def table_text(table: Mapping[str, Any]) -> str:
    """A table as one line of text."""
    return "; ".join(f"{left}={right}" for left, right in table.items())


def with_rows(document: Mapping[str, Any], given: Iterable[Row], *, version: str = "") -> dict[str, Any]:
    """The map with the lines of the form; what the form does not show (deeper lists, notes) stays. Raises ValueError."""
    before = {**document}
    lines = list(given)
    before["fields"] = _fields(document.get("fields"), [row for row in lines if not row.inside])
    each = dict(before.get("each") or {})
    for name in LISTS.get(str(document.get("means", "")), {}):
        own = [row for row in lines if row.inside == name]
        head = next((row for row in own if not row.to), None)
        if head is None or not head.path.strip():
            each.pop(name, None)
            continue
        part = {**(each.get(name) or {}), "from": head.path.strip()}
        part["fields"] = _fields(part.get("fields"), [row for row in own if row.to])
        part["required"] = head.required
        each[name] = part
    before["each"] = each
    before.pop("version", None)
    if version.strip():
        before["version"] = version.strip()
    return {name: value for name, value in before.items() if value not in ({},) or name == "fields"}


def _fields(known: Any, given: Iterable[Row]) -> list[dict[str, Any]]:
    before = {str(one.get("to", "")): one for one in known or () if isinstance(one, Mapping)}
    made = []
    for row in given:
        to, path = row.to.strip(), row.path.strip()
        if not to or not (path or (row.how == "fixed" and row.detail.strip())):
            continue
        kept = {name: value for name, value in before.get(to, {}).items() if name in ("keep", "about")}
        one: dict[str, Any] = {"to": to, **({"from": path} if path else {}), **kept}
        steps = steps_of(row.how, row.detail)
        made.append(one | ({"as": steps} if steps else {}) | ({"required": True} if row.required else {}))
    return made


def proposed(
    document: Mapping[str, Any], tree: Any, *, currency: str = ""
) -> tuple[list[Row], dict[str, str]]:
    """The lines of a map with a proposal in each that has no path yet, and the doubts by `list.field`."""
    means = str(document.get("means", ""))
    found = sampling.paths(tree)
    known = sampling.proposals(means, found)
    values = {(one.inside, one.path): one.value for one in found}
    lists = {name: proposal.path for (name, field), proposal in known.items() if name and not field}
    made, doubts = [], {}
    for row in rows(document):
        hint = known.get((row.inside, row.to)) if row.to or row.inside else None
        if row.to == "currency" and hint is None and not row.path and currency:
            made.append(Row(row.to, "", "fixed", currency))
            continue
        if row.path or row.how == "fixed" or hint is None:
            made.append(row)
            continue
        detail = row.detail
        if hint.how == "table" and not detail:
            detail = _first_table(means, values.get((lists.get(row.inside, ""), hint.path), ""))
        made.append(Row(row.to, hint.path, hint.how or row.how, detail, row.required, row.inside))
        if hint.doubt:
            doubts[f"{row.inside}.{row.to}"] = hint.doubt
    return made, doubts


def _first_table(means: str, value: str) -> str:
    """A table to begin with: their value and, where it is one of our words, the same."""
    if not value:
        return ""
    states = STATES.get(means, ())
    low = value.lower()
    likely = next((state for state in states if state == low), "") or next(
        (state for state in states if state in low or low in state), ""
    )
    if not likely and means == "order":
        likely = next((state for words, state in _ORDER_WORDS if any(word in low for word in words)), "paid")
    return f"{value}={likely}"


_ORDER_WORDS = (
    (("wait_pay", "pending", "unpaid", "待付", "new"), "created"),
    (("wait_send", "wait_seller", "processing", "待发", "已付"), "paid"),
    (("ship", "sent", "send", "已发"), "shipped"), (("cancel", "取消"), "cancelled"),
    (("close", "关闭"), "closed"), (("finish", "success", "complete", "完成"), "completed"),
)  # fmt: skip


def label(means: str, row: Row, *, zh: bool) -> str:
    """What a line is called."""
    if row.inside and not row.to:
        _known, _others, name_zh, name_en = LISTS[means][row.inside]
        return f"{name_zh}（列表）" if zh else f"{name_en} (list)"
    ours = find(means, row.inside, row.to)
    return ours.label(zh) if ours else row.to


# ---- other parts ---------------------------------------------------------------------------------


def signature(document: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The name and rule of the door's signature; an empty rule where it has none."""
    door = document.get("door") or {}
    name = str(door.get("signature") or "")
    return name or "push", dict((document.get("signatures") or {}).get(name) or {})


def with_signature(document: Mapping[str, Any], rule: Mapping[str, Any] | None) -> dict[str, Any]:
    """The draft with this rule at its door; None takes it away."""
    name, before = signature(document)
    door = dict(document.get("door") or {"form": "json", "routes": []})
    others = {key: value for key, value in (document.get("signatures") or {}).items() if key != name}
    if rule is None:
        door.pop("signature", None)
        return {**document, "door": door, "signatures": others}
    shown = ("alg", "key", "parts", "enc", "where", "prefix", "tolerance_s", "ts")
    kept = {key: value for key, value in before.items() if key not in shown}
    door["signature"] = name
    return {**document, "door": door, "signatures": {**others, name: {**kept, **rule}}}


def with_expected(document: Mapping[str, Any], number: int, expected: Any) -> dict[str, Any]:
    """The draft with this result as what its test of that number wants."""
    tests = list(document.get("tests") or [])
    tests[number] = {**tests[number], "expected": expected}
    return {**document, "tests": tests}


def expectation(got: Any) -> Any:
    """What of a result a test holds on to: what it means, its version and fields; empty fields are left out."""
    if not isinstance(got, list):
        return got
    return [
        {name: _filled(part[name]) for name in ("became", "means", "version", "value", "faults") if name in part}
        for part in got
    ]  # fmt: skip


def _filled(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _filled(inner) for name, inner in value.items() if inner not in (None, "", [], {})}
    return [_filled(inner) for inner in value] if isinstance(value, list) else value


def differences(before: Any, after: Any, path: str = "") -> list[tuple[str, Any, Any]]:
    """Where two documents differ: path, the old and the new value (None where there is none)."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        found: list[tuple[str, Any, Any]] = []
        for name in dict.fromkeys([*before, *after]):
            found += differences(before.get(name), after.get(name), f"{path}.{name}" if path else str(name))
        return found
    if isinstance(before, list) and isinstance(after, list):
        found = []
        for at in range(max(len(before), len(after))):
            old, new = (side[at] if at < len(side) else None for side in (before, after))
            found += differences(old, new, f"{path}[{at}]")
        return found
    return [] if before == after else [(path, before, after)]
