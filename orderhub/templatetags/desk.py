"""Template words for operators' pages."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def when(moment: datetime | None) -> str:
    """A time as people say it: today 15:10, yesterday 15:10, else the day, with the year if it is another."""
    if moment is None:
        return ""
    local, today = timezone.localtime(moment), timezone.localdate()
    clock = f"{local:%H:%M}"
    near = {
        today: _("today %(clock)s"),
        today - timedelta(days=1): _("yesterday %(clock)s"),
        today + timedelta(days=1): _("tomorrow %(clock)s"),
    }
    if local.date() in near:
        return near[local.date()] % {"clock": clock}
    if local.year != today.year:
        return f"{local:%Y-%m-%d %H:%M}"
    return f"{date_format(local, 'MONTH_DAY_FORMAT')} {clock}"
