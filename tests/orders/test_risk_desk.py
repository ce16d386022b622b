"""Reviewing: every action, reasons, two people, undo, lists and sweeps; history and labels; the report."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from orderhub.events import leases
from orderhub.events.models import Event
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order
from orderhub.orders.risk import desk, history, observing, reports
from orderhub.orders.risk.models import Assessment, Baseline, Key, Label, Review, Tally
from orderhub.orders.risk.observing import Observation
from tests import make
from tests.orders import risk_shop as shop

pytestmark = pytest.mark.django_db
NOW = shop.NOW
FLAGGED = {"risk_flag": "high"}


@pytest.fixture
def hub_clock(monkeypatch: pytest.MonkeyPatch) -> make.Clock:
    """A clock of the test's own, for the hub and (as if it kept the same time) for its database."""
    own = make.Clock()
    monkeypatch.setattr(clock, "now", own.now)
    monkeypatch.setattr(leases, "_database_offset", lambda: timedelta(0))
    return own


def flagged(number: str = "R1", **fields: object) -> Order:
    """An order in review."""
    [order] = shop.placed(shop.draft(number, extra={**FLAGGED, **fields.pop("extra", {})}, **fields))  # type: ignore[dict-item]
    assert shop.held_for(order) == {"risk"}
    return order


def decide(order: Order, action: str, *, actor: str = "user:li", now: object = None) -> desk.Decided:
    [found] = desk.decide([order.pk], action, reason="checked", actor=actor, now=now or NOW)  # type: ignore[arg-type]
    return found


def test_releasing_tells_the_log_and_the_order_goes_on_to_a_warehouse() -> None:
    shop.shop()
    order = flagged()

    assert decide(order, "release").done
    shop.screened([order.pk])

    assert Order.objects.get(pk=order.pk).stage == "released"
    assert shop.risk_of(order).state == "done"
    event = Event.objects.get(stream=order.stream, kind="risk.reviewed")
    assert (event.payload["action"], event.payload["reason"], event.actor) == (
        "release",
        "checked",
        "user:li",
    )


def test_cancelling_labels_the_order_as_reviewed_not_as_fraud() -> None:
    shop.shop()
    order = flagged()

    assert decide(order, "cancel").done

    assert Order.objects.get(pk=order.pk).stage == "cancelled"
    assert list(Label.objects.filter(order=order).values_list("kind", flat=True)) == ["reviewed_bad"]


def test_a_decision_needs_a_reason_and_is_made_once() -> None:
    shop.shop()
    order = flagged()

    with pytest.raises(Refused) as no:
        desk.decide([order.pk], "release", reason="  ", actor="user:li", now=NOW)
    assert no.value.code == "reason_missing"
    assert not Review.objects.exists()
    with pytest.raises(Refused):
        desk.decide(list(range(51)), "release", reason="x", actor="user:li", now=NOW)

    assert decide(order, "release").done
    again = decide(order, "cancel")
    assert (again.done, again.refused and again.refused.code) == (False, "not_in_review")
    assert Review.objects.count() == 1


def test_above_the_amount_a_second_person_releases_and_the_first_cannot_be_both() -> None:
    shop.shop(four_eyes_from="100")
    order = flagged()

    first = decide(order, "release")
    assert (first.done, first.refused, shop.risk_of(order).state) == (False, None, "second")
    again = decide(order, "release")
    assert again.refused is not None
    assert again.refused.code == "own_release"
    assert shop.held_for(order) == {"risk"}

    assert decide(order, "release", actor="user:mei").done
    assert shop.held_for(order) == set()


def test_asking_keeps_the_order_held() -> None:
    shop.shop()
    order = flagged()

    assert decide(order, "ask").done
    assert (shop.risk_of(order).state, shop.held_for(order)) == ("asked", {"risk"})
    assert decide(order, "release").done


