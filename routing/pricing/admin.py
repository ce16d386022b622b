"""Operators' pages of prices: the dearest units with why, the books, the settings, bans and levers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from import_export.admin import ImportExportModelAdmin
from simple_history.admin import SimpleHistoryAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter, RelatedDropdownFilter
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from orderhub.access.models import Merchant
from orderhub.inventory.admin import ask
from orderhub.inventory.admin_base import HubAdmin, ReadOnlyAdmin, actor_of, button, named
from orderhub.inventory.admin_coming import PlaceResource
from orderhub.inventory.models import Warehouse
from orderhub.kernel import clock
from orderhub.templatetags.ui import pill
from routing.pricing import sentences, services
from routing.pricing.models import PriceBook, PriceRow, PriceSettings, SkuBan, WarehouseLever

RIGHT = "routing.change_pricesettings"


def merchants_of(request: HttpRequest) -> Any:
    """The merchants whose prices this person looks after."""
    merchant_id = getattr(request.user, "merchant_id", None)
    rows = Merchant.objects.order_by("pk")
    return rows if merchant_id is None else rows.filter(pk=merchant_id)


class MerchantForm(forms.Form):
    """Which merchant is meant; not asked where there is only one."""

    def __init__(self, *args: Any, merchants: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["merchant"] = forms.ModelChoiceField(
            merchants, label=_("merchant"), empty_label=None, initial=merchants.first(),
            widget=forms.Select(attrs={"class": "oh-input"}),
        )  # fmt: skip


@admin.register(PriceRow)
class PriceRowAdmin(ReadOnlyAdmin):
    """The prices in force, dearest first, each with its sentence."""

    merchant_path = "book__merchant"
    list_display = ("shown_sku", "shown_price", "shown_warehouse", "shown_sentence")
    list_filter = (("top_warehouse", RelatedDropdownFilter), ("book__merchant", RelatedDropdownFilter))
    list_select_related = ("sku", "top_warehouse", "book")
    list_before_template = "admin/routing/price_books.html"
    search_fields = ("sku__code", "sku__name", "sku__name_en")
    ordering = ("-top_price", "sku_id")
    fields = ("shown_sku", "shown_book", "shown_network", "shown_cells")
    readonly_fields = fields
    actions_list = ("calculate", "switch_off", "switch_on")

    def get_queryset(self, request: HttpRequest) -> Any:
        """Rows of books in force only."""
        return super().get_queryset(request).filter(book__status=PriceBook.Status.IN_FORCE)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list, below the books it comes from."""
        books = (
            PriceBook.objects.filter(merchant__in=merchants_of(request), status=PriceBook.Status.IN_FORCE)
            .select_related("merchant").order_by("merchant_id").defer("slots")
        )  # fmt: skip
        rows = [
            {
                "book": book, "merchant": named(book.merchant),
                "guards": [sentences.guard(held) for held in book.guards],
                "link": reverse("admin:routing_pricebook_change", args=(book.pk,)),
            }
            for book in books[:20]
        ]  # fmt: skip
        more = {"price_books": rows, "books_link": reverse("admin:routing_pricebook_changelist")}
        return super().changelist_view(request, {**(extra_context or {}), **more})

    def has_steer_permission(self, request: HttpRequest) -> bool:
        """Whoever may change how prices are calculated."""
        return request.user.has_perm(RIGHT)

    @button(description=_("Calculate now"), url_path="calculate", icon="calculate", permissions=["steer"])
    def calculate(self, request: HttpRequest) -> HttpResponse:
        """Ask for which merchant, then make a book."""
        effect = _(
            "All prices are calculated afresh from stock, demand and receipts, and route the next order."
        )
        return self._steer(request, _("Calculate now"), effect, self._calculate)

    @button(description=_("Switch prices off"), url_path="off", icon="toggle_off", permissions=["steer"])
    def switch_off(self, request: HttpRequest) -> HttpResponse:
        """Ask for which merchant, then set all prices to 0."""
        effect = _("All stock prices are 0 from the next order on, until they are switched on again.")
        return self._steer(request, _("Switch prices off"), effect, lambda r, m: self._switch(r, m, False))

    @button(description=_("Switch prices on"), url_path="on", icon="toggle_on", permissions=["steer"])
    def switch_on(self, request: HttpRequest) -> HttpResponse:
        """Ask for which merchant, then calculate prices again."""
        effect = _("Prices are calculated now and hold from the next order on.")
        return self._steer(request, _("Switch prices on"), effect, lambda r, m: self._switch(r, m, True))

    def _steer(self, request: HttpRequest, title: Any, effect: Any, act: Any) -> HttpResponse:
        back = reverse("admin:routing_pricerow_changelist")
        posted = request.POST if request.method == "POST" else None
        form = MerchantForm(posted, merchants=merchants_of(request))
        if posted is not None and form.is_valid():
            act(request, form.cleaned_data["merchant"])
            return HttpResponseRedirect(back)
        return ask(self, request, title=title, effect=effect, button=title, back=back, form=form)

    def _calculate(self, request: HttpRequest, merchant: Merchant) -> None:
        book = services.refresh(
            merchant.pk, reason=PriceBook.Reason.HAND, actor=actor_of(request), now=clock.now()
        )
        if book is None:
            messages.warning(request, _("Prices are being calculated just now; look again in a minute."))
            return
        values = {"number": book.number, "skus": book.skus, "cells": book.cells}
        messages.success(
            request, _("Book %(number)d is in force: %(skus)d SKUs, %(cells)d priced cells.") % values
        )

    def _switch(self, request: HttpRequest, merchant: Merchant, is_on: bool) -> None:
        changed = services.switch(merchant.pk, is_on=is_on, actor=actor_of(request), now=clock.now())
        if not changed:
            messages.info(request, _("They were so already."))
        elif is_on:
            messages.success(request, _("Prices are on."))
        else:
            messages.success(request, _("Prices are off."))

    @display(description=_("SKU"), ordering="sku__code")
    def shown_sku(self, obj: PriceRow) -> str:
        """Code and name."""
        return f"{obj.sku.code} {named(obj.sku)}"

    @display(description=_("warehouse"), ordering="top_warehouse__code")
    def shown_warehouse(self, obj: PriceRow) -> str:
        """Where it is dearest."""
        return named(obj.top_warehouse) if obj.top_warehouse else "–"

    @display(description=_("why"))
    def shown_sentence(self, obj: PriceRow) -> str:
        """A sentence about the dearest place and one about the network: the price is the sum of the two."""
        told = []
        if obj.top_warehouse is not None:
            told.append(sentences.cell(obj.cells[str(obj.top_warehouse_id)], named(obj.top_warehouse)))
        if obj.network:
            told.append(sentences.network(obj.network))
        return " ".join(told) or str(_("Free: there is enough everywhere."))

    @display(description=_("highest price"), ordering="top_price")
    def shown_price(self, obj: PriceRow) -> str:
        """Yuan for the next unit, place and network together."""
        return f"¥{obj.top_price:.2f}"

    @display(description=_("price book"))
    def shown_book(self, obj: PriceRow) -> SafeString:
        """The book it stands in."""
        link = reverse("admin:routing_pricebook_change", args=(obj.book_id,))
        return format_html('<a class="oh-link" href="{}">#{}</a>', link, obj.book.number)

    @display(description=_("in the network"))
    def shown_network(self, obj: PriceRow) -> str:
        """The sentence of all warehouses together."""
        return sentences.network(obj.network) if obj.network else "–"

    @display(description=_("by warehouse"))
    def shown_cells(self, obj: PriceRow) -> SafeString:
        """A sentence per warehouse, dearest first."""
        places = Warehouse.objects.in_bulk([int(pk) for pk in obj.cells])
        held = sorted(obj.cells.items(), key=lambda item: -item[1]["p"][2][-1])
        texts = ((sentences.cell(cell, named(places[int(pk)])),) for pk, cell in held if int(pk) in places)
        items = format_html_join("", "<li>{}</li>", texts)
        return format_html('<div class="oh"><ul class="oh-grid oh-s13">{}</ul></div>', items or "–")


