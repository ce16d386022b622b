"""What stock adds to the Today page: differences that need a person, and goods that are promised but missing."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from orderhub.fulfillment.panels import Concern, concern
from orderhub.fulfillment.today import page_of
from orderhub.inventory.models import StockReportLine

State = StockReportLine.State


@concern("stock_reports", permission="inventory.view_stockreportline")
def differences(request: HttpRequest, now: datetime) -> list[Concern]:
    """Differences that wait, and lines of unknown SKUs; one query."""
    rows = StockReportLine.objects.filter(state__in=(State.WAITING, State.REFUSED))
    merchant_id = getattr(request.user, "merchant_id", None)
    if merchant_id is not None:
        rows = rows.filter(merchant_id=merchant_id)
    found = rows.aggregate(
        waiting=Count("pk", filter=Q(state=State.WAITING)), short=Count("pk", filter=Q(short__gt=0)),
        refused=Count("pk", filter=Q(state=State.REFUSED)),
    )  # fmt: skip
    concerns = []
    if found["waiting"]:
        text = ngettext(
            "%(count)d stock difference waits", "%(count)d stock differences wait", found["waiting"]
        )
        detail = _("Goods promised to orders are missing.") if found["short"] else _("Book or dismiss them.")
        link = page_of("inventory_stockreportline_changelist", "state__exact=waiting")
        tone = "bad" if found["short"] else "warn"
        concerns.append(Concern(tone, text % {"count": found["waiting"]}, detail, "", link, _("look"), 3))
    if found["refused"]:
        text = ngettext(
            "%(count)d line of a stock report names an unknown SKU",
            "%(count)d lines of stock reports name unknown SKUs", found["refused"],
        )  # fmt: skip
        link = page_of("inventory_stockreportline_changelist", "state__exact=refused")
        detail = _("Add the SKU, then try the line again.")
        concerns.append(Concern("warn", text % {"count": found["refused"]}, detail, "", link, _("look"), 4))
    return concerns
