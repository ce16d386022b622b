"""What the database and the broker know, asked at each scrape; no query here grows with the hub's history."""

from __future__ import annotations

import logging
import math
import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count, Max, Sum
from django.utils.module_loading import import_string
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from orderhub.celery import QUEUES
from orderhub.connectors.models import ImportBatch
from orderhub.events import partitions, queries
from orderhub.events.models import Delivery, Event
from orderhub.events.partitions import MONTH_BITS
from orderhub.inventory.models import Stock
from orderhub.kernel import clock
from orderhub.observe.meters import FAILURES
from orderhub.orders.models import Order
from orderhub.orders.models.order import Stage

logger = logging.getLogger(__name__)

#: Stages an order does not leave any more are many and not asked for.
MOVING = (
    Stage.RECEIVED, Stage.REVIEWING, Stage.ROUTED, Stage.BACKORDERED, Stage.RELEASED, Stage.PARTIALLY_SHIPPED,
    Stage.SHIPPED, Stage.PARTIALLY_DELIVERED,
)  # fmt: skip
RECENT_DECISIONS = 200
RECENT_EVENTS = 20_000
QUANTILES = (0.5, 0.95, 0.99)
BROKER_SECONDS = 1.0


class Hub(Collector):
    """All of it; a part that cannot be read is counted and left out, the others are told."""

    def collect(self) -> Iterator[Metric]:
        """The metrics of every part."""
        for part in PARTS:
            try:
                yield from list(part())
            except (DatabaseError, redis.RedisError, OSError) as fault:
                FAILURES.labels(part.__name__.strip("_")).inc()
                logger.warning(
                    "metrics: %s cannot be read: %s", part.__name__.strip("_"), type(fault).__name__
                )


def _gauge(name: str, text: str, labels: Iterable[str] = ()) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"orderhub_{name}", text, labels=list(labels))


def _totals() -> Iterator[Metric]:
    for name, model in (("orders", Order), ("deliveries", Delivery)):
        highest = model._default_manager.aggregate(highest=Max("pk"))["highest"] or 0
        yield CounterMetricFamily(f"orderhub_{name}", f"{name.capitalize()} ever written.", value=highest)
    last = Event.objects.aggregate(highest=Max("pk"))["highest"] or 0
    # The lower bits count all events, whatever their month.
    yield CounterMetricFamily(
        "orderhub_events", "Events ever recorded.", value=last & ((1 << MONTH_BITS) - 1)
    )
    sums = ImportBatch.objects.aggregate(rows=Sum("rows"), refused=Sum("refused_rows"))
    lines = CounterMetricFamily("orderhub_import_lines", "Lines of imported files.", labels=["outcome"])
    lines.add_metric(["read"], sums["rows"] or 0)
    lines.add_metric(["refused"], sums["refused"] or 0)
    yield lines


def _orders() -> Iterator[Metric]:
    family = _gauge("orders_in_stage", "Orders on their way, by stage.", ["stage"])
    rows = Order.objects.filter(stage__in=MOVING).values_list("stage").annotate(n=Count("pk")).order_by()
    found = dict(rows)
    for stage in MOVING:
        family.add_metric([stage.value], found.get(stage.value, 0))
    yield family


def _deliveries() -> Iterator[Metric]:
    backlog = queries.backlog(now=clock.now())
    shown: tuple[tuple[str, str, Callable[[queries.Backlog], float]], ...] = (
        ("deliveries_open", "Deliveries not done yet.", lambda row: row.open),
        ("deliveries_dead", "Deliveries that need a person.", lambda row: row.dead),
        ("deliveries_oldest_seconds", "Age of the oldest open delivery.", lambda row: row.oldest_seconds),
    )
    for name, text, value in shown:
        family = _gauge(name, text, ["subscriber", "queue"])
        for row in backlog:
            family.add_metric([row.subscriber, row.queue], value(row))
        yield family
    retried = _gauge("deliveries_retrying", "Open deliveries that failed before.", ["subscriber"])
    again = Delivery.objects.filter(state__in=queries.OPEN, attempts__gt=1).values_list("subscriber")
    for subscriber, number in again.annotate(n=Count("pk")).order_by("subscriber"):
        retried.add_metric([subscriber], number)
    yield retried


def _projections() -> Iterator[Metric]:
    behind = _gauge("projection_behind_events", "Events a projection has yet to read.", ["projection"])
    parked = _gauge("projection_parked_events", "Events a projection could not apply.", ["projection"])
    for state in queries.projections():
        behind.add_metric([state.name], state.behind)
        parked.add_metric([state.name], state.parked)
    yield behind
    yield parked


