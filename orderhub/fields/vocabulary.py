"""Fields as words of rules: `order.custom.gift_wrap`, `sku.custom.fragile`, `line.custom.length.max`.

Rules are asked about an order, which has several lines. Texts and choices of lines and SKUs are the list of all that
occur; yes/no holds if it does for any of them; of numbers and dates there are the smallest (`.min`) and the largest
(`.max`), of numbers the sum over all units (`.sum`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from orderhub.fields import queries
from orderhub.fields.engine import NUMBER_KINDS, Definition
from orderhub.fields.models import Field
from orderhub.fields.queries import Book
from rules import vocabulary
from rules.engine import CompiledRule, Fact
from rules.vocabulary import Drafted, Finding

#: The records whose fields rules may name, with their words in Chinese and English.
_TARGETS = {"order": ("", ""), "line": ("行：", "line: "), "sku": ("商品：", "SKU: ")}
#: Those that only drawn flows know, since only on their way warehouses are chosen.
_LATER = {"warehouse": ("发货仓：", "warehouse: ")}
_FLOW = "flow"
_TYPES = {
    "text": "text", "link": "text", "integer": "integer", "decimal": "number", "money": "money", "boolean": "boolean",
    "date": "datetime", "time": "datetime", "choice": "text", "choices": "list[text]",
}  # fmt: skip
_PARTS = {
    "min": ("（最小）", ", smallest"),
    "max": ("（最大）", ", largest"),
    "sum": ("（合计）", ", sum over units"),
}
MARK = ".custom."


def provide(purpose: str, scope: str, retired: bool) -> list[Fact]:
    """The words of a scope for the purposes that speak of orders; one query."""
    if "order.total" not in vocabulary.words(purpose).facts:
        return []
    return facts_of_scope(scope, retired=retired, is_flow=purpose == _FLOW)


def facts_of_scope(scope: str, *, retired: bool = False, is_flow: bool = False) -> list[Fact]:
    """All facts of a scope (`merchant:<id>`, or none for the fields of all merchants); one query."""
    rows = queries.of_scope(scope).filter(target__in=[*_TARGETS, *(_LATER if is_flow else ())])
    rows = rows if retired else rows.filter(archived_at=None)
    # An archived field of a code that is used again must not hide the new one.
    ordered = sorted(rows, key=lambda row: row.archived_at is None)
    return [fact for row in ordered for fact in facts_of(row.definition())]


def facts_of(field: Definition) -> Iterator[Fact]:
    """The facts one field makes."""
    zh, en = {**_TARGETS, **_LATER}[field.target]
    name, labels = f"{field.target}{MARK}{field.code}", (zh + field.zh, en + (field.en or field.zh))
    kind, choices = _TYPES[field.kind], tuple(field.codes)
    if field.target == "order" or kind == "boolean":
        yield Fact(name, kind, *labels, unit=field.unit, choices=choices)
    elif kind in ("text", "list[text]"):
        yield Fact(name, "list[text]", *labels, unit=field.unit, choices=choices)
    else:
        for part, (more_zh, more_en) in _PARTS.items():
            if part != "sum" or _has_sum(field):
                yield Fact(f"{name}.{part}", kind, labels[0] + more_zh, labels[1] + more_en, unit=field.unit)


def _has_sum(field: Definition) -> bool:
    """Whether the field is a number that counts for each unit; what a warehouse has does not."""
    return field.kind in NUMBER_KINDS and field.target not in _LATER


def names_of(field: Field) -> frozenset[str]:
    """What rules may call a field."""
    if field.target not in {**_TARGETS, **_LATER}:
        return frozenset()
    return frozenset(fact.name for fact in facts_of(field.definition()))


# ---- values -------------------------------------------------------------------------------------


def values(
    book: Book,
    order: Mapping[str, Any],
    lines: Sequence[tuple[Mapping[str, Any], Mapping[str, Any], int]],
    *,
    placed_at: datetime,
    time_zone: str,
) -> dict[str, object]:
    """The facts of one order: its own values, and per line those of the line, of its SKU, and its units.

    Dates count from midnight and times on the day of the order, in the channel's time zone.
    """
    found: dict[str, object] = {}
    clock = _Clock(placed_at, time_zone)
    for code, value in order.items():
        field = book.of("order").get(code)
        if field is not None:
            found[f"order{MARK}{code}"] = clock.read(field, value)
    found.update(_gathered(book.of("line"), "line", [(own, units) for own, _sku, units in lines], clock))
    found.update(_gathered(book.of("sku"), "sku", [(sku, units) for _own, sku, units in lines], clock))
    return found


def values_of_warehouses(
    book: Book, warehouses: Sequence[Mapping[str, Any]], *, placed_at: datetime, time_zone: str
) -> dict[str, object]:
    """The facts of the warehouses that are to ship one order."""
    rows = [(custom, 1) for custom in warehouses]
    return dict(_gathered(book.of("warehouse"), "warehouse", rows, _Clock(placed_at, time_zone)))


def _gathered(
    fields: Mapping[str, Definition],
    target: str,
    rows: Sequence[tuple[Mapping[str, Any], int]],
    clock: _Clock,
) -> Iterator[tuple[str, object]]:
    if not fields:
        return
    for code in {code for row, _units in rows for code in row}:
        field = fields.get(code)
        if field is None:
            continue
        there = [(clock.read(field, row[code]), units) for row, units in rows if code in row]
        yield from _together(field, f"{target}{MARK}{code}", there)


def _together(field: Definition, name: str, there: Sequence[tuple[Any, int]]) -> Iterator[tuple[str, object]]:
    if field.kind == "boolean":
        yield name, any(value for value, _units in there)
    elif _TYPES[field.kind] in ("text", "list[text]"):
        texts = {one for value, _units in there for one in (value if isinstance(value, list) else [value])}
        yield name, sorted(texts)
    else:
        yield f"{name}.min", min(value for value, _units in there)
        yield f"{name}.max", max(value for value, _units in there)
        if _has_sum(field):
            yield f"{name}.sum", sum(value * units for value, units in there)


def fact_of(field: Definition, value: Any, *, placed_at: datetime, time_zone: str) -> Any:
    """A stored value of an order as rules compare it."""
    return _Clock(placed_at, time_zone).read(field, value)


class _Clock:
    """Stored values as rules compare them."""

    def __init__(self, placed_at: datetime, time_zone: str) -> None:
        self._zone = ZoneInfo(time_zone)
        self._day = placed_at.astimezone(self._zone).date()

    def read(self, field: Definition, value: Any) -> Any:
        if field.kind in ("decimal", "money"):
            return Decimal(value)
        if field.kind == "date":
            return datetime.combine(date.fromisoformat(value), time(), self._zone)
        if field.kind == "time":
            return datetime.combine(self._day, time.fromisoformat(value), self._zone)
        return value


# ---- what is gone ---------------------------------------------------------------------------------


def review(set_code: str, scope: str, rules: Sequence[Drafted], now: datetime) -> Iterator[Finding]:
    """Fields that a draft names and that were removed; one query, none for drafts without fields."""
    if not any(MARK in name for one in rules for name in _facts(one.rule)):
        return
    rows = list(queries.of_scope(scope).filter(target__in=_TARGETS))
    facts = [(fact, row.archived_at is None) for row in rows for fact in facts_of(row.definition())]
    there = {fact.name for fact, is_active in facts if is_active}
    labels = {fact.name: (fact.zh, fact.en) for fact, _is_active in facts}
    for one in rules:
        for path, name in vocabulary.named(one.body.get("when")):
            if MARK in name and name not in there:
                zh, en = labels.get(name, (name, name))
                yield Finding(
                    "error", f"{one.rule.id}.{path}", "removed_field", f"自定义字段「{zh}」已被移除",
                    f"the custom field “{en}” was removed",
                )  # fmt: skip


def _facts(rule: CompiledRule) -> Iterable[str]:
    return rule.facts


vocabulary.teach_scoped(provide)
for _purpose in ("screen", "price"):
    vocabulary.teach_review(_purpose, review)
