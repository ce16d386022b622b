"""A buyer on Taobao moves after release: the warehouse, the ERP, the carrier and the page all hear of it, or say why not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from orderhub.connectors import matrix
from orderhub.fulfillment import addresses
from orderhub.fulfillment.models import FulfillmentOrder, Parcel
from orderhub.kernel import clock
from orderhub.orders import sharing
from orderhub.orders.models import AddressChange, Hold, Order
from tests import make
from tests.connectors import wired
from tests.connectors.wired import Wired
from tests.journeys.invariants import assert_all_hold

pytestmark = pytest.mark.django_db

HOME = {
    "province": "浙江省",
    "city": "杭州市",
    "district": "滨江区",
    "address": "江南大道 1 号",
    "name": "王芳",
    "phone": "13800000001",
}
AWAY = {"province": "广东省", "city": "广州市", "district": "天河区", "address": "体育西路 12 号"}


@pytest.fixture
def hub_clock() -> None:
    """Signatures are made at the machine's time, so the hub keeps it too."""


@pytest.fixture
def shop() -> Iterator[Wired]:
    """A Taobao shop, a Qimen warehouse in Hangzhou and one in Guangzhou, a K3 ERP and SF."""
    make.network()
    make.Connection.objects.update(is_active=False)
    with wired.wired() as wires:
        keys = wires.world.keys
        base = wires.world.base_url
        wires.connect(
            "taobao", channel=make.channel("taobao"), session=keys("taobao")["session"],
            config={"base_url": f"{base}/taobao", "app_key": keys("taobao")["app_key"]},
        )  # fmt: skip
        qimen = {
            "app_key": keys("qimen")["app_key"],
            "customer_id": keys("qimen")["customer_id"],
            "owner_code": "OWNER01",
        }
        wires.connect("qimen", config={**qimen, "base_url": f"{base}/qimen/router"})
        wires.connect(
            "kingdee", app_id=keys("kingdee")["app_id"],
            config={
                "base_url": f"{base}/kingdee/k3cloud", "acct_id": keys("kingdee")["acct_id"], "user_name": "hub",
                "sale_org": "100",
            },
        )  # fmt: skip
        make.Warehouse.objects.update(phone="0571-10000000")
        wires.connect(
            "sf", config={"base_url": f"{base}/sf/std/service", "partner_id": keys("sf")["partner_id"]}
        )
        yield wires


def _bought(shop: Wired) -> Order:
    shop.placed = shop.world.place("taobao", lines=[{"sku": "LAMP", "quantity": 1}], receiver=HOME)  # type: ignore[attr-defined]
    shop.pump()

    return Order.objects.get()


def _moves(shop: Wired, order: Order) -> AddressChange:
    shop.world.change_address("taobao", order.external_id, **AWAY)
    shop.pump()
    return AddressChange.objects.latest("pk")


def _told(order: Order, change: AddressChange) -> list[tuple[str, str, str]]:
    """System, what it was asked and the state of each row of the change's matrix."""
    found = {one.pk: rows for one, rows in matrix.of_order(order).changes}
    return [(row.connection, row.operation, row.state) for row in found[change.pk]]


def _page(order: Order) -> str:
    answer: Any = make.client(order.merchant).get(f"/t/{sharing.token(order)}/?lang=en")
    return str(answer.content.decode())


def test_the_warehouse_gives_it_back_and_everybody_hears_of_it(shop: Wired) -> None:
    order = _bought(shop)
    assert make.fresh(order).stage == "released"
    first = FulfillmentOrder.objects.get()

    change = _moves(shop, order)

    assert change.state == "applied"
    order = make.fresh(order)
    assert (order.province, order.city) == ("广东省", "广州市")
    second = FulfillmentOrder.objects.latest("pk")
    assert second.state == "acknowledged"
    assert _told(order, change) == [
        ("qimen", "cancel", "acked"), ("kingdee", "erp_change", "acked"), ("qimen", "release", "acked"),
    ]  # fmt: skip
    assert _documents(shop) == {first.number: "CANCELED", second.number: "ACCEPT"}
    assert "Delivery address updated" in _page(order)
    assert_all_hold()