def _activity() -> Iterator[Metric]:
    """Events of the last minute by kind: refusals, decisions, releases, imports show here as they happen."""
    family = _gauge("events_last_minute", "Events recorded in the last minute.", ["kind"])
    since = clock.now() - timedelta(minutes=1)
    newest = Event.objects.order_by("-pk").values("kind", "recorded_at")[:RECENT_EVENTS]
    counts: dict[str, int] = {}
    for row in newest.iterator(chunk_size=2000):
        if row["recorded_at"] < since:
            break
        counts[row["kind"]] = counts.get(row["kind"], 0) + 1
    for kind, number in sorted(counts.items()):
        family.add_metric([kind], number)
    yield family


def _decisions() -> Iterator[Metric]:
    decision = import_string("routing.models.Decision")
    rows = list(decision.objects.order_by("-pk").values_list("elapsed_ms", "status")[:RECENT_DECISIONS])
    family = _gauge(
        "decision_seconds", f"Time of the last {RECENT_DECISIONS} routing decisions.", ["quantile"]
    )
    times = sorted(float(elapsed) / 1000 for elapsed, _status in rows)
    for quantile in QUANTILES:
        value = times[min(len(times) - 1, math.ceil(quantile * len(times)) - 1)] if times else math.nan
        family.add_metric([str(quantile)], value)
    yield family
    outcomes = _gauge("decision_outcomes", f"Outcomes of the last {RECENT_DECISIONS} decisions.", ["status"])
    for status in sorted({status for _elapsed, status in rows}):
        outcomes.add_metric([status], sum(1 for row in rows if row[1] == status))
    yield outcomes


def _stock() -> Iterator[Metric]:
    reserved = Stock.objects.filter(reserved__gt=0).aggregate(units=Sum("reserved"))["units"]
    yield GaugeMetricFamily("orderhub_reserved_units", "Units reserved for orders.", value=reserved or 0)


def _workers() -> Iterator[Metric]:
    now = clock.now()
    ages = _gauge("queue_worker_beat_seconds", "Since any worker of the queue was last heard.", ["queue"])
    beats = queries.workers(now=now)
    for queue in QUEUES:
        heard = [worker.beat_at for worker in beats if queue in worker.queues]
        ages.add_metric([queue], (now - max(heard)).total_seconds() if heard else math.inf)
    yield ages
    clocks = [worker.beat_at for worker in beats if not worker.queues]
    age = (now - max(clocks)).total_seconds() if clocks else math.inf
    yield GaugeMetricFamily("orderhub_clock_beat_seconds", "Since the clock was last heard.", value=age)


def _broker() -> Iterator[Metric]:
    if settings.EMBEDDED:
        return
    waits = {"socket_timeout": BROKER_SECONDS, "socket_connect_timeout": BROKER_SECONDS}
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    family = _gauge("queue_messages", "Messages waiting in the broker.", ["queue"])
    with redis.Redis.from_url(settings.REDIS_URL, **waits) as client:
        for queue in QUEUES:
            family.add_metric([queue], client.llen(f"{prefix}{queue}"))
    yield family


def _database() -> Iterator[Metric]:
    if connection.vendor != "postgresql":
        return
    connections = _gauge("db_connections", "Connections to the hub's database.", ["state"])
    allowed = _gauge("db_connections_allowed", "Connections the server accepts.")
    oldest = _gauge(
        "db_oldest_transaction_seconds", "Age of the oldest open transaction; it holds projections up."
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COALESCE(state, 'other'), count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() GROUP BY 1 ORDER BY 1"
        )
        for state, number in cursor.fetchall():
            connections.add_metric([state], number)
        cursor.execute(
            "SELECT current_setting('max_connections')::int, COALESCE(extract(epoch FROM"
            " max(clock_timestamp() - xact_start)), 0) FROM pg_stat_activity WHERE datname = current_database()"
        )
        most, age = cursor.fetchone()
    allowed.add_metric([], most)
    oldest.add_metric([], float(age))
    yield from (connections, allowed, oldest)
    strays = _gauge("partition_strays", "Rows in a default partition.", ["table"])
    ahead = _gauge("partition_months_ahead", "Months for which partitions stand ready.", ["table"])
    found = partitions.strays()
    for table, months in partitions.months_ahead(now=clock.now()).items():
        strays.add_metric([table], found.get(table, 0))
        ahead.add_metric([table], months)
    yield from (strays, ahead)


def _disk() -> Iterator[Metric]:
    usage = shutil.disk_usage(settings.DATA_DIR)
    yield GaugeMetricFamily("orderhub_disk_free_ratio", "Free part of the data folder's disk.",
                            value=usage.free / usage.total)  # fmt: skip


PARTS: tuple[Callable[[], Iterator[Metric]], ...] = (
    _totals, _orders, _deliveries, _projections, _activity, _decisions, _stock, _workers, _broker, _database,
    _disk,
)  # fmt: skip