def test_blocking_cancels_and_holds_what_waits_and_what_comes_with_the_same_keys() -> None:
    shop.shop()
    make.stock({"HGH": {"LAMP": 0}, "CAN": {"LAMP": 0}, "CTU": {"LAMP": 0}})
    [waiting] = shop.placed(
        shop.draft("W1", phone="13800000055", address="别处 5 号", extra={"device_id": "d9"})
    )
    assert Order.objects.get(pk=waiting.pk).waiting_for == "stock"
    bad = flagged("B1", extra={"device_id": "d9"})

    assert decide(bad, "block").done

    assert Order.objects.get(pk=bad.pk).stage == "cancelled"
    assert shop.held_for(waiting) == {"risk"}
    assert shop.risk_of(waiting).state == "open"
    [later] = shop.placed(
        shop.draft("L1", phone="13800000077", address="他处 7 号", extra={"device_id": "d9"})
    )
    assert shop.codes(later) == {"blacklist"}
    assert shop.held_for(later) == {"risk"}


def test_trust_lists_account_and_phone_but_never_a_shared_address() -> None:
    shop.shop()
    order = flagged()

    assert decide(order, "trust").done

    assert set(Key.objects.filter(listed="trust").values_list("kind", flat=True)) == {"account", "phone"}
    [next_one] = shop.placed(shop.draft("N1", extra=FLAGGED))
    assert shop.risk_of(next_one).points == 15  # 40 of the channel less 25 of trust
    assert shop.held_for(next_one) == set()


def test_a_release_is_taken_back_within_ten_minutes_while_no_warehouse_has_it() -> None:
    shop.shop()
    make.stock({"HGH": {"LAMP": 0}, "CAN": {"LAMP": 0}, "CTU": {"LAMP": 0}})
    order = flagged()
    assert decide(order, "release").done
    shop.screened([order.pk])

    desk.undo(order.pk, reason="mistake", actor="user:li", now=NOW + timedelta(minutes=9))

    assert shop.held_for(order) == {"risk"}
    assert shop.risk_of(order).state == "open"
    with pytest.raises(Refused) as no:
        desk.undo(order.pk, reason="again", actor="user:li", now=NOW + timedelta(minutes=9))
    assert no.value.code == "nothing_to_undo"


def test_it_is_too_late_to_take_back_after_ten_minutes_or_from_a_warehouse() -> None:
    shop.shop()
    order = flagged()
    assert decide(order, "release").done
    with pytest.raises(Refused) as late:
        desk.undo(order.pk, reason="x", actor="user:li", now=NOW + timedelta(minutes=11))
    assert late.value.code == "too_late_to_undo"
    shop.screened([order.pk])

    with pytest.raises(Refused) as gone:
        desk.undo(order.pk, reason="x", actor="user:li", now=NOW)

    assert gone.value.code == "already_released"
    assert not Review.objects.filter(action="undo").exists()


def test_a_value_is_listed_by_hand_and_what_waits_is_held() -> None:
    shop.shop()
    make.stock({"HGH": {"LAMP": 0}, "CAN": {"LAMP": 0}, "CTU": {"LAMP": 0}})
    [order] = shop.placed(shop.draft("H1", phone="13800000088"))

    held = desk.put_on_list(
        make.merchant().pk, "phone", "+86 138 0000 0088", "block", reason="police", actor="user:li", now=NOW
    )

    assert held == 1
    assert shop.held_for(order) == {"risk"}


# ---- history ---------------------------------------------------------------------------------------


def test_what_other_systems_saw_counts_and_unknown_things_are_refused() -> None:
    shop.shop()
    seen = [Observation("u1", "phone_change", NOW - timedelta(days=n)) for n in range(1, 4)]
    seen += [Observation("u1", "failed_payment", NOW - timedelta(minutes=n)) for n in range(1, 5)]
    observing.observe(make.merchant().pk, seen, now=NOW)

    [order] = shop.placed(shop.draft("O1", extra={"buyer_id": "u1"}))

    assert {"phone_changed", "failed_pays"} <= shop.codes(order)
    with pytest.raises(Refused):
        observing.observe(make.merchant().pk, [Observation("u1", "gossip", NOW)], now=NOW)  # type: ignore[arg-type]


