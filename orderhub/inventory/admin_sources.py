"""Where goods may come from beside the shelves: what factories make to order, and which borders are open."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import display
from django.db.models import Count
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from import_export.admin import ImportExportModelAdmin
from import_export.fields import Field
from import_export.widgets import ForeignKeyWidget
from simple_history.admin import SimpleHistoryAdmin
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from orderhub.access.models import Merchant
from orderhub.inventory import telling
from orderhub.inventory.admin_base import HubAdmin, ToldResource, actor_of, named
from orderhub.inventory.admin_coming import refuse_other_merchants
from orderhub.inventory.models import CustomsLane, Warehouse, Workshop
from orderhub.kernel import clock, regions


class WorkshopForm(forms.ModelForm):  # type: ignore[type-arg]
    """A factory and SKUs of one merchant."""

    class Meta:
        model = Workshop
        fields = ("merchant", "warehouse", "skus", "units_per_day", "hours", "is_active")

    def clean(self) -> dict[str, Any]:
        """Refuse what is no factory, and goods of other merchants."""
        given: dict[str, Any] = super().clean() or {}
        merchant, factory = given.get("merchant"), given.get("warehouse")
        if factory and factory.kind != Warehouse.Kind.FACTORY:
            self.add_error(
                "warehouse", _("Only a factory makes to order: change the kind of the warehouse first.")
            )
        if merchant and factory and factory.merchant_id != merchant.pk:
            self.add_error("warehouse", _("This belongs to another merchant."))
        if merchant and any(sku.merchant_id != merchant.pk for sku in given.get("skus") or ()):
            self.add_error("skus", _("This belongs to another merchant."))
        return given


@admin.register(Workshop)
class WorkshopAdmin(SimpleHistoryAdmin, HubAdmin):
    """What factories make to order; holds from the next decision on."""

    form = WorkshopForm
    list_display = ("shown_factory", "units_per_day", "hours", "shown_skus", "is_active")
    list_filter = ("is_active", ("merchant", RelatedDropdownFilter))
    list_select_related = ("warehouse",)
    search_fields = ("warehouse__code", "warehouse__name", "warehouse__name_en")
    autocomplete_fields = ("warehouse", "skus")
    ordering = ("merchant_id", "warehouse_id")
    fields = (("merchant", "warehouse", "is_active"), "skus", ("units_per_day", "hours"))

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the number of SKUs."""
        return super().get_queryset(request).annotate(sku_count=Count("skus"))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Promised units count against it: it is switched off instead."""
        return False

    @display(description=_("factory"), ordering="warehouse__code")
    def shown_factory(self, obj: Workshop) -> str:
        """The factory in the reader's language."""
        return named(obj.warehouse)

    @display(description=_("SKUs it makes"), ordering="sku_count")
    def shown_skus(self, obj: Any) -> int:
        """How many."""
        return int(obj.sku_count)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Once its SKUs are saved too, let waiting orders be tried again."""
        super().save_related(request, form, formsets, change)
        telling.workshops([form.instance], actor=actor_of(request), now=clock.now())


class CustomsLaneForm(forms.ModelForm):  # type: ignore[type-arg]
    """Two countries as two letters; the second may be any other one."""

    class Meta:
        model = CustomsLane
        fields = ("merchant", "from_country", "to_country", "is_open", "note")

    def clean_from_country(self) -> str:
        """A country."""
        return self._country(self.cleaned_data["from_country"])

    def clean_to_country(self) -> str:
        """A country, or any."""
        code = self.cleaned_data["to_country"]
        return str(code) if code == CustomsLane.ANY else self._country(code)

    def clean(self) -> dict[str, Any]:
        """Within a country there is no border."""
        given: dict[str, Any] = super().clean() or {}
        if given.get("from_country") and given.get("from_country") == given.get("to_country"):
            self.add_error("to_country", _("Within a country there is no customs: name another one."))
        return given

    def _country(self, code: str) -> str:
        found = code.strip().upper()
        if found not in regions.countries():
            text = _("There is no country %(code)s: give its two letters, such as CN or DE.")
            raise forms.ValidationError(text % {"code": found})
        return found


class CustomsLaneResource(ToldResource):
    """Customs lanes as a table, by merchant code; staff of one merchant write only its rows."""

    merchant = Field("merchant", "merchant", ForeignKeyWidget(Merchant, "code"))

    class Meta:
        model = CustomsLane
        fields = ("merchant", "from_country", "to_country", "is_open", "note")
        import_id_fields = ("merchant", "from_country", "to_country")
        clean_model_instances = True

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        """Refuse lines about other merchants; countries in capitals."""
        super().before_import_row(row, **kwargs)
        refuse_other_merchants(row, kwargs.get("user"))
        known = regions.countries()
        for name in ("from_country", "to_country"):
            code = str(row.get(name) or "").strip().upper()
            if code not in known and (name, code) != ("to_country", CustomsLane.ANY):
                text = _("There is no country %(code)s: give its two letters, such as CN or DE.")
                raise forms.ValidationError(text % {"code": code})
            row[name] = code

    def tell(self, saved: list[CustomsLane], *, actor: str) -> None:
        """Orders that waited at a border may go on."""
        telling.customs(saved, actor=actor, now=clock.now())


@admin.register(CustomsLane)
class CustomsLaneAdmin(ImportExportModelAdmin, SimpleHistoryAdmin, HubAdmin):
    """Which borders parcels may cross; holds from the next decision on."""

    form = CustomsLaneForm
    resource_classes = [CustomsLaneResource]
    import_form_class = ImportForm
    export_form_class = ExportForm
    list_display = ("from_country", "to_country", "is_open", "note")
    list_display_links = ("from_country", "to_country")
    list_filter = ("is_open", "from_country", ("merchant", RelatedDropdownFilter))
    search_fields = ("from_country", "to_country", "note")
    ordering = ("merchant_id", "from_country", "to_country")
    fields = ("merchant", ("from_country", "to_country", "is_open"), "note")

    def save_model(self, request: HttpRequest, obj: CustomsLane, form: Any, change: bool) -> None:
        """Save, and let orders be tried again that waited at a border."""
        super().save_model(request, obj, form, change)
        telling.customs([obj], actor=actor_of(request), now=clock.now())

    def delete_model(self, request: HttpRequest, obj: CustomsLane) -> None:
        """Without its row, a border is open wherever a rate card goes."""
        super().delete_model(request, obj)
        telling.customs([obj], actor=actor_of(request), now=clock.now())

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """The same for several."""
        rows = list(queryset)
        super().delete_queryset(request, queryset)
        telling.customs(rows, actor=actor_of(request), now=clock.now())
