"""Pools: orders of one warehouse and area wait under a hold until enough are there or the deadline comes."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from carbon import kinds
from carbon.green import offers, rounds
from carbon.green.models import GreenChoice, GreenPool, GreenSetting
from carbon.green.offers import Offer
from orderhub.events import log
from orderhub.orders import holding
from orderhub.orders.models import Hold, Order

ACTOR = "system"
REASON = Hold.Reason.MERGE_WINDOW.value
#: What the detail of a pool's hold begins with, so that no other merge window is ended with it.
DETAIL = "green pool "
S = GreenPool.State


def join(
    choice: GreenChoice, order: Order, found: Offer, setting: GreenSetting, *, actor: str, now: datetime
) -> GreenPool:
    """Put a locked order into the pool of its area, under a hold until the deadline."""
    pool = enter(choice, order, found, setting, now=now)
    if holding.can_hold(order) and REASON not in {hold.reason for hold in holding.active([order.pk])}:
        held = holding.NewHold(order, REASON, f"{DETAIL}{pool.pk}", pool.closes_at)
        holding.place([held], now=now, actor=actor)
    return pool


def enter(
    choice: GreenChoice, order: Order, found: Offer, setting: GreenSetting, *, now: datetime
) -> GreenPool:
    """Put a choice into the open pool of its area, opened where there is none; whoever calls lets the order wait."""
    pool, _made = GreenPool.objects.get_or_create(
        warehouse_id=found.warehouse_id, area=found.area, temperature=found.temperature, state=S.OPEN,
        defaults={
            "merchant_id": order.merchant_id, "opened_at": now, "closes_at": found.closes_at,
            "fill_target": setting.fill_target,
        },
    )  # fmt: skip
    choice.pool = pool
    choice.save(update_fields=["pool"])
    GreenPool.objects.filter(pk=pool.pk).update(orders=pool.choices.count())
    return pool


def tick(*, now: datetime) -> int:
    """Let the pools go that are full or whose deadline has come; how many went."""
    done = 0
    for pk in GreenPool.objects.filter(state=S.OPEN).order_by("closes_at").values_list("pk", flat=True):
        done += _go(pk, now=now)
    return done


def _go(pk: int, *, now: datetime) -> int:
    """Release one pool if it is due; its holds end and its saving is worked out, in one transaction."""
    with transaction.atomic():
        pool = GreenPool.objects.select_for_update().select_related("merchant").get(pk=pk)
        waiting = pool.choices.count()
        if pool.state != S.OPEN or (waiting < pool.fill_target and now < pool.closes_at):
            return 0
        ids = sorted(pool.choices.values_list("order_id", flat=True))
        orders = list(
            Order.objects.select_for_update(of=("self",)).select_related("merchant", "person").filter(pk__in=ids).order_by("pk")
        )  # fmt: skip
        note = f"{DETAIL}{pool.pk}"
        holding.release(orders, lambda hold: hold.detail == note, note=note, now=now, actor=ACTOR)
        saved = _worked_out(pool, orders, now=now)
        pool.state, pool.released_at, pool.orders = S.RELEASED, now, saved.orders
        pool.before_rounds, pool.after_rounds, pool.saved_kg = (
            saved.before_rounds,
            saved.after_rounds,
            saved.kg,
        )
        pool.save()
        told = {"pool": pool.pk, "orders": saved.orders, "saved_kg": saved.kg}
        log.record(
            [log.Fact(order.stream, kinds.POOL_RELEASED.name, told, order.merchant_id) for order in orders],
            now=now, actor=ACTOR,
        )  # fmt: skip
    return 1


def _worked_out(pool: GreenPool, orders: list[Order], *, now: datetime) -> rounds.Saving:
    """Rounds at once, each order on the day it was chosen for, against rounds together on the day they leave."""
    zone = pool.merchant.time_zone
    tz = ZoneInfo(zone)
    alive = [order for order in orders if order.stage not in ("cancelled", "merged")]
    chosen = dict(pool.choices.values_list("order_id", "chosen_at"))
    visits = [offers.visit_of(order, day=chosen[order.pk].astimezone(tz).date()) for order in alive]
    today = now.astimezone(tz).date()
    days = {visit.day for visit in visits} | {today}
    setting = offers.setting_of(pool.merchant_id) or GreenSetting(merchant_id=pool.merchant_id)
    others = offers.others_by_day(
        pool.warehouse_id, pool.area, days, zone=zone, without=[x.pk for x in orders]
    )
    pool.others = {day.isoformat(): count for day, count in sorted(others.items())}
    by = offers.round_of(setting, is_remote=any(order.is_remote for order in alive))
    return rounds.saving(visits, leaves_on=today, others=others, by=by)
