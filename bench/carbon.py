"""Carbon: the pure engine beside pint, candidate estimates in a routing decision, and a ledger calculated again.

    python bench/carbon.py [--orders 100000] [--workers 2] [--engine-only]

`elements_per_s`: elements through the engine with checks, flags, factors and figures, in chains of four, CPU of one
thread. `ratio_to_pint`: pint's time for the same figures over ours, pint reading each quantity as it stands in a case
("12.5 kg"); `ratio_to_pint_numbers`: with numbers and units handed to it ready-made. Null where pint is not installed.
`candidates_200_ms`: 200 lanes nobody asked for before, added to a decision (limit 2 ms).
`recompute_orders_per_s`: orders of a month calculated again on a new factor set by worker processes on PostgreSQL, with
the report of every order (limit: 100,000 orders in 5 minutes); `…_cpu_ms_per_order` is what the workers themselves
used of the processor, on a busy machine the only figure that compares. The last line is the figures as one JSON object.
"""

from __future__ import annotations

import argparse
import importlib.util
import resource
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import house

ROUNDS = 7
CHAINS = 300
CANDIDATES = 200
LIMIT_RATIO, LIMIT_CANDIDATES_MS, LIMIT_MINUTES = 50.0, 2.0, 5.0


def engine() -> tuple[float, float | None, float | None]:
    """Elements per second of the engine, how many times as fast as pint it is, and as pint that reads its quantities."""
    from carbon.defaults import chain_for
    from carbon.estimate import calculate

    chains = [
        chain_for(mass_kg=Decimal(n % 50 + 1) / 10, distance_km=Decimal(100 + n), province="zj")
        for n in range(CHAINS)
    ]
    elements = sum(len(chain) for chain in chains)
    ours = min(_cpu(lambda: [calculate(chain) for chain in chains]) for _ in range(ROUNDS)) / elements
    if importlib.util.find_spec("pint") is None:
        print("pint is not installed: no comparison")
        return 1 / ours, None, None
    theirs = min(_with_pint(chains) for _ in range(3)) / elements
    reading = _with_pint(chains[:60], from_text=True) / elements * CHAINS / 60
    print(f"engine {1 / ours:,.0f} elements/s, pint {1 / theirs:,.0f}, pint from text {1 / reading:,.0f}")
    return 1 / ours, theirs / ours, reading / ours


def _with_pint(chains: list[Any], *, from_text: bool = False) -> float:
    """CPU seconds of the same figures (t·km, TTW, WTT, their sum) as quantities with units, in Decimal.

    With `from_text` pint reads each quantity as it stands in a document: "12.5 kg".
    """
    from pint import UnitRegistry

    from carbon.estimate import HubElement, PackagingElement

    units = UnitRegistry(non_int_type=Decimal)
    made = units.Quantity

    def of(value: Decimal, unit: str) -> Any:
        return made(f"{value} {unit}") if from_text else made(value, unit)

    def parts(amount: Any, factor: Any, per: str) -> Any:
        """TTW, WTT and both, in kg; a single figure where there is no split."""
        if factor.ttw is None:
            return (amount * of(factor.total, f"kg / {per}")).to("kg")
        ttw = (amount * of(factor.ttw, f"kg / {per}")).to("kg")
        wtt = (amount * of(factor.wtt, f"kg / {per}")).to("kg")
        return ttw + wtt

    def figure(element: Any) -> Any:
        if isinstance(element, HubElement):
            return parts(of(element.energy[0].quantity, "kWh"), element.energy[0].factor, "kWh")
        if isinstance(element, PackagingElement):
            return sum(
                (parts(of(one.mass_kg, "kg"), one.factor, "kg") for one in element.items),
                made(Decimal(0), "kg"),
            )
        distance = of(element.distance_km, "km")
        if element.mass_kg is not None:
            activity = (of(element.mass_kg, "kg") * distance).to("tonne * km")
            return parts(activity, element.factor, "(tonne * km)")
        return parts(distance, element.factor, "km") * (element.share.own / element.share.total)

    def all_of_it() -> None:
        for chain in chains:
            whole = made(Decimal(0), "kg")
            for element in chain:
                whole += figure(element)

    all_of_it()
    return _cpu(all_of_it)


