"""Delivery-time quantiles on real orders, time split: coverage and pinball loss against the lane table.

    python bench/delivery.py FOLDER        # with Olist's tables (olist_orders_dataset.csv.gz and so on)

The first 65 % of the delivered orders (by time of purchase) make table and model, the next 15 % start the rolling bands,
the last 20 % are judged. Table and model are made again every 300 orders, from parcels delivered by then; the lane table
the model is held against is the one made once (`pinball_under_lane_table`), and the one made again as often
(`pinball_under_renewed_table`). The last line is JSON.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import math
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench.house import end_with
from routing.learning.engine.delivery import Bands, Features, LaneTable, Model, Parcel, quality, roll, rows

#: Orders after which table and model are made again.
RENEWED = 300


def table(folder: Path, name: str) -> Iterator[dict[str, str]]:
    """The rows of one file."""
    with gzip.open(folder / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def parcels(folder: Path) -> list[Parcel]:
    """Delivered orders with items; the seller's place is the origin, the customer's the destination."""
    spot = {
        row["zip_code_prefix"]: (float(row["lat"]), float(row["lng"]))
        for row in table(folder, "zip_prefix_centres")
    }
    sellers = {row["seller_id"]: row for row in table(folder, "olist_sellers_dataset")}
    customers = {row["customer_id"]: row for row in table(folder, "olist_customers_dataset")}
    grams = {row["product_id"]: row["product_weight_g"] for row in table(folder, "olist_products_dataset")}
    items: dict[str, list[dict[str, str]]] = {}
    for row in table(folder, "olist_order_items_dataset"):
        items.setdefault(row["order_id"], []).append(row)
    found = []
    for row in table(folder, "olist_orders_dataset"):
        lines = items.get(row["order_id"])
        if row["order_status"] != "delivered" or not row["order_delivered_customer_date"] or not lines:
            continue
        seller = sellers.get(lines[0]["seller_id"])
        customer = customers[row["customer_id"]]
        if seller is None:
            continue
        sent, arrived, told = (
            datetime.fromisoformat(row[name])
            for name in (
                "order_purchase_timestamp",
                "order_delivered_customer_date",
                "order_estimated_delivery_date",
            )
        )
        ends = [spot.get(seller["seller_zip_code_prefix"]), spot.get(customer["customer_zip_code_prefix"])]
        found.append(Parcel(
            seller["seller_state"], customer["customer_state"], sent, arrived, _km(*ends),
            sum(float(grams.get(line["product_id"]) or 0) for line in lines), (told - sent).total_seconds() / 3600,
        ))  # fmt: skip
    return sorted(found, key=lambda one: one.sent_at)


def _km(start: tuple[float, float] | None, end: tuple[float, float] | None) -> float:
    if start is None or end is None:
        return math.nan
    north = math.radians(end[0] - start[0])
    east = math.radians(end[1] - start[1]) * math.cos(math.radians((start[0] + end[0]) / 2))
    return 6371 * math.hypot(north, east)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    began = time.perf_counter()
    known = parcels(given.folder)
    first, second = int(0.65 * len(known)), int(0.80 * len(known))
    numbers = rows(known, Features())
    hours = np.array([one.hours for one in known])
    tables, models = [], []
    for start in range(first, len(known), RENEWED):
        at, part = known[start].sent_at, slice(start, start + RENEWED)
        usable = [n for n in range(start) if (known[n].delivered_at or at) < at]
        tables.append(LaneTable.of([known[n] for n in usable]))
        models.append(Model.fit(numbers[usable], hours[usable]).predict(numbers[part]))
    late = known[first:]
    renewed = [
        table.predict(known[start : start + RENEWED])
        for table, start in zip(tables, range(first, len(known), RENEWED), strict=True)
    ]
    told = {
        "lane table": tables[0].predict(late), "renewed table": np.concatenate(renewed),
        "model": np.concatenate(models),
    }  # fmt: skip
    told["model + bands"] = roll(late, told["model"], Bands())
    judged = {name: quality(one[second - first :], hours[second:]) for name, one in told.items()}
    for name, one in judged.items():
        print(
            name,
            {q: round(c, 3) for q, c in one.coverage.items()},
            {q: round(p, 2) for q, p in one.pinball.items()},
        )
    best, base = judged["model + bands"], judged["lane table"]
    renewed_loss = judged["renewed table"].pinball.values()
    gains = {str(q): round(1 - best.pinball[q] / base.pinball[q], 4) for q in base.pinball}
    end_with(
        worst_coverage_miss=round(best.worst_miss, 4),
        pinball_under_lane_table=round(1 - sum(best.pinball.values()) / sum(base.pinball.values()), 4),
        pinball_under_renewed_table=round(1 - sum(best.pinball.values()) / sum(renewed_loss), 4),
        pinball_by_quantile=gains, judged=len(known) - second,
        seconds=round(time.perf_counter() - began, 1),
    )  # fmt: skip


if __name__ == "__main__":
    main()
