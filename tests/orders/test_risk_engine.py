"""The scoring core: starter signals, caps, bands, sentences, refusals, figures of quality, proposed points."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from orderhub.orders.risk import engine, policies
from orderhub.orders.risk.engine import Case, Facts, addresses, places
from orderhub.orders.risk.engine.places import Seen
from rules.engine import RuleError

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def content(*signals: dict[str, Any], **limits: int) -> dict[str, Any]:
    return {
        "review_from": 40,
        "hold_from": 70,
        "group_cap": 45,
        "settings": {},
        **limits,
        "signals": list(signals),
    }


def signal(code: str = "flag", **fields: Any) -> dict[str, Any]:
    return {
        "code": code, "group": "platform", "window_hours": 0, "points": 40, "holds": False, "mode": "live",
        "condition": {"fact": "platform.flag", "op": "==", "value": True}, "zh": "平台", "en": "Flag", "says_zh": "",
        "says_en": "", **fields,
    }  # fmt: skip


def starter() -> engine.Policy:
    return engine.compile_policy(content(*policies.starter_signals()))


#: Facts under which exactly this starter signal fires, and facts just short of it.
EDGES: dict[str, tuple[int, dict[str, object], dict[str, object]]] = {
    "phone_changed": (720, {"account.phone_changes": 3}, {"account.phone_changes": 2}),
    "phone_changed_after_pay": (0, {"order.phone_changed_after_pay": True}, {"order.phone_changed_after_pay": False}),
    "login_away": (0, {"login.is_unusual": True}, {"login.is_unusual": False}),
    "login_vs_shipto": (0, {"login.differs_from_all": True}, {"login.differs_from_all": False}),
    "ip_vs_shipto": (0, {"ip.differs_from_all": True}, {"ip.differs_from_all": False}),
    "impossible_travel": (0, {"login.travel_kmh": Decimal(901)}, {"login.travel_kmh": Decimal(900)}),
    "phones_per_account": (720, {"account.phones": 4}, {"account.phones": 3}),
    "address_changed": (720, {"account.address_changes": 3}, {"account.address_changes": 2}),
    "new_device": (0, {"device.is_new": True}, {"device.is_new": False}),
    "devices_per_account": (720, {"account.devices": 5}, {"account.devices": 4}),
    "accounts_per_phone": (720, {"phone.accounts": 5}, {"phone.accounts": 4}),
    "accounts_per_device": (168, {"device.accounts": 5}, {"device.accounts": 4}),
    "accounts_per_address": (720, {"address.accounts": 10}, {"address.accounts": 9}),
    "order_velocity": (1, {"account.orders": 5}, {"account.orders": 4, "phone.orders": 5, "device.orders": 7}),
    "signup_to_order": (0, {"account.signup_seconds": 60}, {"account.signup_seconds": 61}),
    "new_account_value": (
        0, {"account.age_days": Decimal("6.9"), "order.over_p95": True},
        {"account.age_days": Decimal(7), "order.over_p95": True},
    ),
    "address_changed_after_pay": (0, {"order.moved_after_pay": True}, {"order.moved_after_pay": False}),
    "pay_age": (0, {"account.payment_age_hours": Decimal(23)}, {"account.payment_age_hours": Decimal(24)}),
    "failed_pays": (24, {"account.failed_payments": 4}, {"account.failed_payments": 3}),
    "cod_refusals": (4320, {"order.is_cod": True, "account.refused": 2}, {"order.is_cod": False, "account.refused": 9}),
    "refund_ratio": (
        4320, {"account.orders": 5, "account.refund_share": Decimal("0.6")},
        {"account.orders": 4, "account.refund_share": Decimal("0.9")},
    ),
    "sku_spike": (1, {"promo.units": 20}, {"promo.units": 19}),
    "promo_stack": (24, {"promo.benefits": 5}, {"promo.benefits": 4}),
    "forwarder": (0, {"address.is_forwarder": True}, {"address.is_forwarder": False}),
    "address_invalid": (0, {"address.is_incomplete": True}, {"address.is_incomplete": False}),
    "disposable_mail": (0, {"mail.is_disposable": True}, {"mail.is_disposable": False}),
    "platform_flag": (0, {"platform.flag": True}, {"platform.flag": False}),
    "denied_party_near": (0, {"parties.near": True}, {"parties.near": False}),
    "blacklist": (0, {"list.blocked": True}, {"list.blocked": False}),
    "trusted": (0, {"list.trusted": True}, {"list.trusted": False}),
}  # fmt: skip


def test_there_are_at_least_25_starter_signals_and_two_wait_switched_off() -> None:
    signals = starter().signals

    assert len(signals) == 32
    assert {x.code for x in signals if x.mode == "off"} == {"night_hour", "accounts_per_ip"}
    assert {x.code for x in signals if x.mode == "live"} == set(EDGES)
    assert all(x.zh and x.en and x.says_zh and x.says_en for x in signals)


@pytest.mark.parametrize("code", EDGES)
def test_each_starter_signal_fires_at_its_edge_and_not_before(code: str) -> None:
    hours, on, short_of = EDGES[code]

    def fired(facts: dict[str, object]) -> list[str]:
        known = Facts({}, {hours: facts}) if hours else Facts(facts)
        return [x.code for x in engine.score(starter(), known).fired]

    assert fired(on) == [code]
    assert fired(short_of) == []


def test_a_fact_counted_over_another_window_fires_nothing() -> None:
    known = Facts({}, {24: {"account.phone_changes": 9}})

    assert engine.score(starter(), known).fired == ()


def test_points_of_a_group_are_capped_the_strongest_first() -> None:
    many = {"account.phone_changes": 5, "account.phones": 6}
    found = engine.score(
        starter(), Facts({"login.is_unusual": True, "account.signup_seconds": 3}, {720: many})
    )

    assert found.points == 45  # 25 + 25 + 15 + 15, all told of one account
    assert {x.code: x.counted for x in found.fired} == {
        "phone_changed": 25, "signup_to_order": 20, "login_away": 0, "phones_per_account": 0,
    }  # fmt: skip
    assert found.band == "review"


@pytest.mark.parametrize(("points", "band"), [(39, "pass"), (40, "review"), (69, "review"), (70, "hold")])
def test_the_bands_begin_at_their_limits(points: int, band: str) -> None:
    policy = engine.compile_policy(content(signal(points=points), group_cap=100))

    assert engine.score(policy, Facts({"platform.flag": True})).band == band


def test_a_holding_signal_holds_at_no_points_and_trust_never_goes_below_zero() -> None:
    blocked = engine.score(starter(), Facts({"list.blocked": True}))
    trusted = engine.score(starter(), Facts({"list.trusted": True}))

    assert (blocked.points, blocked.band) == (0, "hold")
    assert (trusted.points, trusted.band) == (0, "pass")


def test_a_signal_in_shadow_is_told_apart_and_weighs_nothing() -> None:
    policy = engine.compile_policy(content(signal(mode="shadow", points=80), group_cap=100))

    found = engine.score(policy, Facts({"platform.flag": True}))

    assert (found.points, found.band, found.fired) == (0, "pass", ())
    assert (found.shadow_points, found.shadow_band, found.shadow[0].code) == (80, "hold", "flag")


def test_sentences_name_the_values_in_both_languages() -> None:
    found = engine.score(
        starter(), Facts({"login.is_unusual": True, "login.place": "广东"}, {720: {"phone.accounts": 7}})
    )

    assert [(x.zh, x.en) for x in found.fired] == [
        ("异地登录：广东", "Login from an unusual place: 广东"),
        ("同一手机号关联 7 个账户", "7 accounts share this phone"),
    ]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"condition": {"fact": "platform.flagg", "op": "==", "value": True}}, "flag.when.fact"),
        ({"condition": {"fact": "platform.flag", "op": ">=", "value": 3}}, "flag.when.op"),
        ({"condition": {"fact": "phone.accounts", "op": ">=", "value": 3}}, "flag.window_hours"),
        ({"window_hours": 24}, "flag.window_hours"),
        ({"window_hours": 24 * 400}, "flag.window_hours"),
        ({"points": 101}, "flag.points"),
        ({"points": True}, "flag.points"),
        ({"mode": "loud"}, "flag.mode"),
        ({"group": "gossip"}, "flag.group"),
        ({"says_en": "{order.__class__}"}, "flag.says_en"),
        ({"says_en": "{order.secret}"}, "flag.says_en"),
        ({"code": "Flag!"}, "Flag!"),
    ],
)
def test_a_faulty_signal_is_refused_with_its_place(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(RuleError) as refused:
        engine.compile_policy(content(signal(**fields)))

    assert refused.value.path == path
    assert refused.value.zh
    assert refused.value.en


def test_limits_in_the_wrong_order_and_twins_are_refused() -> None:
    with pytest.raises(RuleError, match="review_from"):
        engine.compile_policy(content(review_from=70, hold_from=70))
    with pytest.raises(RuleError, match="flag"):
        engine.compile_policy(content(signal(), signal()))


# ---- places and addresses -----------------------------------------------------------------------


def test_impossible_travel_needs_distance_and_haste() -> None:
    def seen(province: str, hours_ago: float, lat: float, lng: float) -> Seen:
        at = NOW - timedelta(hours=hours_ago)
        return Seen(province, at, at, lat, lng)

    here = seen("GD", 0, 23.1, 113.3)
    beijing_lately, beijing_yesterday = seen("BJ", 1, 39.9, 116.4), seen("BJ", 20, 39.9, 116.4)
    neighbor = seen("HN", 0.1, 26.0, 112.9)

    day = timedelta(hours=24)
    assert 1800 < places.speed_kmh([beijing_lately, here], here, within=day) < 2000
    assert places.speed_kmh([beijing_yesterday, here], here, within=day) < 100
    assert places.speed_kmh([neighbor, here], here, within=day) == 0
    assert places.speed_kmh([seen("BJ", 30, 39.9, 116.4)], here, within=day) == 0


def test_a_province_becomes_usual_after_some_days() -> None:
    fresh = Seen("GD", NOW - timedelta(hours=1), NOW, 23.1, 113.3)
    old = Seen("ZJ", NOW - timedelta(days=9), NOW - timedelta(days=8), 30.3, 120.2)

    assert places.usual([fresh, old], ["JS"], now=NOW) == {"ZJ", "JS"}


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("文三路 90 号 3 幢 501 室", False), ("紫金港大学城西区", False), ("幸福家园小区", False), ("路", True),
        ("文三路某某地方", True), ("广东省深圳市某街 8 号", True), ("浙江省杭州市文三路 8 号", False),
    ],
)  # fmt: skip
def test_an_address_is_incomplete_without_number_or_house_or_in_another_province(
    text: str, bad: bool
) -> None:
    assert addresses.is_incomplete(text, province="浙江", others=["浙江", "广东"], country="CN") is bad


def test_phones_and_addresses_have_one_spelling() -> None:
    assert {addresses.plain_phone(x) for x in ("+86 138-0000-0001", "008613800000001", "13800000001")} == {
        "13800000001"
    }
    assert addresses.plain_address("文三路 90 号，3幢") == addresses.plain_address("文三路90号 3 幢")
    assert addresses.is_forwarder("Unit 4, ABC Freight Forwarder Ltd", ["freight forward"])


# ---- figures and learning -------------------------------------------------------------------------


def test_wilson_intervals_are_those_of_the_tables() -> None:
    found = engine.wilson(8, 10)

    assert (found.share, round(found.low or 0, 3), round(found.high or 0, 3)) == (0.8, 0.490, 0.943)
    assert engine.wilson(0, 0).share is None
    with pytest.raises(ValueError, match="3 of 2"):
        engine.wilson(3, 2)


def test_quality_counts_right_and_wrong_of_each_signal_and_limit() -> None:
    cases = [Case(frozenset("a"), 50, True)] * 3 + [
        Case(frozenset("a"), 45, False),
        Case(frozenset(), 0, True),
    ]
    cases += [Case(frozenset("b"), 80, False)] * 5

    [a, b] = engine.by_signal(cases, ["a", "b"])
    limit = engine.of_band(cases, 46)

    assert (a.fired, a.bad, a.precision.share, a.recall.share) == (4, 3, 0.75, 0.75)
    assert (b.fired, b.bad, b.precision.share) == (5, 0, 0.0)
    assert (limit.fired, limit.bad, limit.false_share.share) == (8, 3, 5 / 6)


def test_proposed_points_keep_their_signs_rank_the_signals_and_are_the_same_each_time() -> None:
    chance = random.Random(7)
    cases = []
    for _n in range(3000):
        bad = chance.random() < 0.1
        odds = {"strong": (0.6, 0.01), "weak": (0.3, 0.2), "wrong": (0.05, 0.3), "trust": (0.02, 0.5)}
        fired = frozenset(
            x for x, (if_bad, if_good) in odds.items() if chance.random() < (if_bad if bad else if_good)
        )
        cases.append(Case(fired, 0, bad))
    now = {"strong": 10, "weak": 30, "wrong": 20, "trust": -25, "silent": 15, "zero": 0}

    found = engine.propose(cases, now, hold_from=70)

    assert found == engine.propose(cases, now, hold_from=70)
    assert found.points["strong"] > found.points["weak"] > 0
    assert (
        found.points["wrong"] == 0
    )  # it spoke for the order, but a risk signal is never worth less than nothing
    assert found.points["trust"] < 0
    assert (found.points["silent"], found.points["zero"]) == (15, 0)


def test_too_few_labels_propose_nothing() -> None:
    found = engine.propose(
        [Case(frozenset("a"), 0, True)] * 19 + [Case(frozenset(), 0, False)] * 99, {"a": 9}, hold_from=70
    )

    assert (found.points, found.why_not) == ({}, "too_few")
