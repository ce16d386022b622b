"""Placing: once per number, nothing lost, constant in queries."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.events.models import Event
from orderhub.kernel.errors import Refused
from orderhub.orders import journeys, services, sharing
from orderhub.orders.drafts import Placement
from orderhub.orders.models import Order, OrderLine, Original, Person
from tests.orders import builders as make

pytestmark = pytest.mark.django_db


def place(*drafts: Any) -> list[Placement]:
    return services.place(drafts, merchant=make.merchant(), actor="api:test", now=make.NOW, source="api")


def test_a_draft_becomes_an_order_with_everything_that_belongs_to_it() -> None:
    draft = make.draft(lines=[make.line(quantity=2), make.line("CUP", price="9.90")])

    [placement] = place(draft)

    assert placement.outcome == "created"
    order = Order.objects.get()
    assert (order.stage, order.step, order.step_state, order.payment) == (
        "received",
        "order.screen",
        "ready",
        "paid",
    )
    assert (order.goods_total, order.total, order.discount_total) == (Decimal("209.90"), Decimal("209.90"), 0)
    assert (order.country, order.province, order.is_remote, order.source) == ("CN", "浙江省", False, "api")
    assert abs(order.latitude - Decimal("30.27")) < Decimal("0.2")
    assert list(OrderLine.objects.order_by("position").values_list("sku__code", "ordered", "open")) == [
        ("TEA", 2, 2), ("CUP", 1, 1),
    ]  # fmt: skip
    assert (Original.objects.get().payload, Person.objects.get().name) == ({"number": "T1"}, "王芳")


def test_the_log_says_what_was_placed_and_nothing_personal() -> None:
    [order] = make.placed()

    event = Event.objects.get(stream=order.stream)

    assert (event.kind, event.actor, event.merchant_id) == ("order.placed", "api:test", order.merchant_id)
    assert event.payload == {
        "external_id": "T1", "channel": "tmall", "total": "100.00", "currency": "CNY", "lines": 1,
        "paid": True, "stage": "received",
    }  # fmt: skip


def test_the_buyers_link_finds_the_order_until_it_is_withdrawn() -> None:
    [order] = make.placed()
    token = sharing.token(order)

    assert sharing.find(token) == order
    assert sharing.tracking_path(order) == f"/t/{token}/"

    sharing.withdraw(order)

    assert sharing.find(token) is None
    assert sharing.find(sharing.token(order)) == order


def test_the_link_survives_a_new_first_key(settings: Any) -> None:
    [order] = make.placed()
    token = sharing.token(order)

    settings.SECRET_KEYS = ["a-newer-key-in-front-of-the-others-0123456789", *settings.SECRET_KEYS]

    assert sharing.token(order) == token


def test_the_same_order_again_changes_nothing() -> None:
    [order] = make.placed()

    [again] = place(make.draft())

    assert (again.outcome, again.order) == ("unchanged", order)
    assert make.kinds_of(order) == ["order.placed"]
    assert (Order.objects.count(), Person.objects.count(), OrderLine.objects.count()) == (1, 1, 1)


def test_other_content_under_a_known_number_is_told_once_and_not_applied() -> None:
    [order] = make.placed()
    other = make.draft(note="另一个备注")

    outcomes = [place(other)[0].outcome, place(other)[0].outcome]

    assert outcomes == ["conflict", "conflict"]
    assert make.kinds_of(order) == ["order.placed", "order.repeat_refused"]
    assert make.last_event(order).payload == {"source": "api", "content_hash": other.content_hash}
    assert Order.objects.get().note == ""


def test_repeats_inside_one_batch_are_one_order() -> None:
    outcomes = [x.outcome for x in place(make.draft(), make.draft(), make.draft(note="x"), make.draft("T2"))]

    assert outcomes == ["created", "unchanged", "conflict", "created"]
    assert list(Order.objects.order_by("external_id").values_list("external_id", flat=True)) == ["T1", "T2"]


def test_the_same_number_in_two_channels_is_two_orders() -> None:
    outcomes = [x.outcome for x in place(make.draft(), make.draft(channel=make.channel("jd")))]

    assert outcomes == ["created", "created"]


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"province": "火星省"}, "unknown_province", "province"),
        ({"country": "火星"}, "unknown_country", "country"),
        ({"lines": []}, "no_lines", "lines"),
        ({"lines": "foreign"}, "foreign_goods", "channel"),
        ({"lines": "none of it"}, "bad_quantity", "lines"),
    ],
)
def test_what_cannot_be_an_order_is_refused_and_nothing_of_the_batch_is_written(
    fields: dict[str, Any], code: str, field: str
) -> None:
    if fields.get("lines") == "foreign":
        fields = {
            "lines": [make.LineDraft(make.sku(owner=make.merchant("other")), 1, Decimal(1), Decimal(1), "")]
        }
    if fields.get("lines") == "none of it":
        fields = {"lines": [make.line(quantity=0)]}
    bad = make.draft("T2")
    bad = type(bad)(**{**{name: getattr(bad, name) for name in bad.__slots__}, **fields})

    with pytest.raises(Refused) as refused:
        place(make.draft(), bad)

    assert (refused.value.code, refused.value.field, refused.value.status) == (code, field, 400)
    assert refused.value.facts["external_id"] == "T2"
    assert str(refused.value.message)
    assert (Order.objects.count(), Event.objects.count(), Person.objects.count()) == (0, 0, 0)


def test_a_batch_costs_as_many_queries_as_one_order() -> None:
    make.channel(), make.sku()
    one, many = [make.draft("A")], [make.draft(f"B{n}") for n in range(20)]

    with CaptureQueriesContext(connection) as single:
        place(*one)
    journeys.forget()  # what the first one read is kept for half a second
    with CaptureQueriesContext(connection) as batch:
        place(*many)

    assert len(batch) == len(single)
    assert len(_statements(single)) <= 12


def _statements(captured: CaptureQueriesContext) -> list[str]:
    return [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]
