"""EPCIS 2.0 (JSON-LD): an order's milestones as ObjectEvents, and a partner's events read into ours; pure.

bizStep and disposition stand in milestones.csv and are those of CBV 2.0. Objects and places are named by URNs of ours,
since hardly a parcel has an SSCC. `eventID` is the hash the log keeps of the event, so a repeated export has the same ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import quote, unquote

from tracking.narrate import Milestone, milestones

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
NAMESPACE = "https://orderhub.example/ns#"
TYPES = ("ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent")
MOST_EVENTS = 500
_OFFSET = re.compile(r"^[+-](0\d|1[0-3]):[0-5]\d$|^[+-]14:00$")
_URI = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$")
_ORDER, _PARCEL, _SKU, _PLACE = (f"urn:orderhub:{word}:" for word in ("order", "parcel", "sku", "place"))


@dataclass(frozen=True, slots=True)
class Step:
    """A milestone that happened: `objects` are parcels (carrier, number); without any, `lines` are units by SKU."""

    hash: str
    milestone: str
    at: datetime
    recorded_at: datetime
    place: str = ""
    objects: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Captured:
    """A partner's event in our words: which order or parcel, which milestone, when, where."""

    event_id: str
    milestone: str
    at: datetime
    order_number: str = ""
    numbers: tuple[str, ...] = ()
    place: str = ""


class Unreadable(ValueError):
    """The document or event is no EPCIS 2.0 that we can take; its text says why."""


# ---- out -----------------------------------------------------------------------------------------


def document(
    steps: Iterable[Step], *, order_number: str, lines: Mapping[str, int], zone: tzinfo, now: datetime
) -> dict[str, Any]:
    """The EPCISDocument of an order; milestones without a business step of CBV are left out."""
    events = [
        _event(step, order_number, lines, zone)
        for step in steps
        if milestones().get(step.milestone, Milestone("", "", "", "", "")).names.get("epcis_bizstep")
    ]
    return {
        "@context": [CONTEXT, {"orderhub": NAMESPACE}], "type": "EPCISDocument", "schemaVersion": "2.0",
        "creationDate": now.astimezone(UTC).isoformat(timespec="seconds"), "epcisBody": {"eventList": events},
    }  # fmt: skip


def event_id(digest: str) -> str:
    """The id of an event with this hash in the log."""
    return f"ni:///sha-256;{digest}"


def _event(step: Step, order_number: str, lines: Mapping[str, int], zone: tzinfo) -> dict[str, Any]:
    names = milestones()[step.milestone].names
    local = step.at.astimezone(zone)
    said: dict[str, Any] = {
        "type": "ObjectEvent",
        "eventID": event_id(step.hash),
        "eventTime": local.isoformat(timespec="milliseconds"),
        "eventTimeZoneOffset": local.isoformat()[-6:],
        "recordTime": step.recorded_at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "action": "OBSERVE",
        "bizStep": names["epcis_bizstep"],
        "bizTransactionList": [{"type": "po", "bizTransaction": f"{_ORDER}{quote(order_number, safe='')}"}],
        "orderhub:milestone": step.milestone,
    }
    if names.get("epcis_disposition"):
        said["disposition"] = names["epcis_disposition"]
    if step.objects:
        said["epcList"] = [_parcel(*one) for one in step.objects]
    else:
        said["quantityList"] = [
            {"epcClass": f"{_SKU}{quote(code, safe='')}", "quantity": units} for code, units in lines.items()
        ]
    if step.place:
        said["readPoint"] = {"id": f"{_PLACE}{quote(step.place, safe='')}"}
    return said


def _parcel(carrier: str, number: str) -> str:
    return f"{_PARCEL}{quote(carrier, safe='')}:{quote(number, safe='')}"


# ---- in ------------------------------------------------------------------------------------------


