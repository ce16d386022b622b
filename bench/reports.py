"""A routing report of four weeks and 50,000 orders beside the four weeks before, on PostgreSQL.

    python bench/reports.py [--orders 50000] [--template 400] [--keep]

A few hundred real orders go from the API to the doorstep on stock that is short in places, are cloned by SQL into
eight weeks (bench/history.py), and a Celery task, run in this process, makes the report: both periods read and added
up, the change explained, advice worked out, the result put in force. Its totals are compared with PostgreSQL's own
sums. Also measured: the PDF, the CSV, and with `--replay` the replay of the first recommendation on the twin.
The last line is JSON {"report_s", "orders", "peak_mb", …}; exit code 1 above 60 s or where a total differs.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench import history, house, pipeline

WEEKS = timedelta(weeks=4)
LIMIT_S = 60.0
#: What a report reads; the other tables of an order are left out.
TABLES = (
    "orders_person", "orders_order", "orders_orderline", "routing_decision", "fulfillment_fulfillmentorder",
    "fulfillment_fulfillmentline",
)  # fmt: skip
PAID = " + ".join(
    f"coalesce((p.value->'terms'->>'{term}')::numeric, 0)"
    for term in ("freight", "handling", "duty", "return_risk")
)


def scarce(**_options: Any) -> Any:
    """The demo shop with plenty of everything, but a third of all shelves empty."""
    from orderhub.inventory import services as inventory
    from orderhub.inventory.models import Stock
    from orderhub.kernel import clock

    merchant = seed(units=100_000)
    chance = random.Random(4)
    rows = Stock.objects.filter(merchant=merchant).select_related("warehouse", "sku").order_by("pk")
    empty = [(row.warehouse, row.sku, 0) for row in rows if chance.random() < 0.33]
    inventory.set_counts(empty, actor="bench", now=clock.now())
    return merchant


seed = pipeline.seed


def fill(orders: int, template: int) -> Any:
    """Eight weeks of orders; plans and removals of the clones name the clones' own lines."""
    per_period = max(1, orders // template)
    with mock.patch.object(pipeline, "seed", scarce):
        made = history.template(template, step=WEEKS / per_period)
    made.grown = {name: grown for name, grown in made.grown.items() if name in TABLES}
    history.clone(made, per_period * 2, thin=False)
    _shift_lines(made)
    return made


def _shift_lines(made: Any) -> None:
    order, line = made.grown["orders_order"], made.grown["orders_orderline"]
    k = f"(({order.first} - d.order_id + {order.stride} - 1) / {order.stride})"
    shifted = f"to_jsonb(({{0}}->>'line_id')::bigint - {k} * {line.stride})"
    pieces = (
        f"(SELECT jsonb_agg(x || jsonb_build_object('line_id', {shifted.format('x')})) "
        "FROM jsonb_array_elements(p->'pieces') x)"
    )
    parcels = f"(SELECT jsonb_agg(p || jsonb_build_object('pieces', {pieces})) FROM jsonb_array_elements(d.plan->'parcels') p)"
    removed = (
        f"(SELECT coalesce(jsonb_agg(CASE WHEN jsonb_typeof(r->'line_id') = 'number' THEN r || jsonb_build_object('line_id', "
        f"{shifted.format('r')}) ELSE r END), '[]') FROM jsonb_array_elements(d.removed) r)"
    )
    history.run(
        f"UPDATE routing_decision d SET plan = jsonb_set(d.plan, '{{parcels}}', {parcels}), removed = {removed} "
        f"WHERE d.order_id < {order.first} AND d.plan IS NOT NULL"
    )


def vary(since: Any) -> None:
    """The earlier period had fewer orders from the south-west, and cheaper freight by one card: mix and price."""
    history.run(
        "UPDATE routing_decision d SET superseded_at = d.decided_at FROM orders_order o WHERE o.id = d.order_id "
        "AND d.superseded_at IS NULL AND o.received_at < %s AND o.province LIKE ANY(ARRAY['四川%%', '云南%%', '重庆%%']) "
        "AND o.id %% 3 = 0", [since],
    )  # fmt: skip
    history.run("VACUUM ANALYZE routing_decision")


def compare(report: Any, starts_at: Any, ends_at: Any) -> list[str]:
    """What differs between the report and PostgreSQL's own sums."""
    ((orders, parcels, cost, kgco2e, plan_total),) = history.run(
        "SELECT count(*), sum(s.parcels), sum(s.cost), sum((d.plan->>'kgco2e')::numeric), sum(d.total) "
        "FROM routing_decision d JOIN orders_order o ON o.id = d.order_id CROSS JOIN LATERAL "
        f"(SELECT count(*) AS parcels, sum({PAID}) AS cost FROM jsonb_array_elements(d.plan->'parcels') p) s "
        "WHERE d.superseded_at IS NULL AND o.received_at >= %s AND o.received_at < %s "
        "AND o.stage NOT IN ('cancelled', 'merged')", [starts_at, ends_at],
    )  # fmt: skip
    now = report.result["now"]
    told = now["total"]
    pairs = {
        "orders": (told["orders"], orders), "parcels": (told["parcels"], parcels),
        "cost": (Decimal(told["cost"]), cost), "kgco2e": (Decimal(told["kgco2e"]), kgco2e),
        "plan_total": (Decimal(now["plan_total"]), plan_total),
    }  # fmt: skip
    return [f"{name}: {mine} instead of {theirs}" for name, (mine, theirs) in pairs.items() if mine != theirs]


def main() -> None:
    """Fill, make, compare, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=50_000)
    parser.add_argument("--template", type=int, default=400)
    parser.add_argument("--replay", action="store_true")
    parser.add_argument("--filled", action="store_true", help="The database is full already.")
    arguments = parser.parse_args()
    house.services()
    from django.utils.translation import override

    from orderhub.access.models import Merchant
    from orderhub.orders.models import Order
    from routing.reports import exports, making, pdf, replays, service
    from routing.reports.models import RoutingReport

    if not arguments.filled:
        started = time.perf_counter()
        fill(arguments.orders, arguments.template)
        print(f"filled in {time.perf_counter() - started:.0f} s")
    merchant = Merchant.objects.get(code="bench")
    newest = Order.objects.order_by("-received_at").values_list("received_at", flat=True)[0]
    until = newest.date() - timedelta(days=2)
    since = until - timedelta(days=27)
    report = service.ask(merchant, "period", since, until, actor="bench")
    span = making.span_of(report)
    if not arguments.filled:
        vary(span.starts_at)
    base_mb, started, cpu = house.peak_mb(), time.perf_counter(), time.process_time()
    service.work()
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    report = RoutingReport.objects.select_related("merchant").get(pk=report.pk)
    if report.result is None:
        raise SystemExit(f"the report was not made: {report.error}")
    faults = compare(report, span.starts_at, span.ends_at)
    figures: dict[str, Any] = {
        "report_s": round(seconds, 2), "orders": report.result["now"]["total"]["orders"], "read": report.total,
        "peak_mb": round(house.peak_mb()), "more_mb": round(house.peak_mb() - base_mb), "cpu_s": round(cpu, 2),
        "recommendations": report.recommendations.count(), "differences": len(faults),
    }  # fmt: skip
    with override("zh-hans"):
        for name, maker in (("pdf_s", pdf.of), ("csv_s", exports.report)):
            started = time.perf_counter()
            maker(report)
            figures[name] = round(time.perf_counter() - started, 2)
    first = report.recommendations.order_by("rank").first()
    if arguments.replay and first is not None:
        started = time.perf_counter()
        replays.ask(first)
        replays.work()
        first.refresh_from_db()
        figures["replay_s"] = round(time.perf_counter() - started, 2)
        print(first.kind, first.value_yuan, first.replay, first.replay_error, first.replay_result)
    for fault in faults:
        print(fault)
    print(json.dumps(figures))
    sys.exit(1 if faults or seconds > LIMIT_S else 0)


if __name__ == "__main__":
    main()
