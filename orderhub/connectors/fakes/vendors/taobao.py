"""Taobao and Tmall (TOP): messages are hints, the trade is fetched; receivers are masked, `oaid` goes along."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from orderhub.connectors.fakes.shops import ShopLine, ShopOrder, pages
from orderhub.connectors.fakes.vendor import Push
from orderhub.connectors.fakes.vendors.qimen import china_time
from orderhub.connectors.fakes.vendors.top import Declined, Params, TopShop, yuan
from orderhub.connectors.fakes.wire import XML_TYPE, Answer, Request, Tree, answer_json, dump, write_xml

STATUS = {
    "created": "WAIT_BUYER_PAY", "reviewing": "PAID_FORBID_CONSIGN", "paid": "WAIT_SELLER_SEND_GOODS",
    "shipped": "WAIT_BUYER_CONFIRM_GOODS", "completed": "TRADE_FINISHED", "cancelled": "TRADE_CLOSED",
}  # fmt: skip
TOPICS = {
    "placed": "TradeCreate", "paid": "TradeBuyerPay", "address": "TradeLogisticsAddressChanged",
    "updated": "TradeChanged", "reviewed": "TradeChanged", "cancelled": "TradeClose", "shipped": "TradeSellerShip",
}  # fmt: skip
NICK = "示例旗舰店"


class Taobao(TopShop):
    """taobao.trade.fullinfo.get, taobao.trades.sold.increment.get, logistics send, stock."""

    code = "taobao"
    title = "Taobao/Tmall (TOP)"
    base_path = "/router/rest"
    first_number = 2_000_000_000_000_000_000

    def reset(self) -> None:
        """Forget all trades and messages."""
        super().reset()
        self._messages = 6_000_000_000_000_000_000

    def methods(self) -> dict[str, Callable[[Params], Tree]]:
        """By method name."""
        return {
            "taobao.trade.fullinfo.get": self._fullinfo,
            "taobao.trade.get": self._fullinfo,
            "taobao.trades.sold.increment.get": self._increment,
            "taobao.logistics.offline.send": self._send,
            "taobao.logistics.online.send": self._send,
            "taobao.skus.custom.get": self._custom,
            "taobao.item.quantity.update": self._quantity,
            "taobao.skus.quantity.update": self._quantity,
        }

    def error(self, code: str, message: str) -> Tree:
        """TOP's error response."""
        return {
            "error_response": {
                "code": int(code) if code.isdigit() else 15,
                "msg": message,
                "sub_code": code,
                "sub_msg": message,
            }
        }

    def render(self, tree: Tree, request: Request) -> Answer:
        """JSON or, as TOP does by default, XML."""
        if self.params(request).get("format", "xml") == "json":
            return answer_json(tree)
        ((root, inside),) = tree.items()
        return Answer(write_xml(root, inside), content_type=XML_TYPE)

    def pretend(self, operation: str, request: Request) -> Answer:
        """Success with nothing done."""
        name = operation.removeprefix("taobao.").replace(".", "_") + "_response"
        return self.render({name: {"shipping": {"is_success": "true"}}}, request)

    def announce(self, order: ShopOrder, event: str) -> None:
        """A message with the number only: the trade must be fetched."""
        topic = TOPICS.get(event)
        if topic is None:
            return
        self._messages += 1
        content = dump({
            "tid": order.number, "oid": order.number + 1, "seller_nick": NICK, "buyer_nick": "~OPENUID~",
            "type": "guarantee_trade",
        }).decode()  # fmt: skip
        body = dump({
            "id": self._messages, "topic": f"taobao_trade_{topic}", "pub_time": self.clock.local(order.updated_at),
            "user_id": 100000001, "user_nick": NICK, "content": content,
        })  # fmt: skip
        self.push(Push(self.code, topic, order.ext_id, body))

    def _fullinfo(self, params: Params) -> Tree:
        order = self.find(params.get("tid", ""))
        return {"trade_fullinfo_get_response": {"trade": self._trade(order)}}

    def _increment(self, params: Params) -> Tree:
        since, until = (
            china_time(params.get("start_modified", "")),
            china_time(params.get("end_modified", "")),
        )
        if since is None or until is None:
            raise Declined("40", "Missing start_modified, end_modified")
        number, size = self.page(params, "page_no", "page_size")
        all_found = self.changed_between(since, until)
        found, more = pages(all_found, number, size)
        trades = [{"tid": one.number, "tid_str": one.ext_id, "status": STATUS[one.status],
                   "modified": self.clock.local(one.updated_at)} for one in found]  # fmt: skip
        inside = {"trades": {"trade": trades}, "has_next": more, "total_results": len(all_found)}
        return {"trades_sold_increment_get_response": inside}

    def _send(self, params: Params) -> Tree:
        order = self.find(params.get("tid", ""))
        self.ship_by(order, params.get("company_code", ""), params.get("out_sid", ""))
        name = params.get("method", "").removeprefix("taobao.").replace(".", "_")
        return {f"{name}_response": {"shipping": {"is_success": True}}}

    def _custom(self, params: Params) -> Tree:
        sku = params.get("outer_id", "")
        number = self.listing(sku)
        rows = [] if number is None else [{"num_iid": number, "sku_id": number + 1, "outer_id": sku}]
        return {"skus_custom_get_response": {"skus": {"sku": rows}, "request_id": "fake"}}

    def _quantity(self, params: Params) -> Tree:
        pairs = [one.split(":") for one in params.get("outerid_quantities", "").split(";") if ":" in one]
        if not pairs:
            known = self.listed(params.get("num_iid", ""))
            if "num_iid" in params and not known:
                raise Declined("isv.item-not-exist", "商品不存在")
            pairs = [[known or params.get("outer_id", params.get("sku_id", "")), params.get("quantity", "")]]
        for sku, quantity in pairs:
            self.stock_by(sku, quantity)
        name = params.get("method", "").removeprefix("taobao.").replace(".", "_")
        return {f"{name}_response": {"item": {"num_iid": 1, "modified": self.clock.local()}}}

    def _trade(self, order: ShopOrder) -> Tree:
        who, local = order.receiver, self.clock.local
        trade: Tree = {
            "tid": order.number, "tid_str": order.ext_id, "status": STATUS[order.status], "type": "guarantee_trade",
            "created": local(order.created_at), "modified": local(order.updated_at),
            "payment": yuan(order.total), "post_fee": "0.00", "total_fee": yuan(order.total), "discount_fee": "0.00",
            "seller_nick": NICK, "buyer_open_uid": f"AAH0fake{order.number % 10**12:012d}", "buyer_message": order.note,
            "oaid": oaid(order), "receiver_name": who.name[:1] + "**", "receiver_mobile": "100****" + who.phone[-4:],
            "receiver_state": who.province, "receiver_city": who.city, "receiver_district": who.district,
            "receiver_town": who.town, "receiver_address": who.address[:3] + "**", "receiver_zip": who.postcode,
            "shipping_type": "express",
            "orders": {"order": [_sub_order(order, line) for line in order.lines]},
        }  # fmt: skip
        if order.paid_at:
            trade["pay_time"] = local(order.paid_at)
        return trade


def oaid(order: ShopOrder) -> str:
    """A token that stands for the receiver; another address has another one."""
    who = order.receiver
    return (
        f"1oaidFAKE{order.number}v{zlib.crc32(f'{who.name}{who.phone}{who.city}{who.address}'.encode()):010d}"
    )


def _sub_order(order: ShopOrder, line: ShopLine) -> Tree:
    number = order.number + line.number
    return {
        "oid": number, "oid_str": str(number), "status": STATUS[order.status], "title": line.name,
        "outer_sku_id": line.sku, "num": line.quantity, "price": yuan(line.price),
        "payment": yuan(line.price * line.quantity), "refund_status": "NO_REFUND",
    }  # fmt: skip
