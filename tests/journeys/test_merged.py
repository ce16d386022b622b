"""A buyer orders twice; the orders are put together and ship as one, and either link shows it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from orderhub.events.models import Event
from orderhub.orders import services, sharing
from orderhub.orders.models import Hold, Order
from tests import cast, make
from tests.journeys import replay
from tests.journeys.invariants import assert_all_hold

pytestmark = pytest.mark.django_db


def two_orders(hub_clock: make.Clock, **second: Any) -> tuple[Order, Order]:
    """A1 and, a minute later, A2 of the same buyer, both inside the merge window of their shop."""
    make.network()
    window = make.channel("tmall", merge_window_seconds=600)
    (first,) = make.place(make.draft("A1", channel=window, lines={"LAMP": 2}))
    hub_clock.advance(minutes=1)
    (other,) = make.place(make.draft("A2", **{"channel": window, "lines": {"CUP": 1}, **second}))
    make.run_until_idle()
    return make.fresh(first), make.fresh(other)


def merge(order: Order, *others: Order) -> Any:
    """Ask by API, from this order's page."""
    body = {"orders": [other.pk for other in others], "reason": "合单"}
    return make.client(order.merchant).post(f"/api/v1/orders/{order.pk}/merge/", body, format="json")


def test_two_orders_ship_in_one_parcel(hub_clock: make.Clock) -> None:
    first, other = two_orders(hub_clock)

    answer = merge(other, first)

    assert (answer.status_code, answer.json()["id"]) == (200, first.pk)
    first, other = make.fresh(first), make.fresh(other)
    assert (other.stage, other.step_state, other.merged_into_id) == ("merged", "done", first.pk)
    assert (first.total, other.total) == (Decimal("407.00"), Decimal(0))
    assert [(x.position, x.sku.code, x.origin_id) for x in first.lines.order_by("position")] == [
        (1, "LAMP", None), (2, "CUP", other.pk),
    ]  # fmt: skip
    assert first.stage == "reviewing"
    # The link of the merged order leads to the one that ships.
    page = make.client(first.merchant).get(f"/t/{sharing.token(other)}/?lang=en").content.decode()
    assert first.number in page

    hub_clock.advance(minutes=10)
    make.play(hub_clock)

    assert make.fresh(first).stage == "delivered"
    assert first.fulfillments.count() == 1
    page = make.client(first.merchant).get(f"/t/{sharing.token(other)}/?lang=en").content.decode()
    assert "ship as one" in page
    assert (make.shelf("HGH", "LAMP"), make.shelf("HGH", "CUP")) == ((98, 0), (99, 0))
    replay.assert_told(first, other)
    assert_all_hold()


def test_merging_again_changes_nothing(hub_clock: make.Clock) -> None:
    first, other = two_orders(hub_clock)
    merge(first, other)
    told = Event.objects.count()

    answer = merge(first, other)

    assert (answer.status_code, answer.json()["id"]) == (200, first.pk)
    assert Event.objects.count() == told


def test_a_check_of_one_order_holds_the_whole(hub_clock: make.Clock) -> None:
    first, other = two_orders(hub_clock)
    services.hold([other.pk], reason="risk", detail="新客", actor="user:li", now=hub_clock.now())

    merge(first, other)
    hub_clock.advance(minutes=20)
    make.run_until_idle()

    assert make.fresh(first).stage == "reviewing"
    assert set(Hold.objects.filter(order=first, released_at=None).values_list("reason", flat=True)) == {
        "risk"
    }
    assert not Hold.objects.filter(order=other, released_at=None).exists()
    replay.assert_told(first, other)
    assert_all_hold()


def test_a_third_order_leads_to_the_oldest_too(hub_clock: make.Clock) -> None:
    first, other = two_orders(hub_clock)
    (third,) = make.place(make.draft("A3", channel=first.channel, lines={"QUILT": 1}))
    make.run_until_idle()
    merge(third, other)

    answer = merge(first, other)

    assert (answer.status_code, answer.json()["id"]) == (200, first.pk)
    assert {make.fresh(other).merged_into_id, make.fresh(third).merged_into_id} == {first.pk}
    assert [line.origin_id for line in first.lines.order_by("position")] == [None, other.pk, third.pk]
    found = sharing.find(sharing.token(third))
    assert found is not None
    assert found.pk == first.pk
    assert_all_hold()


def test_a_merge_is_undone_by_splitting_again(hub_clock: make.Clock) -> None:
    first, other = two_orders(hub_clock)
    merge(first, other)

    body = {"lines": [{"position": 2, "quantity": 1}], "reason": "撤销合单"}
    answer = make.client(first.merchant).post(f"/api/v1/orders/{first.pk}/split/", body, format="json")

    part = Order.objects.get(pk=answer.json()["id"])
    assert (make.fresh(first).total, part.total) == (Decimal("318.00"), Decimal("89.00"))
    assert part.lines.get().origin_id == other.pk
    hub_clock.advance(minutes=10)
    make.play(hub_clock)
    assert {make.fresh(first).stage, make.fresh(part).stage} == {"delivered"}
    replay.assert_told(first, other, part)
    assert_all_hold()


@pytest.mark.parametrize(
    ("second", "code"),
    [
        ({"to": cast.LEI}, "different_receivers"), ({"service": "express"}, "different_receivers"),
        ({"paid": False, "paid_at": None}, "not_paid"),
    ],
)  # fmt: skip
def test_orders_that_differ_stay_apart(hub_clock: make.Clock, second: dict[str, Any], code: str) -> None:
    first, other = two_orders(hub_clock, **second)
    told = Event.objects.count()

    answer = merge(first, other)

    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert Event.objects.count() == told
    assert make.fresh(other).merged_into_id is None


def test_another_merchants_order_does_not_exist(hub_clock: make.Clock) -> None:
    first, _other = two_orders(hub_clock)
    bob = make.network(make.merchant(cast.BOB))
    (foreign,) = make.place(make.draft("B1", owner=bob), owner=bob)

    answer = merge(first, foreign)

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_order")


def test_the_merged_order_takes_no_verb_any_more(hub_clock: make.Clock) -> None:
    first, other = two_orders(hub_clock)
    merge(first, other)
    client = make.client(first.merchant)

    answers = [
        client.post(f"/api/v1/orders/{other.pk}/{verb}/", {}, format="json").json()["code"]
        for verb in ("pay", "hold", "reroute", "cancel")
    ]

    assert answers == ["order_merged"] * 4
    assert client.get(f"/api/v1/orders/{other.pk}/").json()["supported_actions"] == []
