"""What all fake sales channels share: orders that buyers place, pay, change and cancel, and sellers ship."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from orderhub.connectors.fakes.faults import Unknown
from orderhub.connectors.fakes.goods import Receiver
from orderhub.connectors.fakes.shelf import Shelf
from orderhub.connectors.fakes.vendor import Vendor

PAID, SHIPPED, CANCELLED = "paid", "shipped", "cancelled"
#: Ids that orders of one channel leave between them, for their lines and other parts.
ID_STEP = 100


@dataclass
class ShopLine:
    """One line of an order."""

    number: int
    sku: str
    name: str
    quantity: int
    price: Decimal
    grams: int


@dataclass
class Shipment:
    """One parcel that the seller has told of."""

    carrier: str
    tracking_number: str
    at: datetime


@dataclass
class ShopOrder:
    """An order as the channel keeps it; `status` is created, reviewing, paid, shipped, completed or cancelled."""

    number: int
    receiver: Receiver
    lines: list[ShopLine]
    status: str
    created_at: datetime
    updated_at: datetime
    paid_at: datetime | None = None
    cancelled_at: datetime | None = None
    version: int = 1
    note: str = ""
    shipments: list[Shipment] = field(default_factory=list)
    #: An address that the buyer asks for and the seller must answer (Douyin).
    wanted: Receiver | None = None
    decided: str = ""
    reason: str = ""

    @property
    def total(self) -> Decimal:
        """Sum of the lines."""
        return sum((line.price * line.quantity for line in self.lines), Decimal(0))

    @property
    def ext_id(self) -> str:
        """The number as the other side gets it."""
        return str(self.number)


class Shop(Vendor):
    """A channel. Subclasses say how orders look and what is pushed when something happens."""

    actions: ClassVar[tuple[str, ...]] = (
        "place",
        "pay",
        "change_address",
        "cancel",
        "clear_review",
        "touch",
        "order",
        "set_goods",
        "announce_again",
        "count_from",
    )
    first_number = 1_000_000
    abroad = False

    def reset(self) -> None:
        """Forget all orders and stock."""
        self.orders: Shelf[ShopOrder] = Shelf()
        self.stock: dict[str, int] = {}
        self._listings: dict[int, str] = {}
        self._number = self.first_number

    def state(self) -> dict[str, Any]:
        """All orders in short, and the stock that the seller has told."""
        return {"orders": [self.tell(order) for order in self.orders], "stock": dict(self.stock)}

    def tell(self, order: ShopOrder) -> dict[str, Any]:
        """An order in short."""
        return {
            "ext_id": order.ext_id, "status": order.status, "version": order.version,
            "updated_at": order.updated_at.isoformat(), "receiver": vars(order.receiver),
            "lines": [{"sku": one.sku, "quantity": one.quantity, "price": str(one.price)} for one in order.lines],
            "shipments": [
                {"carrier": one.carrier, "tracking_number": one.tracking_number} for one in order.shipments
            ],
            "address_wanted": vars(order.wanted) if order.wanted else None, "address_decided": order.decided,
        }  # fmt: skip

    def find(self, ext_id: str) -> ShopOrder:
        """The order with the number that the channel writes; raises Unknown."""
        return self.orders.find(ext_id)

    def announce(self, order: ShopOrder, event: str) -> None:
        """Push what has happened: placed, paid, address, address_wanted, cancelled, shipped, updated, reviewed."""
        raise NotImplementedError

    # what buyers do

    def place(
        self, lines: list[dict[str, Any]] | None = None, receiver: dict[str, Any] | None = None, *,
        paid: bool = True, review: bool = False, quiet: bool = False, note: str = "",
    ) -> dict[str, Any]:  # fmt: skip
        """A buyer places an order: of `lines` (sku, quantity, price) or at random; `review` = the platform looks first."""
        market = self.around.market
        who = market.person(self.abroad)
        if receiver:
            who = who.changed(**receiver)
        now = self.clock.now()
        self._number += ID_STEP
        order = ShopOrder(
            self._number, who, self._lines(lines), "reviewing" if review else PAID if paid else "created", now, now,
            paid_at=now if paid else None, note=note,
        )  # fmt: skip
        self.orders.put(order.ext_id, order)
        if not quiet:
            self.announce(order, "placed")
            if paid:
                self.announce(order, "paid")
        return self.tell(order)

    def pay(self, ext_id: str) -> dict[str, Any]:
        """The buyer pays."""
        order = self._open(ext_id)
        order.paid_at = self.clock.now()
        return self._changed(order, "paid", status=PAID)

    def change_address(self, ext_id: str, **parts: Any) -> dict[str, Any]:
        """The buyer changes the address: it counts at once."""
        order = self._open(ext_id)
        order.receiver = order.receiver.changed(**parts)
        return self._changed(order, "address")

    def cancel(self, ext_id: str, reason: str = "不想要了") -> dict[str, Any]:
        """The buyer cancels (in real life: refunded before shipping)."""
        order = self._open(ext_id)
        order.cancelled_at, order.reason = self.clock.now(), reason
        return self._changed(order, "cancelled", status=CANCELLED)

    def clear_review(self, ext_id: str) -> dict[str, Any]:
        """The platform ends its review: the order may go on."""
        order = self._open(ext_id)
        return self._changed(order, "reviewed", status=PAID)

    def touch(self, ext_id: str, note: str = "") -> dict[str, Any]:
        """Something unimportant changes: a new version, the same order."""
        order = self.find(ext_id)
        order.note = note or order.note
        return self._changed(order, "updated")

    def announce_again(self, ext_id: str, event: str = "updated") -> dict[str, Any]:
        """Push the order once more, unchanged."""
        order = self.find(ext_id)
        self.announce(order, event)
        return self.tell(order)

    def order(self, ext_id: str) -> dict[str, Any]:
        """One order in short."""
        return self.tell(self.find(ext_id))

    def set_goods(self, goods: list[dict[str, Any]]) -> int:
        """Sell these from now on, in all channels."""
        self.around.market.set_goods(goods)
        return len(self.around.market.goods)

    def count_from(self, number: int) -> int:
        """Number orders from here on, so that a world that begins again takes no number twice."""
        self._number = max(self._number, int(number))
        return self._number

    # what sellers do, by the channel's interface

    def ship(self, order: ShopOrder, carrier: str, tracking_number: str) -> bool:
        """The seller tells a parcel; says whether it was new. The same parcel again changes nothing."""
        if any(one.tracking_number == tracking_number for one in order.shipments):
            return False
        order.shipments.append(Shipment(carrier, tracking_number, self.clock.now()))
        self._changed(order, "shipped", status=SHIPPED)
        return True

    def default_settings(self) -> dict[str, Any]:
        """Articles that the shop does not sell, by the seller's codes."""
        return {**super().default_settings(), "unlisted": []}

    def listing(self, sku: str) -> int | None:
        """The shop's own number of an article, made at the first question; None where it does not sell it."""
        if not sku or sku in self.settings["unlisted"]:
            return None
        number = 100_000_000_000 + zlib.crc32(sku.encode())
        if len(self._listings) < 100_000:
            self._listings[number] = sku
        return number

    def listed(self, number: object) -> str:
        """The seller's code of a number given out before; "" for any other."""
        text = str(number)
        return self._listings.get(int(text), "") if text.isdigit() else ""

    def set_stock(self, sku: str, quantity: int) -> None:
        """The seller tells a quantity for sale."""
        if len(self.stock) < 100_000 or sku in self.stock:
            self.stock[sku] = quantity

    def changed_between(self, since: datetime | None, until: datetime | None) -> list[ShopOrder]:
        """Orders by the time of their last change, oldest first."""
        found = [
            one for one in self.orders
            if (since is None or one.updated_at >= since) and (until is None or one.updated_at <= until)
        ]  # fmt: skip
        return sorted(found, key=lambda one: (one.updated_at, one.number))

    def _lines(self, lines: list[dict[str, Any]] | None) -> list[ShopLine]:
        market = self.around.market
        if not lines:
            return [
                ShopLine(number, good.sku, good.name, quantity, good.price, good.grams)
                for number, (good, quantity) in enumerate(market.basket(), 1)
            ]  # fmt: skip
        made = []
        for number, line in enumerate(lines, 1):
            good = market.good(str(line["sku"]))
            price = Decimal(str(line.get("price", good.price)))
            made.append(
                ShopLine(number, good.sku, good.name, int(line.get("quantity", 1)), price, good.grams)
            )
        return made

    def _open(self, ext_id: str) -> ShopOrder:
        order = self.find(ext_id)
        if order.status in {SHIPPED, CANCELLED, "completed"}:
            raise Unknown(f"Order {ext_id} is {order.status}: too late for that.")
        return order

    def _changed(self, order: ShopOrder, event: str, status: str = "") -> dict[str, Any]:
        order.status = status or order.status
        order.version += 1
        # Vendors' versions are times in whole seconds: two changes never share one.
        later = order.updated_at.replace(microsecond=0) + timedelta(seconds=1)
        order.updated_at = max(self.clock.now(), later)
        self.announce(order, event)
        return self.tell(order)


def pages(found: list[ShopOrder], page: int, size: int) -> tuple[list[ShopOrder], bool]:
    """One page (from 1) of what was found, and whether there is another."""
    size = max(1, min(size, 100))
    begin = max(0, page - 1) * size
    return found[begin : begin + size], begin + size < len(found)
