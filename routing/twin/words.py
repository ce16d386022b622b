"""A what-if run in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from routing import figures as plain_figures

Text = str | Promise
Json = Mapping[str, Any]

FIGURES_WRONG = _("These figures cannot route orders.")
DAYS_WRONG = _("Choose between 1 and %(most)d days.")

#: What a run that did not finish says: what happened, what to do.
ERRORS: Mapping[str, tuple[Text, Text]] = {
    "no_orders": (
        _("No order was routed in these days."),
        _("Choose a longer period, or wait until orders have come in."),
    ),
    "too_many": (
        _("More than %(most)d decisions were made in these days."),
        _("Choose a shorter period."),
    ),
    "too_slow": (
        _("The replay took longer than a worker may work on one thing."),
        _("Choose a shorter period."),
    ),
    "nothing_whole": (
        _("Under these figures no order can be sent whole that the present strategy sends whole."),
        _("Look at the limit of parcels and whether partial shipment is allowed, then try again."),
    ),
    "never_published": (
        _("This strategy has never been in force, so there is nothing to compare with."),
        _("Publish it once, or try the figures in a strategy that is in force."),
    ),
    "workers_died": (
        _("Three workers ended before they were done."),
        _("Choose a shorter period; if it happens again, look at the memory of the workers."),
    ),
    "fault": (
        _("Something in the replay went wrong; nothing else is affected."),
        _("Try again; the cause is in the log of the worker."),
    ),
}
#: What a reader must know of a result; `%(count)d` where something is counted.
NOTES: Mapping[str, Text] = {
    "unused": _(
        "This strategy routed no order in these days. The draft stands for all orders here, beside what really "
        "routed them."
    ),
    "changed_since": _(
        "The strategy had other figures on some of these days. “Current” means those in force now; agreement "
        "with the log is judged with the figures of that day."
    ),
    "unlogged": _(
        "%(count)d decisions are older than the record of their inputs: today's tariffs, prices and warehouses "
        "stand in."
    ),
    "joint": _(
        "%(count)d decisions were made together before a pick wave. The replay decides one order at a time and "
        "leaves these orders their first plan."
    ),
}
LABELS: Mapping[str, Text] = {
    "money": _("Cost per order"),
    "value": _("Cost with time, carbon and splits"),
    "hours": _("Average arrival"),
    "remote_hours": _("Remote regions"),
    "kgco2e": _("Carbon"),
    "split": _("Split orders"),
    "parcels": _("Parcels per order"),
    "late": _("Later than promised"),
    "drop_ship": _("Drop-shipped parcels per order"),
}


def error(code: str, facts: Json) -> tuple[str, str]:
    """What happened and what to do."""
    happened, remedy = ERRORS.get(code, ERRORS["fault"])
    return str(happened) % facts if facts and "%(" in str(happened) else str(happened), str(remedy)


def note(row: Json) -> str:
    """One note of a result."""
    return str(NOTES.get(row["code"], "")) % {"count": row.get("count", 0)}


def summary(result: Json, days: int) -> str:
    """One sentence: what the figures would have done to cost, time and carbon."""
    head = (
        gettext("Last week's orders under these figures:")
        if days == 7
        else ngettext(
            "The orders of the last %(days)d day under these figures:",
            "The orders of the last %(days)d days under these figures:",
            days,
        )
        % {"days": days}
    )
    # The comma between the parts is the language's own, and so is the gap after the colon.
    gap = "" if head.endswith("：") else " "
    return head + gap + effect(result)


def effect(result: Json) -> str:
    """What the figures would have done to cost, time and carbon, without saying to which orders."""
    found = result["figures"]
    parts = [
        gettext("cost %(change)s") % {"change": share(found["money"])},
        gettext("time %(change)s h") % {"change": signed(found["hours"]["difference"], 1)},
        gettext("carbon %(change)s") % {"change": share(found["kgco2e"])},
    ]
    return gettext(", ").join(parts)


def verdict(result: Json, draft: Json) -> str:
    """Whether what is paid is worth what is gained, at the draft's own price of an hour."""
    found = result["figures"]
    cost, hours = found["money"]["difference"], found["hours"]["difference"]
    if not result["changed"]:
        return gettext("No order would have been routed otherwise.")
    if is_unclear(found["money"]) and is_unclear(found["hours"]):
        return gettext("No clear difference in cost or time.")
    if cost <= 0 and hours <= 0:
        return gettext("Cheaper and faster.") if cost and hours else gettext("Better in one, worse in none.")
    if cost >= 0 and hours >= 0:
        return gettext("Neither cheaper nor faster.")
    if draft.get("order"):
        return ""
    price, told = abs(cost / hours), Decimal(plain_figures.complete(draft)["yuan_per_hour"])
    facts = {"price": f"{price:.2f}", "told": f"{told:.2f}"}
    if hours < 0:
        if price <= told:
            return gettext("¥%(price)s an hour, below the ¥%(told)s you would pay: worth it.") % facts
        return gettext("¥%(price)s an hour, above the ¥%(told)s you would pay.") % facts
    if price >= told:
        return (
            gettext("¥%(price)s saved for each hour, above the ¥%(told)s it is worth to you: worth it.")
            % facts
        )
    return gettext("¥%(price)s saved for each hour, below the ¥%(told)s it is worth to you.") % facts


def agreement(found: Json) -> str:
    """How far the replay of what was in force agrees with what really happened."""
    if not found["plans"]:
        return ""
    same = f"{_floored(found['same'], found['plans'])}%"
    text = gettext("The replay agrees with what really happened in %(same)s of %(plans)s decisions") % {
        "same": same, "plans": f"{found['plans']:,}",
    }  # fmt: skip
    if found["cost_gap"] is None:
        return text + gettext(".")
    gap = f"{abs(found['cost_gap']) * 100:.1f}%"
    return text + gettext("; their cost differs by %(gap)s.") % {"gap": gap}


def is_unclear(figure: Json) -> bool:
    """Whether nought lies within the interval; without an interval nothing is claimed."""
    return figure["low"] is not None and figure["low"] <= 0 <= figure["high"]


def share(figure: Json) -> str:
    """A difference as a signed percentage of the current mean."""
    if not figure["current"]:
        return "–"
    return f"{signed(figure['difference'] / abs(figure['current']) * 100, 1)}%"


def signed(value: float, digits: int) -> str:
    """With a true minus, a plus, or neither at nought."""
    text = f"{abs(value):,.{digits}f}"
    if not float(text.replace(",", "")):
        return text
    return f"{'+' if value > 0 else '−'}{text}"


def _floored(same: int, plans: int) -> str:
    """Percent with one digit, never rounded up to a hundred."""
    tenths = same * 1000 // plans
    return "100" if same == plans else f"{tenths / 10:.1f}"
