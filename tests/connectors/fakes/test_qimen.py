"""The Qimen warehouse: signatures both ways, repeated creates, states that refuse, reports with parcels."""

from __future__ import annotations

import pytest
from defusedxml.ElementTree import fromstring

from orderhub.connectors.fakes import signatures
from orderhub.connectors.fakes.world import World
from tests.connectors.fakes import calls
from tests.connectors.fakes.receiver import Receiver


def _document(world: World, code: str = "FO-1") -> dict[str, object]:
    found: list[dict[str, object]] = [
        one for one in world.state("qimen")["deliveries"] if one["code"] == code
    ]
    assert len(found) == 1
    return found[0]


def test_a_delivery_order_is_taken_and_its_steps_are_reported(world: World, receiver: Receiver) -> None:
    answer = calls.create(world)

    assert calls.SUCCESS in answer.text
    assert fromstring(answer.content).findtext("deliveryOrderId") == _document(world)["id"]
    world.pick("FO-1")
    world.pack("FO-1")
    assert world.settle()
    steps = [fromstring(got.body).findtext("process/processStatus") for got in receiver.got]
    assert steps == ["ACCEPT", "PICK", "PACKAGE"]


def test_pushes_are_signed_by_qimens_rule(world: World, receiver: Receiver) -> None:
    calls.create(world)
    assert world.settle()

    got = receiver.got[0]
    assert got.query["method"] == "taobao.qimen.orderprocess.report"
    assert got.query["sign"] == signatures.qimen(world.keys("qimen")["secret"], got.query, got.body)
    assert world.pushed("qimen")[0]["acked"]


@pytest.mark.parametrize("how", [{"secret": "another"}, {"off_seconds": -601}, {"off_seconds": 601}])
def test_a_wrong_signature_or_time_is_refused_and_nothing_is_kept(
    world: World, how: dict[str, object]
) -> None:
    answer = calls.create(world, **how)

    assert answer.status_code == 200
    assert calls.FAILURE in answer.text
    assert world.state("qimen")["deliveries"] == []
    assert world.received("qimen")[0]["outcome"] == "refused"


def test_the_same_code_again_is_the_same_document(world: World) -> None:
    first, second = calls.create(world), calls.create(world)

    assert first.text == second.text
    assert _document(world)["creates"] == 2
    assert [one["outcome"] for one in world.received("qimen")] == ["accepted", "repeated"]


def test_by_setting_the_same_code_again_exists(world: World) -> None:
    world.settings("qimen", repeat="exists")
    calls.create(world)

    assert "已存在" in calls.create(world).text
    assert _document(world)["creates"] == 2


def test_required_fields_are_required(world: World) -> None:
    body = (
        calls.DELIVERY.format(code="FO-1")
        .replace("<shopNick>示例旗舰店</shopNick>", "")
        .replace("<planQty>1</planQty>", "")
    )

    answer = calls.qimen(world, "deliveryorder.create", body)

    assert calls.FAILURE in answer.text
    assert "deliveryOrder.shopNick, orderLines.orderLine[2].planQty" in answer.text
    assert world.state("qimen")["deliveries"] == []


def test_an_accepted_order_is_canceled_once_and_for_good(world: World) -> None:
    calls.create(world)

    assert calls.SUCCESS in calls.cancel(world).text
    assert calls.SUCCESS in calls.cancel(world).text
    assert _document(world)["state"] == "CANCELED"
    with pytest.raises(ValueError, match="CANCELED"):
        world.ship("FO-1")


def test_a_picked_order_is_not_canceled(world: World) -> None:
    calls.create(world)
    world.pick("FO-1")

    answer = calls.cancel(world)

    assert "<code>S003</code>" in answer.text
    assert _document(world)["state"] == "PICK"


