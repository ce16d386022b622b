"""What the hub says to other systems, for people who describe a call: the operations in words, and an example message of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: By the sort of system, what it may be asked, in the order people meet it.
ASKED: Mapping[str, tuple[str, ...]] = {
    "channel": (
        "list_orders",
        "fetch_order",
        "ship_notice",
        "stock",
        "find_listing",
        "address_confirm",
        "token",
        "ping",
    ),
    "warehouse": ("release", "cancel", "query_release", "query_stock", "token", "ping"),
    "mes": ("release", "cancel", "query_release", "production", "token", "ping"),
    "carrier": ("subscribe", "intercept", "find_shipment", "token", "ping"),
    "tms": ("subscribe", "intercept", "find_shipment", "token", "ping"),
    "erp": ("erp_order", "erp_change", "erp_cancel", "query_erp", "query_stock", "token", "ping"),
}
WORDS: Mapping[str, tuple[str, str]] = {
    "release": ("下达发货单", "release for fulfillment"), "cancel": ("取消发货单", "cancel a fulfillment"),
    "query_release": ("查询发货单", "look up a fulfillment"), "erp_order": ("新订单入账", "book an order"),
    "erp_change": ("订单变更", "change of an order"), "erp_cancel": ("订单取消", "cancellation of an order"),
    "query_erp": ("查询订单", "look up an order"), "ship_notice": ("发货回传", "tell that it shipped"),
    "address_confirm": ("回复改地址", "answer a change of address"), "stock": ("更新可售库存", "tell what is on offer"),
    "subscribe": ("订阅运单轨迹", "watch a parcel"), "intercept": ("拦截包裹", "stop a parcel"),
    "fetch_order": ("取一张订单", "fetch one order"), "list_orders": ("取新订单", "fetch new orders"),
    "query_stock": ("查询库存", "ask for stock"), "production": ("生产进度", "progress of production"),
    "milestone": ("物流节点", "a milestone"), "ping": ("连通测试", "say hello"), "token": ("取访问令牌", "ask for a token"),
    "find_shipment": ("查询运单", "look up a parcel"), "find_listing": ("查询商品编号", "look up an article"),
}  # fmt: skip
#: Operations whose answer is read by a map.
FETCHING = frozenset(
    {"list_orders", "fetch_order", "query_stock", "find_shipment", "find_listing", "query_erp"}
)

_RECEIVER = {
    "name": "王芳",
    "phone": "13800000001",
    "email": "",
    "country": "CN",
    "province": "浙江省",
    "city": "杭州市",
    "district": "西湖区",
    "town": "",
    "address": "文三路 90 号",
    "postcode": "310012",
    "oaid": "",
}
_BASE = {
    "key": "event:17/connectors.push",
    "ext_id": "A-1001",
    "ext_no": "A-1001",
    "channel": "web",
    "shop": "Web shop",
    "note": "",
    "placed_at": "2026-11-11T01:00:00+00:00",
    "paid_at": "2026-11-11T01:01:00+00:00",
    "green": False,
    "receiver": _RECEIVER,
}
_LINE = {"position": 1, "sku": "DEMO-001", "name": "Cup", "qty": 2, "price": "9.00"}
_WORK = {
    **_BASE,
    "reference": "F26111100001-1",
    "number": "F26111100001-1",
    "previous_number": "",
    "order_number": "OH26111100001",
    "warehouse": "HZ01",
    "service": "standard",
    "carrier": "sf",
    "grams": 800,
    "created_at": "2026-11-11T01:02:00+00:00",
    "planned_at": "2026-11-13T10:00:00+00:00",
    "their_id": "W-1",
    "reason": "",
    "sender": {
        "name": "Hangzhou",
        "phone": "0571-0000000",
        "country": "CN",
        "province": "浙江省",
        "city": "杭州市",
        "address": "仓前路 1 号",
    },
    "lines": [{**_LINE, "ext_order_id": "A-1001", "ext_line_id": "1"}],
}
_ORDER = {
    **_BASE,
    "reference": "OH26111100001",
    "number": "OH26111100001",
    "version": 3,
    "currency": "CNY",
    "total": "18.00",
    "discount": "0.00",
    "customer": "web",
    "reason": "",
    "approved": True,
    "lines": [{**_LINE, "total": "18.00", "unit": "PCS", "ext_line_id": "1"}],
}
_SHIPPED = {
    **_ORDER,
    "carrier": "sf",
    "tracking_number": "SF1234560000001",
    "shipped_at": "2026-11-11T08:00:00+00:00",
    "phone_tail": "0001",
    "fulfillment": "F26111100001-1",
    "grams": 800,
    "shipped_lines": [{"position": 1, "qty": 2}],
}
_PAGE = {
    "reference": "orders",
    "since": "2026-11-11T01:00:00+00:00",
    "until": "2026-11-11T01:05:00+00:00",
    "page": 1,
    "offset": 0,
    "after": "",
}
_OFFER = {"sku": "DEMO-001", "own_sku": "DEMO-001", "qty": 40, "version": 7}
_EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "release": _WORK,
    "cancel": _WORK,
    "query_release": _WORK,
    "ship_notice": _SHIPPED,
    "subscribe": _SHIPPED,
    "intercept": _SHIPPED,
    "find_shipment": _SHIPPED,
    "list_orders": _PAGE,
    "fetch_order": {**_PAGE, "ext_id": "A-1001"},
    "stock": {
        "channel": "web",
        "items": [_OFFER],
        **_OFFER,
    },
    "find_listing": {**_PAGE, "channel": "web", **_OFFER},
    "query_stock": {**_PAGE, "items": [{"sku": "DEMO-001"}]},
    "ping": _PAGE,
    "token": {},
}


def example(operation: str) -> dict[str, Any]:
    """A message of ours as the operation is asked with it; names and numbers are invented."""
    return dict(_EXAMPLES.get(operation, _ORDER))


def label(operation: str, *, zh: bool) -> str:
    """What an operation is called."""
    both = WORDS.get(operation, (operation, operation))
    return both[0 if zh else 1]
