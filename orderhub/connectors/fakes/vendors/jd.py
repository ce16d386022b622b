"""JD POP, the least of it: search, get and ship orders, and a message that hints."""

from __future__ import annotations

from collections.abc import Callable

from orderhub.connectors.fakes.shops import ShopOrder, pages
from orderhub.connectors.fakes.vendor import Push
from orderhub.connectors.fakes.vendors.qimen import china_time
from orderhub.connectors.fakes.vendors.top import Declined, Params, TopShop, yuan
from orderhub.connectors.fakes.wire import Answer, Garbled, Request, Tree, answer_json, dump, read_json

STATE = {
    "created": "NOT_PAY", "reviewing": "LOCKED", "paid": "WAIT_SELLER_STOCK_OUT", "shipped": "WAIT_GOODS_RECEIVE_CONFIRM",
    "completed": "FINISHED_L", "cancelled": "TRADE_CANCELED",
}  # fmt: skip


class Jd(TopShop):
    """jingdong.pop.order.search, jingdong.pop.order.get, jingdong.pop.order.shipment."""

    code = "jd"
    title = "JD POP"
    base_path = "/routerjson"
    first_number = 300_000_000_000

    def methods(self) -> dict[str, Callable[[Params], Tree]]:
        """By method name."""
        return {
            "jingdong.pop.order.search": self._search,
            "jingdong.pop.order.get": self._get,
            "jingdong.pop.order.shipment": self._shipment,
            "jingdong.stock.write.updateSkuStock": self._stock,
        }

    def error(self, code: str, message: str) -> Tree:
        """JD's error response."""
        return {"error_response": {"code": code, "zh_desc": message, "en_desc": message}}

    def pretend(self, operation: str, request: Request) -> Answer:
        """Success with nothing done."""
        name = operation.replace(".", "_") + "_responce"
        return answer_json({name: {"code": "0", "sopjosshipment_result": {"success": True}}})

    def announce(self, order: ShopOrder, event: str) -> None:
        """A message with the number only."""
        body = dump({
            "topic": f"pop_order_{event}", "orderId": order.number, "state": STATE[order.status],
            "modified": self.clock.local(order.updated_at),
        })  # fmt: skip
        self.push(Push(self.code, f"pop_order_{event}", order.ext_id, body))

    def _search(self, params: Params) -> Tree:
        asked = _asked(params)
        begin, end = china_time(str(asked.get("start_date", ""))), china_time(str(asked.get("end_date", "")))
        number, size = int(asked.get("page") or 1), int(asked.get("page_size") or 20)
        all_found = self.changed_between(begin, end)
        found, _more = pages(all_found, number, size)
        result = {"orderTotal": len(all_found), "orderInfoList": [self._order(one) for one in found]}
        return {"jingdong_pop_order_search_responce": {"code": "0", "searchorderinfo_result": result}}

    def _get(self, params: Params) -> Tree:
        order = self.find(str(_asked(params).get("order_id", "")))
        return {
            "jingdong_pop_order_get_responce": {
                "code": "0",
                "orderDetailInfo": {"orderInfo": self._order(order)},
            }
        }

    def _shipment(self, params: Params) -> Tree:
        asked = _asked(params)
        order = self.find(str(asked.get("orderId", "")))
        self.ship_by(order, str(asked.get("logiCoprId", "")), str(asked.get("logiNo", "")))
        return {
            "jingdong_pop_order_shipment_responce": {"code": "0", "sopjosshipment_result": {"success": True}}
        }

    def _stock(self, params: Params) -> Tree:
        asked = _asked(params)
        if self.listing(str(asked.get("outer_id") or asked.get("sku_id") or "")) is None:
            raise Declined("10100048", "sku 不存在")
        self.stock_by(str(asked.get("outer_id") or asked.get("sku_id") or ""), str(asked.get("quantity", "")))
        return {"jingdong_stock_write_updateSkuStock_responce": {"code": "0", "success": True}}

    def _order(self, order: ShopOrder) -> Tree:
        who = order.receiver
        return {
            "orderId": order.ext_id, "orderState": STATE[order.status], "modified": self.clock.local(order.updated_at),
            "orderStartTime": self.clock.local(order.created_at), "orderTotalPrice": yuan(order.total),
            "paymentConfirmTime": self.clock.local(order.paid_at) if order.paid_at else "",
            "pin": f"fake{order.number % 10**8}", "orderRemark": order.note,
            "consigneeInfo": {
                "fullname": f"enc~{who.name[:1]}**", "mobile": f"enc~100****{who.phone[-4:]}", "province": who.province,
                "city": who.city, "county": who.district, "town": who.town, "fullAddress": f"enc~{who.address[:3]}**",
            },
            "itemInfoList": [
                {
                    "skuId": str(order.number + line.number), "outerSkuId": line.sku, "skuName": line.name,
                    "jdPrice": yuan(line.price), "itemTotal": str(line.quantity),
                }
                for line in order.lines
            ],
        }  # fmt: skip


def _asked(params: Params) -> Tree:
    text = params.get("360buy_param_json", "{}")
    try:
        return read_json(text)
    except Garbled:
        return {}
