"""The figures of a strategy: their scales, their plain form in versions and drafts, and what is wrong with them.

In versions and drafts a figure is JSON: decimals as plain text, the parcel limit a number or null, the
criteria of a sequential strategy a list. Versions older than a figure mean its default.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from routing.engine.model import CRITERIA as CRITERIA
from routing.engine.model import RATES as RATES

Text = str | Promise

FIGURES = (*RATES, "max_parcels", "allow_partial", "order")
DEFAULTS: Mapping[str, Any] = {
    "yuan_per_hour": "0.08",
    "yuan_per_hour_remote": "0.5",
    "yuan_per_kgco2e": "0.5",
    "stock_price_factor": "1",
    "yuan_per_extra_parcel": "2",
    "forward_bonus": "0",
    "capacity_price_factor": "1",
    "max_parcels": None,
    "allow_partial": True,
    "order": [],
}
#: What the database column of a rate holds.
MOST = Decimal("99999.9999")
MOST_PARCELS = 1000

CRITERION_WORDS: Mapping[str, Text] = {
    "parcels": _("fewest parcels"),
    "hours": _("fewest hours"),
    "money": _("least yuan"),
    "kgco2e": _("least CO2e"),
    "forward": _("forward warehouses first"),
    "distance": _("nearest"),
}


@dataclass(frozen=True, slots=True)
class Scale:
    """A slider's stated ends; `log` between them, and if `off`, its left end is zero."""

    low: str
    high: str
    kind: Literal["log", "linear"] = "log"
    off: bool = False


SCALES: Mapping[str, Scale] = {
    "yuan_per_hour": Scale("0.01", "1"),
    "yuan_per_hour_remote": Scale("0.01", "1"),
    "yuan_per_kgco2e": Scale("0.1", "20"),
    "stock_price_factor": Scale("0", "2", "linear", off=True),
    "yuan_per_extra_parcel": Scale("0.2", "10", off=True),
    "forward_bonus": Scale("0.2", "20", off=True),
    "capacity_price_factor": Scale("0", "2", "linear", off=True),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one figure and what to do about it; an empty field means several together."""

    field: str
    code: str
    message: Text
    remedy: Text

    def __str__(self) -> str:
        message = str(self.message)
        return f"{message}{'' if message.endswith('。') else ' '}{self.remedy}".strip()


def plain(value: Decimal) -> str:
    """A decimal as it stands in a version: no exponent, no trailing zeros."""
    return f"{value.normalize():f}" if value else "0"


def complete(values: Mapping[str, Any]) -> dict[str, Any]:
    """The figures alone, with the defaults of those the values do not name."""
    return {name: values.get(name, DEFAULTS[name]) for name in FIGURES}


def changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The names of the figures that differ, in their usual order."""
    before, after = complete(old), complete(new)
    return [name for name in FIGURES if before[name] != after[name]]


def check(values: Mapping[str, Any]) -> list[Fault]:
    """Everything wrong with figures as JSON; empty if they may route orders."""
    found = [fault for name in RATES for fault in _rate_faults(name, values.get(name, DEFAULTS[name]))]
    found += _limit_faults(values.get("max_parcels"))
    if not isinstance(values.get("allow_partial", True), bool):
        found.append(
            Fault("allow_partial", "not_yes_or_no", _("Neither yes nor no."), _("Give true or false."))
        )
    return [*found, *_order_faults(values.get("order", []))]


def _rate_faults(name: str, value: Any) -> Iterable[Fault]:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        yield Fault(name, "not_a_number", _("Not a number."), _("Write it like 0.08."))
    elif amount < 0:
        yield Fault(
            name,
            "negative",
            _("Must not be below zero."),
            _("A negative figure would pay for what it should avoid; 0 leaves it out of account."),
        )
    elif amount > MOST:
        yield Fault(name, "too_large", _("Too large."), _("At most 99,999.9999 can be kept."))


def _limit_faults(limit: Any) -> Iterable[Fault]:
    if limit is None:
        return
    remedy = _("At least one parcel, or empty for no limit.")
    if isinstance(limit, bool) or not isinstance(limit, int):
        yield Fault("max_parcels", "not_a_number", _("Not a whole number."), remedy)
    elif limit < 1:
        yield Fault("max_parcels", "no_parcels", _("No order could be sent at all."), remedy)
    elif limit > MOST_PARCELS:
        yield Fault("max_parcels", "too_large", _("Too large."), _("Leave it empty for no limit."))


def _order_faults(order: Any) -> Iterable[Fault]:
    if not isinstance(order, Sequence) or isinstance(order, str):
        yield Fault("order", "not_a_list", _("Not a list of criteria."), _("Give their codes in order."))
        return
    unknown = [str(code) for code in order if code not in CRITERIA]
    if unknown:
        text = _("Unknown criteria: %(names)s.") % {"names": ", ".join(unknown)}
        remedy = _("There are: %(names)s.") % {"names": ", ".join(CRITERIA)}
        yield Fault("order", "unknown_criteria", text, remedy)
    if len({str(code) for code in order}) != len(order):
        yield Fault(
            "order",
            "criterion_twice",
            _("A criterion stands in the order twice."),
            _("Give each its own place."),
        )
