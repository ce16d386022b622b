"""The channels: what a buyer does is told in each platform's way, and sellers' calls change orders."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest

from orderhub.connectors.fakes import signatures
from orderhub.connectors.fakes.world import World
from tests.connectors.fakes import calls
from tests.connectors.fakes.receiver import Receiver

LINES = [{"sku": "SKU-RED-M", "quantity": 2, "price": "181.00"}]


def _shopify(world: World, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
    token = {"x-shopify-access-token": world.keys("shopify")["access_token"]}
    return calls.send(method, world.url("shopify", path), json=body, headers=token)


def _woo(world: World, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
    keys = world.keys("woocommerce")
    return httpx.request(
        method,
        world.url("woocommerce", path),
        json=body,
        auth=(keys["consumer_key"], keys["consumer_secret"]),
    )


def test_taobaos_message_is_a_hint_and_the_trade_is_fetched(world: World, receiver: Receiver) -> None:
    order = world.place("taobao", lines=LINES)
    world.change_address("taobao", order["ext_id"], city="宁波市", address="新路9号")

    assert world.settle()
    topics = [json.loads(got.body)["topic"] for got in receiver.got]
    assert topics == [
        f"taobao_trade_{one}" for one in ("TradeCreate", "TradeBuyerPay", "TradeLogisticsAddressChanged")
    ]
    got = receiver.got[-1]
    assert got.query["sign"] == signatures.qimen(world.keys("taobao")["secret"], got.query, got.body)
    content = json.loads(json.loads(got.body)["content"])
    trade = calls.top(world, "taobao", "taobao.trade.fullinfo.get", tid=str(content["tid"]))[
        "trade_fullinfo_get_response"
    ]["trade"]
    assert trade["tid_str"] == order["ext_id"]
    assert trade["receiver_city"] == "宁波市"
    assert trade["receiver_address"] == "新路9**"
    assert trade["orders"]["order"][0]["outer_sku_id"] == "SKU-RED-M"
    assert trade["modified"] > trade["created"]


def test_taobaos_increment_lists_what_changed(world: World) -> None:
    numbers = [world.place("taobao", quiet=True)["ext_id"] for _order in range(3)]
    window = {"start_modified": calls.china_now(-60), "end_modified": calls.china_now(60), "page_size": "2"}

    first = calls.top(world, "taobao", "taobao.trades.sold.increment.get", page_no="1", **window)
    second = calls.top(world, "taobao", "taobao.trades.sold.increment.get", page_no="2", **window)

    pages = [one["trades_sold_increment_get_response"] for one in (first, second)]
    assert [page["has_next"] for page in pages] == [True, False]
    assert [trade["tid_str"] for page in pages for trade in page["trades"]["trade"]] == numbers


@pytest.mark.parametrize(
    ("vendor", "method", "fields", "number_field"),
    [
        ("taobao", "taobao.logistics.offline.send", {"out_sid": "SF1", "company_code": "SF"}, "tid"),
        (
            "pinduoduo",
            "pdd.logistics.online.send",
            {"tracking_number": "SF1", "logistics_id": "44"},
            "order_sn",
        ),
    ],
)
def test_sellers_ship_paid_orders_only(
    world: World, vendor: str, method: str, fields: dict[str, str], number_field: str
) -> None:
    paid, unpaid = world.place(vendor), world.place(vendor, paid=False)

    good = calls.top(world, vendor, method, **fields, **{number_field: paid["ext_id"]})
    bad = calls.top(world, vendor, method, **fields, **{number_field: unpaid["ext_id"]})
    forged = calls.top(world, vendor, method, secret="another", **fields, **{number_field: paid["ext_id"]})

    assert "error_response" not in good
    assert "error_response" in bad
    assert "error_response" in forged
    assert world.do(vendor, "order", ext_id=paid["ext_id"])["shipments"][0]["tracking_number"] == "SF1"
    assert world.do(vendor, "order", ext_id=unpaid["ext_id"])["status"] == "created"


def test_pinduoduo_hides_the_receiver_while_it_reviews(world: World, receiver: Receiver) -> None:
    order = world.place("pinduoduo", review=True)

    def info() -> dict[str, Any]:
        answer = calls.top(world, "pinduoduo", "pdd.order.information.get", order_sn=order["ext_id"])
        found: dict[str, Any] = answer["order_info_get_response"]["order_info"]
        return found

    under_review = info()
    world.do("pinduoduo", "clear_review", ext_id=order["ext_id"])
    after = info()

    assert (under_review["risk_control_status"], under_review["receiver_name"], under_review["province"]) == (
        1,
        "",
        "",
    )
    assert after["risk_control_status"] == 0
    assert after["province"]
    assert world.settle()
    kinds = [json.loads(got.body)["message"]["type"] for got in receiver.got]
    assert kinds == ["pdd_trade_TradeRiskChanged", "pdd_trade_TradeConfirmed", "pdd_trade_TradeRiskChanged"]


def test_jd_searches_gets_and_ships(world: World) -> None:
    order = world.place("jd", lines=LINES)
    asked = json.dumps({"order_id": order["ext_id"]})
    ship = json.dumps({"orderId": order["ext_id"], "logiCoprId": "467", "logiNo": "JD1"})

    found = calls.top(world, "jd", "jingdong.pop.order.get", **{"360buy_param_json": asked})
    calls.top(world, "jd", "jingdong.pop.order.shipment", **{"360buy_param_json": ship})
    listed = calls.top(world, "jd", "jingdong.pop.order.search", **{"360buy_param_json": "{}"})

    info = found["jingdong_pop_order_get_responce"]["orderDetailInfo"]["orderInfo"]
    assert info["itemInfoList"][0]["outerSkuId"] == "SKU-RED-M"
    rows = listed["jingdong_pop_order_search_responce"]["searchorderinfo_result"]["orderInfoList"]
    assert [row["orderState"] for row in rows] == ["WAIT_GOODS_RECEIVE_CONFIRM"]


def test_douyin_pushes_batches_and_its_api_gives_the_order(world: World, receiver: Receiver) -> None:
    world.settings("douyin", batch=2)
    order = world.place("douyin", lines=LINES)

    assert world.settle()
    assert len(receiver.got) == 1
    batch = json.loads(receiver.got[0].body)
    assert [event["tag"] for event in batch] == ["100", "110"]
    assert str(json.loads(batch[0]["data"])["p_id"]) == order["ext_id"]
    keys = world.keys("douyin")
    assert receiver.got[0].headers["event-sign"] == signatures.douyin_push(
        keys["secret"], keys["app_key"], receiver.got[0].body
    )
    detail = calls.douyin(world, "order.orderDetail", shop_order_id=order["ext_id"])["data"][
        "shop_order_detail"
    ]
    assert (detail["order_amount"], detail["sku_order_list"][0]["origin_amount"]) == (36200, 18100)
    listed = calls.douyin(world, "order.searchList", update_time_start=int(time.time()) - 60, page=0, size=20)
    assert [one["order_id"] for one in listed["data"]["shop_order_list"]] == [order["ext_id"]]


@pytest.mark.parametrize(
    ("is_approved", "city", "decided"), [(0, "宁波市", "approved"), (1, None, "rejected")]
)
def test_douyin_wants_an_answer_to_an_address_change(
    world: World, receiver: Receiver, is_approved: int, city: str | None, decided: str
) -> None:
    order = world.place("douyin")
    world.change_address("douyin", order["ext_id"], city="宁波市")
    assert (
        world.do("douyin", "order", ext_id=order["ext_id"])["receiver"]["city"] == order["receiver"]["city"]
    )

    answer = calls.douyin(world, "order.addressConfirm", order_id=order["ext_id"], is_approved=is_approved)
    again = calls.douyin(world, "order.addressConfirm", order_id=order["ext_id"], is_approved=is_approved)

    assert (answer["code"], again["code"]) == (10000, 50002)
    now = world.do("douyin", "order", ext_id=order["ext_id"])
    assert now["receiver"]["city"] == (city or order["receiver"]["city"])
    assert now["address_decided"] == decided
    assert world.settle()
    tags = [json.loads(got.body)[0]["tag"] for got in receiver.got]
    assert tags == ["100", "110", "111"] + (["105"] if city else [])


def test_douyins_address_change_expires_without_an_answer(world: World) -> None:
    order = world.place("douyin")
    world.change_address("douyin", order["ext_id"], city="宁波市")

    world.advance(901)

    now = world.do("douyin", "order", ext_id=order["ext_id"])
    assert (now["address_decided"], now["receiver"]["city"]) == ("expired", order["receiver"]["city"])
    assert (
        calls.douyin(world, "order.addressConfirm", order_id=order["ext_id"], is_approved=0)["code"] == 50002
    )


def test_douyin_ships_and_keeps_stock(world: World) -> None:
    order = world.place("douyin")

    calls.douyin(
        world, "order.logisticsAdd", order_id=order["ext_id"], company_code="shunfeng", logistics_code="SF1"
    )
    calls.douyin(world, "sku.syncStock", outer_sku_id="SKU-RED-M", stock_num=7)
    forged = calls.douyin(world, "sku.syncStock", secret="another", outer_sku_id="SKU-RED-M", stock_num=9)

    assert world.do("douyin", "order", ext_id=order["ext_id"])["status"] == "shipped"
    assert world.state("douyin")["stock"] == {"SKU-RED-M": 7}
    assert forged["code"] != 10000


def test_shopify_tells_an_address_change_as_an_update(world: World, receiver: Receiver) -> None:
    order = world.place("shopify", lines=LINES)
    world.change_address("shopify", order["ext_id"], address="12 Example Road", city="Boston")

    assert world.settle()
    assert [got.headers["x-shopify-topic"] for got in receiver.got] == [
        "orders/create",
        "orders/paid",
        "orders/updated",
    ]
    assert len({got.headers["x-shopify-event-id"] for got in receiver.got}) == 3
    secret = world.keys("shopify")["secret"]
    assert all(
        got.headers["x-shopify-hmac-sha256"] == signatures.body_hmac(secret, got.body) for got in receiver.got
    )
    document = json.loads(receiver.got[-1].body)
    assert document["shipping_address"]["city"] == "Boston"
    assert (document["total_price"], document["line_items"][0]["price"]) == ("362.00", "181.00")
    assert _shopify(world, "GET", f"/orders/{order['ext_id']}.json").json() == {"order": document}


def test_shopify_is_fulfilled_once(world: World) -> None:
    order = world.place("shopify")
    group = _shopify(world, "GET", f"/orders/{order['ext_id']}/fulfillment_orders.json").json()[
        "fulfillment_orders"
    ][0]
    body = {"fulfillment": {
        "line_items_by_fulfillment_order": [{"fulfillment_order_id": group["id"]}],
        "tracking_info": {"number": "1Z1", "company": "UPS"},
    }}  # fmt: skip

    first, second = (_shopify(world, "POST", "/fulfillments.json", body) for _attempt in range(2))

    assert (first.status_code, second.status_code) == (201, 422)
    assert (
        _shopify(world, "GET", f"/orders/{order['ext_id']}.json").json()["order"]["fulfillment_status"]
        == "fulfilled"
    )
    stock = _shopify(
        world,
        "POST",
        "/inventory_levels/set.json",
        {"location_id": 1, "inventory_item_id": "A", "available": 4},
    )
    assert stock.json()["inventory_level"]["available"] == 4
    assert calls.send("GET", world.url("shopify", "/orders.json")).status_code == 401


def test_woocommerce_pushes_signed_orders_and_is_completed(world: World, receiver: Receiver) -> None:
    order = world.place("woocommerce", lines=LINES)

    body = {"status": "completed", "meta_data": [{"key": "_tracking_number", "value": "1Z1"}]}
    answer = _woo(world, "PUT", f"/orders/{order['ext_id']}", body)

    assert answer.json()["status"] == "completed"
    assert world.settle()
    assert [got.headers["x-wc-webhook-topic"] for got in receiver.got] == [
        "order.created",
        "order.updated",
        "order.updated",
    ]
    secret = world.keys("woocommerce")["secret"]
    assert all(
        got.headers["x-wc-webhook-signature"] == signatures.body_hmac(secret, got.body)
        for got in receiver.got
    )
    assert (
        json.loads(receiver.got[-1].body)["date_modified_gmt"]
        > json.loads(receiver.got[0].body)["date_modified_gmt"]
    )
    listed = _woo(world, "GET", "/orders?modified_after=2020-01-01T00:00:00&per_page=10")
    assert (listed.headers["x-wp-total"], [one["id"] for one in listed.json()]) == (
        "1",
        [int(order["ext_id"])],
    )


def test_woocommerce_switches_its_hook_off_after_five_failures(world: World, receiver: Receiver) -> None:
    receiver.answer = lambda _got: (500, b"")
    for _order in range(4):
        world.place("woocommerce", paid=False)
        assert world.settle()
    assert world.state("woocommerce")["hook_on"]
    world.place("woocommerce", paid=False)
    assert world.settle()

    world.place("woocommerce", paid=False)

    assert world.settle()
    assert not world.state("woocommerce")["hook_on"]
    assert len(receiver.got) == 5
