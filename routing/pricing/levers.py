"""Levers on a warehouse: fewer parcels a day, dearer parcels, no new orders; who, why and until when.

Each holds from the very next decision on, because decisions read the levers in force with their stock. At
most one lever of a kind is in force at a warehouse: setting it again ends the one before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from orderhub.events import log
from orderhub.inventory import locks
from orderhub.inventory import services as inventory
from orderhub.inventory.models import Warehouse
from orderhub.kernel.errors import Refused
from routing import kinds
from routing.pricing.models import WarehouseLever

Kind = WarehouseLever.Kind
CLOCK = "system"
MOST_YUAN = Decimal(1000)


@dataclass(frozen=True, slots=True)
class Held:
    """What the levers in force do to one warehouse: parcels a day at most, yuan per parcel on top."""

    parcels: int | None = None
    yuan_per_parcel: Decimal = Decimal(0)
    is_frozen: bool = False


NOTHING = Held()


# ---- reading -------------------------------------------------------------------------------------


def levers_in_force(*, now: datetime, merchant_id: int | None = None) -> QuerySet[WarehouseLever]:
    """The levers that hold at `now`, with their warehouses, of one merchant or of all.

    A freeze of a warehouse that somebody reopened by hand holds no more.
    """
    rows = WarehouseLever.objects.filter(Q(until__isnull=True) | Q(until__gt=now), ended_at__isnull=True)
    rows = rows.exclude(kind=Kind.FREEZE, warehouse__is_frozen=False).select_related("warehouse")
    if merchant_id is not None:
        rows = rows.filter(merchant_id=merchant_id)
    return rows.order_by("warehouse_id", "kind")


def held(warehouse_ids: Collection[int], *, now: datetime) -> dict[int, Held]:
    """What the levers in force do, by warehouse; those without any are missing. One query."""
    rows = WarehouseLever.objects.filter(
        Q(until__isnull=True) | Q(until__gt=now), ended_at__isnull=True, warehouse_id__in=warehouse_ids
    ).values_list("warehouse_id", "kind", "value")
    found: dict[int, Held] = {}
    for warehouse_id, kind, value in rows:
        before = found.get(warehouse_id, NOTHING)
        parcels, yuan = before.parcels, before.yuan_per_parcel
        if kind == Kind.CAPACITY:
            parcels = int(value or 0)
        elif kind == Kind.PRICE:
            yuan = value or Decimal(0)
        found[warehouse_id] = Held(parcels, yuan, before.is_frozen or kind == Kind.FREEZE)
    return found


# ---- pulling -------------------------------------------------------------------------------------


def set_capacity(
    warehouse: Warehouse, parcels: int, *, until: datetime | None, actor: str, why: str, now: datetime
) -> WarehouseLever:
    """Let a warehouse work on at most `parcels` a day until then; parcels it was given already stay.

    Raises Refused("lever_not_lower") where that is not less than it can do, ("lever_value") below zero.
    """
    if parcels < 0:
        raise _bad_value()
    limit = warehouse.capacity_per_day
    if limit is not None and parcels >= limit:
        raise Refused(
            "lever_not_lower",
            _("%(name)s can do %(limit)d parcels a day: a lever only lowers that.")
            % {"name": warehouse.name, "limit": limit},
            remedy=_("Give a smaller number, or change the warehouse itself."),
            field="value",
            facts={"warehouse": warehouse.pk, "limit": limit},
        )
    return _set(warehouse, Kind.CAPACITY, Decimal(parcels), until=until, actor=actor, why=why, now=now)


def raise_price(
    warehouse: Warehouse, yuan_per_parcel: Decimal, *, until: datetime | None, actor: str, why: str,
    now: datetime,
) -> WarehouseLever:  # fmt: skip
    """Make each parcel from a warehouse dearer by so many yuan in every comparison, until then."""
    if not 0 < yuan_per_parcel <= MOST_YUAN:
        raise _bad_value()
    return _set(warehouse, Kind.PRICE, yuan_per_parcel, until=until, actor=actor, why=why, now=now)


@transaction.atomic
def freeze(
    warehouse: Warehouse, *, until: datetime | None, actor: str, why: str, now: datetime
) -> WarehouseLever:
    """Route no new order to a warehouse until then; it is the warehouse's own freeze, with an end."""
    row = Warehouse.objects.select_for_update().get(pk=warehouse.pk)
    mine = WarehouseLever.objects.filter(warehouse=row, kind=Kind.FREEZE, ended_at__isnull=True).exists()
    if row.is_frozen and not mine:
        raise Refused(
            "frozen_already",
            _("%(name)s is frozen already, without an end.") % {"name": row.name},
            remedy=_("Reopen it first if the freeze is to end by itself."),
            facts={"warehouse": row.pk},
        )
    lever = _set(row, Kind.FREEZE, None, until=until, actor=actor, why=why, now=now)
    _set_frozen(row, True, actor=actor, now=now)
    warehouse.is_frozen = True
    return lever


