"""Trouble is found in time and goes by itself: planted stalls, holds, weekends, learned limits, late risk, mail."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail

from orderhub.events.models import Event
from orderhub.fulfillment.models import FulfillmentOrder, Parcel
from orderhub.kernel import clock
from orderhub.orders.models import Order
from tests import make
from tests.connectors import saying
from tracking import queries
from tracking.center import alerts, learning, watching
from tracking.center.models import Alert, Expectation, LaneTime, StallRule, Standing
from tracking.center.subscribers import CHECK_SECONDS

pytestmark = pytest.mark.django_db


def work_off() -> None:
    make.run_until_idle()


def told() -> list[tuple[str, str, str]]:
    """Open alerts: rule, part, milestone."""
    rows = Alert.objects.filter(cleared_at__isnull=True).select_related("rule", "standing").order_by("pk")
    return [(row.rule.code, row.standing.subject.partition(":")[0], row.milestone) for row in rows]


@pytest.fixture
def order(hub_clock: make.Clock) -> Order:
    """Released to a warehouse that says nothing, on a Monday at ten."""
    hub_clock.advance(days=1)
    make.network()
    make.Connection.objects.update(is_active=False)  # nobody plays the warehouse
    (found,) = make.place()
    make.run_until_idle()
    return found


def work() -> FulfillmentOrder:
    return FulfillmentOrder.objects.get()


def shipped() -> Parcel:
    make.tell(work(), "ship", tracking_number="SF100", carrier="sf")
    return Parcel.objects.get()


def scan(code: str, time: make.Clock, **more: Any) -> None:
    at = time.now().astimezone(queries.ZoneInfo("Asia/Shanghai")).strftime("%Y-%m-%d %H:%M:%S")
    event = {"at": at, "code": code, "text": code, "place": "嘉兴市", **more}
    document = {"tracking_number": "SF100", "carrier": "sf", "events": [event]}
    saying.say(saying.connect("generic_carrier"), "track", document)


# ---- one after the other -------------------------------------------------------------------------


def test_a_warehouse_that_says_nothing_is_told_of_and_forgotten_when_it_speaks(
    order: Order, hub_clock: make.Clock
) -> None:
    hub_clock.advance(hours=3, minutes=58)
    work_off()
    assert told() == []

    hub_clock.advance(minutes=3)
    work_off()
    assert told() == [("released-not-accepted", "f", "RELEASED")]
    assert Event.objects.filter(kind="alert.opened").count() == 1

    make.tell(work(), "acknowledge")
    alert = Alert.objects.get()
    assert (alert.cause, alert.cleared_at is not None) == ("WMS_ACCEPTED", True)
    assert told() == []
    assert [row.kind for row in Event.objects.filter(stream=f"alert:{alert.pk}").order_by("seq")] == [
        "alert.opened", "alert.cleared",
    ]  # fmt: skip


def test_the_clock_stops_at_night_and_on_sundays(order: Order, hub_clock: make.Clock) -> None:
    make.tell(work(), "acknowledge")  # Monday 10:00; 20 working hours are Tuesday 18:00
    hub_clock.advance(hours=31)
    work_off()
    assert told() == []

    hub_clock.advance(hours=1, minutes=1)
    work_off()
    assert told() == [("accepted-not-packed", "f", "WMS_ACCEPTED")]


def test_a_hold_stops_the_clock_and_closes_the_alert(hub_clock: make.Clock) -> None:
    make.network()
    (found,) = make.place()
    noon = make.NOW + timedelta(days=1)  # Monday, ten in China; the limit is four office hours

    def happens(seq: int, kind: str, hours: float, **said: object) -> None:
        hub_clock.moment = noon + timedelta(hours=hours)
        event = Event(
            merchant=found.merchant, stream=found.stream, seq=seq, kind=kind, occurred_at=clock.now(),
            recorded_at=clock.now(), payload=said,
        )  # fmt: skip
        watching.apply([event])

    happens(1, "order.placed", 0)
    happens(2, "order.held", 1, reason="risk")
    happens(3, "order.held", 2, reason="customer")
    assert Standing.objects.get().due_at is None
    happens(4, "order.hold_released", 3, reason="risk")
    assert Standing.objects.get().due_at is None
    happens(5, "order.hold_released", 4, reason="customer")
    assert Standing.objects.get().due_at == noon + timedelta(hours=7)  # three hours on hold do not count

    alerts.open_due(now=noon + timedelta(hours=7, minutes=1))
    assert told() == [("paid-not-routed", "order", "ORDER_PLACED")]
    happens(6, "order.held", 8, reason="risk")
    assert told() == []
    assert Alert.objects.get().cause == "held"


def test_trouble_that_is_told_is_an_alert_at_once(order: Order, hub_clock: make.Clock) -> None:
    shipped()
    hub_clock.advance(hours=2)
    scan("PU", hub_clock)
    hub_clock.advance(hours=2)
    scan("DF", hub_clock)
    assert told() == []
    hub_clock.advance(hours=2)
    scan("DF", hub_clock)
    assert told() == [("attempted-twice", "p", "DELIVERY_ATTEMPTED")]
    assert Alert.objects.get().severity == "high"

    hub_clock.advance(hours=1)
    scan("DL", hub_clock)
    assert told() == []


def test_what_nobody_takes_escalates_and_what_somebody_takes_does_not(
    order: Order, hub_clock: make.Clock
) -> None:
    hub_clock.advance(hours=5)
    work_off()
    alert = Alert.objects.get()
    before = alert.consequence

    hub_clock.advance(hours=9)
    work_off()
    alert.refresh_from_db()
    assert (alert.severity, alert.consequence > before) == ("critical", True)
    assert Event.objects.filter(kind="alert.escalated").count() == 1

    alerts.take([alert.pk], user=None, note="called", now=clock.now())
    hub_clock.advance(hours=50)
    work_off()
    assert Event.objects.filter(kind="alert.escalated").count() == 1


def test_an_alert_is_mailed_to_the_addresses_of_its_rule(order: Order, hub_clock: make.Clock) -> None:
    StallRule.objects.filter(code="released-not-accepted").update(
        tells="ops@shop.example, night@shop.example"
    )
    hub_clock.advance(hours=5)

    work_off()

    assert sorted(message.to[0] for message in mail.outbox) == ["night@shop.example", "ops@shop.example"]
    assert all("王芳" not in message.body and "138" not in message.body for message in mail.outbox)


def test_changed_rules_count_for_what_is_open(order: Order, hub_clock: make.Clock) -> None:
    hub_clock.advance(hours=5)
    work_off()
    assert len(told()) == 1

    StallRule.objects.filter(code="released-not-accepted").update(hours=40)
    watching.reckon_again(now=clock.now())
    work_off()

    assert told() == []
    assert Alert.objects.get().cause == "rules"


def test_of_several_rules_the_most_particular_counts(order: Order, hub_clock: make.Clock) -> None:
    rule = StallRule.objects.get(code="released-not-accepted")
    rule.pk, rule.code, rule.hours, rule.is_shipped = None, "own", 1, False
    rule.season_from, rule.season_to = date(2026, 11, 20), date(2026, 11, 30)
    rule.save()
    watching.reckon_again(now=clock.now())

    hub_clock.advance(hours=1, minutes=1)
    work_off()

    assert told() == [("own", "f", "RELEASED")]


def test_a_limit_is_learned_from_thirty_parcels_of_the_lane(order: Order, hub_clock: make.Clock) -> None:
    parcel = shipped()
    standing = Standing.objects.get(parcel=parcel)
    fixed = standing.due_at
    tally = learning.Tally()
    for hours in [30.0] * 28 + [40.0] * 2:
        first = clock.now() - timedelta(hours=hours)
        tally.add(standing, learning.STEP, "SHIPPED", first, clock.now())
    tally.write()
    learning.publish()

    watching.reckon_again(now=clock.now())

    standing.refresh_from_db()
    assert fixed is not None
    assert standing.due_at is not None
    assert standing.due_at - fixed == pytest.approx(timedelta(hours=16), abs=timedelta(hours=3))


# ---- when it comes -------------------------------------------------------------------------------


def test_the_arrival_follows_what_the_lane_took_and_says_why(order: Order, hub_clock: make.Clock) -> None:
    parcel = shipped()
    standing = Standing.objects.get(parcel=parcel)
    LaneTime.objects.create(
        merchant=order.merchant, sort="rest", carrier="sf", origin=standing.origin, destination=standing.destination,
        milestone="PICKED_UP", month=clock.now().date().replace(day=1), known={"50": 30, "52": 30}, samples=60,
    )  # fmt: skip
    hub_clock.advance(hours=1)

    scan("PU", hub_clock)

    row = Expectation.objects.get()
    assert (row.because, row.basis) == ("PICKED_UP", "lane")
    assert (
        timedelta(hours=8)
        < row.earliest_at - hub_clock.now()
        < row.latest_at - hub_clock.now()
        < timedelta(hours=16)
    )
    found = Order.objects.select_related("merchant").get()
    (box,) = queries.page(found, language="en", now=clock.now())["parcels"]
    assert box["eta"]["because"] == "Updated because: Collected by the carrier"


def test_what_will_be_late_is_told_before_it_is_late(order: Order, hub_clock: make.Clock) -> None:
    Order.objects.update(promised_at=hub_clock.now() + timedelta(hours=30))
    shipped()
    scan("PU", hub_clock)
    assert ("late-risk", "p", "PICKED_UP") not in told()
    hub_clock.advance(hours=5)

    scan("DD", hub_clock)
    assert told() == [("late-risk", "p", "DELAYED")]
    assert hub_clock.now() < Order.objects.get().promised_at

    hub_clock.advance(hours=5)
    scan("OD", hub_clock)
    assert told() == []


def test_delivered_parcels_teach_their_lane(order: Order, hub_clock: make.Clock) -> None:
    shipped()
    for code, hours in (("PU", 3), ("AR", 20), ("OD", 8), ("DL", 4)):
        hub_clock.advance(hours=hours)
        scan(code, hub_clock)

    rests = LaneTime.objects.filter(sort="rest").order_by("milestone").values_list("milestone", "samples")
    assert dict(rests) == {"ARRIVED": 1, "DELIVERED": 1, "OUT_FOR_DELIVERY": 1, "PICKED_UP": 1, "SHIPPED": 1}
    assert LaneTime.objects.filter(sort="step", milestone="SHIPPED", samples=1).exists()
    assert not Standing.objects.filter(is_open=True).exists()


# ---- many ----------------------------------------------------------------------------------------

ORDERS, STALLED, BEAT = 500, 40, timedelta(seconds=CHECK_SECONDS)


def test_planted_stalls_are_all_found_in_time_none_is_false_and_all_clear(hub_clock: make.Clock) -> None:
    """Five hundred parts over three weeks with a moved holiday between; forty stop, each at another step."""
    chance = random.Random(5)
    hub_clock.moment = datetime(2026, 9, 28, 2, 0, tzinfo=make.NOW.tzinfo)  # Monday before the holidays
    make.network()
    (order,) = make.place()
    make.run_until_idle()
    Standing.objects.all().delete()
    Alert.objects.all().delete()
    begin = hub_clock.now()
    stalled = set(chance.sample(range(ORDERS), STALLED))
    steps = ("RELEASED", "WMS_ACCEPTED", "PACKED", "CUSTOMS_DECLARED")
    rows = []
    for number in range(ORDERS):
        at = begin + timedelta(minutes=chance.randrange(0, 60 * 24 * 10))
        rows.append(
            Standing(
                order=order, merchant=order.merchant, subject=f"f:{number}", milestone=steps[number % 4], since_at=at,
                clock_at=at,
            )
        )  # fmt: skip
    watching.reckon(rows, now=begin)
    due = {row.subject: row.due_at for row in rows}
    Standing.objects.bulk_create(rows)
    moves = {
        row.subject: row.due_at - timedelta(minutes=2)
        for n, row in enumerate(rows)
        if n not in stalled and row.due_at
    }

    opened: dict[str, datetime] = {}
    while hub_clock.now() < begin + timedelta(days=25):
        marks = [
            *(at for at in moves.values()),
            *(at for name, at in due.items() if name not in opened and at),
        ]
        ahead = [at for at in marks if at > hub_clock.now()]
        if not ahead:
            break
        reached = min(min(ahead), hub_clock.now() + timedelta(hours=12))
        beats = -(-(reached - begin) // BEAT)  # the clock looks every thirty seconds
        hub_clock.moment = begin + beats * BEAT
        gone = [name for name, at in moves.items() if at <= hub_clock.now()]
        Standing.objects.filter(subject__in=gone).update(is_open=False)
        for name in gone:
            moves.pop(name)
        alerts.open_due(now=hub_clock.now())
        for name in Alert.objects.exclude(standing__subject__in=opened).values_list(
            "standing__subject", flat=True
        ):
            opened[name] = hub_clock.now()

    assert set(opened) == {f"f:{number}" for number in stalled}
    assert all(opened[name] - due[name] <= timedelta(minutes=1) for name in opened)
    for row in Standing.objects.filter(subject__in=opened):
        row.is_open, row.milestone = False, "SHIPPED"
        row.save()
    alerts.follow(list(Standing.objects.filter(subject__in=opened)), now=hub_clock.now())
    assert told() == []
