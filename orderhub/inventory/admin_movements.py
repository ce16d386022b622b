"""Operators' pages of what only the machine writes: movements, warehouse loads, reservations of carts."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateFilter, RelatedDropdownFilter

from orderhub.inventory.admin_base import ReadOnlyAdmin, named
from orderhub.inventory.models import Movement, Reservation, ReservationLine, WarehouseDay
from orderhub.templatetags.ui import pill


@admin.register(Movement)
class MovementAdmin(ReadOnlyAdmin):
    """Every change of a stock row."""

    merchant_path = "stock__merchant"
    list_display = (
        "moved_at",
        "shown_sku",
        "shown_warehouse",
        "kind",
        "on_hand_change",
        "reserved_change",
        "reference",
        "actor",
    )
    list_filter = (("kind", ChoicesDropdownFilter), ("moved_at", RangeDateFilter))
    list_select_related = ("stock__sku", "stock__warehouse")
    search_fields = ("stock__sku__code__exact", "reference__exact")
    ordering = ("-pk",)

    @display(description=_("SKU"))
    def shown_sku(self, obj: Movement) -> str:
        """The SKU's code."""
        return obj.stock.sku.code

    @display(description=_("warehouse"))
    def shown_warehouse(self, obj: Movement) -> str:
        """The warehouse in the reader's language."""
        return named(obj.stock.warehouse)


@admin.register(WarehouseDay)
class WarehouseDayAdmin(ReadOnlyAdmin):
    """Parcels promised by day."""

    merchant_path = "warehouse__merchant"
    list_display = ("date", "shown_warehouse", "parcels", "shown_limit")
    list_filter = (("warehouse", RelatedDropdownFilter), ("date", RangeDateFilter))
    list_select_related = ("warehouse",)
    ordering = ("-date", "warehouse_id")

    @display(description=_("warehouse"))
    def shown_warehouse(self, obj: WarehouseDay) -> str:
        """The warehouse in the reader's language."""
        return named(obj.warehouse)

    @display(description=_("parcels per day"))
    def shown_limit(self, obj: WarehouseDay) -> Any:
        """The limit, if any."""
        return obj.warehouse.capacity_per_day or _("no limit")


class ReservationLineInline(TabularInline):
    """What a reservation keeps."""

    model = ReservationLine
    fields = ("sku", "warehouse", "quantity")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the names at hand."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("sku", "warehouse")


@admin.register(Reservation)
class ReservationAdmin(ReadOnlyAdmin):
    """Units kept for carts and unpaid orders; the clock ends them."""

    list_display = ("created_at", "shown_goods", "shown_state", "expires_at", "ended_at", "actor")
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ("created_at", RangeDateFilter),
        ("merchant", RelatedDropdownFilter),
    )
    search_fields = ("id__exact",)
    ordering = ("-created_at",)
    fields = (("state", "actor"), ("created_at", "expires_at", "ended_at"))
    inlines = (ReservationLineInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the goods at hand."""
        return super().get_queryset(request).prefetch_related("lines__sku")

    @display(description=_("goods"))
    def shown_goods(self, obj: Reservation) -> str:
        """SKU codes and units."""
        return ", ".join(f"{line.sku.code} × {line.quantity}" for line in obj.lines.all())

    @display(description=_("state"), ordering="state")
    def shown_state(self, obj: Reservation) -> SafeString:
        """In color."""
        tone = "ok" if obj.state == Reservation.State.ACTIVE else "wait"
        return pill(tone, obj.get_state_display())
