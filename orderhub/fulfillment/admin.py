"""Operators' pages of orders, fulfillment orders, parcels and rate cards."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import display
from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from import_export.admin import ImportExportModelAdmin
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.contrib.import_export.forms import ExportForm, ImportForm
from unfold.widgets import UnfoldAdminTextInputWidget

from orderhub.fulfillment import (  # noqa: F401  the panels register themselves
    admin_accepting,
    admin_making,
    admin_returns,
    admin_stock_reports,
    flow_panels,
    kin_panels,
    order_page,
    rates,
    screening_panels,
    stock_concerns,
)
from orderhub.fulfillment.admin_orders import OrderAdmin
from orderhub.fulfillment.custom_panels import ParcelFields
from orderhub.fulfillment.models import (
    FulfillmentLine,
    FulfillmentOrder,
    Parcel,
    ParcelLine,
    RateCard,
    RateZone,
)
from orderhub.fulfillment.models.fulfillment import State
from orderhub.inventory.admin_base import HubAdmin, ReadOnlyAdmin, ToldResource, actor_of, named
from orderhub.inventory.admin_custom import CustomPages
from orderhub.kernel import clock
from orderhub.orders.models import Order
from orderhub.templatetags.ui import pill

admin.site.register(Order, OrderAdmin)


class _ReadOnlyInline(TabularInline):
    extra = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class FulfillmentLineInline(_ReadOnlyInline):
    """Units of a fulfillment order."""

    model = FulfillmentLine
    fields = ("sku", "quantity", "reserved", "shipped", "made_on")

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the SKU at hand."""
        return super().get_queryset(request).select_related("sku")


