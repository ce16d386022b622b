"""What reports call things, and what they say where there is nothing to report on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

Text = str | Promise

DIMENSION_WORDS: Mapping[str, Text] = {
    "channel": pgettext_lazy("routing report", "Channel"),
    "region": pgettext_lazy("routing report", "Region"),
    "warehouse": pgettext_lazy("routing report", "Warehouse"),
    "strategy": pgettext_lazy("routing report", "Strategy"),
}
MEASURE_WORDS: Mapping[str, Text] = {
    "cost": _("Cost per order"),
    "hours": _("Hours to the door"),
    "kgco2e": _("kg CO₂e per order"),
}
UNITS: Mapping[str, str] = {"cost": "¥", "hours": "h", "kgco2e": "kg"}
PART_WORDS: Mapping[str, Text] = {
    "mix": _("Mix: what was ordered, and where to"),
    "price": _("Price: the same way now costs otherwise"),
    "stock": _("Stock position: it was sent another way"),
}
PART_SHORT: Mapping[str, Text] = {
    "mix": pgettext_lazy("routing report", "Mix"),
    "price": pgettext_lazy("routing report", "Price"),
    "stock": pgettext_lazy("routing report", "Stock position"),
}
WRONG_DAYS = _("The last day lies before the first, or the period is longer than %(most)d days.")
WRONG_DAYS_REMEDY = _("Choose days within one period of at most %(most)d days.")
FUTURE = _("This period has not begun yet.")
FUTURE_REMEDY = _("Choose days up to today.")

#: What a making that did not finish says: what happened, what to do.
ERRORS: Mapping[str, tuple[Text, Text]] = {
    "empty": (
        _("No order was routed in this period."),
        _("Choose a longer period, or wait until orders have come in."),
    ),
    "workers_died": (
        _("Three workers ended before the report was made."),
        _("Choose a shorter period; if it happens again, look at the memory of the workers."),
    ),
    "too_slow": (
        _("The report took longer than a worker may work on one thing."),
        _("Choose a shorter period."),
    ),
    "nothing_whole": (
        _("There is no decision of these days that can be replayed."),
        _("Decisions older than the record of their inputs cannot be replayed; wait for newer ones."),
    ),
    "fault": (
        _("Something went wrong while the report was made; nothing else is affected."),
        _("Try again; the cause is in the log of the worker."),
    ),
}


def error(code: str, facts: Mapping[str, Any]) -> tuple[str, str]:
    """What happened and what to do."""
    happened, remedy = ERRORS.get(code, ERRORS["fault"])
    waiting = facts.get("waiting", 0)
    told = str(happened)
    if waiting:
        more = ngettext(
            "%(count)d order came in and waits for a decision.",
            "%(count)d orders came in and wait for a decision.",
            waiting,
        )
        told = f"{told} {more % {'count': waiting}}"
    return told, str(remedy)
