"""Prices in one sentence each, for operators; and why prices are off."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from orderhub.inventory.admin_base import is_chinese

Held = Mapping[str, Any]
_NOTHING = "0.00"


def cell(held: Held, place: str) -> str:
    """What the next unit of a cell is worth if it stays, and why: "… only 62 % of what is wanted locally"."""
    yuan = _yuan(held["p"][2][-1])
    values = {"place": place, "yuan": yuan, "when": _day(held["r"]), "share": _share(held)}
    if yuan == _NOTHING:
        return (
            _(
                "Kept in %(place)s this unit is worth less than ¥0.01: there is enough until the receipt of %(when)s."
            )
            % values
        )
    if _covers(held):
        return (
            _(
                "Kept in %(place)s this unit is worth ¥%(yuan)s: until the receipt of %(when)s there is enough on "
                "average, but demand may be higher."
            )
            % values
        )
    return (
        _(
            "Kept in %(place)s this unit is worth ¥%(yuan)s: until the receipt of %(when)s there is only enough for "
            "%(share)s%% of the local demand."
        )
        % values
    )


def network(held: Held) -> str:
    """The same of all warehouses together."""
    values = {"yuan": _yuan(held["p"][2][-1]), "when": _day(held["r"]), "share": _share(held)}
    if _covers(held):
        return (
            _(
                "In the whole network a unit is worth ¥%(yuan)s: until the receipt of %(when)s there is enough on "
                "average, but demand may be higher."
            )
            % values
        )
    return (
        _(
            "In the whole network a unit is worth ¥%(yuan)s: until the receipt of %(when)s there is only enough for "
            "%(share)s%% of all demand."
        )
        % values
    )


def slot(place: str, *, left: int, coming: float, yuan: float) -> str:
    """What the next parcel slot of a warehouse is worth."""
    if _yuan(yuan) == _NOTHING:
        return _(
            "A parcel slot in %(place)s is free: %(left)s are left today and about %(coming)d more parcels are "
            "expected."
        ) % {"place": place, "left": f"{left:,}", "coming": round(coming)}
    return _(
        "A parcel slot in %(place)s is worth ¥%(yuan)s: %(left)d are left today and about %(coming)d more "
        "parcels are expected."
    ) % {"place": place, "yuan": _yuan(yuan), "left": left, "coming": round(coming)}


def guard(held: Held) -> str:
    """Why a guard tripped."""
    facts = held.get("facts", {})
    values = {key: facts.get(key, "") for key in ("by", "error", "limit", "share", "hours")}
    match held["code"]:
        case "switched_off":
            return _("Prices were switched off by hand (%(by)s).") % {"by": values["by"] or "–"}
        case "forecast_missing":
            return _(
                "There is no demand of the last 28 days, no stock or no tariff to calculate prices from."
            )
        case "forecast_wrong":
            return _("The forecast was wrong by %(error)s%% in the last cycle; more than %(limit)s%% is too much.") % {
                "error": _percent(values["error"]), "limit": _percent(values["limit"]),
            }  # fmt: skip
        case "stock_stale":
            names = [pair[0] if is_chinese() else pair[1] for pair in facts.get("warehouses", [])]
            return _("No stock changed for more than %(hours)s hours in: %(names)s. Units there have no price.") % {
                "hours": values["hours"], "names": ", ".join(names),
            }  # fmt: skip
        case "dropship_share":
            return _(
                "%(share)s%% of last week's parcels came from drop-ship suppliers; above %(limit)s%% the prices of "
                "the whole network are off."
            ) % {"share": _percent(values["share"]), "limit": _percent(values["limit"])}
    return str(held["code"])


def doer(actor: str) -> str:
    """Who did something, without the mark of a person; the clock's own name is the system."""
    if actor in ("", "system"):
        return _("system")
    return actor.removeprefix("user:")


def _covers(held: Held) -> bool:
    return bool(held["x"] >= held["m"])


def _share(held: Held) -> int:
    return int(100 * held["x"] / held["m"]) if held["m"] > 0 else 100


def _yuan(amount: float) -> str:
    return f"{amount:.2f}"


def _percent(share: object) -> str:
    return f"{100 * Decimal(str(share or 0)):.0f}"


def _day(moment: str) -> str:
    """A weekday within the coming week, else the date, its year only if it is another one."""
    at, today = timezone.localtime(datetime.fromisoformat(moment)), timezone.localdate()
    if 0 <= (at.date() - today).days < 7:
        return date_format(at, "l")
    return date_format(at, "MONTH_DAY_FORMAT" if at.year == today.year else "DATE_FORMAT")
