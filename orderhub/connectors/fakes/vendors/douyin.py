"""Douyin shop: batches of pushes, a signed API with money in cents, address changes that want an answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from orderhub.connectors.fakes import signatures
from orderhub.connectors.fakes.faults import Fault, Unknown
from orderhub.connectors.fakes.goods import Receiver
from orderhub.connectors.fakes.shops import Shop, ShopLine, ShopOrder, pages
from orderhub.connectors.fakes.vendor import Push, epoch
from orderhub.connectors.fakes.vendors.qimen import china_time
from orderhub.connectors.fakes.wire import Answer, Garbled, Request, Tree, answer_json, dump, read_json

SHOP_ID = 77977
STATUS = {"created": 1, "reviewing": 105, "paid": 2, "shipped": 3, "completed": 5, "cancelled": 4}
TAGS = {
    "placed": "100",
    "paid": "110",
    "address_wanted": "111",
    "address": "105",
    "cancelled": "106",
    "shipped": "102",
}
#: Events wait at most so long (real seconds) for their batch to fill.
BATCH_WAIT_SECONDS = 1.0


class Douyin(Shop):
    """order.searchList, order.orderDetail, order.addressConfirm, order.logisticsAdd, sku.syncStock."""

    code = "douyin"
    title = "Douyin shop"
    first_number = 4_780_000_000_000_000_000
    actions = (*Shop.actions, "request_address")

    def default_settings(self) -> dict[str, Any]:
        """`batch`: events in one push; `data_as`: text or object; `answer_seconds`: time to answer an address change."""
        return {**super().default_settings(), "batch": 1, "data_as": "text", "answer_seconds": 900}

    def make_keys(self) -> dict[str, str]:
        """App key, secret and access token."""
        return {
            "app_key": self.fake_number("app", 19),
            "secret": self.fake("secret"),
            "access_token": self.fake("token"),
        }

    def reset(self) -> None:
        """Forget all orders and events."""
        super().reset()
        self._batch: list[Tree] = []
        self._events = 0

    # requests

    def peek(self, request: Request) -> str:
        """The method, else the path with a point for the stroke."""
        parts = request.path.strip("/").split("/")[1:]
        return request.query.get("method", "") or ".".join(parts)

    def params(self, request: Request) -> dict[str, str]:
        """Common parameters; `param_json` in the query, the form or as the body."""
        params = {**request.query, **request.form}
        if "param_json" not in params:
            params["param_json"] = request.body.decode("utf-8", "replace") or "{}"
        params.setdefault("method", self.peek(request))
        return params

    def refuse(self, request: Request, operation: str) -> Answer | None:
        """Check key, signature and time."""
        params = self.params(request)
        if self.settings["check_signature"]:
            if params.get("app_key") != self.keys["app_key"]:
                return self.failure(operation, "isv.app-key", "app_key 无效")
            wanted = signatures.douyin_call(self.keys["secret"], params)
            if not signatures.same(wanted, params.get("sign", "").lower()):
                return self.failure(operation, "isv.signature-invalid", "签名校验失败")
        stamp = params.get("timestamp", "")
        if self.is_late(epoch(stamp) if stamp.isdigit() else china_time(stamp)):
            return self.failure(operation, "isv.timestamp-invalid", "时间戳超出范围")
        return None

    def answer(self, operation: str, request: Request, fault: Fault | None) -> Answer:
        """Do what is asked."""
        works: dict[str, Callable[[Tree], object]] = {
            "order.searchList": self._search, "order.orderDetail": self._detail, "order.addressConfirm": self._confirm,
            "order.logisticsAdd": self._logistics, "sku.syncStock": self._stock,
        }  # fmt: skip
        work = works.get(operation)
        if work is None:
            return self.failure(operation, "isv.method-invalid", f"方法不存在 {operation}")
        try:
            return _ok(work(read_json(self.params(request)["param_json"])))
        except Garbled:
            return self.failure(operation, "isv.parameter-invalid", "param_json 不是 JSON")
        except (Unknown, ValueError) as unknown:
            return self.failure(operation, "isv.business-failed", str(unknown))

    def failure(self, operation: str, code: str, message: str) -> Answer:
        """A code other than 10000 in HTTP 200."""
        text = message or "系统繁忙"
        tree = {
            "code": 50002, "msg": "业务处理失败", "sub_code": code or "isp.service-error", "sub_msg": text,
            "err_no": 50002, "message": text, "data": None, "log_id": "fake",
        }  # fmt: skip
        return answer_json(tree, outcome="refused")

    def pretend(self, operation: str, request: Request) -> Answer:
        """Success with nothing done."""
        return _ok({})

    # pushes

    def dress(
        self, push: Push, at: datetime, secret: str | None
    ) -> tuple[dict[str, str], dict[str, str], bytes]:
        """Header event-sign over the body."""
        sign = signatures.douyin_push(secret or self.keys["secret"], self.keys["app_key"], push.body)
        return {}, {"event-sign": sign, "app-id": self.keys["app_key"]}, push.body

    def acked(self, status: int, body: bytes) -> bool:
        """`code` 0 counts."""
        try:
            return status == 200 and str(read_json(body).get("code")) == "0"
        except Garbled:
            return False

    def announce(self, order: ShopOrder, event: str) -> None:
        """An event in the next batch."""
        tag = TAGS.get(event)
        if tag is None or not self.around.callbacks.get(self.code):
            return
        self._events += 1
        # As on the real platform, none of them says when the order was last changed: that must be fetched.
        data: Tree = {"p_id": order.number, "shop_id": SHOP_ID, **self._event_data(order, event)}
        if event not in {"address", "address_wanted"}:
            lines = [order.number + line.number for line in order.lines]
            data |= {"s_ids": lines, "order_status": STATUS[order.status], "order_type": 0, "biz": 2}
        self._batch.append({
            "tag": tag, "msg_id": f"{order.number}::{tag}:{int(order.updated_at.timestamp())}:{self._events:019d}",
            "data": data if self.settings["data_as"] == "object" else json.dumps(data, ensure_ascii=False),
        })  # fmt: skip
        if len(self._batch) >= int(self.settings["batch"]):
            self.flush()
        elif len(self._batch) == 1:
            asyncio.get_running_loop().call_later(BATCH_WAIT_SECONDS, self.flush)

    def flush(self) -> None:
        """Push the batch as far as it is filled."""
        batch, self._batch = self._batch, []
        if batch:
            hint = dump([{**one, "data": "{}"} for one in batch])
            # One lane for the shop: batches hold events of many orders.
            self.push(Push(self.code, "push", "shop", dump(batch), hint=hint))

    def _event_data(self, order: ShopOrder, event: str) -> Tree:
        if event == "placed":
            return {"create_time": int(order.created_at.timestamp())}
        if event == "paid":
            paid = int((order.paid_at or order.created_at).timestamp())
            return {"pay_type": 1, "pay_time": paid, "pay_amount": cents(order)}
        if event == "cancelled":
            return {"cancel_time": int(order.updated_at.timestamp()), "cancel_reason": order.reason}
        if event in {"address", "address_wanted"}:
            message = _message(order.wanted or order.receiver)
            # The old name of the person and the new address: both spellings are in use.
            return {
                "apply_time": int(order.updated_at.timestamp()),
                "post_receiver_msg": message,
                "receiver_msg": message,
            }
        return {}

    # what buyers do

    def request_address(self, ext_id: str, **parts: Any) -> dict[str, Any]:
        """The buyer asks for another address: nothing changes until the seller answers."""
        order = self._open(ext_id)
        order.wanted, order.decided = order.receiver.changed(**parts), ""
        self.clock.later(float(self.settings["answer_seconds"]), lambda: self._expire(order))
        return self._changed(order, "address_wanted")

    def _expire(self, order: ShopOrder) -> None:
        if order.wanted and not order.decided:
            order.wanted, order.decided = None, "expired"

    # what the seller asks

    def _search(self, asked: Tree) -> Tree:
        since = epoch(str(asked.get("update_time_start") or asked.get("create_time_start") or ""))
        until = epoch(str(asked.get("update_time_end") or asked.get("create_time_end") or ""))
        page, size = int(asked.get("page") or 0), int(asked.get("size") or 20)
        all_found = self.changed_between(since, until)
        found, _more = pages(all_found, page + 1, size)
        return {
            "page": page, "size": size, "total": len(all_found),
            "shop_order_list": [self._shop_order(one) for one in found],
        }  # fmt: skip

    def _detail(self, asked: Tree) -> Tree:
        return {"shop_order_detail": self._shop_order(self.find(str(asked.get("shop_order_id", ""))))}

    def _confirm(self, asked: Tree) -> Tree:
        order = self.find(str(asked.get("order_id", "")))
        if order.wanted is None:
            raise Unknown(f"订单 {order.ext_id} 没有待确认的地址变更")
        approved = int(asked.get("is_approved", 0)) == 0
        if approved and order.status != "paid":
            raise Unknown("订单已发货或已关闭")
        wanted, order.wanted = order.wanted, None
        order.decided = "approved" if approved else "rejected"
        if approved:
            order.receiver = wanted
            self._changed(order, "address")
        return {}

    def _logistics(self, asked: Tree) -> Tree:
        order = self.find(str(asked.get("order_id", "")))
        number = str(asked.get("logistics_code") or asked.get("tracking_no") or "")
        company = str(asked.get("company_code") or asked.get("company") or "")
        if not number or not company:
            raise Unknown("logistics_code, company_code 不能为空")
        if order.status not in {"paid", "shipped"}:
            raise Unknown(f"订单状态 {order.status} 不能发货")
        self.ship(order, company, number)
        return {"pack_id": f"{company}_{number}"}

    def _stock(self, asked: Tree) -> Tree:
        sku = str(asked.get("outer_sku_id") or asked.get("code") or asked.get("sku_id") or "")
        if self.listing(sku) is None:
            raise Unknown("sku 不存在")
        self.set_stock(sku, int(asked.get("stock_num", 0)))
        return {}

    def _shop_order(self, order: ShopOrder) -> Tree:
        who = order.receiver
        return {
            "shop_id": SHOP_ID, "shop_name": "示例小店", "open_id": f"{order.number % 10**8}", "order_id": order.ext_id,
            "order_level": 2, "biz": 2, "order_type": 0, "order_status": STATUS[order.status],
            "main_status": STATUS[order.status], "create_time": int(order.created_at.timestamp()),
            "pay_time": int(order.paid_at.timestamp()) if order.paid_at else 0,
            "update_time": int(order.updated_at.timestamp()), "finish_time": 0, "cancel_reason": order.reason,
            "buyer_words": order.note, "order_amount": cents(order), "pay_amount": cents(order), "post_amount": 0,
            "encrypt_post_tel": f"$fake{order.number}${who.phone[-4:]}$",
            "encrypt_post_receiver": f"#fake{order.number}#{who.name[:1]}#",
            "post_addr": {**_area(who), "encrypt_detail": f"#fake{order.number}#{who.address}#"},
            "exp_ship_time": int(((order.paid_at or order.created_at) + timedelta(hours=48)).timestamp()),
            "logistics_info": [
                {"tracking_no": one.tracking_number, "company": one.carrier, "ship_time": int(one.at.timestamp())}
                for one in order.shipments
            ],
            "sku_order_list": [_sku_order(order, line) for line in order.lines],
        }  # fmt: skip


def cents(order: ShopOrder) -> int:
    """The total in cents."""
    return int(order.total * 100)


def _area(who: Receiver) -> Tree:
    return {
        "province": {"name": who.province, "id": "330000"}, "city": {"name": who.city, "id": "330100"},
        "town": {"name": who.district, "id": "330108"}, "street": {"name": who.town, "id": "330108001"},
    }  # fmt: skip


def _message(who: Receiver) -> Tree:
    area = {name: part for name, part in _area(who).items() if name != "street"}
    return {"name": who.name, "tel": who.phone, "addr": [{**area, "detail": who.address}]}


def _sku_order(order: ShopOrder, line: ShopLine) -> Tree:
    return {
        "order_id": str(order.number + line.number), "parent_order_id": order.ext_id, "order_level": 3,
        "order_status": STATUS[order.status], "main_status": STATUS[order.status], "product_name": line.name,
        "product_id": 3_473_196_049_974_326_000 + line.number, "sku_id": order.number % 10**9 + line.number,
        "out_sku_id": line.sku, "code": line.sku, "item_num": line.quantity, "origin_amount": int(line.price * 100),
        "order_amount": int(line.price * line.quantity * 100), "pay_amount": int(line.price * line.quantity * 100),
        "update_time": int(order.updated_at.timestamp()),
    }  # fmt: skip


def _ok(data: object) -> Answer:
    return answer_json({"code": 10000, "msg": "success", "sub_code": "", "sub_msg": "", "err_no": 0, "message": "success",
                        "data": data, "log_id": "fake"})  # fmt: skip
