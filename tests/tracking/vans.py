"""A van with a tracker, and a parcel that rides in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from orderhub.access.models import Merchant
from orderhub.fulfillment.models import Parcel
from tests import make
from tracking.live_position import ingest
from tracking.live_position.formats import Reading
from tracking.live_position.models import Device, Fence, Fitting, Trip, TripParcel, Vehicle


@dataclass
class Van:
    """The van, its tracker with its key, its drive and the parcel."""

    merchant: Merchant
    device: Device
    key: str
    trip: Trip
    parcel: Parcel
    time: make.Clock

    def drive(self, lat: float, lng: float = 113.4, *, seconds: float = 0, **more: Any) -> ingest.Taken:
        """Report a place, so many seconds from now."""
        return ingest.take(
            [self.reading(lat, lng, seconds=seconds, **more)], merchant=self.merchant, now=self.time.now()
        )

    def reading(self, lat: float, lng: float = 113.4, *, seconds: float = 0, **more: Any) -> Reading:
        """A place, so many seconds from now."""
        return Reading(self.device.code, self.time.now() + timedelta(seconds=seconds), lat, lng, **more)

    def fence(self, **fields: Any) -> Fence:
        """Around 23.5, 113.4."""
        values = {"code": "F1", "name": "白云站点", "latitude": 23.5, "longitude": 113.4, "radius_m": 500}
        return Fence.objects.create(merchant=self.merchant, **{**values, **fields})


def ride(parcel: Parcel, *, since: datetime, code: str = "V1") -> tuple[Device, Trip]:
    """Put the parcel into a van with a tracker."""
    owner = parcel.merchant
    vehicle = Vehicle.objects.create(merchant=owner, code=code)
    device = Device.objects.create(merchant=owner, code=f"truck-{code}")
    Fitting.objects.create(device=device, vehicle=vehicle, from_at=since)
    trip = Trip.objects.create(merchant=owner, vehicle=vehicle, code=f"T-{code}", starts_at=since)
    TripParcel.objects.create(trip=trip, parcel=parcel)
    return device, trip
