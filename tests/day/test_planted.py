"""The evening's books can fail: what is lost or done twice on purpose is found, here and by the daily comparison."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orderhub.connectors.models import Difference
from orderhub.connectors.reconciling import running
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.kernel import clock
from orderhub.orders.models import Order
from tests.day.books import Books
from tests.day.life import Day
from tests.day.town import Town, town

pytestmark = pytest.mark.django_db(transaction=True)
HOME = {
    "province": "浙江省", "city": "杭州市", "district": "滨江区", "address": "江南大道 1 号", "name": "王芳",
    "phone": "13800000001",
}  # fmt: skip


@pytest.fixture
def place() -> Iterator[Town]:
    """One order released, nothing wrong yet."""
    with town(seed=5) as found:
        found.build()
        found.world.place("shopify", lines=[{"sku": "DAY-01", "quantity": 2}], receiver=HOME)
        Day(found, orders=0, share=0.0).work()
        yield found


def _compare(place: Town, code: str) -> list[str]:
    place.world.advance(3600)
    running.go_on(running.begin(place.connection(code), now=clock.now()), now=clock.now())
    rows = Difference.objects.filter(connection__code=code, state__in=["open", "fetching"])
    return list(rows.values_list("sort", flat=True))


def test_before_anything_is_planted_the_books_are_clean(place: Town) -> None:
    books = Books(place)
    assert (books.differences(), books.twice(), books.lost()) == ([], [], [])


def test_an_order_that_the_hub_loses_is_found(place: Town) -> None:
    order = Order.objects.get()
    Order.objects.filter(pk=order.pk).update(external_id="somewhere else")

    assert Books(place).lost() == [f"shopify {order.external_id} is not in the hub"]
    assert _compare(place, "shopify")[0] == "missing_here"


def test_a_bill_that_is_entered_twice_is_found(place: Town) -> None:
    bills = place.universe.vendors["kingdee"].bills  # type: ignore[attr-defined]
    bill = next(iter(bills))
    bill.saved += 1

    assert Books(place).twice() == [f"bill {bill.number} saved 2 times"]


def test_a_shipment_nobody_told_of_is_found(place: Town) -> None:
    work = FulfillmentOrder.objects.get()
    place.world.fault("lost", "qimen")
    place.world.ship(work.number)

    assert f"{work.number} is DELIVERED there and acknowledged here" in Books(place).differences()
    assert _compare(place, "qimen")[0] == "shipped_there"


def test_a_warehouse_that_lies_about_a_cancellation_is_told_of(place: Town) -> None:
    place.world.fault("ack_lie", "qimen", "order.cancel")
    order = Order.objects.get()
    place.world.cancel("shopify", order.external_id)
    Day(place, orders=0, share=0.0).work()
    assert Order.objects.get().stage == "cancelled"

    assert any("is ACCEPT there and cancelled here" in one for one in Books(place).differences())
    assert _compare(place, "qimen") == ["cancelled_here"]
