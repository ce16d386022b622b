"""WooCommerce: webhooks that switch themselves off after five failures, REST with a key pair, times in GMT."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from orderhub.connectors.fakes import signatures
from orderhub.connectors.fakes.faults import Fault
from orderhub.connectors.fakes.shops import Shop, ShopOrder, pages
from orderhub.connectors.fakes.vendor import Push
from orderhub.connectors.fakes.wire import Answer, Request, Tree, answer_json, dump

STATUS = {
    "created": "pending", "reviewing": "on-hold", "paid": "processing", "shipped": "completed", "completed": "completed",
    "cancelled": "cancelled",
}  # fmt: skip
TOPICS = {
    "placed": "order.created", "paid": "order.updated", "address": "order.updated", "updated": "order.updated",
    "cancelled": "order.updated", "shipped": "order.updated", "reviewed": "order.updated",
}  # fmt: skip
FAILURES_ALLOWED = 5
#: The shop's own time zone: plain times are local, `_gmt` ones are not.
SHOP_OFFSET = timedelta(hours=-3)
_ORDER = re.compile(r"/orders/(\d+)(/[a-z-]+)?$")
_PRODUCT = re.compile(r"/products/(\d+)$")


class WooCommerce(Shop):
    """orders (list, get, update), shipment-trackings, products' stock; webhooks order.*."""

    code = "woocommerce"
    title = "WooCommerce"
    base_path = "/wp-json/wc/v3"
    first_number = 72_700
    abroad = True
    push_attempts = 1
    actions = (*Shop.actions, "enable_hook")

    def make_keys(self) -> dict[str, str]:
        """Webhook secret and the REST key pair."""
        return {
            "secret": self.fake("secret"),
            "consumer_key": "ck_" + self.fake("ck"),
            "consumer_secret": "cs_" + self.fake("cs"),
        }

    def reset(self) -> None:
        """Forget all orders; the hook is on."""
        super().reset()
        self._deliveries = 0
        self.failures = 0
        self.hook_on = True

    def state(self) -> dict[str, Any]:
        """Orders, stock, and whether the hook still works."""
        return {**super().state(), "hook_on": self.hook_on, "failures": self.failures}

    def enable_hook(self) -> bool:
        """The shop's owner switches the hook on again."""
        self.failures, self.hook_on = 0, True
        return True

    # requests

    def peek(self, request: Request) -> str:
        """A name for method and path."""
        found = _ORDER.search(request.path)
        if found:
            return (
                "orders"
                + (found.group(2) or "").replace("/", ".")
                + (".get" if request.method == "GET" else ".update")
            )
        if request.path.endswith("/products") and request.method == "GET":
            return "products.list"
        if _PRODUCT.search(request.path) or request.path.endswith("/products/batch"):
            return "products.update"
        return "orders.list" if request.path.endswith("/orders") else f"{request.method} {request.path}"

    def refuse(self, request: Request, operation: str) -> Answer | None:
        """The key pair as basic authorization or in the query."""
        pair = (request.query.get("consumer_key", ""), request.query.get("consumer_secret", ""))
        scheme, _blank, code = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                user, _colon, password = base64.b64decode(code).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                user = password = ""
            pair = (user, password)
        if self.settings["check_signature"] and pair != (
            self.keys["consumer_key"],
            self.keys["consumer_secret"],
        ):
            return _error("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.", 401)
        return None

    def answer(self, operation: str, request: Request, fault: Fault | None) -> Answer:
        """Do what is asked."""
        if operation == "orders.list":
            return self._list(request)
        if operation == "products.list":
            sku = request.query.get("sku", "")
            number = self.listing(sku)
            return answer_json([] if number is None else [{"id": number, "sku": sku, "type": "simple"}])
        if operation == "products.update":
            return self._products(request)
        found = _ORDER.search(request.path)
        order = self.orders.get(found.group(1)) if found else None
        if order is None:
            return _error("woocommerce_rest_shop_order_invalid_id", "Invalid ID.", 404)
        if request.method == "GET":
            return answer_json(self.document(order))
        if operation.startswith("orders.shipment"):
            body = request.json
            tracking = str(body.get("tracking_number", ""))
            if not tracking:
                return _error("rest_missing_callback_param", "Missing parameter(s): tracking_number", 400)
            self.ship(order, str(body.get("tracking_provider", "")), tracking)
            return answer_json(
                {"tracking_id": uuid.uuid5(uuid.NAMESPACE_URL, tracking).hex, "tracking_number": tracking},
                201,
            )
        return self._update(order, request.json)

    def failure(self, operation: str, code: str, message: str) -> Answer:
        """An error object in HTTP 200, as plugins of shops like to answer."""
        return _error(code or "internal_error", message or "Internal error", 200)

    def pretend(self, operation: str, request: Request) -> Answer:
        """Success with nothing done."""
        return answer_json({"id": 0, "status": "completed"})

    # pushes

    def dress(
        self, push: Push, at: datetime, secret: str | None
    ) -> tuple[dict[str, str], dict[str, str], bytes]:
        """HMAC over the raw body, and the headers of the delivery."""
        sign = signatures.body_hmac(secret or self.keys["secret"], push.body)
        return {}, {**push.headers, "x-wc-webhook-signature": sign}, push.body

    def acked(self, status: int, body: bytes) -> bool:
        """Five failures in a row switch the hook off."""
        good = 200 <= status < 400
        self.failures = 0 if good else self.failures + 1
        if self.failures >= FAILURES_ALLOWED:
            self.hook_on = False
        return good

    def announce(self, order: ShopOrder, event: str) -> None:
        """The whole order as it is now, while the hook is on."""
        topic = TOPICS.get(event)
        if topic is None or not self.hook_on:
            return
        self._deliveries += 1
        headers = {
            "x-wc-webhook-source": "https://shop.example/", "x-wc-webhook-topic": topic, "x-wc-webhook-resource": "order",
            "x-wc-webhook-event": topic.split(".")[1], "x-wc-webhook-id": "142",
            "x-wc-webhook-delivery-id": uuid.uuid5(uuid.NAMESPACE_URL, f"{self.around.seed}/woo/{self._deliveries}").hex,
        }  # fmt: skip
        hint = dump({"id": order.number})
        self.push(
            Push(self.code, topic, order.ext_id, dump(self.document(order)), headers=headers, hint=hint)
        )

    # documents

    def document(self, order: ShopOrder) -> Tree:
        """An order as REST and webhooks carry it: money as text, times local and `_gmt`, none with a zone."""
        who = order.receiver
        first, _blank, last = who.name.partition(" ")
        address = {
            "first_name": first, "last_name": last, "company": "", "address_1": who.address, "address_2": who.town,
            "city": who.city, "state": who.province_code or who.province, "postcode": who.postcode, "country": who.country,
        }  # fmt: skip
        return {
            "id": order.number, "parent_id": 0, "number": order.ext_id, "order_key": f"wc_order_fake{order.number}",
            "status": STATUS[order.status], "currency": "USD", "prices_include_tax": False, "customer_id": 0,
            **_times("date_created", order.created_at), **_times("date_modified", order.updated_at),
            **_times("date_paid", order.paid_at),
            **_times("date_completed", order.shipments[0].at if order.shipments else None),
            "discount_total": "0.00", "shipping_total": "0.00", "total": f"{order.total:.2f}", "total_tax": "0.00",
            "customer_ip_address": "203.0.113.7", "customer_note": order.note,
            "billing": {**address, "email": who.email, "phone": who.phone}, "shipping": {**address, "phone": who.phone},
            "line_items": [
                {
                    "id": order.number * 10 + line.number, "name": line.name, "product_id": 93, "variation_id": 0,
                    "quantity": line.quantity, "subtotal": f"{line.price * line.quantity:.2f}",
                    "total": f"{line.price * line.quantity:.2f}", "sku": line.sku, "price": float(line.price), "meta_data": [],
                }
                for line in order.lines
            ],
            "meta_data": [], "refunds": [],
        }  # fmt: skip

    def _list(self, request: Request) -> Answer:
        query = request.query
        found = self.changed_between(
            _gmt(query.get("modified_after", "")), _gmt(query.get("modified_before", ""))
        )
        size = int(query.get("per_page") or 10)
        page, _more = pages(found, int(query.get("page") or 1), size)
        answer = answer_json([self.document(one) for one in page])
        answer.headers |= {
            "x-wp-total": str(len(found)),
            "x-wp-totalpages": str(-(-len(found) // max(1, size))),
        }
        return answer

    def _update(self, order: ShopOrder, body: Tree) -> Answer:
        wanted = body.get("status")
        if wanted and wanted not in STATUS.values():
            return _error("rest_invalid_param", "Invalid parameter(s): status", 400)
        meta = {str(one.get("key")): str(one.get("value")) for one in body.get("meta_data") or []}
        if wanted == "completed":
            tracking = meta.get("_tracking_number") or meta.get("tracking_number") or f"none-{order.number}"
            self.ship(order, meta.get("_tracking_provider") or meta.get("tracking_provider") or "", tracking)
        elif wanted == "cancelled" and order.status not in {"shipped", "cancelled"}:
            self.cancel(order.ext_id, "shop")
        return answer_json(self.document(order))

    def _products(self, request: Request) -> Answer:
        rows = request.json.get("update") or [{"id": request.path.rsplit("/", 1)[-1], **request.json}]
        for row in rows:
            self.set_stock(
                str(row.get("sku") or self.listed(row.get("id")) or row.get("id")),
                int(row.get("stock_quantity") or 0),
            )
        return answer_json({"update": rows} if "update" in request.json else rows[0])


def _times(name: str, moment: datetime | None) -> dict[str, str | None]:
    if moment is None:
        return {name: None, f"{name}_gmt": None}
    gmt = moment.astimezone(UTC).replace(tzinfo=None)
    return {
        name: (gmt + SHOP_OFFSET).isoformat(timespec="seconds"),
        f"{name}_gmt": gmt.isoformat(timespec="seconds"),
    }


def _gmt(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _error(code: str, message: str, status: int) -> Answer:
    return answer_json(
        {"code": code, "message": message, "data": {"status": status}}, status, outcome="refused"
    )