@transaction.atomic
def lift(lever: WarehouseLever, *, actor: str, now: datetime) -> bool:
    """End a lever before its time; False if somebody else or the clock was faster."""
    row = WarehouseLever.objects.select_for_update(of=("self",)).select_related("warehouse").get(pk=lever.pk)
    if row.ended_at is not None:
        return False
    _end([row], actor=actor, now=now)
    return True


@transaction.atomic
def expire(*, now: datetime) -> int:
    """End the levers whose time is up, so that waiting orders are tried again; returns how many."""
    due = WarehouseLever.objects.filter(ended_at__isnull=True, until__lte=now).order_by("pk")
    rows = list(due.select_for_update(of=("self",)).select_related("warehouse"))
    _end(rows, actor=CLOCK, now=now)
    return len(rows)


# ---- inside --------------------------------------------------------------------------------------


@transaction.atomic
def _set(
    warehouse: Warehouse, kind: WarehouseLever.Kind, value: Decimal | None, *, until: datetime | None,
    actor: str, why: str, now: datetime,
) -> WarehouseLever:  # fmt: skip
    if until is not None and until <= now:
        raise Refused(
            "lever_over",
            _("This time has passed already."),
            remedy=_("Choose a later one, or none for no end."),
            field="until",
        )
    if not why.strip():
        raise Refused("lever_why", _("Say why, so that the next shift knows."), field="why")
    Warehouse.objects.select_for_update().get(pk=warehouse.pk)  # two persons pull one after the other
    WarehouseLever.objects.filter(warehouse=warehouse, kind=kind, ended_at__isnull=True).update(
        ended_at=now, ended_by=actor[:80]
    )
    lever = WarehouseLever.objects.create(
        merchant_id=warehouse.merchant_id, warehouse=warehouse, kind=kind, value=value, why=why.strip()[:200],
        set_by=actor[:80], set_at=now, until=until,
    )  # fmt: skip
    _tell([lever], kinds.LEVER_SET.name, actor=actor, now=now)
    return lever


def _end(rows: Collection[WarehouseLever], *, actor: str, now: datetime) -> None:
    for lever in rows:
        lever.ended_at, lever.ended_by = now, actor[:80]
        lever.save(update_fields=["ended_at", "ended_by"])
        if lever.kind == Kind.FREEZE and lever.warehouse.is_frozen:
            _set_frozen(lever.warehouse, False, actor=actor, now=now)
    _tell(rows, kinds.LEVER_ENDED.name, actor=actor, now=now)
    inventory.tell_changed(
        list({lever.warehouse_id: lever.warehouse for lever in rows}.values()), actor=actor, now=now
    )


def _set_frozen(warehouse: Warehouse, is_frozen: bool, *, actor: str, now: datetime) -> None:
    if warehouse.is_frozen == is_frozen:
        return
    warehouse.is_frozen = is_frozen
    warehouse.save(update_fields=["is_frozen"])  # one by one, so that it is in the history
    inventory.tell_changed([warehouse], actor=actor, now=now)


def _tell(rows: Iterable[WarehouseLever], kind: str, *, actor: str, now: datetime) -> None:
    facts = [
        log.Fact(
            f"levers:{lever.merchant_id}",
            kind,
            {
                "warehouse": lever.warehouse.code,
                "lever": lever.kind,
                "value": None if lever.value is None else str(lever.value),
                "until": None if lever.until is None else lever.until.isoformat(),
                "why": lever.why,
            },
            lever.merchant_id,
        )
        for lever in rows
    ]
    for stream in sorted({fact.stream for fact in facts}):
        locks.stream(stream)
    log.record(facts, now=now, actor=actor)


def _bad_value() -> Refused:
    return Refused(
        "lever_value",
        _("This value does not make sense for the lever."),
        remedy=_("Parcels a day must not be negative; ¥ per parcel lies above 0 and at most 1,000."),
        field="value",
    )
