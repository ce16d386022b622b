"""Operators' pages around promotions: how orders were priced, how often limits were used, what SKUs cost."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin import display
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from orderhub.inventory.admin_base import HubAdmin, ReadOnlyAdmin
from orderhub.orders.models import Pricing, PromotionCounter, SkuCost
from orderhub.orders.promotions import explaining


@admin.register(Pricing)
class PricingAdmin(ReadOnlyAdmin):
    """How each order was priced, in words."""

    merchant_path = "order__merchant"
    list_display = ("shown_order", "shown_discount", "shown_applied", "priced_at")
    list_select_related = ("order",)
    list_display_links = ("priced_at",)
    fields = (
        "shown_order",
        "shown_discount",
        "priced_at",
        "shown_versions",
        "shown_lines",
        "shown_why",
        "shown_why_not",
    )
    readonly_fields = fields
    ordering = ("-order_id",)

    @display(description=_("order"), ordering="order_id")
    def shown_order(self, obj: Pricing) -> SafeString:
        """The order, linked."""
        link = reverse("admin:orders_order_change", args=(obj.order_id,))
        return format_html('<a class="oh-link" href="{}">{}</a>', link, obj.order.number)

    @display(description=_("discount"))
    def shown_discount(self, obj: Pricing) -> str:
        """What came off altogether."""
        return f"{obj.explanation.get('discount', '')} {obj.explanation.get('currency', '')}"

    @display(description=_("promotions"))
    def shown_applied(self, obj: Pricing) -> str:
        """The promotions that counted."""
        return ", ".join(explaining.name(one) for one in obj.explanation.get("applied", ())) or "–"

    @display(description=_("rule versions used"))
    def shown_versions(self, obj: Pricing) -> str:
        """The sets and their versions."""
        return ", ".join(f"{code} v{number}" for code, number in obj.versions.items()) or "–"

    @display(description=_("order lines"))
    def shown_lines(self, obj: Pricing) -> SafeString:
        """What came off each line."""
        lines = obj.explanation.get("lines", ())
        return _listed(
            [f"{x['position']}. {x['sku']} ×{x['units']}: {x['total']} − {x['off']}" for x in lines]
        )

    @display(description=_("What counted"))
    def shown_why(self, obj: Pricing) -> SafeString:
        """Every promotion that counted, in words."""
        return _listed([one["text"] for one in explaining.told(obj.explanation)["applied"]])

    @display(description=_("What did not, and why"))
    def shown_why_not(self, obj: Pricing) -> SafeString:
        """Every remembered promotion that did not count, in words."""
        return _listed([one["text"] for one in explaining.told(obj.explanation)["skipped"]])


def _listed(lines: list[str]) -> SafeString:
    items = format_html_join("", "<li>{}</li>", [(line,) for line in lines])
    return (
        format_html('<div class="oh"><ul class="oh-grid oh-s13">{}</ul></div>', items)
        if lines
        else SafeString("–")
    )


@admin.register(PromotionCounter)
class PromotionCounterAdmin(ReadOnlyAdmin):
    """How often limited promotions were used, altogether; the customers' own counters are nobody's to read."""

    merchant_path = ""
    list_display = ("promotion", "used")
    search_fields = ("promotion",)
    fields = ("promotion", "used")
    readonly_fields = fields
    ordering = ("promotion",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PromotionCounter]:
        """The counters of all customers together; staff of one merchant see those of its own sets."""
        rows: QuerySet[PromotionCounter] = super().get_queryset(request).filter(customer="")
        merchant_id = getattr(request.user, "merchant_id", None)
        return rows if merchant_id is None else rows.filter(promotion__startswith=f"merchant:{merchant_id}/")


@admin.register(SkuCost)
class SkuCostAdmin(HubAdmin):
    """What units cost, so that promotions below cost are seen before they are published."""

    merchant_path = "sku__merchant"
    list_display = ("sku", "cost", "currency")
    list_select_related = ("sku",)
    search_fields = ("sku__code",)
    autocomplete_fields = ("sku",)
    ordering = ("sku_id",)
