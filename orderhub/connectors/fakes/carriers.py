"""What all fake carriers share: who watches which parcel, and being told of its scans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from orderhub.connectors.fakes.parcels import Parcel, Scan
from orderhub.connectors.fakes.shelf import Shelf
from orderhub.connectors.fakes.vendor import Surroundings, Vendor


@dataclass
class Watch:
    """A subscription to one parcel."""

    number: str
    carrier: str
    watch_id: str
    url: str = ""
    salt: str = ""
    phone: str = ""


class Carrier(Vendor):
    """A carrier or a gatherer of carriers. Subclasses say how a watched parcel is told."""

    actions: ClassVar[tuple[str, ...]] = ("advance", "parcel", "watch_by_hand")

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        around.parcels.listeners.append(self.on_scan)

    def reset(self) -> None:
        """Forget who watches what."""
        self.watches: Shelf[Watch] = Shelf()

    def state(self) -> dict[str, Any]:
        """Subscriptions and the parcels they are about."""
        found = [self.around.parcels.get(watch.number) for watch in self.watches]
        return {
            "watches": [vars(watch) for watch in self.watches],
            "parcels": [parcel.tell() for parcel in found if parcel],
        }  # fmt: skip

    def watch(self, number: str, carrier: str, **more: str) -> Watch:
        """Watch a parcel from now on; the parcel is made up if nobody has heard of it."""
        self.around.parcels.known(number, carrier)
        watch = Watch(number, carrier, self.fake_number(f"watch/{number}", 12), **more)
        self.watches.put(number, watch)
        return watch

    def on_scan(self, parcel: Parcel, scan: Scan) -> None:
        """Something happened to a parcel: tell whoever watches it."""
        watch = self.watches.get(parcel.number)
        if watch:
            self.tell_scan(watch, parcel, scan)

    def tell_scan(self, watch: Watch, parcel: Parcel, scan: Scan) -> None:
        """Push in the carrier's own words."""
        raise NotImplementedError

    # what carriers do

    def advance(self, number: str, steps: int = 1, to: str = "") -> dict[str, Any]:
        """Move a parcel on: some steps, until a kind of scan (signed), or aside (problem, refused, returned …)."""
        return self.around.parcels.advance(number, int(steps), to).tell()

    def parcel(self, number: str) -> dict[str, Any]:
        """One parcel in short."""
        return self.around.parcels.find(number).tell()

    def watch_by_hand(self, number: str, carrier: str = "SF", **more: str) -> dict[str, Any]:
        """Watch a parcel as if the other side had subscribed."""
        return vars(self.watch(number, carrier, **more))
