"""Whatever is split, merged, held, readdressed and cancelled, in any order: units and money stay what they were."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orderhub.fulfillment import addresses, parting, services
from orderhub.fulfillment.parting import Portion
from orderhub.kernel.errors import Refused
from orderhub.orders import invariants
from orderhub.orders import services as orders_services
from orderhub.orders.addresses import Address
from orderhub.orders.models import Hold, Order, OrderLine
from tests.fulfillment import builders
from tests.orders import builders as make

pytestmark = pytest.mark.django_db

SAID = {"actor": "user:li", "now": make.NOW}
PLACES = (
    Address("CN", "广东省", "广州市", "体育西路 12 号"), Address("CN", "浙江省", "杭州市", "文三路 1 号"),
)  # fmt: skip
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["split", "split", "merge", "merge", "hold", "release", "address", "plan", "cancel"]),
        st.integers(0, 9), st.integers(0, 9), st.integers(1, 3),
    ),
    min_size=3, max_size=9,
)  # fmt: skip


def do(verb: str, first: int, second: int, units: int) -> None:
    """One verb on the orders that these numbers choose; refusals are right answers."""
    ids = list(Order.objects.order_by("pk").values_list("pk", flat=True))
    pk, other = ids[first % len(ids)], ids[second % len(ids)]
    if verb == "split":
        positions = list(OrderLine.objects.filter(order=pk).values_list("position", flat=True)) or [1]
        parting.split(pk, [Portion(positions[second % len(positions)], units)], reason="", **SAID)
    elif verb == "merge":
        parting.merge(list({pk, other}), reason="", **SAID)
    elif verb == "hold":
        orders_services.hold([pk], reason="manual", **SAID)
    elif verb == "release":
        orders_services.release_holds([pk], **SAID)
    elif verb == "address":
        wanted = PLACES[units % 2]
        addresses.request_address_change(pk, wanted, requested_by="staff", reason="", **SAID)
    elif verb == "plan":
        builders.run_steps(list(Order.objects.filter(pk=pk)), until="fulfillment.reserve")
    else:
        services.cancel([pk], reason="", **SAID)


def units_and_money() -> tuple[Counter[str], Decimal, Decimal]:
    """Units by SKU, line totals and discounts, over all orders."""
    units: Counter[str] = Counter()
    lines = list(OrderLine.objects.select_related("sku"))
    for line in lines:
        units[line.sku.code] += line.ordered
    return units, sum((x.line_total for x in lines), Decimal(0)), sum((x.discount for x in lines), Decimal(0))


@settings(
    max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_nothing_is_lost_and_nothing_comes_about(steps: list[tuple[str, int, int, int]]) -> None:
    with transaction.atomic():
        builders.network(skus=("TEA", "POT"))
        lines = [make.line("TEA", quantity=3, price="33.33"), make.line("POT", quantity=2, price="0.01")]
        make.placed(*[make.draft(f"P{n}", lines=lines) for n in range(3)])
        Order.objects.update(discount_total=Decimal("10.01"), total=Decimal("90.00"), money_fixed=True)
        OrderLine.objects.filter(sku__code="TEA").update(discount=Decimal("10.00"))
        OrderLine.objects.filter(sku__code="POT").update(discount=Decimal("0.01"))
        before = units_and_money()

        for step in steps:
            try:
                with transaction.atomic():
                    do(*step)
            except Refused:
                pass

        assert units_and_money() == before
        assert sum((order.total for order in Order.objects.all()), Decimal(0)) == Decimal("270.00")
        assert list(invariants.ledgers_add_up()) == []
        assert list(invariants.money_is_conserved()) == []
        assert list(invariants.stage_is_told()) == []
        assert list(invariants.waiting_has_a_reason()) == []
        for order in Order.objects.filter(stage="merged"):
            assert not order.lines.exists()
            assert not Hold.objects.filter(order=order, released_at=None).exists()
        transaction.set_rollback(True)
