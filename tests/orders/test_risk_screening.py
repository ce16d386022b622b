"""The risk check inside `order.screen`: what is counted, what holds, what it costs, what a person's release means."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.kernel import clock
from orderhub.orders import services
from orderhub.orders.models import Channel, Hold, Order
from orderhub.orders.risk import counters, desk, facts, policies
from orderhub.orders.risk import screening as risk
from orderhub.orders.risk.models import Assessment, Key, Link, OrderKey, RiskPolicy, Tally
from tests import cast, make
from tests.orders import risk_shop as shop

pytestmark = pytest.mark.django_db
NOW = shop.NOW


def test_an_ordinary_order_passes_and_keeps_its_assessment() -> None:
    shop.shop()

    [order] = shop.placed(shop.draft("R1"))

    row = shop.risk_of(order)
    assert (row.points, row.band, row.fired, row.state) == (0, "pass", [], "")
    assert shop.held_for(order) == set()
    assert not Order.objects.filter(pk=order.pk, step="order.screen").exists()


def test_a_shop_without_the_check_pays_no_statement_and_keeps_nothing() -> None:
    make.channel()
    orders = make.place(*[make.draft(f"N{n}") for n in range(5)])
    locked = list(Order.objects.filter(pk__in=[o.pk for o in orders]).prefetch_related("channel", "person"))

    with CaptureQueriesContext(connection) as captured:
        assert risk.assess(locked, {}, near=(), now=NOW) == []

    assert len(captured) == 0
    assert not Assessment.objects.exists()
    assert not Key.objects.exists()


def test_phone_changes_and_a_login_from_elsewhere_hold_with_their_sentences() -> None:
    shop.shop()
    known = {"buyer_id": "u1", "login_province": "浙江", "usual_provinces": ["浙江"]}
    for day, phone in enumerate(("13800000001", "13800000002", "13800000003")):
        at = NOW - timedelta(days=10 - day)
        shop.placed(shop.draft(f"B{day}", phone=phone, at=at, extra=known), now=at)

    [order] = shop.placed(
        shop.draft(
            "LAST", phone="13800000004", extra={**known, "login_province": "广东", "risk_flag": "high"}
        )
    )

    row = shop.risk_of(order)
    said = {x["code"]: x["zh"] for x in row.fired}
    assert said["phone_changed"] == "30 天内更换手机号 3 次"
    assert said["login_away"] == "异地登录：广东"
    assert said["phones_per_account"] == "30 天内使用 4 个手机号"
    assert said["platform_flag"] == "平台风险提示"
    # 25 + 15 + 15 of the account, capped at 45, and 40 of the channel.
    assert (row.points, row.band, row.state) == (85, "hold", "open")
    assert shop.held_for(order) == {"risk"}
    hold = Hold.objects.get(order=order)
    assert hold.until is None
    assert "异地登录：广东" in hold.detail


def test_five_accounts_on_one_device_count_once_each_and_only_inside_the_window() -> None:
    shop.shop()
    for n in range(4):
        shop.placed(
            shop.draft(f"D{n}", phone=f"1390000000{n}", address=f"某路 {n} 号", extra={"device_id": "tablet"})
        )
    shop.placed(shop.draft("D3b", phone="13900000003", address="某路 3 号", extra={"device_id": "tablet"}))

    later = NOW + timedelta(days=6)
    [fifth] = shop.placed(
        shop.draft("D5", phone="13900000009", at=later, extra={"device_id": "tablet"}), now=later
    )
    much_later = NOW + timedelta(days=14)
    [sixth] = shop.placed(
        shop.draft("D6", phone="13900000010", at=much_later, extra={"device_id": "tablet"}), now=much_later
    )

    assert "accounts_per_device" in shop.codes(fifth)
    assert {x["en"] for x in shop.risk_of(fifth).fired} >= {"5 accounts share this device"}
    assert "accounts_per_device" not in shop.codes(sixth)


def test_screening_again_counts_nothing_twice() -> None:
    shop.shop()
    [order] = shop.placed(shop.draft("T1", extra={"buyer_id": "u1", "device_id": "d1"}))
    before = list(Tally.objects.order_by("pk").values_list("key", "what", "count"))

    Order.objects.filter(pk=order.pk).update(step="order.screen", step_state="ready")
    shop.screened([order.pk])

    assert list(Tally.objects.order_by("pk").values_list("key", "what", "count")) == before
    assert OrderKey.objects.filter(order=order).count() == 4  # account, phone, device, address
    assert Assessment.objects.count() == 1


def test_no_clear_value_of_any_person_is_in_the_counters() -> None:
    shop.shop()

    shop.placed(
        shop.draft("P1", extra={"buyer_id": "buyer-4711", "device_id": "device-4711", "ip": "203.0.113.77"})
    )

    texts = [f"{row.digest} {row.hint}" for row in Key.objects.all()] + [
        row.member for row in Link.objects.all()
    ]
    for clear in ("13800000001", "buyer-4711", "device-4711", "203.0.113.77", "文三路1号"):
        assert not [text for text in texts if clear in text]
    assert Key.objects.get(kind="phone").hint == "…0001"


def test_what_is_counted_of_one_merchant_is_nothing_to_another() -> None:
    shop.shop()
    mine = counters.touch({(make.merchant().pk, "phone", "x"): ""}, now=NOW)
    other = make.merchant(cast.BOB)
    theirs = counters.touch({(other.pk, "phone", "x"): ""}, now=NOW)

    assert {row.pk for row in mine.values()}.isdisjoint(row.pk for row in theirs.values())


def test_in_shadow_the_score_is_kept_and_nothing_is_held() -> None:
    shop.shop("shadow")

    [order] = shop.placed(
        shop.draft("S1", extra={"risk_flag": "high", "buyer_registered_at": NOW.isoformat()})
    )

    row = shop.risk_of(order)
    assert (row.band, row.points, row.is_shadow, row.state) == ("review", 65, True, "")
    assert shop.held_for(order) == set()


def test_a_new_signal_is_in_shadow_until_somebody_publishes_it_live() -> None:
    policy = shop.shop(live=False)
    [quiet] = shop.placed(shop.draft("L1", extra={"risk_flag": "high"}))
    assert (shop.risk_of(quiet).points, shop.risk_of(quiet).shadow_points) == (0, 40)
    assert shop.held_for(quiet) == set()

    policy.signals.filter(code="platform_flag").update(mode="live")
    policies.publish(policy, None, now=NOW)
    [loud] = shop.placed(shop.draft("L2", extra={"risk_flag": "high"}))

    assert (shop.risk_of(loud).points, shop.risk_of(loud).policy_number) == (40, 2)
    assert shop.held_for(loud) == {"risk"}

    policies.roll_back(policy, 1, None, now=NOW)
    [again] = shop.placed(shop.draft("L3", extra={"risk_flag": "high"}))
    assert (shop.risk_of(again).points, shop.risk_of(again).policy_number) == (0, 3)
    assert policy.signals.get(code="platform_flag").mode == "shadow"


def test_a_review_may_release_itself_and_a_hold_never_does(monkeypatch: pytest.MonkeyPatch) -> None:
    shop.shop(on_timeout="release", review_minutes=30)
    [review] = shop.placed(shop.draft("V1", extra={"risk_flag": "high"}))
    assert Hold.objects.get(order=review).until == NOW + timedelta(minutes=30)
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(minutes=31))

    services.expire_holds(now=clock.now())
    desk.settle(now=clock.now())

    assert shop.held_for(review) == set()
    assert shop.risk_of(review).state == "done"


def test_a_late_review_is_escalated_once() -> None:
    shop.shop(review_minutes=30)
    [order] = shop.placed(shop.draft("E1", extra={"risk_flag": "high"}))

    assert desk.escalate(now=NOW + timedelta(minutes=29)) == 0
    assert desk.escalate(now=NOW + timedelta(minutes=30)) == 1
    assert desk.escalate(now=NOW + timedelta(minutes=45)) == 0
    assert shop.risk_of(order).escalated_at == NOW + timedelta(minutes=30)
    assert shop.held_for(order) == {"risk"}


def test_a_release_stands_until_there_is_a_sign_the_person_has_not_seen() -> None:
    shop.shop()
    [order] = shop.placed(shop.draft("A1", extra={"risk_flag": "high"}))
    [decided] = desk.decide([order.pk], "release", reason="called the buyer", actor="user:li", now=NOW)
    assert decided.done
    shop.screened([order.pk])
    assert shop.held_for(order) == set()

    def screen_again(extra: dict[str, object]) -> None:
        Order.objects.filter(pk=order.pk).update(step="order.screen", step_state="ready", extra=extra)
        shop.screened([order.pk])

    screen_again({"risk_flag": "high"})
    assert shop.held_for(order) == set()
    screen_again({"risk_flag": "high", "buyer_registered_at": NOW.isoformat()})
    assert shop.held_for(order) == {"risk"}
    assert shop.risk_of(order).seen == ["platform_flag", "signup_to_order"]


def test_an_order_that_cannot_be_scored_is_held_or_passed_as_chosen_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop.shop(fault_amount="100")

    def broken(*_args: object) -> None:
        raise ArithmeticError("no score today")

    monkeypatch.setattr(risk, "score", broken)
    [dear, cheap] = shop.placed(shop.draft("F1"), shop.draft("F2", lines={"CUP": 1}))

    assert shop.held_for(dear) == {"risk"}
    assert shop.held_for(cheap) == set()
    assert "no score today" in shop.risk_of(dear).fault
    assert "no score today" in shop.risk_of(cheap).fault


def test_a_share_of_the_review_band_goes_through_to_learn_only_where_it_is_cheap() -> None:
    shop.shop(holdout_percent="10", holdout_below="160")
    cheap = shop.placed(*[
        shop.draft(f"H{n}", phone=f"137{n:08}", address=f"某路 {n} 号", extra={"risk_flag": "high"}) for n in range(60)
    ])  # fmt: skip
    [dear] = shop.placed(shop.draft("HX", lines={"QUILT": 1}, extra={"risk_flag": "high"}))

    through = [order for order in cheap if shop.risk_of(order).is_holdout]
    assert 0 < len(through) < 30
    assert all(shop.held_for(order) == set() for order in through)
    assert not shop.risk_of(dear).is_holdout


@pytest.mark.parametrize("size", [3, 40])
def test_a_batch_costs_the_same_statements_whatever_its_size(size: int) -> None:
    shop.shop()
    fresh = make.place(*[
        shop.draft(
            f"Q{n}", phone=f"136{n:08}", address=f"某路 {n} 号",
            extra={"buyer_id": f"u{n}", "device_id": f"d{n}", "ip": f"203.0.113.{n}", "login_province": "浙江"},
        )
        for n in range(size)
    ])  # fmt: skip
    found = Order.objects.filter(pk__in=[order.pk for order in fresh])
    orders = list(found.prefetch_related("merchant", "channel", "person"))
    lines = {order.pk: list(order.lines.select_related("sku")) for order in orders}

    with CaptureQueriesContext(connection) as captured:
        risk.assess(orders, lines, near=(), now=NOW)

    said = [row["sql"][:120] for row in captured.captured_queries if "SAVEPOINT" not in row["sql"]]
    said = [sql for sql in said if "fields_field" not in sql]  # a merchant's own fields: once in a process
    assert len(said) == 11, "\n".join(said)


def test_the_twentieth_order_of_a_second_sees_the_nineteen_before() -> None:
    shop.shop()

    orders = [
        shop.placed(shop.draft(f"X{n}", extra={"buyer_id": f"u{n}", "device_id": "one"}))[0]
        for n in range(20)
    ]

    assert "accounts_per_device" not in shop.codes(orders[3])
    assert all("accounts_per_device" in shop.codes(order) for order in orders[4:])
    view = facts.gather([facts.Subject(orders[-1], [], {}, False, True)], [168], now=NOW)[orders[-1].pk]
    assert view.over(168)["device.accounts"] == 20


def test_the_policy_of_another_merchant_does_not_count() -> None:
    shop.shop()
    RiskPolicy.objects.update(merchant=make.merchant(cast.BOB))

    [order] = shop.placed(shop.draft("O1", extra={"risk_flag": "high"}))

    assert not Assessment.objects.filter(pk=order.pk).exists()
    assert Channel.objects.get().risk_mode == "live"
