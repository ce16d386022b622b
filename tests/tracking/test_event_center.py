"""The event center: what sources say is mapped by data, kept where nobody knows it, told once, and corrected."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from orderhub.access.models import User
from orderhub.connectors import inbox
from orderhub.connectors.base import Incoming
from orderhub.connectors.models import Connection, InboxMessage
from orderhub.events.models import Event
from orderhub.fulfillment.models import FulfillmentOrder, Parcel
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order
from tests import make
from tests.connectors import saying, systems
from tests.tracking.shuffled import EVENTS
from tracking import queries
from tracking.center import reviewing, telling
from tracking.center.models import Meaning, MilestoneKind, UnknownCode
from tracking.models import TimelineEntry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hub_clock")]

SAMPLES = Path(settings.BASE_DIR) / "orderhub/connectors/profiles"


@pytest.fixture
def parcel(hub_clock: make.Clock) -> Parcel:
    """Shipped as SF100, nobody playing the carrier."""
    make.network()
    make.place()
    make.run_until_idle()
    work = FulfillmentOrder.objects.get()
    make.tell(work, "ship", tracking_number="SF100", carrier="sf")
    make.Connection.objects.update(is_active=False)
    hub_clock.advance(days=3)
    return Parcel.objects.get()


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ops", password="a-long-password"))
    return client


def scan(
    code: str, text: str = "x", *, at: str = "2026-11-23 11:00:00", number: str = "SF100"
) -> dict[str, Any]:
    return {
        "tracking_number": number,
        "carrier": "sf",
        "events": [{"at": at, "code": code, "text": text, "place": "嘉兴市"}],
    }


def milestones() -> list[str]:
    return list(TimelineEntry.objects.order_by("occurred_at", "seq").values_list("milestone", flat=True))


def page() -> list[str]:
    order = Order.objects.select_related("merchant").get()
    track = queries.page(order, language="zh-hans", now=clock.now())
    return [event["text"] for event in track["timeline"] if event["seq"] > 0]


# ---- unknown codes -------------------------------------------------------------------------------


def test_an_unknown_code_is_kept_with_a_suggestion_and_read_again_once_it_is_mapped(parcel: Parcel) -> None:
    carrier = saying.connect("generic_carrier")
    rows = [
        saying.say(carrier, "track", scan("X9", f"快件到达 {city} 中转", at=f"2026-11-23 1{n}:00:00"))
        for n, city in enumerate(("A1", "A2", "A3"))
    ]
    assert {row.state for row in rows} == {"quarantined"}
    (unknown,) = UnknownCode.objects.all()
    assert (unknown.code, unknown.events, unknown.suggestion, unknown.state) == ("X9", 3, "ARRIVED", "open")
    told = Event.objects.exclude(stream__startswith="alert:").count()

    count = reviewing.map_codes([unknown], reviewing.Said("ARRIVED"), actor="user:ann", now=clock.now())
    make.run_until_idle()

    assert count == 3
    assert milestones().count("ARRIVED") == 3
    # What the control tower clears is another story.
    assert Event.objects.exclude(stream__startswith="alert:").count() == told + 3
    assert {row.state for row in InboxMessage.objects.filter(pk__in=[row.pk for row in rows])} == {"applied"}
    # From now on it is known, also for what comes later; reading all of it once more changes nothing.
    saying.say(carrier, "track", scan("X9", at="2026-11-23 15:00:00"))
    reviewing.replay([unknown], now=clock.now())
    make.run_until_idle()
    assert milestones().count("ARRIVED") == 4


def test_in_a_message_with_known_codes_only_the_unknown_one_is_kept_back(parcel: Parcel) -> None:
    carrier = saying.connect("generic_carrier")
    document = scan("PU")
    document["events"] += scan("X9", "外星语")["events"]

    row = saying.say(carrier, "track", document)

    assert (row.state, milestones()[-1]) == ("applied", "PICKED_UP")
    (unknown,) = UnknownCode.objects.all()
    reviewing.map_codes([unknown], reviewing.Said("DEPARTED"), actor="user:ann", now=clock.now())
    make.run_until_idle()
    assert milestones().count("PICKED_UP") == 1
    assert milestones().count("DEPARTED") == 1


def test_texts_that_differ_by_a_number_are_one_entry_and_hold_no_contacts(parcel: Parcel) -> None:
    carrier = saying.connect("generic_carrier")
    for n in (1, 2):
        saying.say(
            carrier,
            "track",
            scan("", f"快递员李明电话1380000000{n}，包裹{n}号格口", at=f"2026-11-23 1{n}:00:00"),
        )

    (unknown,) = UnknownCode.objects.all()

    assert unknown.events == 2
    assert "13800000001" not in unknown.text
    assert "李明" not in unknown.text


def test_what_says_nothing_new_is_known_and_told_to_nobody(parcel: Parcel) -> None:
    carrier = saying.connect("generic_carrier")
    saying.say(carrier, "track", scan("", "感谢您的惠顾"))
    told = Event.objects.count()

    reviewing.map_codes(
        list(UnknownCode.objects.all()), reviewing.Said(""), actor="user:ann", now=clock.now()
    )
    saying.say(carrier, "track", scan("", "感谢您的惠顾", at="2026-11-23 16:00:00"))

    assert Event.objects.count() == told
    assert UnknownCode.objects.get().state == "ignored"


def test_a_meaning_of_one_source_is_not_another_sources(parcel: Parcel) -> None:
    first, second = saying.connect("generic_carrier"), saying.connect("generic_carrier", as_code="other")
    saying.say(first, "track", scan("Q"))
    reviewing.map_codes(
        list(UnknownCode.objects.all()), reviewing.Said("DEPARTED"), actor="user:ann", now=clock.now()
    )

    saying.say(second, "track", scan("Q", at="2026-11-23 17:00:00"))

    assert UnknownCode.objects.get(connection=second).state == "open"
    assert milestones().count("DEPARTED") == 1


def test_operators_rows_go_before_the_profile(parcel: Parcel) -> None:
    carrier = saying.connect("generic_carrier")
    Meaning.objects.create(
        connection=carrier, code="AR", pattern="海关", milestone="CUSTOMS_HELD", reason="customs_inspection"
    )

    saying.say(carrier, "track", scan("AR", "到达海关监管仓"))
    saying.say(carrier, "track", scan("AR", "到达 分拨", at="2026-11-23 18:00:00"))

    assert milestones()[-2:] == ["CUSTOMS_HELD", "ARRIVED"]
    parcel.refresh_from_db()
    assert parcel.status == "in_transit"


def test_nonsense_is_refused_with_a_reason(parcel: Parcel) -> None:
    saying.say(saying.connect("generic_carrier"), "track", scan("X9"))
    rows = list(UnknownCode.objects.all())

    with pytest.raises(Refused, match="NO_SUCH"):
        reviewing.map_codes(rows, reviewing.Said("NO_SUCH"), actor="user:ann", now=clock.now())
    with pytest.raises(Refused):
        reviewing.map_codes(rows, reviewing.Said("ARRIVED", pattern="(("), actor="user:ann", now=clock.now())
    assert not Meaning.objects.exists()


# ---- once, in any order, with its classifier -------------------------------------------------------


def test_a_repeated_event_is_told_once_whatever_key_it_comes_under(parcel: Parcel) -> None:
    carrier = saying.connect("generic_carrier")
    for _copy in range(5):
        saying.say(carrier, "track", scan("AR"))

    assert milestones().count("ARRIVED") == 1


def test_a_note_without_a_status_hides_no_earlier_status_that_comes_later(parcel: Parcel) -> None:
    carrier = saying.connect("generic_carrier")
    saying.say(carrier, "track", scan("OD", at="2026-11-23 12:00:00"))
    saying.say(carrier, "track", scan("AR", at="2026-11-23 11:00:00"))

    parcel.refresh_from_db()
    assert parcel.status == "out_for_delivery"
    assert milestones()[-2:] == ["ARRIVED", "OUT_FOR_DELIVERY"]


def test_a_time_that_has_not_come_waits_until_it_has(parcel: Parcel, hub_clock: make.Clock) -> None:
    carrier = saying.connect("generic_carrier")
    ahead = (hub_clock.now() + timedelta(hours=40)).strftime("%Y-%m-%d %H:%M:%S")

    row = saying.say(carrier, "track", scan("AR", at=ahead))
    assert (row.state, row.error) == ("waiting", "in_future")
    assert "ARRIVED" not in milestones()

    hub_clock.advance(hours=8)
    make.run_until_idle()
    row.refresh_from_db()
    assert row.state == "applied"
    assert milestones()[-1] == "ARRIVED"


def test_an_event_of_an_unknown_parcel_is_matched_also_after_days(hub_clock: make.Clock) -> None:
    make.network()
    make.place()
    make.run_until_idle()
    make.Connection.objects.update(is_active=False)
    row = saying.say(saying.connect("generic_carrier"), "track", scan("PU", at="2026-11-22 11:00:00"))
    hub_clock.advance(days=5)
    make.run_until_idle()
    row.refresh_from_db()
    assert row.state == "quarantined"

    make.tell(FulfillmentOrder.objects.get(), "ship", tracking_number="SF100", carrier="sf")

    row.refresh_from_db()
    assert row.state == "applied"


@pytest.fixture
def feed(parcel: Parcel) -> Connection:
    return systems.connect(EVENTS, code="feed")


def tell(feed: Connection, **said: Any) -> InboxMessage:
    document = {"ref": "A1", "at": "2026-11-23T02:00:00+00:00", "place": "宁波港", **said}
    return saying.say(feed, "event", document)


def test_of_plan_estimate_and_fact_the_page_shows_the_surest(feed: Connection, hub_clock: make.Clock) -> None:
    soon = (hub_clock.now() + timedelta(days=1)).isoformat()
    tell(feed, code="DECLARED", at=soon, classifier="PLANNED")
    assert page()[0] == "已完成海关申报，正在等待清关放行"
    tell(feed, code="DECLARED", at=(hub_clock.now() + timedelta(days=2)).isoformat(), classifier="ESTIMATED")
    tell(feed, code="DECLARED")

    entries = TimelineEntry.objects.filter(milestone="CUSTOMS_DECLARED").values_list("classifier", flat=True)
    assert sorted(entries) == ["ACTUAL", "ESTIMATED", "PLANNED"]
    assert page().count("已完成海关申报，正在等待清关放行") == 1
    # A late estimate never takes the place of what happened.
    tell(feed, code="DECLARED", at=soon, classifier="ESTIMATED", id="late")
    assert page()[0] == "已完成海关申报，正在等待清关放行"
    assert page().count("已完成海关申报，正在等待清关放行") == 1


def test_a_correction_takes_the_place_of_what_it_points_to_in_either_order(feed: Connection) -> None:
    tell(feed, code="HUB_IN", id="e1")
    tell(feed, code="RELEASED", id="e2", corrects="e1")
    assert page()[0] == "已清关放行"
    assert not any("宁波港" in text for text in page())

    tell(feed, id="e4", corrects="e3", code="", milestone="")
    tell(feed, code="HUB_IN", id="e3", at="2026-11-23T03:00:00+00:00")
    assert not any("宁波港" in text for text in page())
    assert Event.objects.filter(kind="order.milestone_told").count() == 4


def test_milestones_of_an_order_that_is_not_here_yet_are_matched_when_it_comes(feed: Connection) -> None:
    row = tell(feed, ref="A2", code="DECLARED", id="early")
    assert (row.state, row.error) == ("waiting", "unknown_journey")

    make.place(make.draft("A2"))
    make.run_until_idle()

    row.refresh_from_db()
    assert row.state == "applied"


def test_a_time_without_its_zone_is_read_in_the_merchants_and_says_so(feed: Connection) -> None:
    made = {**EVENTS, "code": "naive_feed"}
    made["maps"] = {"event": {**EVENTS["maps"]["event"], "fields": [
        {**one, "as": ["str"]} if one["to"] == "at" else one for one in EVENTS["maps"]["event"]["fields"]
    ]}}  # fmt: skip
    row = systems.connect(made, code="naive")

    saying.say(row, "event", {"ref": "A1", "at": "2026-11-23 12:00:00", "code": "DECLARED"})

    entry = TimelineEntry.objects.get(milestone="CUSTOMS_DECLARED")
    assert entry.occurred_at.isoformat() == "2026-11-23T04:00:00+00:00"
    assert entry.facts["zone"] == "Asia/Shanghai"


def test_a_milestone_nobody_knows_is_refused(parcel: Parcel) -> None:
    order = Order.objects.get()

    with pytest.raises(Refused):
        telling.tell(
            [telling.Milestone(order.pk, "NO_SUCH", clock.now())],
            said_by="ann",
            actor="user:ann",
            now=clock.now(),
        )


# ---- in the admin --------------------------------------------------------------------------------


def test_a_new_milestone_and_its_code_are_made_with_forms_alone(feed: Connection, admin: Client) -> None:
    made = {
        "merchant": feed.merchant_id, "code": "THEATRE_READY", "group": "delivery", "zh": "已送达手术室{place}",
        "en": "Handed over at the theatre {place}", "public": "yes", "position": "350", "status": "",
    }  # fmt: skip
    assert admin.post("/admin/center/milestonekind/add/", made).status_code == 302
    tell(feed, code="OR", text="送达手术室")
    (unknown,) = UnknownCode.objects.all()

    answer = admin.post(
        f"/admin/center/unknowncode/{unknown.pk}/map/",
        {"milestone": "THEATRE_READY", "pattern": "", "reason": "", "classifier": "ACTUAL"},
    )
    make.run_until_idle()

    assert answer.status_code == 302
    assert page()[0] == "已送达手术室宁波港"
    assert UnknownCode.objects.get().state == "mapped"


def test_the_products_own_can_be_hidden_and_worded_but_not_removed(feed: Connection, admin: Client) -> None:
    tell(feed, code="HUB_IN")
    row = MilestoneKind.objects.get(code="ARRIVED")
    fields = {
        "zh": "到了{place}",
        "en": "Reached {place}",
        "public": "yes",
        "position": row.position,
        "status": "",
    }

    assert admin.post(f"/admin/center/milestonekind/{row.pk}/change/", fields).status_code == 302
    assert page()[0] == "到了宁波港"
    assert (
        admin.post(f"/admin/center/milestonekind/{row.pk}/change/", {**fields, "is_hidden": "on"}).status_code
        == 302
    )
    assert not any("宁波港" in text for text in page())
    assert admin.post(f"/admin/center/milestonekind/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    bad = admin.post(f"/admin/center/milestonekind/{row.pk}/change/", {**fields, "zh": "到了{nowhere}"})
    assert bad.status_code == 200
    assert MilestoneKind.objects.filter(code="ARRIVED").exists()


def test_saving_a_meaning_reads_what_waited_for_it(feed: Connection, admin: Client) -> None:
    tell(feed, code="ZZ", text="船已靠泊")

    answer = admin.post(
        "/admin/center/meaning/add/",
        {
            "code": "",
            "pattern": "靠泊",
            "milestone": "ARRIVED",
            "classifier": "ACTUAL",
            "priority": "0",
            "is_active": "on",
        },
    )
    make.run_until_idle()

    assert answer.status_code == 302
    assert milestones().count("ARRIVED") == 1
    bad = admin.post("/admin/center/meaning/add/", {"classifier": "ACTUAL", "priority": "0"})
    assert bad.status_code == 200
    assert Meaning.objects.count() == 1


# ---- the carriers' own samples -------------------------------------------------------------------

CARRIERS = (
    ("sf", "route", "sf/samples/route_push.json", "sf", ["DEPARTED", "OUT_FOR_DELIVERY"]),
    ("kuaidi100", "track", "kuaidi100/samples/push_param.json", "yuantong", ["PICKED_UP", "ARRIVED", "OUT_FOR_DELIVERY"]),
    ("aftership", "checkpoint", "aftership/samples/tracking_update.json", "usps", ["DEPARTED", "OUT_FOR_DELIVERY"]),
    ("easypost", "tracker", "easypost/samples/tracker_updated_event.json", "usps", ["READY_FOR_PICKUP_BY_CARRIER"] * 2),
    ("amazon", "milestone", "amazon/samples/shipment_tracking_milestone.json", "amazon",
     ["DELIVERED", "OUT_FOR_DELIVERY", "DEPARTED", *2 * ["READY_FOR_PICKUP_BY_CARRIER"]]),
    ("dcsa", "event", "dcsa/samples/equipment_event.json", "dcsa", []),
    ("generic_carrier", "track", "generic_carrier/samples/track.json", "carrier", ["PICKED_UP", "OUT_FOR_DELIVERY"]),
)  # fmt: skip


@pytest.mark.parametrize(
    ("code", "map_", "sample", "carrier", "expected"), CARRIERS, ids=[one[0] for one in CARRIERS]
)
def test_the_carriers_own_samples_map_by_data_alone(
    parcel: Parcel, code: str, map_: str, sample: str, carrier: str, expected: list[str]
) -> None:
    document = json.loads((SAMPLES / sample).read_text("utf-8"))
    row = saying.connect(code)
    numbers = (
        "SF0000000000001",
        "YT0000000000001",
        "AS1000000001",
        "EZ1000000001",
        "AFTN987654321",
        "APZU4812090",
        "GC0000000001",
    )
    number = next(one for one in numbers if one in json.dumps(document))
    Parcel.objects.update(tracking_number=number, carrier=carrier)
    maps = [name for name, part in row.profile.in_force.document["maps"].items() if part["means"] == "scan"]
    name = map_ if map_ in maps else maps[0]
    before = len(milestones())

    inbox.receive(
        row, [Incoming("s1", {}, json.dumps(document).encode(), {"fetched": name})], now=clock.now()
    )
    make.run_until_idle()

    said = InboxMessage.objects.get(connection=row)
    assert said.state in ("applied", "ignored"), (said.state, said.error, said.faults)
    assert not UnknownCode.objects.exists(), list(UnknownCode.objects.values("code", "text"))
    found = TimelineEntry.objects.order_by("-seq").values_list("milestone", flat=True)[
        : len(milestones()) - before
    ]
    assert sorted(found) == sorted(expected)
