"""Positions in batches: devices in vehicles on trips, fences, and as many writers as the machine has processors.

Not a bench of its own: `bench/live.py` calls `fleet` and `positions`, and runs this file once for each writer.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench import house

DEVICES, BATCH = 2000, 1000


def fleet(shop: Any, orders: Sequence[Any]) -> None:
    """Devices in vehicles on trips, each with parcels of one or two orders, and a handful of fences."""
    from orderhub.fulfillment.models import Parcel
    from orderhub.kernel import clock
    from tracking.live_position.models import (
        Device,
        DevicePlace,
        Fence,
        Fitting,
        Trip,
        TripParcel,
        Vehicle,
    )

    since = clock.now() - timedelta(days=1)
    span = range(DEVICES)
    vehicles = Vehicle.objects.bulk_create(Vehicle(merchant=shop, code=f"V{n}") for n in span)
    devices = Device.objects.bulk_create(Device(merchant=shop, code=f"D{n}") for n in span)
    DevicePlace.objects.bulk_create(DevicePlace(device=device) for device in devices)
    Fitting.objects.bulk_create(
        Fitting(device=device, vehicle=vehicle, from_at=since)
        for device, vehicle in zip(devices, vehicles, strict=True)
    )
    trips = Trip.objects.bulk_create(
        Trip(merchant=shop, vehicle=vehicle, code=f"T{n}", starts_at=since)
        for n, vehicle in enumerate(vehicles)
    )
    parcels = list(Parcel.objects.filter(fulfillment__order__in=[order.pk for order in orders]))
    TripParcel.objects.bulk_create(
        TripParcel(trip=trips[n % DEVICES], parcel=parcel) for n, parcel in enumerate(parcels)
    )
    Fence.objects.bulk_create(
        Fence(
            merchant=shop, code=f"F{n}", name=f"F{n}", latitude=30 + n / 10, longitude=120, radius_m=500,
            enter_milestone="ARRIVED",
        )
        for n in range(20)
    )  # fmt: skip


def drive(first: int, batches: int) -> None:
    """One process's share: batches of positions, half of the devices a batch; prints how many were kept and how long."""
    house.services()
    from orderhub.access.models import Merchant
    from orderhub.kernel import clock
    from tracking.live_position import ingest
    from tracking.live_position.formats import Reading

    shop = Merchant.objects.get(code="bench")
    cars = range(first, DEVICES, os.cpu_count() or 1)
    start, kept = clock.now() - timedelta(hours=1), 0
    print("ready", flush=True)
    sys.stdin.readline()
    begun = time.perf_counter()
    for number in range(batches):
        readings = [
            Reading(
                device=f"D{car}", at=start + timedelta(seconds=number * 3 + step), accuracy_m=10.0,
                lat=30 + car / DEVICES + number * 2e-4 + step * 1e-5, lng=120.0, speed_kmh=50.0,
            )
            for car in cars
            for step in range(max(1, BATCH // len(cars)))
        ]  # fmt: skip
        for start_at in range(0, len(readings), BATCH):
            kept += ingest.take(readings[start_at : start_at + BATCH], merchant=shop, now=clock.now()).kept
    print(json.dumps([kept, time.perf_counter() - begun]), flush=True)


def positions(batches: int) -> dict[str, Any]:
    """All processes together: positions kept per second."""
    commands = [[sys.executable, __file__, str(first), str(batches)] for first in range(os.cpu_count() or 1)]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for command in commands
    ]
    for process in running:
        assert process.stdout is not None
        process.stdout.readline()
    begun = time.perf_counter()
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    answers = [json.loads(process.communicate()[0].splitlines()[-1]) for process in running]
    wall, kept = time.perf_counter() - begun, sum(answer[0] for answer in answers)
    return {"positions": kept, "positions_per_s": round(kept / wall), "position_processes": len(running)}


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("first", type=int)
    arguments.add_argument("batches", type=int)
    drive(**vars(arguments.parse_args()))
