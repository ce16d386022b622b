"""Calls as a connector would make them: signed by each vendor's rule."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

import httpx

from orderhub.connectors.fakes import signatures
from orderhub.connectors.fakes.world import World

DELIVERY = """<?xml version="1.0" encoding="utf-8"?>
<request><deliveryOrder><deliveryOrderCode>{code}</deliveryOrderCode><orderType>JYCK</orderType>
<warehouseCode>HZ01</warehouseCode><createTime>2026-11-11 00:01:10</createTime>
<placeOrderTime>2026-11-11 00:00:03</placeOrderTime>
<operateTime>2026-11-11 00:01:10</operateTime><shopNick>示例旗舰店</shopNick><logisticsCode>SF</logisticsCode>
<senderInfo><name>示例仓</name><mobile>10000000000</mobile><province>浙江省</province><city>杭州市</city><detailAddress>物流园1号</detailAddress></senderInfo>
<receiverInfo><name>收**</name><mobile>100****0001</mobile><oaid>1oaid</oaid><province>浙江省</province><city>杭州市</city><detailAddress>示例路**</detailAddress></receiverInfo>
</deliveryOrder><orderLines>
<orderLine><orderLineNo>1</orderLineNo><ownerCode>OWNER01</ownerCode><itemCode>SKU-RED-M</itemCode><planQty>2</planQty><actualPrice>181.00</actualPrice></orderLine>
<orderLine><orderLineNo>2</orderLineNo><ownerCode>OWNER01</ownerCode><itemCode>SKU-BLU-L</itemCode><planQty>1</planQty><actualPrice>145.00</actualPrice></orderLine>
</orderLines></request>"""
CANCEL = "<request><warehouseCode>HZ01</warehouseCode><orderCode>{code}</orderCode><cancelReason>改地址</cancelReason></request>"
STOCK_QUERY = (
    "<request><criteriaList><criteria><warehouseCode>HZ01</warehouseCode><itemCode>SKU-RED-M</itemCode></criteria>"
    "</criteriaList></request>"
)
SUCCESS, FAILURE = "<flag>success</flag>", "<flag>failure</flag>"


def send(method: str, url: str, **how: Any) -> httpx.Response:
    # Without certificates, which nobody shows here and which take longer to load than all the rest.
    return httpx.request(method, url, trust_env=False, verify=False, **how)


def china_now(off_seconds: float = 0) -> str:
    moment = datetime.now(UTC) + timedelta(seconds=off_seconds)
    return moment.astimezone(timezone(timedelta(hours=8))).strftime("%Y-%m-%d %H:%M:%S")


def qimen_query(
    world: World, method: str, body: bytes, *, secret: str = "", off_seconds: float = 0
) -> dict[str, str]:
    keys = world.keys("qimen")
    query = {
        "method": f"taobao.qimen.{method}", "timestamp": china_now(off_seconds), "format": "xml", "app_key": keys["app_key"],
        "v": "2.0", "sign_method": "md5", "customerId": keys["customer_id"],
    }  # fmt: skip
    return {**query, "sign": signatures.qimen(secret or keys["secret"], query, body)}


def qimen(world: World, method: str, text: str, *, timeout: float = 5.0, **how: Any) -> httpx.Response:
    body = text.encode()
    return send("POST",
        world.url("qimen"), params=qimen_query(world, method, body, **how), content=body, timeout=timeout,
        headers={"content-type": "text/xml;charset=utf-8"},
    )  # fmt: skip


def create(world: World, code: str = "FO-1", **how: Any) -> httpx.Response:
    return qimen(world, "deliveryorder.create", DELIVERY.format(code=code), **how)


def cancel(world: World, code: str = "FO-1", **how: Any) -> httpx.Response:
    return qimen(world, "order.cancel", CANCEL.format(code=code), **how)


def kingdee(world: World, service: str, body: dict[str, Any], *, secret: str = "") -> dict[str, Any]:
    url = world.url("kingdee", f"/Kingdee.{service}.common.kdsvc")
    keys, stamp = world.keys("kingdee"), str(int(time.time()))
    headers = {
        "x-api-clientid": keys["app_id"].partition("_")[0], "x-api-auth-version": "2.0", "x-api-timestamp": stamp,
        "x-api-nonce": stamp,
        "x-api-signheaders": "x-api-timestamp,x-api-nonce",
        "x-api-signature": signatures.kingdee(secret or keys["secret"], urlsplit(url).path, stamp, stamp),
    }  # fmt: skip
    answer = send("POST", url, json=body, headers=headers)
    assert answer.status_code == 200
    result: dict[str, Any] = answer.json()
    return result


def form(world: World, vendor: str, fields: dict[str, str]) -> dict[str, Any]:
    answer = send("POST", world.url(vendor), data=fields)
    assert answer.status_code == 200
    result: dict[str, Any] = answer.json()
    return result


def top(world: World, vendor: str, method: str, *, secret: str = "", **fields: str) -> dict[str, Any]:
    keys = world.keys(vendor)
    if vendor == "pinduoduo":
        params = {
            "type": method,
            "client_id": keys["client_id"],
            "timestamp": str(int(time.time())),
            "data_type": "JSON",
        }
    else:
        params = {
            "method": method,
            "app_key": keys["app_key"],
            "timestamp": china_now(),
            "v": "2.0",
            "format": "json",
        }
    params |= {"sign_method": "md5", **fields}
    return form(world, vendor, {**params, "sign": signatures.top(secret or keys["secret"], params)})


def douyin(world: World, method: str, *, secret: str = "", **param: Any) -> dict[str, Any]:
    keys = world.keys("douyin")
    query = {
        "app_key": keys["app_key"], "method": method, "param_json": json.dumps(param, sort_keys=True, separators=(",", ":")),
        "timestamp": china_now(), "v": "2", "sign_method": "hmac-sha256",
    }  # fmt: skip
    query["sign"] = signatures.douyin_call(secret or keys["secret"], query)
    answer = send("POST", world.url("douyin", "/" + method.replace(".", "/")), params=query)
    assert answer.status_code == 200
    result: dict[str, Any] = answer.json()
    return result


def sf(world: World, service: str, message: dict[str, Any], *, secret: str = "") -> dict[str, Any]:
    keys, stamp = world.keys("sf"), str(int(time.time() * 1000))
    text = json.dumps(message, ensure_ascii=False)
    answer = form(world, "sf", {
        "partnerID": keys["partner_id"], "requestID": "1", "serviceCode": service, "timestamp": stamp, "msgData": text,
        "msgDigest": signatures.sf(secret or keys["secret"], text, stamp),
    })  # fmt: skip
    if answer["apiResultCode"] != "A1000":
        return answer
    result: dict[str, Any] = json.loads(answer["apiResultData"])
    return result
