"""Choosing consolidated delivery, with the saving kept as it was told; and measuring afterwards what was kept."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from carbon import kinds, queries
from carbon.claims import linter
from carbon.core.bundle import bundled_factor
from carbon.defaults import FACTOR_IDS, ROUND
from carbon.green import assigning, offers, plans, pool, rounds
from carbon.green.models import GreenChoice, GreenExposure, GreenSetting
from carbon.green.offers import METHOD, Offer
from carbon.models import CalculationRun
from carbon.reports import terms
from carbon.reports.scope import ARRIVED
from carbon.wording import say
from orderhub.events import log
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order

QUANTUM = Decimal("0.000001")
BATCH = 200
Json = dict[str, Any]


def told(order: Order, *, language: str, now: datetime) -> Json | None:
    """What the tracking page says of consolidated delivery: the offer, or the choice; None where there is nothing.

    One query for merchants that do not offer it. A page that is looked at notes who was asked.
    """
    setting = offers.setting_of(order.merchant_id)
    if setting is None:
        return None
    choice = GreenChoice.objects.filter(order=order).select_related("pool").first()
    if choice is not None:
        return _chosen(choice, order, language)
    if order.green:
        return None
    found = offers.offer(order, setting, now=now, rows=plans.of(order, now=now))
    if found is None or not found.is_worth_it:
        return None
    if assigning.note(setting, order, now=now) != GreenExposure.Arm.ASKED:
        return None
    return {
        "is_chosen": False,
        **_words(found.average_kg, found.marginal_kg, found.promised_after, order, language),
    }


def choose(order_id: int, *, source: str, actor: str, now: datetime) -> GreenChoice:
    """Let an order wait in its pool; the choice as told at that moment. A second time gives the first choice.

    Raises Refused: "green_not_offered", or "green_too_late" once something is with a warehouse.
    """
    with transaction.atomic():
        order = (
            Order.objects.select_for_update(of=("self",))
            .select_related("merchant", "person")
            .get(pk=order_id)
        )
        known = GreenChoice.objects.filter(order=order).first()
        if known is not None:
            return known
        setting = offers.setting_of(order.merchant_id)
        if setting is None:
            raise Refused("green_not_offered", _("Consolidated delivery is not offered for this order."))
        found = offers.offer(order, setting, now=now, rows=plans.of(order, now=now))
        if found is None:
            raise Refused(
                "green_too_late", _("This order is with the warehouse already and can no longer wait.")
            )
        choice = kept(order, found, source=source, now=now)
        pool.join(choice, order, found, setting, actor=actor, now=now)
        order.green = True
        order.promised_at = found.promised_after or order.promised_at
        order.version += 1
        order.updated_at = now
        order.save(update_fields=["green", "promised_at", "version", "updated_at"])
        log.record([_fact(choice, order, found)], now=now, actor=actor)
    return choice


def note(order_ids: Collection[int], *, now: datetime) -> int:
    """Keep the promise of orders that were placed with green delivery, as their first plan makes it."""
    settings = GreenSetting.objects.filter(is_active=True).values("merchant")
    rows = Order.objects.filter(
        pk__in=order_ids, green=True, green_choice__isnull=True, merchant_id__in=settings
    )
    made = 0
    for order in rows.select_related("merchant", "person"):
        setting = offers.setting_of(order.merchant_id)
        if setting is None:
            continue
        found = offers.offer(order, setting, now=now, rows=plans.of(order, now=now, still_waits=False))
        if found is not None:
            kept(order, found, source=GreenChoice.Source.CHECKOUT, now=now)
            made += 1
    return made


def measure(*, now: datetime) -> int:
    """What choices really saved, of orders that have arrived; how many were measured."""
    rows = GreenChoice.objects.filter(measured_at__isnull=True, order__stage__in=ARRIVED)
    done = 0
    for choice in rows.select_related("order__merchant", "pool").order_by("pk")[:BATCH]:
        done += _measure(choice, now=now)
    return done


def _measure(choice: GreenChoice, *, now: datetime) -> int:
    """Average: the facts' chain with a round at once, less the ledger's actual figure. Marginal: its part of the rounds."""
    document = queries.of_order(choice.order)
    if document is None or document["basis"] != "actual":
        return 0
    actual = Decimal(document["kg"])
    choice.actual_kg = actual.quantize(QUANTUM)
    choice.baseline_actual_kg = (actual + _round_difference(choice.order)).quantize(QUANTUM)
    choice.kept_average_kg = choice.baseline_actual_kg - choice.actual_kg
    if choice.pool is not None and choice.pool.saved_kg is not None and choice.pool.orders:
        choice.kept_marginal_kg = (choice.pool.saved_kg / choice.pool.orders).quantize(QUANTUM)
    choice.measured_at = now
    choice.save()
    return 1


def _round_difference(order: Order) -> Decimal:
    """kg CO2e that the last miles of the facts would weigh more in rounds at once; 0 for orders counted so already."""
    more = Decimal(0)
    runs = CalculationRun.objects.filter(
        order=order, basis=CalculationRun.Basis.ACTUAL, reverses__isnull=True, reversal__isnull=True
    )
    for run in runs:
        for part in terms.parts(run):
            share = part.element.share
            if part.element.id != "last_mile" or share is None or not order.green:
                continue
            at_once = share.own / ROUND[order.is_remote][1]
            now_share = share.own / share.total
            kg = Decimal(part.figures["total_kg"])
            more += kg * (at_once / now_share) - kg
    return more


def kept(order: Order, found: Offer, *, source: str, now: datetime) -> GreenChoice:
    """Keep a choice with its saving as it is told now."""
    return GreenChoice.objects.create(
        order=order, merchant_id=order.merchant_id, source=source, chosen_at=now,
        promised_before=found.promised_before, promised_after=found.promised_after, baseline=rounds.BASELINE_EN,
        baseline_kg=found.baseline_kg, green_kg=found.green_kg, average_kg=found.average_kg,
        marginal_kg=found.marginal_kg, plan=list(found.plan), method=METHOD,
    )  # fmt: skip


def _fact(choice: GreenChoice, order: Order, found: Offer) -> log.Fact:
    return log.Fact(
        order.stream, kinds.GREEN_CHOSEN.name,
        {
            "source": choice.source, "pool": choice.pool_id, "average_kg": choice.average_kg,
            "marginal_kg": choice.marginal_kg, "baseline": choice.baseline, "promised_at": order.promised_at,
        },
        order.merchant_id,
    )  # fmt: skip


# ---- in words ------------------------------------------------------------------------------------


def _chosen(choice: GreenChoice, order: Order, language: str) -> Json:
    waits = choice.pool is not None and choice.pool.state == "open"
    return {
        "is_chosen": True, "waits_until": choice.pool.closes_at if waits and choice.pool else None,
        "kept_kg": None if choice.kept_average_kg is None else queries.shown(choice.kept_average_kg),
        **_words(choice.average_kg, choice.marginal_kg, choice.promised_after, order, language),
    }  # fmt: skip


def _words(
    average: Decimal, marginal: Decimal, promised: datetime | None, order: Order, language: str
) -> Json:
    year = bundled_factor(FACTOR_IDS["last_mile_van"]).set_id.rpartition("-")[2]
    market = linter.market_of(order.country)
    return {
        "average_kg": queries.shown(average), "marginal_kg": queries.shown(max(marginal, Decimal(0))),
        "later": None if promised is None else promised.astimezone(ZoneInfo(order.merchant.time_zone)).date(),
        "baseline": say(rounds.BASELINE_ZH, rounds.BASELINE_EN, language), "year": year, "market": market,
    }  # fmt: skip
