"""How long a checkout waits for a promise: one call after another through the whole API stack, on PostgreSQL.

    python bench/promise.py [--calls 1000]

The demo shop (12 warehouses, 120 SKUs, its carriers) with the ready-made strategies; carts of one
to three SKUs to the cities of the demo, all four options each. `queries` is the largest number of statements of a
call. The last line is one JSON object: {"p50_ms", "p99_ms", "queries", "cpu_p50_ms",
"cpu_p99_ms"}; the last two are this process's own time, which other work on the machine does not lengthen as much.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
from pathlib import Path
from statistics import quantiles
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench import house

PARTS = (
    "orderhub.inventory.demo.seed", "orderhub.fulfillment.demo.seed", "orderhub.orders.demo.seed",
    "orderhub.connectors.demo.seed", "routing.demo.seed", "carbon.demo.seed",
)  # fmt: skip
PATH = "/api/v1/routing/promise/"
WARM_UP = 50


def main() -> None:
    """Seed, warm up, measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=1000)
    asked = parser.parse_args()
    house.services()
    logging.disable(logging.INFO)  # a line a call would be the bench's own work
    client, skus = _shop()
    rng = random.Random(7)
    bodies = [_body(rng, skus) for _ in range(asked.calls + WARM_UP)]
    for body in bodies[:WARM_UP]:
        _call(client, body)
    calls = [_timed(client, body) for body in bodies[WARM_UP:]]
    wall, cpu = (quantiles(column, n=100) for column in zip(*calls, strict=True))
    house.end_with(
        p50_ms=round(wall[49], 2), p99_ms=round(wall[98], 2), queries=_most_queries(client, bodies[:50]),
        cpu_p50_ms=round(cpu[49], 2), cpu_p99_ms=round(cpu[98], 2),
    )  # fmt: skip


def _shop() -> tuple[Any, list[str]]:
    """The demo shop's client without a limit of calls, and its SKU codes."""
    from django.conf import settings
    from django.utils.module_loading import import_string
    from rest_framework.test import APIClient

    from orderhub.access import services as access
    from orderhub.access.models import Merchant
    from orderhub.inventory.models import Sku
    from orderhub.kernel import clock

    settings.API_RATES = {**settings.API_RATES, "promise": 100_000}
    merchant = Merchant.objects.create(code="bench", name="bench")
    for part in PARTS:
        import_string(part)(merchant, now=clock.now())
    _row, key = access.issue_key(merchant, name="bench", scopes=["promises:read"])
    client = APIClient(headers={"Authorization": f"Api-Key {key}"})
    return client, list(Sku.objects.filter(merchant=merchant).order_by("pk").values_list("code", flat=True))


def _body(rng: random.Random, skus: list[str]) -> dict[str, Any]:
    from orderhub.connectors.demo import PLACES

    province, city, *_rest = rng.choice(PLACES)
    lines = [
        {"sku": sku, "quantity": rng.randint(1, 3)} for sku in rng.sample(skus, rng.choice((1, 1, 2, 3)))
    ]
    return {"lines": lines, "destination": {"province": province, "city": city}}


def _call(client: Any, body: dict[str, Any]) -> None:
    answer = client.post(PATH, body, format="json")
    if answer.status_code != 200:
        raise SystemExit(f"{answer.status_code}: {answer.content!r}")


def _timed(client: Any, body: dict[str, Any]) -> tuple[float, float]:
    """Milliseconds of wall and of this process's time of one call."""
    with house.Stopwatch() as watch:
        _call(client, body)
    return watch.wall_seconds * 1000, watch.cpu_seconds * 1000


def _most_queries(client: Any, bodies: list[dict[str, Any]]) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    most = 0
    for body in bodies:
        with CaptureQueriesContext(connection) as seen:
            _call(client, body)
        most = max(most, len(seen))
    return most


if __name__ == "__main__":
    main()
