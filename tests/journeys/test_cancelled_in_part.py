"""A buyer does not want one of three lamps any more: a Qimen warehouse, a K3 ERP and the shop hear of it, or say why not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from orderhub.connectors.models import Call
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.orders.models import Cancellation, Order
from tests import make
from tests.connectors import wired
from tests.connectors.wired import Wired
from tests.journeys.invariants import assert_all_hold
from tests.journeys.test_exchanged import ask, preview

pytestmark = pytest.mark.django_db
ONE_LAMP = {"lines": [{"position": 1, "quantity": 1}], "reason": "买多了"}


@pytest.fixture
def hub_clock() -> None:
    """Signatures are made at the machine's time, so the hub keeps it too."""


@pytest.fixture
def shop() -> Iterator[Wired]:
    """A shop that speaks our generic words, a Qimen warehouse for everything and a K3 ERP."""
    make.network()
    make.Connection.objects.update(is_active=False)
    make.Warehouse.objects.update(phone="0571-10000000")
    with wired.wired() as wires:
        keys, base = wires.world.keys, wires.world.base_url
        wires.connect(
            "qimen", config={
                "app_key": keys("qimen")["app_key"], "customer_id": keys("qimen")["customer_id"],
                "owner_code": "OWNER01", "base_url": f"{base}/qimen/router",
            },
        )  # fmt: skip
        wires.connect(
            "kingdee", app_id=keys("kingdee")["app_id"],
            config={
                "base_url": f"{base}/kingdee/k3cloud", "acct_id": keys("kingdee")["acct_id"], "user_name": "hub",
                "sale_org": "100",
            },
        )  # fmt: skip
        wires.receiver.answer = lambda got: (200, b'{"ok": true, "reference": "1"}')
        wires.connect(
            "shopify", profile="generic_channel", code="shop", channel=make.channel("own"), secret="s" * 32,
            config={"base_url": wires.receiver.url.format(vendor="shop")},
        )  # fmt: skip
        yield wires


def released(shop: Wired) -> Order:
    """Three lamps and a cup, with the warehouse."""
    (order,) = make.place(
        make.draft("A1", channel=make.channel("own"), lines={"LAMP": 3, "CUP": 1}, extra={"line_ids": ["L1", "L2"]})
    )  # fmt: skip
    shop.pump()
    assert make.fresh(order).stage == "released"
    return make.fresh(order)


def told(order: Order) -> list[tuple[str, str, str]]:
    """System, operation and state of every call of the order, as they were made."""
    rows = Call.objects.filter(order_id=order.pk).order_by("pk")
    return [(row.connection.code, row.operation, row.state) for row in rows]


def changes_at_the_shop(shop: Wired) -> list[dict[str, Any]]:
    return [json.loads(got.body) for got in shop.receiver.got if got.vendor == "shop/order-changes"]


def test_one_lamp_less_after_release_and_everybody_hears_of_it(shop: Wired) -> None:
    order = released(shop)
    first = FulfillmentOrder.objects.get()

    foretold = preview(order, "cancel_units", ONE_LAMP)

    assert [(x["connection"], x["operation"], x["when"]) for x in foretold["systems"]] == [
        ("qimen", "cancel", "now"), ("kingdee", "erp_change", "if_agreed"), ("shopify", "units_changed", "if_agreed"),
        ("qimen", "release", "if_agreed"),
    ]  # fmt: skip
    assert told(order) == [("qimen", "release", "acked"), ("kingdee", "erp_order", "acked")]
    assert foretold["recalled"] == [first.number]
    assert "¥159.00 are due back to the customer." in foretold["sentences"]
    assert foretold["undo"].endswith("Restore the cancelled units.")

    answer = ask(order, "cancel-units", ONE_LAMP)
    assert (answer.status_code, Cancellation.objects.get().state) == (200, "asking")
    shop.pump()

    row = Cancellation.objects.get()
    assert row.state == "applied"
    assert [(x.position, x.ordered, x.cancelled, x.released) for x in order.lines.order_by("position")] == [
        (1, 3, 1, 2), (2, 1, 0, 1),
    ]  # fmt: skip
    assert sum(x.amount for line in order.lines.all() for x in line.credits.all()) == Decimal("159.00")
    second = FulfillmentOrder.objects.latest("pk")
    documents = {one["code"]: one["state"] for one in shop.world.do("qimen", "documents")}
    assert documents == {first.number: "CANCELED", second.number: "ACCEPT"}
    calls = told(order)
    assert ("qimen", "cancel", "acked") in calls
    assert ("kingdee", "erp_change", "acked") in calls
    assert ("shop", "units_changed", "acked") in calls
    [change] = changes_at_the_shop(shop)
    assert (change["order_id"], change["refund"]) == ("A1", "159.00")
    assert [(x["line_id"], x["qty"]) for x in change["lines"]] == [("L1", 2), ("L2", 1)]
    assert_all_hold()


def test_the_undo_restores_the_lamp_and_tells_them_again(shop: Wired) -> None:
    order = released(shop)
    ask(order, "cancel-units", ONE_LAMP)
    shop.pump()

    answer = ask(order, "undo", {})
    assert answer.status_code == 200
    shop.pump()

    order = make.fresh(order)
    assert (order.stage, Cancellation.objects.get().state) == ("released", "restored")
    assert [(x.cancelled, x.released) for x in order.lines.order_by("position")] == [(0, 3), (0, 1)]
    assert [x["refund"] for x in changes_at_the_shop(shop)] == ["159.00", "159.00"]
    assert [x["lines"][0]["qty"] for x in changes_at_the_shop(shop)] == [2, 3]
    assert ask(order, "undo", {}).json()["code"] == "nothing_to_undo"
    assert_all_hold()


def test_the_warehouse_has_picked_it_and_the_way_out_is_named(shop: Wired) -> None:
    order = released(shop)
    shop.world.pick(FulfillmentOrder.objects.get().number)
    shop.pump()

    ask(order, "cancel-units", ONE_LAMP)
    shop.pump()

    row = Cancellation.objects.get()
    assert (row.state, row.done) == ("refused", {})
    assert "order.units_not_cancelled" in make.kinds_of(order)
    shop.world.ship(FulfillmentOrder.objects.get().number, carrier="SF")
    shop.pump()
    refused = ask(order, "cancel-units", ONE_LAMP).json()
    assert refused["code"] == "nothing_to_cancel"
    assert "return" in refused["remedy"]
    assert changes_at_the_shop(shop) == []
    assert_all_hold()
