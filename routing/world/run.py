"""One world from its first message to its last: books kept, orders decided, waves re-planned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from routing.world.book import ANY, Book, Lines, Parcel, Waiting
from routing.world.desk import parcels_of, plan_order, promise_of, terms_of
from routing.world.priced import Priced, values_of
from routing.world.reading import DROP, Map, read
from routing.world.waves import replan

Message = dict[str, Any]


class Run:
    """Takes the messages of one world in order; ``take`` answers orders and waves, None to the rest."""

    def __init__(self, doc: Message) -> None:
        self.map: Map = read(doc)
        self.book = Book(self.map)
        self.values = values_of(doc, self.map, self.book)
        self.prices = None if self.values is None else Priced(self.values, self.book)
        self.waves = bool(doc.get("wave_hours"))
        self.count = 0

    def take(self, message: Message) -> Message | None:
        """The answer to one message; unknown kinds are ignored."""
        kind = message.get("type")
        if kind == "order":
            return self._order(message)
        if kind == "wave":
            return self._wave(message)
        if kind == "receipt":
            self._receipt(message)
        elif kind == "day":
            self.book.day += 1
            self.book.used[:] = 0
        elif kind == "capacity":
            limit = message.get("parcels_per_day")
            at = self.map.place_at[message["warehouse"]]
            self.book.daily[at] = ANY if limit is None else limit
        return None

    def _receipt(self, message: Message) -> None:
        for place, sku, units in message.get("stock") or ():
            self.book.stock[self.map.place_at[place], self.map.sku_at[sku]] += units
        if self.values is not None:
            self.values.received(float(message["t"]))

    def _order(self, message: Message) -> Message:
        city = self.map.city_at[message["city"]]
        lines: Lines = tuple((self.map.sku_at[x["sku"]], int(x["qty"])) for x in message["lines"])
        at = float(message["t"])
        self.count += 1
        if self.values is not None:
            self.values.tick(at)
        plan = plan_order(self.map, self.book, self.prices, self.count, city, lines)
        parcels = parcels_of(plan)
        self.book.move(lines, parcels, 1)
        if self.values is not None:
            self.values.demand.observe(at, city, lines)
        if self.waves:
            promise = promise_of(self.map, float(plan.hours))
            self.book.waiting[message["id"]] = Waiting(
                message["id"], city, lines, parcels, promise, self.book.day
            )
        return {
            "order": message["id"],
            "plan": written(self.map, parcels, lines),
            "terms": terms_of(plan),
        }

    def _wave(self, message: Message) -> Message:
        changes = replan(self.map, self.book, self.values, message["orders"], float(message["t"]))
        answer = [
            {"order": order_id, "plan": written(self.map, plan, self.book.waiting[order_id].lines)}
            for order_id, plan in changes.items()
        ]
        for order_id in message["orders"]:
            self.book.waiting.pop(order_id, None)
        return {"wave": message["wave"], "changes": answer}


def written(map_: Map, parcels: Sequence[Parcel], lines: Lines) -> list[Message]:
    """Parcels as the protocol writes them."""
    return [
        {
            "warehouse": DROP if node == map_.drop_node else map_.places[node].code,
            "carrier": carrier,
            "lines": [[map_.goods[lines[n][0]].code, lines[n][1]] for n in positions],
        }
        for node, carrier, positions in parcels
    ]
