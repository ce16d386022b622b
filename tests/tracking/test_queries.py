"""The page as data: right words in both languages, few queries, nobody's personal data."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.connectors.base import PositionFix
from orderhub.fulfillment.models import FulfillmentOrder, Parcel
from orderhub.orders import services as orders
from orderhub.orders import sharing
from orderhub.orders.models import Order, OrderLine
from tests import cast, make
from tracking import parcels, positions, queries

pytestmark = pytest.mark.django_db

KEYS = {
    "order_number", "merchant", "language", "seq", "updated_at", "stage", "headline", "eta", "destination",
    "parcels", "timeline", "waiting", "carbon", "notice", "related", "details", "datum", "wishes", "media",
}  # fmt: skip


def page(order: Order, time: make.Clock, *, language: str = "zh-hans") -> dict[str, Any]:
    found = sharing.find(sharing.token(Order.objects.get(pk=order.pk)))
    assert found is not None
    return queries.page(found, language=language, now=time.now())


def test_a_parcel_on_its_way(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place(make.draft(to=cast.LEI, lines={"QUILT": 1, "CUP": 2}))

    make.play(hub_clock, until="scan")
    track = page(order, hub_clock)

    assert set(track) == KEYS
    assert track["merchant"] == {"name": "青禾家居"}
    assert track["stage"] == {"code": "shipped", "text": "运输中", "tone": "go"}
    assert track["destination"]["text"] == "广东省广州市天河区"
    (parcel,) = track["parcels"]
    assert parcel["items"] == [{"name": "羽绒被", "quantity": 1}, {"name": "保温杯", "quantity": 2}]
    assert parcel["status"] == {"tone": "go", "text": "已揽收"}
    assert parcel["origin"]["name"] == "广州市仓"
    assert track["eta"]["late"] is False
    assert track["headline"]["text"] == track["eta"]["text"]
    assert [event["text"] for event in track["timeline"]][-1] == "订单已提交"
    assert [event["classifier"] for event in track["timeline"]][:2] == ["ESTIMATED", "ACTUAL"]
    assert [event["is_now"] for event in track["timeline"]].count(True) == 1
    assert track["carbon"]["basis"] == "estimate"
    assert 0 < track["carbon"]["low"] < track["carbon"]["kg"] < track["carbon"]["high"]
    assert track["notice"] == ""


def test_the_same_page_in_english(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place()

    make.play(hub_clock, until="scan")
    track = page(order, hub_clock, language="en")

    assert track["merchant"] == {"name": "Alice Home"}
    assert track["stage"]["text"] == "On its way"
    assert track["destination"]["text"] == "Hangzhou"
    assert track["parcels"][0]["items"] == [{"name": "Desk lamp", "quantity": 1}]
    assert track["parcels"][0]["origin"]["name"] == "HGH"
    words = {key: value for key, value in track.items() if key != "carbon"}
    assert not any("\u4e00" <= char <= "\u9fff" for char in json.dumps(words, ensure_ascii=False))
    assert track["carbon"]["method"] == "Aligned with ISO 14083"


def test_a_delivered_order_shows_what_it_really_cost(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place()

    make.play(hub_clock)
    track = page(order, hub_clock)

    assert track["stage"] == {"code": "delivered", "text": "已签收", "tone": "ok"}
    assert track["headline"]["text"] == "包裹已签收"
    assert track["eta"] is None
    assert track["timeline"][0]["classifier"] == "ACTUAL"
    assert track["timeline"][0]["tone"] == "ok"
    assert track["carbon"]["basis"] == "actual"
    assert track["carbon"]["primary_share"] > 0
    assert track["carbon"]["year"] == "2023–2025"


def test_no_personal_data_and_no_whole_tracking_number(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place(make.draft(note="请打电话 13800000001", email="fang@example.com"))
    make.play(hub_clock)
    number = Parcel.objects.get().tracking_number

    for language in ("zh-hans", "en"):
        text = json.dumps(page(order, hub_clock, language=language), ensure_ascii=False)

        for secret in ("王芳", "13800000001", "文三路", "501", "fang@", number, order.external_id + '"'):
            assert secret not in text
    assert parcels.masked("SF1234567890123") == "SF12*******0123"
    assert parcels.masked("12345") == "***45"


def test_few_queries_whatever_the_order_holds(hub_clock: make.Clock) -> None:
    make.network(units=2)
    (small, large) = make.place(
        make.draft("A1"), make.draft("A2", lines={"LAMP": 4, "CUP": 5, "QUILT": 3}, to=cast.MEI)
    )
    make.play(hub_clock, until="scan")
    counts = []
    for order in (small, large):
        found = sharing.find(sharing.token(order))
        assert found is not None
        with CaptureQueriesContext(connection) as seen:
            queries.page(found, language="zh-hans", now=hub_clock.now())
        counts.append(len(seen))

    assert FulfillmentOrder.objects.filter(order=large).count() > 1
    assert max(counts) <= 20


def test_an_order_in_review_never_says_why(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place()
    orders.hold([order.pk], reason="risk", detail="同一电话下单过多", actor="user:ops", now=hub_clock.now())
    make.run_until_idle()

    track = page(order, hub_clock)

    assert track["stage"] == {"code": "reviewing", "text": "审核中", "tone": "hold"}
    assert track["notice"] == "订单审核中，审核完成后会自动安排发货，您不用操作。"
    assert track["timeline"][0]["text"] == "订单审核中"
    assert "风险" not in json.dumps(track, ensure_ascii=False)
    assert "电话" not in json.dumps(track, ensure_ascii=False)


def test_an_unpaid_order_asks_for_payment(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place(make.draft(paid=False, paid_at=None))
    make.run_until_idle()

    track = page(order, hub_clock)

    assert track["stage"]["code"] == "awaiting_payment"
    assert track["headline"]["text"] == "等待付款"
    assert (track["eta"], track["carbon"]) == (None, None)


def test_a_backordered_order_says_what_it_waits_for(hub_clock: make.Clock) -> None:
    make.network(units=1)
    (order,) = make.place(make.draft(lines={"LAMP": 9}))
    make.run_until_idle()

    track = page(order, hub_clock)

    waiting = sum(item["quantity"] for item in track["waiting"])
    assert waiting == sum(line.backordered for line in OrderLine.objects.filter(order=order)) > 0
    assert track["waiting"][0]["name"] == "台灯"
    assert track["notice"] == "商品暂时缺货，到货后会立即发出。"


def test_a_cancelled_order_is_quiet(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place(make.draft(paid=False, paid_at=None))
    make.run_until_idle()
    orders.cancel([order.pk], reason="customer", actor="user:ops", now=hub_clock.now())
    make.run_until_idle()

    track = page(order, hub_clock)

    assert track["stage"] == {"code": "cancelled", "text": "已取消", "tone": "bad"}
    assert (track["eta"], track["waiting"], track["parcels"], track["notice"]) == (None, [], [], "")


def test_a_position_is_shown_rounded_and_only_on_the_way(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place(make.draft(to=cast.LEI))
    make.play(hub_clock, until="scan")
    parcel = Parcel.objects.get()
    at = hub_clock.now()
    fix = PositionFix(parcel.carrier, parcel.tracking_number, Decimal("23.50123"), Decimal("113.40456"), at)
    before = page(order, hub_clock)["seq"]

    positions.store([fix], now=at)

    track = page(order, hub_clock)
    position = track["parcels"][0]["position"]
    assert track["seq"] == before + 1
    assert (position["lat"], position["lng"]) != (23.50123, 113.40456)
    assert abs(position["lat"] - 23.50123) < 0.001
    assert abs(position["lng"] - 113.40456) < 0.0011
    make.play(hub_clock)
    assert page(order, hub_clock)["parcels"][0]["position"] is None


def test_repeated_scans_are_folded_and_numbers_stay_unique(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place()
    make.play(hub_clock, until="scan")
    row = FulfillmentOrder.objects.get(order=order)
    for _time in range(3):
        hub_clock.advance(minutes=30)
        make.tell(row, "scan", milestone="ARRIVED", place="嘉兴市")

    track = page(order, hub_clock)

    texts = [event["text"] for event in track["timeline"] if event["classifier"] == "ACTUAL"]
    assert len([text for text in texts if "嘉兴" in text]) == 1
    numbers = [event["seq"] for event in track["timeline"]]
    assert len(numbers) == len(set(numbers))


def test_late_means_that_what_is_left_of_the_band_lies_past_the_promise() -> None:
    now = make.NOW
    hours = [now + timedelta(hours=n) for n in range(8)]

    assert parcels.is_late(hours[2], hours[5], promise=hours[3], now=now) is False
    assert parcels.is_late(hours[4], hours[5], promise=hours[3], now=now) is True
    assert parcels.is_late(hours[2], hours[7], promise=hours[3], now=hours[4]) is True
    assert parcels.is_late(hours[1], hours[2], promise=None, now=hours[3]) is True
    assert parcels.is_late(hours[1], hours[4], promise=None, now=hours[3]) is False