def events_of(said: object) -> list[Mapping[str, Any]]:
    """The events of a document, or the one event it is; raises Unreadable."""
    if not isinstance(said, Mapping):
        raise Unreadable("no JSON object")
    if said.get("type") != "EPCISDocument":
        return [said]
    if str(said.get("schemaVersion", "")).split(".")[0] != "2":
        raise Unreadable("schemaVersion is not 2.0")
    if "@context" not in said:
        raise Unreadable("@context is missing")
    body = said.get("epcisBody")
    found = body.get("eventList") if isinstance(body, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise Unreadable("epcisBody.eventList is no list of events")
    if len(found) > MOST_EVENTS:
        raise Unreadable(f"more than {MOST_EVENTS} events")
    return found


def captured(event: Mapping[str, Any], *, digest: str) -> Captured:
    """One event in our words; raises Unreadable for what breaks the rules of the standard or means nothing to us."""
    kind, action = event.get("type"), event.get("action")
    if kind not in TYPES:
        raise Unreadable(f"unknown event type {kind!r}")
    if kind != "TransformationEvent" and action not in ("OBSERVE", "ADD", "DELETE"):
        raise Unreadable("action is none of OBSERVE, ADD, DELETE")
    if not _OFFSET.match(str(event.get("eventTimeZoneOffset", ""))):
        raise Unreadable("eventTimeZoneOffset is missing or wrong")
    at = _moment(event.get("eventTime"))
    event_id = str(event.get("eventID") or f"ni:///sha-256;{digest}")
    if not _URI.match(event_id) or len(event_id) > 200:
        raise Unreadable("eventID is no URI")
    if isinstance(event.get("errorDeclaration"), Mapping):
        raise Unreadable("an error declaration: a person has to look")
    objects = _uris(event.get("epcList"), "epcList") + _uris(event.get("childEPCs"), "childEPCs")
    orders = [
        unquote(one.removeprefix(_ORDER)) for one in _transactions(event) if one.startswith(_ORDER)
    ] or [one.rsplit(":", 1)[-1] for one in _transactions(event)]
    numbers = tuple(_number(one) for one in objects)
    if not orders and not numbers:
        raise Unreadable("neither an order nor a parcel is named")
    point = event.get("readPoint")
    return Captured(
        event_id, _milestone(event), at, orders[0] if orders else "", numbers,
        _place(str(point.get("id", ""))) if isinstance(point, Mapping) else "",
    )  # fmt: skip


def _milestone(event: Mapping[str, Any]) -> str:
    """Our own word where it is one, else what business step and disposition mean together."""
    own = str(event.get("orderhub:milestone") or "")
    if own in milestones():
        return own
    step, disposition = _bare(event.get("bizStep")), _bare(event.get("disposition"))
    fitting = [one for one in milestones().values() if step and one.names.get("epcis_bizstep") == step]
    exact = [one for one in fitting if one.names.get("epcis_disposition", "") == disposition]
    chosen = exact or ([] if disposition else fitting)
    if not chosen:
        raise Unreadable(
            f"bizStep {step or 'none'} with disposition {disposition or 'none'} means no milestone"
        )
    return chosen[0].code


def _bare(value: object) -> str:
    """The code, whether it was written bare, as a URN, or as an address of GS1."""
    return re.split(r"[:/\-]", str(value or ""))[-1]


def _moment(value: object) -> datetime:
    try:
        at = datetime.fromisoformat(str(value or ""))
    except ValueError as fault:
        raise Unreadable("eventTime is no moment") from fault
    if at.tzinfo is None:
        raise Unreadable("eventTime has no zone")
    return at


def _uris(value: object, name: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > MOST_EVENTS:
        raise Unreadable(f"{name} is no list")
    if not all(isinstance(one, str) and _URI.match(one) for one in value):
        raise Unreadable(f"{name} holds what is no URI")
    return list(value)


def _transactions(event: Mapping[str, Any]) -> list[str]:
    found = event.get("bizTransactionList") or []
    if not isinstance(found, list):
        raise Unreadable("bizTransactionList is no list")
    return [
        str(one["bizTransaction"]) for one in found if isinstance(one, Mapping) and one.get("bizTransaction")
    ]


def _number(uri: str) -> str:
    """The tracking number at the end of ours; of others whatever their last part is."""
    return unquote(re.split(r"[:/]", uri)[-1])


def _place(uri: str) -> str:
    return unquote(uri.removeprefix(_PLACE))[:120] if uri.startswith(_PLACE) else ""
