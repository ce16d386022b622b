"""What is expected to come back: counted by the clock, smoothed level by level, paid in every decision."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orderhub.inventory.models import Sku, Warehouse
from orderhub.orders.models import Order, OrderLine
from routing import candidates, queries, replaying
from routing.models import Decision
from routing.returns import rates
from routing.returns.models import ReturnRate
from routing.returns.shrinking import Count, shrink
from tests.admin import desk
from tests.fulfillment import builders as make
from tests.orders import builders as orders

pytestmark = pytest.mark.django_db
D = Decimal


def sent(units: int, back: int, *, sku: str = "TEA", days: float = 30) -> None:
    """An order of so many days ago that was shipped whole, and of which so many units came back."""
    [order] = make.placed(lines=[(sku, units)])
    Order.objects.filter(pk=order.pk).update(
        placed_at=make.NOW - timedelta(days=days),
        stage="delivered",
        step="",
        step_state="done",
        waiting_for="",
    )
    OrderLine.objects.filter(order=order).update(open=0, shipped=units, delivered=units, returned=back)


def category(name: str, *skus: str) -> None:
    for code in skus:
        orders.sku(code)
    Sku.objects.filter(code__in=skus).update(category=name)


def kept(order: Order) -> Decision:
    found = queries.current(order.pk)
    assert found is not None
    return found


# ---- pure ----------------------------------------------------------------------------------------


def test_each_level_is_pulled_to_the_one_above() -> None:
    found = shrink({("shoe", 1): Count(10, 5), ("shoe", 2): Count(190, 35), ("", 3): Count(300, 10)})

    assert found is not None
    whole, shoe = found.whole[1], found.categories["shoe"][1]
    assert whole == (D(50) / (500 + 50)).quantize(D("0.000001"))
    assert shoe == ((40 + whole * 100) / 300).quantize(D("0.000001"))
    assert found.skus[1][1] == ((5 + shoe * 30) / 40).quantize(D("0.000001"))
    assert whole < shoe < found.skus[1][1] < D("0.5")
    assert found.skus[3][1] == ((10 + whole * 30) / 330).quantize(D("0.000001"))


def test_where_nothing_came_back_nothing_is_expected() -> None:
    assert shrink({("shoe", 1): Count(1000, 0)}) is None
    assert shrink({}) is None


def test_one_return_of_one_unit_is_no_certainty() -> None:
    found = shrink({("", 1): Count(1, 1)})

    assert found is not None
    assert found.skus[1][1] < D("0.06")


# ---- counting --------------------------------------------------------------------------------------


def test_the_clock_counts_ripe_orders_of_a_year_and_counting_again_changes_nothing() -> None:
    category("shoe", "TEA", "CUP")
    sent(40, 10)
    sent(40, 0, sku="CUP")
    sent(9, 9, days=3)  # too young: who keeps it has not had the time to say so
    sent(9, 9, days=400)

    assert rates.count(now=make.NOW) == 4
    first = list(
        ReturnRate.objects.order_by("pk").values_list("category", "sku__code", "sent", "returned", "share")
    )
    assert rates.count(now=make.NOW) == 4

    assert {row[:4] for row in first} == {
        ("", None, 80, 10), ("shoe", None, 80, 10), ("", "CUP", 40, 0), ("", "TEA", 40, 10),
    }  # fmt: skip
    again = ReturnRate.objects.order_by("pk").values_list(
        "category", "sku__code", "sent", "returned", "share"
    )
    assert list(again) == first


def test_when_nothing_came_back_any_more_the_rows_go() -> None:
    sent(40, 10)
    rates.count(now=make.NOW)
    assert ReturnRate.objects.exists()

    OrderLine.objects.update(returned=0)
    rates.count(now=make.NOW)

    assert not ReturnRate.objects.exists()


def test_a_sku_never_sent_answers_to_its_category_and_one_without_to_the_merchant() -> None:
    category("shoe", "TEA", "NEW")
    category("hat", "CAP")
    sent(40, 10)
    rates.count(now=make.NOW)
    skus = {sku.code: sku for sku in Sku.objects.all()} | {"ODD": orders.sku("ODD")}
    other = orders.sku("TEA", owner=orders.merchant("other"))

    found = rates.read([orders.merchant().pk, other.merchant_id], [sku.pk for sku in skus.values()])

    levels = {row.category: row.share for row in ReturnRate.objects.filter(sku=None)}
    assert found.of(skus["TEA"]) == ReturnRate.objects.get(sku=skus["TEA"]).share
    assert found.of(skus["NEW"]) == levels["shoe"]
    assert found.of(skus["CAP"]) == found.of(skus["ODD"]) == levels[""]
    assert found.of(other) == 0


def test_operators_read_the_rates_and_nobody_writes_them() -> None:
    category("shoe", "TEA")
    sent(40, 10)
    rates.count(now=make.NOW)
    client = desk.member("operator", "en")

    page = client.get(reverse("admin:routing_returnrate_changelist")).content.decode()

    assert "TEA" in page
    assert "all goods" in page
    assert f"{ReturnRate.objects.get(sku__code='TEA').share * 100:.2f}%" in page
    assert client.get(reverse("admin:routing_returnrate_add")).status_code == 403


# ---- in decisions ----------------------------------------------------------------------------------


def test_the_expected_cost_of_returns_is_a_term_and_replays_to_the_last_digit() -> None:
    make.network(at=("SHA",))
    sent(100, 40)
    rates.count(now=make.NOW)
    share = ReturnRate.objects.get(sku__code="TEA").share
    [order] = make.walk(make.placed())

    plan = kept(order).plan

    assert plan is not None
    # Two units of 500 g and 150 g of carton: one kg and one step of freight, handling of a parcel with one line.
    yuan = D(8) + D(2) + D("1.20") + D("0.30")
    assert D(plan["terms"]["return_risk"]) == (share * yuan).quantize(D("0.0001")) > 0
    assert sum(map(D, plan["terms"].values())) == D(plan["total"])
    assert replaying.compare(kept(order)).is_identical
    document = queries.decision_document(order.pk, language="en")
    assert document is not None
    [term] = [row for row in document["terms"] if row["code"] == "return_risk"]
    assert term["label"] == "return risk"
    assert D(term["winner"]) == D(plan["terms"]["return_risk"])


def test_goods_that_come_back_often_ship_from_where_the_way_back_is_cheap() -> None:
    """Going there costs the same from both; coming back is cheaper to the one with less handling."""
    make.network()
    Warehouse.objects.filter(code="SHA").update(handling_per_parcel=D("2"), handling_per_line=D("0"))
    sent(100, 60)
    [before] = make.walk(make.placed())
    before_terms = kept(before).plan
    rates.count(now=make.NOW)
    [after] = make.walk(make.placed())

    assert before_terms is not None
    assert D(before_terms["terms"].get("return_risk", "0")) == 0
    told = kept(after)
    assert told.plan is not None
    risk = {
        plan["parcels"][0]["code"]: D(plan["terms"]["return_risk"])
        for plan in [told.plan, *told.alternatives]
    }
    assert risk["SHA"] > risk["CAN"] > 0


def test_without_returns_the_term_is_zero_and_says_nothing() -> None:
    make.network(at=("SHA",))
    sent(100, 0)
    rates.count(now=make.NOW)
    [order] = make.walk(make.placed())

    plan = kept(order).plan

    assert plan is not None
    assert D(plan["terms"].get("return_risk", "0")) == 0


def test_a_tariff_with_a_hole_and_a_missing_weight_expect_nothing() -> None:
    make.network(at=("SHA",), skus=("TEA", "CUP"))
    sent(100, 40)
    rates.count(now=make.NOW)
    card = make.card("broken", zones=[{"step_grams": 0}])
    Sku.objects.filter(code="CUP").update(grams=0)
    [order] = make.placed(lines=[("TEA", 1), ("CUP", 1)])
    lines = list(OrderLine.objects.filter(order=order).select_related("sku"))

    [node] = candidates.take_snapshot([order], lines, now=make.NOW).offer(order, lines).nodes

    assert card.is_active
    assert list(node.return_risk) == [lines[0].pk]


@pytest.mark.parametrize("count", [1, 20])
def test_reading_the_rates_is_one_query_for_a_batch(count: int) -> None:
    make.network()
    sent(100, 40)
    rates.count(now=make.NOW)
    found = make.placed(count)
    lines = list(OrderLine.objects.filter(order__in=found).select_related("sku"))

    with CaptureQueriesContext(connection) as made:
        candidates.take_snapshot(found, lines, now=make.NOW)

    assert sum("routing_returnrate" in query["sql"] for query in made) == 1
    assert len(made) <= 11
