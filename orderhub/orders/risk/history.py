"""What became of orders: read from the log, labeled by people or by time; and what is usual in a shop."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from orderhub.events import rows
from orderhub.events.models import Event
from orderhub.orders.models import Channel, Order
from orderhub.orders.risk import counters, facts
from orderhub.orders.risk.models import Assessment, Baseline, Key, Label, OrderKey, RiskPolicy

#: Fewer orders than these say nothing about what is usual.
_FEWEST = 50
_SAMPLE = 5000
_REFUSED_AT_DOOR = "REFUSED"


def follow(events: Sequence[Event]) -> None:
    """Note deliveries and refusals at the door, each order once, on the keys it was counted for; idempotent."""
    outcomes: dict[int, tuple[str, datetime]] = {}
    for event in events:
        if event.kind == "parcel.delivered":
            outcomes.setdefault(_order_id(event), ("delivered_at", event.occurred_at))
        elif event.payload.get("milestone") == _REFUSED_AT_DOOR:
            outcomes[_order_id(event)] = ("refused_at", event.occurred_at)
    known = Assessment.objects.filter(pk__in=outcomes) if outcomes else Assessment.objects.none()
    news = [x for x in known.order_by("pk") if getattr(x, outcomes[x.order_id][0]) is None]
    if not news:
        return
    for assessment in news:
        name, at = outcomes[assessment.order_id]
        setattr(assessment, name, at)
    rows.save(news, ["delivered_at", "refused_at"])
    _tally(news, outcomes)
    refused = [x for x in news if outcomes[x.order_id][0] == "refused_at"]
    Label.objects.bulk_create(
        [
            Label(
                order_id=x.order_id, kind=Label.Kind.REFUSED, source="log", labeled_at=outcomes[x.order_id][1]
            )
            for x in refused
        ],
        ignore_conflicts=True,
    )


def _tally(news: Sequence[Assessment], outcomes: dict[int, tuple[str, datetime]]) -> None:
    what = {"delivered_at": facts.DELIVERED, "refused_at": facts.REFUSED}
    tallies: dict[tuple[int, str, datetime], int] = {}
    accounts = OrderKey.objects.filter(order__in=[x.order_id for x in news], key__kind=Key.Kind.ACCOUNT)
    for order_id, key_id in accounts.values_list("order_id", "key_id"):
        name, at = outcomes[order_id]
        tallies[key_id, what[name], at] = tallies.get((key_id, what[name], at), 0) + 1
    counters.count(tallies)


def _order_id(event: Event) -> int:
    return int(event.stream.removeprefix("order:"))


def label(order_ids: Sequence[int], kind: str, *, source: str, note: str = "", now: datetime) -> int:
    """Note what turned out to be true of these orders; how many had not been labeled so."""
    kind = Label.Kind(kind).value
    known = Order.objects.filter(pk__in=order_ids).exclude(risk_labels__kind=kind)
    made = [
        Label(order_id=pk, kind=kind, source=source[:80], note=note[:200], labeled_at=now)
        for pk in known.values_list("pk", flat=True)
    ]
    Label.objects.bulk_create(made, ignore_conflicts=True)
    return len(made)


def label_good(*, now: datetime) -> int:
    """Label as good what was delivered long enough ago without any bad label; how many."""
    made = 0
    for policy in RiskPolicy.objects.all():
        quiet = Assessment.objects.filter(
            merchant=policy.merchant_id, delivered_at__lte=now - timedelta(days=policy.label_days)
        ).exclude(order__risk_labels__isnull=False)
        ids = list(quiet.values_list("pk", flat=True)[:1000])
        made += label(ids, Label.Kind.GOOD, source="time", now=now)
    return made


def work_out_baselines(*, now: datetime) -> int:
    """What orders of each shop with the check on came to in the last 30 days; how many shops have enough of them."""
    done = 0
    for channel in Channel.objects.exclude(risk_mode=Channel.RiskMode.OFF):
        recent = Order.objects.filter(channel=channel, received_at__gt=now - timedelta(days=30))
        totals = sorted(recent.order_by("-pk").values_list("total", flat=True)[:_SAMPLE])
        if len(totals) >= _FEWEST:
            Baseline.objects.update_or_create(
                channel=channel,
                defaults={
                    "p90": _quantile(totals, 90), "p95": _quantile(totals, 95), "orders": len(totals),
                    "computed_at": now,
                },
            )  # fmt: skip
            done += 1
    return done


def _quantile(ascending: Sequence[Decimal], percent: int) -> Decimal:
    return ascending[min(len(ascending) - 1, len(ascending) * percent // 100)]
