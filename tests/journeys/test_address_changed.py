"""The buyer moves: the order follows, at once, or when the warehouse gives it back; or it is too late."""

from __future__ import annotations

from typing import Any

import pytest

from orderhub.connectors.models import Connection
from orderhub.events.models import Event
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.orders import services, sharing
from orderhub.orders.models import AddressChange, Hold, Order, Person
from tests import cast, make
from tests.journeys import replay
from tests.journeys.invariants import assert_all_hold

pytestmark = pytest.mark.django_db


def change(order: Order, to: cast.Buyer, **fields: Any) -> Any:
    """Ask by API for the order to go there."""
    body = {"destination": to.destination, "requested_by": "customer", "reason": "搬家", **fields}
    return make.client(order.merchant).post(
        f"/api/v1/orders/{order.pk}/address-changes/", body, format="json"
    )


def warehouse_keeps_silent() -> None:
    """The make-believe warehouse answers nothing by itself."""
    Connection.objects.update(is_active=False)


def test_before_release_the_order_goes_to_the_new_address(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place()
    services.hold([order.pk], reason="address_invalid", actor="user:li", now=make.NOW)
    make.run_until_idle()
    old = make.fresh(order).person

    answer = change(order, cast.LEI)

    assert (answer.status_code, answer.json()["state"]) == (201, "applied")
    order = make.fresh(order)
    assert (order.province, order.city, order.person.name) == ("广东省", "广州市", "李雷")
    assert (order.stage, order.person_id == old.pk) == ("received", False)
    told = Event.objects.get(kind="order.address_changed").payload
    assert (told["other_province"], told["other_country"]) == (True, False)
    assert not any(word in str(told) for word in ("李雷", "体育西路", cast.LEI.phone))

    make.play(hub_clock)

    assert make.fresh(order).stage == "delivered"
    assert FulfillmentOrder.objects.get().warehouse.code == "CAN"
    page = make.client(order.merchant).get(f"/t/{sharing.token(order)}/?lang=en").content.decode()
    assert "Delivery address updated" in page
    replay.assert_told(order)
    assert_all_hold()


def test_the_warehouse_gives_it_back_and_another_ships_it(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place()
    make.run_until_idle()
    warehouse_keeps_silent()
    row = FulfillmentOrder.objects.get()

    answer = change(order, cast.LEI)

    assert (answer.status_code, answer.json()["state"]) == (201, "asking")
    assert answer.json()["asked"] == [row.number]
    assert make.fresh(order).province == "浙江省"
    assert Hold.objects.get().scope_ref == f"change:{answer.json()['id']}"
    # Nobody lets it go by hand while the warehouse is being asked.
    services.release_holds([order.pk], actor="user:li", now=hub_clock.now())
    assert Hold.objects.get().released_at is None

    Connection.objects.update(is_active=True)
    make.tell(row, "cancelled")

    order = make.fresh(order)
    assert (order.province, order.stage) == ("广东省", "released")
    assert AddressChange.objects.get().state == "applied"
    assert [(x.state, x.warehouse.code) for x in FulfillmentOrder.objects.order_by("pk")] == [
        ("cancelled", "HGH"), ("released", "CAN"),
    ]  # fmt: skip
    make.play(hub_clock)
    assert make.fresh(order).stage == "delivered"
    assert (make.shelf("HGH", "LAMP"), make.shelf("CAN", "LAMP")) == ((100, 0), (99, 0))
    replay.assert_told(order)
    assert_all_hold()


def test_a_part_that_came_back_waits_for_the_other(hub_clock: make.Clock) -> None:
    make.network(units=0)
    make.stock({"HGH": {"LAMP": 1}, "CTU": {"CUP": 1}})
    (order,) = make.place(make.draft(lines={"LAMP": 1, "CUP": 1}))
    make.run_until_idle()
    warehouse_keeps_silent()
    first, second = FulfillmentOrder.objects.order_by("pk")
    make.stock({"CAN": {"LAMP": 9, "CUP": 9}})

    change(order, cast.LEI)
    Connection.objects.update(is_active=True)
    make.tell(first, "cancelled")

    # Nothing of it may go to the old address meanwhile.
    assert FulfillmentOrder.objects.count() == 2
    assert AddressChange.objects.get().state == "asking"

    make.tell(second, "cancelled")

    assert AddressChange.objects.get().state == "applied"
    assert [x.warehouse.code for x in FulfillmentOrder.objects.filter(state="released")] == ["CAN"]
    make.play(hub_clock)
    assert make.fresh(order).stage == "delivered"
    replay.assert_told(order)
    assert_all_hold()


@pytest.mark.parametrize("said", ["cancel_refused", "ship"])
def test_the_warehouse_was_faster(hub_clock: make.Clock, said: str) -> None:
    make.network()
    (order,) = make.place()
    make.run_until_idle()
    warehouse_keeps_silent()
    row = FulfillmentOrder.objects.get()
    change(order, cast.LEI)

    make.tell(row, said, **({"tracking_number": "T1"} if said == "ship" else {}))

    found = make.client(order.merchant).get(f"/api/v1/orders/{order.pk}/address-changes/").json()
    assert [(x["state"], bool(x["remedy"])) for x in found["results"]] == [("too_late", True)]
    order = make.fresh(order)
    assert (order.province, order.person.name) == ("浙江省", "王芳")
    assert not Hold.objects.filter(released_at=None).exists()
    page = make.client(order.merchant).get(f"/t/{sharing.token(order)}/?lang=en").content.decode()
    assert "The address could not be changed" in page
    if said == "cancel_refused":
        make.tell(row, "ship", tracking_number="T1")
    make.tell(row, "deliver", tracking_number="T1")
    assert make.fresh(order).stage == "delivered"
    replay.assert_told(order)
    assert_all_hold()


def test_a_cancelled_order_needs_no_new_address(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place()
    make.run_until_idle()
    warehouse_keeps_silent()
    row = FulfillmentOrder.objects.get()
    change(order, cast.LEI)

    make.client(order.merchant).post(f"/api/v1/orders/{order.pk}/cancel/", {"reason": "不要了"})
    make.tell(row, "cancelled")

    assert make.fresh(order).stage == "cancelled"
    assert (AddressChange.objects.get().state, AddressChange.objects.get().answer) == (
        "refused",
        "order_cancelled",
    )
    assert not Hold.objects.filter(released_at=None).exists()
    replay.assert_told(order)
    assert_all_hold()


def test_the_same_wish_again_is_the_same_document(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place()
    make.run_until_idle()
    warehouse_keeps_silent()
    first = change(order, cast.LEI)
    told = Event.objects.count()

    again, other = change(order, cast.LEI), change(order, cast.MEI)

    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert (other.status_code, other.json()["code"]) == (409, "address_change_pending")
    assert Event.objects.count() == told
    assert AddressChange.objects.count() == 1


def test_what_cannot_be_is_refused_and_nothing_happens(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place()
    nowhere = cast.Buyer("李雷", "13800000002", "火星省", "广州市", "天河区", "体育西路 12 号")
    people = Person.objects.count()

    same, unknown = change(order, cast.FANG), change(order, nowhere)

    assert (same.status_code, same.json()["code"]) == (409, "same_address")
    assert (unknown.status_code, unknown.json()["code"]) == (400, "unknown_province")
    make.play(hub_clock, until="ship")
    late = change(order, cast.LEI)
    assert (late.status_code, late.json()["code"]) == (409, "already_shipped")
    assert (Person.objects.count(), AddressChange.objects.count()) == (people, 0)
    assert not Event.objects.filter(kind__startswith="order.address").exists()
