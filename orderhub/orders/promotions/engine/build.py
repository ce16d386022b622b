"""From a compiled rule to a promotion: its deeds, and the limits its modifiers set."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from orderhub.orders.promotions.engine import deeds, goods
from orderhub.orders.promotions.engine.model import Gift, Promotion
from rules.engine import CompiledRule, FiredAction

#: Amounts of a promotion that names no currency are in this one.
HOME_CURRENCY = "CNY"
#: Parameters that are money, by action; with one of them a promotion counts in one currency only.
MONEY_PARAMS = {"value", "full", "off", "price"}
_NO_MONEY = {("percent_off", "value")}


def promotion(
    rule: CompiledRule,
    *,
    set_code: str,
    scope: str = "",
    version: int,
    since: datetime | None = None,
    until: datetime | None = None,
    name_en: str = "",
    money_facts: Collection[str] = (),
) -> Promotion:
    """The promotion that a rule, checked by `promotions.words.check`, describes."""
    said = {action.do: dict(action.params) for action in rule.actions}
    limits, cap = said.get("limit_uses", {}), said.get("cap")
    return Promotion(
        key=f"{set_code}/{rule.id}",
        counter=f"{scope or 'all'}/{set_code}/{rule.id}",
        version=version,
        rule=rule,
        since=since,
        until=until,
        deeds=tuple(deeds.KINDS[x.do](x.params) for x in rule.actions if x.do in deeds.KINDS),
        gifts=tuple(_gift(x) for x in rule.actions if x.do == "gift"),
        free_shipping="free_shipping" in said,
        currency=currency_of(rule, money_facts),
        cap=goods.in_cents(cap["value"]) if cap else None,  # type: ignore[arg-type]
        limit_total=_whole(limits.get("total")),
        limit_each=_whole(limits.get("each")),
        alone="alone" in said,
        name_en=name_en,
    )


def currency_of(rule: CompiledRule, money_facts: Collection[str]) -> str:
    """The currency its amounts are in; empty where neither its condition nor its actions name an amount."""
    for action in rule.actions:
        if action.do == "in_currency":
            return str(action.params["code"])
    has_amounts = any(
        name in MONEY_PARAMS and (action.do, name) not in _NO_MONEY
        for action in rule.actions
        for name in action.params
    )
    return HOME_CURRENCY if has_amounts or rule.facts & frozenset(money_facts) else ""


def _gift(action: FiredAction) -> Gift:
    params: Any = action.params
    return Gift(tuple(params["skus"]), int(params.get("units", 1)), bool(params.get("required", False)))


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)
