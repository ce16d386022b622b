"""The books of the fake systems beside the hub's tables, read from both directly: the comparison's own code has no part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from orderhub.connectors.models import InboxMessage
from orderhub.events import invariants
from orderhub.fulfillment.models import FulfillmentOrder, Parcel
from orderhub.inventory.models import Stock
from orderhub.orders.models import AddressChange, Order
from tests.day.town import SHOPS, Town

_LEFT = {"partially_shipped", "shipped", "partially_delivered", "delivered", "completed"}


class Books:
    """Everything both sides hold, and where they disagree."""

    def __init__(self, place: Town) -> None:
        world = place.world
        self.shops: dict[str, list[dict[str, Any]]] = {code: world.state(code)["orders"] for code in SHOPS}
        self.house = world.state("qimen")
        self.bills = world.state("kingdee")["bills"]
        self.parcels = {one["number"]: one for one in world.parcels()}
        rows = Order.objects.select_related("channel").prefetch_related("lines")
        self.orders = {(row.channel.code, row.external_id): row for row in rows}
        works = FulfillmentOrder.objects.prefetch_related("lines__sku", "parcels").select_related("order")
        self.works = {row.number: row for row in works}
        self.too_late = set(AddressChange.objects.exclude(state="applied").values_list("order_id", flat=True))
        left = InboxMessage.objects.filter(state="ignored", edited_by="user:operator")
        let_be = set(left.values_list("reference", flat=True))
        self.too_late |= {row.pk for row in rows if row.number in let_be}

    def differences(self) -> list[str]:
        """Where the systems and the hub disagree, a sentence each; what was called off too late is no disagreement."""
        return [*self._sold(), *self._held(), *self._stocked(), *self._billed(), *self._carried()]

    def lost(self) -> list[str]:
        """What was sold or told and is nowhere: orders, and messages that wait for nobody."""
        found = [
            f"{shop} {one['ext_id']} is not in the hub"
            for shop, rows in self.shops.items()
            for one in rows
            if (shop, one["ext_id"]) not in self.orders and one["status"] not in ("cancelled", "reviewing")
        ]
        waiting = InboxMessage.objects.filter(state="received").count()
        return [*found, *([f"{waiting} messages were never applied"] if waiting else [])]

    def twice(self) -> list[str]:
        """What happened more than once."""
        found = []
        sent = Counter(Parcel.objects.values_list("tracking_number", flat=True))
        found += [f"parcel {number} × {count}" for number, count in sent.items() if count > 1]
        for bill in self.bills:
            if bill["form"] == "SAL_SaleOrder" and bill["saved"] > 1:
                found.append(f"bill {bill['number']} saved {bill['saved']} times")
        for shop, rows in self.shops.items():
            for one in rows:
                told = Counter(parcel["tracking_number"] for parcel in one["shipments"])
                found += [
                    f"{shop} {one['ext_id']} told {number} twice" for number, n in told.items() if n > 1
                ]
        for row in self.works.values():
            left = sum(line.shipped for line in row.lines.all())
            if left > sum(line.quantity for line in row.lines.all()):
                found.append(f"{row.number} shipped {left}")
        numbers = Counter(bill["number"] for bill in self.bills)
        found += [f"bill {number} × {count}" for number, count in numbers.items() if count > 1]
        for result in invariants.run():
            found += [f"{result.invariant.id} {result.invariant.en}: {text}" for text in result.shown]
        return found

    # ---- system by system ---------------------------------------------------------------------------

    def _sold(self) -> Iterator[str]:
        theirs = {(shop, one["ext_id"]) for shop, rows in self.shops.items() for one in rows}
        for shop, number in self.orders.keys() - theirs:
            yield f"{shop} {number} is in the hub only"
        for shop, rows in self.shops.items():
            for one in rows:
                row = self.orders.get((shop, one["ext_id"]))
                if row is not None:
                    yield from self._one_sold(shop, one, row)

    def _one_sold(self, shop: str, one: dict[str, Any], row: Order) -> Iterator[str]:
        name, stage = f"{shop} {one['ext_id']}", str(row.stage)
        if sum(line["quantity"] for line in one["lines"]) != sum(line.ordered for line in row.lines.all()):
            yield f"{name} has other units"
        if one["status"] == "cancelled" and stage != "cancelled" and stage not in _LEFT:
            yield f"{name} is cancelled there and {stage} here"
        if stage == "cancelled" and one["status"] != "cancelled":
            yield f"{name} is cancelled here and {one['status']} there"
        if one["status"] != "created" and row.payment == "unpaid":
            yield f"{name} is paid there only"
        if stage in _LEFT and one["status"] != "cancelled":
            ours = {box.tracking_number for work in self._works_of(row) for box in work.parcels.all()}
            told = {parcel["tracking_number"] for parcel in one["shipments"]}
            if not told or (told != ours if shop != "shopify" else not told <= ours):
                yield f"{name} was told {sorted(told)} of {sorted(ours)}"
        if one["status"] == "shipped" and stage not in _LEFT:
            yield f"{name} is shipped there and {stage} here"
        if (
            one["status"] != "cancelled"
            and one["receiver"]["city"] != row.city
            and row.pk not in self.too_late
        ):
            yield f"{name} goes to {row.city} here and {one['receiver']['city']} there"

    def _works_of(self, order: Order) -> list[FulfillmentOrder]:
        if not hasattr(self, "_by_order"):
            self._by_order: dict[int, list[FulfillmentOrder]] = {}
            for row in self.works.values():
                self._by_order.setdefault(row.order_id, []).append(row)
        return self._by_order.get(order.pk, [])

    def _held(self) -> Iterator[str]:
        theirs = {one["code"]: one for one in self.house["deliveries"]}
        for number in theirs.keys() - self.works.keys():
            yield f"the warehouse holds {number}, which nobody released"
        for number, row in self.works.items():
            state, one = str(row.state), theirs.get(number)
            if one is None:
                if state not in ("planned", "reserved", "cancelled", "rejected"):
                    yield f"{number} is {state} here and unknown to the warehouse"
                continue
            if (one["state"] == "DELIVERED") != (state in ("shipped", "delivered")):
                yield f"{number} is {one['state']} there and {state} here"
            if (one["state"] == "CANCELED") != (state in ("cancelled", "rejected")):
                yield f"{number} is {one['state']} there and {state} here"
            if set(one["packages"]) != {box.tracking_number for box in row.parcels.all()}:
                yield f"{number} has other parcels there"
            left = sum(line["sent"] for line in one["lines"])
            if left != sum(line.shipped for line in row.lines.all()):
                yield f"{number} shipped {left} units there"

    def _stocked(self) -> Iterator[str]:
        rows = Stock.objects.select_related("warehouse", "sku")
        for row in rows:
            there = self.house["stock"].get(row.warehouse.code, {}).get(row.sku.code, 0)
            if there != row.on_hand:
                yield f"{row.warehouse.code} {row.sku.code}: {row.on_hand} here, {there} there"

    def _billed(self) -> Iterator[str]:
        theirs = {one["number"]: one for one in self.bills if one["form"] == "SAL_SaleOrder"}
        ours = {row.number: row for row in self.orders.values()}
        for number in theirs.keys() - ours.keys():
            yield f"the ERP has {number}, which is not ours"
        for number, row in ours.items():
            bill, is_off = theirs.get(number), row.stage == "cancelled"
            released = any(work.released_at for work in self._works_of(row))
            if bill is None:
                if released and not is_off:
                    yield f"{number} is not in the ERP"
            elif (bill["canceled"] or bill["closed"]) != is_off:
                yield f"{number} is {row.stage} here and {'off' if bill['closed'] else 'open'} in the ERP"

    def _carried(self) -> Iterator[str]:
        for box in Parcel.objects.exclude(shipped_at=None):
            one = self.parcels.get(box.tracking_number)
            if one is None:
                yield f"{box.tracking_number} is unknown to its carrier"
            elif (one["scans"][-1:] == ["signed"]) != (box.status == Parcel.Status.DELIVERED):
                yield f"{box.tracking_number} is {box.status} here, {one['scans'][-1:]} there"
