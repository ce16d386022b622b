"""Operators read how often what was sent comes back; the clock writes it."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin import display
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RelatedDropdownFilter

from orderhub.inventory.admin_base import ReadOnlyAdmin, named
from routing.returns.models import ReturnRate


@admin.register(ReturnRate)
class ReturnRateAdmin(ReadOnlyAdmin):
    """Counted units beside the smoothed share that decisions reckon with, the highest first."""

    list_display = ("shown_what", "sent", "returned", "shown_share", "counted_at")
    list_filter = (("merchant", RelatedDropdownFilter),)
    list_select_related = ("sku",)
    search_fields = ("sku__code", "sku__name", "category")
    ordering = ("-share", "pk")
    fields = (("merchant", "category", "sku"), ("sent", "returned", "share"), "counted_at")

    @display(description=_("goods"))
    def shown_what(self, obj: ReturnRate) -> str:
        """The SKU, the category, or everything of the merchant."""
        if obj.sku is not None:
            return f"{obj.sku.code} {named(obj.sku)}"
        return obj.category or str(_("all goods"))

    @display(description=_("share expected back"), ordering="share")
    def shown_share(self, obj: ReturnRate) -> str:
        """In percent."""
        return f"{number_format(round(obj.share * 100, 2), 2)}%"
