"""Whether channels that lag can be made to sell what does not exist: a market in virtual time, on the real core.

    python bench/oversell.py [--channels 5] [--skus 1000] [--minutes 120] [--seed 1]

Each channel sells what it shows; its orders come in late, and new quantities reach it late (seconds as a rule, minutes
now and then). Stock is short, a few SKUs sell fast, goods are cancelled and restocked. Every second the hub decides
afresh for the SKUs that changed, as it does in production, without a database; the time the core really takes is
added to the virtual clock. The last line is one JSON object: {"oversold" units (must be 0), "published_p95_s" from a
change being known to its quantities leaving, "buffer_units" and "buffer_cost" held back on average (units × price),
"sold", "sold_share" of all units there were, "served" share of the demand while any channel had some, "messages" items
sent, "decide_us" per SKU, "naive_oversold" units in the same market where every channel is told all that is free}.
"""

from __future__ import annotations

import argparse
import heapq
import random
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench import house
from orderhub.inventory.atp import lag
from orderhub.inventory.atp.deciding import decide
from orderhub.inventory.atp.world import Good, Offer, Seat, Sent, Shelf, Terms

#: After the longest lag and half of it again, every sale before a confirmation is believed to be known.
SETTLED = 1.5
GUESS_WORST_SECONDS = 120.0
SETTLED_MORE_SECONDS = 5.0
RECENT_SECONDS = 60.0


class View:
    """One channel's view of one SKU in turns, for an adversary: it sells all it can and tells as late as allowed."""

    def __init__(self, most_turns: int) -> None:
        self.most = most_turns
        self.turn = 0
        self.shown = 0
        self.under_way: deque[tuple[int, int, int]] = deque()  # (arrives, version, quantity)
        self.sales: list[tuple[int, int, int]] = []  # (placed, known, units)
        self.offer: Offer | None = None
        self.version = self.sent_at = 0
        self.acknowledged: tuple[int, int] = (0, 0)  # (version, turn)

    @property
    def sold_known(self) -> int:
        """Units the hub knows of."""
        return sum(units for _placed, known, units in self.sales if known <= self.turn)

    def be_nasty(self, dice: random.Random) -> int:
        """One turn; the units sold in it."""
        self.turn += 1
        sold = self._sell(dice)
        while self.under_way and self.under_way[0][0] <= self.turn:
            _at, version, self.shown = self.under_way.popleft()
            self.acknowledged = (version, self.turn)
        return sold + self._sell(dice)

    def _sell(self, dice: random.Random) -> int:
        units = dice.choice([0, self.shown, dice.randint(0, self.shown)])
        if units:
            self.shown -= units
            self.sales.append((self.turn, self.turn + dice.randint(1, self.most), units))
        return units

    def take(self, offer: Offer) -> None:
        """A new quantity leaves the hub for here; it arrives after those that left before."""
        self.offer, self.version, self.sent_at = offer, self.version + 1, self.turn
        latest = self.under_way[-1][0] if self.under_way else 0
        arrives = max(latest, self.turn + random.Random(self.turn).randint(1, self.most))
        self.under_way.append((arrives, self.version, offer.quantity))

    def sent(self) -> Sent | None:
        """What the hub knows of the last quantity."""
        if self.offer is None:
            return None
        version, at = self.acknowledged
        is_acknowledged = version == self.version
        since = [row for row in self.sales if self.sent_at < row[1] <= self.turn]
        after = [row for row in since if is_acknowledged and row[0] > at]
        return Sent(
            quantity=self.offer.quantity, before=self.offer.before, carried=self.offer.carried,
            sold=sum(row[2] for row in since), sold_after=sum(row[2] for row in after),
            is_acknowledged=is_acknowledged, is_settled=is_acknowledged and self.turn > at + self.most,
        )  # fmt: skip


class _Listing:
    """One SKU on one channel: what it shows, and what the hub remembers."""

    __slots__ = ("acknowledged_at", "known", "offer", "recent", "sent_at", "shown", "version")

    def __init__(self) -> None:
        self.shown = self.version = 0
        self.offer: Offer | None = None
        self.sent_at = 0.0
        self.acknowledged_at: float | None = None
        self.known: list[tuple[float, int]] = []  # known since sent: (placed at, units)
        self.recent: deque[tuple[float, int]] = deque()  # known within the hour: (known at, units)


class _Item:
    """One SKU in the world."""

    __slots__ = ("free", "listings", "price", "real", "speed")

    def __init__(self, units: int, price: int, speed: float, channels: int) -> None:
        self.free = self.real = units  # as the hub knows it, and as it is
        self.price, self.speed = price, speed
        self.listings = [_Listing() for _ in range(channels)]


