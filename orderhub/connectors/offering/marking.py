"""Noting which SKUs have to be looked at again: from movements and orders, behind the order path, each once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from orderhub.connectors.models import OfferChange, Published, StockRule
from orderhub.connectors.offering import pacing
from orderhub.events import rows as writing
from orderhub.events.models import Event
from orderhub.inventory import promising
from orderhub.inventory.models import Sku, Stock, Warehouse
from orderhub.orders.models import OrderLine

READER = "offers"
_SKUS = 5_000
#: Presales that ended longer ago were seen by the nightly run.
_LATE = timedelta(days=2)


def mark(sku_ids: Collection[int], *, now: datetime, heal: bool = False) -> int:
    """Note these SKUs, of merchants with stock rules; the number noted. Two queries, or one where nobody has rules.

    What was noted before keeps its moment. The row is written even then, so that whoever works it off meanwhile and
    this one wait for each other.
    """
    if not sku_ids:
        return 0
    selling = StockRule.objects.values("merchant_id")
    rows = Sku.objects.filter(pk__in=sku_ids, merchant_id__in=selling).order_by("pk")
    marks = [
        OfferChange(sku_id=pk, merchant_id=merchant_id, since=now, touched_at=now, is_heal=heal)
        for pk, merchant_id in rows.values_list("pk", "merchant_id")
    ]
    fields = ["touched_at", "is_heal"] if heal else ["touched_at"]
    OfferChange.objects.bulk_create(
        marks, update_conflicts=True, unique_fields=["sku"], update_fields=fields, batch_size=_SKUS
    )
    return len(marks)


def mark_codes(merchant_id: int, codes: Collection[str], *, now: datetime) -> int:
    """As `mark`, for a merchant's articles by their codes, to be told again even if nothing changed."""
    found = Sku.objects.filter(merchant_id=merchant_id, code__in=codes).values_list("pk", flat=True)
    return mark(list(found), now=now, heal=True)


def mark_merchant(merchant_id: int, *, now: datetime, heal: bool = False) -> int:
    """Note every SKU of a merchant that lies anywhere, is promised ahead or was ever published."""
    stocked = Stock.objects.filter(merchant_id=merchant_id).values_list("sku_id", flat=True)
    told = Published.objects.filter(merchant_id=merchant_id).values_list("sku_id", flat=True)
    ahead = StockRule.objects.filter(merchant_id=merchant_id, presale_units__gt=0, sku__isnull=False)
    found = sorted({*stocked, *told, *ahead.values_list("sku_id", flat=True)})
    return sum(mark(found[n : n + _SKUS], now=now, heal=heal) for n in range(0, len(found), _SKUS))


def mark_all(*, now: datetime, heal: bool = False) -> int:
    """As `mark_merchant`, for every merchant with stock rules."""
    selling = StockRule.objects.order_by("merchant_id").values_list("merchant_id", flat=True).distinct()
    return sum(mark_merchant(merchant_id, now=now, heal=heal) for merchant_id in selling)


def follow_movements(*, now: datetime) -> int:
    """Note the SKUs that moved since the last time; the number noted."""
    noted = 0
    while True:
        with transaction.atomic():
            skus = promising.moved(READER)
            if not skus:
                return noted + (mark_all(now=now) if skus is None else 0)
            noted += mark(skus, now=now)


def follow_orders(events: Sequence[Event], *, now: datetime) -> None:
    """Note the SKUs of orders that came in or were called off: no movement tells of these."""
    orders = [int(event.stream.removeprefix("order:")) for event in events]
    skus = OrderLine.objects.filter(order_id__in=orders).values_list("sku_id", flat=True).distinct()
    mark(list(skus), now=now)


def follow_warehouses(events: Sequence[Event], *, now: datetime) -> None:
    """Note what lies in warehouses that were closed, reopened or edited."""
    for merchant_id, code in sorted({(x.merchant_id or 0, str(x.payload["warehouse"])) for x in events}):
        houses = Warehouse.objects.filter(merchant_id=merchant_id, code=code)
        skus = Stock.objects.filter(warehouse__in=houses).values_list("sku_id", flat=True)
        mark(list(skus), now=now)


@transaction.atomic
def follow_clock(*, now: datetime) -> int:
    """Note the SKUs whose confirmations have settled, and those of presales that have ended; the number noted."""
    due = Published.objects.filter(settles_at__lte=now).order_by("pk")
    noted = mark(set(due.values_list("sku_id", flat=True)[:_SKUS]), now=now)
    rows = list(due.select_for_update()[:_SKUS])
    known = pacing.paces({row.channel_id for row in rows})
    for row in rows:
        # Once when sales are known as a rule, once when the slowest are.
        later = (
            pacing.settled_at(row.acknowledged_at, known.get(row.channel_id)) if row.acknowledged_at else None
        )
        row.settles_at = later if later and later > now else None
    writing.save(rows, ["settles_at"])
    ended = StockRule.objects.filter(
        presale_units__gt=0, presale_until__lte=now, presale_until__gt=now - _LATE, is_active=True
    )
    for rule in ended:
        # Once: what was computed after the end knows of it.
        before = Published.objects.filter(merchant_id=rule.merchant_id, computed_at__lt=rule.presale_until)
        if rule.sku_id:
            before = before.filter(sku_id=rule.sku_id)
        noted += mark(set(before.values_list("sku_id", flat=True)[:_SKUS]), now=now)
    return noted
