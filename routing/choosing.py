"""Which rule gives an order its strategy: conditions as JSON, and what they ask of an order.

Conditions (all that are given must hold): `channels` ids, `provinces` codes of China, `countries` ISO2 codes,
`is_remote`, `is_green`, `services`, `categories` of any line, `customer_levels` (the order's custom field
`customer_level`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orderhub.kernel import regions
from orderhub.orders.models import Order, OrderLine
from routing.models import StrategyRule

#: Conditions that list what they accept, and those that are yes or no.
LISTS = ("channels", "provinces", "countries", "services", "categories", "customer_levels")
FLAGS = ("is_remote", "is_green")
CONDITIONS = (*LISTS, *FLAGS)
#: Where a custom field of an order tells who its customer is.
LEVEL_FIELD = "customer_level"


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules look at of one order; sets are what it has of a list condition."""

    has: Mapping[str, frozenset[Any]]
    flags: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of a rule and whether the order fulfills it."""

    name: str
    wanted: Any
    holds: bool


def facts_of(
    orders: Sequence[Order],
    rules: Mapping[int, Sequence[StrategyRule]],
    lines: Mapping[int, Sequence[OrderLine]] | None,
    told: Mapping[int, frozenset[str]],
) -> dict[int, Facts]:
    """The facts per order; one query for the categories if a rule asks for them, no lines are at hand and
    nobody `told` them."""
    asked = {pk for pk, group in rules.items() if any("categories" in rule.conditions for rule in group)}
    wanting = [order for order in orders if order.merchant_id in asked and order.pk not in told]
    categories = {**(_categories(wanting, lines) if wanting else {}), **told}
    return {order.pk: facts(order, categories.get(order.pk, frozenset())) for order in orders}


def facts(order: Order, categories: Iterable[str] = ()) -> Facts:
    """What rules look at of an order with lines of these categories."""
    province = regions.find_province(order.country, order.province) if order.country == "CN" else None
    level = order.extra.get(LEVEL_FIELD) if isinstance(order.extra, Mapping) else None
    has = {
        "channels": frozenset([order.channel_id]),
        "provinces": frozenset([province.code] if province else []),
        "countries": frozenset([order.country]),
        "services": frozenset([order.service]),
        "categories": frozenset(categories),
        "customer_levels": frozenset([str(level)] if level not in (None, "") else []),
    }
    return Facts(has, {"is_remote": order.is_remote, "is_green": order.green})


def is_valid_at(rule: StrategyRule, now: datetime) -> bool:
    """Whether the rule's time has come and is not over; its end itself is outside."""
    since, until = rule.valid_from, rule.valid_until
    return (since is None or since <= now) and (until is None or now < until)


def checks(rule: StrategyRule, facts: Facts) -> list[Check]:
    """Every condition of a rule; one that nobody knows does not hold."""
    return [
        Check(name, wanted, _fulfills(name, wanted, facts))
        for name, wanted in rule.conditions.items()
        if wanted not in (None, [])
    ]


def holds(rule: StrategyRule, facts: Facts, now: datetime) -> bool:
    """Whether the rule gives this order its strategy now."""
    return is_valid_at(rule, now) and all(check.holds for check in checks(rule, facts))


def _fulfills(name: str, wanted: Any, facts: Facts) -> bool:
    if name in FLAGS:
        return facts.flags[name] is wanted
    return name in LISTS and isinstance(wanted, list) and not facts.has[name].isdisjoint(wanted)


def _categories(
    orders: Sequence[Order], lines: Mapping[int, Sequence[OrderLine]] | None
) -> dict[int, frozenset[str]]:
    if lines is not None and all(order.pk in lines for order in orders):
        return {
            order.pk: frozenset(line.sku.category for line in lines[order.pk] if line.sku.category)
            for order in orders
        }
    found: dict[int, set[str]] = {}
    rows = OrderLine.objects.filter(order__in=orders).exclude(sku__category="")
    for order_id, category in rows.values_list("order_id", "sku__category"):
        found.setdefault(order_id, set()).add(category)
    return {pk: frozenset(names) for pk, names in found.items()}
