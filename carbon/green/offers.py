"""What consolidated delivery would save an order and when it would come: the same chains as the ledger, and the rounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from carbon.consignments import lane_inputs
from carbon.defaults import chain_for, default_factor
from carbon.estimate import Band, EstimateError, band, calculate, chain_total_kg
from carbon.green import rounds
from carbon.green.models import GreenPool, GreenSetting
from carbon.green.plans import GONE, Consignment
from carbon.green.rounds import Round, Visit
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.orders.models import Order

QUANTUM = Decimal("0.000001")
METHOD = "aligned with ISO 14083"


@dataclass(frozen=True, slots=True)
class Offer:
    """kg CO2e at once and consolidated, both savings against the named baseline, and the later date."""

    baseline_kg: Decimal
    green_kg: Decimal
    average_kg: Decimal
    marginal_kg: Decimal
    around: Band
    closes_at: datetime
    promised_before: datetime | None
    promised_after: datetime | None
    plan: Sequence[Mapping[str, Any]]
    warehouse_id: int
    area: str
    temperature: str

    @property
    def is_worth_it(self) -> bool:
        """Whether there is any saving to name."""
        return self.average_kg > 0


def setting_of(merchant_id: int) -> GreenSetting | None:
    """The merchant's setting, None where it offers nothing; one query."""
    rows = GreenSetting.objects.select_related("merchant")
    return rows.filter(merchant_id=merchant_id, is_active=True).first()


def offer(order: Order, setting: GreenSetting, *, now: datetime, rows: Sequence[Consignment]) -> Offer | None:
    """The offer of an order by its consignments; None without any, or where the engine knows no figure."""
    if not rows:
        return None
    try:
        at_once, together, around, plan = chains(rows)
    except EstimateError:
        return None
    main = rows[0]
    place, warm = area_of(order), main.temperature
    pool = open_pool(main.warehouse.pk, place, warm)
    closes_at = pool.closes_at if pool else now + timedelta(days=setting.wait_days)
    before = order.promised_at or max(
        (row.latest_at for row in rows if row.latest_at is not None), default=None
    )
    return Offer(
        baseline_kg=at_once, green_kg=together, average_kg=at_once - together,
        marginal_kg=_marginal(order, main, setting, pool, closes_at=closes_at, now=now),
        around=around, closes_at=closes_at, promised_before=before,
        promised_after=None if before is None else before + (closes_at - now), plan=plan,
        warehouse_id=main.warehouse.pk, area=place, temperature=warm,
    )  # fmt: skip


def chains(rows: Sequence[Consignment]) -> tuple[Decimal, Decimal, Band, list[dict[str, Any]]]:
    """kg CO2e of all consignments at once and consolidated, the band of the first, and what it was worked out from."""
    before = after = Decimal(0)
    found, plan = [], []
    for row in rows:
        inputs = {**lane_inputs(row.order, row.warehouse, row.card), "mass_kg": row.contents.goods_kg}
        one = chain_for(**{**inputs, "green": False})
        other = chain_for(**{**inputs, "green": True})
        before += chain_total_kg(one)
        after += chain_total_kg(other)
        found += list(calculate(one).elements)
        plan.append(
            {name: str(value) for name, value in sorted(inputs.items())} | {"fulfillment": row.fulfillment_id}
        )
    return before.quantize(QUANTUM), after.quantize(QUANTUM), band(found), plan


def round_of(setting: GreenSetting, *, is_remote: bool) -> Round:
    """The rounds of a merchant's area; a remote one has three times the stem and twice the way between stops."""
    factor = default_factor("last_mile_van")
    assert factor.ttw is not None
    assert factor.wtt is not None
    stem, stop = setting.stem_km, setting.stop_km
    if is_remote:
        stem, stop = stem * 3, stop * 2
    return Round(stem, stop, setting.capacity, factor.ttw + factor.wtt)


def area_of(order: Order) -> str:
    """The delivery area: country, province and city."""
    return f"{order.country}/{order.province}/{order.city}"[:160]


def open_pool(warehouse_id: int, area: str, temperature: str) -> GreenPool | None:
    """The pool that collects for this area now."""
    return GreenPool.objects.filter(
        warehouse_id=warehouse_id, area=area, temperature=temperature, state=GreenPool.State.OPEN
    ).first()


def visit_of(order: Order, *, day: date) -> Visit:
    """The order as a stop of a round; one door where telephone and district agree, otherwise its own."""
    phone = order.person.phone
    return Visit(order.pk, day, f"{phone}@{order.district}" if phone else f"order:{order.pk}")


def others_by_day(
    warehouse_id: int, area: str, days: Iterable[date], *, zone: str, without: Iterable[int]
) -> dict[date, int]:
    """Parcels of the warehouse that go to the area on these days anyway: planned or shipped, pools apart; one query."""
    country, province, city = area.split("/", 2)
    wanted = set(days)
    rows = FulfillmentOrder.objects.filter(
        warehouse_id=warehouse_id, order__country=country, order__province=province, order__city=city,
        order__green_choice__pool__isnull=True,
    ).exclude(state__in=GONE).exclude(order__in=list(without))  # fmt: skip
    tz = ZoneInfo(zone)
    found: Counter[date] = Counter()
    for shipped_at, planned_on, created_at in rows.values_list("shipped_at", "capacity_date", "created_at"):
        day = (
            shipped_at.astimezone(tz).date() if shipped_at else planned_on or created_at.astimezone(tz).date()
        )
        if day in wanted:
            found[day] += 1
    return dict(found)


def marginal_of_stranger(
    warehouse_id: int,
    area: str,
    setting: GreenSetting,
    pool: GreenPool | None,
    *,
    is_remote: bool,
    closes_at: datetime,
    now: datetime,
) -> Decimal:
    """What a cart would change: the way it causes today at once, less what it adds to its pool."""  # fmt: skip
    mine = Visit(0, now.date(), "order:0")
    zone = setting.merchant.time_zone
    return _change(
        mine, warehouse_id, area, setting, pool, is_remote=is_remote, zone=zone, closes_at=closes_at, now=now
    )


def _marginal(
    order: Order,
    row: Consignment,
    setting: GreenSetting,
    pool: GreenPool | None,
    *,
    closes_at: datetime,
    now: datetime,
) -> Decimal:
    """The same for an order with a plan."""  # fmt: skip
    mine = visit_of(order, day=now.date())
    return _change(
        mine, row.warehouse.pk, area_of(order), setting, pool, is_remote=order.is_remote,
        zone=order.merchant.time_zone, closes_at=closes_at, now=now,
    )  # fmt: skip


def _change(
    mine: Visit, warehouse_id: int, area: str, setting: GreenSetting, pool: GreenPool | None, *, is_remote: bool,
    zone: str, closes_at: datetime, now: datetime,
) -> Decimal:  # fmt: skip
    today, later = (moment.astimezone(ZoneInfo(zone)).date() for moment in (now, closes_at))
    by = round_of(setting, is_remote=is_remote)
    others = others_by_day(warehouse_id, area, (today, later), zone=zone, without=[mine.order])
    waiting = [] if pool is None else [
        visit_of(choice.order, day=later) for choice in pool.choices.select_related("order__person")
    ]  # fmt: skip
    _rounds, at_once = rounds.more([mine], others.get(today, 0), by)
    _rounds, with_me = rounds.more([*waiting, mine], others.get(later, 0), by)
    _rounds, without_me = rounds.more(waiting, others.get(later, 0), by)
    return ((at_once - (with_me - without_me)) * by.kg_per_km).quantize(QUANTUM)
