"""The door through which shops tell of their customers: what it counts, once, for whom, and what the signals make of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.access.models import Merchant
from orderhub.kernel import clock
from orderhub.orders.risk import counters, observing
from orderhub.orders.risk.models import Key, Link, Observed, Tally
from orderhub.orders.risk.observing import Observation
from tests import cast, make
from tests.orders import risk_shop as shop

pytestmark = pytest.mark.django_db
NOW = shop.NOW
PATH = "/api/v1/shoppers/events/"


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def event(number: str, what: str = "login", *, at: datetime = NOW, **fields: Any) -> dict[str, Any]:
    return {"id": number, "shopper": "u1", "what": what, "at": at.isoformat(), **fields}


def tell(*events: dict[str, Any], merchant: Merchant | None = None, **headers: str) -> Any:
    client = make.client(merchant or make.merchant())
    return client.post(PATH, {"events": list(events)}, headers=headers or None)


def test_a_login_far_away_half_an_hour_after_one_at_home_holds_the_order_that_says_nothing_of_it() -> None:
    shop.shop()
    home = [event(f"L{day}", at=NOW - timedelta(days=day), province="浙江") for day in (9, 5, 1)]
    assert tell(*home).json() == {"counted": 3, "left_out": 0}
    assert tell(event("L-home", at=NOW - timedelta(minutes=50), province="浙江")).status_code == 200
    assert tell(event("L-away", at=NOW - timedelta(minutes=20), province="新疆")).status_code == 200

    [order] = shop.placed(
        shop.draft("O1", extra={"buyer_id": "u1"}, province="广东省", city="广州市", district="")
    )

    said = {x["code"]: x["zh"] for x in shop.risk_of(order).fired}
    assert said["impossible_travel"] == "短时间内两地登录"
    assert said["login_away"] == "异地登录：新疆"
    assert said["login_vs_shipto"] == "登录地、常用地与收货地均不同"
    # 30 + 15 of the account (its cap is 45) and 10 of the order.
    assert (shop.risk_of(order).points, shop.held_for(order)) == (55, {"risk"})


def test_a_login_long_before_the_order_or_after_it_says_nothing_of_it() -> None:
    shop.shop()
    tell(
        event("1", at=NOW - timedelta(days=30), province="浙江"),
        event("2", at=NOW - timedelta(days=4), province="新疆"),
    )

    [order] = shop.placed(shop.draft("O1", extra={"buyer_id": "u1"}))

    assert not shop.codes(order) & {"login_away", "login_vs_shipto", "impossible_travel"}


def test_changes_of_phone_and_address_are_counted_and_the_order_with_the_new_phone_adds_none() -> None:
    shop.shop()
    shop.placed(
        shop.draft("O0", phone="13800000001", at=NOW - timedelta(days=3), extra={"buyer_id": "u1"}),
        now=NOW - timedelta(days=3),
    )
    changes = [
        event(f"P{n}", "phone_change", at=NOW - timedelta(hours=9 - n), phone=f"1390000000{n}")
        for n in range(3)
    ]
    moves = [event(f"A{n}", "address_change", at=NOW - timedelta(hours=9 - n)) for n in range(3)]
    tell(*changes, *moves)

    [order] = shop.placed(shop.draft("O1", phone="13900000002", extra={"buyer_id": "u1"}))

    said = {x["code"]: x["en"] for x in shop.risk_of(order).fired}
    assert said["phone_changed"] == "Phone changed 3 times in 30 days"
    assert said["address_changed"] == "Address changed 3 times in 30 days"
    assert said["phones_per_account"] == "4 phones used in 30 days"


def test_devices_and_addresses_of_logins_show_who_shares_them() -> None:
    shop.shop()
    tell(*[
        {**event(f"D{n}", at=NOW - timedelta(hours=2), device_id="tablet", ip="203.0.113.9"), "shopper": f"farm-{n}"}
        for n in range(5)
    ])  # fmt: skip

    [order] = shop.placed(shop.draft("O1", extra={"buyer_id": "farm-0", "device_id": "tablet"}))

    assert "accounts_per_device" in shop.codes(order)
    assert Link.objects.filter(key__kind="ip", what="account").count() == 5


def test_signing_up_and_adding_a_payment_method_are_known_where_the_order_does_not_say() -> None:
    shop.shop()
    tell(
        event("S", "signup", at=NOW - timedelta(seconds=40)),
        event("Y", "payment_added", at=NOW - timedelta(seconds=30)),
    )
    tell(*[event(f"F{n}", "failed_payment", at=NOW - timedelta(seconds=20)) for n in range(4)])

    [order] = shop.placed(shop.draft("O1", extra={"buyer_id": "u1"}))

    assert {"signup_to_order", "pay_age", "failed_pays"} <= shop.codes(order)


def test_a_device_is_new_to_an_account_only_after_another_was_used_a_day_or_more_before() -> None:
    shop.shop()
    tell(
        event("1", at=NOW - timedelta(days=3), device_id="old"),
        event("2", at=NOW - timedelta(hours=1), device_id="new"),
    )

    [with_new] = shop.placed(shop.draft("O1", extra={"buyer_id": "u1", "device_id": "new"}))
    [with_old] = shop.placed(shop.draft("O2", extra={"buyer_id": "u1", "device_id": "old"}))
    [first] = shop.placed(shop.draft("O3", phone="13811111111", extra={"buyer_id": "u2", "device_id": "d2"}))

    assert "new_device" in shop.codes(with_new)
    assert "new_device" not in shop.codes(with_old) | shop.codes(first)


def test_an_event_counts_once_whoever_repeats_it_and_however() -> None:
    make.merchant()
    one = event("X1", "failed_payment")

    first = tell(one, one, event("X2", "failed_payment"))
    again = tell(one, **{"Idempotency-Key": "batch-1"})
    replayed = tell(one, **{"Idempotency-Key": "batch-1"})

    assert first.json() == {"counted": 2, "left_out": 1}
    assert again.json() == replayed.json() == {"counted": 0, "left_out": 1}
    assert (again.headers.get("Idempotency-Replayed"), replayed.headers["Idempotency-Replayed"]) == (
        None,
        "true",
    )
    assert tell(event("X3"), **{"Idempotency-Key": "batch-1"}).json()["code"] == "idempotency_key_reused"
    assert Tally.objects.get(what="failed_payment").count == 2


def test_too_old_events_count_nothing_and_moments_to_come_count_as_now() -> None:
    make.merchant()

    told = tell(
        event("old", "failed_payment", at=NOW - timedelta(days=181)),
        event("soon", "failed_payment", at=NOW + timedelta(days=9)),
    )

    assert told.json() == {"counted": 1, "left_out": 1}
    assert Tally.objects.get().hour == counters.hour_of(NOW)


def test_what_one_merchant_tells_is_nothing_to_another() -> None:
    bob = make.merchant(cast.BOB)
    shop.shop()
    tell(*[event(f"F{n}", "failed_payment") for n in range(5)], merchant=bob)

    [order] = shop.placed(shop.draft("O1", extra={"buyer_id": "u1"}))

    assert "failed_pays" not in shop.codes(order)
    assert (
        tell(event("F1", "failed_payment")).json()["counted"] == 1
    )  # the same number at another merchant is another event


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"what": "gossip"}, "what"), ({"at": "yesterday"}, "at"), ({"ip": "not-an-address"}, "ip"),
        ({"country": "China"}, "country"), ({"phonenumber": "1"}, "phonenumber"), ({"id": ""}, "id"),
    ],
)  # fmt: skip
def test_one_wrong_event_takes_none(wrong: dict[str, Any], field: str) -> None:
    make.merchant()

    answer = tell(event("A", "failed_payment"), {**event("B"), **wrong})

    assert answer.status_code == 400
    assert field in str(answer.json()["errors"])
    assert not Key.objects.exists()
    assert not Observed.objects.exists()


def test_at_most_500_events_and_only_with_the_scope() -> None:
    merchant = make.merchant()
    many = [event(str(n)) for n in range(501)]

    assert tell(*many).status_code == 400
    reader = make.client(merchant, scopes=["orders:read", "orders:write"])
    assert reader.post(PATH, {"events": [event("1")]}).status_code == 403
    teller = make.client(merchant, scopes=["shoppers:write"])
    assert teller.post(PATH, {"events": [event("1")]}).status_code == 200
    assert teller.get("/api/v1/orders/").status_code == 403


def test_too_many_calls_a_second_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    client = make.client(make.merchant())
    monkeypatch.setattr(settings, "API_RATES", {**settings.API_RATES, "default": 1})

    statuses = [client.post(PATH, {"events": [event(str(n))]}).status_code for n in range(4)]

    assert (statuses[0], statuses[-1]) == (200, 429)


def test_no_clear_value_is_kept_and_everything_is_forgotten_in_time() -> None:
    make.merchant()
    tell(
        event("evt-4711", phone="13900004711", device_id="device-4711", ip="203.0.113.77"),
        event("e2", "phone_change"),
    )

    texts = [f"{x.digest} {x.hint}" for x in Key.objects.all()] + [x.member for x in Link.objects.all()]
    texts += [x.digest for x in Observed.objects.all()]
    for clear in ("evt-4711", "13900004711", "device-4711", "203.0.113.77"):
        assert not [text for text in texts if clear in text]

    counters.forget(now=NOW + timedelta(days=31))
    assert set(Key.objects.values_list("kind", flat=True)) == {"account", "phone", "device"}
    counters.forget(now=NOW + timedelta(days=182))
    assert not Key.objects.exists()
    assert not Observed.objects.exists()


@pytest.mark.parametrize("size", [2, 200])
def test_any_number_of_events_costs_four_statements(size: int) -> None:
    merchant = make.merchant()
    seen = [
        Observation(f"u{n}", what, NOW, "浙江", event=f"{what}{n}", device=f"d{n}", ip=f"203.0.113.{n % 250}")
        for n in range(size) for what in ("login", "failed_payment")
    ]  # fmt: skip

    with CaptureQueriesContext(connection) as captured:
        assert observing.observe(merchant.pk, seen, now=NOW) == 2 * size

    assert len([x for x in captured.captured_queries if "SAVEPOINT" not in x["sql"]]) == 4