class ParcelLineInline(_ReadOnlyInline):
    """What is in a parcel."""

    model = ParcelLine
    fields = ("shown_sku", "quantity")
    readonly_fields = ("shown_sku",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the SKU at hand."""
        return super().get_queryset(request).select_related("fulfillment_line__sku")

    @display(description=_("SKU"))
    def shown_sku(self, obj: ParcelLine) -> str:
        """Code and name."""
        sku = obj.fulfillment_line.sku
        return f"{sku.code} {named(sku)}"


@admin.register(FulfillmentOrder)
class FulfillmentOrderAdmin(ReadOnlyAdmin):
    """What each warehouse ships; its state comes from the warehouse only."""

    list_display = (
        "number",
        "shown_order",
        "shown_warehouse",
        "shown_card",
        "shown_state",
        "grams",
        "freight",
        "released_at",
        "shipped_at",
    )
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ("warehouse", RelatedDropdownFilter),
        ("rate_card", RelatedDropdownFilter),
        ("merchant", RelatedDropdownFilter),
    )
    list_select_related = ("order", "warehouse", "rate_card")
    search_fields = ("number__exact", "parcels__tracking_number__exact")
    ordering = ("-pk",)
    inlines = (FulfillmentLineInline,)
    fields = (
        ("number", "shown_order", "shown_state"),
        ("warehouse", "rate_card", "refusal"),
        ("grams", "packed_grams", "carton_grams"),
        ("distance_km", "planned_hours", "freight", "estimated_kgco2e"),
        ("eta_from_at", "eta_to_at", "capacity_date"),
        ("created_at", "released_at", "packed_at", "shipped_at", "delivered_at"),
    )
    readonly_fields = ("shown_order", "shown_state", "packed_grams", "carton_grams")

    @display(description=_("order"), ordering="order_id")
    def shown_order(self, obj: FulfillmentOrder) -> SafeString:
        """The order, linked."""
        return order_link(obj.order)

    @display(description=_("warehouse"))
    def shown_warehouse(self, obj: FulfillmentOrder) -> str:
        """The warehouse in the reader's language."""
        return named(obj.warehouse)

    @display(description=_("rate card"))
    def shown_card(self, obj: FulfillmentOrder) -> str:
        """The carrier's service in the reader's language."""
        return named(obj.rate_card)

    @display(description=_("state"), ordering="state")
    def shown_state(self, obj: FulfillmentOrder) -> SafeString:
        """The state as a pill."""
        return pill(order_page.STATE_TONES.get(obj.state, "wait"), str(State(obj.state).label))


@admin.register(Parcel)
class ParcelAdmin(CustomPages, ParcelFields, ReadOnlyAdmin):
    """Boxes and their carriers' words."""

    custom_target = "parcel"
    actions_detail = ("fields_one",)

    list_display = (
        "tracking_number",
        "carrier",
        "shown_status",
        "shown_order",
        "grams",
        "shipped_at",
        "eta_to_at",
        "delivered_at",
    )
    list_filter = (("status", ChoicesDropdownFilter), "carrier", ("merchant", RelatedDropdownFilter))
    list_select_related = ("fulfillment__order", "merchant")
    search_fields = ("tracking_number__exact",)
    ordering = ("-pk",)
    inlines = (ParcelLineInline,)
    fields = (
        ("tracking_number", "carrier", "shown_status", "status_at"), ("shown_order", "fulfillment"),
        ("grams", "carton_grams"), ("packed_at", "shipped_at", "delivered_at"), ("eta_from_at", "eta_to_at"),
    )  # fmt: skip
    readonly_fields = ("shown_status", "shown_order")

    @display(description=_("order"))
    def shown_order(self, obj: Parcel) -> SafeString:
        """The order, linked."""
        return order_link(obj.fulfillment.order)

    @display(description=_("carrier status"), ordering="status")
    def shown_status(self, obj: Parcel) -> SafeString:
        """The carrier's status as a pill."""
        return pill(order_page.STATUS_TONES.get(obj.status, "go"), str(obj.get_status_display()))


class RateZoneForm(forms.ModelForm):  # type: ignore[type-arg]
    """Countries on one line."""

    class Meta:
        model = RateZone
        fields = (
            "name",
            "countries",
            "remote_only",
            "max_km",
            "first_grams",
            "first_fee",
            "step_grams",
            "step_fee",
            "base_hours",
            "hours_per_100km",
        )
        widgets = {"countries": UnfoldAdminTextInputWidget()}


class RateZoneInline(TabularInline):
    """Zones of a card: fees and hours."""

    model = RateZone
    form = RateZoneForm
    hide_title = True
    extra = 0
    fields = (
        "name",
        "countries",
        "remote_only",
        "max_km",
        "first_grams",
        "first_fee",
        "step_grams",
        "step_fee",
        "base_hours",
        "hours_per_100km",
    )


class RateCardResource(ToldResource):
    """Rate cards as a table, without their zones."""

    class Meta:
        model = RateCard
        fields = (
            "id",
            "merchant",
            "code",
            "carrier",
            "name",
            "name_en",
            "service",
            "mode",
            "currency",
            "max_grams",
            "is_active",
        )

    def tell(self, saved: list[RateCard], *, actor: str) -> None:
        """Cards may have been switched on, or may carry more now."""
        rates.tell_changed(saved, actor=actor, now=clock.now())


@admin.register(RateCard)
class RateCardAdmin(ImportExportModelAdmin, SimpleHistoryAdmin, HubAdmin):
    """Carrier services with their zones; every change is kept in the history."""

    resource_classes = [RateCardResource]
    import_form_class = ImportForm
    export_form_class = ExportForm
    list_display = ("name", "code", "carrier", "service", "mode", "shown_zones", "is_active")
    list_filter = (
        "service",
        ("mode", ChoicesDropdownFilter),
        "is_active",
        ("merchant", RelatedDropdownFilter),
    )
    search_fields = ("code", "name", "name_en", "carrier")
    ordering = ("merchant_id", "code")
    inlines = (RateZoneInline,)
    autocomplete_fields = ("warehouses",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the number of zones."""
        return super().get_queryset(request).annotate(zone_count=Count("zones"))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Decisions point here: a card is switched off instead."""
        return False

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Once its zones are saved too, let orders be tried again that waited for a tariff."""
        super().save_related(request, form, formsets, change)
        rates.tell_changed([form.instance], actor=actor_of(request), now=clock.now())

    @display(description=_("zones"), ordering="zone_count")
    def shown_zones(self, obj: Any) -> int:
        """How many zones."""
        return int(obj.zone_count)


def order_link(order: Order) -> SafeString:
    """An order's number, linked to its page."""
    link = reverse("admin:orders_order_change", args=(order.pk,))
    return format_html('<a class="oh-link" href="{}">{}</a>', link, order.number)
