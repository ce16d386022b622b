"""Goods that came in, as warehouses confirmed them: read only, with what was expected and what is missing."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import RangeDateTimeFilter, RelatedDropdownFilter

from orderhub.inventory.admin_base import ReadOnlyAdmin, named
from orderhub.inventory.models import Receipt, ReceiptLine
from orderhub.templatetags.ui import pill


class ReceiptLineInline(TabularInline):
    """What came of each SKU."""

    model = ReceiptLine
    extra = 0
    can_delete = False
    hide_title = True
    fields = readonly_fields = ("shown_sku", "units", "damaged", "expected", "shown_difference")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the SKU at hand."""
        return super().get_queryset(request).select_related("sku").order_by("pk")

    @display(description=_("SKU"))
    def shown_sku(self, obj: ReceiptLine) -> str:
        """Code and name."""
        return f"{obj.sku.code} {named(obj.sku)}"

    @display(description=_("difference"))
    def shown_difference(self, obj: ReceiptLine) -> SafeString:
        """More or less than expected in all; a dash where nothing was expected or more is to come."""
        if obj.difference is None:
            return pill("wait", "–")
        return pill("warn" if obj.difference else "ok", f"{obj.difference:+d}" if obj.difference else "0")


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    """Confirmations of goods receipts."""

    list_display = (
        "said_at",
        "reference",
        "shown_warehouse",
        "shown_lines",
        "shown_final",
        "shown_differences",
    )
    list_display_links = ("said_at", "reference")
    list_filter = (
        ("warehouse", RelatedDropdownFilter), ("said_at", RangeDateTimeFilter), "is_final",
        ("merchant", RelatedDropdownFilter),
    )  # fmt: skip
    list_select_related = ("warehouse",)
    search_fields = ("reference__exact", "lines__sku__code__exact")
    ordering = ("-pk",)
    inlines = (ReceiptLineInline,)
    fields = (("reference", "warehouse"), ("said_at", "received_at"), ("is_final", "actor"))

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the number of lines and of differences."""
        differing = Q(lines__difference__isnull=False) & ~Q(lines__difference=0)
        return super().get_queryset(request).annotate(
            line_count=Count("lines"), differing=Count("lines", filter=differing)
        )  # fmt: skip

    @display(description=_("warehouse"), ordering="warehouse__code")
    def shown_warehouse(self, obj: Receipt) -> str:
        """The warehouse in the reader's language."""
        return named(obj.warehouse)

    @display(description=_("lines"))
    def shown_lines(self, obj: Any) -> int:
        """How many."""
        return int(obj.line_count)

    @display(description=_("state"))
    def shown_final(self, obj: Receipt) -> SafeString:
        """Whether more is to come."""
        return pill("ok", str(_("complete"))) if obj.is_final else pill("wait", str(_("more to come")))

    @display(description=_("differences"))
    def shown_differences(self, obj: Any) -> SafeString:
        """SKUs of which more or less came than expected."""
        return pill("warn" if obj.differing else "ok", str(obj.differing))
