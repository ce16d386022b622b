"""Who gets reports by e-mail, and every making of a report."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from simple_history.admin import SimpleHistoryAdmin

from orderhub.inventory.admin_base import HubAdmin, ReadOnlyAdmin
from routing.reports.models import ReportSubscription, RoutingReport


@admin.register(ReportSubscription)
class ReportSubscriptionAdmin(HubAdmin, SimpleHistoryAdmin):
    """Which reports go to which address, in which language, with which files."""

    list_display = ("email", "merchant", "kind", "language", "with_pdf", "with_csv", "is_active")
    list_filter = ("kind", "is_active")
    list_select_related = ("merchant",)
    ordering = ("merchant", "email")

    def save_model(self, request: HttpRequest, obj: ReportSubscription, form: Any, change: bool) -> None:
        """Keep who asked for it."""
        if not change:
            obj.created_by = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)


@admin.register(RoutingReport)
class RoutingReportAdmin(ReadOnlyAdmin):
    """Every making with what became of it; the figures are on the report's own page."""

    list_display = ("since", "until", "kind", "merchant", "state", "asked_by", "asked_at", "finished_at")
    list_filter = ("kind", "state")
    list_select_related = ("merchant",)
    ordering = ("-id",)
    exclude = ("result", "error_facts")
