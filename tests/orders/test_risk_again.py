"""Scoring again what waits: after a policy was published, and after an order that shares something was stopped."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.kernel import clock
from orderhub.orders.models import Channel, Order
from orderhub.orders.risk import again, desk, policies
from orderhub.orders.risk.models import Assessment, Key
from tests import make
from tests.orders import risk_shop as shop

pytestmark = pytest.mark.django_db
NOW = shop.NOW
FLAG = {"risk_flag": "high"}


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def waiting_shop(*, live: bool = True) -> Any:
    """A shop without stock: what passes waits at its warehouse's door."""
    policy = shop.shop(live=live)
    make.stock({"HGH": {"LAMP": 0}, "CAN": {"LAMP": 0}, "CTU": {"LAMP": 0}})
    return policy


def test_an_order_that_waits_is_held_by_a_policy_published_after_it_passed() -> None:
    policy = waiting_shop(live=False)
    waits, harmless = shop.placed(
        shop.draft("W1", extra=FLAG), shop.draft("W2", phone="13800000002", address="某路 2 号")
    )
    assert shop.held_for(waits) == set()
    policy.signals.filter(code="platform_flag").update(mode="live")
    policies.publish(policy, None, now=NOW)
    assert set(again.outdated(make.merchant().pk)) == {waits, harmless}

    assert again.catch_up(make.merchant().pk, now=NOW, actor="user:li") == 1

    assert (shop.held_for(waits), shop.held_for(harmless)) == ({"risk"}, set())
    assert (shop.risk_of(waits).state, shop.risk_of(waits).policy_number) == ("open", 2)
    assert Order.objects.get(pk=waits.pk).stage == "reviewing"
    assert again.catch_up(now=NOW, actor="system") == 0
    assert not again.outdated().exists()


def test_what_a_warehouse_has_is_left_alone() -> None:
    policy = shop.shop(live=False)
    [gone] = shop.placed(shop.draft("G1", extra=FLAG))
    make.run_until_idle()
    assert Order.objects.get(pk=gone.pk).step_state == "done"
    policy.signals.filter(code="platform_flag").update(mode="live")
    policies.publish(policy, None, now=NOW)

    assert again.catch_up(now=NOW, actor="system") == 0
    assert again.rescore([gone.pk], now=NOW, actor="system") == 0
    assert (shop.held_for(gone), shop.risk_of(gone).policy_number) == (set(), 1)


def test_a_shop_that_switched_the_check_off_or_counts_in_shadow_has_nothing_held() -> None:
    policy = waiting_shop(live=False)
    [order] = shop.placed(shop.draft("S1", extra=FLAG))
    policy.signals.filter(code="platform_flag").update(mode="live")
    policies.publish(policy, None, now=NOW)

    Channel.objects.update(risk_mode="shadow")
    assert again.catch_up(now=NOW, actor="system") == 0
    assert (shop.risk_of(order).points, shop.held_for(order)) == (40, set())
    policies.roll_back(policy, 1, None, now=NOW)
    Channel.objects.update(risk_mode="off")
    assert again.catch_up(now=NOW, actor="system") == 0


def test_a_release_by_a_person_stands_when_the_same_signs_are_scored_again() -> None:
    policy = waiting_shop()
    [order] = shop.placed(shop.draft("R1", extra=FLAG))
    desk.decide([order.pk], "release", reason="asked", actor="user:li", now=NOW)
    shop.screened([order.pk])
    policy.signals.filter(code="platform_flag").update(points=44)
    policies.publish(policy, None, now=NOW)

    assert again.catch_up(now=NOW, actor="system") == 0

    assert shop.held_for(order) == set()
    assert (shop.risk_of(order).points, shop.risk_of(order).band) == (44, "review")


def farm(n: int, **fields: Any) -> Any:
    told = {"buyer_id": f"u{n}", "device_id": "tablet", "new_customer_offer": True}
    return shop.draft(f"F{n}", phone=f"1390000000{n}", address=f"某路 {n} 号", extra=told, **fields)


def test_the_first_orders_of_a_farm_are_held_as_soon_as_the_fifth_gives_it_away() -> None:
    waiting_shop()
    early = [shop.placed(farm(n))[0] for n in range(4)]
    [stranger] = shop.placed(shop.draft("OTHER", phone="13811111111", address="别处 9 号"))
    assert all(shop.held_for(order) == set() for order in early)

    [fifth] = shop.placed(farm(4))
    assert shop.held_for(fifth) == {"risk"}
    make.run_until_idle()

    assert [shop.held_for(order) for order in early] == [{"risk"}] * 4
    assert {x["en"] for x in shop.risk_of(early[0]).fired} >= {"5 accounts share this device"}
    assert shop.held_for(stranger) == set()


def test_kin_are_those_who_share_more_than_an_ip_address_and_not_a_whole_school(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waiting_shop()
    orders = shop.placed(*[
        shop.draft(f"I{n}", phone=f"1370000000{n}", address=f"某街 {n} 号", extra={"buyer_id": f"i{n}", "ip": "203.0.113.1"})
        for n in range(3)
    ])  # fmt: skip
    school = shop.placed(*[farm(n) for n in range(4)])
    assert Key.objects.filter(kind="ip").count() == 1

    assert again.kin_of([orders[0].pk]) == set()
    assert again.kin_of([school[0].pk]) == {order.pk for order in school[1:]}
    monkeypatch.setattr(again, "MOST_KIN", 3)
    assert again.kin_of([school[0].pk]) == set()


@pytest.mark.parametrize("size", [2, 30])
def test_scoring_again_costs_the_same_statements_whatever_the_number(size: int) -> None:
    policy = waiting_shop()
    shop.placed(*[
        shop.draft(f"Q{n}", phone=f"136{n:08}", address=f"某路 {n} 号", extra={"device_id": f"d{n}"}) for n in range(size)
    ])  # fmt: skip
    policy.signals.filter(code="pay_age").update(points=11)
    policies.publish(policy, None, now=NOW)
    ids = list(again.outdated().values_list("pk", flat=True))
    assert len(ids) == size

    with CaptureQueriesContext(connection) as captured:
        again.rescore(ids, now=NOW + timedelta(minutes=1), actor="system")

    said = [x["sql"][:90] for x in captured.captured_queries if "SAVEPOINT" not in x["sql"]]
    assert len(said) == 20, "\n".join(said)
    assert set(Assessment.objects.values_list("policy_number", flat=True)) == {2}