@admin.register(PriceBook)
class PriceBookAdmin(ReadOnlyAdmin):
    """Every book that is kept, newest first."""

    list_display = (
        "shown_number", "made_at", "reason", "shown_state", "skus", "cells", "forecast_error", "milliseconds",
    )  # fmt: skip
    list_filter = (
        ("reason", ChoicesDropdownFilter),
        ("made_at", RangeDateTimeFilter),
        ("merchant", RelatedDropdownFilter),
    )
    list_select_related = ("merchant",)
    ordering = ("-pk",)
    fields = (
        ("merchant", "shown_number", "shown_state"), ("made_at", "made_by", "reason"),
        ("skus", "cells", "milliseconds"), "forecast_error", "shown_guards", "shown_slots", "parameters",
    )  # fmt: skip
    readonly_fields = ("shown_number", "shown_state", "shown_guards", "shown_slots")

    @display(description=_("number"), ordering="number")
    def shown_number(self, obj: PriceBook) -> str:
        """#1, #2 …"""
        return f"#{obj.number}"

    @display(description=_("state"))
    def shown_state(self, obj: PriceBook) -> SafeString:
        """In force, off or replaced."""
        if obj.status != PriceBook.Status.IN_FORCE:
            return pill("wait", str(_("replaced")))
        return pill("hold", str(_("prices off"))) if obj.is_off else pill("ok", str(_("in force")))

    @display(description=_("guards"))
    def shown_guards(self, obj: PriceBook) -> SafeString:
        """Why prices are off, or off in part."""
        items = format_html_join("", "<li>{}</li>", ((sentences.guard(held),) for held in obj.guards))
        return format_html('<div class="oh"><ul class="oh-grid oh-s13">{}</ul></div>', items or "–")

    @display(description=_("parcel slots"))
    def shown_slots(self, obj: PriceBook) -> SafeString:
        """What the slots of each warehouse with a limit are worth now."""
        texts = ((text,) for text in services.slot_sentences(obj, now=clock.now()))
        items = format_html_join("", "<li>{}</li>", texts)
        return format_html('<div class="oh"><ul class="oh-grid oh-s13">{}</ul></div>', items or "–")


