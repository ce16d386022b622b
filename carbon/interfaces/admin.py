"""Operators' pages of declared product footprints, passports, and what partners ask and tell."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin

from carbon.interfaces.models import PactEvent, Passport, ProductFootprint
from orderhub.inventory.admin_base import HubAdmin, ReadOnlyAdmin
from orderhub.kernel import clock


@admin.register(ProductFootprint)
class ProductFootprintAdmin(HubAdmin):
    """As the owner of the product declares it; never edited: a new one ends the old."""

    list_display = (
        "sku",
        "excluding_biogenic",
        "unit",
        "amount",
        "period_from",
        "period_to",
        "is_active",
        "created_at",
    )
    list_filter = ("is_active", "unit")
    list_select_related = ("sku", "merchant")
    search_fields = ("sku__code", "sku__name")
    exclude = ("is_active",)
    autocomplete_fields = ("sku",)
    ordering = ("-id",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: partners may have read it."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: it becomes deprecated."""
        return False

    def save_model(self, request: HttpRequest, obj: ProductFootprint, form: Any, change: bool) -> None:
        """End the SKU's footprint before, then write the new one."""
        ProductFootprint.objects.filter(sku=obj.sku, is_active=True).update(is_active=False)
        obj.created_at = clock.now()
        super().save_model(request, obj, form, change)


@admin.register(PactEvent)
class PactEventAdmin(ReadOnlyAdmin):
    """Requests and notices of partners."""

    list_display = ("received_at", "merchant", "type", "source", "event_id")
    list_filter = ("type",)
    list_select_related = ("merchant",)
    ordering = ("-id",)


@admin.register(Passport)
class PassportAdmin(HubAdmin, SimpleHistoryAdmin):
    """Passports of products, pieces and lots."""

    list_display = ("gtin", "serial", "lot", "sku", "group", "is_published", "shown_page")
    list_filter = ("is_published", "group")
    list_select_related = ("sku", "merchant")
    search_fields = ("gtin", "serial", "lot", "sku__code", "sku__name")
    autocomplete_fields = ("sku",)
    ordering = ("-id",)

    @admin.display(description=_("page"))
    def shown_page(self, obj: Passport) -> SafeString | str:
        """The address behind its QR code."""
        if not obj.is_published:
            return "–"
        return format_html('<a class="oh-link" href="{}">{}</a>', obj.path, obj.path)
