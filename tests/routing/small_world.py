"""Small worlds of the routing protocol, made up here, and books of our own that check every answer."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from routing.world.run import Run

Message = dict[str, Any]


def small_world(seed: int = 1, *, per_day: int = 40, slots: int = 40, fill: float = 1.2) -> Message:
    """Three warehouses, five cities, six SKUs, three days with a receipt at the start and after 36 hours."""
    rng = random.Random(seed)
    km = [[rng.randint(30, 2500) for _ in range(5)] for _ in range(3)]
    share = [[rng.randint(1, 9) for _ in range(6)] for _ in range(5)]
    total = sum(map(sum, share))
    units = per_day * 2.0
    planned = [
        [round(fill * units * 1.5 * sum(c[s] for c in share) / total / 3) for s in range(6)] for _ in km
    ]
    return {
        "type": "world", "protocol": 1, "days": 3, "wave_hours": 6, "foresight": True,
        "warehouses": [
            {"id": f"N{w}", "parcels_per_day": slots, "handling_yuan_per_parcel": 2.0 + w / 4,
             "handling_yuan_per_line": 0.5, "kg_co2e_per_parcel": 0.1}
            for w in range(3)
        ],
        "cities": [{"id": f"T{c}", "remote": c == 4} for c in range(5)],
        "skus": [{"id": f"K{s}", "grams": rng.randint(100, 2500), "cm3": rng.randint(200, 9000)} for s in range(6)],
        "carriers": [
            {"id": "road", "dim_cm3_per_kg": None, "kg_co2e_per_tonne_km": 0.1,
             "zones": [{"first_kg_yuan": 5 + 3 * z, "extra_kg_yuan": 1 + z} for z in range(4)]},
            {"id": "air", "dim_cm3_per_kg": 6000, "kg_co2e_per_tonne_km": 1.0,
             "zones": [{"first_kg_yuan": 11 + 4 * z, "extra_kg_yuan": 3 + 2 * z} for z in range(4)]},
        ],
        "lanes": {
            "km": km, "zone": [[min(3, d // 700) for d in row] for row in km],
            "hours": {"road": [[12 + d / 40 for d in row] for row in km],
                      "air": [[None if d < 500 else 10 + d / 300 for d in row] for row in km]},
        },
        "packaging": {"grams_per_parcel": 150, "kg_co2e_per_parcel": 0.1, "kg_co2e_per_kg": 0.02},
        "dropship": {"yuan_per_parcel": 24, "yuan_per_line": 20, "yuan_per_kg": 3, "hours": 120,
                     "kg_co2e_per_parcel": 0.3, "kg_co2e_per_kg": 0.2},
        "objective": {"yuan_per_hour": 0.08, "yuan_per_hour_remote": 0.2, "yuan_per_kg_co2e": 0.5},
        "promise": {"bucket_hours": 24},
        "forecast": {"units_per_day": units, "orders_per_day": per_day,
                     "share_ppm": [[round(1e6 * x / total) for x in row] for row in share],
                     "next_receipts_h": [36.0], "horizon_h": 72.0, "planned_receipt": planned},
    }  # fmt: skip


def stream(world: Message, seed: int = 1, *, most_lines: int = 3, volume: float = 1.0) -> Iterator[Message]:
    """Receipts, days, orders and waves in the order of the protocol; ``orders`` of waves are left empty."""
    rng = random.Random(seed * 31 + 7)
    forecast = world["forecast"]
    found: list[tuple[float, int, Message]] = []
    for at in (0.0, 36.0):
        rows = [
            [w["id"], k["id"], max(0, round(forecast["planned_receipt"][n][s] * rng.uniform(0.6, 1.4)))]
            for n, w in enumerate(world["warehouses"])
            for s, k in enumerate(world["skus"])
        ]
        found.append((at, 1, {"type": "receipt", "t": at, "stock": rows}))
    found += [(24.0 * day, 2, {"type": "day", "t": 24.0 * day, "day": day}) for day in range(3)]
    weights = [sum(row) for row in forecast["share_ppm"]]
    for n in range(round(forecast["orders_per_day"] * 3 * volume)):
        at = round(rng.uniform(0, 71.9), 2)
        city = rng.choices(range(5), weights)[0]
        skus = sorted(rng.sample(range(6), rng.randint(1, most_lines)))
        lines = [{"sku": f"K{s}", "qty": rng.choice([1, 1, 1, 2, 3])} for s in skus]
        found.append((at, 4, {"type": "order", "id": f"A{n}", "t": at, "city": f"T{city}", "lines": lines}))
    if world.get("wave_hours"):
        every = world["wave_hours"]
        found += [
            (n * every, 0, {"type": "wave", "wave": n, "t": n * every}) for n in range(1, int(72 / every) + 1)
        ]
    return (message for _, _, message in sorted(found, key=lambda x: (x[0], x[1])))


class Checked:
    """Runs a world and keeps its own books; every broken rule is an assertion."""

    def __init__(self, world: Message) -> None:
        self.world, self.run = world, Run(deepcopy(world))
        self.at = {w["id"]: n for n, w in enumerate(world["warehouses"])}
        self.stock: dict[tuple[str, str], int] = {}
        self.daily = {w["id"]: w["parcels_per_day"] for w in world["warehouses"]}
        self.used: dict[str, int] = dict.fromkeys(self.daily, 0)
        self.plans: dict[str, list[Message]] = {}
        self.asked: dict[str, Message] = {}
        self.promised: dict[str, float] = {}
        self.waiting: list[str] = []
        self.changed = 0

    def play(self, messages: Iterator[Message]) -> float:
        """All messages; yuan per order as computed here."""
        for message in messages:
            if message["type"] == "wave":
                self._wave({**message, "orders": self.waiting})
            elif message["type"] == "order":
                self._order(message)
            else:
                assert self.run.take(message) is None
                self._event(message)
        return sum(self.cost(order_id)[0] for order_id in self.plans) / len(self.plans)

    def _event(self, message: Message) -> None:
        if message["type"] == "day":
            self.used = dict.fromkeys(self.daily, 0)
        elif message["type"] == "capacity":
            self.daily[message["warehouse"]] = message["parcels_per_day"]
        for warehouse, sku, units in message.get("stock", ()):
            self.stock[warehouse, sku] = self.stock.get((warehouse, sku), 0) + units

    def _order(self, message: Message) -> None:
        answer = self.run.take(message)
        assert answer is not None
        assert answer["order"] == message["id"]
        order_id = message["id"]
        self.asked[order_id], self.plans[order_id] = message, answer["plan"]
        self._move([answer["plan"]], 1)
        total, last, told = self.cost(order_id)
        assert sum(answer["terms"][k] for k in ("money", "hours", "co2")) == _near(total)
        assert answer["terms"]["money"] == _near(told)
        bucket = self.world.get("promise", {}).get("bucket_hours") or 0
        self.promised[order_id] = math.ceil(round(last, 6) / bucket) * bucket if bucket else last
        self.waiting.append(order_id)

    def _wave(self, message: Message) -> None:
        answer = self.run.take(message)
        assert answer is not None
        assert answer["wave"] == message["wave"]
        ids = [change["order"] for change in answer["changes"]]
        assert len(set(ids)) == len(ids)
        assert set(ids) <= set(self.waiting)
        self._move([self.plans[order_id] for order_id in ids], -1)
        for change in answer["changes"]:
            self.plans[change["order"]] = change["plan"]
        self._move([self.plans[order_id] for order_id in ids], 1)
        for order_id in ids:
            assert self.cost(order_id)[1] <= self.promised[order_id] + 1e-6
        self.changed += len(ids)
        self.waiting = []

    def _move(self, plans: list[list[Message]], sign: int) -> None:
        for plan in plans:
            for parcel in plan:
                warehouse = parcel["warehouse"]
                if warehouse != "DROP":
                    self.used[warehouse] += sign
                    for sku, units in parcel["lines"]:
                        self.stock[warehouse, sku] = self.stock.get((warehouse, sku), 0) - sign * units
        for plan in plans if sign > 0 else ():
            for parcel in plan:
                if parcel["warehouse"] != "DROP":
                    assert self.used[parcel["warehouse"]] <= self.daily[parcel["warehouse"]]
                    assert all(self.stock[parcel["warehouse"], sku] >= 0 for sku, _ in parcel["lines"])

    def cost(self, order_id: str) -> tuple[float, float, float]:
        """Yuan of the objective, hours of the last parcel, money; from the figures of the world."""
        w, order = self.world, self.asked[order_id]
        city = next(n for n, c in enumerate(w["cities"]) if c["id"] == order["city"])
        rate = w["objective"]["yuan_per_hour_remote" if w["cities"][city].get("remote") else "yuan_per_hour"]
        sent = sorted(tuple(x) for parcel in self.plans[order_id] for x in parcel["lines"])
        assert sent == sorted((x["sku"], x["qty"]) for x in order["lines"])
        total = last = told = 0.0
        for parcel in self.plans[order_id]:
            money, hours, kg = self._parcel(parcel, city)
            share = len(parcel["lines"]) / len(order["lines"])
            total += money + rate * hours * share + w["objective"]["yuan_per_kg_co2e"] * kg
            told, last = told + money, max(last, hours)
        return total, last, told

    def _parcel(self, parcel: Message, city: int) -> tuple[float, float, float]:
        w = self.world
        skus = {s["id"]: s for s in w["skus"]}
        goods = sum(skus[k]["grams"] * q for k, q in parcel["lines"])
        if parcel["warehouse"] == "DROP":
            d = w["dropship"]
            money = (
                d["yuan_per_parcel"]
                + d["yuan_per_line"] * len(parcel["lines"])
                + d["yuan_per_kg"] * goods / 1000
            )
            return money, d["hours"], d["kg_co2e_per_parcel"] + d["kg_co2e_per_kg"] * goods / 1000
        n = self.at[parcel["warehouse"]]
        carrier = next(k for k in w["carriers"] if k["id"] == parcel["carrier"])
        hours = w["lanes"]["hours"][carrier["id"]][n][city]
        assert hours is not None
        packaging = w.get("packaging") or {
            "grams_per_parcel": 0,
            "kg_co2e_per_parcel": 0,
            "kg_co2e_per_kg": 0,
        }
        grams = billed = goods + packaging["grams_per_parcel"]
        if carrier["dim_cm3_per_kg"]:
            cm3 = sum(skus[k]["cm3"] * q for k, q in parcel["lines"])
            billed = max(billed, math.ceil(cm3 * 1000 / carrier["dim_cm3_per_kg"]))
        zone, site = carrier["zones"][w["lanes"]["zone"][n][city]], w["warehouses"][n]
        money = zone["first_kg_yuan"] + zone["extra_kg_yuan"] * (max(1, math.ceil(billed / 1000)) - 1)
        money += site["handling_yuan_per_parcel"] + site["handling_yuan_per_line"] * len(parcel["lines"])
        kg = grams / 1e6 * w["lanes"]["km"][n][city] * carrier["kg_co2e_per_tonne_km"]
        kg += (
            site["kg_co2e_per_parcel"]
            + packaging["kg_co2e_per_parcel"]
            + packaging["kg_co2e_per_kg"] * grams / 1000
        )
        return money, hours, kg


def _near(value: float) -> Any:
    return pytest.approx(value, abs=0.001)


def times(world: Message, factor: float) -> Message:
    """The same world in another currency: every amount of money times ``factor``."""
    other: Message = deepcopy(world)
    for row in other["warehouses"]:
        row["handling_yuan_per_parcel"] *= factor
        row["handling_yuan_per_line"] *= factor
    for carrier in other["carriers"]:
        for zone in carrier["zones"]:
            zone["first_kg_yuan"] *= factor
            zone["extra_kg_yuan"] *= factor
    for key in ("yuan_per_parcel", "yuan_per_line", "yuan_per_kg"):
        other["dropship"][key] *= factor
    other["objective"] = {key: value * factor for key, value in other["objective"].items()}
    return other
