"""Operators' pages of channels and holds; the orders' own page is in fulfillment, beside parcels."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter, RelatedDropdownFilter

from orderhub.inventory.admin_base import HubAdmin, ReadOnlyAdmin
from orderhub.kernel import clock
from orderhub.orders import admin_promotions, admin_words
from orderhub.orders.models import Channel, Hold
from orderhub.templatetags.ui import pill

__all__ = ["ChannelAdmin", "HoldAdmin", "admin_promotions"]


@admin.register(Channel)
class ChannelAdmin(HubAdmin):
    """Shops and marketplaces."""

    list_display = (
        "name",
        "code",
        "merchant",
        "kind",
        "merge_window_seconds",
        "risk_mode",
        "ships_from",
        "is_active",
    )
    list_filter = (("merchant", RelatedDropdownFilter), "is_active")
    list_select_related = ("merchant",)
    search_fields = ("code", "name", "name_en")
    ordering = ("merchant_id", "code")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Orders point here: a channel is switched off instead."""
        return False


class ActiveFilter(DropdownFilter):
    """Active or released."""

    title = _("state")
    parameter_name = "active"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The two."""
        return [("yes", _("still holding")), ("no", _("lifted"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Hold]) -> QuerySet[Hold]:
        """Holds in that state."""
        if self.value() in ("yes", "no"):
            return queryset.filter(released_at__isnull=self.value() == "yes")
        return queryset


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin):
    """Every hold, the newest first; placing and releasing is done on the order."""

    merchant_path = "order__merchant"
    list_display = ("shown_order", "shown_reason", "detail", "placed_at", "shown_by", "until", "released_at")
    list_filter = (ActiveFilter, ("reason", ChoicesDropdownFilter))
    list_select_related = ("order",)
    list_display_links = None
    fields = (
        "shown_order", "reason", "scope", "detail", "until", "placed_at", "placed_by", "released_at",
        "released_by", "release_note",
    )  # fmt: skip
    readonly_fields = fields
    ordering = ("-pk",)

    @display(description=_("order"), ordering="order_id")
    def shown_order(self, obj: Hold) -> SafeString:
        """The order, linked."""
        link = reverse("admin:orders_order_change", args=(obj.order_id,))
        return format_html('<a class="oh-link" href="{}">{}</a>', link, obj.order.number)

    @display(description=_("reason"), ordering="reason")
    def shown_reason(self, obj: Hold) -> SafeString:
        """The reason as a pill; gray once released or past its time."""
        is_over = obj.released_at is not None or (obj.until is not None and obj.until <= clock.now())
        return pill("wait" if is_over else "hold", str(obj.get_reason_display()))

    @display(description=_("placed by"), ordering="placed_by")
    def shown_by(self, obj: Hold) -> str:
        """Who placed it."""
        return admin_words.actor(obj.placed_by)
