"""What the risk and cross-border checks show on the order page, and what of them needs a person on the Today page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from orderhub.fulfillment.models import FulfillmentLine
from orderhub.fulfillment.models.fulfillment import State
from orderhub.fulfillment.panels import Concern, Drawn, concern, panel
from orderhub.inventory.admin_base import is_chinese
from orderhub.kernel import clock
from orderhub.orders.compliance import desk as duties
from orderhub.orders.compliance.models import ComplianceCheck
from orderhub.orders.models import Order
from orderhub.orders.risk import desk
from orderhub.orders.risk.models import Assessment
from orderhub.templatetags.desk import when

RISK_TONES = {"pass": "ok", "review": "warn", "hold": "bad"}
CHECK_TONES = {"pass": "ok", "note": "ok", "hold": "warn", "block": "bad"}


@panel("risk", order=6, aside=True, permission="risk.view_assessment")
def risk(order: Order, request: HttpRequest) -> Drawn | None:
    """The score with every reason; one query."""
    row = Assessment.objects.filter(pk=order.pk).first()
    if row is None:
        return None
    said = "zh" if is_chinese() else "en"
    lines = [(x[said], f"+{x['counted']}" if x["counted"] >= 0 else str(x["counted"])) for x in row.fired]
    return _drawn(
        _("Risk"), RISK_TONES[row.band], f"{row.points} {row.get_band_display()}", lines,
        reverse("admin:risk_assessment_change", args=(order.pk,)),
    )  # fmt: skip


@panel("compliance", order=7, aside=True, permission="compliance.view_compliancecheck")
def compliance(order: Order, request: HttpRequest) -> Drawn | None:
    """The findings with the rule and version each came from, and what the parcels planned cost more in duty."""
    row = ComplianceCheck.objects.filter(pk=order.pk).first()
    if row is None:
        return None
    said = "zh" if is_chinese() else "en"
    lines = [
        (x[said], f"{x['rule']} v{x['version']}" if x["rule"] else "")
        for x in row.findings
        if x["outcome"] != "pass"
    ]
    if told := split_duty(order):
        lines.append((told[0 if said == "zh" else 1], ""))
    return _drawn(
        _("Cross-border"), CHECK_TONES[row.outcome], str(row.get_outcome_display()), lines,
        reverse("admin:compliance_compliancecheck_change", args=(order.pk,)),
    )  # fmt: skip


def split_duty(order: Order) -> tuple[str, str] | None:
    """What sending it in the parts planned costs more in duty, in Chinese and English; None where it goes in one part
    or costs the same. Two queries, seven for an order in parts.
    """
    parts: dict[int, dict[int, int]] = {}
    planned = FulfillmentLine.objects.filter(fulfillment__order=order).exclude(
        fulfillment__state__in=(State.CANCELLED, State.REJECTED)
    )
    for part, line, units in planned.values_list("fulfillment", "order_line", "quantity"):
        parts.setdefault(part, {})[line] = parts.setdefault(part, {}).get(line, 0) + units
    if len(parts) < 2:
        return None
    lines = list(order.lines.select_related("sku"))
    _delta, zh, en = duties.split_duty(order, lines, list(parts.values()), now=clock.now())
    return (zh, en) if zh else None


@concern("risk_reviews", permission="risk.view_assessment")
def late_reviews(request: HttpRequest, now: datetime) -> Sequence[Concern]:
    """Reviews whose time is over; one query."""
    late = desk.queue(getattr(request.user, "merchant_id", None)).filter(due_at__lte=now)
    found = list(late.values_list("due_at", flat=True)[:1000])
    if not found:
        return []
    text = ngettext("%(count)d risk review is late", "%(count)d risk reviews are late", len(found)) % {
        "count": len(found)
    }
    link = f"{reverse('admin:risk_assessment_changelist')}?state__exact=open"
    detail = _("Orders wait while nobody looks at them.")
    return [Concern("hold", text, detail, _("since %(when)s") % {"when": when(found[0])}, link, _("Review"))]


def _drawn(title: Any, tone: str, text: str, lines: Sequence[tuple[str, str]], link: str) -> Drawn:
    context = {"title": title, "tone": tone, "text": text, "lines": lines, "link": link}
    return Drawn("admin/panels/screening.html", context)
