"""What the offer core has to know of some SKUs, read in a constant number of queries.

Stock, demand and the orders known since a quantity was sent come from one statement, so that an order is never missing
from all three. Orders that the statement does not see yet only make the offers smaller.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    Case,
    DurationField,
    ExpressionWrapper,
    F,
    IntegerField,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from orderhub.connectors.models import ChannelPace, Published, StockRule
from orderhub.connectors.offering import pacing, rulebook
from orderhub.fulfillment.models import FulfillmentLine
from orderhub.fulfillment.models.fulfillment import State
from orderhub.inventory import queries
from orderhub.inventory.atp import lag
from orderhub.inventory.atp.world import CLOSED, Buffer, Good, Seat, Sent, Shelf
from orderhub.inventory.models import Sku
from orderhub.orders.models import Channel, OrderLine
from orderhub.orders.models.order import Stage

#: So long a quantity may be under way before another one is sent after it.
RECENT = timedelta(seconds=60)
HOUR, FEW = timedelta(seconds=lag.HOUR_SECONDS), timedelta(seconds=lag.FEW_SECONDS)
#: Orders that come in later than this were not told live (a file, for example) and say nothing of the lag.
LIVE = timedelta(hours=1)
#: Stages in which an order may have units that no warehouse has reserved.
OPEN = (
    Stage.RECEIVED, Stage.REVIEWING, Stage.ROUTED, Stage.BACKORDERED, Stage.RELEASED, Stage.PARTIALLY_SHIPPED,
    Stage.PARTIALLY_DELIVERED, Stage.PARTIALLY_RETURNED,
)  # fmt: skip
Pair = tuple[int, int]


@dataclass(slots=True)
class World:
    """Everything read: `goods` by SKU with a seat per channel that has a rule or was told something before."""

    skus: dict[int, Sku]
    channels: dict[int, Channel]
    published: dict[Pair, Published]
    goods: dict[int, Good] = field(default_factory=dict)
    #: The longest time a live order of the last hour took to reach us, by channel, in seconds.
    order_lags: dict[int, float] = field(default_factory=dict)


def world(
    sku_ids: Collection[int], *, now: datetime, drafts: Sequence[StockRule] | None = None, lock: bool = False
) -> World:
    """What is known of these SKUs. `drafts` stand for the stored rules of their merchants, to try them out; `lock` the
    published rows if they are going to be written.
    """
    skus = {sku.pk: sku for sku in Sku.objects.filter(pk__in=sku_ids)}
    merchants = {sku.merchant_id for sku in skus.values()}
    rules = rulebook.load(merchants) if drafts is None else {pk: list(drafts) for pk in merchants}
    channels = {x.pk: x for x in Channel.objects.filter(merchant_id__in=merchants).order_by("pk")}
    sent_rows = Published.objects.filter(sku_id__in=skus).order_by("pk")
    told = {(x.sku_id, x.channel_id): x for x in (sent_rows.select_for_update() if lock else sent_rows)}
    known = World(skus, channels, told)
    paces = pacing.paces(channels)
    speeds = _speeds(known, now=now)
    figures = _figures(skus)
    for sku in skus.values():
        shelves = figures.shelves.get(sku.pk, {})
        seats = []
        for channel in channels.values():
            if channel.merchant_id != sku.merchant_id:
                continue
            pace = paces.get(channel.pk)
            is_open = sku.is_active and channel.is_active
            rule = rulebook.choose(rules.get(sku.merchant_id, ()), sku, channel.pk) if is_open else None
            terms = CLOSED if rule is None else rulebook.terms(rule, now=now)
            row = told.get((sku.pk, channel.pk))
            sent = _sent(row, figures, pace, is_strict=terms.buffer == Buffer.STRICT, now=now)
            # What was shown before, and may still be sold, counts until that is over.
            if rule is None and (sent is None or not (sent.quantity or sent.exposure)):
                continue
            seats.append(Seat(
                channel=channel.pk, terms=terms, sent=sent,
                speed_per_second=_speed(row, speeds.get((sku.pk, channel.pk), (0, 0)), now=now),
                blind_seconds=pacing.blind_seconds(pace),
            ))  # fmt: skip
        known.goods[sku.pk] = Good(shelves, figures.waiting.get(sku.pk, 0), tuple(seats))
    return known


def _sent(
    row: Published | None, figures: _Figures, pace: ChannelPace | None, *, is_strict: bool, now: datetime
) -> Sent | None:
    if row is None:
        return None
    sold, sold_after = figures.sold.get((row.sku_id, row.channel_id), (0, 0))
    at = row.acknowledged_at if row.acknowledged_version == row.version else None
    return Sent(
        quantity=row.quantity, before=row.before, carried=row.carried, sold=sold,
        sold_after=0 if at is None else min(sold, sold_after), is_acknowledged=at is not None,
        is_settled=at is not None and now >= pacing.settled_at(at, pace),
        is_calm=at is not None and not is_strict and now >= pacing.calm_at(at, pace),
        is_recent=at is None and now < row.sent_at + RECENT,
    )  # fmt: skip


# ---- figures, in one statement -------------------------------------------------------------------


@dataclass(slots=True)
class _Figures:
    shelves: dict[int, dict[int, Shelf]] = field(default_factory=dict)
    waiting: dict[int, int] = field(default_factory=dict)
    sold: dict[Pair, tuple[int, int]] = field(default_factory=dict)


_SHELF, _WAITING, _SOLD = 1, 2, 3


def _figures(sku_ids: Collection[int]) -> _Figures:
    """Shelves, unreserved demand, and units sold since a quantity was sent and since it was confirmed."""
    lines = OrderLine.objects.filter(sku_id__in=sku_ids, order__stage__in=OPEN).filter(
        Q(open__gt=0) | Q(backordered__gt=0)
    )
    planned = FulfillmentLine.objects.filter(
        sku_id__in=sku_ids, fulfillment__state=State.PLANNED, made_on__isnull=True
    )
    told = Published.objects.filter(sku_id__in=sku_ids)
    free = ExpressionWrapper(F("on_hand") - F("reserved") - F("safety"), output_field=IntegerField())
    parts: list[QuerySet[Any, Any]] = [
        _four(queries.available().filter(sku_id__in=sku_ids), _SHELF, F("warehouse_id"), F("on_hand"), free),
        _four(lines, _WAITING, Value(0), F("open") + F("backordered"), Value(0)),
        _four(planned, _WAITING, Value(0), F("quantity"), Value(0)),
        _four(told, _SOLD, F("channel_id"), _sold("sent_at"), _sold("acknowledged_at", also="sent_at")),
    ]
    found = _Figures()
    for kind, sku_id, other, first, second in parts[0].union(*parts[1:], all=True):
        if kind == _SHELF:
            found.shelves.setdefault(sku_id, {})[other] = Shelf(first, max(0, second))
        elif kind == _WAITING:
            found.waiting[sku_id] = found.waiting.get(sku_id, 0) + first
        else:
            found.sold[sku_id, other] = (first, second)
    return found


def _four(rows: QuerySet[Any, Any], kind: int, other: Any, first: Any, second: Any) -> QuerySet[Any, Any]:
    """Rows of (kind, SKU, other, first, second)."""
    return rows.order_by().values_list(
        Value(kind, output_field=IntegerField()), F("sku_id"), ExpressionWrapper(other, output_field=IntegerField()),
        ExpressionWrapper(first, output_field=IntegerField()), ExpressionWrapper(second, output_field=IntegerField()),
    )  # fmt: skip


def _sold(since: str, *, also: str = "") -> Any:
    """Units of the channel's orders that came in since it was sent a quantity, or of those the ones placed since it
    confirmed it.
    """
    # A line that a merge brought here may come from another channel; not counting it errs on the safe side.
    lines = OrderLine.objects.filter(
        sku=OuterRef("sku"), order__channel=OuterRef("channel"), origin__isnull=True
    )
    lines = lines.filter(order__received_at__gt=OuterRef(also or since))
    if also:
        lines = lines.filter(order__placed_at__gt=OuterRef(since))
    summed = lines.order_by().values("sku").annotate(units=Sum("ordered")).values("units")
    return Coalesce(Subquery(summed), 0)


def _speed(row: Published | None, sold: Pair, *, now: datetime) -> float:
    hour, few = sold
    return lag.speed(hour, few, (now - row.first_at).total_seconds() if row else 0.0)


def _speeds(known: World, *, now: datetime) -> dict[Pair, Pair]:
    """Units sold by SKU and channel in the last hour and in the last minutes; notes the lags of their orders."""
    recent = OrderLine.objects.filter(
        sku_id__in=known.skus, order__received_at__gt=now - HOUR, order__channel_id__in=known.channels
    )
    late = ExpressionWrapper(F("order__received_at") - F("order__placed_at"), output_field=DurationField())
    lately = Sum(Case(When(order__received_at__gt=now - FEW, then=F("ordered")), default=0))
    rows = (
        recent.order_by()
        .values_list("sku_id", "order__channel_id")
        .annotate(hour=Sum("ordered"), few=lately, late=Max(late, filter=Q(order__placed_at__gt=F("order__received_at") - LIVE)))
    )  # fmt: skip
    speeds: dict[Pair, Pair] = {}
    for sku_id, channel_id, hour, few, longest in rows:
        speeds[sku_id, channel_id] = (hour, few)
        if longest is not None:
            seconds = max(0.0, longest.total_seconds())
            known.order_lags[channel_id] = max(seconds, known.order_lags.get(channel_id, 0.0))
    return speeds
