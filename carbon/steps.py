"""Carbon in drawn flows: a node that weighs what is planned, and the figure for decisions after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, Sum

from carbon.green import flow  # noqa: F401  (registers the node that waits for consolidation)
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.fulfillment.models.fulfillment import State
from orderhub.orders.flows import facts, nodes
from orderhub.orders.models import Order, OrderLine
from rules.engine import Fact
from rules.flow import Context, Param, Verdict, step

GRAMS = Decimal(1000)


def _planned(
    orders: Sequence[Order], _lines: Mapping[int, Sequence[OrderLine]], _now: datetime
) -> facts.Values:
    """Kilograms CO2e and parcels of what is planned and not cancelled; one query."""
    rows = FulfillmentOrder.objects.filter(order__in=orders).exclude(
        state__in=(State.CANCELLED, State.REJECTED)
    )
    sums = rows.values("order_id").annotate(kg=Sum("estimated_kgco2e"), boxes=Count("pk")).order_by()
    return {row["order_id"]: {"carbon.kg": row["kg"], "order.parcels": row["boxes"]} for row in sums}


@step(
    "carbon.weigh", zh="核算碳排", en="Weigh the carbon", group="check", icon="leaf", after=("routing.route",),
    params=(
        Param("grams", "integer", "超过多少算高碳", "high above", low=1, high=10_000_000, unit=("克 CO2e", "g CO2e")),
        Param("tag", "text", "给高碳订单打的标签", "tag for those"),
    ),
)  # fmt: skip
def weigh(orders: Sequence[Order], context: Context) -> Mapping[int, Verdict]:
    """Tag the orders whose planned transport is above the limit, and tell the trace what each weighs."""
    found = _planned(orders, {}, context.now)
    verdicts = {}
    for order in orders:
        kg = found.get(order.pk, {}).get("carbon.kg")
        told = {"carbon.kg": facts.shown(kg)} if isinstance(kg, Decimal) else {}
        if isinstance(kg, Decimal) and kg * GRAMS > Decimal(nodes.given(order, context, "grams")):
            nodes.tag(order, nodes.given(order, context, "tag"))
        verdicts[order.pk] = Verdict("next", told=told)
    return verdicts


facts.provide(
    (
        Fact("carbon.kg", "number", "计划碳排", "planned carbon", unit="kg CO2e", example="1.5"),
        Fact("order.parcels", "integer", "计划包裹数", "planned parcels"),
    ),
    _planned,
)
