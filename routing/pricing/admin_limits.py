"""Operators' pages of what limits a warehouse: SKUs it must not ship, and levers set on the load board."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import display
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from import_export.admin import ImportExportModelAdmin
from simple_history.admin import SimpleHistoryAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from orderhub.inventory.admin_base import HubAdmin, ReadOnlyAdmin, named
from orderhub.inventory.admin_coming import PlaceResource
from orderhub.templatetags.desk import when
from routing.admin_parts import OwnMerchant, Titled
from routing.pricing import sentences
from routing.pricing.models import SkuBan, WarehouseLever


class SkuBanForm(forms.ModelForm):  # type: ignore[type-arg]
    """All of one merchant, and an end after the beginning."""

    class Meta:
        model = SkuBan
        fields = ("merchant", "warehouse", "sku", "reason", "valid_from", "valid_until")

    def clean(self) -> dict[str, Any]:
        """Refuse mixed merchants and a window that ends before it begins."""
        given: dict[str, Any] = super().clean() or {}
        merchant, since, until = given.get("merchant"), given.get("valid_from"), given.get("valid_until")
        for name in ("warehouse", "sku"):
            if merchant and given.get(name) and given[name].merchant_id != merchant.pk:
                self.add_error(name, _("This belongs to another merchant."))
        if since and until and until <= since:
            self.add_error("valid_until", ValidationError(_("The end lies before the beginning.")))
        return given


class SkuBanResource(PlaceResource):
    """Bans as a table."""

    class Meta:
        model = SkuBan
        fields = ("merchant", "warehouse", "sku", "reason", "valid_from", "valid_until")
        import_id_fields = ("warehouse", "sku")


@admin.register(SkuBan)
class SkuBanAdmin(OwnMerchant, Titled, ImportExportModelAdmin, SimpleHistoryAdmin, HubAdmin):
    """What a warehouse must not ship; holds from the next decision on."""

    form = SkuBanForm
    resource_classes = [SkuBanResource]
    import_form_class = ImportForm
    export_form_class = ExportForm
    list_display = ("shown_warehouse", "shown_sku", "reason", "shown_from", "shown_until")
    list_filter = (("warehouse", RelatedDropdownFilter), ("merchant", RelatedDropdownFilter))
    list_select_related = ("warehouse", "sku")
    search_fields = ("sku__code", "sku__name", "reason")
    autocomplete_fields = ("warehouse", "sku")
    ordering = ("warehouse_id", "sku_id")
    fields = ("merchant", "warehouse", "sku", "reason", "valid_from", "valid_until")

    def title_of(self, obj: SkuBan) -> str:
        """The warehouse and the SKU it must not ship."""
        return f"{named(obj.warehouse)} · {obj.sku.code}"

    @display(description=_("from"), ordering="valid_from")
    def shown_from(self, obj: SkuBan) -> str:
        """When it begins."""
        return str(when(obj.valid_from) if obj.valid_from else _("at once"))

    @display(description=_("until"), ordering="valid_until")
    def shown_until(self, obj: SkuBan) -> str:
        """When it ends."""
        return str(when(obj.valid_until) if obj.valid_until else _("for good"))

    @display(description=_("warehouse"), ordering="warehouse__code")
    def shown_warehouse(self, obj: SkuBan) -> str:
        """The warehouse in the reader's language."""
        return named(obj.warehouse)

    @display(description=_("SKU"), ordering="sku__code")
    def shown_sku(self, obj: SkuBan) -> str:
        """Code and name."""
        return f"{obj.sku.code} {named(obj.sku)}"


@admin.register(WarehouseLever)
class WarehouseLeverAdmin(Titled, ReadOnlyAdmin):
    """Who relieved which warehouse, why and until when; levers are set on the load board."""

    list_display = (
        "shown_warehouse", "kind", "shown_value", "why", "shown_setter", "set_at", "shown_until", "ended_at",
    )  # fmt: skip
    list_filter = (
        ("kind", ChoicesDropdownFilter),
        ("warehouse", RelatedDropdownFilter),
        ("merchant", RelatedDropdownFilter),
    )
    list_select_related = ("warehouse",)
    ordering = ("-pk",)
    fields = (
        ("shown_warehouse", "kind", "shown_value"), "why", ("shown_setter", "set_at", "shown_until"),
        ("shown_ender", "ended_at"),
    )  # fmt: skip
    readonly_fields = ("shown_warehouse", "shown_value", "shown_setter", "shown_until", "shown_ender")

    def title_of(self, obj: WarehouseLever) -> str:
        """The warehouse and what was done there."""
        return f"{named(obj.warehouse)} · {obj.get_kind_display()}"

    @display(description=_("value"), ordering="value")
    def shown_value(self, obj: WarehouseLever) -> str:
        """Yuan a parcel, or parcels a day."""
        if obj.value is None:
            return "–"
        if obj.kind == WarehouseLever.Kind.PRICE:
            return f"¥{obj.value:,.2f}"
        return str(_("%(n)s parcels a day") % {"n": f"{obj.value:,.0f}"})

    @display(description=_("set by"), ordering="set_by")
    def shown_setter(self, obj: WarehouseLever) -> str:
        """Who set it."""
        return sentences.doer(obj.set_by)

    @display(description=_("ended by"), ordering="ended_by")
    def shown_ender(self, obj: WarehouseLever) -> str:
        """Who ended it; the clock when its time was up."""
        return sentences.doer(obj.ended_by) if obj.ended_at else "–"

    @display(description=_("until"), ordering="until")
    def shown_until(self, obj: WarehouseLever) -> str:
        """When it ends by itself."""
        return str(when(obj.until) if obj.until else _("no end"))

    @display(description=_("warehouse"), ordering="warehouse__code")
    def shown_warehouse(self, obj: WarehouseLever) -> str:
        """The warehouse in the reader's language."""
        return named(obj.warehouse)
