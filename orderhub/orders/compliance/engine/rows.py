"""Rows compiled and found: which version of each rule is in force on a lane, on a day."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from orderhub.orders.compliance.engine.language import DATES, KINDS, Row, RowError, Shipment

#: Groups of countries a lane may name; membership changes are releases of this table, the rows name the group.
_EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
GROUPS: Mapping[str, frozenset[str]] = {"EU": frozenset(_EU.split())}
STATUSES = frozenset({"in_force", "future", "verify", "ended"})
_SIZE = 4000
_PLACE = re.compile(r"(\*|[A-Z]{2})\Z")
# Patterns of numbers come from operators: only these signs, no repetition of repetitions, so matching is linear.
_PATTERN = re.compile(r"\^(?:[A-Z0-9]|\\d\{\d{1,2}\}|\[A-Z\]\{\d\}|\[A-Z0-9\]\{\d{1,2}(?:,\d{1,2})?\})+\$\Z")


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All versions of all rules, checked."""

    rows: tuple[Row, ...]

    def in_force(self, kind: str, shipment: Shipment) -> list[Row]:
        """The rows of a kind for this lane on the day that counts for the kind, general lanes first.

        Of one rule the newest version that covers the day counts. Of several rules with the same lane and kind about
        the same thing (`params.topic`, else the kind), a later one takes the place of an earlier one, param by param.
        """
        on = shipment.on(DATES.get(kind, "order"))
        found = [
            x for x in self.rows if x.kind == kind and covers(x, shipment.origin, shipment.destination, on)
        ]
        newest: dict[str, Row] = {}
        for row in sorted(found, key=lambda x: x.version):
            newest[row.rule] = row
        return _merged(newest.values())


def covers(row: Row, origin: str, destination: str, on: date) -> bool:
    """Whether the row speaks about this lane on that day."""
    if row.valid_from > on or (row.valid_to is not None and on >= row.valid_to):
        return False
    return _is_in(origin, row.origin) and _is_in(destination, row.destination)


def compile_rows(rows: Iterable[Row]) -> Rulebook:
    """Check every row; RowError names the rule and the field at fault."""
    found = tuple(_checked(row) for row in rows)
    names = [(row.rule, row.version) for row in found]
    for row in found:
        if names.count((row.rule, row.version)) > 1:
            raise RowError(row.rule, "version", zh="同一版本出现两次", en="the same version is there twice")
    return Rulebook(found)


def _is_in(place: str, wanted: str) -> bool:
    return wanted in ("*", place) or place in GROUPS.get(wanted, ())


def _merged(rows: Iterable[Row]) -> list[Row]:
    by_topic: dict[tuple[str, str, str], Row] = {}
    for row in sorted(rows, key=lambda x: (x.valid_from, x.rule)):
        topic = row.origin, row.destination, str(row.params.get("topic", row.rule))
        older = by_topic.pop(topic, None)
        by_topic[topic] = row if older is None else replace(row, params={**older.params, **row.params})
    return sorted(by_topic.values(), key=lambda x: (x.origin != "*", x.destination != "*", x.rule))


# ---- what a row must look like --------------------------------------------------------------------


def _checked(row: Row) -> Row:
    if row.kind not in KINDS:
        raise RowError(row.rule, "kind", zh=f"未知的种类 {row.kind[:40]}", en=f"unknown kind {row.kind[:40]}")
    for name, place in (("origin", row.origin), ("destination", row.destination)):
        if not (_PLACE.match(place) or place in GROUPS):
            raise RowError(
                row.rule, name, zh="须为两位国家代码、EU 或 *", en="must be a two-letter country, EU or *"
            )
    if row.status not in STATUSES:
        raise RowError(row.rule, "status", zh="状态不对", en="must be in_force, future, verify or ended")
    if row.valid_to is not None and row.valid_to <= row.valid_from:
        raise RowError(row.rule, "valid_to", zh="须晚于开始日期", en="must be after the first day")
    if len(str(row.params)) > _SIZE:
        raise RowError(row.rule, "params", zh="参数过大", en="are too large")
    for name, read in _PARAMS.get(row.kind, {}).items():
        optional = name.endswith("?")
        value = row.params.get(name.rstrip("?"))
        if value is None and optional:
            continue
        try:
            read(value)
        except (TypeError, ValueError, InvalidOperation):
            said = name.rstrip("?")
            raise RowError(
                row.rule, f"params.{said}", zh=f"{said} 的值不对", en=f"{said} is missing or wrong"
            ) from None
    return row


def _amount(value: Any) -> Decimal:
    if isinstance(value, bool | float):
        raise TypeError
    found = Decimal(value)
    if not found.is_finite() or found < 0:
        raise ValueError
    return found


def _currency(value: Any) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z]{3}", value):
        raise ValueError


def _texts(value: Any) -> None:
    if (
        not isinstance(value, Sequence)
        or isinstance(value, str)
        or not all(isinstance(x, str) for x in value)
    ):
        raise ValueError


def _text(value: Any) -> None:
    if not isinstance(value, str) or not value:
        raise ValueError


def _pattern(value: Any) -> None:
    if not isinstance(value, str) or len(value) > 80 or not _PATTERN.match(value):
        raise ValueError


def _digits(value: Any) -> None:
    if (
        not isinstance(value, Sequence)
        or not value
        or not all(type(x) is int and 4 <= x <= 13 for x in value)
    ):
        raise ValueError


_PARAMS: Mapping[str, Mapping[str, Callable[[Any], object]]] = {
    "hs_code": {"digits": _digits},
    "prohibited_goods": {"goods": _texts},
    "restricted_goods": {"un?": _texts, "goods?": _texts, "need": _texts},
    "documents": {"goods?": _texts, "need": _texts},
    "allow_list": {"list": _text, "key": _text},
    "value_limit": {"single_max": _amount, "currency": _currency},
    "value_limit_year": {"year_max": _amount, "currency": _currency},
    "quantity_limit_year": {"sugar_kg?": _amount, "rice_kg?": _amount},
    "tax": {
        "duty?": _amount,
        "vat_and_consumption_factor?": _amount,
        "consumption_tax?": _amount,
        "vat?": _amount,
    },
    "tax_number": {"number": _pattern, "intrinsic_max?": _amount, "currency?": _currency},
    "duty_per_item_kind": {"amount": _amount, "currency": _currency, "intrinsic_max": _amount},
    "value_regime": {
        "de_minimis?": _amount,
        "gift_max?": _amount,
        "intrinsic_max?": _amount,
        "duty?": _amount,
        "need?": _texts,
    },
    "screening": {"review_from": _amount},
    "identity": {"id": _text},
}
