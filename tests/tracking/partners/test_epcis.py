"""EPCIS 2.0: what goes out follows the standard and is the same again; what comes in is applied once or says why not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from carbon.interfaces import epcis as footprints
from orderhub.events.models import Event
from orderhub.fulfillment.models import Parcel
from orderhub.orders.models import Order
from tests import cast, make
from tracking.narrate import milestones
from tracking.partners import capturing, epcis
from tracking.partners.models import EpcisEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(hub_clock: make.Clock) -> Order:
    make.network()
    (placed,) = make.place(make.draft(to=cast.LEI))
    make.play(hub_clock, until="scan")
    return make.fresh(placed)


def exported(order: Order) -> dict[str, Any]:
    answer = make.client().get(f"/api/v1/orders/{order.pk}/epcis/")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def event(parcel: Parcel, **fields: Any) -> dict[str, Any]:
    return {
        "type": "ObjectEvent", "eventID": "urn:uuid:1d8f1b9e-0001-4c63-9c0a-111111111111", "action": "OBSERVE",
        "eventTime": "2026-11-24T10:00:00+08:00", "eventTimeZoneOffset": "+08:00", "bizStep": "arriving",
        "disposition": "in_transit", "epcList": [f"urn:orderhub:parcel:{parcel.carrier}:{parcel.tracking_number}"],
        "readPoint": {"id": "urn:orderhub:place:%E6%9D%AD%E5%B7%9E"}, **fields,
    }  # fmt: skip


def document(*events: dict[str, Any]) -> dict[str, Any]:
    return {
        "@context": [epcis.CONTEXT], "type": "EPCISDocument", "schemaVersion": "2.0",
        "creationDate": "2026-11-24T10:00:00Z", "epcisBody": {"eventList": list(events)},
    }  # fmt: skip


def test_an_order_goes_out_as_object_events_the_same_each_time(order: Order) -> None:
    first, second = exported(order), exported(order)

    assert first["epcisBody"] == second["epcisBody"]
    events = first["epcisBody"]["eventList"]
    assert {one["orderhub:milestone"] for one in events} >= {"PACKED", "SHIPPED"}
    assert len({one["eventID"] for one in events}) == len(events)
    for one in events:
        assert (one["type"], one["action"]) == ("ObjectEvent", "OBSERVE")
        assert one["eventTimeZoneOffset"] == "+08:00"
        assert one.get("epcList") or one.get("quantityList")
        assert one["bizTransactionList"][0]["bizTransaction"].endswith(order.number)
    assert order.person.phone not in str(first)


def test_where_it_leaves_the_footprint_is_told_in_words_of_our_own_name(order: Order) -> None:
    body = exported(order)

    told = [one for one in body["epcisBody"]["eventList"] if "orderhub:carbonFootprint" in one]
    assert "shipping" in {one["bizStep"] for one in told}
    for one in told:
        said = one["orderhub:carbonFootprint"]
        assert one["bizStep"] in footprints.STEPS
        assert Decimal(said["orderhub:totalKgCO2e"]) > 0
        assert all(name.startswith("orderhub:") for name in said)
    assert {"orderhub": footprints.NAMESPACE} in body["@context"]


def test_what_goes_out_can_be_taken_in(order: Order) -> None:
    for one in exported(order)["epcisBody"]["eventList"]:
        told = epcis.captured(one, digest="0")
        assert told.milestone == one["orderhub:milestone"]
        assert told.order_number == order.number


def test_a_partners_events_are_applied_once(order: Order) -> None:
    parcel = Parcel.objects.get()
    for _time in range(2):
        answer = make.client().post("/api/v1/epcis/capture/", document(event(parcel)))
        assert answer.status_code == 202, answer.content
    make.run_until_idle()

    assert EpcisEvent.objects.get().state == "applied"
    told = Event.objects.filter(actor="partner:epcis")
    assert [one.payload["milestone"] for one in told] == ["ARRIVED"]
    assert told[0].payload["place"] == "杭州"


def test_events_wait_for_their_order(order: Order, hub_clock: make.Clock) -> None:
    parcel = Parcel.objects.get()
    number = parcel.tracking_number
    early = event(parcel, epcList=["urn:epc:id:sscc:0614141.0000000001"])
    capturing.capture(early, merchant=order.merchant, now=hub_clock.now())
    assert EpcisEvent.objects.get().state == "waiting"
    assert capturing.retry(now=hub_clock.now()) == 0

    Parcel.objects.update(tracking_number="0614141.0000000001")
    assert capturing.retry(now=hub_clock.now()) == 1
    assert (EpcisEvent.objects.get().state, bool(number)) == ("applied", True)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"eventTime": "2026-11-24T10:00:00"}, "no zone"), ({"eventTimeZoneOffset": "8"}, "eventTimeZoneOffset"),
        ({"action": "LOOK"}, "action"), ({"type": "Party"}, "type"), ({"bizStep": "dancing"}, "no milestone"),
        ({"epcList": ["not a uri"]}, "no URI"), ({"epcList": []}, "neither"), ({"eventID": "x y"}, "eventID"),
        ({"errorDeclaration": {"declarationTime": "2026-11-24T10:00:00Z"}}, "person"),
    ],
)  # fmt: skip
def test_what_breaks_the_standard_is_kept_with_its_reason(
    order: Order, fields: dict[str, Any], says: str
) -> None:
    answer = make.client().post("/api/v1/epcis/capture/", document(event(Parcel.objects.get(), **fields)))
    (row,) = answer.json()["events"]
    assert row["state"] == "refused"
    assert says in row["reason"]


@pytest.mark.parametrize("said", [[], {"type": "EPCISDocument"}, {"type": "EPCISDocument", "schemaVersion": "1.2"},
                                  {**document(), "epcisBody": {"eventList": [7]}}])  # fmt: skip
def test_what_is_no_document_is_refused_whole(order: Order, said: Any) -> None:
    assert make.client().post("/api/v1/epcis/capture/", said).status_code == 400


def test_every_business_step_is_one_of_the_standard() -> None:
    steps = {one.names["epcis_bizstep"] for one in milestones().values() if one.names.get("epcis_bizstep")}
    assert steps <= {
        "accepting", "arriving", "assembling", "collecting", "commissioning", "consigning", "departing", "holding",
        "inspecting", "loading", "packing", "picking", "receiving", "shipping", "staging_outbound", "storing",
        "transporting", "unloading", "void_shipping", "other", "entering_exiting", "repairing", "reserving",
    }  # fmt: skip
