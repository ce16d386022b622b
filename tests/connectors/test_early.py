"""Messages that come before what they are about: nobody has to look at them, and none is lost."""

from __future__ import annotations

import pytest

from orderhub.connectors import inbox
from orderhub.connectors.models import InboxMessage
from orderhub.fulfillment.models import FulfillmentOrder, Parcel
from orderhub.kernel import clock
from orderhub.orders.models import Order
from tests import make
from tests.connectors import saying

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hub_clock")]


def scan(code: str = "PU", *, number: str = "SF100", at: str = "2026-11-22 11:00:00") -> dict[str, object]:
    return {"tracking_number": number, "carrier": "sf", "events": [{"at": at, "code": code, "text": "x"}]}


def released() -> FulfillmentOrder:
    make.network()
    make.Connection.objects.update(is_active=False)
    make.place()
    make.run_until_idle()
    return FulfillmentOrder.objects.get()


def ship(work: FulfillmentOrder, number: str = "SF100") -> None:
    make.tell(work, "ship", tracking_number=number, carrier="sf")


def state(row: InboxMessage) -> tuple[str, str]:
    row.refresh_from_db()
    return row.state, row.error


def test_a_scan_before_its_parcel_is_applied_by_itself_once_the_warehouse_tells_of_it(
    hub_clock: make.Clock,
) -> None:
    work = released()
    carrier = saying.connect("generic_carrier")

    early = saying.say(carrier, "track", scan())
    assert state(early) == ("waiting", "unknown_parcel")
    assert early.reference == "SF100"

    hub_clock.advance(seconds=3)
    ship(work)

    assert state(early) == ("applied", "")
    assert Parcel.objects.get().status == "picked_up"
    assert InboxMessage.objects.filter(state="quarantined").count() == 0


def test_a_whole_history_before_its_parcel_says_the_same_as_in_order(hub_clock: make.Clock) -> None:
    work = released()
    carrier = saying.connect("generic_carrier")
    steps = [("PU", "2026-11-22 11:00:00"), ("OD", "2026-11-23 08:00:00"), ("DL", "2026-11-23 09:00:00")]
    rows = [saying.say(carrier, "track", scan(code, at=at)) for code, at in reversed(steps)]
    assert {row.state for row in rows} == {"waiting"}

    ship(work)

    assert {state(row)[0] for row in rows} == {"applied"}
    parcel = Parcel.objects.get()
    assert (parcel.status, parcel.delivered_at is not None) == ("delivered", True)
    assert Order.objects.get().stage == "delivered"


def test_delivered_before_the_warehouse_says_shipped_waits_for_that(hub_clock: make.Clock) -> None:
    work = released()
    make.tell(work, "pack", tracking_number="SF100", carrier="sf")
    carrier = saying.connect("generic_carrier")

    done = saying.say(carrier, "track", scan("DL"))
    assert state(done) == ("waiting", "not_shipped")

    ship(work)
    assert state(done) == ("applied", "")
    assert Order.objects.get().stage == "delivered"


def test_what_nobody_ever_tells_of_is_tried_with_back_off_and_then_shown_to_a_person(
    hub_clock: make.Clock,
) -> None:
    carrier = saying.connect("generic_carrier")
    row = saying.say(carrier, "track", scan())
    waits = []
    for _hour in range(80):
        waits.append(row.attempts)
        hub_clock.advance(hours=1)
        make.run_until_idle()
        row.refresh_from_db()
        if row.state == "quarantined":
            break

    assert (row.state, row.error) == ("quarantined", "unknown_parcel")
    assert 71 <= len(waits) <= 73
    assert row.attempts <= 75  # at most one try an hour once it has waited for long
    assert row.faults[0]["value"] == "SF100"


def test_a_waiting_message_may_be_dismissed_or_replayed_by_a_person(hub_clock: make.Clock) -> None:
    carrier = saying.connect("generic_carrier")
    row = saying.say(carrier, "track", scan())

    assert inbox.replay([row.pk], now=clock.now()) == 1
    assert state(row)[0] == "waiting"
    assert inbox.dismiss([row.pk], note="not ours", actor="user:li", now=clock.now()) == 1
    assert state(row) == ("ignored", "not ours")


def test_a_channel_cancels_an_order_that_is_still_on_its_way(
    hub_clock: make.Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A shop that could be asked for the order would be; this one cannot.
    monkeypatch.setattr("orderhub.connectors.applying.orders._can_fetch", lambda connection: False)
    make.network()
    shop = saying.connect("generic_channel", channel=make.channel())
    other = saying.connect("generic_channel", as_code="second", channel=make.channel("second"))

    gone = saying.say(shop, "cancel", {"id": "A1", "reason": "no", "at": "2026-11-22 10:00:00"})
    foreign = saying.say(other, "cancel", {"id": "A1", "reason": "no", "at": "2026-11-22 10:00:00"})
    assert {state(gone), state(foreign)} == {("waiting", "unknown_order")}

    make.place(make.draft("A1"))
    make.run_until_idle()

    assert state(gone) == ("applied", "")
    assert Order.objects.get().stage == "cancelled"
    assert state(foreign) == ("waiting", "unknown_order")  # another shop's A1 is another order
