"""The order pool: a fixed number of queries, exact search, saved views, and verbs for many orders at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orderhub.events.models import Event
from orderhub.fulfillment import verbs
from orderhub.fulfillment.models import FulfillmentOrder, Parcel
from orderhub.kernel import clock
from orderhub.orders import services
from orderhub.orders.models import Hold, Order
from tests.admin import desk
from tests.fulfillment import builders as make
from tests.orders import builders as orders

pytestmark = pytest.mark.django_db
POOL = "/admin/orders/order/"
MOST_QUERIES = 25


def _rows(response: object) -> list[int]:
    return [order.pk for order in response.context["cl"].result_list]  # type: ignore[attr-defined]


def _count_queries(client: object, path: str) -> int:
    with CaptureQueriesContext(connection) as caught:
        assert client.get(path).status_code == 200  # type: ignore[attr-defined]
    return len(caught)


def test_the_pool_costs_the_same_queries_for_10_and_100_orders() -> None:
    client = desk.boss()
    desk.pool(10)
    services.hold([o.pk for o in Order.objects.all()], reason="risk", actor="t", now=orders.NOW)
    client.get(POOL)
    few = _count_queries(client, POOL)
    desk.pool(90)
    services.hold([o.pk for o in Order.objects.all()], reason="manual", actor="t", now=orders.NOW)

    many = _count_queries(client, f"{POOL}?all=")

    assert Order.objects.count() == 100
    assert few == many
    assert many <= MOST_QUERIES


def test_search_finds_exactly_our_number_the_channels_and_a_parcels() -> None:
    make.network()
    first, second = make.released(2)
    work = FulfillmentOrder.objects.get(order=second)
    Parcel.objects.create(
        merchant=work.merchant, fulfillment=work, carrier="SF", tracking_number="SF1234567890", grams=500
    )
    client = desk.boss()

    assert _rows(client.get(POOL, {"q": first.number})) == [first.pk]
    assert _rows(client.get(POOL, {"q": first.number.lower()})) == [first.pk]
    assert _rows(client.get(POOL, {"q": second.external_id})) == [second.pk]
    assert _rows(client.get(POOL, {"q": "SF1234567890"})) == [second.pk]
    assert _rows(client.get(POOL, {"q": "SF12345"})) == []


def test_saved_views_show_who_needs_a_person_who_waits_and_who_has_not_paid() -> None:
    held, unpaid, waiting, plain = [desk.pool(1)[0] for _ in range(4)]
    services.hold([held.pk], reason="risk", actor="t", now=orders.NOW)
    Order.objects.filter(pk=unpaid.pk).update(payment="unpaid")
    Order.objects.filter(pk=waiting.pk).update(
        waiting_for="stock", received_at=clock.now() - timedelta(hours=2)
    )
    client = desk.boss()

    assert _rows(client.get(POOL, {"view": "person"})) == [held.pk]
    assert _rows(client.get(POOL, {"view": "stock"})) == [waiting.pk]
    assert _rows(client.get(POOL, {"view": "unpaid"})) == [unpaid.pk]
    page = client.get(POOL)
    assert sorted(_rows(page)) == sorted([held.pk, unpaid.pk, waiting.pk, plain.pk])
    assert [tab["count"] for tab in page.context["views"]] == [1, 1, 1, None]


def test_an_order_that_waits_for_stock_for_more_than_a_day_needs_a_person() -> None:
    [order] = desk.pool(1)
    Order.objects.filter(pk=order.pk).update(
        waiting_for="stock", received_at=clock.now() - timedelta(hours=25)
    )

    assert _rows(desk.boss().get(POOL, {"view": "person"})) == [order.pk]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"stage__exact": "received"}, True),
        ({"stage__exact": "shipped"}, False),
        ({"payment__exact": "paid"}, True),
        ({"age": "1h"}, False),
        ({"age": "4h"}, True),
        ({"age": "24h"}, False),
        ({"age": "old"}, False),
        ({"province": "ZJ"}, True),
        ({"province": "SC"}, False),
        ({"province": "abroad"}, False),
        ({"source": "api"}, True),
        ({"source": "import"}, False),
        ({"green__exact": "0"}, True),
        ({"waiting_for": "stock"}, False),
        ({"hold": "risk"}, False),
    ],
)
def test_filters_keep_or_drop_the_order(query: dict[str, str], expected: bool) -> None:
    [order] = desk.pool(1)
    Order.objects.filter(pk=order.pk).update(received_at=clock.now() - timedelta(hours=2))

    response = desk.boss().get(POOL, query)

    assert response.status_code == 200
    assert (order.pk in _rows(response)) is expected


def test_holding_many_asks_first_with_their_number_and_changes_nothing_until_confirmed() -> None:
    found = desk.pool(3)
    client = desk.boss()
    chosen = {ACTION_CHECKBOX_NAME: [order.pk for order in found], "action": "hold_selected"}
    before = Event.objects.count()

    page = client.post(POOL, chosen)

    assert "3 单将停在当前步骤" in page.content.decode()
    assert Hold.objects.count() == 0
    assert Event.objects.count() == before

    given = {**chosen, "confirmed": "1", "reason": "risk", "detail": "地址可疑", "until": ""}
    done = client.post(POOL, given, follow=True)

    assert desk.messages_of(done) == ["已冻结 3 单。"]
    assert (
        list(Hold.objects.values_list("reason", "detail", "placed_by"))
        == [("risk", "地址可疑", "user:boss")] * 3
    )


def test_a_confirmed_verb_without_its_reason_asks_again_and_does_nothing() -> None:
    [order] = desk.pool(1)
    given = {ACTION_CHECKBOX_NAME: [order.pk], "action": "cancel_selected", "confirmed": "1", "reason": ""}

    page = desk.boss().post(POOL, given)

    assert page.status_code == 200
    assert page.context["form"].errors.keys() == {"reason"}
    assert Order.objects.get(pk=order.pk).stage == "received"


def test_each_refused_order_is_named_beside_those_that_were_done() -> None:
    make.network()
    [shipped] = make.released(1)
    make.apply(make.say("ship", shipped, tracking_number="SF1"))
    [fresh] = desk.pool(1)
    chosen = {ACTION_CHECKBOX_NAME: [shipped.pk, fresh.pk], "action": "cancel_selected"}

    done = desk.boss().post(POOL, {**chosen, "confirmed": "1", "reason": "买家不要了"}, follow=True)

    told = desk.messages_of(done)
    assert told[0] == "已取消 1 单。"
    assert told[1].startswith(f"订单 {shipped.number} 已出库。")
    assert Order.objects.get(pk=shipped.pk).stage == "shipped"
    assert Order.objects.get(pk=fresh.pk).stage == "cancelled"


def test_releasing_many_says_which_had_no_hold() -> None:
    held, free = desk.pool(2)
    services.hold([held.pk], reason="risk", actor="t", now=orders.NOW)
    chosen = {
        ACTION_CHECKBOX_NAME: [held.pk, free.pk],
        "action": "release_selected",
        "confirmed": "1",
        "note": "",
    }

    done = desk.boss().post(POOL, chosen, follow=True)

    assert desk.messages_of(done) == ["已解除 1 单。", "没有冻结（1 单）"]
    assert Hold.objects.get().released_by == "user:boss"


def test_more_orders_than_a_page_can_wait_for_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = desk.pool(3)
    monkeypatch.setattr("orderhub.fulfillment.admin_orders.MOST", 2)
    chosen = {ACTION_CHECKBOX_NAME: [order.pk for order in found], "action": "hold_selected"}

    done = desk.boss().post(POOL, chosen, follow=True)

    assert desk.messages_of(done) == ["一次最多 2 单。"]
    assert Hold.objects.count() == 0


def test_a_verb_runs_in_batches_and_answers_for_every_order(monkeypatch: pytest.MonkeyPatch) -> None:
    found = desk.pool(5)
    monkeypatch.setattr(verbs, "BATCH", 2)
    given = {"reason": "manual", "detail": "x", "until": None}

    outcomes = verbs.VERBS["hold"].on([o.pk for o in found], given, actor="user:t", now=orders.NOW)

    assert [(one.order_id, one.done) for one in outcomes] == [(order.pk, True) for order in found]


def test_support_may_hold_but_neither_release_nor_cancel() -> None:
    [order] = desk.pool(1)
    services.hold([order.pk], reason="risk", actor="t", now=orders.NOW)
    client = desk.member("support")

    page = client.get(POOL)

    assert {name for name, _title in page.context["action_form"].fields["action"].choices} == {
        "",
        "hold_selected",
    }
    for verb in ("release", "reroute", "cancel", "pay"):
        assert client.post(reverse(f"admin:orders_order_{verb}_one", args=(order.pk,))).status_code == 403
    given = {ACTION_CHECKBOX_NAME: [order.pk], "action": "cancel_selected", "confirmed": "1", "reason": "x"}
    client.post(POOL, given)
    assert Order.objects.get(pk=order.pk).stage == "reviewing"


def test_staff_of_one_merchant_see_only_its_orders() -> None:
    [own] = desk.pool(1)
    other = orders.merchant("other")
    client = desk.member("operator", merchant=other)

    assert _rows(client.get(POOL)) == []
    assert client.get(f"{POOL}{own.pk}/change/").status_code == 302
    assert client.get(f"{POOL}{own.pk}/hold/").status_code == 404
    given = {
        ACTION_CHECKBOX_NAME: [own.pk],
        "action": "hold_selected",
        "confirmed": "1",
        "reason": "risk",
        "detail": "x",
    }
    client.post(POOL, given)
    assert Hold.objects.count() == 0
