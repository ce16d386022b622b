"""The order page: says what is true and why, shows people masked, and offers only the verbs that apply."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.events.models import Event
from orderhub.orders import services, sharing
from orderhub.orders.models import Hold, Order
from tests.admin import desk
from tests.fulfillment import builders as make
from tests.orders import builders as orders

pytestmark = pytest.mark.django_db
MOST_QUERIES = 45


def _path(order: Order, verb: str = "change") -> str:
    return f"/admin/orders/order/{order.pk}/{verb}/"


def _buttons(response: Any) -> list[str]:
    """The verbs that are offered, those in the menu among them."""
    shown = response.context["actions_detail"]
    actions = [one for action in shown for one in action.get("items", [action])]
    return [action["path"].rstrip("/").rpartition("/")[2] for action in actions]


def test_a_released_order_is_explained_from_sentence_to_parcels() -> None:
    make.network()
    [order] = make.released(1)
    make.apply(make.say("pack", order, tracking_number="SF77", grams=900))

    page = desk.boss().get(_path(order))

    text = page.content.decode()
    assert page.status_code == 200
    assert page.context["title"] == order.number
    assert page.context["page"]["sentence"].startswith("已交给上海仓")
    assert "上海仓优于广州仓" in text
    assert "SF77" in text
    assert sharing.tracking_path(order) in text
    assert [line["cells"] for line in page.context["page"]["lines"]] == [[0, 0, 0, 2, 0, 0]]


def test_the_page_reads_in_english_too() -> None:
    make.network()
    [order] = make.released(1)

    text = desk.boss("en").get(_path(order)).content.decode()

    for words in ("With Shanghai now.", "Shanghai beats Guangzhou", "Sent to the warehouse", "What happened"):
        assert words in text


def test_the_receiver_stays_masked() -> None:
    [order] = desk.pool(1, name="王芳芳", phone="13800138021", address="文三路 478 号 3 单元")

    text = desk.boss().get(_path(order)).content.decode()

    assert "王*** 138******21" in text
    assert "王芳芳" not in text
    assert "13800138021" not in text
    assert "478" not in text


def test_a_long_story_costs_a_bounded_number_of_queries() -> None:
    make.network(at=("SHA", "CAN", "CTU"))
    [order] = make.released(1)
    make.apply(
        make.say("acknowledge", order),
        make.say("pick", order, 2),
        make.say("pack", order, 3, tracking_number="S1"),
    )
    client = desk.boss()
    client.get(_path(order))

    with CaptureQueriesContext(connection) as caught:
        client.get(_path(order))

    assert len(caught) <= MOST_QUERIES


def test_only_the_verbs_that_apply_are_offered() -> None:
    make.network()
    [fresh] = desk.pool(1)
    [shipped] = make.released(1)
    make.apply(make.say("ship", shipped, tracking_number="SF1"))
    [held] = desk.pool(1)
    services.hold([held.pk], reason="risk", actor="t", now=orders.NOW)
    client = desk.boss()

    assert _buttons(client.get(_path(fresh))) == [
        "hold", "reroute", "move", "merge", "change-address", "cancel",
    ]  # fmt: skip
    assert _buttons(client.get(_path(shipped))) == ["exchange", "resend"]
    assert _buttons(client.get(_path(held))) == [
        "hold", "release", "undo", "reroute", "move", "merge", "change-address", "cancel",
    ]  # fmt: skip


def test_a_link_to_a_verb_asks_and_changes_nothing() -> None:
    [order] = desk.pool(1)
    before = Event.objects.count()

    page = desk.boss().get(_path(order, "cancel"))

    assert "退款之前可以撤销" in page.content.decode()
    assert Event.objects.count() == before
    assert Order.objects.get(pk=order.pk).stage == "received"


def test_cancelling_needs_a_reason_and_is_told_to_the_log() -> None:
    [order] = desk.pool(1)
    client = desk.boss()

    refused = client.post(_path(order, "cancel"), {"reason": ""})

    assert refused.status_code == 200
    assert Order.objects.get(pk=order.pk).stage == "received"

    done = client.post(_path(order, "cancel"), {"reason": "重复下单"}, follow=True)

    assert desk.messages_of(done) == ["已取消 1 单。"]
    assert done.context["page"]["sentence"] == "已取消，不会再发货。"
    told = orders.last_event(order)
    assert (told.kind, told.actor, told.payload["reason"]) == ("order.cancelled", "user:boss", "重复下单")


def test_hold_and_release_go_round() -> None:
    [order] = desk.pool(1)
    client = desk.boss()
    given = {"reason": "customer", "detail": "周末送", "until": "2030-01-05T10:00"}

    held = client.post(_path(order, "hold"), given, follow=True)

    assert held.context["page"]["sentence"] == "已停住：客户要求。解除冻结后会自动继续。"
    hold = Hold.objects.get()
    assert hold.until is not None
    assert hold.until.isoformat() == "2030-01-05T02:00:00+00:00"

    client.post(_path(order, "release"), {"note": "已确认"})

    hold.refresh_from_db()
    assert (hold.released_by, hold.release_note) == ("user:boss", "已确认")
    assert Order.objects.get(pk=order.pk).stage == "received"


def test_payment_is_noted_and_its_hold_ends() -> None:
    [order] = desk.pool(1, paid=False, paid_at=None)
    services.hold([order.pk], reason="awaiting_payment", actor="t", now=orders.NOW)

    done = desk.boss().post(_path(order, "pay"), follow=True)

    assert desk.messages_of(done) == ["已将 1 单标记为已付款。"]
    assert Order.objects.get(pk=order.pk).payment == "paid"
    assert Hold.objects.get().released_at is not None


def test_re_routing_sends_an_order_back() -> None:
    make.network()
    [order] = make.released(1)

    done = desk.boss().post(_path(order, "reroute"), {"reason": "改仓"}, follow=True)

    assert desk.messages_of(done) == ["已请仓库退回（1 单）"]
    assert make.row(order).state == "cancel_requested"


def test_nothing_of_an_order_can_be_edited_added_or_deleted() -> None:
    [order] = desk.pool(1)
    client = desk.boss()

    assert client.post(_path(order), {"stage": "delivered", "total": "0"}).status_code == 403
    assert client.get("/admin/orders/order/add/").status_code == 403
    assert client.post(_path(order, "delete"), {"post": "yes"}).status_code == 403
    found = Order.objects.get(pk=order.pk)
    assert (found.stage, str(found.total)) == ("received", "100.00")


def test_an_unknown_order_leads_back_to_the_pool() -> None:
    client = desk.boss()

    assert client.get("/admin/orders/order/999999/change/").status_code == 302
    assert client.get("/admin/orders/order/999999/hold/").status_code == 404
    assert client.get("/admin/orders/order/abc/hold/").status_code == 404


def test_panels_need_the_right_to_see_what_they_show() -> None:
    make.network()
    [order] = make.released(1)

    text = desk.member("support").get(_path(order)).content.decode()

    assert "上海仓优于广州仓" not in text
    assert "商品与数量账" in text


def test_a_verb_shows_what_it_would_do_before_it_is_done() -> None:
    make.network()
    [order] = make.released(1, lines=[("TEA", 3)])
    client, before = desk.boss(), Event.objects.count()

    page = client.get(_path(order, "cancel")).content.decode()
    assert "将会发生" in page
    assert "将请仓库退回" in page

    wish = {"units_1": "1", "reason": "买多了"}
    foretold = client.post(_path(order, "cancel-units"), {**wish, "preview": "1"}).content.decode()
    assert "将有 2 件" in foretold
    assert Event.objects.count() == before

    done = client.post(_path(order, "cancel-units"), wish, follow=True).content.decode()
    assert "已完成" in done
    assert make.row(order).state == "cancel_requested"


def test_customer_service_resends_but_gives_no_difference_away() -> None:
    make.network()
    [order] = make.released(1, lines=[("TEA", 2)])
    make.apply(make.say("ship", order, tracking_number="SF1"))
    client = desk.member("support")

    assert _buttons(client.get(_path(order))) == ["exchange", "resend"]
    form = client.get(_path(order, "exchange")).content.decode()
    assert 'name="waive"' not in form
    done = client.post(_path(order, "resend"), {"units_1": "1", "reason": "lost", "parcel": "SF1"})
    assert done.status_code == 302
    new = Order.objects.latest("pk")
    assert (new.source, new.total) == (f"resend:{order.pk}", 0)
    assert client.get(_path(new, "move")).status_code == 403


def test_the_last_deed_is_undone_from_its_page() -> None:
    make.network()
    [order] = desk.pool(1)
    services.hold([order.pk], reason="customer", actor="user:li", now=orders.NOW)
    client = desk.boss()

    page = client.get(_path(order, "undo")).content.decode()
    assert "最近的操作：订单被挂起" in page
    assert "将会发生" in page
    event = Event.objects.get(stream=order.stream, kind="order.held")
    client.post(_path(order, "undo"), {"seq": event.seq})

    assert not Hold.objects.filter(order=order, released_at=None).exists()
    assert "操作已撤销" in client.get(_path(order)).content.decode()
