"""What Taobao, JD and Pinduoduo share: one router, parameters signed by TOP's rule, signed messages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from orderhub.connectors.fakes import signatures
from orderhub.connectors.fakes.faults import Fault, Unknown
from orderhub.connectors.fakes.shops import Shop, ShopOrder
from orderhub.connectors.fakes.vendor import Push
from orderhub.connectors.fakes.vendors.qimen import china_time
from orderhub.connectors.fakes.wire import Answer, Request, Tree, answer_json

Params = dict[str, str]


class Declined(Exception):
    """The platform says no, with its code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class TopShop(Shop):
    """A channel behind a router. Subclasses give the methods and the looks."""

    key_name = "app_key"
    method_name = "method"

    def make_keys(self) -> dict[str, str]:
        """App key, secret and the seller's session."""
        return {
            self.key_name: self.fake_number("app"),
            "secret": self.fake("secret"),
            "session": self.fake("session"),
        }

    def methods(self) -> dict[str, Callable[[Params], Tree]]:
        """What each method does."""
        raise NotImplementedError

    def error(self, code: str, message: str) -> Tree:
        """The platform's failure."""
        raise NotImplementedError

    def moment(self, params: Params) -> datetime | None:
        """When the call says it was signed."""
        return china_time(params.get("timestamp", ""))

    def peek(self, request: Request) -> str:
        """The method if it stands in the query."""
        return request.query.get(self.method_name, "")

    def operation(self, request: Request) -> str:
        """The method, wherever it stands."""
        return self.params(request).get(self.method_name, "")

    def params(self, request: Request) -> Params:
        """Query and form together: both are signed."""
        return {**request.query, **request.form}

    def refuse(self, request: Request, operation: str) -> Answer | None:
        """Check key, signature and time."""
        params = self.params(request)
        if self.settings["check_signature"]:
            if params.get(self.key_name) != self.keys[self.key_name]:
                return self.failure(operation, "29", "Invalid app Key")
            wanted = signatures.top(self.keys["secret"], params, params.get("sign_method", "md5").lower())
            if not signatures.same(wanted, params.get("sign", "")):
                return self.failure(operation, "25", "Invalid signature")
        if self.is_late(self.moment(params)):
            return self.failure(operation, "31", "Invalid timestamp")
        return None

    def answer(self, operation: str, request: Request, fault: Fault | None) -> Answer:
        """Do what is asked."""
        work = self.methods().get(operation)
        if work is None:
            return self.failure(operation, "22", f"Invalid method {operation}")
        try:
            return self.render(work(self.params(request)), request)
        except Declined as declined:
            return self.failure(operation, declined.code, str(declined))
        except Unknown as unknown:
            return self.failure(operation, "isv.trade-not-exist", str(unknown))

    def render(self, tree: Tree, request: Request) -> Answer:
        """An answer in the form that was asked for."""
        return answer_json(tree)

    def failure(self, operation: str, code: str, message: str) -> Answer:
        """An error response in HTTP 200."""
        return answer_json(self.error(code or "15", message or "Remote service error"), outcome="refused")

    def dress(
        self, push: Push, at: datetime, secret: str | None
    ) -> tuple[dict[str, str], dict[str, str], bytes]:
        """A callback is signed as Qimen's are: over query and body."""
        query = {
            "app_key": self.keys[self.key_name], "timestamp": self.clock.local(at), "sign_method": "md5", **push.query,
        }  # fmt: skip
        query["sign"] = signatures.qimen(secret or self.keys["secret"], query, push.body)
        return query, {}, push.body

    # help

    def page(self, params: Params, number: str, size: str) -> tuple[int, int]:
        """Page number and size; raises Declined."""
        try:
            return int(params.get(number) or 1), int(params.get(size) or 40)
        except ValueError as fault:
            raise Declined("41", f"Invalid arguments: {number}, {size}") from fault

    def ship_by(self, order: ShopOrder, carrier: str, tracking_number: str) -> None:
        """The seller ships; raises Declined where the platform would."""
        if not tracking_number:
            raise Declined("isv.missing-parameter", "运单号不能为空")
        if order.status in {"cancelled", "created", "reviewing"}:
            raise Declined("isv.trade-status-error", f"订单状态 {order.status} 不能发货")
        self.ship(order, carrier, tracking_number)

    def stock_by(self, sku: str, quantity: str) -> None:
        """The seller tells a stock; raises Declined."""
        if not sku or not quantity.lstrip("-").isdigit():
            raise Declined("isv.invalid-parameter", "sku 或数量不正确")
        self.set_stock(sku, int(quantity))


def yuan(value: Any) -> str:
    """Money as these platforms write it."""
    return f"{value:.2f}"
