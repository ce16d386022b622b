"""What goes out holds to GS1's JSON schema of EPCIS 2.0, as far as our events use it.

GS1's own file is not kept here. This is the part of it that an ObjectEvent of ours can touch, written from the standard
(EPCIS 2.0, sections 9 and 10): required members, formats, the names of the vocabularies we use, and that nothing else
stands in an event but what has a prefix declared in the context.
"""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft7Validator, FormatChecker

from orderhub.orders.models import Order
from tests import cast, make

pytestmark = pytest.mark.django_db

_URI = {"type": "string", "pattern": r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$"}
_TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"}
_BARE = {"type": "string", "pattern": "^[a-z_]+$"}
_EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["type", "action", "eventTime", "eventTimeZoneOffset"],
    "properties": {
        "type": {"const": "ObjectEvent"},
        "action": {"enum": ["OBSERVE", "ADD", "DELETE"]},
        "eventID": _URI,
        "eventTime": _TIME,
        "recordTime": _TIME,
        "eventTimeZoneOffset": {"type": "string", "pattern": r"^([+-])((0\d|1[0-3]):([0-5]\d)|14:00)$"},
        "epcList": {"type": "array", "items": _URI, "uniqueItems": True},
        "quantityList": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["epcClass"],
                "additionalProperties": False,
                "properties": {
                    "epcClass": _URI,
                    "quantity": {"type": "number"},
                    "uom": {"pattern": "^[A-Z0-9]{2,3}$"},
                },
            },
        },
        "bizStep": _BARE,
        "disposition": _BARE,
        "readPoint": {"type": "object", "required": ["id"], "properties": {"id": _URI}},
        "bizTransactionList": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["bizTransaction"],
                "properties": {
                    "type": {"enum": ["po", "desadv", "inv", "bol", "poc", "recadv"]},
                    "bizTransaction": _URI,
                },
            },
        },
    },
    "patternProperties": {"^orderhub:[A-Za-z0-9]+$": {}},
    "additionalProperties": False,
    # An event about nothing is none (section 7.4.2).
    "anyOf": [{"required": ["epcList"]}, {"required": ["quantityList"]}],
}
DOCUMENT: dict[str, Any] = {
    "type": "object",
    "required": ["@context", "type", "schemaVersion", "creationDate", "epcisBody"],
    "properties": {
        "@context": {
            "type": "array",
            "contains": {"const": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"},
        },
        "type": {"const": "EPCISDocument"},
        "schemaVersion": {"type": "string", "pattern": r"^2\.0(\.\d+)?$"},
        "creationDate": _TIME,
        "epcisBody": {
            "type": "object",
            "required": ["eventList"],
            "properties": {"eventList": {"type": "array", "items": _EVENT}},
        },
    },
    "additionalProperties": False,
}


def faults(body: Any) -> list[str]:
    found = Draft7Validator(DOCUMENT, format_checker=FormatChecker()).iter_errors(body)
    return [f"{'/'.join(map(str, fault.absolute_path))}: {fault.message}" for fault in found]


@pytest.fixture
def body(hub_clock: make.Clock) -> Any:
    make.network()
    placed: tuple[Order, ...] = tuple(make.place(make.draft(to=cast.LEI)))
    make.play(hub_clock, until="scan")
    return make.client().get(f"/api/v1/orders/{placed[0].pk}/epcis/").json()


def test_an_export_holds_to_the_schema(body: Any) -> None:
    assert len(body["epcisBody"]["eventList"]) > 3
    assert faults(body) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("eventTimeZoneOffset", "+8"), ("eventTime", "2026-11-24 10:00"), ("action", "LOOK"), ("own", 1)],
)
def test_the_schema_finds_what_is_wrong(body: Any, name: str, value: object) -> None:
    body["epcisBody"]["eventList"][0][name] = value
    assert faults(body)
