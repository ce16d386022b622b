"""What the control tower adds to the Today page and to the order page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from orderhub.fulfillment.panels import Concern, Drawn, concern, panel
from orderhub.fulfillment.today import page_of
from orderhub.inventory.admin_base import is_chinese, named
from orderhub.kernel import clock
from orderhub.orders.models import Order
from orderhub.templatetags.ui import pill
from tracking.center import alerts, digest, plans
from tracking.center import book as books
from tracking.center.models import Alert, StallRule, UnknownCode
from tracking.models import TimelineEntry

_TONES = {"critical": "bad", "high": "warn", "normal": "warn"}


@concern("stalled", permission="center.view_alert")
def stalled(request: HttpRequest, now: datetime) -> list[Concern]:
    """Open alerts by rule; two queries."""
    rows = Alert.objects.filter(cleared_at__isnull=True).exclude(snoozed_until__gt=now)
    merchant_id = getattr(request.user, "merchant_id", None)
    rows = rows.filter(merchant_id=merchant_id) if merchant_id else rows
    found = rows.values("rule").annotate(
        count=Count("pk"), oldest=Min("since_at"), critical=Count("pk", filter=Q(severity="critical"))
    )
    rules = StallRule.objects.in_bulk({row["rule"] for row in found})
    return [
        Concern(
            "bad" if row["critical"] else _TONES[rules[row["rule"]].severity],
            ngettext("%(name)s: %(count)d part", "%(name)s: %(count)d parts", row["count"])
            % {"name": named(rules[row["rule"]]), "count": row["count"]},
            _("They stand still longer than their rule allows; the next news closes them by itself."),
            _("oldest %(hours)d h") % {"hours": max(0, int((now - row["oldest"]).total_seconds() // 3600))},
            page_of("center_alert_changelist", f"rule__id__exact={row['rule']}"),
            _("look"),
            (row["oldest"] - now).total_seconds(),
        )
        for row in found.order_by("oldest")
    ]


@concern("unknown codes", permission="center.view_unknowncode")
def unknown_codes(request: HttpRequest, now: datetime) -> list[Concern]:
    """Codes of carriers that nobody has mapped; one query."""
    rows = UnknownCode.objects.filter(state=UnknownCode.State.OPEN)
    merchant_id = getattr(request.user, "merchant_id", None)
    rows = rows.filter(merchant_id=merchant_id) if merchant_id else rows
    found = rows.aggregate(count=Count("pk"), suggested=Count("pk", filter=~Q(suggestion="")))
    if not found["count"]:
        return []
    text = ngettext(
        "%(count)d code of a carrier is unknown", "%(count)d codes of carriers are unknown", found["count"]
    )
    detail = _("Their events are kept. For %(count)d of them a milestone is suggested.") % {
        "count": found["suggested"]
    }
    link = page_of("center_unknowncode_changelist", "state__exact=open")
    return [Concern("warn", text % {"count": found["count"]}, detail, "", link, _("map"), 5)]


@panel("journey", order=40, permission="tracking.view_journey")
def of_order(order: Order, request: HttpRequest) -> Drawn | None:
    """The order's day in a paragraph, its open alerts, and its plan against what happened."""
    now, language = clock.now(), "zh-hans" if is_chinese() else "en"
    entries = list(TimelineEntry.objects.filter(journey__order=order).order_by("occurred_at", "seq"))
    plan = plans.of_order(order)
    rows = (
        Alert.objects.filter(order=order, cleared_at__isnull=True)
        .select_related("rule")
        .order_by("-consequence")
    )
    may_see = request.user.has_perm("center.view_alert")
    return Drawn(
        "admin/panels/journey.html",
        {
            "digest": digest.paragraph(order, language=language, audience="operator", now=now),
            "alerts": [_alert(row) for row in rows] if may_see else [],
            "template": named(plan.template) if plan else "",
            "stops": _stops(plan, entries, order, now=now) if plan else [],
        },
    )


def _alert(row: Alert) -> dict[str, Any]:
    link = reverse("admin:center_alert_change", args=(row.pk,))
    return {"pill": pill(alerts.TONES[row.severity], named(row.rule)), "link": link, "deed": row.rule.get_deed_display(),
            "since": row.since_at}  # fmt: skip


def _stops(plan: Any, entries: list[TimelineEntry], order: Order, *, now: datetime) -> list[dict[str, Any]]:
    book = books.book(order.merchant_id)
    found = []
    for stop in plans.stops(plan, entries, now=now):
        pair = book.words(stop.step.milestone, "operator") or ("", "")
        own = stop.step.name_zh if is_chinese() else stop.step.name_en or stop.step.name_zh
        name = own or (pair[0] if is_chinese() else pair[1])
        hours = stop.late.total_seconds() / 3600
        found.append({"name": name, "stop": stop, "late": round(hours) if hours >= 1 else 0})
    return found
