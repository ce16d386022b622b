"""Promotions and carts for tests of the pure core: written as rules, compiled like published ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

from orderhub.orders.promotions import words
from orderhub.orders.promotions.engine import apply, build
from orderhub.orders.promotions.engine.model import Applied, Cart, Line, Promotion, Result, Skipped
from orderhub.orders.vocabulary import FACTS
from rules.engine import Vocabulary, compile_rule

NOW = datetime(2026, 11, 11, 2, 0, tzinfo=UTC)
WORDS = Vocabulary.of([*FACTS, *words.FACTS], words.ACTIONS)
MONEY = frozenset({"order.total"})


def do(name: str, **params: Any) -> dict[str, Any]:
    """An action."""
    return {"do": name, "with": params} if params else {"do": name}


def when(fact: str, op: str, value: Any) -> dict[str, Any]:
    """A comparison."""
    return {"fact": fact, "op": op, "value": value}


def promotion(
    rule_id: str, *then: dict[str, Any], condition: Any = None, priority: int = 100, group: str = "",
    stop: bool = False, since: datetime | None = None, until: datetime | None = None,
) -> Promotion:  # fmt: skip
    """A promotion as it comes out of a published rule."""
    body = {
        "id": rule_id, "name": rule_id, "priority": priority, "when": condition or {"all": []}, "then": list(then),
        "stop": stop, "group": group,
    }  # fmt: skip
    rule = compile_rule(body, WORDS)
    words.check(rule)
    return build.promotion(rule, set_code="s", version=1, since=since, until=until, money_facts=MONEY)


def cart(*lines: tuple[str, int, str], currency: str = "CNY", customer: str = "c1", **facts: Any) -> Cart:
    """Lines of SKU, units and unit price; `category` is the first letter of the SKU."""
    made = [
        Line(at, sku, sku[0], units, int(Decimal(price) * 100) * units)
        for at, (sku, units, price) in enumerate(lines, 1)
    ]
    total = Decimal(sum(line.cents for line in made)) / 100
    known = {"order.total": total, "order.currency": currency} | {
        key.replace("__", "."): value for key, value in facts.items()
    }
    return Cart(made, currency, known, NOW, customer)


def run(given: Cart, *promotions: Promotion) -> Result:
    """Apply the promotions in their own order."""
    return apply.apply(apply.ordered(promotions), given)


def off(result: Result) -> list[str]:
    """What comes off each line, as people write it."""
    return [f"{Decimal(cents) / 100:.2f}" for cents in result.off]


def reasons(result: Result) -> dict[str, str]:
    """Why promotions did not count, by rule."""
    return {str(one.promotion.rule.id): one.code for one in result.skipped}


def named(result: Result) -> list[str]:
    """The rules that counted, in order."""
    return [str(one.promotion.rule.id) for one in result.applied]


def only(result: Result) -> Applied | Skipped:
    """What became of the only promotion."""
    (one,) = (*result.applied, *result.skipped)
    return one


_SKUS = ("TEA", "TOY", "CUP", "CAP", "BAG", "BOX")


def _price(chance: Random) -> str:
    return str(Decimal(chance.randint(0, chance.choice((9, 999, 99_999)))) / 100)


def random_cart(chance: Random) -> Cart:
    """One to eight lines, prices from nothing to thousands, odd cents included."""
    lines = [
        (chance.choice(_SKUS), chance.choice((1, 1, 2, 3, 7, 40)), _price(chance))
        for _line in range(chance.randint(1, 8))
    ]  # fmt: skip
    made = cart(*lines, customer=chance.choice(("", "c1", "c2")))
    # Totals that no unit price makes: channels send them after discounts of their own.
    made.lines = [
        Line(x.position, x.sku, x.category, x.units, max(0, x.cents - chance.randint(0, 3)))
        for x in made.lines
    ]
    made.stock = {"GIFT": chance.randint(0, 2), "SPARE": chance.randint(0, 2)}
    made.left = {(f"all/s/p{n}", who): chance.randint(0, 2) for n in range(8) for who in ("", "c1", "c2")}
    return made


def _money(chance: Random, most: int = 30_000) -> str:
    return f"{Decimal(chance.randint(1, most)) / 100:.2f}"


def _percent(chance: Random) -> str:
    return str(Decimal(chance.randint(1, 10_000)) / 100)


def random_deed(chance: Random) -> dict[str, Any]:
    """A deed of any kind, with goods of its own now and then."""
    full = sorted({_money(chance) for _ in range(3)}, key=Decimal)
    percents = sorted({_percent(chance) for _ in full}, key=Decimal)
    full = full[: len(percents)]
    kinds: Sequence[dict[str, Any]] = (
        do("amount_off", value=_money(chance)),
        do("percent_off", value=_percent(chance)),
        do("threshold_off", full=full[-1], off=full[0], repeat=chance.random() < 0.5),
        do("tiered_percent", full=full, percent=percents),
        do("tiered_off", full=full, off=full),
        do("nth_price", nth=chance.randint(2, 3), percent=chance.randint(0, 99), across=chance.random() < 0.5),
        do("nth_price", nth=2, price=_money(chance, 500), times=chance.randint(1, 3)),
        do("buy_get", buy=chance.randint(1, 3), get=chance.randint(1, 2)),
        do("item_price", price=_money(chance, 3000)),
        do("bundle_price", skus=chance.sample(_SKUS, 2), price=_money(chance, 3000)),
        do("units_percent", units=[2, 5], percent=["10.5", "33.33"]),
        do("free_shipping"),
        do("gift", skus=["GIFT", "SPARE"], required=chance.random() < 0.5),
    )  # fmt: skip
    deed = chance.choice(kinds)
    if deed["do"] not in {"bundle_price", "gift", "free_shipping"} and chance.random() < 0.4:
        deed["with"]["skus"] = chance.sample(_SKUS, 2)
    return deed


def random_promotions(chance: Random) -> list[Promotion]:
    """One to five promotions with groups, stops, caps, limits and priorities."""
    found = []
    for number in range(chance.randint(1, 5)):
        then = [random_deed(chance)]
        if chance.random() < 0.2:
            then.append(do("cap", value=_money(chance)))
        if chance.random() < 0.2:
            then.append(do("limit_uses", total=chance.randint(1, 2), each=1))
        if chance.random() < 0.1:
            then.append(do("alone"))
        found.append(
            promotion(
                f"p{number}", *then, priority=chance.randint(1, 3), group=chance.choice(("", "", "g")),
                stop=chance.random() < 0.1,
            )
        )  # fmt: skip
    return found
