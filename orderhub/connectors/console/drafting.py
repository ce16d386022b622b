"""A profile's draft as what the editor's forms show, and back: maps as rows, transforms by name, the rest untouched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orderhub.connectors.console import sampling
from orderhub.connectors.console.hows import how_of, says_itself, steps_of
from orderhub.connectors.console.our_fields import FIELDS, LISTS, STATES, find
from orderhub.connectors.speech import trees
from orderhub.connectors.speech.limits import Unreadable

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
    split, items, request = "", "", {"body": sample}
    try:
        tree = trees.read(sample.encode(), form)
        one, split = sampling.message_of(tree)
        items = sampling.items_of(means, one)
    except Unreadable:
        pass
    first: dict[str, Any] = {"means": means, **({"items": items} if items else {}), "fields": []}
    door: dict[str, Any] = {"form": form, "key": [], "routes": [{"when": [], "map": means}]}
    if split:
        door["split"] = split
    return {
        "code": code, "zh": zh, "en": en or zh, "role": role, "zone": zone, "currency": currency, "asks": [],
        "signatures": {}, "tables": {}, "maps": {means: first}, "door": door, "operations": {},
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


def with_rows(
    document: Mapping[str, Any], given: Iterable[Row], *, version: str = "", items: str | None = None
) -> dict[str, Any]:
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
    if items is not None:
        before["items"] = items.strip()
    return {name: value for name, value in before.items() if value not in ({}, "") or name == "fields"}


def _fields(known: Any, given: Iterable[Row]) -> list[dict[str, Any]]:
    before = {str(one.get("to", "")): one for one in known or () if isinstance(one, Mapping)}
    made = []
    for row in given:
        to, path = row.to.strip(), row.path.strip()
        if not to or not (path or says_itself(row.how, row.detail)):
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


SHOWN = (
    "alg", "key", "parts", "enc", "where", "prefix", "tolerance_s", "ts", "equals", "between", "compare", "nonce", "id",
)  # fmt: skip


def with_signature(document: Mapping[str, Any], rule: Mapping[str, Any] | None) -> dict[str, Any]:
    """The draft with this rule at its door; None takes it away."""
    name, before = signature(document)
    door = dict(document.get("door") or {"form": "json", "routes": []})
    others = {key: value for key, value in (document.get("signatures") or {}).items() if key != name}
    if rule is None:
        door.pop("signature", None)
        kept = {name: before} if before and is_used(document, name) else {}
        return {**document, "door": door, "signatures": {**others, **kept}}
    door["signature"] = name
    return {**document, "door": door, "signatures": {**others, name: merged(before, rule)}}


def is_used(document: Mapping[str, Any], name: str) -> bool:
    """Whether a call is signed by the rule of this name."""
    signed = (one.get("signature") or () for one in (document.get("operations") or {}).values())
    return any(name in ([one] if isinstance(one, str) else one) for one in signed)


def merged(before: Mapping[str, Any], rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule as the form says it, with what the form does not show."""
    return {**{key: value for key, value in before.items() if key not in SHOWN}, **rule}


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
