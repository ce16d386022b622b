"""Receipts that are expected: entered by hand or from a file, ticked off when the goods come in."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_lazy as _
from import_export.admin import ImportExportModelAdmin
from import_export.fields import Field
from import_export.widgets import ForeignKeyWidget
from unfold.contrib.filters.admin import RangeDateTimeFilter, RelatedDropdownFilter
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from orderhub.access.models import Merchant
from orderhub.inventory.admin_base import HubAdmin, SafeResource, named
from orderhub.inventory.models import ExpectedReceipt, Sku, Warehouse


class OfMerchant(ForeignKeyWidget):
    """A row named by its code among those of the merchant in the same line."""

    def get_queryset(self, value: Any, row: Any, *args: Any, **kwargs: Any) -> Any:
        """The rows of that merchant only."""
        return self.model._default_manager.filter(merchant__code=row.get("merchant"))


class PlaceResource(SafeResource):
    """A table about SKUs in warehouses, each named by code; staff of one merchant write only its rows."""

    merchant = Field("merchant", "merchant", ForeignKeyWidget(Merchant, "code"))
    warehouse = Field("warehouse", "warehouse", OfMerchant(Warehouse, "code"))
    sku = Field("sku", "sku", OfMerchant(Sku, "code"))

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        """Refuse lines about other merchants."""
        super().before_import_row(row, **kwargs)
        refuse_other_merchants(row, kwargs.get("user"))


def refuse_other_merchants(row: Any, user: Any) -> None:
    """Staff of one merchant import lines about that merchant only; raises PermissionDenied."""
    merchant = getattr(user, "merchant", None)
    if merchant is not None and row.get("merchant") != merchant.code:
        raise PermissionDenied(str(_("This line belongs to another merchant.")))


class ExpectedReceiptResource(PlaceResource):
    """Expected receipts as a table."""

    class Meta:
        model = ExpectedReceipt
        fields = ("merchant", "warehouse", "sku", "units", "expected_at", "reference")
        import_id_fields = ("warehouse", "sku", "expected_at")


@admin.register(ExpectedReceipt)
class ExpectedReceiptAdmin(ImportExportModelAdmin, HubAdmin):
    """What is on its way: stock prices look as far as the next receipt."""

    resource_classes = [ExpectedReceiptResource]
    import_form_class = ImportForm
    export_form_class = ExportForm
    list_display = ("expected_at", "shown_warehouse", "shown_sku", "units", "came", "reference", "arrived_at")
    list_filter = (
        ("expected_at", RangeDateTimeFilter),
        ("warehouse", RelatedDropdownFilter),
        ("merchant", RelatedDropdownFilter),
    )
    list_select_related = ("warehouse", "sku")
    search_fields = ("sku__code", "sku__name", "reference")
    autocomplete_fields = ("warehouse", "sku")
    ordering = ("expected_at", "pk")
    fields = (("merchant", "warehouse", "sku"), ("units", "expected_at"), ("reference", "arrived_at"))

    @display(description=_("warehouse"), ordering="warehouse__code")
    def shown_warehouse(self, obj: ExpectedReceipt) -> str:
        """The warehouse in the reader's language."""
        return named(obj.warehouse)

    @display(description=_("SKU"), ordering="sku__code")
    def shown_sku(self, obj: ExpectedReceipt) -> str:
        """Code and name."""
        return f"{obj.sku.code} {named(obj.sku)}"
