"""What a warehouse's parcel slots are worth: the chance that the parcels still to come need them, in yuan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from routing.engine.value.prices import capacity_curve
from routing.pricing.values import MerchantValues

STEP = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Slots:
    """Parcels a day of the merchant, how they spread over the hours (UTC) and the warehouses, and yuan.

    ``hours``: share of a day's orders before each full hour, 25 figures from 0 to 1. ``near``: yuan when this
    warehouse runs out, ``all``: when all of them do.
    """

    per_day: float
    hours: tuple[float, ...]
    shares: Mapping[int, float]
    near: float
    all: float

    def coming(self, now: datetime, until: datetime) -> float:
        """Parcels expected between two moments."""
        return max(0.0, self.per_day * (self._clock(until) - self._clock(now)))

    def near_price(self, warehouse_id: int, left: int, *, now: datetime, until: datetime) -> float:
        """Yuan for the next slot of a warehouse with so many left for the parcels until then."""
        coming = self.coming(now, until) * self.shares.get(warehouse_id, 0.0)
        return capacity_curve(coming, _variance(coming), left, self.near)[0]

    def all_price(self, left: int, *, now: datetime, until: datetime) -> float:
        """Yuan on top for the next slot of a network with so many left in all."""
        coming = self.coming(now, until)
        return capacity_curve(coming, _variance(coming), left, self.all)[0]

    def to_json(self) -> dict[str, Any]:
        """As kept in a book."""
        return {
            "per_day": round(self.per_day, 3), "hours": [round(share, 4) for share in self.hours],
            "shares": {str(pk): round(share, 5) for pk, share in self.shares.items()},
            "near": round(self.near, 4), "all": round(self.all, 4),
        }  # fmt: skip

    @classmethod
    def from_json(cls, held: Mapping[str, Any]) -> Slots | None:
        """As it was; None for a book without."""
        if not held:
            return None
        shares = {int(pk): share for pk, share in held["shares"].items()}
        return cls(held["per_day"], tuple(held["hours"]), shares, held["near"], held["all"])

    def _clock(self, at: datetime) -> float:
        """Days of orders since the beginning of time, by the hours of the day."""
        here = at.astimezone(UTC)
        part = here.minute / 60 + here.second / 3600
        before, after = self.hours[here.hour], self.hours[here.hour + 1]
        return here.toordinal() + before + (after - before) * part


def slots_of(values: MerchantValues, warehouse_ids: list[int]) -> Slots:
    """The slot prices of a network as its values stand."""
    demand, setting = values.demand, values.setting
    hours = [0.0]
    for count in demand.hours:
        hours.append(hours[-1] + float(count) / float(demand.hours.sum()))
    return Slots(
        demand.orders_per_day * demand.orders_level(values.at) * setting.parcels, tuple(hours),
        dict(zip(warehouse_ids, values.area_shares(), strict=True)),
        values.slot_worth, values.slots_worth,
    )  # fmt: skip


def _variance(mean: float) -> float:
    """Chance, and the level of the day; as in the engine's tables."""
    return 1.3 * mean + (0.15 * mean) ** 2
