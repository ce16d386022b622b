"""Working a run off: the comparison first, then the chart around it. Reads everything, writes only the run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

from orderhub.fulfillment.models import RateCard
from orderhub.inventory.models import Warehouse
from orderhub.orders.models import Order
from routing.engine.model import Strategy
from routing.models import StrategyVersion
from routing.strategies import in_force, rates_of
from routing.twin import figures, frontier
from routing.twin.history import MOST_DECISIONS, Logged, Period, survey
from routing.twin.ledger import Arm
from routing.twin.models import TwinRun
from routing.twin.replay import Replay
from routing.twin.slots import Yards
from routing.twin.tally import Fidelity, Tally

logger = logging.getLogger(__name__)
#: A worker is stopped after 240 s: the comparison must stand by then, and the chart is left out rather.
COMPARE_SECONDS = 200.0
CHART_SECONDS = 60.0
#: Decisions the chart may cost; it looks at the last whole days that fit.
CHART_DECISIONS = 12_000
Json = dict[str, Any]
#: Told decisions made again and all there are; raises to stop.
Progress = Callable[[int, int], None]


class TooSlow(Exception):
    """Time is up."""


class CannotReplay(Exception):
    """The period cannot be compared; `code` and `facts` are put into words by `twin.words`."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


@dataclass(slots=True)
class Work:
    """One run with what it needs of the merchant."""

    run: TwinRun
    tell: Progress
    zone: ZoneInfo
    yards: Yards
    draft: Strategy
    current: Strategy
    #: Whose orders are counted: the strategy's own, or all where it routed none.
    scope: frozenset[int] | None = None
    done: int = 0
    total: int = 0
    notes: list[Json] = field(default_factory=list)


def work_off(run: TwinRun, *, tell: Progress, keep: Callable[[Json], None]) -> Json:
    """The result of a run; `keep` is given the comparison before the chart is drawn.

    Raises CannotReplay, with words, where there is nothing to compare, and TooSlow where time was up.
    """
    started = monotonic()
    period = survey(run.merchant_id, starts_at=run.starts_at, ends_at=run.ends_at)
    _check(period)
    work = _work(run, period, tell)
    points = frontier.points(run.strategy, run.figures, _in_force(run).values)
    chart_from, chart_decisions = _chart_window(period, len(points), work.zone)
    work.total = period.decisions + (chart_decisions if len(points) > 2 else 0)
    result = _compared(work, period, started)
    result["seconds"] = round(monotonic() - started, 1)
    if not result["paired"]:
        raise CannotReplay("nothing_whole", statuses=result["statuses"])
    keep(result)
    result["chart"] = _charted(work, period, points, chart_from) if len(points) > 2 else None
    result["seconds"] = round(monotonic() - started, 1)
    return result


def _check(period: Period) -> None:
    if not period.decisions:
        raise CannotReplay("no_orders")
    if period.decisions > MOST_DECISIONS:
        raise CannotReplay("too_many", most=MOST_DECISIONS)


def _work(run: TwinRun, period: Period, tell: Progress) -> Work:
    warehouses = {row.pk: row for row in Warehouse.objects.filter(merchant=run.merchant_id)}
    work = Work(
        run, tell, ZoneInfo(run.merchant.time_zone), Yards(warehouses),
        rates_of(run.figures), rates_of(_in_force(run).values),
    )  # fmt: skip
    if period.first_routed.get(run.strategy_id):
        work.scope = frozenset({run.strategy_id})
    else:
        work.notes.append({"code": "unused"})
    return work


def _in_force(run: TwinRun) -> StrategyVersion:
    version = in_force(run.strategy)
    if version is None:
        raise CannotReplay("never_published")
    return version


# ---- the comparison --------------------------------------------------------------------------------


def _compared(work: Work, period: Period, started: float) -> Json:
    arms = [Arm("current", _rates(work, work.current)), Arm("draft", _rates(work, work.draft))]
    faithful = arms[0]
    if not _was_in_force(work, period):
        # Other figures were in force on some days: agreement with the log is judged on those.
        faithful = Arm("logged", _logged_rates)
        arms.append(faithful)
        work.notes.append({"code": "changed_since"})
    tally = Tally(len(arms), work.zone, work.draft)
    replay = Replay(
        period, arms, work.yards, tally, faithful=faithful, strategy_ids=work.scope,
        tell=_clocked(work, started + COMPARE_SECONDS, 1),
    )  # fmt: skip
    replay.run()
    work.done += period.decisions
    _note(work, replay)
    capacity = {pk: row.capacity_per_day for pk, row in work.yards.warehouses.items()}
    seed = int(work.run.figures_key[:12], 16)
    return {
        "orders": tally.orders,
        "paired": tally.paired,
        "days": len(tally.days),
        "changed": tally.changed,
        "scope": "strategy" if work.scope else "all",
        "statuses": tally.statuses[:2],
        "figures": figures.compare(tally, seed=seed),
        "terms": _terms(tally),
        "warehouses": figures.loads([arm.loads for arm in arms[:2]], capacity),
        "top": _named(tally.top),
        "fidelity": _fidelity(replay.fidelity),
        "names": _names(work),
        "cards": _cards(work),
        "notes": work.notes,
        "chart": None,
    }


