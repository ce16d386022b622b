"""The sentences of the board."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from orderhub.inventory.admin_base import named
from routing.board.reading import House
from routing.pricing.models import WarehouseLever

BUTTONS: dict[str, Any] = {
    "capacity": gettext_lazy("Lower the capacity"),
    "price": gettext_lazy("Raise the price"),
    "freeze": gettext_lazy("Freeze"),
}
EFFECTS: dict[str, Any] = {
    "capacity": gettext_lazy(
        "From the next decision on, orders get no more of its slots than that a day. What it was given already stays."
    ),
    "price": gettext_lazy(
        "From the next decision on, each parcel from here counts so much dearer: orders go elsewhere unless that"
        " costs more."
    ),
    "freeze": gettext_lazy(
        "From the next decision on, no order is routed here. What it was given already stays."
    ),
}


def effect(house: House, kind: str) -> str:
    """What a lever does, and what stands against it now."""
    told = str(EFFECTS[kind])
    if not house.limit:
        return told
    gap = "" if told.endswith("。") else " "
    return f"{told}{gap}{warning_detail(house)}"


def clock_of(house: House, moment: datetime) -> str:
    """The time on the warehouse's own clock."""
    return f"{moment.astimezone(ZoneInfo(house.warehouse.time_zone)):%H:%M}"


def state(house: House) -> str:
    """How it stands, in one short sentence."""
    if house.is_frozen:
        return _("frozen: no new orders")
    if house.limit is None:
        return _("no limit")
    if house.left == 0:
        return _("full until the cut-off at %(time)s") % {"time": clock_of(house, house.cutoff_at)}
    if house.full_at is not None:
        return _("full at about %(time)s") % {"time": clock_of(house, house.full_at)}
    left = max(0, house.limit - house.at_end)
    return ngettext("%(count)s slot left at the cut-off", "%(count)s slots left at the cut-off", left) % {
        "count": f"{left:,}"
    }


def countdown(house: House, now: datetime) -> str:
    """Hours and minutes until the cut-off."""
    minutes = max(0, int((house.cutoff_at - now) / timedelta(minutes=1)))
    return _("%(hours)d h %(minutes)02d min") % {"hours": minutes // 60, "minutes": minutes % 60}


def cover(house: House) -> str:
    """How long its stock lasts."""
    if house.cover.days is None:
        return _("nothing shipped in two weeks")
    if house.cover.days > 99:
        return _("more than 99 days")
    return _("%(days)s days") % {"days": f"{house.cover.days:.1f}"}


def lever(row: WarehouseLever) -> str:
    """A lever in force: what, until when, by whom, why."""
    value = row.value
    what = {
        "capacity": lambda: _("at most %(value)s parcels a day") % {"value": f"{value:.0f}"},
        "price": lambda: _("¥%(value)s dearer per parcel") % {"value": f"{value:.2f}"},
        "freeze": lambda: _("frozen"),
    }[row.kind]()
    until = (
        _("until %(time)s") % {"time": f"{localtime(row.until):%m-%d %H:%M}"} if row.until else _("no end")
    )
    return f"{what} · {until} · {row.set_by.removeprefix('user:')} · {row.why}"


def warning(house: House) -> str:
    """The sentence of the Today page about a warehouse that will run out of slots."""
    values = {"name": named(house.warehouse)}
    if house.left == 0:
        return _("%(name)s is full before its cut-off") % values
    assert house.full_at is not None, "only warehouses that fill up are warned of"
    return _("%(name)s will be full by %(time)s") % {**values, "time": clock_of(house, house.full_at)}


def warning_detail(house: House) -> str:
    """What stands behind it."""
    return _("%(used)s of %(limit)s slots used, about %(coming)s parcels still to come before %(cutoff)s") % {
        "used": f"{house.used:,}",
        "limit": f"{house.limit or 0:,}",
        "coming": f"{house.coming:,.0f}",
        "cutoff": clock_of(house, house.cutoff_at),
    }