@admin.register(PriceSettings)
class PriceSettingsAdmin(SimpleHistoryAdmin, HubAdmin):
    """How often prices are calculated, and when they are not trusted."""

    list_display = ("merchant", "is_on", "refresh_minutes", "replenishment_days", "max_forecast_error")
    list_select_related = ("merchant",)
    ordering = ("merchant_id",)
    readonly_fields = ("is_on",)
    fields = (
        ("merchant", "is_on"), ("refresh_minutes", "books_kept"), ("replenishment_days", "stale_hours"),
        ("max_forecast_error", "max_dropship_share"),
    )  # fmt: skip

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Without them the defaults hold; nobody needs to delete them."""
        return False


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
class SkuBanAdmin(ImportExportModelAdmin, SimpleHistoryAdmin, HubAdmin):
    """What a warehouse must not ship; holds from the next decision on."""

    form = SkuBanForm
    resource_classes = [SkuBanResource]
    import_form_class = ImportForm
    export_form_class = ExportForm
    list_display = ("shown_warehouse", "shown_sku", "reason", "valid_from", "valid_until")
    list_filter = (("warehouse", RelatedDropdownFilter), ("merchant", RelatedDropdownFilter))
    list_select_related = ("warehouse", "sku")
    search_fields = ("sku__code", "sku__name", "reason")
    autocomplete_fields = ("warehouse", "sku")
    ordering = ("warehouse_id", "sku_id")
    fields = (("merchant", "warehouse", "sku"), "reason", ("valid_from", "valid_until"))

    @display(description=_("warehouse"), ordering="warehouse__code")
    def shown_warehouse(self, obj: SkuBan) -> str:
        """The warehouse in the reader's language."""
        return named(obj.warehouse)

    @display(description=_("SKU"), ordering="sku__code")
    def shown_sku(self, obj: SkuBan) -> str:
        """Code and name."""
        return f"{obj.sku.code} {named(obj.sku)}"


@admin.register(WarehouseLever)
class WarehouseLeverAdmin(ReadOnlyAdmin):
    """Who relieved which warehouse, why and until when; levers are set on the load board."""

    list_display = ("shown_warehouse", "kind", "value", "why", "set_by", "set_at", "until", "ended_at")
    list_filter = (
        ("kind", ChoicesDropdownFilter),
        ("warehouse", RelatedDropdownFilter),
        ("merchant", RelatedDropdownFilter),
    )
    list_select_related = ("warehouse",)
    ordering = ("-pk",)
    fields = (
        ("warehouse", "kind", "value"), "why", ("set_by", "set_at", "until"), ("ended_by", "ended_at"),
    )  # fmt: skip

    @display(description=_("warehouse"), ordering="warehouse__code")
    def shown_warehouse(self, obj: WarehouseLever) -> str:
        """The warehouse in the reader's language."""
        return named(obj.warehouse)
