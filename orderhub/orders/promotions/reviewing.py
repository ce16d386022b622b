"""What is said of promotions before they are published: goods that are not there, currencies that never meet, prices
below cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from orderhub.inventory.models import Sku
from orderhub.orders.models import SkuCost
from orderhub.orders.promotions import carts, replaying, words
from orderhub.orders.promotions.engine import goods
from orderhub.orders.promotions.engine.model import Line, Promotion, Refusal, Work
from orderhub.orders.vocabulary import FACTS
from rules import vocabulary
from rules.engine import never
from rules.services import in_force
from rules.vocabulary import Drafted, Finding

#: A cart of one SKU is tried with so many units of it.
_TRIED_UNITS = (1, 2, 3, 10)
_MOST_SKUS = 500


def teach_all() -> None:
    """Teach the rules app the words of promotions, their checks, and how a draft is replayed."""
    vocabulary.teach(carts.PURPOSE, facts=(*FACTS, *words.FACTS), actions=words.ACTIONS, check=words.check)
    vocabulary.teach_review(carts.PURPOSE, review, replay=replaying.replay)


def review(set_code: str, scope: str, rules: Sequence[Drafted], now: datetime) -> Iterator[Finding]:
    """The findings of a draft; a handful of queries for any number of rules."""
    promotions = {one.rule.id: one for one in rules}
    ready = carts.of_drafted(set_code, scope, rules)
    yield from _currencies(rules, ready, scope)
    yield from _ties(ready, set_code, scope, now=now)
    yield from _missing_goods(promotions, scope)
    yield from _below_cost(ready, scope)


def _currencies(rules: Sequence[Drafted], ready: Sequence[Promotion], scope: str) -> Iterator[Finding]:
    """Amounts in one currency, and a condition that asks for another: such a rule would never count."""
    currency = {promotion.rule.id: promotion.currency for promotion in ready}
    known = vocabulary.words_for(carts.PURPOSE, scope, {"rules": [one.body for one in rules]})
    for one in rules:
        wanted = currency[one.rule.id]
        if not wanted or never(one.body["when"], known):
            continue
        met = {"all": [one.body["when"], {"fact": "order.currency", "op": "==", "value": wanted}]}
        if never(met, known):
            yield Finding(
                "error", f"{one.rule.id}.when", "currency",
                f"优惠金额是 {wanted}，条件却要求另一种币种", f"its amounts are in {wanted}, its condition in another",
            )  # fmt: skip


def _ties(ready: Sequence[Promotion], set_code: str, scope: str, *, now: datetime) -> Iterator[Finding]:
    """One group and one priority with a promotion of another set in force: which counts would hang on their names."""
    sets = in_force(carts.PURPOSE, scope, now=now)
    others = carts.of_sets([one for one in sets if (one.code, one.scope) != (set_code, scope)])
    for mine in ready:
        for other in others:
            same = mine.rule.group and (mine.rule.group, mine.rule.priority) == (
                other.rule.group, other.rule.priority,
            )  # fmt: skip
            if (
                same
                and (mine.since is None or other.until is None or mine.since < other.until)
                and (other.since is None or mine.until is None or other.since < mine.until)
            ):
                yield Finding(
                    "error", f"{mine.rule.id}.priority", "tie", f"与互斥的「{other.key}」优先级相同，请改其一",
                    f"has the priority of '{other.key}', which excludes it",
                )  # fmt: skip


def _missing_goods(rules: Mapping[int | str, Drafted], scope: str) -> Iterator[Finding]:
    """Gifts and goods that the merchant does not have, or no longer sells."""
    named = [(rule_id, name, do, sku) for rule_id, one in rules.items() for name, do, sku in _named(one)]
    found = Sku.objects.filter(code__in={sku for *_rest, sku in named})
    if scope:
        found = found.filter(merchant_id=scope.removeprefix("merchant:"))
    active = dict.fromkeys(found.values_list("code", flat=True), False)
    active.update(dict.fromkeys(found.filter(is_active=True).values_list("code", flat=True), True))
    for rule_id, name, do, sku in named:
        if active.get(sku):
            continue
        zh, en = ("已停用", "is switched off") if sku in active else ("不存在", "does not exist")
        yield Finding(
            "error" if do == "gift" and scope else "warning", f"{rule_id}.then.{do}.{name}", "unknown_sku",
            f"商品 {sku} {zh}", f"the SKU {sku} {en}",
        )  # fmt: skip


def _named(one: Drafted) -> Iterator[tuple[str, str, str]]:
    for action in one.rule.actions:
        for name in ("skus", "except_skus"):
            listed = action.params.get(name, ())
            assert isinstance(listed, tuple)
            for sku in listed:
                yield name, action.do, sku


def _below_cost(ready: Iterable[Promotion], scope: str) -> Iterator[Finding]:
    """Each promotion by itself on each SKU of known cost, its condition taken as met: where units go below cost."""
    costs = SkuCost.objects.select_related("sku").filter(sku__is_active=True, sku__price__gt=0)
    if scope:
        costs = costs.filter(sku__merchant_id=scope.removeprefix("merchant:"))
    rows = list(costs.order_by("-cost")[:_MOST_SKUS])
    for promotion in ready:
        for row in rows:
            if promotion.currency not in {"", row.currency} or row.sku.currency != row.currency:
                continue
            if (paid := _lowest_price(promotion, row.sku)) < row.cost:
                yield Finding(
                    "warning", f"{promotion.rule.id}.then", "negative_margin",
                    f"{row.sku.code} 每件最低 {paid}，低于成本 {row.cost}",
                    f"{row.sku.code} may go for {paid} a unit, below its cost of {row.cost}",
                )  # fmt: skip
                break


def _lowest_price(promotion: Promotion, sku: Sku) -> Decimal:
    """The least a unit may bring in a cart of this SKU alone."""
    lowest = sku.price
    for units in _TRIED_UNITS:
        line = Line(1, sku.code, sku.category, units, goods.in_cents(sku.price) * units)
        work = Work([line], [line.cents])
        for deed in promotion.deeds:
            found = deed(work)
            if not isinstance(found, Refusal):
                work.left[0] -= found[0]
        off = line.cents - work.left[0]
        off = min(off, promotion.cap) if promotion.cap is not None else off
        lowest = min(lowest, (Decimal(line.cents - off) / units / 100).quantize(Decimal("0.01")))
    return lowest
