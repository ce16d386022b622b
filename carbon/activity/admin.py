"""Operators' pages of activity data: what came in, and where figures still rest on defaults."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from carbon.activity import gaps
from carbon.activity.models import ActivityRecord
from orderhub.inventory.admin_base import ReadOnlyAdmin

DATA = {
    "meter": _("read its meter"),
    "carton_weight": _("weigh its packaging"),
    "distance": _("get weighed parcels and driven kilometres"),
    "round": _("get fuel and parcels of its rounds"),
    "rework": _("meter the work on returns"),
    "return_distance": _("get the way of returns"),
    "sku_weight": _("weigh it"),
    "": _("nothing is missing"),
}
FLAGS = {"TEMPERATURE_ABOVE_LIMIT": _("above its limit")}


@admin.register(ActivityRecord)
class ActivityRecordAdmin(ReadOnlyAdmin):
    """Meter readings, temperatures, trips, packing lists and work on returns, as they came in."""

    list_display = ("kind", "subject", "starts_at", "ends_at", "shown_flags", "source", "recorded_at")
    list_filter = (("kind", ChoicesDropdownFilter),)
    list_select_related = ("merchant", "supersedes")
    search_fields = ("subject", "key", "source")
    ordering = ("-pk",)
    exclude = ("data", "flags")
    readonly_fields = ("shown_data", "shown_flags")

    def get_urls(self) -> list[Any]:
        """The page of gaps beside the list."""
        gap_page = path("gaps/", self.admin_site.admin_view(self.gaps), name="carbon_gaps")
        return [gap_page, *super().get_urls()]

    def gaps(self, request: HttpRequest) -> HttpResponse:
        """By site, carrier and SKU: the share on defaults, and what to get first."""
        if not request.user.has_perm("carbon.view_ledgerentry"):
            raise PermissionDenied
        found = gaps.find(getattr(request.user, "merchant_id", None))
        parts = [
            (_("Sites"), "sites", [(gap, DATA[gap.datum]) for gap in found.sites]),
            (_("Carriers"), "carriers", [(gap, DATA[gap.datum]) for gap in found.carriers]),
        ]
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": _("Data gaps"), "found": found,
            "parts": parts, "best": [(gap, DATA[gap.datum]) for gap in found.best], "skus": found.skus,
        }  # fmt: skip
        return TemplateResponse(request, "admin/carbon/gaps.html", context)

    @admin.display(description=_("figures"))
    def shown_data(self, obj: ActivityRecord) -> SafeString:
        """As they are stored."""
        return format_html("<pre>{}</pre>", json.dumps(obj.data, ensure_ascii=False, indent=2))

    @admin.display(description=_("flags"))
    def shown_flags(self, obj: ActivityRecord) -> str:
        """In words."""
        return ", ".join(str(FLAGS.get(flag, flag)) for flag in obj.flags) or "–"