def test_logins_too_far_apart_are_impossible_travel() -> None:
    shop.shop()
    observing.observe(
        make.merchant().pk, [Observation("u1", "login", NOW - timedelta(hours=1), "北京")], now=NOW
    )

    [order] = shop.placed(shop.draft("T1", extra={"buyer_id": "u1", "login_province": "广东"}))

    assert "impossible_travel" in shop.codes(order)


def test_deliveries_and_refusals_are_read_from_the_log_once(hub_clock: make.Clock) -> None:
    shop.shop()
    [order] = shop.placed(shop.draft("D1", extra={"buyer_id": "u1"}), now=hub_clock.now())
    make.play(hub_clock)
    assert Order.objects.get(pk=order.pk).stage == "delivered"

    [event] = Event.objects.filter(stream=order.stream, kind="parcel.delivered")
    history.follow([event])
    history.follow([event])

    assert shop.risk_of(order).delivered_at is not None
    assert Tally.objects.get(what="delivered").count == 1
    assert history.label_good(now=hub_clock.now()) == 0
    assert history.label_good(now=hub_clock.now() + timedelta(days=31)) == 1
    assert Label.objects.get(order=order).kind == "good"


def test_a_refusal_at_the_door_is_a_label_and_counts() -> None:
    shop.shop()
    [order] = shop.placed(shop.draft("X1", extra={"buyer_id": "u1"}))
    event = Event(
        stream=order.stream, kind="parcel.scanned", payload={"milestone": "REFUSED"}, occurred_at=NOW
    )

    history.follow([event])

    assert Label.objects.get(order=order).kind == "refused"
    assert Tally.objects.get(what="refused").count == 1


def test_baselines_need_fifty_orders() -> None:
    shop.shop()
    make.place(*[shop.draft(f"A{n}", lines={"CUP": 1 + n % 20}) for n in range(49)])
    assert history.work_out_baselines(now=make.NOW + timedelta(seconds=1)) == 0
    make.place(shop.draft("A50", lines={"CUP": 1}))

    assert history.work_out_baselines(now=make.NOW + timedelta(days=1)) in (0, 1)
    if Baseline.objects.exists():
        assert Baseline.objects.get().p95 >= Baseline.objects.get().p90 > Decimal(0)


# ---- the report --------------------------------------------------------------------------------------


def test_the_report_counts_known_outcomes_only_and_reviewed_ones_apart() -> None:
    policy = shop.shop()
    old = NOW - timedelta(days=60)
    bad = [
        shop.placed(shop.draft(f"B{n}", phone=f"135{n:08}", at=old, extra=FLAGGED), now=old)[0]
        for n in range(3)
    ]
    good = [shop.placed(shop.draft(f"G{n}", phone=f"136{n:08}", at=old), now=old)[0] for n in range(5)]
    unknown = flagged("U1", phone="13400000001")
    history.label([x.pk for x in bad[:2]], "fraud", source="bank", now=NOW)
    history.label([x.pk for x in good], "good", source="time", now=NOW)
    decide(bad[2], "cancel", now=NOW)

    found = reports.report(policy, since=NOW - timedelta(days=100), now=NOW)

    assert (found.orders, found.bad, found.reviewed_bad) == (7, 2, 1)
    flag = next(x for x in found.signals if x.code == "platform_flag")
    assert (flag.fired, flag.bad, flag.precision.share, flag.recall.share) == (2, 2, 1.0, 1.0)
    assert (found.review.false_share.share, found.money_lost, found.money_saved) == (
        0.0,
        Decimal(0),
        Decimal("159.00"),
    )
    assert reports.suggest(policy, since=NOW - timedelta(days=100), now=NOW).why_not == "too_few"
    assert Assessment.objects.filter(pk=unknown.pk, state="open").exists()


def test_shadow_says_what_a_signal_would_have_done() -> None:
    policy = shop.shop(live=False)
    shop.placed(*[shop.draft(f"S{n}", phone=f"133{n:08}", extra=FLAGGED if n < 2 else {}) for n in range(5)])

    [found] = [x for x in reports.shadow(policy, now=NOW + timedelta(days=1)) if x.code == "platform_flag"]

    assert (found.fired, found.would_stop, found.bad, found.value, found.is_ready) == (
        2,
        2,
        0,
        Decimal("318.00"),
        False,
    )
