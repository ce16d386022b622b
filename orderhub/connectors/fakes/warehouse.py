"""The inside of a fake warehouse: delivery orders with states, entry orders, and stock."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orderhub.connectors.fakes.faults import Unknown
from orderhub.connectors.fakes.shelf import Shelf

ACCEPT, PICK, PACKAGE, PART, DELIVERED = "ACCEPT", "PICK", "PACKAGE", "PARTDELIVERED", "DELIVERED"
CANCELED, REFUSED = "CANCELED", "REFUSE"
#: Which states a step may start from.
MAY = {
    PICK: (ACCEPT,), PACKAGE: (ACCEPT, PICK), DELIVERED: (ACCEPT, PICK, PACKAGE, PART),
    CANCELED: (ACCEPT,), REFUSED: (ACCEPT,),
}  # fmt: skip
MATERIALS = ("CARTON-1", "CARTON-3", "CARTON-5", "BAG-2")


@dataclass(slots=True)
class DeliveryLine:
    """A line of a delivery order: what was ordered and what has left."""

    number: str
    sku: str
    quantity: int
    source: str = ""
    sub_source: str = ""
    sent: int = 0


@dataclass(slots=True)
class Package:
    """A parcel that has left."""

    carrier: str
    tracking_number: str
    items: list[tuple[str, int]]
    kilograms: str
    materials: list[tuple[str, int]]
    size: tuple[int, int, int]


@dataclass(slots=True)
class Delivery:
    """A delivery order as the warehouse keeps it."""

    code: str
    their_id: str
    warehouse: str
    owner: str
    order_type: str
    carrier: str
    previous: str
    receiver: dict[str, str]
    lines: list[DeliveryLine]
    created_at: datetime
    state: str = ACCEPT
    confirms: int = 0
    packages: list[Package] = field(default_factory=list)
    creates: int = 1

    def tell(self) -> dict[str, Any]:
        """The document in short."""
        return {
            "code": self.code, "id": self.their_id, "warehouse": self.warehouse, "state": self.state,
            "carrier": self.carrier, "previous": self.previous, "creates": self.creates, "receiver": self.receiver,
            "lines": [{"sku": one.sku, "quantity": one.quantity, "sent": one.sent} for one in self.lines],
            "packages": [one.tracking_number for one in self.packages],
        }  # fmt: skip


@dataclass(slots=True)
class Entry:
    """Goods that shall come in."""

    code: str
    their_id: str
    warehouse: str
    owner: str
    lines: list[DeliveryLine]
    state: str = ACCEPT
    receipts: int = 0


class Warehouse:
    """Documents and stock; refuses what its states do not allow (Unknown)."""

    def __init__(self, seed: int) -> None:
        self.deliveries: Shelf[Delivery] = Shelf()
        self.entries: Shelf[Entry] = Shelf()
        #: Quantity by warehouse and SKU.
        self.stock: dict[tuple[str, str], int] = {}
        self._dice = random.Random(f"{seed}/warehouse")
        self._parcels = 0

    def move(self, code: str, state: str) -> Delivery:
        """Go on to a state; raises Unknown where the state before does not allow it."""
        delivery = self.deliveries.find(code)
        if delivery.state not in MAY[state]:
            raise Unknown(f"{code} is {delivery.state}; {state} needs {' or '.join(MAY[state])}.")
        delivery.state = state
        return delivery

    def pack_up(self, delivery: Delivery, quantities: dict[str, int], carrier: str) -> Package:
        """Put quantities by SKU into a parcel and take them off the stock."""
        items: list[tuple[str, int]] = []
        for line in delivery.lines:
            take = min(quantities.get(line.sku, 0), line.quantity - line.sent)
            if take > 0:
                quantities[line.sku] -= take
                line.sent += take
                items.append((line.sku, take))
                self.add(delivery.warehouse, line.sku, -take)
        self._parcels += 1
        count = sum(quantity for _sku, quantity in items)
        package = Package(
            carrier, f"{carrier}{self._dice.randrange(10**6):06d}{self._parcels:07d}", items,
            f"{0.12 + 0.37 * count:.2f}", [(self._dice.choice(MATERIALS), 1), ("FILL-PAPER", 1 + count // 3)],
            (30, 20, 8 + 2 * min(count, 20)),
        )  # fmt: skip
        delivery.packages.append(package)
        return package

    def open_quantities(self, delivery: Delivery) -> dict[str, int]:
        """What has not left yet, by SKU."""
        left: dict[str, int] = {}
        for line in delivery.lines:
            left[line.sku] = left.get(line.sku, 0) + line.quantity - line.sent
        return left

    def add(self, warehouse: str, sku: str, quantity: int) -> int:
        """Change a stock; says the new one. Places that were never told stay unknown until they are."""
        key = (warehouse, sku)
        if key in self.stock or len(self.stock) < 100_000:
            self.stock[key] = self.stock.get(key, 0) + quantity
        return self.stock.get(key, 0)

    def at(self, warehouse: str) -> dict[str, int]:
        """The stock of one warehouse by SKU."""
        return {sku: quantity for (place, sku), quantity in self.stock.items() if place == warehouse}
