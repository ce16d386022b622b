"""A world that lives by itself: channels sell, warehouses pick, pack and ship, carriers carry, buyers change their minds."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from orderhub.connectors.fakes.faults import Unknown
from orderhub.connectors.fakes.parcels import Parcel, Scan
from orderhub.connectors.fakes.shops import Shop
from orderhub.connectors.fakes.vendor import Surroundings, Vendor
from orderhub.connectors.fakes.vendors.douyin import Douyin
from orderhub.connectors.fakes.vendors.qimen import Qimen


@dataclass
class Pace:
    """How fast the world lives; all in virtual time, each step drawn around its mean."""

    orders_per_minute: float = 6.0
    pick_seconds: float = 120.0
    pack_seconds: float = 90.0
    ship_seconds: float = 180.0
    carrier_step_seconds: float = 1800.0
    #: Shares of orders.
    address_share: float = 0.05
    cancel_share: float = 0.02
    review_share: float = 0.03
    split_share: float = 0.1
    problem_share: float = 0.02
    #: Placed and paid only minutes later; never so for those under review.
    unpaid_share: float = 0.0


class Automatic:
    """Keeps the world going while it is on; with the same seed the same happens, as far as the other side lets it."""

    def __init__(self, around: Surroundings, vendors: Mapping[str, Vendor]) -> None:
        self._around = around
        self._vendors = vendors
        self._dice = random.Random(f"{around.seed}/automatic")
        self.pace = Pace()
        self.channels: tuple[str, ...] = ()
        self.is_on = False
        self._run = 0
        self._season = 0
        self.sold = 0
        around.on_delivery.append(self._on_delivery)
        around.parcels.listeners.append(self._on_scan)
        around.parcels.on_new.append(self._on_parcel)

    def start(self, channels: list[str] | None = None, **pace: Any) -> None:
        """Begin, or go on at another pace; `channels` that sell (none at all: only warehouses and carriers work).

        Raises Unknown for words that are no pace and vendors that sell nothing.
        """
        names = {one.name for one in fields(Pace)}
        if strange := pace.keys() - names:
            raise Unknown(f"{sorted(strange)} is no pace. There are: {', '.join(sorted(names))}.")
        shops = [code for code, vendor in self._vendors.items() if isinstance(vendor, Shop)]
        if unsold := set(channels or ()) - set(shops):
            raise Unknown(f"{sorted(unsold)} sell nothing. These do: {', '.join(shops)}.")
        self.pace = Pace(**{**vars(self.pace), **{name: float(value) for name, value in pace.items()}})
        self.channels = tuple(shops if channels is None else channels)
        self.is_on = True
        self._next_sale()

    def stop(self) -> None:
        """Stop; what is under way stays where it is."""
        self.is_on = False
        self._run += 1

    def tell(self) -> dict[str, Any]:
        """On or off, the pace, and how much was sold."""
        return {"on": self.is_on, "channels": list(self.channels), "sold": self.sold, **vars(self.pace)}

    def _next_sale(self) -> None:
        """One chain of sales at a time: the chain of an earlier pace ends here."""
        self._season += 1
        season = self._season
        if self.channels and self.pace.orders_per_minute > 0:
            self._later(60.0 / self.pace.orders_per_minute, lambda: self._sell(season))

    def _later(self, mean_seconds: float, call: Callable[[], object]) -> None:
        run = self._run

        def go() -> None:
            if run != self._run:
                return
            try:
                call()
            except Unknown:
                # Somebody else was faster: canceled, shipped by hand, reset. The world goes on.
                return

        self._around.clock.later(mean_seconds * self._dice.uniform(0.5, 1.5), go)

    # channels

    def _sell(self, season: int) -> None:
        if season != self._season:
            return
        self._next_sale()
        shop = self._vendors[self._dice.choice(self.channels)]
        if not isinstance(shop, Shop):
            return
        review = self._dice.random() < self.pace.review_share
        unpaid = not review and self.pace.unpaid_share > 0 and self._dice.random() < self.pace.unpaid_share
        ext_id = str(shop.place(review=review, paid=not unpaid)["ext_id"])
        self.sold += 1
        if review:
            self._later(300.0, lambda: shop.clear_review(ext_id))
            return
        if unpaid:
            self._later(600.0, lambda: shop.pay(ext_id))
            return
        luck = self._dice.random()
        if luck < self.pace.address_share:
            self._later(60.0, lambda: self._move_house(shop, ext_id))
        elif luck < self.pace.address_share + self.pace.cancel_share:
            self._later(90.0, lambda: shop.cancel(ext_id))

    def _move_house(self, shop: Shop, ext_id: str) -> None:
        new = self._around.market.person(shop.abroad)
        parts = {
            name: getattr(new, name)
            for name in ("province", "city", "district", "town", "address", "postcode", "province_code")
        }
        if isinstance(shop, Douyin):
            shop.request_address(ext_id, **parts)
        else:
            shop.change_address(ext_id, **parts)

    # warehouses

    def _on_delivery(self, code: str) -> None:
        qimen = self._vendors["qimen"]
        if not self.is_on or not isinstance(qimen, Qimen):
            return

        def pick() -> None:
            qimen.pick(code)
            self._later(self.pace.pack_seconds, pack)

        def pack() -> None:
            qimen.pack(code)
            self._later(self.pace.ship_seconds, ship)

        def ship() -> None:
            qimen.ship(code, parcels=2 if self._dice.random() < self.pace.split_share else 1)

        self._later(self.pace.pick_seconds, pick)

    # carriers

    def _on_parcel(self, number: str) -> None:
        if self.is_on:
            self._move_on(number)

    def _on_scan(self, parcel: Parcel, scan: Scan) -> None:
        if self.is_on and not parcel.ended and scan.kind not in {"refused", "returning"}:
            self._move_on(parcel.number)

    def _move_on(self, number: str) -> None:
        aside = "problem" if self._dice.random() < self.pace.problem_share else ""
        self._later(self.pace.carrier_step_seconds, lambda: self._around.parcels.advance(number, to=aside))
