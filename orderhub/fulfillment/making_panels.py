"""What factories and returns add to the order's page and to the Today page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from orderhub.fulfillment import production
from orderhub.fulfillment.models import ComponentHold, ReturnReceipt, WorkOrder
from orderhub.fulfillment.panels import Concern, Drawn, concern, panel
from orderhub.fulfillment.today import page_of
from orderhub.inventory.admin_base import is_chinese, named
from orderhub.orders.models import Order
from orderhub.templatetags.ui import pill

Work = WorkOrder.State
TONES = {
    Work.RELEASED: "wait", Work.ACCEPTED: "go", Work.STARTED: "go", Work.FINISHED: "ok", Work.CANCELLED: "wait",
}  # fmt: skip
QUALITY_TONES = {"passed": "ok", "failed": "bad", "rework": "warn"}
EVENTS = {
    "accepted": _("taken on"), "planned": _("planned anew"), "material": _("materials arrived"), "started": _("started"),
    "step": _("step done"), "qc_passed": _("passed inspection"), "qc_failed": _("did not pass inspection"),
    "rework": _("being reworked"), "finished": _("finished"), "changed": _("changed"),
}  # fmt: skip


@panel("production", order=25, permission="fulfillment.view_workorder")
def production_panel(order: Order, request: HttpRequest) -> Drawn | None:
    """What factories make for the order; one query where nothing is made, three where something is."""
    rows = (
        WorkOrder.objects.filter(fulfillment__order=order)
        .select_related("fulfillment__warehouse")
        .order_by("pk")
    )
    works = [_drawn(row) for row in rows.prefetch_related("components__sku", "steps")]
    return Drawn("admin/panels/production.html", {"works": works}) if works else None


def _drawn(row: WorkOrder) -> dict[str, Any]:
    is_late = row.stalled_at is not None and row.state in production.OPEN
    joint = "，" if is_chinese() else ", "
    short = [
        f"{hold.sku.code} {named(hold.sku)} ×{hold.short}" for hold in row.components.all() if hold.short
    ]
    last = max(row.steps.all(), key=lambda step: (step.said_at, step.pk), default=None)
    return {
        "row": row, "factory": named(row.fulfillment.warehouse), "number": row.fulfillment.number,
        "pill": pill("bad", str(_("late without a word"))) if is_late else _pill(row),
        "quality": pill(QUALITY_TONES[row.quality], str(row.get_quality_display())) if row.quality else "",
        "short": joint.join(short), "last": EVENTS.get(last.event, last.event) if last else "", "step": last.name if last else "",
        "is_over": row.due_at is not None and row.finish_at > row.due_at,
        "link": reverse("admin:fulfillment_workorder_change", args=(row.pk,)),
    }  # fmt: skip


def _pill(row: WorkOrder) -> SafeString:
    return pill(TONES[Work(row.state)], str(row.get_state_display()))


def lacking() -> Any:
    """The ids of open work orders that lack components."""
    rows = ComponentHold.objects.filter(is_kept=True, units__gt=F("reserved") + F("used"))
    return rows.filter(work__state__in=production.OPEN).values("work_id")


@concern("production", permission="fulfillment.view_workorder")
def late_works(request: HttpRequest, now: datetime) -> list[Concern]:
    """Work orders past their planned finish without a word, and those that lack components; one query."""
    rows = WorkOrder.objects.filter(state__in=production.OPEN)
    merchant_id = getattr(request.user, "merchant_id", None)
    rows = rows.filter(merchant_id=merchant_id) if merchant_id else rows
    found = rows.aggregate(
        late=Count("pk", filter=Q(stalled_at__isnull=False)),
        short=Count("pk", filter=Q(pk__in=lacking()) & Q(created_at__lt=now - timedelta(minutes=1))),
    )
    concerns = []
    if found["late"]:
        text = ngettext(
            "%(count)d work order is past its planned finish, and the factory is silent",
            "%(count)d work orders are past their planned finish, and the factory is silent", found["late"],
        ) % {"count": found["late"]}  # fmt: skip
        link = page_of("fulfillment_workorder_changelist", "look=late")
        concerns.append(
            Concern("bad", text, _("Ask the factory; its next word clears this."), "", link, _("look"), 3)
        )
    if found["short"]:
        text = ngettext(
            "%(count)d work order lacks components", "%(count)d work orders lack components", found["short"]
        ) % {"count": found["short"]}
        link = page_of("fulfillment_workorder_changelist", "look=short")
        detail = _("They are taken by themselves when they come.")
        concerns.append(Concern("warn", text, detail, "", link, _("look"), 4))
    return concerns


@concern("returns", permission="fulfillment.view_returnreceipt")
def nameless_returns(request: HttpRequest, now: datetime) -> list[Concern]:
    """Returned goods of no known order; one query."""
    rows = ReturnReceipt.objects.filter(order__isnull=True)
    merchant_id = getattr(request.user, "merchant_id", None)
    count = (rows.filter(merchant_id=merchant_id) if merchant_id else rows).count()
    if not count:
        return []
    text = ngettext(
        "%(count)d return belongs to no known order", "%(count)d returns belong to no known order", count
    ) % {"count": count}
    link = page_of("fulfillment_returnreceipt_changelist", "named=no")
    return [
        Concern("warn", text, _("The goods are on the shelf; say whose they are."), "", link, _("look"), 5)
    ]
