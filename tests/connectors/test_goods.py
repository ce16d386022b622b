"""Goods that come into warehouses by message: receipts set against what was expected, returns booked by condition."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orderhub.connectors import inbox
from orderhub.connectors.base import Incoming
from orderhub.connectors.models import Connection, InboxMessage
from orderhub.events.models import Event
from orderhub.fulfillment import returns
from orderhub.fulfillment.models import FulfillmentOrder, ReturnReceipt
from orderhub.inventory.models import ExpectedReceipt, Movement, Receipt
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.orders import sharing
from orderhub.orders.models import Order, OrderLine
from tests import make
from tests.connectors import saying, wired
from tests.journeys.invariants import assert_all_hold

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hub_clock")]
SAMPLES = Path("orderhub/connectors/profiles/qimen/samples")


def wms() -> Connection:
    make.network(units=10)
    make.Connection.objects.update(is_active=False)
    make.run_until_idle()
    return saying.connect("generic_warehouse", is_active=False)


def expect(units: int, sku: str = "LAMP", *, days: int = 1, reference: str = "PO-1") -> ExpectedReceipt:
    return ExpectedReceipt.objects.create(
        merchant=make.merchant(), warehouse=make.warehouse("HGH"), sku=make.goods()[sku], units=units,
        expected_at=clock.now() + timedelta(days=days), reference=reference,
    )  # fmt: skip


def came(*lines: tuple[str, int] | tuple[str, int, str], **more: Any) -> dict[str, Any]:
    return {
        "number": "PO-1", "warehouse": "HGH", "at": "2026-11-22 09:30:00",
        "lines": [{"sku": one[0], "qty": one[1], **({"condition": one[2]} if len(one) > 2 else {})} for one in lines],
        **more,
    }  # fmt: skip


def confirmed() -> dict[str, Any]:
    found: dict[str, Any] = Event.objects.filter(kind="stock.receipt_confirmed").latest("id").payload
    return found


def test_parts_of_a_receipt_come_one_after_the_other_and_the_last_one_says_what_is_missing() -> None:
    house = wms()
    lamps, cups = expect(8), expect(5, "CUP")

    saying.say(house, "receipt", came(("LAMP", 5), final=False, key="r1"))
    lamps.refresh_from_db()
    assert (lamps.came, lamps.arrived_at) == (5, None)
    assert make.shelf("HGH", "LAMP") == (15, 0)

    saying.say(house, "receipt", came(("LAMP", 1), ("LAMP", 1, "damaged"), key="r2"))

    assert make.shelf("HGH", "LAMP") == (16, 0)  # the damaged one is not for sale
    lamps.refresh_from_db()
    cups.refresh_from_db()
    assert (lamps.came, cups.came) == (7, 0)
    assert lamps.arrived_at is not None
    assert cups.arrived_at is not None
    assert [(one["sku"], one["units"], one["damaged"], one["expected"], one["difference"]) for one in confirmed()["lines"]] == [
        ("LAMP", 1, 1, 3, -1), ("CUP", 0, 0, 5, -5),
    ]  # fmt: skip
    assert_all_hold()


def test_the_same_confirmation_again_changes_nothing_with_or_without_a_key() -> None:
    house = wms()
    expect(8)
    for key in ("r1", ""):
        first = saying.say(house, "receipt", came(("LAMP", 4), final=False, key=key), key=f"a{key}")
        again = saying.say(house, "receipt", came(("LAMP", 4), final=False, key=key), key=f"b{key}")
        assert (first.state, again.state, again.error) == ("applied", "ignored", "repeat")

    assert make.shelf("HGH", "LAMP") == (18, 0)
    assert Receipt.objects.count() == 2
    assert_all_hold()


def test_more_than_expected_and_never_expected_goods_are_booked_and_told() -> None:
    house = wms()
    expect(3)
    saying.say(house, "receipt", came(("LAMP", 4), ("CUP", 2)))

    assert make.shelf("HGH", "LAMP") == (14, 0)
    assert make.shelf("HGH", "CUP") == (12, 0)
    said = {one["sku"]: one for one in confirmed()["lines"]}
    assert said["LAMP"]["difference"] == 1
    assert (said["CUP"]["expected"], said["CUP"]["difference"]) == (0, None)


def test_a_receipt_of_one_reference_leaves_what_is_expected_under_another() -> None:
    house = wms()
    mine, other = expect(3, days=2), expect(3, days=1, reference="PO-2")
    saying.say(house, "receipt", came(("LAMP", 3)))

    mine.refresh_from_db()
    other.refresh_from_db()
    assert mine.arrived_at is not None
    assert (other.came, other.arrived_at) == (0, None)


def test_a_receipt_lets_waiting_orders_go_on() -> None:
    house = wms()
    make.stock({site: {"LAMP": 0} for site in ("HGH", "CTU", "CAN")})
    [order] = make.place(make.draft(lines={"LAMP": 2}))
    make.run_until_idle()
    assert make.fresh(order).stage == "backordered"

    saying.say(house, "receipt", came(("LAMP", 2)))

    assert make.fresh(order).stage == "released"
    assert_all_hold()


def test_an_article_nobody_knows_waits_for_a_name_and_nothing_of_it_is_half_booked() -> None:
    house = wms()
    row = saying.say(house, "receipt", came(("LAMP", 2), ("LAMPE", 3)))
    assert (row.state, row.error) == ("quarantined", "unknown_sku")
    assert row.faults == [{"field": "lines.sku", "code": "unknown_sku", "value": "LAMPE"}]
    assert make.shelf("HGH", "LAMP") == (10, 0)

    wired.name(house, "sku", LAMP="LAMPE")
    inbox.replay([row.pk], now=clock.now())

    row.refresh_from_db()
    assert row.state == "applied"
    assert make.shelf("HGH", "LAMP") == (15, 0)


# ---- returns ---------------------------------------------------------------------------------------


def delivered(**lines: int) -> tuple[Connection, Order]:
    house = wms()
    [order] = make.place(make.draft("T-1001", lines=lines or {"LAMP": 2}))
    make.run_until_idle()
    work = FulfillmentOrder.objects.get()
    make.tell(work, "ship", tracking_number="SF1", carrier="sf")
    make.tell(work, "deliver", tracking_number="SF1")
    return house, make.fresh(order)


def back(*lines: tuple[str, int] | tuple[str, int, str], **more: Any) -> dict[str, Any]:
    return {**came(*lines), "number": "RT-1", "reason": "too bright", **more}


def where(order: Order) -> tuple[int, int]:
    site = FulfillmentOrder.objects.get(order=order).warehouse.code
    return make.shelf(site, "LAMP")


def test_a_return_is_booked_by_its_condition_and_the_customer_reads_that_it_arrived() -> None:
    house, order = delivered()
    site = FulfillmentOrder.objects.get().warehouse.code
    before = where(order)[0]

    row = saying.say(
        house, "returned",
        back(("LAMP", 1), ("LAMP", 1, "damaged"), warehouse=site, number=FulfillmentOrder.objects.get().number),
    )  # fmt: skip

    assert row.state == "applied"
    assert where(order) == (before + 1, 0)
    assert make.fresh(order).stage == "returned"
    assert OrderLine.objects.get().returned == 2
    assert Movement.objects.filter(kind="return").count() == 1
    page = str(make.client().get(f"/t/{sharing.token(order)}/?lang=en").content.decode())
    assert "Your return has arrived" in page
    assert "too bright" not in page
    assert_all_hold()


@pytest.mark.parametrize(
    "told",
    [{"number": "T-1001"}, {"ext": "T-1001"}, {"tracking_number": "SF1"}],
    ids=["reference", "line", "parcel"],
)
def test_whose_goods_they_are_is_found_by_any_number_we_know(told: dict[str, str]) -> None:
    house, order = delivered()
    document = back(("LAMP", 1), warehouse="HGH", **{k: v for k, v in told.items() if k != "ext"})
    if "number" in told:
        document["number"] = order.number
    if "ext" in told:
        document["lines"][0]["ext_order_id"] = told["ext"]

    saying.say(house, "returned", document)

    assert ReturnReceipt.objects.get().order == order
    assert make.fresh(order).stage == "partially_returned"
    assert_all_hold()


def test_goods_of_nobody_are_on_the_shelf_and_wait_for_a_name() -> None:
    house, order = delivered()
    before = make.shelf("HGH", "LAMP")[0]
    saying.say(house, "returned", back(("LAMP", 1)))

    receipt = ReturnReceipt.objects.get()
    assert receipt.order is None
    assert make.shelf("HGH", "LAMP")[0] == before + 1
    assert make.fresh(order).stage == "delivered"
    assert Event.objects.filter(kind="return.unmatched").count() == 1

    returns.assign(receipt.pk, order, actor="user:li", now=clock.now())

    assert make.fresh(order).stage == "partially_returned"
    assert make.shelf("HGH", "LAMP")[0] == before + 1  # not booked twice
    with pytest.raises(Refused) as refused:
        returns.assign(receipt.pk, order, actor="user:li", now=clock.now())
    assert refused.value.code == "return_assigned"
    assert_all_hold()


def test_more_than_was_shipped_is_booked_but_never_counted_for_the_order() -> None:
    house, order = delivered()
    saying.say(house, "returned", back(("LAMP", 3), number=order.number))

    line = ReturnReceipt.objects.get().lines.get()
    assert (line.units, line.restocked, line.counted) == (3, 3, 2)
    assert OrderLine.objects.get().returned == 2
    assert_all_hold()


def test_the_same_return_again_changes_nothing() -> None:
    house, order = delivered()
    document = back(("LAMP", 1), number=order.number, key="R1")
    states = [saying.say(house, "returned", document, key=f"k{n}").state for n in range(3)]

    assert states == ["applied", "ignored", "ignored"]
    assert OrderLine.objects.get().returned == 1


def test_a_registered_finder_is_asked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    house, order = delivered()
    asked: list[str] = []

    def known(merchant: Any, said: returns.Said) -> int | None:
        asked.append(said.reference)
        return order.pk if said.reference == "RT-1" else None

    monkeypatch.setattr(returns, "_finders", {})
    returns.finder("test")(known)

    saying.say(house, "returned", back(("LAMP", 1)))
    assert (asked, ReturnReceipt.objects.get().order) == (["RT-1"], order)


def test_qimen_says_it_in_its_own_form() -> None:
    """The shipped samples, as they come through the door."""
    wms()
    qimen = saying.connect("qimen", is_active=False)
    wired.name(qimen, "warehouse", HGH="HZ01")
    wired.name(qimen, "sku", LAMP="S1")
    expect(10)
    [order] = make.place(make.draft("T-1001", lines={"LAMP": 2}))
    make.run_until_idle()
    make.tell(FulfillmentOrder.objects.get(), "ship", tracking_number="SF1", carrier="sf")
    entry = (
        "<request><entryOrder><entryOrderCode>PO-1</entryOrderCode><warehouseCode>HZ01</warehouseCode>"
        "<outBizCode>E1-1</outBizCode><confirmType>0</confirmType><operateTime>2026-11-11 09:00:00</operateTime>"
        "</entryOrder><orderLines><orderLine><itemCode>S1</itemCode><planQty>10</planQty><actualQty>8</actualQty>"
        "</orderLine><orderLine><itemCode>S1</itemCode><inventoryType>CC</inventoryType><planQty>0</planQty>"
        "<actualQty>1</actualQty></orderLine></orderLines></request>"
    )
    before = make.shelf("HGH", "LAMP")[0]

    _push(qimen, "entryorder.confirm", entry.encode())
    _push(qimen, "returnorder.confirm", (SAMPLES / "returnorder_confirm.xml").read_bytes())

    assert set(InboxMessage.objects.filter(connection=qimen).values_list("state", flat=True)) == {"applied"}
    assert make.shelf("HGH", "LAMP")[0] == before + 8 + 1
    assert confirmed()["lines"] == [
        {"sku": "LAMP", "units": 8, "damaged": 1, "expected": 10, "difference": -1}
    ]
    assert ReturnReceipt.objects.get().order == order
    assert make.fresh(order).stage == "returned"
    assert_all_hold()


def _push(connection: Connection, method: str, body: bytes) -> None:
    envelope = {"query": [["method", method]], "path": "/in/qimen/", "method": "POST", "headers": {}}
    inbox.receive(connection, [Incoming(method, {}, body, envelope)], now=clock.now())
    make.run_until_idle()