def test_the_matrix_tells_the_truth_while_answers_are_missing(shop: Wired) -> None:
    order = _bought(shop)
    shop.world.outage("kingdee")
    shop.world.fault("error_500", "qimen", "order.cancel", times=0)

    shop.world.change_address("taobao", order.external_id, **AWAY)
    shop.pump(hurry=False)

    change = AddressChange.objects.get()
    assert (change.state, _told(order, change)) == ("asking", [("qimen", "cancel", "failed")])
    assert Hold.objects.filter(order=order, released_at=None).exists()
    assert "Your address change is being processed" in _page(order)

    shop.world.clear_faults("qimen")
    shop.pump()
    change.refresh_from_db()
    told = _told(order, change)
    assert change.state == "applied"
    assert told[0] == ("qimen", "cancel", "acked")
    assert told[1][:2] == ("kingdee", "erp_change")
    assert told[1][2] in ("failed", "unknown")
    assert told[2] == ("qimen", "release", "acked")  # the ERP keeps no warehouse waiting

    shop.world.outage("kingdee", False)
    shop.pump()
    assert {state for _system, _operation, state in _told(order, change)} == {"acked"}
    assert_all_hold()


def test_the_warehouse_refuses_and_the_carrier_turns_the_parcel_at_the_second_try(shop: Wired) -> None:
    order = _bought(shop)
    work = FulfillmentOrder.objects.get()
    shop.world.pick(work.number)
    shop.pump()

    change = _moves(shop, order)
    assert (change.state, _told(order, change)) == ("asking", [("qimen", "cancel", "refused")])

    shop.world.fault("error_500", "sf", "EXP_RECE_WANTED_INTERCEPT", times=0)
    shop.world.ship(work.number, carrier="SF")
    shop.pump(hurry=False)
    assert _told(order, change)[1] == ("sf", "intercept", "failed")
    assert make.fresh(order).province == "浙江省"

    shop.world.clear_faults("sf")
    shop.pump()

    change.refresh_from_db()
    assert change.state == "applied"
    assert _told(order, change) == [
        ("qimen", "cancel", "refused"), ("sf", "intercept", "acked"), ("kingdee", "erp_change", "acked"),
    ]  # fmt: skip
    assert Parcel.objects.get().intercept == "redirected"
    assert make.fresh(order).province == "广东省"
    assert "Your parcel is on its way to the new address" in _page(order)
    assert_all_hold()


def test_warehouse_and_carrier_refuse_and_the_parcel_goes_where_it_was_sold(shop: Wired) -> None:
    order = _bought(shop)
    work = FulfillmentOrder.objects.get()
    shop.world.pick(work.number)
    shop.pump()
    change = _moves(shop, order)
    shop.world.fault("failure", "sf", "EXP_RECE_WANTED_INTERCEPT", code="20012", message="运单已派送")
    shop.world.ship(work.number, carrier="SF")
    shop.pump()

    change.refresh_from_db()
    assert (change.state, change.answer) == ("too_late", "intercept_refused")
    assert _told(order, change) == [("qimen", "cancel", "refused"), ("sf", "intercept", "refused")]
    assert make.fresh(order).province == "浙江省"
    assert not Hold.objects.filter(order=order, released_at=None).exists()
    assert "The address could not be changed" in _page(order)
    assert_all_hold()


def test_half_an_hour_without_an_answer_calls_a_person_who_lets_it_go(shop: Wired) -> None:
    order = _bought(shop)
    shop.world.outage("qimen")
    shop.world.change_address("taobao", order.external_id, **AWAY)
    shop.pump(hurry=False)
    change = AddressChange.objects.get()
    later = clock.now() + timedelta(minutes=31)

    assert addresses.escalate(now=later) == 1
    assert addresses.escalate(now=later) == 0
    addresses.decide(change.pk, "drop", actor="user:li", now=later)

    change.refresh_from_db()
    assert (change.state, change.answer, change.decided_by) == ("too_late", "dropped", "user:li")
    assert not Hold.objects.filter(order=order, released_at=None).exists()
    assert "order.address_change_late" in make.kinds_of(order)


def _documents(shop: Wired) -> dict[str, str]:
    return {one["code"]: one["state"] for one in shop.world.do("qimen", "documents")}
