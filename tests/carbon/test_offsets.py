"""Support of projects: part of the profit once per order, retirements written once, and no footprint ever changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest
from django.urls import reverse

from carbon import queries
from carbon.models import LedgerEntry
from carbon.offsets import services
from carbon.offsets.models import OffsetOrder, OffsetPlan, OffsetProject, Retirement
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order, SkuCost
from tests import cast, make
from tests.admin import desk

pytestmark = pytest.mark.django_db


@contextmanager
def refused(code: str) -> Iterator[None]:
    """Inside it, exactly that refusal."""
    with pytest.raises(Refused) as found:
        yield
    assert found.value.code == code


@pytest.fixture
def project() -> OffsetProject:
    return OffsetProject.objects.create(
        code="trees", name="植树", provider="sandbox", price_per_kg=Decimal("0.08"), registry="SANDBOX"
    )


@pytest.fixture
def order(hub_clock: make.Clock, project: OffsetProject) -> Order:
    """One lamp of 159, paid and delivered, whose cost is 100; one percent of the profit goes to trees."""
    make.network()
    SkuCost.objects.create(sku=make.goods()["LAMP"], cost=Decimal(100))
    OffsetPlan.objects.create(
        merchant=make.merchant(), project=project, profit_percent=Decimal(10), since=make.NOW
    )
    (order,) = make.place(make.draft(to=cast.LEI, lines={"LAMP": 1}))
    make.play(hub_clock)
    return Order.objects.get(pk=order.pk)


def test_part_of_the_profit_goes_there_once(order: Order, hub_clock: make.Clock) -> None:
    before = queries.of_order(order)
    services.tick(now=hub_clock.now())
    services.tick(now=hub_clock.now())

    row = OffsetOrder.objects.get()
    freight = order.fulfillments.get().freight
    assert row.profit == (order.total - 100 - freight).quantize(Decimal("0.01"))
    assert row.amount == (row.profit / 10).quantize(Decimal("0.01"), "ROUND_DOWN")
    assert row.kg == (row.amount / Decimal("0.08")).quantize(Decimal("0.000001"), "ROUND_DOWN")
    assert row.state == "fulfilled"
    assert row.retirements.get().serials.startswith("SANDBOX-")
    assert queries.of_order(order) == before
    assert not LedgerEntry.objects.filter(total_kgco2e__lt=0).exclude(run__reason="REVERSAL").exists()


def test_an_unknown_cost_is_told_and_buys_nothing(order: Order, hub_clock: make.Clock) -> None:
    SkuCost.objects.all().delete()
    services.tick(now=hub_clock.now())
    row = OffsetOrder.objects.get()

    assert (row.state, row.reason, row.amount) == ("left_out", "cost_unknown", 0)
    assert services.tick(now=hub_clock.now()) == 0


def test_a_loss_buys_nothing(order: Order, hub_clock: make.Clock) -> None:
    SkuCost.objects.update(cost=Decimal(500))
    services.tick(now=hub_clock.now())

    assert OffsetOrder.objects.get().reason == "no_profit"


def test_the_same_key_is_the_same_purchase(project: OffsetProject) -> None:
    merchant = make.merchant()
    one = services.buy(merchant, project, Decimal(8), key="k", now=make.NOW)
    two = services.buy(merchant, project, Decimal(99), key="k", now=make.NOW)
    services.place(one.pk, now=make.NOW)
    assert services.place(one.pk, now=make.NOW) == 0

    assert one.pk == two.pk
    assert one.kg == 100
    assert Retirement.objects.count() == 1


def test_serials_count_once_and_never_more_than_was_bought(project: OffsetProject) -> None:
    row = services.buy(make.merchant(), project, Decimal(8), key="k", now=make.NOW)
    told = {
        "registry": "Verra", "serials": "1-100", "vintage": 2024, "retired_on": make.NOW.date(), "beneficiary": "Alice",
        "actor": "user:a", "now": make.NOW,
    }  # fmt: skip
    made = services.retire(row, kg=Decimal(60), **told)

    with refused("retired_before"):
        services.retire(row, kg=Decimal(1), **told)
    with refused("retired_too_much"):
        services.retire(row, kg=Decimal(41), **{**told, "serials": "x"})
    with refused("retirement_is_final"):
        made.save()
    with refused("retirement_is_final"):
        made.delete()


def test_serials_are_entered_by_hand(project: OffsetProject) -> None:
    row = services.buy(make.merchant(), project, Decimal(8), key="k", now=make.NOW)
    client = desk.boss("en")
    form = {
        "purchase": row.pk, "registry": "Gold Standard", "serials": "GS1-1", "vintage": 2024, "kg": "100",
        "retired_on": "2026-11-20", "certificate": "", "beneficiary": "Alice Home",
    }  # fmt: skip

    refused = client.post(reverse("admin:carbon_retirement_add"), {**form, "kg": "101"})
    client.post(reverse("admin:carbon_retirement_add"), form)

    row.refresh_from_db()
    assert refused.status_code == 200
    assert row.state == "fulfilled"
    assert Retirement.objects.get().recorded_by == "user:boss"
    for name in ("offsetorder", "offsetproject", "offsetplan", "retirement"):
        assert client.get(f"/admin/carbon/{name}/").status_code == 200
