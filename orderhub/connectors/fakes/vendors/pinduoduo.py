"""Pinduoduo: an order under review has no receiver; changes are told as messages and by an increment list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from orderhub.connectors.fakes.shops import ShopOrder, pages
from orderhub.connectors.fakes.vendor import Push, epoch
from orderhub.connectors.fakes.vendors.top import Declined, Params, TopShop
from orderhub.connectors.fakes.wire import Answer, Request, Tree, answer_json, dump

STATUS = {"created": 1, "reviewing": 1, "paid": 1, "shipped": 2, "completed": 3, "cancelled": 1}
TYPES = {
    "placed": "TradeCreated", "paid": "TradeConfirmed", "address": "TradeLogisticsAddressChanged", "cancelled": "TradeClosed",
    "shipped": "TradeSellerShip", "reviewed": "TradeRiskChanged", "updated": "TradeModified",
}  # fmt: skip


class Pinduoduo(TopShop):
    """pdd.order.information.get, pdd.order.number.list.increment.get, pdd.logistics.online.send, stock."""

    code = "pinduoduo"
    title = "Pinduoduo"
    base_path = "/api/router"
    key_name = "client_id"
    method_name = "type"
    first_number = 1_000_000

    def methods(self) -> dict[str, Callable[[Params], Tree]]:
        """By `type`."""
        return {
            "pdd.order.information.get": self._information,
            "pdd.order.number.list.increment.get": self._increment,
            "pdd.logistics.online.send": self._send,
            "pdd.goods.list.get": self._goods,
            "pdd.goods.quantity.update": self._quantity,
        }

    def error(self, code: str, message: str) -> Tree:
        """Pinduoduo's error response."""
        return {
            "error_response": {
                "error_code": int(code) if code.isdigit() else 50001,
                "error_msg": message,
                "sub_code": code,
            }
        }

    def moment(self, params: Params) -> datetime | None:
        """Epoch seconds."""
        return epoch(params.get("timestamp", ""))

    def pretend(self, operation: str, request: Request) -> Answer:
        """Success with nothing done."""
        return answer_json({"logistics_online_send_response": {"is_success": True}})

    def tell(self, order: ShopOrder) -> dict[str, Any]:
        """An order in short, under the number that the platform writes."""
        return {**super().tell(order), "ext_id": self.sn(order)}

    def sn(self, order: ShopOrder) -> str:
        """A number in the platform's looks."""
        return f"{order.created_at:%y%m%d}-{order.number:015d}"

    def announce(self, order: ShopOrder, event: str) -> None:
        """A message with the number only."""
        if event == "placed" and order.status == "reviewing":
            event = "reviewed"
        kind = TYPES.get(event)
        if kind is None:
            return
        content = dump({"mall_id": 100001, "order_sn": self.sn(order), "tid": self.sn(order)}).decode()
        message = {"type": f"pdd_trade_{kind}", "mallID": 100001, "content": content}
        body = dump({"id": f"{order.number}{order.version:04d}", "commandType": "Common",
                     "time": int(order.updated_at.timestamp() * 1000), "message": message})  # fmt: skip
        self.push(Push(self.code, kind, order.ext_id, body))

    def find(self, sn: str) -> ShopOrder:
        """The order with the platform's number (or its short form); raises Unknown."""
        return self.orders.find(sn.rsplit("-", 1)[-1].lstrip("0"))

    def _information(self, params: Params) -> Tree:
        return {"order_info_get_response": {"order_info": self._info(self.find(params.get("order_sn", "")))}}

    def _increment(self, params: Params) -> Tree:
        since, until = epoch(params.get("start_updated_at", "")), epoch(params.get("end_updated_at", ""))
        number, size = self.page(params, "page", "page_size")
        all_found = self.changed_between(since, until)
        found, more = pages(all_found, number, size)
        rows = [{"order_sn": self.sn(one), "order_status": STATUS[one.status],
                 "risk_control_status": int(one.status == "reviewing"),
                 "updated_at": self.clock.local(one.updated_at)} for one in found]  # fmt: skip
        return {
            "order_sn_increment_get_response": {
                "total_count": len(all_found),
                "has_next": more,
                "order_sn_list": rows,
            }
        }

    def _send(self, params: Params) -> Tree:
        order = self.find(params.get("order_sn", ""))
        self.ship_by(order, params.get("logistics_id", ""), params.get("tracking_number", ""))
        return {"logistics_online_send_response": {"is_success": True}}

    def _goods(self, params: Params) -> Tree:
        sku = params.get("outer_id", "")
        number = self.listing(sku)
        rows = (
            []
            if number is None
            else [{"goods_id": number, "sku_list": [{"sku_id": number + 1, "outer_id": sku}]}]
        )
        return {"goods_list_get_response": {"goods_list": rows, "total_count": len(rows)}}

    def _quantity(self, params: Params) -> Tree:
        if "goods_id" in params and self.listed(params["goods_id"]) != params.get("outer_id", ""):
            raise Declined("50001", "商品不存在")
        self.stock_by(params.get("outer_id") or params.get("sku_id", ""), params.get("quantity", ""))
        return {"goods_quantity_update_response": {"is_success": True}}

    def _info(self, order: ShopOrder) -> Tree:
        who, local = order.receiver, self.clock.local
        reviewing = order.status == "reviewing"
        info: Tree = {
            "order_sn": self.sn(order), "order_status": STATUS[order.status],
            "refund_status": 4 if order.status == "cancelled" else 1, "risk_control_status": int(reviewing),
            "confirm_status": int(order.paid_at is not None), "created_time": local(order.created_at),
            "confirm_time": local(order.paid_at) if order.paid_at else "", "updated_at": local(order.updated_at),
            "last_ship_time": local((order.paid_at or order.created_at) + timedelta(hours=48)),
            "remark": order.note, "buyer_memo": "",
            "tracking_number": order.shipments[-1].tracking_number if order.shipments else "",
            "goods_amount": float(order.total), "pay_amount": float(order.total), "postage": 0,
            "item_list": [
                {
                    "goods_id": order.number + line.number, "sku_id": order.number + 50 + line.number, "goods_name": line.name,
                    "outer_id": line.sku, "goods_count": line.quantity, "goods_price": float(line.price),
                }
                for line in order.lines
            ],
        }  # fmt: skip
        secret = {
            "receiver_name": f"~AgAAAAfake{order.number}~{who.name[:1]}**~", "receiver_name_mask": who.name[:1] + "**",
            "receiver_phone": f"$AgAAAAfake{order.number}${who.phone[-4:]}$", "receiver_phone_mask": "100****" + who.phone[-4:],
            "receiver_address": f"~AgAAAAfake{order.number}~{who.address}~", "receiver_address_mask": who.address[:3] + "**",
            "province": who.province, "city": who.city, "town": who.district, "country": "中国",
        }  # fmt: skip
        return {**info, **(dict.fromkeys(secret, "") if reviewing else secret)}
