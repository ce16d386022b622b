"""A lamp of the wrong sort goes back and another comes; a parcel gets lost and is sent again."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from orderhub.events.models import Event
from orderhub.orders import sharing
from orderhub.orders.models import FollowUp, LineCredit, Order
from tests import make
from tests.journeys import replay
from tests.journeys.invariants import assert_all_hold

pytestmark = pytest.mark.django_db


def ask(order: Order, verb: str, body: dict[str, Any], *, key: str = "", language: str = "en") -> Any:
    """Ask by API for something to be done to the order."""
    headers = {"Idempotency-Key": key} if key else {}
    client = make.client(order.merchant, language=language)
    return client.post(f"/api/v1/orders/{order.pk}/{verb}/", body, format="json", headers=headers)


def preview(order: Order, verb: str, body: dict[str, Any], *, language: str = "en") -> Any:
    """Ask what it would do."""
    return ask(order, "preview", {"verb": verb, "given": body}, language=language).json()


def arrived(hub_clock: make.Clock, **lines: int) -> Order:
    """An order that has been delivered."""
    make.network()
    (order,) = make.place(make.draft("A1", lines=lines or {"LAMP": 2}))
    make.play(hub_clock)
    assert make.fresh(order).stage == "delivered"
    return make.fresh(order)


def test_a_lamp_is_exchanged_for_a_quilt_and_the_difference_is_paid(hub_clock: make.Clock) -> None:
    order = arrived(hub_clock)
    wish = {
        "lines": [{"position": 1, "quantity": 1}],
        "goods": [{"sku": "QUILT", "quantity": 1}],
        "reason": "choice",
    }
    events = Event.objects.count()

    foretold = preview(order, "exchange", wish)

    assert (Order.objects.count(), Event.objects.count(), FollowUp.objects.count()) == (1, events, 0)
    assert "The customer is asked for" in " ".join(foretold["sentences"])
    assert foretold["undo"] == "Until something has left, this can be undone: Cancel the new order."

    answer = ask(order, "exchange", wish, key="x-1")
    again = ask(order, "exchange", wish, key="x-1")

    assert (answer.status_code, again.json()["id"]) == (201, answer.json()["id"])
    new = Order.objects.get(pk=answer.json()["id"])
    follow_up = FollowUp.objects.get()
    assert (follow_up.price, follow_up.credit, follow_up.pays) == (
        Decimal("699.00"),
        Decimal("159.00"),
        "customer",
    )
    assert (new.external_id, new.total, new.payment) == ("A1~X1", Decimal("540.00"), "unpaid")
    assert follow_up.return_expected
    assert {row["id"] for row in foretold["orders"]} == {order.pk, None}
    make.run_until_idle()
    assert make.fresh(new).stage == "reviewing"

    ask(new, "pay", {})
    make.play(hub_clock)

    assert make.fresh(new).stage == "delivered"
    assert make.fresh(order).stage == "delivered"
    page = make.client(new.merchant).get(f"/t/{sharing.token(new)}/?lang=en")
    assert page.status_code == 200
    replay.assert_told(new)
    assert_all_hold()


def test_each_unit_is_exchanged_once_and_the_credits_add_up_to_what_was_paid(hub_clock: make.Clock) -> None:
    order = arrived(hub_clock, LAMP=3)
    Order.objects.filter(pk=order.pk).update(discount_total="0.02", total="476.98")
    order.lines.update(discount="0.02")
    for _number in range(3):
        wish = {"lines": [{"position": 1, "quantity": 1}], "goods": [{"sku": "LAMP", "quantity": 1}]}
        assert ask(order, "exchange", wish).status_code == 201

    refused = ask(order, "exchange", wish)

    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_to_replace")
    assert refused.json()["remedy"]
    assert sum(LineCredit.objects.values_list("amount", flat=True)) == Decimal("476.98")
    assert [x.total for x in Order.objects.exclude(pk=order.pk)] == [Decimal(0)] * 3


def test_a_lost_parcel_is_sent_again_at_no_charge_and_claimed(hub_clock: make.Clock) -> None:
    order = arrived(hub_clock)
    parcel = order.fulfillments.get().parcels.get()
    wish = {"lines": [{"position": 1, "quantity": 2}], "reason": "lost", "detail": "签收人不是本人"}

    answer = ask(order, "resend", wish)

    assert answer.status_code == 201
    new, follow_up = Order.objects.get(pk=answer.json()["id"]), FollowUp.objects.get()
    assert (new.external_id, new.total, new.payment) == ("A1~R1", Decimal(0), "paid")
    assert (follow_up.claim_against, follow_up.claim_parcel) == (parcel.carrier, parcel.tracking_number)
    make.run_until_idle()
    assert make.fresh(new).stage == "released"
    assert make.shelf("HGH", "LAMP") == (98, 2)
    make.play(hub_clock)
    assert make.fresh(new).stage == "delivered"
    assert ask(order, "resend", wish).json()["code"] == "nothing_to_replace"
    # Lost again: it is the new order that is sent again.
    assert ask(new, "resend", wish).status_code == 201
    assert_all_hold()


def test_an_exchange_is_taken_back_before_it_leaves(hub_clock: make.Clock) -> None:
    order = arrived(hub_clock)
    wish = {"lines": [{"position": 1, "quantity": 1}], "goods": [{"sku": "CUP", "quantity": 1}]}
    new = Order.objects.get(pk=ask(order, "exchange", wish).json()["id"])
    follow_up = FollowUp.objects.get()
    assert (follow_up.pays, follow_up.difference) == ("merchant", Decimal("-70.00"))
    make.run_until_idle()

    answer = ask(order, "undo", {})
    make.run_until_idle()

    assert answer.status_code == 200
    assert make.fresh(new).stage == "cancelled"
    follow_up.refresh_from_db()
    assert follow_up.ended_at is not None
    assert not LineCredit.objects.filter(voided_at=None).exists()
    assert order.lines.get().replaced == 0
    assert make.kinds_of(order)[-2:] == ["order.undone", "order.follow_up_cancelled"]
    assert ask(order, "exchange", wish).status_code == 201
    assert_all_hold()


@pytest.mark.parametrize(
    ("verb", "change", "code"),
    [
        ("exchange", {"lines": [{"position": 9, "quantity": 1}]}, "unknown_line"),
        ("exchange", {"lines": [{"position": 1, "quantity": 3}]}, "too_many_units"),
        ("exchange", {"goods": [{"sku": "NONE", "quantity": 1}]}, "unknown_sku"),
        ("resend", {"parcel": "nowhere"}, "unknown_parcel"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    verb: str, change: dict[str, Any], code: str, hub_clock: make.Clock
) -> None:
    order = arrived(hub_clock)
    wish: dict[str, Any] = {"lines": [{"position": 1, "quantity": 1}]}
    wish |= {"goods": [{"sku": "CUP", "quantity": 1}]} if verb == "exchange" else {"reason": "damaged"}
    before = Event.objects.count()

    for answer in (
        ask(order, verb, wish | change),
        ask(order, "preview", {"verb": verb, "given": wish | change}),
    ):
        assert (answer.json()["code"], bool(answer.json()["remedy"])) == (code, True)

    assert (Event.objects.count(), Order.objects.count()) == (before, 1)


def test_before_anything_left_there_is_nothing_to_replace(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place()
    make.run_until_idle()

    answer = ask(order, "resend", {"lines": [{"position": 1, "quantity": 1}], "reason": "lost"})

    assert answer.json()["code"] == "nothing_to_replace"
    assert "exchange" not in make.client().get(f"/api/v1/orders/{order.pk}/").json()["supported_actions"]
