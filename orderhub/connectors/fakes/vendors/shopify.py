"""Shopify: webhooks with the bare order, REST with a token; an address change is only an update."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from orderhub.connectors.fakes import signatures
from orderhub.connectors.fakes.faults import Fault
from orderhub.connectors.fakes.shops import Shop, ShopOrder
from orderhub.connectors.fakes.vendor import Push
from orderhub.connectors.fakes.wire import Answer, Request, Tree, answer_json, dump

TOPICS = {
    "placed": "orders/create", "paid": "orders/paid", "address": "orders/updated", "updated": "orders/updated",
    "cancelled": "orders/cancelled", "shipped": "orders/updated", "reviewed": "orders/updated",
}  # fmt: skip
_ROUTES = (
    ("orders.list", "GET", re.compile(r"/orders\.json$")),
    ("orders.get", "GET", re.compile(r"/orders/(\d+)\.json$")),
    ("fulfillment_orders", "GET", re.compile(r"/orders/(\d+)/fulfillment_orders\.json$")),
    ("fulfillments", "POST", re.compile(r"/fulfillments\.json$")),
    ("fulfillments", "POST", re.compile(r"/orders/(\d+)/fulfillments\.json$")),
    ("orders.cancel", "POST", re.compile(r"/orders/(\d+)/cancel\.json$")),
    ("risks", "GET", re.compile(r"/orders/(\d+)/risks\.json$")),
    ("graphql", "POST", re.compile(r"/graphql\.json$")),
    ("inventory_levels", "POST", re.compile(r"/inventory_levels/set\.json$")),
)  # fmt: skip
API_VERSION = "2025-01"


class Shopify(Shop):
    """orders (list, get, cancel), fulfillment orders, fulfillments, inventory levels; webhooks orders/*."""

    code = "shopify"
    title = "Shopify"
    base_path = f"/admin/api/{API_VERSION}"
    first_number = 450_789_400
    abroad = True
    push_attempts = 5

    def make_keys(self) -> dict[str, str]:
        """Webhook secret, access token, shop domain."""
        return {
            "secret": self.fake("secret"),
            "access_token": self.fake("token"),
            "shop": "sample-shop.example",
        }

    def reset(self) -> None:
        """Forget all orders."""
        super().reset()
        self._events = 0

    # requests

    def peek(self, request: Request) -> str:
        """A name for method and path."""
        return _route(request)[0]

    def refuse(self, request: Request, operation: str) -> Answer | None:
        """The token; REST says it with the status."""
        token = request.headers.get("x-shopify-access-token", "")
        if self.settings["check_signature"] and not signatures.same(token, self.keys["access_token"]):
            return _errors(
                "[API] Invalid API key or access token (unrecognized login or wrong password)", 401
            )
        return None

    def answer(self, operation: str, request: Request, fault: Fault | None) -> Answer:
        """Do what is asked."""
        name, number = _route(request)
        if name == "orders.list":
            return self._list(request)
        if name == "graphql":
            return self._find(request)
        if name == "inventory_levels":
            return self._inventory(request)
        if name == "fulfillments":
            return self._fulfill(request, number)
        order = self.orders.get(number)
        if order is None:
            return _errors("Not Found", 404)
        if name == "orders.get":
            return answer_json({"order": self.document(order)})
        if name == "fulfillment_orders":
            return answer_json({"fulfillment_orders": [self._fulfillment_order(order)]})
        if name == "risks":
            return answer_json({"risks": self._risks(order)})
        if order.status == "shipped":
            return _errors("Cannot cancel a fulfilled order", 422)
        self.cancel(number, str(request.json.get("reason", "other")) if request.body else "other")
        return answer_json({"order": self.document(order)})

    def failure(self, operation: str, code: str, message: str) -> Answer:
        """Errors in HTTP 200, as its GraphQL side does."""
        return _errors(message or "Internal error", 200)

    def pretend(self, operation: str, request: Request) -> Answer:
        """Success with nothing done."""
        if operation == "fulfillments":
            return answer_json({"fulfillment": {"id": 1, "status": "success"}}, 201)
        return answer_json({"inventory_level": {"available": 0}})

    # pushes

    def dress(
        self, push: Push, at: datetime, secret: str | None
    ) -> tuple[dict[str, str], dict[str, str], bytes]:
        """HMAC over the raw body, and the headers of the event."""
        return {}, {
            **push.headers, "x-shopify-hmac-sha256": signatures.body_hmac(secret or self.keys["secret"], push.body),
            "x-shopify-triggered-at": at.isoformat().replace("+00:00", "Z"),
        }, push.body  # fmt: skip

    def announce(self, order: ShopOrder, event: str) -> None:
        """The whole order as it is now."""
        topic = TOPICS.get(event)
        if topic is None:
            return
        self._events += 1
        headers = {
            "x-shopify-topic": topic, "x-shopify-shop-domain": self.keys["shop"], "x-shopify-api-version": API_VERSION,
            "x-shopify-event-id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.around.seed}/event/{self._events}")),
            "x-shopify-webhook-id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.around.seed}/hook/{self._events}")),
        }  # fmt: skip
        hint = dump({"id": order.number, "updated_at": stamp(order.updated_at)})
        self.push(
            Push(self.code, topic, order.ext_id, dump(self.document(order)), headers=headers, hint=hint)
        )

    # documents

    def document(self, order: ShopOrder) -> Tree:
        """An order as webhooks carry it: bare, money as text, `id` as a number."""
        total, who = f"{order.total:.2f}", order.receiver
        return {
            "id": order.number, "name": f"#{order.number % 10**6}", "order_number": order.number % 10**6,
            "email": who.email, "created_at": stamp(order.created_at), "updated_at": stamp(order.updated_at),
            "processed_at": stamp(order.created_at), "cancelled_at": _maybe(order.cancelled_at),
            "cancel_reason": "customer" if order.status == "cancelled" else None, "closed_at": None, "currency": "USD",
            "financial_status": "paid" if order.paid_at else "pending",
            "fulfillment_status": "fulfilled" if order.status == "shipped" else None, "note": order.note or None,
            "subtotal_price": total, "total_line_items_price": total, "total_price": total, "total_discounts": "0.00",
            "total_tax": "0.00", "test": False, "source_name": "web", "browser_ip": "203.0.113.7", "tags": "",
            "line_items": [
                {
                    "id": order.number * 10 + line.number, "sku": line.sku, "name": line.name, "title": line.name,
                    "quantity": line.quantity, "price": f"{line.price:.2f}", "grams": line.grams,
                    "product_id": 632_910_392, "variant_id": 49_148_385 + line.number, "requires_shipping": True,
                    "fulfillable_quantity": 0 if order.status == "shipped" else line.quantity,
                    "fulfillment_status": "fulfilled" if order.status == "shipped" else None,
                }
                for line in order.lines
            ],
            "shipping_address": _address(order), "billing_address": _address(order),
            "shipping_lines": [{"code": "Standard", "title": "Standard", "price": "0.00"}],
            "customer": {"id": order.number % 10**6, "email": who.email, "orders_count": 1},
            "client_details": {"browser_ip": "203.0.113.7"},
            "fulfillments": [self._fulfillment(order, number) for number in range(len(order.shipments))],
        }  # fmt: skip

    def _list(self, request: Request) -> Answer:
        query = request.query
        since = _parse(query.get("updated_at_min", "")) or _parse(query.get("created_at_min", ""))
        found = self.changed_between(since, _parse(query.get("updated_at_max", "")))
        after = int(query.get("since_id") or query.get("page_info") or 0)
        if after:
            found = sorted((one for one in found if one.number > after), key=lambda one: one.number)
        limit = max(1, min(int(query.get("limit") or 50), 250))
        answer = answer_json({"orders": [self.document(one) for one in found[:limit]]})
        if len(found) > limit and "page_info" in query:
            answer.headers["link"] = f'<?page_info={found[limit - 1].number}&limit={limit}>; rel="next"'
        return answer

    def _fulfill(self, request: Request, number: str) -> Answer:
        wish = request.json.get("fulfillment") or {}
        for group in wish.get("line_items_by_fulfillment_order") or []:
            number = number or str(int(group.get("fulfillment_order_id", 0)) // 10)
        order = self.orders.get(number or str(wish.get("order_id", "")))
        if order is None:
            return _errors("Not Found", 404)
        info = wish.get("tracking_info") or wish
        tracking = str(info.get("number") or info.get("tracking_number") or "")
        if order.status == "cancelled":
            return _errors("Order is cancelled", 422)
        if not tracking:
            return _errors({"tracking_info": ["number can't be blank"]}, 422)
        if not self.ship(order, str(info.get("company") or info.get("tracking_company") or ""), tracking):
            return _errors("Fulfillment order is already fulfilled", 422)
        return answer_json({"fulfillment": self._fulfillment(order, len(order.shipments) - 1)}, 201)

    def _find(self, request: Request) -> Answer:
        sku = str((request.json.get("variables") or {}).get("q", "")).removeprefix("sku:").strip('"')
        number = self.listing(sku)
        nodes = [] if number is None else [{"legacyResourceId": str(number), "sku": sku}]
        return answer_json({"data": {"inventoryItems": {"nodes": nodes}}})

    def _inventory(self, request: Request) -> Answer:
        given = str(request.json.get("inventory_item_id", request.json.get("sku", "")))
        item = self.listed(given) or given
        if not item or not isinstance(request.json.get("available"), int):
            return _errors({"available": ["must be a whole number"]}, 422)
        self.set_stock(item, request.json["available"])
        return answer_json({"inventory_level": {
            "inventory_item_id": item, "location_id": request.json.get("location_id"),
            "available": self.stock.get(item, 0), "updated_at": stamp(self.clock.now()),
        }})  # fmt: skip

    def _fulfillment(self, order: ShopOrder, index: int) -> Tree:
        parcel = order.shipments[index]
        return {
            "id": order.number * 10 + 5 + index, "order_id": order.number, "status": "success",
            "tracking_company": parcel.carrier, "tracking_number": parcel.tracking_number,
            "tracking_numbers": [parcel.tracking_number], "created_at": stamp(parcel.at), "updated_at": stamp(parcel.at),
        }  # fmt: skip

    def _fulfillment_order(self, order: ShopOrder) -> Tree:
        return {
            "id": order.number * 10, "order_id": order.number, "assigned_location_id": 1,
            "status": "closed" if order.status in {"shipped", "cancelled"} else "open",
            "line_items": [
                {"id": number, "line_item_id": number, "quantity": line.quantity}
                for line in order.lines
                for number in [order.number * 10 + line.number]
            ],
        }  # fmt: skip

    def _risks(self, order: ShopOrder) -> list[Tree]:
        if order.status != "reviewing":
            return []
        return [{
            "id": order.number * 10 + 9, "order_id": order.number, "recommendation": "investigate", "score": "0.7",
            "source": "External", "message": "This order was placed from a proxy IP", "cause_cancel": False, "display": True,
        }]  # fmt: skip


def stamp(moment: datetime) -> str:
    """A time with an offset, as Shopify writes it."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _maybe(moment: datetime | None) -> str | None:
    return stamp(moment) if moment else None


def _parse(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _route(request: Request) -> tuple[str, str]:
    for name, method, pattern in _ROUTES:
        match = pattern.search(request.path) if method == request.method else None
        if match:
            return name, match.group(1) if match.groups() else ""
    return f"{request.method} {request.path}", ""


def _address(order: ShopOrder) -> Tree:
    who = order.receiver
    first, _blank, last = who.name.partition(" ")
    place = Decimal(order.number % 1000) / 1000
    return {
        "name": who.name, "first_name": first, "last_name": last, "company": None, "phone": who.phone,
        "address1": who.address, "address2": who.town, "city": who.city, "province": who.province,
        "province_code": who.province_code, "zip": who.postcode, "country_code": who.country, "country": who.country,
        "latitude": str(38 + place), "longitude": str(-85 - place),
    }  # fmt: skip


def _errors(message: Any, status: int) -> Answer:
    return answer_json({"errors": message}, status, outcome="refused")