def _rates(work: Work, own: Strategy) -> Callable[[Logged], Strategy]:
    """Those figures for the orders the strategy routes; all others as they really were."""

    def found(logged: Logged) -> Strategy:
        if work.scope is None and own is work.draft:
            return own
        is_own = work.scope is not None and (logged.strategy_id in work.scope)
        return own if is_own else _logged_rates(logged)

    return found


def _logged_rates(logged: Logged) -> Strategy:
    """The figures a decision was really made with; those in force today where they were not kept."""
    if logged.rates is not None:
        return logged.rates
    newest = StrategyVersion.objects.filter(strategy=logged.strategy_id).order_by("-number").first()
    assert newest is not None, "a decision points to a version of its strategy"
    return rates_of(newest.values)


def _was_in_force(work: Work, period: Period) -> bool:
    """Whether every version of the strategy that routed in the period meant what is in force now."""
    used = [pk for pk, strategy_id in period.strategy_of.items() if strategy_id == work.run.strategy_id]
    versions = StrategyVersion.objects.filter(pk__in=used)
    return all(rates_of(version.values) == work.current for version in versions)


def _note(work: Work, replay: Replay) -> None:
    if replay.unlogged:
        work.notes.append({"code": "unlogged", "count": replay.unlogged})
    if replay.joint:
        work.notes.append({"code": "joint", "count": replay.joint})


def _terms(tally: Tally) -> Json:
    orders = tally.paired or 1
    names = dict.fromkeys(name for terms in tally.terms[:2] for name in terms)
    return {name: [round(terms.get(name, 0.0) / orders, 4) for terms in tally.terms[:2]] for name in names}


def _fidelity(found: Fidelity) -> Json:
    gap = found.replayed_yuan - found.logged_yuan
    return {
        "plans": found.plans,
        "same": found.same,
        "share": round(found.same / found.plans, 6) if found.plans else None,
        "cost_gap": round(gap / found.logged_yuan, 6) if found.logged_yuan else None,
        "others": found.others,
    }


def _named(top: list[Json]) -> list[Json]:
    """The changed orders with their numbers."""
    rows = {order.pk: order.number for order in Order.objects.filter(pk__in=[row["order"] for row in top])}
    return [{**row, "number": rows.get(row["order"], "")} for row in top]


def _names(work: Work) -> Json:
    return {str(pk): [row.name, row.name_en or row.name] for pk, row in work.yards.warehouses.items()}


def _cards(work: Work) -> Json:
    """The services' names by the code of their card."""
    rows = RateCard.objects.filter(merchant=work.run.merchant_id)
    return {row.code: [row.name, row.name_en or row.name] for row in rows}


# ---- the chart ---------------------------------------------------------------------------------------


def _chart_window(period: Period, arms: int, zone: ZoneInfo) -> tuple[datetime, int]:
    """The last whole days whose decisions, made once for each arm, are not too many; and their number."""
    by_day: dict[datetime, int] = {}
    for moments in period.decided.values():
        for at in moments:
            day = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
            by_day[day] = by_day.get(day, 0) + 1
    starts_at, count = period.ends_at, 0
    for day in sorted(by_day, reverse=True):
        if count and (count + by_day[day]) * arms > CHART_DECISIONS:
            break
        starts_at, count = day, count + by_day[day]
    return max(starts_at, period.starts_at), count


def _charted(work: Work, period: Period, points: list[frontier.Point], starts_at: datetime) -> Json | None:
    """Cost, hours and carbon of every point over the same orders; None where time was up."""
    window = period
    if starts_at > period.starts_at:
        window = survey(work.run.merchant_id, starts_at=starts_at, ends_at=period.ends_at)
    arms = [Arm(point.kind, _rates(work, point.rates)) for point in points]
    if work.scope is None:
        arms = [Arm(point.kind, _always(point, work)) for point in points]
    tally = Tally(len(arms), work.zone, work.draft)
    until = monotonic() + CHART_SECONDS
    try:
        Replay(window, arms, work.yards, tally, strategy_ids=work.scope, tell=_clocked(work, until, 1)).run()
    except TooSlow:
        logger.warning("what-if %s: no time for the chart", work.run.pk)
        return None
    if not tally.paired:
        return None
    rows = [
        {
            "kind": point.kind, "factor": point.factor, "strategy": point.strategy_id,
            **figures.means(tally, arm),
        }
        for arm, point in enumerate(points)
    ]  # fmt: skip
    return {"points": rows, "orders": tally.paired, "from": starts_at.isoformat()}


def _always(point: frontier.Point, work: Work) -> Callable[[Logged], Strategy]:
    """Where the strategy routed nothing, every point but the present state stands for all orders."""
    return _logged_rates if point.kind == "current" else lambda logged: point.rates


def _clocked(work: Work, until: float, weight: int) -> Callable[[int], None]:
    before = work.done

    def told(done: int) -> None:
        if monotonic() > until:
            raise TooSlow
        work.tell(min(work.total, before + done * weight), work.total)

    return told
