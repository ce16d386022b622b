"""Operators' pages of prices: the dearest units with why, the books, the settings; bans and levers are beside."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.admin import SimpleHistoryAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter, RelatedDropdownFilter

from orderhub.access.models import Merchant
from orderhub.inventory.admin import ask
from orderhub.inventory.admin_base import HubAdmin, ReadOnlyAdmin, actor_of, button, named
from orderhub.inventory.models import Warehouse
from orderhub.kernel import clock
from orderhub.templatetags.ui import pill
from routing.admin_parts import OwnMerchant, Titled
from routing.pricing import admin_limits as admin_limits  # registers its pages
from routing.pricing import calculating, pages, sentences, services
from routing.pricing.models import PriceBook, PriceRow, PriceSettings

RIGHT = "routing.change_pricesettings"
_CENT = Decimal("0.01")
#: The parameters of a book that mean something without its formulas.
PARAMETERS = {
    "units_per_day": _("units wanted a day"),
    "orders_per_day": _("orders a day"),
    "yuan_per_parcel": _("¥ an average parcel costs"),
    "level": _("demand of this cycle, × the forecast"),
}


def merchants_of(request: HttpRequest) -> Any:
    """The merchants whose prices this person looks after."""
    merchant_id = getattr(request.user, "merchant_id", None)
    rows = Merchant.objects.order_by("pk")
    return rows if merchant_id is None else rows.filter(pk=merchant_id)


def _listed(texts: Iterable[str]) -> SafeString:
    """Sentences as a list; a dash where there are none."""
    items = format_html_join("", "<li>{}</li>", ((text,) for text in texts))
    return (
        format_html('<div class="oh"><ul class="oh-grid oh-s13">{}</ul></div>', items)
        if items
        else SafeString("–")
    )


class MerchantForm(forms.Form):
    """Which merchant is meant; not asked where there is only one."""

    def __init__(self, *args: Any, merchants: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["merchant"] = forms.ModelChoiceField(
            merchants, label=_("merchant"), empty_label=None, initial=merchants.first(),
            widget=forms.Select(attrs={"class": "oh-input"}),
        )  # fmt: skip


@admin.register(PriceRow)
class PriceRowAdmin(Titled, ReadOnlyAdmin):
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
        more = pages.books(merchants_of(request))
        more["books_link"] = reverse("admin:routing_pricebook_changelist")
        return super().changelist_view(request, {**(extra_context or {}), **more})

    def get_urls(self) -> list[Any]:
        """How far the books are that somebody asked for."""
        own = [path("runs/", self.admin_site.admin_view(self.runs), name="routing_pricerow_runs")]
        return own + list(super().get_urls())

    def runs(self, request: HttpRequest) -> HttpResponse:
        """The books in force and the runs under way, for the page that watches them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return TemplateResponse(request, "admin/routing/price_runs.html", pages.books(merchants_of(request)))

    def has_steer_permission(self, request: HttpRequest) -> bool:
        """Whoever may change how prices are calculated."""
        return request.user.has_perm(RIGHT)

    @button(description=_("Calculate now"), url_path="calculate", icon="calculate", permissions=["steer"])
    def calculate(self, request: HttpRequest) -> HttpResponse:
        """Ask for which merchant, then make a book."""
        effect = _(
            "All prices are calculated afresh from stock, demand and receipts in the background; the new book "
            "routes orders as soon as it is done."
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
        effect = _("Prices are calculated in the background and hold as soon as the book is done.")
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
        calculating.ask(merchant.pk, actor=actor_of(request), now=clock.now())
        messages.success(request, _("Prices are being calculated; you can leave this page."))

    def _switch(self, request: HttpRequest, merchant: Merchant, is_on: bool) -> None:
        changed = services.switch(merchant.pk, is_on=is_on, actor=actor_of(request), now=clock.now())
        if not changed:
            messages.info(request, _("They were so already."))
        elif is_on:
            calculating.ask(merchant.pk, actor=actor_of(request), now=clock.now())
            messages.success(request, _("Prices are on; they hold as soon as the new book is done."))
        else:
            messages.success(request, _("Prices are off."))

    def title_of(self, obj: PriceRow) -> str:
        """The SKU."""
        return self.shown_sku(obj)

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
        if 0 < obj.top_price < _CENT:
            return "< ¥0.01"
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
        return _listed(sentences.cell(cell, named(places[int(pk)])) for pk, cell in held if int(pk) in places)


@admin.register(PriceBook)
class PriceBookAdmin(ReadOnlyAdmin):
    """Every book that is kept, newest first."""

    list_display = (
        "shown_number", "made_at", "reason", "shown_state", "skus", "cells", "shown_error", "shown_time",
    )  # fmt: skip
    list_filter = (
        ("reason", ChoicesDropdownFilter),
        ("made_at", RangeDateTimeFilter),
        ("merchant", RelatedDropdownFilter),
    )
    list_select_related = ("merchant",)
    ordering = ("-pk",)
    fields = (
        ("merchant", "shown_number", "shown_state"), ("made_at", "shown_maker", "reason"),
        ("skus", "cells", "shown_time"), "shown_error", "shown_guards", "shown_slots", "shown_parameters",
    )  # fmt: skip
    readonly_fields = (
        "shown_number", "shown_state", "shown_maker", "shown_time", "shown_error", "shown_guards", "shown_slots",
        "shown_parameters",
    )  # fmt: skip

    @display(description=_("calculated by"), ordering="made_by")
    def shown_maker(self, obj: PriceBook) -> str:
        """The person, or the clock."""
        return sentences.doer(obj.made_by)

    @display(description=_("calculation took"), ordering="milliseconds")
    def shown_time(self, obj: PriceBook) -> str:
        """Seconds, or milliseconds below one."""
        if obj.milliseconds < 1000:
            return str(_("%(n)s ms") % {"n": obj.milliseconds})
        return str(_("%(n)s s") % {"n": f"{obj.milliseconds / 1000:.1f}"})

    @display(description=_("forecast error"), ordering="forecast_error")
    def shown_error(self, obj: PriceBook) -> str:
        """Percent of what the last cycle sold."""
        if obj.forecast_error is None:
            return str(_("not known yet"))
        return f"{100 * obj.forecast_error:.0f}%"

    @display(description=_("parameters"))
    def shown_parameters(self, obj: PriceBook) -> SafeString:
        """What was measured, in words, and the constants of the formulas."""
        held = dict(obj.parameters)
        told = [(label, held.pop(name)) for name, label in PARAMETERS.items() if name in held]
        rows = format_html_join("", "<dt>{}</dt><dd>{}</dd>", told)
        rest = format_html_join(", ", "{} {}", sorted(held.items()))
        return format_html(
            '<div class="oh"><dl class="oh-kv">{}</dl><p class="oh-mono oh-muted oh-s12">{}</p></div>',
            rows,
            rest,
        )

    @display(description=pgettext_lazy("of a price book", "number"), ordering="number")
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
        return _listed(sentences.guard(held) for held in obj.guards)

    @display(description=_("parcel slots"))
    def shown_slots(self, obj: PriceBook) -> SafeString:
        """What the slots of each warehouse with a limit are worth now."""
        return _listed(services.slot_sentences(obj, now=clock.now()))


@admin.register(PriceSettings)
class PriceSettingsAdmin(OwnMerchant, Titled, SimpleHistoryAdmin, HubAdmin):
    """How often prices are calculated, and when they are not trusted."""

    list_display = ("merchant", "is_on", "refresh_minutes", "replenishment_days", "max_forecast_error")
    list_select_related = ("merchant",)
    ordering = ("merchant_id",)
    readonly_fields = ("is_on",)
    fields = (
        ("merchant", "is_on"), ("refresh_minutes", "books_kept"), ("replenishment_days", "stale_hours"),
        ("max_forecast_error", "max_dropship_share"),
    )  # fmt: skip

    def title_of(self, obj: PriceSettings) -> str:
        """The merchant."""
        return named(obj.merchant)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Without them the defaults hold; nobody needs to delete them."""
        return False