def candidates() -> float:
    """Milliseconds of 200 lanes to a place that nobody ordered from before, each with its figure for one order."""
    from carbon import defaults

    provinces = ("zj", "gd", "js", "hb", "sc", "bj", "sd", "fj", "hn", "sn")

    def one(first_km: int) -> float:
        started = time.thread_time_ns()
        for n in range(CANDIDATES):
            lane = defaults.lane_for(
                distance_km=Decimal(first_km + n),
                province=provinces[n % 10],
                mode="road" if n % 3 else "rail",
            )
            _figure = lane.kgco2e_per_kg * Decimal("2.5") + lane.kgco2e_per_parcel
        return (time.thread_time_ns() - started) / 1e6

    one(1)
    return median(one(1000 * n) for n in range(1, 12))


def _cpu(action: Any) -> float:
    started = time.thread_time_ns()
    action()
    return (time.thread_time_ns() - started) / 1e9


# ---- the ledger ----------------------------------------------------------------------------------

MONTH = date(2026, 9, 1)


def recompute(orders: int, workers: int) -> dict[str, float]:
    """Orders per second of a month on another factor set, by worker processes; checks that every cent of it adds up."""
    from django.db.models import Sum
    from django.utils import timezone

    from carbon.models import CalculationRun, FactorSet, LedgerEntry, Recompute, Restated
    from carbon.restating import periods, work

    merchant = _seed(orders)
    now = timezone.now()
    before = LedgerEntry.objects.aggregate(kg=Sum("total_kgco2e"))["kg"]
    period = periods.close(merchant, MONTH, actor="bench", now=now)
    periods.reopen(period, reason="new factors", actor="bench", now=now)
    figures: dict[str, float] = {}
    for is_adopted in (False, True):
        asked = work.ask(
            merchant, FactorSet.objects.get(code="bench-2026"), since=MONTH, until=date(2026, 9, 30),
            is_adopted=is_adopted, cause="FACTOR_UPDATE", actor="bench", now=now,
        )  # fmt: skip
        started, used = time.perf_counter(), _children_cpu()
        processes = [
            subprocess.Popen([sys.executable, str(Path(__file__).resolve()), "--work", str(asked.pk)])
            for _ in range(workers)
        ]
        assert [process.wait() for process in processes] == [0] * workers
        wall = time.perf_counter() - started
        cpu_ms = (_children_cpu() - used) / orders * 1000
        asked.refresh_from_db()
        assert (asked.state, asked.done, asked.total) == (Recompute.State.DONE, orders, orders), asked.state
        name = "adopt" if is_adopted else "recompute"
        figures[f"{name}_orders_per_s"] = round(orders / wall, 1)
        figures[f"{name}_100k_minutes"] = round(wall / orders * 100_000 / 60, 2)
        figures[f"{name}_cpu_ms_per_order"] = round(cpu_ms, 2)
        print(
            f"{name}: {orders:,} orders in {wall:.1f} s, {cpu_ms:.2f} ms of CPU each, {workers} workers",
            flush=True,
        )
        rows = Restated.objects.filter(recompute=asked)
        sums = rows.aggregate(before=Sum("before_kgco2e"), after=Sum("after_kgco2e"))
        assert sums["before"] == before, (sums, before)
    told = periods.restatement(period, CalculationRun.Basis.ESTIMATE)
    assert told.published_kg == before
    assert told.by_cause["factor"] == sums["after"] - before, told
    assert told.now_kg == sums["after"] == LedgerEntry.objects.aggregate(kg=Sum("total_kgco2e"))["kg"]
    print(f"restated {told.published_kg} → {told.now_kg} kg, all of it by factor")
    return figures


