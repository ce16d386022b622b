"""Operators' pages of reporting profiles, and of every report that was handed out."""

from __future__ import annotations

from django.contrib import admin
from simple_history.admin import SimpleHistoryAdmin

from carbon.reports.models import Disclosure, ReportProfile
from orderhub.inventory.admin_base import HubAdmin, ReadOnlyAdmin


@admin.register(ReportProfile)
class ReportProfileAdmin(HubAdmin, SimpleHistoryAdmin):
    """Who pays for freight, whose the warehouses are, where texts are read."""

    list_display = ("merchant", "freight_paid_by", "owns_warehouses", "markets")
    list_select_related = ("merchant",)
    ordering = ("merchant",)


@admin.register(Disclosure)
class DisclosureAdmin(ReadOnlyAdmin):
    """What left the hub, with its fingerprint."""

    list_display = ("made_at", "kind", "merchant", "kg", "orders", "made_by", "sha256")
    list_filter = ("kind",)
    list_select_related = ("merchant",)
    ordering = ("-id",)
