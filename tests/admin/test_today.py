"""The Today page: what needs a person, how full warehouses are, and what it costs to say so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.connectors.models import Connection, ImportBatch, InboxMessage
from orderhub.events.models import Cursor, Delivery, Event, ParkedEvent
from orderhub.fulfillment import today
from orderhub.inventory.models import WarehouseDay
from orderhub.kernel import clock
from orderhub.orders import services
from orderhub.orders.models import Order
from tests.admin import desk
from tests.fulfillment import builders as make
from tests.orders import builders as orders

pytestmark = pytest.mark.django_db
MOST_QUERIES = 36


def _today(client: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/admin/").context["today"]
    return found


def _texts(client: Any) -> list[str]:
    return [str(one.text) for one in _today(client)["concerns"]]


def _a_bad_day() -> None:
    now = clock.now()
    held, waiting = desk.pool(2)
    services.hold([held.pk], reason="risk", actor="t", now=now)
    Order.objects.filter(pk=waiting.pk).update(waiting_for="stock", received_at=now - timedelta(hours=30))
    event = Event.objects.order_by("pk")[0]
    Delivery.objects.create(
        event=event, subscriber="connectors.push", stream=event.stream, state="dead", not_before=now,
        created_at=now - timedelta(hours=3),
    )  # fmt: skip
    cursor = Cursor.objects.get_or_create(name="tracking.timeline")[0]
    ParkedEvent.objects.create(cursor=cursor, event=event, stream=event.stream)
    link = Connection.objects.create(
        merchant=orders.merchant(), code="wms", name="华东仓", kind="simulator", failures_in_a_row=5
    )
    InboxMessage.objects.create(
        connection=link,
        merchant=link.merchant,
        key="1",
        body={},
        sha256="",
        state="quarantined",
        received_at=now,
    )
    ImportBatch.objects.create(merchant=link.merchant, status="failed", created_at=now)


def test_a_quiet_day_says_that_nothing_needs_a_person() -> None:
    page = desk.boss().get("/admin/")

    assert page.context["today"]["concerns"] == []
    assert "没有需要处理的事" in page.content.decode()


def test_everything_that_needs_a_person_is_listed_the_worst_first() -> None:
    _a_bad_day()

    page = desk.boss().get("/admin/")

    tones = [one.tone for one in page.context["today"]["concerns"]]
    assert tones == ["bad"] * 4 + ["hold"] + ["warn"] * 2
    assert {str(one.text) for one in page.context["today"]["concerns"]} == {
        "1 条到 connectors.push 的推送已停止",
        "tracking.timeline 搁置了 1 个事件",
        "华东仓 有 1 条消息无法读取",
        "1 单等待补货",
        "1 单被冻结：风险检查",
        "华东仓 没有应答",
        "1 次导入失败",
    }
    assert "7 件事需要人处理" in page.content.decode()


def test_each_concern_leads_to_the_rows_it_counts() -> None:
    _a_bad_day()
    client = desk.boss()

    for one in _today(client)["concerns"]:
        assert one.link, one.text
        page = client.get(one.link)
        assert page.status_code == 200, one.link
        # What is about one connection leads to its own page.
        assert "cl" not in page.context or page.context["cl"].result_count == 1, one.link


def test_the_page_costs_a_bounded_number_of_queries_for_any_number_of_orders() -> None:
    make.network()
    _a_bad_day()
    make.released(5)
    client = desk.boss()
    client.get("/admin/")

    with CaptureQueriesContext(connection) as caught:
        client.get("/admin/")

    assert len(caught) <= MOST_QUERIES


def test_support_is_not_shown_what_it_may_not_open() -> None:
    _a_bad_day()

    client = desk.member("support")

    assert _texts(client) == ["1 单等待补货", "1 单被冻结：风险检查"]
    assert _today(client)["loads"] == []


def test_load_counts_for_the_day_orders_are_worked_on(monkeypatch: pytest.MonkeyPatch) -> None:
    place = make.warehouse("SHA", capacity_per_day=200)
    local_day = make.NOW.date()
    WarehouseDay.objects.create(warehouse=place, date=local_day, parcels=50)
    WarehouseDay.objects.create(warehouse=place, date=local_day + timedelta(days=1), parcels=190)
    monkeypatch.setattr(clock, "now", lambda: make.NOW)
    [morning] = _today(desk.boss())["loads"]
    monkeypatch.setattr(clock, "now", lambda: make.NOW + timedelta(hours=8))

    [evening] = _today(desk.boss())["loads"]

    assert (morning.parcels, morning.percent) == (50, 25)
    assert (evening.parcels, evening.percent) == (190, 95)


def test_figures_of_the_last_day_count_only_that_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: make.at(30))
    make.network()
    old, new = make.released(2)
    Order.objects.filter(pk=old.pk).update(received_at=make.at(1))
    Order.objects.filter(pk=new.pk).update(received_at=make.at(20))
    make.apply(make.say("ship", new, 21, tracking_number="S1"), now=make.at(30))

    values = {str(figure.label): figure.value for figure in _today(desk.boss())["figures"]}

    assert values["新订单"] == "1"
    assert values["出库履约单"] == "1"
    assert values["送达包裹"] == "0"


def test_hours_hold_every_order_of_the_last_24() -> None:
    desk.pool(3)
    request = type("Request", (), {"user": type("User", (), {"merchant_id": None})()})()

    drawn = today.hours(request, orders.NOW)  # type: ignore[arg-type]

    assert [bar["received"] for bar in drawn["bars"]] == [0] * 23 + [3]
    assert (drawn["top"], drawn["half"], drawn["is_empty"]) == (4, 2, False)