class Market:
    """The whole play; `run` it once."""

    def __init__(self, *, channels: int, skus: int, minutes: float, seed: int, naive: bool = False) -> None:
        self.decide = _tell_all if naive else decide
        self.dice = random.Random(seed)
        self.end = minutes * 60
        self.items = [self._item(channels) for _ in range(skus)]
        self.speed = [self.dice.uniform(0.4, 2.0) for _ in range(channels)]
        self.order_lag: list[float] = [30.0] * channels  # measured; a channel begins with a guess
        self.worst_lag: list[float] = [GUESS_WORST_SECONDS] * channels
        self.reply_lag: list[float] = [10.0] * channels
        self.arrives = [dict[int, float]() for _ in range(channels)]
        self.heap: list[tuple[float, int, str, tuple[Any, ...]]] = []
        self.dirty: dict[int, float] = dict.fromkeys(range(skus), 0.0)
        self.oversold = self.sold = self.wanted = self.messages = self.decided = self.number = 0
        self.waits: list[float] = []
        self.core_seconds = 0.0
        self.held: list[tuple[int, int]] = []
        self.held_by: dict[int, int] = {}

    def _item(self, channels: int) -> _Item:
        units = self.dice.choice([0, 1, 2, 3, 5, 8, 12, 20, 40, 80, 150])
        speed = self.dice.paretovariate(1.2) / 400  # buyers a second and channel; a few SKUs get many
        return _Item(units, self.dice.randint(9, 900), min(speed, 0.5), channels)

    def run(self) -> dict[str, Any]:
        """Play to the end; the figures."""
        for sku, item in enumerate(self.items):
            for channel in range(len(self.speed)):
                self._later(self._gap(item, channel), "buyer", (sku, channel))
            if self.dice.random() < 0.3:
                self._later(self.dice.uniform(0, self.end), "restock", (sku, self.dice.randint(1, 40)))
        self._later(0.0, "tick", ())
        while self.heap:
            now, _number, what, about = heapq.heappop(self.heap)
            if now > self.end:
                break
            getattr(self, f"_{what}")(now, *about)
        return self._figures()

    def _later(self, at: float, what: str, about: tuple[Any, ...]) -> None:
        self.number += 1
        heapq.heappush(self.heap, (at, self.number, what, about))

    def _gap(self, item: _Item, channel: int) -> float:
        return self.dice.expovariate(item.speed * self.speed[channel])

    # ---- the world -----------------------------------------------------------------------------

    def _buyer(self, now: float, sku: int, channel: int) -> None:
        item, listing = self.items[sku], self.items[sku].listings[channel]
        self._later(now + self._gap(item, channel), "buyer", (sku, channel))
        units = self.dice.choice([1, 1, 1, 2])
        self.wanted += min(units, max(0, item.real))
        if listing.shown < units:
            return
        listing.shown -= units
        item.real -= units
        self.sold += units
        if item.real < 0:
            self.oversold += min(units, -item.real)
        self._later(now + self._delay(6.0), "order", (sku, channel, now, units))

    def _arrive(self, now: float, sku: int, channel: int, version: int, quantity: int) -> None:
        self.items[sku].listings[channel].shown = quantity
        self._later(now + self.dice.uniform(0.05, 1.0), "confirm", (sku, channel, version, now))

    def _delay(self, usual: float) -> float:
        """Seconds as a rule, now and then a stall."""
        stall = self.dice.uniform(20, 120) if self.dice.random() < 0.02 else 0.0
        return self.dice.lognormvariate(0, 0.7) * usual + stall

    # ---- the hub -------------------------------------------------------------------------------

    def _order(self, now: float, sku: int, channel: int, placed: float, units: int) -> None:
        item, listing = self.items[sku], self.items[sku].listings[channel]
        item.free -= units
        listing.known.append((placed, units))
        listing.recent.append((now, units))
        self.order_lag[channel] = lag.measured(self.order_lag[channel], now - placed)
        self.worst_lag[channel] = lag.worst(self.worst_lag[channel], now - placed, 0.0)
        self.dirty.setdefault(sku, now)
        if self.dice.random() < 0.05:
            self._later(now + self.dice.uniform(60, 900), "restock", (sku, units))  # it is cancelled

    def _restock(self, now: float, sku: int, units: int) -> None:
        self.items[sku].free += units
        self.items[sku].real += units
        self.dirty.setdefault(sku, now)

    def _confirm(self, now: float, sku: int, channel: int, version: int, at: float) -> None:
        listing = self.items[sku].listings[channel]
        if listing.version == version:
            listing.acknowledged_at = at
            self.reply_lag[channel] = lag.measured(self.reply_lag[channel], now - listing.sent_at)
            for wait in (self.order_lag[channel], self.worst_lag[channel]):
                self._later(now + SETTLED * wait + SETTLED_MORE_SECONDS + 1.0, "settle", (sku,))
        self.dirty.setdefault(sku, now)

    def _settle(self, now: float, sku: int) -> None:
        self.dirty.setdefault(sku, now)

    def _settled_after(self, channel: int) -> float:
        return SETTLED * self.worst_lag[channel] + SETTLED_MORE_SECONDS

    def _tick(self, now: float) -> None:
        changed, self.dirty = self.dirty, {}
        started = time.perf_counter()
        decided = [
            (sku, since, self.decide(self._good(now, self.items[sku], self.items[sku].listings)))
            for sku, since in changed.items()
        ]
        took = time.perf_counter() - started
        self.core_seconds += took
        self.decided += len(decided)
        for sku, since, offers in decided:
            self._send(now + took, sku, since, offers)
        self._later(max(now + 1.0, now + took), "tick", ())
        self.held.append(
            (sum(self.held_by.values()), sum(n * self.items[sku].price for sku, n in self.held_by.items()))
        )

    def _send(self, now: float, sku: int, since: float, offers: tuple[Offer, ...]) -> None:
        for offer in offers:
            if not offer.send:
                continue
            listing = self.items[sku].listings[offer.channel]
            listing.offer, listing.version, listing.sent_at = offer, listing.version + 1, now
            listing.acknowledged_at, listing.known = None, []
            # One channel takes its messages about a SKU in order.
            arrives = max(self.arrives[offer.channel].get(sku, 0.0), now + self._delay(1.0))
            self.arrives[offer.channel][sku] = arrives
            self._later(arrives, "arrive", (sku, offer.channel, listing.version, offer.quantity))
            self.messages += 1
            self.waits.append(now - since)
        self.held_by[sku] = sum(offer.held_back for offer in offers)

    def _good(self, now: float, item: _Item, listings: list[_Listing]) -> Good:
        seats = tuple(self._seat(now, channel, listing) for channel, listing in enumerate(listings))
        return Good({1: Shelf(max(0, item.free), max(0, item.free))}, max(0, -item.free), seats)

    def _seat(self, now: float, channel: int, listing: _Listing) -> Seat:
        while listing.recent and listing.recent[0][0] < now - 3600:
            listing.recent.popleft()
        hour = sum(units for _at, units in listing.recent)
        few = sum(units for at, units in listing.recent if at >= now - 300)
        return Seat(
            channel, Terms(), self._sent(now, channel, listing), lag.speed(hour, few, now),
            self.order_lag[channel] + self.reply_lag[channel] + 1.0,
        )  # fmt: skip

    def _sent(self, now: float, channel: int, listing: _Listing) -> Sent | None:
        if listing.offer is None:
            return None
        at = listing.acknowledged_at
        return Sent(
            quantity=listing.offer.quantity, before=listing.offer.before, carried=listing.offer.carried,
            sold=sum(units for _placed, units in listing.known),
            sold_after=sum(units for placed, units in listing.known if at is not None and placed > at),
            is_acknowledged=at is not None,
            is_settled=at is not None and now >= at + self._settled_after(channel),
            is_calm=at is not None and now >= at + SETTLED * self.order_lag[channel] + SETTLED_MORE_SECONDS,
            is_recent=at is None and now < listing.sent_at + RECENT_SECONDS,
        )  # fmt: skip

    def _figures(self) -> dict[str, Any]:
        waits = sorted(self.waits)
        return {
            "oversold": self.oversold, "published_p95_s": round(waits[int(len(waits) * 0.95)], 2),
            "buffer_units": round(sum(units for units, _cost in self.held) / len(self.held), 1),
            "buffer_cost": round(sum(cost for _units, cost in self.held) / len(self.held), 2),
            "sold": self.sold, "sold_share": round(self.sold / max(1, self.sold + sum(max(0, x.real) for x in self.items)), 3),
            "served": round(self.sold / max(1, self.wanted), 3), "messages": self.messages,
            "decide_us": round(1e6 * self.core_seconds / max(1, self.decided)),
        }  # fmt: skip


def _tell_all(good: Good) -> tuple[Offer, ...]:
    """The naive rule, for comparison: every channel shows whatever is free."""
    free = sum(shelf.free for shelf in good.shelves.values())
    return tuple(Offer(seat.channel, free, seat.shown != free, 0, 0, free, 0) for seat in good.seats)


def play(*, channels: int, skus: int, minutes: float, seed: int, naive: bool = False) -> dict[str, Any]:
    """Play one market to its end; its figures."""
    return Market(channels=channels, skus=skus, minutes=minutes, seed=seed, naive=naive).run()


def main() -> None:
    """Play, and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--channels", type=int, default=5)
    parser.add_argument("--skus", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    figures = play(channels=asked.channels, skus=asked.skus, minutes=asked.minutes, seed=asked.seed)
    naive = play(channels=asked.channels, skus=asked.skus, minutes=asked.minutes, seed=asked.seed, naive=True)
    figures["naive_oversold"] = naive["oversold"]
    house.end_with(**figures, channels=asked.channels, skus=asked.skus, minutes=asked.minutes)
    if figures["oversold"]:
        raise SystemExit("oversold")


if __name__ == "__main__":
    main()