def _children_cpu() -> float:
    """CPU seconds of the worker processes that have ended: what a quiet machine would need, however busy this one is."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _seed(orders: int) -> Any:
    """A merchant with an estimate for each of its orders, all of last month, written as the ledger writes them."""
    from django.db import connection, transaction

    from carbon import importer, posting
    from carbon.consignments import Contents
    from carbon.defaults import chain_for
    from carbon.factors import services
    from carbon.factors.sheet import read
    from carbon.models import FactorSet
    from orderhub.orders.models import Order, OrderLine
    from tests import make

    now = datetime(2026, 10, 1, tzinfo=UTC)
    importer.import_bundled(now=now)
    make.network()
    make.place(*(make.draft(f"T{n}", lines={"LAMP": 1, "CUP": 2}) for n in range(10)))
    owner = make.merchant()
    template = list(Order.objects.filter(merchant=owner).order_by("pk"))
    assert template
    line_ids = list(OrderLine.objects.filter(order=template[0]).values_list("pk", flat=True))
    about = services.About("bench-2026", "bench", "2026", "test", "test", redistributable=False)
    rows, faults = read(_new_edition())
    assert not faults, faults[:3]
    made = services.store(rows, about, b"bench", actor="bench", now=now)
    FactorSet.objects.filter(pk=made.pk).update(status="active")
    started = time.perf_counter()
    for first in range(0, orders, 2000):
        drafts = []
        for n in range(first, min(first + 2000, orders)):
            contents = Contents(tuple((pk, 1 + n % 3, 400) for pk in line_ids))
            draft = posting.calculated(
                f"fulfillment:{n}", lambda n=n, c=contents: chain_for(  # type: ignore[misc]
                    mass_kg=c.goods_kg, distance_km=Decimal(200 + n % 900), province="zj"
                ), contents, basis="estimate", order_id=template[n % len(template)].pk, merchant_id=owner.pk,
                event_id=10_000_000 + n, activity_date=MONTH + timedelta(days=n % 30), now=now,
            )  # fmt: skip
            assert draft is not None
            drafts.append(draft)
        with transaction.atomic():
            posting.post(drafts)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    print(f"seeded {orders:,} orders in {time.perf_counter() - started:.0f} s", flush=True)
    return owner


def _new_edition() -> list[dict[str, object]]:
    """The bundled rows of 2025 with every figure 3 % lower, as a book of 2026."""
    import csv

    from carbon.core.gases import DATA

    found: list[dict[str, object]] = []
    for name in ("factors_freight_desnz.csv", "factors_packaging_desnz.csv"):
        with (DATA / name).open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                if row["set_year"] == "2025":
                    for column in ("ttw_kgco2e", "wtt_kgco2e", "total_kgco2e"):
                        if row[column]:
                            row[column] = f"{Decimal(row[column]) * Decimal('0.97'):f}"
                    found.append({**row, "valid_from": "2026-01-01", "valid_to": ""})
    return found


def serve(recompute_id: int) -> None:
    """A worker: part after part, until nothing is left."""
    from carbon.models import Recompute
    from carbon.restating import work

    while Recompute.objects.get(pk=recompute_id).state in Recompute.OPEN:
        if not work.work():
            time.sleep(0.2)


def main() -> int:
    """Measure, print, and fail where a limit is passed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--engine-only", action="store_true")
    parser.add_argument("--work", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        house.services()
        serve(given.work)
        return 0
    if not given.engine_only:
        house.services()
    speed, ratio, reading = engine()
    added_ms = candidates()
    figures: dict[str, Any] = {} if given.engine_only else recompute(given.orders, given.workers)
    house.end_with(
        elements_per_s=round(speed), ratio_to_pint=None if reading is None else round(reading, 1),
        ratio_to_pint_numbers=None if ratio is None else round(ratio, 1),
        candidates_200_ms=round(added_ms, 3), orders=given.orders, workers=given.workers,
        **{"recompute_orders_per_s": None, **figures},
    )  # fmt: skip
    too_slow = any(figures.get(f"{name}_100k_minutes", 0) > LIMIT_MINUTES for name in ("recompute", "adopt"))
    return int((reading is not None and reading < LIMIT_RATIO) or added_ms > LIMIT_CANDIDATES_MS or too_slow)


if __name__ == "__main__":
    sys.exit(main())
