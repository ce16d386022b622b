"""Reports: totals that agree with the database, parts that add up to the change, advice with a value, isolation."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.models import Max, Q

from orderhub.fulfillment.models import FulfillmentOrder, RateCard
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order
from routing.models import Decision
from routing.reports import changes, facts, service
from routing.reports.models import Recommendation, RoutingReport
from routing.reports.sums import Cell, Tally
from tests import cast, make
from tests.routing import twin_cast as twin

pytestmark = pytest.mark.django_db
State = RoutingReport.State
ZERO = Decimal(0)


def made(
    since: date, until: date, *, now: Any, kind: str = "period", actor: str = "user:boss"
) -> RoutingReport:
    """A report made at once."""
    found = service.ask(make.merchant(), kind, since, until, actor=actor, now=now)
    assert service.work(now) == 1
    found.refresh_from_db()
    return found


def days_of(now: Any) -> tuple[date, date]:
    zone = ZoneInfo(make.merchant().time_zone)
    return make.NOW.astimezone(zone).date(), now.astimezone(zone).date()


@pytest.fixture
def week() -> Any:
    """A week of orders on scarce stock, some of them delivered late; the moment after."""
    twin.shop()
    now = twin.a_week(count=24)
    rows = list(FulfillmentOrder.objects.order_by("pk"))
    for number, row in enumerate(rows):
        if number % 3:
            FulfillmentOrder.objects.filter(pk=row.pk).update(
                state="delivered", delivered_at=row.created_at + timedelta(hours=20 * number)
            )
    return now


def test_totals_agree_with_the_database_to_the_last_digit(week: Any) -> None:
    report = made(*days_of(week), now=week)

    assert report.state == State.DONE, report.error
    now = report.result["now"]
    total = now["total"]
    decided = Decision.objects.filter(superseded_at__isnull=True).exclude(
        order__stage__in=("cancelled", "merged")
    )
    plans = [row.plan for row in decided if row.plan]
    parcels = [parcel for plan in plans for parcel in plan["parcels"]]
    paid = sum(
        (Decimal(parcel["terms"].get(term, "0")) for parcel in parcels
         for term in ("freight", "handling", "duty", "return_risk")), ZERO,
    )  # fmt: skip
    assert total["orders"] == decided.count() == 24
    assert total["parcels"] == len(parcels)
    assert Decimal(total["cost"]) == paid > 0
    assert Decimal(total["hours"]) == sum((Decimal(plan["hours"]) for plan in plans), ZERO)
    assert Decimal(total["kgco2e"]) == sum((Decimal(plan["kgco2e"]) for plan in plans), ZERO)
    assert total["split"] == sum(len(plan["parcels"]) > 1 for plan in plans)
    assert Decimal(now["plan_total"]) == sum((row.total or ZERO for row in decided), ZERO)
    assert sum((Decimal(yuan) for yuan in now["terms"].values()), ZERO) == Decimal(now["plan_total"])


def test_no_digit_of_a_sum_is_lost(week: Any) -> None:
    row = Decision.objects.filter(superseded_at__isnull=True, plan__isnull=False).order_by("pk").last()
    assert row is not None
    plan = {**row.plan, "kgco2e": "1234567.000000000000000000000000000001"}
    Decision.objects.filter(pk=row.pk).update(plan=plan)

    told = made(*days_of(week), now=week).result["now"]["total"]["kgco2e"]

    plans = [one.plan for one in Decision.objects.filter(superseded_at__isnull=True) if one.plan]
    with localcontext(prec=80):
        assert Decimal(told) == sum((Decimal(plan["kgco2e"]) for plan in plans), ZERO)


def test_cost_agrees_with_plain_sql(week: Any) -> None:
    report = made(*days_of(week), now=week)

    each = "json_each" if connection.vendor == "sqlite" else "jsonb_array_elements"
    amount = (
        "coalesce(json_extract(p.value, '$.terms.{0}'), 0)" if connection.vendor == "sqlite"
        else "coalesce((p.value->'terms'->>'{0}')::numeric, 0)"
    )  # fmt: skip
    summed = " + ".join(amount.format(term) for term in ("freight", "handling", "duty", "return_risk"))
    parcels = (
        f"{each}(d.plan, '$.parcels')" if connection.vendor == "sqlite" else f"{each}(d.plan->'parcels')"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT sum({summed}), count(*) FROM routing_decision d CROSS JOIN {parcels} p "
            "JOIN orders_order o ON o.id = d.order_id WHERE d.superseded_at IS NULL "
            "AND o.stage NOT IN ('cancelled', 'merged') AND d.plan IS NOT NULL"
        )
        yuan, count = cursor.fetchone()
    total = report.result["now"]["total"]
    assert total["parcels"] == count
    assert Decimal(total["cost"]) == Decimal(str(yuan)).quantize(Decimal("0.0001"))


def test_lateness_is_judged_once_it_can_be(week: Any) -> None:
    total = made(*days_of(week), now=week).result["now"]["total"]

    judged = late = 0
    for order in Order.objects.annotate(
        last=Max("fulfillments__delivered_at"),
    ).filter(fulfillments__isnull=False):
        living = order.fulfillments.exclude(state__in=("rejected", "cancelled"))
        if order.promised_at is None or not living.exists():
            continue
        if not living.filter(Q(delivered_at=None) | Q(delivered_at__gt=week)).exists():
            judged, late = judged + 1, late + (order.last > order.promised_at)
        elif order.promised_at < week:
            judged, late = judged + 1, late + 1
    assert (total["judged"], total["late"]) == (judged, late)
    assert late > 0


@pytest.mark.parametrize("by", ["channel", "region", "strategy"])
def test_rows_of_a_dimension_add_up_to_the_total(week: Any, by: str) -> None:
    now = made(*days_of(week), now=week).result["now"]

    for name, whole in now["total"].items():
        parts = sum((Decimal(row[name]) for row in now["by"][by].values()), ZERO)
        assert parts == Decimal(whole), name
        assert sum((Decimal(row[name]) for row in now["days"].values()), ZERO) == Decimal(whole)


def test_warehouses_add_up_to_what_was_paid(week: Any) -> None:
    now = made(*days_of(week), now=week).result["now"]

    rows = now["by"]["warehouse"].values()
    for name in ("cost", "kgco2e", "parcels"):
        assert sum((Decimal(row[name]) for row in rows), ZERO) == Decimal(now["total"][name])


# ---- why it changed --------------------------------------------------------------------------------


def tally(*rows: tuple[str, int, str, int, str]) -> Tally:
    """Orders of (region, kilograms, rate card, how many, yuan each)."""
    found = Tally()
    for region, weight, card, orders, yuan in rows:
        cell = found.cells.setdefault(((region, weight, 1), ((1, card),)), Cell())
        cell.orders += orders
        cell.cost += orders * Decimal(yuan)
    return found


def parts_of(now: Tally, before: Tally) -> tuple[Decimal, dict[str, Decimal]]:
    why = changes.explain(now, before)
    assert why is not None
    cost = why["cost"]
    return Decimal(cost["change"]), {part: Decimal(yuan) for part, yuan in cost["parts"].items()}


def test_a_dearer_tariff_is_price_alone() -> None:
    before = tally(("CN-ZJ", 1, "A", 60, "5"), ("CN-GD", 2, "A", 40, "8"))
    now = tally(("CN-ZJ", 1, "A", 60, "5.5"), ("CN-GD", 2, "A", 40, "8.8"))

    assert parts_of(now, before) == (Decimal("0.62"), {"mix": ZERO, "price": Decimal("0.62"), "stock": ZERO})


def test_another_way_at_the_same_prices_is_stock_position_alone() -> None:
    before = tally(("CN-ZJ", 1, "A", 90, "5"), ("CN-ZJ", 1, "B", 10, "9"))
    now = tally(("CN-ZJ", 1, "A", 70, "5"), ("CN-ZJ", 1, "B", 30, "9"))

    assert parts_of(now, before) == (Decimal("0.8"), {"mix": ZERO, "price": ZERO, "stock": Decimal("0.8")})


def test_other_orders_are_mix_alone_also_from_a_region_that_is_new() -> None:
    before = tally(("CN-ZJ", 1, "A", 50, "5"), ("CN-GD", 1, "A", 50, "7"))
    now = tally(("CN-ZJ", 1, "A", 20, "5"), ("CN-GD", 1, "A", 60, "7"), ("CN-XJ", 1, "A", 20, "20"))

    assert parts_of(now, before) == (Decimal("3.2"), {"mix": Decimal("3.2"), "price": ZERO, "stock": ZERO})


def test_parts_add_up_exactly_whatever_changes() -> None:
    chance = random.Random(9)
    for _round in range(60):
        worlds = [
            tally(*(
                (chance.choice(("CN-ZJ", "CN-GD", "CN-XJ")), chance.randrange(1, 4), chance.choice("AB"),
                 chance.randrange(1, 37), f"{chance.uniform(3, 30):.4f}")
                for _row in range(chance.randrange(1, 12))
            ))
            for _side in range(2)
        ]  # fmt: skip
        change, parts = parts_of(*worlds)
        assert sum(parts.values(), ZERO) == change


# ---- making, failing -------------------------------------------------------------------------------


def test_an_empty_period_says_so_and_changes_nothing(week: Any) -> None:
    day = days_of(week)[0] - timedelta(days=30)

    report = made(day, day, now=week)

    assert (report.state, report.error, report.result) == (State.FAILED, "empty", None)
    assert Recommendation.objects.count() == 0


def test_a_making_that_fails_leaves_the_last_good_one_in_force(
    week: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = made(*days_of(week), now=week)
    monkeypatch.setattr("routing.reports.making.changes.explain", lambda *given: 1 / 0)

    bad = made(*days_of(week), now=week)

    assert (bad.state, bad.error) == (State.FAILED, "fault")
    assert service.in_force(good.merchant_id, "period", good.since, good.until) == good
    assert service.newest(good.merchant_id, "period", good.since, good.until) == bad


def test_days_that_are_no_period_are_refused(week: Any) -> None:
    first, last = days_of(week)

    for since, until in ((last, first - timedelta(days=1)), (first, first + timedelta(days=92))):
        with pytest.raises(Refused):
            service.ask(make.merchant(), "period", since, until, actor="user:boss", now=week)
    ahead = last + timedelta(days=2)
    with pytest.raises(Refused):
        service.ask(make.merchant(), "period", ahead, ahead, actor="user:boss", now=week)
    assert not RoutingReport.objects.exists()


def test_the_clock_asks_once_for_the_last_day_and_week(week: Any) -> None:
    now = week + timedelta(days=7)
    twin.ordered(77, {"CUP": 1}, now=now - timedelta(days=1), to=cast.LEI)

    assert service.make_due(now) == 2
    assert service.make_due(now) == 0
    kinds = dict(RoutingReport.objects.values_list("kind", "asked_by"))
    assert kinds == {"daily": "system", "weekly": "system"}


def test_other_merchants_orders_are_in_no_report_of_mine(week: Any) -> None:
    mine = made(*days_of(week), now=week).result["now"]["total"]
    Decision.objects.filter(pk__in=Decision.objects.values("pk")[:5]).update(merchant=make.merchant(cast.BOB))

    again = made(*days_of(week), now=week).result["now"]["total"]

    assert again["orders"] == mine["orders"] - 5
    assert facts.rows_of(make.merchant(cast.BOB).pk, make.NOW, week).count() == 5
    assert RateCard.objects.exists()
