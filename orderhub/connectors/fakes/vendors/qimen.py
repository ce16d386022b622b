"""A warehouse that speaks Qimen: signed XML both ways, failure inside HTTP 200, states that refuse."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element

from orderhub.connectors.fakes import signatures
from orderhub.connectors.fakes import warehouse as house
from orderhub.connectors.fakes.clock import CHINA
from orderhub.connectors.fakes.faults import Fault, Unknown
from orderhub.connectors.fakes.vendor import Push, Vendor
from orderhub.connectors.fakes.vendors import qimen_messages as messages
from orderhub.connectors.fakes.wire import XML_TYPE, Answer, Request, read_xml, text_of

STATE_WORDS = {house.PICK: "订单已拣货，不能取消", house.PACKAGE: "订单已打包，不能取消"}


class Qimen(Vendor):
    """Operations: deliveryorder.create/query, order.cancel, inventory.query, entryorder.create."""

    code = "qimen"
    title = "Qimen WMS"
    base_path = "/router"
    actions = (
        "pick", "pack", "ship", "reject", "short", "carrier_canceled", "set_stock", "change_stock", "report_stock",
        "receive", "documents",
    )  # fmt: skip

    def default_settings(self) -> dict[str, Any]:
        """`repeat`: how a repeated create is answered, success or exists; `strict`: required fields are required."""
        return {
            "repeat": "success",
            "strict": True,
            "refuse_short": False,
            "report_steps": True,
            "owner": "OWNER01",
        }

    def make_keys(self) -> dict[str, str]:
        """App key, secret and customer id."""
        return {
            "app_key": self.fake_number("app"),
            "secret": self.fake("secret"),
            "customer_id": "c-" + self.fake_number("customer", 6),
        }

    def reset(self) -> None:
        """Empty the warehouse."""
        self.house = house.Warehouse(self.around.seed)
        self._documents = 0
        self._reports = 0

    def state(self) -> dict[str, Any]:
        """Delivery orders, entry orders and stock."""
        stock: dict[str, dict[str, int]] = {}
        for (place, sku), quantity in self.house.stock.items():
            stock.setdefault(place, {})[sku] = quantity
        return {
            "deliveries": self.documents(),
            "entries": [{"code": one.code, "state": one.state} for one in self.house.entries],
            "stock": stock,
        }  # fmt: skip

    # requests

    def peek(self, request: Request) -> str:
        """The method, without the name of the platform."""
        return request.query.get("method", "").removeprefix("taobao.qimen.")

    def refuse(self, request: Request, operation: str) -> Answer | None:
        """Check the signature over query and body, then the time."""
        query = request.query
        if self.settings["check_signature"]:
            if query.get("app_key") != self.keys["app_key"]:
                return self.failure(operation, "isv.invalid-app-key", "Invalid app Key")
            wanted = signatures.qimen(self.keys["secret"], query, request.body)
            if not signatures.same(wanted, query.get("sign", "")):
                return self.failure(operation, "sign-check-failure", "Illegal request: invalid signature")
        if self.is_late(china_time(query.get("timestamp", ""))):
            return self.failure(operation, "isv.invalid-timestamp", "Invalid timestamp")
        return None

    def answer(self, operation: str, request: Request, fault: Fault | None) -> Answer:
        """Do what is asked."""
        root = read_xml(request.body)
        if operation == "deliveryorder.create":
            return self._create(root)
        if operation == "order.cancel":
            return self._cancel(root, fault)
        if operation == "deliveryorder.query":
            return self._query(root)
        if operation == "inventory.query":
            return self._stock(root, fault)
        if operation == "entryorder.create":
            return self._entry(root)
        return self.failure(operation, "isv.invalid-method", f"Invalid method {operation}")

    def failure(self, operation: str, code: str, message: str) -> Answer:
        """`flag` failure in HTTP 200."""
        return Answer(
            messages.failure(code or "S001", message or "系统异常"), content_type=XML_TYPE, outcome="refused"
        )

    def pretend(self, operation: str, request: Request) -> Answer:
        """`flag` success with an id that means nothing."""
        return _ok(messages.success(deliveryOrderId="WMS-0"))

    # pushes

    def dress(
        self, push: Push, at: datetime, secret: str | None
    ) -> tuple[dict[str, str], dict[str, str], bytes]:
        """Common parameters and the signature in the query."""
        query = {
            "method": f"taobao.qimen.{push.operation}", "timestamp": self.clock.local(at), "format": "xml",
            "app_key": self.keys["app_key"], "v": "2.0", "sign_method": "md5",
            "customerId": self.keys["customer_id"],
        }  # fmt: skip
        query["sign"] = signatures.qimen(secret or self.keys["secret"], query, push.body)
        return query, {}, push.body

    def acked(self, status: int, body: bytes) -> bool:
        """Only `flag` success counts."""
        return status == 200 and b"<flag>success</flag>" in body

    # what the warehouse does

    def pick(self, code: str) -> dict[str, Any]:
        """Pick: from now on it cannot be canceled."""
        return self._step(code, house.PICK, "拣货完成")

    def pack(self, code: str) -> dict[str, Any]:
        """Pack."""
        return self._step(code, house.PACKAGE, "复核打包台3")

    def ship(
        self, code: str, parcels: int = 1, items: dict[str, int] | None = None, carrier: str = ""
    ) -> dict[str, Any]:
        """Hand over: everything that is left in so many parcels (one confirm each, the last one final), or some items
        of it (then not final unless nothing is left).
        """
        delivery = self.house.deliveries.find(code)
        if delivery.state not in house.MAY[house.DELIVERED]:
            raise Unknown(f"{code} is {delivery.state}: it cannot be shipped.")
        shares = [dict(items)] if items else self._shares(delivery, max(1, parcels))
        for share in shares:
            package = self.house.pack_up(delivery, share, carrier or delivery.carrier)
            final = not any(self.house.open_quantities(delivery).values())
            self._confirm(delivery, [package], final=final)
            self.around.parcels.known(
                package.tracking_number, package.carrier, reference=delivery.code,
                target=delivery.receiver.get("city", "上海市"),
            )  # fmt: skip
        return delivery.tell()

    def short(self, code: str, sku: str, quantity: int) -> dict[str, Any]:
        """Ship with so many of one SKU fewer, and say that this was all."""
        delivery = self.house.deliveries.find(code)
        left = self.house.open_quantities(delivery)
        left[sku] = max(0, left.get(sku, 0) - int(quantity))
        package = self.house.pack_up(self.house.move(code, house.DELIVERED), left, delivery.carrier)
        self._confirm(delivery, [package], final=True)
        return delivery.tell()

    def reject(self, code: str, reason: str = "仓库拒单") -> dict[str, Any]:
        """Refuse an order that was accepted."""
        return self._step(code, house.REFUSED, reason)

    def carrier_canceled(self, code: str, succeeded: bool = True) -> dict[str, Any]:
        """The carrier's answer to an intercept, told by the warehouse: TMSCANCELED or TMSCANCELFAILED."""
        delivery = self.house.deliveries.find(code)
        status = "TMSCANCELED" if succeeded else "TMSCANCELFAILED"
        self._report(delivery, status, "承运商拦截" + ("成功" if succeeded else "失败"))
        return delivery.tell()

    def set_stock(self, warehouse: str, sku: str, quantity: int, report: bool = False) -> int:
        """Say what lies there; told to the other side only if asked."""
        now = self.house.add(warehouse, sku, int(quantity) - self.house.stock.get((warehouse, sku), 0))
        if report:
            self.report_stock(warehouse, [sku])
        return now

    def change_stock(self, warehouse: str, sku: str, quantity: int, order: str = "") -> int:
        """Find or lose some: stockchange.report."""
        now = self.house.add(warehouse, sku, int(quantity))
        biz = self._biz("CHG")
        body = messages.stock_change(
            warehouse, self.settings["owner"], sku, int(quantity), self.clock.local(), biz, order or biz
        )
        self.push(Push(self.code, "stockchange.report", f"stock/{warehouse}", body, XML_TYPE))
        return now

    def report_stock(self, warehouse: str, skus: list[str] | None = None) -> int:
        """Count: inventory.report of some SKUs or all; says how many."""
        stock = self.house.at(warehouse)
        chosen = {sku: stock.get(sku, 0) for sku in skus} if skus else stock
        off = self.around.faults.scripted(self.code, "inventory.report", ("stock_disagrees",))
        if off:
            chosen = {sku: max(0, quantity + int(off.number("by", -1))) for sku, quantity in chosen.items()}
        body = messages.stock_report(
            warehouse, self.settings["owner"], chosen, self.clock.local(), self._biz("CNT")
        )
        self.push(Push(self.code, "inventory.report", f"stock/{warehouse}", body, XML_TYPE))
        return len(chosen)

    def receive(self, code: str, items: dict[str, int] | None = None) -> dict[str, Any]:
        """Goods of an entry order come in: all that is left (final), or some."""
        entry = self.house.entries.find(code)
        if entry.state == "FULFILLED":
            raise Unknown(f"{code} has come in already.")
        got: dict[str, int] = {}
        for line in entry.lines:
            take = min(line.quantity - line.sent, items.get(line.sku, 0) if items else line.quantity)
            line.sent += take
            got[line.sku] = got.get(line.sku, 0) + take
            self.house.add(entry.warehouse, line.sku, take)
        final = all(line.sent >= line.quantity for line in entry.lines)
        entry.state = "FULFILLED" if final else "PARTFULFILLED"
        entry.receipts += 1
        body = messages.entry_confirm(
            entry, got, self.clock.local(), final=final, biz_code=f"{entry.their_id}-{entry.receipts}"
        )
        self.push(Push(self.code, "entryorder.confirm", code, body, XML_TYPE))
        return {"code": code, "state": entry.state, "received": got}

    def documents(self) -> list[dict[str, Any]]:
        """All delivery orders in short."""
        return [delivery.tell() for delivery in self.house.deliveries]

    # inside

    def _create(self, root: Element) -> Answer:
        code = text_of(root, "deliveryOrder/deliveryOrderCode")
        known = self.house.deliveries.get(code)
        if known:
            return self._repeated(known)
        if self.settings["strict"] and (gaps := messages.missing(root)):
            return self.failure("", "S001", "缺少必填项: " + ", ".join(gaps[:10]))
        try:
            lines = messages.lines(root)
        except ValueError:
            return self.failure("", "S001", "planQty 不是整数")
        place = text_of(root, "deliveryOrder/warehouseCode")
        if self.settings["refuse_short"] and (short := self._short_of(place, lines)):
            return self.failure("", "S010", f"库存不足: {short}")
        self._documents += 1
        delivery = house.Delivery(
            code, f"WMS-{90000 + self._documents}", place, text_of(root, "orderLines/orderLine/ownerCode"),
            text_of(root, "deliveryOrder/orderType"), text_of(root, "deliveryOrder/logisticsCode"),
            text_of(root, "deliveryOrder/preDeliveryOrderCode"), messages.receiver(root), lines, self.clock.now(),
        )  # fmt: skip
        self.house.deliveries.put(code, delivery)
        self._report(delivery, house.ACCEPT, "仓库接单")
        for listener in self.around.on_delivery:
            listener(code)
        return _ok(messages.success(deliveryOrderId=delivery.their_id))

    def _repeated(self, known: house.Delivery) -> Answer:
        known.creates += 1
        if self.settings["repeat"] == "exists":
            answer = self.failure("", "S002", f"出库单 {known.code} 已存在")
        else:
            answer = _ok(messages.success(deliveryOrderId=known.their_id))
        answer.outcome = "repeated"
        return answer

    def _short_of(self, place: str, lines: list[house.DeliveryLine]) -> str:
        short = (line.sku for line in lines if self.house.stock.get((place, line.sku), 0) < line.quantity)
        return next(short, "")

    def _cancel(self, root: Element, fault: Fault | None) -> Answer:
        delivery = self.house.deliveries.get(text_of(root, "orderCode"))
        if delivery is None:
            return self.failure("", "S004", "单据不存在")
        if fault and fault.kind == "ship_crossing" and delivery.state in house.MAY[house.DELIVERED]:
            return self._cross(delivery, fault)
        if fault and fault.kind == "already_picked" and delivery.state == house.ACCEPT:
            delivery.state = house.PICK
        if delivery.state == house.CANCELED:
            answer = _ok(messages.success())
            answer.outcome = "repeated"
            return answer
        if delivery.state != house.ACCEPT:
            return self.failure("", "S003", STATE_WORDS.get(delivery.state, "订单已发货，不能取消"))
        delivery.state = house.CANCELED
        return _ok(messages.success())

    def _cross(self, delivery: house.Delivery, fault: Fault) -> Answer:
        """The parcel leaves while the cancel is under way: its confirm and the answer cross each other."""
        lies = fault.args.get("answer", "failure") == "success"
        answer = _ok(messages.success()) if lies else self.failure("", "S003", "订单已发货，不能取消")
        if fault.args.get("first", "confirm") == "confirm":
            self.ship(delivery.code)
            answer.once = self.around.settled(5.0)
        else:
            asyncio.get_running_loop().call_later(0.05, self.ship, delivery.code)
        return answer

    def _query(self, root: Element) -> Answer:
        code = text_of(root, "orderCode") or text_of(root, "deliveryOrderCode")
        delivery = self.house.deliveries.get(code)
        return _ok(messages.query_answer(delivery)) if delivery else self.failure("", "S004", "单据不存在")

    def _stock(self, root: Element, fault: Fault | None) -> Answer:
        off = int(fault.number("by", -1)) if fault and fault.kind == "stock_disagrees" else 0
        items = []
        for wish in root.findall("criteriaList/criteria"):
            place, sku = text_of(wish, "warehouseCode"), text_of(wish, "itemCode")
            stock = {sku: max(0, self.house.stock.get((place, sku), 0) + off)}
            items += messages.stock_items(place, text_of(wish, "ownerCode") or self.settings["owner"], stock)
        return _ok(messages.success(items={"item": items}))

    def _entry(self, root: Element) -> Answer:
        code = text_of(root, "entryOrder/entryOrderCode")
        known = self.house.entries.get(code)
        if not code or not root.findall("orderLines/orderLine"):
            return self.failure("", "S001", "缺少必填项: entryOrderCode, orderLines")
        if known is None:
            self._documents += 1
            try:
                lines = messages.lines(root)
            except ValueError:
                return self.failure("", "S001", "planQty 不是整数")
            known = house.Entry(
                code, f"WMS-{90000 + self._documents}", text_of(root, "entryOrder/warehouseCode"),
                text_of(root, "entryOrder/ownerCode") or self.settings["owner"], lines,
            )  # fmt: skip
            self.house.entries.put(code, known)
        return _ok(messages.success(entryOrderId=known.their_id))

    def _step(self, code: str, state: str, info: str) -> dict[str, Any]:
        delivery = self.house.move(code, state)
        self._report(delivery, state, info)
        return delivery.tell()

    def _report(self, delivery: house.Delivery, status: str, info: str) -> None:
        if self.settings["report_steps"] and self.around.callbacks.get(self.code):
            body = messages.process_report(delivery, status, self.clock.local(), info)
            self.push(Push(self.code, "orderprocess.report", delivery.code, body, XML_TYPE))

    def _shares(self, delivery: house.Delivery, parcels: int) -> list[dict[str, int]]:
        units = [
            sku for sku, quantity in self.house.open_quantities(delivery).items() for _unit in range(quantity)
        ]
        shares: list[dict[str, int]] = [{} for _parcel in range(min(parcels, len(units)) or 1)]
        for number, sku in enumerate(units):
            share = shares[number * len(shares) // len(units)]
            share[sku] = share.get(sku, 0) + 1
        return shares

    def _confirm(self, delivery: house.Delivery, packages: list[house.Package], *, final: bool) -> None:
        delivery.state = house.DELIVERED if final else house.PART
        delivery.confirms += 1
        body = messages.confirm(
            delivery,
            packages,
            self.clock.local(),
            final=final,
            biz_code=f"{delivery.their_id}-{delivery.confirms}",
        )
        self.push(Push(self.code, "deliveryorder.confirm", delivery.code, body, XML_TYPE))

    def _biz(self, kind: str) -> str:
        self._reports += 1
        return f"{kind}-{self._reports:08d}"


def china_time(text: str) -> datetime | None:
    """A moment from Chinese local time, or nothing."""
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA)
    except ValueError:
        return None


def _ok(body: bytes) -> Answer:
    return Answer(body, content_type=XML_TYPE)
