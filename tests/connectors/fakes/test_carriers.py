"""Carriers and the partner: whole histories, scans, intercepts, and receivers that are gone."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import parse_qs

import pytest

from orderhub.connectors.fakes import signatures
from orderhub.connectors.fakes.world import World
from tests.connectors.fakes import calls
from tests.connectors.fakes.receiver import Receiver


def _subscribe(world: World, **changed: Any) -> dict[str, Any]:
    param = {
        "company": "yuantong", "number": "YT1", "key": world.keys("kuaidi100")["key"], "parameters": {"salt": "EXAMPLE-SALT"},
        **changed,
    }  # fmt: skip
    return calls.form(world, "kuaidi100", {"schema": "json", "param": json.dumps(param)})


def test_kuaidi100_pushes_the_whole_history_newest_first(world: World, receiver: Receiver) -> None:
    assert _subscribe(world)["returnCode"] == "200"
    assert _subscribe(world)["returnCode"] == "501"
    assert _subscribe(world, number="YT2", key="another")["returnCode"] == "600"

    world.advance_parcel("YT1", 2)
    world.advance_parcel("YT1", to="signed")

    assert world.settle()
    fields = [parse_qs(got.body.decode()) for got in receiver.got]
    assert all(one["sign"] == [signatures.kuaidi100_push("EXAMPLE-SALT", one["param"][0])] for one in fields)
    histories = [json.loads(one["param"][0]) for one in fields]
    assert [len(one["lastResult"]["data"]) for one in histories] == [1, 2, 3, 4, 5, 6, 7]
    last = histories[-1]
    times = [node["time"] for node in last["lastResult"]["data"]]
    assert times == sorted(times, reverse=True)
    assert (last["status"], last["lastResult"]["state"], last["lastResult"]["ischeck"]) == (
        "shutdown",
        "3",
        "1",
    )
    assert last["lastResult"]["data"][1:] == histories[-2]["lastResult"]["data"]


def test_kuaidi100_needs_a_phone_for_sf_and_answers_signed_queries(world: World) -> None:
    assert _subscribe(world, company="shunfeng", number="SF1")["result"] is False
    assert _subscribe(world)["result"] is True
    world.advance_parcel("YT1", 1)
    keys, param = world.keys("kuaidi100"), '{"com":"yuantong","num":"YT1"}'
    sign = signatures.kuaidi100_query(keys["key"], keys["customer"], param)

    url = world.url("kuaidi100", "/query.do")
    good = calls.send("POST", url, data={"customer": keys["customer"], "sign": sign, "param": param}).json()
    bad = calls.send(
        "POST", url, data={"customer": keys["customer"], "sign": sign, "param": param + " "}
    ).json()

    assert good["data"][0]["status"] == "揽收"
    assert bad["result"] is False


def test_sf_pushes_routes_of_parcels_from_the_warehouse(world: World, receiver: Receiver) -> None:
    calls.create(world)
    number = world.ship("FO-1")["packages"][0]
    assert world.settle()
    receiver.clear()

    world.advance_parcel(number, 2, carrier="sf")

    assert world.settle()
    routes = [json.loads(got.body)["Body"]["WaybillRoute"][0] for got in receiver.got]
    assert [(one["mailno"], one["orderid"], one["opCode"]) for one in routes] == [
        (number, "FO-1", "50"),
        (number, "FO-1", "30"),
    ]
    got = receiver.got[0]
    assert got.headers["msgdigest"] == signatures.sf(
        world.keys("sf")["secret"], got.body.decode(), got.headers["timestamp"]
    )
    answer = calls.sf(world, "EXP_RECE_SEARCH_ROUTES", {"trackingType": 1, "trackingNumber": [number]})
    assert len(answer["msgData"]["routeResps"][0]["routes"]) == 2


@pytest.mark.parametrize(("until", "succeeds"), [("arrived", True), ("delivering", False)])
def test_sf_intercepts_until_the_parcel_is_being_delivered(world: World, until: str, succeeds: bool) -> None:
    world.do("sf", "watch_by_hand", number="SF1")
    world.advance_parcel("SF1", to=until, carrier="sf")
    if until == "delivering":
        world.advance_parcel("SF1", to=until, carrier="sf")
    message = {"waybillNo": "SF1", "serviceCode": "1", "role": "1", "newDestAddress": {"city": "宁波市"}}

    answer = calls.sf(world, "EXP_RECE_WANTED_INTERCEPT", message)
    forged = calls.sf(world, "EXP_RECE_WANTED_INTERCEPT", message, secret="another")

    assert answer["success"] is succeeds
    assert forged["apiResultCode"] == "A1006"
    parcel = world.do("sf", "parcel", number="SF1")
    assert parcel["intercepted"] is succeeds
    assert ("宁波市" in parcel["new_address"]) is succeeds


def test_easypost_tells_a_tracker_with_a_normalized_secret(world: World, receiver: Receiver) -> None:
    auth = (world.keys("easypost")["api_key"], "")
    body = {"tracker": {"tracking_code": "EZ1", "carrier": "USPS"}}
    made = [
        calls.send("POST", world.url("easypost", "/trackers"), json=body, auth=auth).json()
        for _twice in range(2)
    ]

    world.advance_parcel("EZ1", to="signed", carrier="easypost")

    assert made[0]["id"] == made[1]["id"]
    assert world.settle()
    events = [json.loads(got.body) for got in receiver.got]
    assert [one["result"]["status"] for one in events][-2:] == ["out_for_delivery", "delivered"]
    assert [len(one["result"]["tracking_details"]) for one in events] == [1, 2, 3, 4, 5, 6, 7]
    got = receiver.got[-1]
    assert got.headers["x-hmac-signature"] == signatures.easypost(world.keys("easypost")["secret"], got.body)


def test_aftership_takes_a_number_once_and_tells_tags(world: World, receiver: Receiver) -> None:
    head = {"as-api-key": world.keys("aftership")["api_key"]}
    body = {"tracking_number": "AS1", "slug": "ups"}
    first, second = (
        calls.send("POST", world.url("aftership", "/trackings"), json=body, headers=head)
        for _twice in range(2)
    )

    world.advance_parcel("AS1", to="problem", carrier="aftership")

    assert (first.status_code, second.json()["meta"]["code"]) == (201, 4003)
    assert world.settle()
    got = receiver.got[0]
    assert json.loads(got.body)["msg"]["tag"] == "AttemptFail"
    assert got.headers["aftership-hmac-sha256"] == signatures.body_hmac(
        world.keys("aftership")["secret"], got.body
    )


def _event(world: World, message_id: str = "msg_1", *, age_seconds: int = 0, secret: str = "") -> int:
    body, stamp = b'{"type":"order.shipped"}', str(int(time.time()) - age_seconds)
    signature = signatures.standard_webhook(
        secret or world.keys("partner")["secret"], message_id, stamp, body
    )
    return calls.send("POST",
        world.url("partner"), content=body,
        headers={
            "webhook-id": message_id, "webhook-timestamp": stamp, "content-type": "application/json",
            "webhook-signature": f"v1,bm90aGluZw== {signature}",
        },
    ).status_code  # fmt: skip


def test_the_partner_takes_signed_events_and_counts_repeats(world: World) -> None:
    assert [_event(world), _event(world), _event(world, "msg_2")] == [204, 204, 204]
    assert _event(world, "msg_3", secret="whsec_NDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3") == 401
    assert _event(world, "msg_4", age_seconds=301) == 401

    assert [(one["id"], one["times"]) for one in world.state("partner")["events"]] == [
        ("msg_1", 2),
        ("msg_2", 1),
    ]


def test_a_partner_that_is_gone_says_410(world: World) -> None:
    world.do("partner", "gone")
    assert _event(world) == 410
    world.do("partner", "gone", is_gone=False)
    assert _event(world) == 204


def test_the_partner_sends_signed_events_of_its_own(world: World, receiver: Receiver) -> None:
    message_id = world.do("partner", "send", event={"type": "order.requested"})

    assert world.settle()
    headers = receiver.got[0].headers
    assert headers["webhook-id"] == message_id
    assert headers["webhook-signature"] == signatures.standard_webhook(
        world.keys("partner")["secret"], message_id, headers["webhook-timestamp"], receiver.got[0].body
    )
