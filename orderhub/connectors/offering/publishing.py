"""Working off changed SKUs: quantities are computed, kept, and told to each channel by an event with many items.

One transaction per batch. The connectors listen to `stock.published` and send; what they hear back comes to
`acknowledge`, which measures how slow a channel is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from orderhub.connectors import facts
from orderhub.connectors.models import ChannelPace, OfferChange, Published, StockRule
from orderhub.connectors.offering import marking, pacing, reading, takes
from orderhub.connectors.offering.reading import World
from orderhub.events import rows as writing
from orderhub.events.log import Fact
from orderhub.inventory import telling
from orderhub.inventory.atp import lag
from orderhub.inventory.atp.deciding import decide
from orderhub.inventory.atp.world import Offer
from orderhub.kernel import clock
from orderhub.orders.models import Channel

BATCH = 500
#: Items of one event.
ITEMS = 200
#: By channel: each SKU's id with what is told of it.
_Told = dict[int, list[tuple[int, dict[str, object]]]]
_COMPUTED = ("held_back", "steps", "computed_at")
_SENT = ("quantity", "version", "sent_at", "before", "carried", "settles_at", *_COMPUTED)


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A channel took this version of a SKU's quantity."""

    sku: str
    version: int


def publish(*, now: datetime) -> int:
    """Note what changed, then compute and tell it in batches; the SKUs looked at. Several may run at once."""
    if not StockRule.objects.exists():
        return 0  # a first rule finds everything by itself
    marking.follow_clock(now=now)
    marking.follow_movements(now=now)
    done = 0
    while batch := _publish_some(now=now):
        done += batch
    return done


def publish_all(merchant_id: int | None = None, *, now: datetime) -> int:
    """Tell every channel everything again, to heal what drifted apart; the SKUs noted, which leave with the next run."""
    if merchant_id is None:
        return marking.mark_all(now=now, heal=True)
    return marking.mark_merchant(merchant_id, now=now, heal=True)


@transaction.atomic
def _publish_some(*, now: datetime) -> int:
    skips = connection.features.has_select_for_update_skip_locked
    due = OfferChange.objects.select_for_update(skip_locked=skips).order_by("since", "pk")
    changes = {row.sku_id: row for row in due[: writing.at_once(BATCH)]}
    if not changes:
        return 0
    world = reading.world(changes, now=now, lock=True)
    # Later than any order the statement saw: that one must not be taken off twice.
    read_at = max(now, clock.now())
    told: _Told = {}
    made: list[Published] = []
    sent: list[Published] = []
    computed: list[Published] = []
    for sku_id, good in sorted(world.goods.items()):
        for offer in decide(good, heal=changes[sku_id].is_heal):
            row = world.published.get((sku_id, offer.channel))
            if row is None:
                row = Published(
                    merchant_id=world.skus[sku_id].merchant_id,
                    channel_id=offer.channel,
                    sku_id=sku_id,
                    version=0,
                )
                made.append(row)
            elif offer.send:
                sent.append(row)
            else:
                computed.append(row)
            _note(row, offer, read_at=read_at)
            if offer.send:
                item = {"sku": world.skus[sku_id].code, "qty": row.quantity, "version": row.version}
                told.setdefault(offer.channel, []).append((sku_id, item))
    Published.objects.bulk_create(made)
    writing.save(sent, _SENT)
    writing.save(computed, _COMPUTED)
    _measure(world, now=now)
    OfferChange.objects.filter(pk__in=changes).delete()
    telling.record(list(_facts(world, told)), actor="system", now=now)
    return len(changes)


def _note(row: Published, offer: Offer, *, read_at: datetime) -> None:
    row.held_back, row.computed_at = offer.held_back, read_at
    row.steps = [[step.code, step.units] for step in offer.steps]
    if offer.send:
        if not row.version:
            row.first_at = read_at
        row.quantity, row.version, row.sent_at = offer.quantity, row.version + 1, read_at
        row.before, row.carried, row.settles_at = offer.before, offer.carried, None


def _facts(world: World, told: _Told) -> Iterator[Fact]:
    sizes = takes.at_once(told)
    for channel_id, items in sorted(told.items()):
        channel, size = world.channels[channel_id], sizes.get(channel_id, ITEMS)
        for start in range(0, len(items), size):
            some = items[start : start + size]
            payload = {"channel": channel.code, "items": [item for _pk, item in some]}
            # One article's quantity need not wait for another's.
            stream = f"offers:{channel_id}" + (f":{some[0][0]}" if size == 1 else "")
            yield Fact(stream, facts.STOCK_PUBLISHED.name, payload, channel.merchant_id)


def _measure(world: World, *, now: datetime) -> None:
    """Keep how late orders of channels came in, where that says something new."""
    if not world.order_lags:
        return
    known = pacing.paces(world.order_lags)
    rows = []
    for channel_id, seconds in sorted(world.order_lags.items()):
        pace = known.get(channel_id) or ChannelPace(channel_id=channel_id, updated_at=now)
        since = (now - pace.updated_at).total_seconds()
        pace.order_worst_seconds = lag.worst(pace.order_worst_seconds, seconds, since)
        pace.order_seconds, pace.updated_at = lag.measured(pace.order_seconds, seconds), now
        rows.append(pace)
    _keep_paces(rows, ["order_seconds", "order_worst_seconds", "updated_at"])


def _keep_paces(rows: Sequence[ChannelPace], fields: Sequence[str]) -> None:
    ChannelPace.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["channel"], update_fields=list(fields)
    )


# ---- what channels answer ------------------------------------------------------------------------


@transaction.atomic
def acknowledge(channel: Channel, items: Sequence[Acknowledged], *, at: datetime, now: datetime) -> int:
    """The channel had taken these versions at that moment; how many were news. A constant number of queries.

    An older version than the last one sent changes nothing: what the channel shows is about to be overwritten.
    """
    versions = {item.sku: item.version for item in items}
    found = Published.objects.filter(channel=channel, sku__code__in=versions).select_related("sku")
    # As everywhere: what is noted as changed is locked before what was published.
    marking.mark([row.sku_id for row in found if _is_news(row, versions)], now=now)
    locked = found.select_for_update(of=("self",)).order_by("pk")
    rows = [row for row in locked if _is_news(row, versions)]
    if not rows:
        return 0
    moment = min(at, now)
    pace = pacing.paces([channel.pk]).get(channel.pk) or ChannelPace(channel=channel)
    for row in rows:
        row.lag_seconds = max(0.0, (moment - row.sent_at).total_seconds())
        row.acknowledged_version, row.acknowledged_quantity = row.version, row.quantity
        row.acknowledged_at = max(moment, row.sent_at)
    slowest = max(row.lag_seconds or 0.0 for row in rows)
    pace.reply_seconds, pace.updated_at = lag.measured(pace.reply_seconds, slowest), now
    _keep_paces([pace], ["reply_seconds", "updated_at"])
    for row in rows:
        assert row.acknowledged_at is not None
        row.settles_at = pacing.calm_at(row.acknowledged_at, pace)
    fields = ["lag_seconds", "acknowledged_version", "acknowledged_quantity", "acknowledged_at", "settles_at"]
    writing.save(rows, fields)
    return len(rows)


def _is_news(row: Published, versions: Mapping[str, int]) -> bool:
    return row.version == versions[row.sku.code] and row.acknowledged_version < row.version
