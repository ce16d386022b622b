"""Work orders, returned goods and receipts on operators' pages: read by their roles, decided where a person decides."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from orderhub.events.models import Event
from orderhub.fulfillment import components, production, returns
from orderhub.fulfillment import services as fulfillment
from orderhub.fulfillment.models import ReturnReceipt, WorkOrder
from orderhub.inventory import receipts
from orderhub.inventory.models import Bom, BomLine, Receipt, Warehouse, Workshop
from orderhub.inventory.receipts import Came
from orderhub.kernel import clock
from tests.admin import desk
from tests.fulfillment import builders as make
from tests.orders import builders as orders

pytestmark = pytest.mark.django_db


def released() -> WorkOrder:
    """A chair at a factory that lacks legs."""
    house = make.warehouse("CAN", kind=Warehouse.Kind.FACTORY)
    make.card()
    shop = Workshop.objects.create(merchant=orders.merchant(), warehouse=house)
    shop.skus.set([orders.sku("CHAIR")])
    bill = Bom.objects.create(merchant=orders.merchant(), sku=orders.sku("CHAIR"))
    BomLine.objects.create(bom=bill, component=orders.sku("LEG"), quantity=Decimal(4))
    make.stock(1, at="CAN", sku="LEG")
    make.walk(make.placed(lines=[("CHAIR", 1)]))
    components.settle(now=make.at(1))
    return WorkOrder.objects.select_related("fulfillment__order").get()


def test_a_work_order_shows_what_is_missing_and_its_factory_can_be_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clock, "now", lambda: make.at(2))
    work = released()
    operator = desk.member("operator", "en")
    address = reverse("admin:fulfillment_workorder_change", args=(work.pk,))

    page = operator.get(address).content.decode()
    assert "LEG" in page
    assert "Ask for another date" in page
    order_page = operator.get(
        reverse("admin:orders_order_change", args=(work.fulfillment.order_id,))
    ).content.decode()
    assert "Made to order" in order_page
    assert "LEG LEG ×3" in order_page or "×3" in order_page
    today = operator.get("/admin/").content.decode()
    assert "1 work order lacks components" in today

    ask = f"{address}ask-change" if address.endswith("/change/") else address
    ask = reverse("admin:fulfillment_workorder_ask_change", args=(work.pk,))
    late = operator.post(ask, {"due_at": "2020-01-01T10:00", "reason": "x"})
    assert "This time is over" in late.content.decode()
    operator.post(ask, {"due_at": "2026-12-01T10:00", "reason": "fair"})
    (event,) = Event.objects.filter(kind="production.change_requested")
    assert event.payload["reason"] == "fair"


def test_a_silent_factory_is_on_the_today_page_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    work = released()
    late = work.planned_finish_at + timedelta(hours=3)
    monkeypatch.setattr(clock, "now", lambda: late)
    production.call_stalls(now=late)

    assert "past its planned finish" in desk.boss("en").get("/admin/").content.decode()
    page = desk.boss().get("/admin/").content.decode()
    assert "已过计划完工时间，工厂没有消息" in page
    listed = (
        desk.boss("en").get(reverse("admin:fulfillment_workorder_changelist") + "?look=late").content.decode()
    )
    assert work.fulfillment.number in listed


def test_a_person_names_the_order_of_goods_that_came_back() -> None:
    make.network()
    [order] = make.released()
    fulfillment.apply(
        [make.say("ship", order, tracking_number="SF1")], now=make.at(2), actor="connection:wms"
    )
    returns.take(
        orders.merchant(),
        returns.Said("RT-1", "k1", make.at(3), (returns.Back("TEA", 1),), warehouse="SHA"), actor="connection:wms",
        now=make.at(3),
    )  # fmt: skip
    row = ReturnReceipt.objects.get()
    operator = desk.member("operator", "en")
    address = reverse("admin:fulfillment_returnreceipt_name_order", args=(row.pk,))

    assert "1 return belongs to no known order" in operator.get("/admin/").content.decode()
    assert (
        "There is no order with this number."
        in operator.post(address, {"number": "OH261122-99999"}).content.decode()
    )
    done: Any = operator.post(address, {"number": order.number}, follow=True)
    assert f"order {order.number}" in " ".join(desk.messages_of(done))
    row.refresh_from_db()
    assert row.order_id == order.pk
    assert make.fresh([order])[0].stage == "partially_returned"


def test_support_reads_and_decides_nothing() -> None:
    work = released()
    support = desk.member("support", "en")

    assert support.get(reverse("admin:fulfillment_workorder_change", args=(work.pk,))).status_code == 200
    ask = reverse("admin:fulfillment_workorder_ask_change", args=(work.pk,))
    assert support.post(ask, {"due_at": "2026-12-01T10:00", "reason": "x"}).status_code in (302, 403)
    assert not Event.objects.filter(kind="production.change_requested").exists()


def test_a_receipt_shows_its_differences() -> None:
    make.stock(0)
    receipts.take(
        orders.merchant(), "SHA", [Came("TEA", 3), Came("TEA", 1, is_damaged=True)], reference="PO-1", key="k",
        is_final=True, said_at=make.NOW, actor="connection:wms", now=make.NOW,
    )  # fmt: skip
    page = desk.member("operator", "en").get(
        reverse("admin:inventory_receipt_change", args=(Receipt.objects.get().pk,))
    )
    assert "PO-1" in page.content.decode()
