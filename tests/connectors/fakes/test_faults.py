"""Every misbehavior, one by one, over real connections."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest
from defusedxml.ElementTree import fromstring

from orderhub.connectors.fakes import signatures
from orderhub.connectors.fakes.faults import PUSH_KINDS, REQUEST_KINDS
from orderhub.connectors.fakes.world import World
from tests.connectors.fakes import calls
from tests.connectors.fakes.receiver import Receiver


def _codes(world: World) -> list[str]:
    return [one["code"] for one in world.state("qimen")["deliveries"]]


# what happens to requests


def test_delay_answers_late(world: World) -> None:
    world.fault("delay", "qimen", seconds=0.2)

    begin = time.monotonic()
    answer = calls.create(world)

    assert calls.SUCCESS in answer.text
    assert time.monotonic() - begin >= 0.2
    assert world.received("qimen")[0]["fault"] == "delay"


def test_hang_takes_nothing_in_and_never_answers(world: World) -> None:
    world.fault("hang", "qimen")

    with pytest.raises(httpx.ReadTimeout):
        calls.create(world, timeout=0.2)

    assert _codes(world) == []


def test_hang_after_accepts_and_never_answers(world: World) -> None:
    world.fault("hang_after", "qimen")

    with pytest.raises(httpx.ReadTimeout):
        calls.create(world, timeout=0.2)

    assert _codes(world) == ["FO-1"]
    assert calls.SUCCESS in calls.create(world).text
    assert _codes(world) == ["FO-1"]


@pytest.mark.parametrize("details", [{}, {"part": True}])
def test_cut_after_accepts_and_cuts_the_connection(world: World, details: dict[str, Any]) -> None:
    world.fault("cut_after", "qimen", **details)

    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        calls.create(world)

    assert _codes(world) == ["FO-1"]


@pytest.mark.parametrize(("accepted", "codes"), [(False, []), (True, ["FO-1"])])
def test_error_500_before_or_after_accepting(world: World, accepted: bool, codes: list[str]) -> None:
    world.fault("error_500", "qimen", accepted=accepted)

    assert calls.create(world).status_code == 500
    assert _codes(world) == codes


def test_too_many_says_when_to_come_back(world: World) -> None:
    world.fault("too_many", "qimen", times=2, retry_after=7)

    answers = [calls.create(world) for _attempt in range(3)]

    assert [one.status_code for one in answers] == [429, 429, 200]
    assert answers[0].headers["retry-after"] == "7"
    assert _codes(world) == ["FO-1"]


def test_reset_before_reading(world: World) -> None:
    world.fault("reset", "qimen", "deliveryorder.create")

    with pytest.raises((httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)):
        calls.create(world)

    assert _codes(world) == []
    entry = world.received("qimen")[0]
    assert (entry["outcome"], entry["body"]) == ("cut off", "")


def test_drip_sends_the_answer_in_small_pieces(world: World) -> None:
    world.fault("drip", "qimen", seconds=0.3)

    begin = time.monotonic()
    answer = calls.create(world)

    assert calls.SUCCESS in answer.text
    assert time.monotonic() - begin >= 0.25


def test_garbage_cannot_be_read_and_nothing_is_taken_in(world: World) -> None:
    world.fault("garbage", "qimen")

    answer = calls.create(world)

    assert answer.status_code == 200
    assert b"success" not in answer.content
    with pytest.raises(UnicodeDecodeError):
        answer.content.decode()
    assert _codes(world) == []


def test_failure_is_the_vendors_flag_inside_http_200(world: World) -> None:
    world.fault("failure", "qimen", code="S999", message="仓库盘点中")

    answer = calls.create(world)

    assert answer.status_code == 200
    assert "<code>S999</code><message>仓库盘点中</message>" in answer.text
    assert _codes(world) == []


@pytest.mark.parametrize(
    "vendor", ["kingdee", "taobao", "douyin", "kuaidi100", "sf", "aftership", "pinduoduo", "jd"]
)
def test_every_vendor_has_its_own_failure_inside_http_200(world: World, vendor: str) -> None:
    world.fault("failure", vendor, message="今天不行")

    answer = calls.send("POST", world.url(vendor), json={})

    assert answer.status_code == 200
    assert "今天不行" in answer.text
    assert world.received(vendor)[0]["fault"] == "failure"


def test_an_ack_that_lies_says_success_and_takes_nothing_in(world: World) -> None:
    world.fault("ack_lie", "qimen")

    assert calls.SUCCESS in calls.create(world).text
    assert _codes(world) == []


def test_an_outage_lasts_until_it_is_switched_off(world: World) -> None:
    world.outage("qimen")
    for _attempt in range(3):
        with pytest.raises(httpx.TransportError):
            calls.create(world)

    world.outage("qimen", False)

    assert calls.SUCCESS in calls.create(world).text
    assert _codes(world) == ["FO-1"]


def test_an_outage_of_one_virtual_hour_ends_by_itself(world: World) -> None:
    world.outage("qimen", mode="503", seconds=3600)
    assert calls.create(world).status_code == 503

    world.advance(3601)

    # Time was jumped over, not waited for: the vendor's own clock for signatures is the machine's.
    assert calls.create(world).status_code == 200


def test_already_picked_refuses_to_cancel(world: World) -> None:
    calls.create(world)
    world.fault("already_picked", "qimen")

    answer = calls.cancel(world)

    assert "<code>S003</code>" in answer.text
    assert world.state("qimen")["deliveries"][0]["state"] == "PICK"


@pytest.mark.parametrize(("answer", "flag"), [("failure", calls.FAILURE), ("success", calls.SUCCESS)])
def test_a_ship_confirm_crosses_the_cancel_before_its_answer(
    world: World, receiver: Receiver, answer: str, flag: str
) -> None:
    calls.create(world)
    world.fault("ship_crossing", "qimen", answer=answer)

    response = calls.cancel(world)

    # The confirm was there before the cancel was answered: nothing had to be waited for.
    assert [got.query["method"] for got in receiver.got][-1] == "taobao.qimen.deliveryorder.confirm"
    assert flag in response.text
    assert world.state("qimen")["deliveries"][0]["state"] == "DELIVERED"


def test_a_ship_confirm_crosses_the_cancel_after_its_answer(world: World, receiver: Receiver) -> None:
    calls.create(world)
    world.fault("ship_crossing", "qimen", answer="success", first="answer")

    assert calls.SUCCESS in calls.cancel(world).text
    end = time.monotonic() + 3
    while len(receiver.got) < 2 and time.monotonic() < end:
        time.sleep(0.02)

    assert fromstring(receiver.got[1].body).findtext("deliveryOrder/status") == "DELIVERED"


def test_stock_reports_disagree(world: World, receiver: Receiver) -> None:
    world.set_stock("HZ01", "SKU-RED-M", 10)
    world.fault("stock_disagrees", "qimen", by=-4)

    asked = fromstring(calls.qimen(world, "inventory.query", calls.STOCK_QUERY).content).findtext(
        "items/item/quantity"
    )
    world.do("qimen", "report_stock", warehouse="HZ01")

    assert world.settle()
    assert (asked, fromstring(receiver.got[0].body).findtext("items/item/quantity")) == ("6", "6")
    assert world.state("qimen")["stock"]["HZ01"]["SKU-RED-M"] == 10


# what happens to pushes


def test_duplicates_are_the_same_push_again(world: World, receiver: Receiver) -> None:
    world.fault("duplicate", "shopify", "orders/create", copies=2)

    world.place("shopify", paid=False)

    assert world.settle()
    assert len(receiver.got) == 3
    assert len({(got.body, got.headers["x-shopify-event-id"]) for got in receiver.got}) == 1
    assert world.pushed("shopify")[0]["posts"] == 3


def test_shuffled_pushes_come_in_another_order(world: World, receiver: Receiver) -> None:
    world.fault("shuffle", "shopify", count=5)

    numbers = [int(world.place("shopify", paid=False)["ext_id"]) for _order in range(5)]

    assert world.settle()
    came = [json.loads(got.body)["id"] for got in receiver.got]
    assert sorted(came) == numbers
    assert came != numbers


def test_pushes_held_for_shuffling_are_let_go_at_the_end(world: World, receiver: Receiver) -> None:
    world.fault("shuffle", "shopify", count=50)
    world.place("shopify", paid=False)

    assert world.settle()
    assert len(receiver.got) == 1


def test_the_old_version_comes_after_the_new_one(world: World, receiver: Receiver) -> None:
    order = world.place("shopify", paid=False)
    world.do("shopify", "touch", ext_id=order["ext_id"], note="first")
    world.fault("old_after_new", "shopify", "orders/updated")
    world.do("shopify", "touch", ext_id=order["ext_id"], note="second")

    assert world.settle()
    notes = [json.loads(got.body)["note"] for got in receiver.got]
    assert notes == [None, "first", "second", "first"]
    secret = world.keys("shopify")["secret"]
    assert receiver.got[-1].headers["x-shopify-hmac-sha256"] == signatures.body_hmac(
        secret, receiver.got[-1].body
    )


def test_a_wrong_signature(world: World, receiver: Receiver) -> None:
    world.fault("wrong_signature", "qimen")
    calls.create(world)

    assert world.settle()
    got = receiver.got[0]
    assert got.query["sign"] != signatures.qimen(world.keys("qimen")["secret"], got.query, got.body)


def test_a_clock_that_is_ten_minutes_off(world: World, receiver: Receiver) -> None:
    world.fault("clock_off", "partner", seconds=-600)
    world.do("partner", "send", event={"type": "late"})

    assert world.settle()
    assert 595 < time.time() - int(receiver.got[0].headers["webhook-timestamp"]) < 610


def test_hints_only(world: World, receiver: Receiver) -> None:
    world.fault("hints_only", "shopify", "orders/create")
    order = world.place("shopify", paid=False)

    assert world.settle()
    assert json.loads(receiver.got[0].body).keys() == {"id", "updated_at"}
    secret = world.keys("shopify")["secret"]
    assert receiver.got[0].headers["x-shopify-hmac-sha256"] == signatures.body_hmac(
        secret, receiver.got[0].body
    )
    assert str(json.loads(receiver.got[0].body)["id"]) == order["ext_id"]


def test_a_lost_push_is_never_sent(world: World, receiver: Receiver) -> None:
    world.fault("lost", "shopify", "orders/create")
    world.place("shopify")

    assert world.settle()
    assert [got.headers["x-shopify-topic"] for got in receiver.got] == ["orders/paid"]
    assert [(one["operation"], one["posts"]) for one in world.pushed("shopify")] == [
        ("orders/create", 0),
        ("orders/paid", 1),
    ]


def test_a_push_that_is_not_taken_comes_again_later(world: World, receiver: Receiver) -> None:
    world.do("kuaidi100", "watch_by_hand", number="YT1", carrier="yuantong")
    receiver.answer = lambda _got: (200, b'{"result":false}')
    world.advance_parcel("YT1", 1)
    assert world.settle()
    assert len(receiver.got) == 1
    world.advance(1700)
    assert len(receiver.got) == 1

    for _half_hour in range(5):
        world.advance(1801)
        assert world.settle()

    assert len(receiver.got) == 4
    assert not world.pushed("kuaidi100")[0]["acked"]


# the script itself


def test_a_fault_waits_for_its_turn_and_its_operation(world: World) -> None:
    world.fault("error_500", "qimen", "order.cancel", after=1)

    statuses = [calls.create(world).status_code] + [calls.cancel(world).status_code for _attempt in range(3)]

    assert statuses == [200, 200, 500, 200]


def test_chance_draws_the_same_for_the_same_seed(world: World) -> None:
    def faults() -> list[str]:
        world.reset()
        world.chance(0.5, seed=3, kinds=("error_500", "too_many", "garbage"))
        for number in range(12):
            calls.create(world, f"FO-{number}")
        return [one["fault"] for one in world.received("qimen")]

    first, second = faults(), faults()

    assert first == second
    assert 2 <= sum(map(bool, first)) <= 10
    assert len(set(first)) >= 3


def test_chance_can_be_kept_to_some_vendors(world: World) -> None:
    world.chance(1.0, kinds=("error_500",), vendors=("kingdee",))

    assert calls.create(world).status_code == 200


@pytest.mark.parametrize(("details", "says"), [
    ({"kind": "explode"}, "no fault 'explode'"), ({"kind": "delay", "vendor": "nobody"}, "no vendor 'nobody'"),
])  # fmt: skip
def test_a_fault_that_does_not_exist_is_refused(world: World, details: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        world.fault(**details)

    assert world.faults()["script"] == []


def test_every_kind_is_explained() -> None:
    assert all(REQUEST_KINDS.values())
    assert all(PUSH_KINDS.values())
