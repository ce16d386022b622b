"""Replaying a recommendation on the twin: asked for on the page, worked off in Celery, its result kept beside it."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from time import monotonic
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db.models import F, Q

from orderhub.fulfillment.models.ratecard import RateZone
from orderhub.inventory.models import Warehouse
from orderhub.kernel import clock
from orderhub.orders.models import Order
from routing import strategies
from routing.engine.model import Strategy as Rates
from routing.models import Strategy, StrategyVersion
from routing.pricing.demand import region_of
from routing.reports import making
from routing.reports.models import Recommendation
from routing.reports.service import LEASE, MOST_ATTEMPTS, TELL_SECONDS
from routing.reports.worlds import Change, Changed
from routing.twin import figures
from routing.twin.history import Logged, Period, survey
from routing.twin.ledger import Arm
from routing.twin.slots import Yards
from routing.twin.tally import Tally

logger = logging.getLogger(__name__)
Replay = Recommendation.Replay
_OPEN = Q(replay__in=(Replay.QUEUED, Replay.RUNNING))
#: Decisions a replay looks at: the last whole days that fit, so that it ends within a worker's time.
MOST_DECISIONS = 10_000
SECONDS = 180.0
Json = dict[str, Any]


class Stopped(Exception):
    """Another worker has it, or time is up."""


def ask(row: Recommendation, *, now: datetime | None = None) -> bool:
    """Have it replayed; whether it was not under way already. A former result stays until the new one is there."""
    free = Recommendation.objects.filter(pk=row.pk).exclude(_OPEN)
    return bool(
        free.update(
            replay=Replay.QUEUED, asked_at=now or clock.now(), replay_error="", attempts=0, replay_done=0, replay_total=0,
            lease_until=None, lease_token="",
        )
    )  # fmt: skip


def work(now: datetime | None = None) -> int:
    """Take up the oldest recommendation that waits for its replay; how many were replayed (0 or 1)."""
    row = _take(now or clock.now())
    if row is None:
        return 0
    mine = Recommendation.objects.filter(pk=row.pk, replay=Replay.RUNNING, lease_token=row.lease_token)
    over = {"lease_until": None, "lease_token": ""}
    told = [0.0]

    def tell(done: int, total: int) -> None:
        if monotonic() - told[0] >= TELL_SECONDS:
            told[0] = monotonic()
            if not mine.update(replay_done=done, replay_total=total, lease_until=clock.now() + LEASE):
                raise Stopped

    try:
        result = replayed(row, tell=tell)
        mine.update(replay=Replay.DONE, replay_result=result, replay_done=F("replay_total"), **over)
    except Stopped:
        logger.info("replay of recommendation %s was taken over", row.pk)
    except making.CannotMake as cannot:
        mine.update(replay=Replay.FAILED, replay_error=cannot.code, **over)
    except SoftTimeLimitExceeded:
        mine.update(replay=Replay.FAILED, replay_error="too_slow", **over)
    except Exception:
        logger.exception("replay of recommendation %s failed", row.pk)
        mine.update(replay=Replay.FAILED, replay_error="fault", **over)
    return 1


def replayed(row: Recommendation, *, tell: Callable[[int, int], None]) -> Json:
    """Both arms over the last days of the report: means, difference and yuan in all."""
    report = row.report
    span = making.span_of(report)
    period = _period(report.merchant_id, span)
    if not period.decisions:
        raise making.CannotMake("nothing_whole")
    houses = {one.pk: one for one in Warehouse.objects.filter(merchant=report.merchant_id)}
    arms = [Arm("current", _rates), Arm("draft", _rates)]
    _place(arms[1], row)
    scale = _scale(report.merchant_id)
    tally = Tally(2, span.zone, scale)
    until = monotonic() + SECONDS

    def told(done: int) -> None:
        if monotonic() > until:
            raise making.CannotMake("too_slow")
        tell(min(done, period.decisions), period.decisions)

    replay = Changed(
        period, arms, Yards(houses), tally, faithful=arms[0], tell=told, change=_change(row, period)
    )
    replay.run()
    if not tally.paired:
        raise making.CannotMake("nothing_whole")
    found = figures.compare(tally, seed=row.pk)
    fidelity = replay.fidelity
    return {
        "figures": found, "orders": tally.orders, "paired": tally.paired, "changed": tally.changed,
        "days": len(tally.days), "from": period.starts_at.isoformat(), "until": period.ends_at.isoformat(),
        "saved": round(-found["money"]["difference"] * tally.paired, 2),
        "worth": round(-found["value"]["difference"] * tally.paired, 2), "unlogged": replay.unlogged,
        "statuses": tally.statuses, "same": fidelity.same, "plans": fidelity.plans,
    }  # fmt: skip


def _period(merchant_id: int, span: making.Span) -> Period:
    """The report's days, or as many of the last of them as hold no more decisions than fit."""
    starts_at = span.starts_at
    while True:
        found = survey(merchant_id, starts_at=starts_at, ends_at=span.ends_at)
        days = (span.ends_at - starts_at).days
        if found.decisions <= MOST_DECISIONS or days <= 1:
            return found
        keep = max(1, min(days - 1, days * MOST_DECISIONS // found.decisions))
        starts_at = span.ends_at - timedelta(days=keep)


def _rates(logged: Logged) -> Rates:
    """The figures a decision was really made with; those in force today where they were not kept."""
    if logged.rates is not None:
        return logged.rates
    newest = StrategyVersion.objects.filter(strategy=logged.strategy_id).order_by("-number").first()
    assert newest is not None, "a decision points to a version of its strategy"
    return strategies.rates_of(newest.values)


def _scale(merchant_id: int) -> Rates:
    strategy = Strategy.objects.filter(merchant=merchant_id, is_default=True).first()
    version = strategies.in_force(strategy) if strategy else None
    if version is None:
        raise making.CannotMake("nothing_whole")
    return strategies.rates_of(version.values)


def _place(arm: Arm, row: Recommendation) -> None:
    """Stock that stood elsewhere from the start: what an arm has taken less there, and more where it came from."""
    if row.kind not in (Recommendation.Kind.TRANSFER, Recommendation.Kind.SAFETY):
        return
    for move in row.moves:
        arm.count((move["to"], move["sku"]), -move["units"])
        if move["from"] is not None:
            arm.count((move["from"], move["sku"]), move["units"])


def _change(row: Recommendation, period: Period) -> Change:
    facts = row.facts
    if row.kind == Recommendation.Kind.FORWARD:
        zones: dict[str, list[RateZone]] = {}
        for zone in RateZone.objects.filter(card__merchant=row.report.merchant_id).select_related("card"):
            zones.setdefault(zone.card.code, []).append(zone)
        stock = {move["sku"]: move["units"] for move in row.moves}
        return Change("forward", _regions(period), facts["region"], stock=stock, zones=zones)
    if row.kind == Recommendation.Kind.CARRIER:
        slow = {code: Decimal(facts["slowness"][code]) for code in (facts["card"], facts["other"])}
        return Change(
            "carrier", _regions(period), facts["region"], warehouse_id=facts["warehouse"], card=facts["card"],
            slowness=slow,
        )  # fmt: skip
    return Change(row.kind)


def _regions(period: Period) -> dict[int, str]:
    ids = sorted(period.decided)
    found: dict[int, str] = {}
    for start in range(0, len(ids), 1000):
        rows = Order.objects.filter(pk__in=ids[start : start + 1000])
        found |= {pk: region_of(*place) for pk, *place in rows.values_list("pk", "country", "province")}
    return found


def _take(now: datetime) -> Recommendation | None:
    free = Recommendation.objects.filter(_OPEN).filter(Q(lease_until=None) | Q(lease_until__lt=now))
    free.filter(attempts__gte=MOST_ATTEMPTS).update(
        replay=Replay.FAILED, replay_error="workers_died", lease_until=None, lease_token=""
    )
    row = free.order_by("asked_at", "pk").first()
    if row is None:
        return None
    mine = free.filter(pk=row.pk).update(
        replay=Replay.RUNNING,
        lease_token=secrets.token_hex(16),
        lease_until=now + LEASE,
        attempts=F("attempts") + 1,
    )
    if not mine:
        return None
    return Recommendation.objects.select_related("report__merchant").get(pk=row.pk)
