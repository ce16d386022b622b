"""What decisions of drawn flows may ask of an order: the orders' own words, and those other apps provide."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from orderhub.inventory.models import Workshop
from orderhub.orders import vocabulary
from orderhub.orders.compliance import shipments
from orderhub.orders.models import Order, OrderLine
from orderhub.orders.risk.models import Assessment
from rules.engine import Fact
from rules.flows.publishing import PURPOSE
from rules.vocabulary import teach

Values = dict[int, dict[str, object]]
#: Finds facts of orders (with merchant, channel and receiver; lines with SKUs); a constant number of queries.
Provider = Callable[[Sequence[Order], Mapping[int, Sequence[OrderLine]], datetime], Values]

_providers: list[tuple[frozenset[str], Provider]] = []
#: By how the names of their facts begin: those that differ by merchant.
_scoped: dict[str, Provider] = {}


def provide(facts: Iterable[Fact], provider: Provider) -> None:
    """Teach decisions of flows further facts; the provider is asked only where a decision names one of them."""
    known = list(facts)
    teach(PURPOSE, facts=known)
    names = frozenset(fact.name for fact in known)
    if all(found is not provider for _names, found in _providers):
        _providers.append((names, provider))


def provide_scoped(prefix: str, provider: Provider) -> None:
    """Find the facts whose names begin so and that `rules.vocabulary.teach_scoped` teaches, as custom fields are."""
    _scoped[prefix] = provider


def of(
    orders: Sequence[Order],
    lines: Mapping[int, Sequence[OrderLine]],
    wanted: Iterable[str],
    *,
    now: datetime,
) -> Values:
    """The facts of these orders that decisions ask for, as they are now."""
    asked = frozenset(wanted)
    found: Values = vocabulary.facts_of(orders, lines, now=now)
    for names, provider in _providers:
        if names & asked:
            for pk, values in provider(orders, lines, now).items():
                found.setdefault(pk, {}).update(values)
    for prefix, provider in _scoped.items():
        if any(name.startswith(prefix) for name in asked):
            for pk, values in provider(orders, lines, now).items():
                found.setdefault(pk, {}).update(values)
    return found


def _plain(orders: Sequence[Order], _lines: Mapping[int, Sequence[OrderLine]], now: datetime) -> Values:
    return {
        order.pk: {
            "order.goods_total": order.goods_total,
            "order.discount": order.discount_total,
            "order.cross_border": shipments.is_cross_border(order),
            "order.tags": list(order.tags),
            "order.age_minutes": int((now - order.received_at).total_seconds() // 60),
            **_level(order),
        }
        for order in orders
    }


def _level(order: Order) -> dict[str, object]:
    extra = order.extra if isinstance(order.extra, Mapping) else {}
    level = extra.get("member_level") or extra.get("customer_level")
    return {"customer.level": str(level)} if level else {}


def _risk(orders: Sequence[Order], _lines: Mapping[int, Sequence[OrderLine]], now: datetime) -> Values:
    rows = Assessment.objects.filter(order__in=orders).values_list("order_id", "points", "band")
    return {pk: {"risk.points": points, "risk.band": str(band)} for pk, points, band in rows}


def _made(orders: Sequence[Order], lines: Mapping[int, Sequence[OrderLine]], now: datetime) -> Values:
    """Whether a factory makes any of the order's goods."""
    through = Workshop.skus.through.objects.filter(
        workshop__is_active=True, sku_id__in={line.sku_id for group in lines.values() for line in group}
    )
    made = set(through.values_list("sku_id", flat=True))
    return {
        order.pk: {"order.made_to_order": any(line.sku_id in made for line in lines[order.pk])}
        for order in orders
    }


def shown(value: object) -> str:
    """A fact's value as the log keeps it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(str(part) for part in value)[:80]
    return str(value)[:80]


teach(PURPOSE, facts=vocabulary.FACTS)
provide(
    (
        Fact("order.goods_total", "money", "商品金额", "goods total", example="299.00"),
        Fact("order.discount", "money", "优惠金额", "discount", example="20.00"),
        Fact("order.cross_border", "boolean", "跨境", "cross-border"),
        Fact("order.tags", "list[text]", "标签", "tags"),
        Fact("order.age_minutes", "integer", "收到后经过", "time since it came in", unit="min", example=60),
        Fact("customer.level", "text", "会员等级", "member level", example="gold"),
    ),
    _plain,
)
provide(
    (
        Fact("risk.points", "integer", "风险分", "risk score", example=70),
        Fact("risk.band", "text", "风险等级", "risk band", choices=tuple(Assessment.Band.values)),
    ),
    _risk,
)
provide([Fact("order.made_to_order", "boolean", "含定制商品", "made to order")], _made)