def test_shipping_confirms_parcels_with_packaging_and_takes_stock(world: World, receiver: Receiver) -> None:
    world.set_stock("HZ01", "SKU-RED-M", 10)
    calls.create(world)

    document = world.ship("FO-1", parcels=2)

    assert world.settle()
    first, last = (fromstring(got.body) for got in receiver.got[1:])
    assert [one.findtext("deliveryOrder/confirmType") for one in (first, last)] == ["1", "0"]
    assert [one.findtext("deliveryOrder/status") for one in (first, last)] == ["PARTDELIVERED", "DELIVERED"]
    numbers = [one.findtext("packages/package/expressCode") for one in (first, last)]
    assert numbers == document["packages"]
    assert len(set(numbers)) == 2
    assert first.findtext("packages/package/packageMaterialList/packageMaterial/type")
    sent = [int(one.findtext("actualQty")) for push in (first, last) for one in push.iter("orderLine")]
    assert sum(sent) == 3
    assert world.state("qimen")["stock"]["HZ01"]["SKU-RED-M"] == 8


def test_a_short_order_is_final_with_fewer(world: World, receiver: Receiver) -> None:
    calls.create(world)

    world.do("qimen", "short", code="FO-1", sku="SKU-RED-M", quantity=1)

    assert world.settle()
    confirm = fromstring(receiver.got[-1].body)
    assert confirm.findtext("deliveryOrder/confirmType") == "0"
    assert [(one.findtext("planQty"), one.findtext("actualQty")) for one in confirm.iter("orderLine")] == [
        ("2", "1"), ("1", "1"),
    ]  # fmt: skip


def test_a_query_says_what_has_become_of_an_order(world: World) -> None:
    query = "<request><orderCode>FO-1</orderCode></request>"
    assert "单据不存在" in calls.qimen(world, "deliveryorder.query", query).text
    calls.create(world)
    world.ship("FO-1")

    answer = calls.qimen(world, "deliveryorder.query", query)

    assert fromstring(answer.content).findtext("deliveryOrder/status") == "DELIVERED"


def test_stock_is_told_when_asked_and_reported_when_it_changes(world: World, receiver: Receiver) -> None:
    world.set_stock("HZ01", "SKU-RED-M", 10)

    answer = calls.qimen(world, "inventory.query", calls.STOCK_QUERY)
    world.do("qimen", "change_stock", warehouse="HZ01", sku="SKU-RED-M", quantity=-3)
    world.do("qimen", "report_stock", warehouse="HZ01")

    assert fromstring(answer.content).findtext("items/item/quantity") == "10"
    assert world.settle()
    change, count = (fromstring(got.body) for got in receiver.got)
    assert change.findtext("items/item/quantity") == "-3"
    assert count.findtext("items/item/quantity") == "7"


def test_an_entry_order_comes_in_by_parts(world: World, receiver: Receiver) -> None:
    body = (
        "<request><entryOrder><entryOrderCode>IN-1</entryOrderCode><warehouseCode>HZ01</warehouseCode><ownerCode>O</ownerCode>"
        "</entryOrder><orderLines><orderLine><itemCode>SKU-RED-M</itemCode><planQty>5</planQty></orderLine></orderLines></request>"
    )
    assert calls.SUCCESS in calls.qimen(world, "entryorder.create", body).text

    world.do("qimen", "receive", code="IN-1", items={"SKU-RED-M": 2})
    world.do("qimen", "receive", code="IN-1")

    assert world.settle()
    pushes = [fromstring(got.body) for got in receiver.got]
    assert [(one.findtext("entryOrder/status"), one.findtext("orderLines/orderLine/actualQty")) for one in pushes] == [
        ("PARTFULFILLED", "2"), ("FULFILLED", "3"),
    ]  # fmt: skip
    assert world.state("qimen")["stock"]["HZ01"]["SKU-RED-M"] == 5


def test_garbage_and_entities_are_refused(world: World) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "c">]>' + calls.DELIVERY.partition("?>")[2].format(code="&b;")

    for body in ("not xml", bomb):
        assert calls.FAILURE in calls.qimen(world, "deliveryorder.create", body).text
    assert world.state("qimen")["deliveries"] == []
