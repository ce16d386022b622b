"""Operators' pages of warehouses, SKUs, stock, movements; stock changes only by counting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import display
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from import_export.admin import ImportExportModelAdmin
from simple_history.admin import SimpleHistoryAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.contrib.import_export.forms import ExportForm, ImportForm
from unfold.views import ChangeList

from orderhub.inventory import (
    admin_boms,
    admin_coming,
    admin_fields,
    admin_movements,
    admin_receipts,
    admin_sources,
    heat,
    promising,
    services,
    telling,
)
from orderhub.inventory.admin_base import HubAdmin, SafeResource, ToldResource, actor_of, button, named
from orderhub.inventory.admin_custom import CustomPages, CustomTable, CustomTables
from orderhub.inventory.models import Sku, Stock, Warehouse
from orderhub.kernel import clock
from orderhub.templatetags.ui import pill

__all__ = [
    "admin_boms",
    "admin_coming",
    "admin_fields",
    "admin_movements",
    "admin_receipts",
    "admin_sources",
    "ask",
]  # registers more tables
#: More stock rows than these are counted by a file.
MOST_COUNTED = 100


class WarehouseResource(CustomTable, SafeResource):
    """Warehouses as a table."""

    custom_target = "warehouse"

    class Meta:
        model = Warehouse
        exclude = ("accepts", "serves_provinces", "custom")


@admin.register(Warehouse)
class WarehouseAdmin(CustomPages, CustomTables, ImportExportModelAdmin, SimpleHistoryAdmin, HubAdmin):
    """The network; freezing keeps new orders away at once, what is released already goes on."""

    custom_target = "warehouse"

    resource_classes = [WarehouseResource]
    import_form_class = ImportForm
    export_form_class = ExportForm
    list_display = (
        "shown_name",
        "code",
        "kind",
        "province",
        "city",
        "cutoff_at",
        "capacity_per_day",
        "shown_state",
    )
    list_filter = (
        ("kind", ChoicesDropdownFilter),
        "is_frozen",
        "is_active",
        ("merchant", RelatedDropdownFilter),
    )
    search_fields = ("code", "name", "name_en")
    ordering = ("merchant_id", "code")
    actions = ("freeze", "reopen")
    actions_detail = ("freeze_one", "reopen_one")
    fieldsets = (
        (None, {"fields": (("merchant", "code"), ("name", "name_en"), ("kind", "is_frozen", "is_active"))}),
        (
            _("Place"),
            {
                "fields": (
                    ("country", "province", "city"),
                    "address",
                    ("contact", "phone"),
                    ("latitude", "longitude", "time_zone"),
                )
            },
        ),
        (_("Work"), {"fields": (("cutoff_at", "capacity_per_day"), "accepts", "serves_provinces")}),
        (_("Stock reports"), {"fields": (("tolerance_units", "tolerance_percent"),)}),
        (
            _("Cost and energy"),
            {"fields": (("handling_per_parcel", "handling_per_line"), ("energy_source", "kwh_per_tonne"))},
        ),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Orders and stock point here: a warehouse is switched off instead."""
        return False

    @display(description=_("name"), ordering="name")
    def shown_name(self, obj: Warehouse) -> str:
        """The name in the reader's language."""
        return named(obj)

    @display(description=_("state"))
    def shown_state(self, obj: Warehouse) -> SafeString:
        """Open, frozen or switched off."""
        if not obj.is_active:
            return pill("wait", str(_("off")))
        return pill("hold", str(_("frozen"))) if obj.is_frozen else pill("ok", str(_("open for orders")))

    @admin.action(description=_("Freeze: no new orders"), permissions=["change"])
    def freeze(self, request: HttpRequest, queryset: QuerySet[Warehouse]) -> None:
        """Freeze the chosen ones."""
        self._set(request, queryset, is_frozen=True)

    @admin.action(description=_("Reopen for new orders"), permissions=["change"])
    def reopen(self, request: HttpRequest, queryset: QuerySet[Warehouse]) -> None:
        """Reopen the chosen ones."""
        self._set(request, queryset, is_frozen=False)

    @button(description=_("Freeze"), url_path="freeze", icon="pause_circle", permissions=["change"])
    def freeze_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then freeze this one."""
        return self._one(request, object_id, is_frozen=True)

    @button(description=_("Reopen"), url_path="reopen", icon="play_circle", permissions=["change"])
    def reopen_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then reopen this one."""
        return self._one(request, object_id, is_frozen=False)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only the one of the two that changes something."""
        frozen = self.get_queryset(request).filter(pk=object_id).values_list("is_frozen", flat=True).first()
        unwanted = "inventory_warehouse_freeze_one" if frozen else "inventory_warehouse_reopen_one"
        return [one for one in super().get_actions_detail(request, object_id) if one.action_name != unwanted]

    def _one(self, request: HttpRequest, object_id: str, *, is_frozen: bool) -> HttpResponse:
        rows = self.get_queryset(request).filter(pk=object_id)
        row = rows.first()
        if row is None:
            raise Http404
        back = reverse("admin:inventory_warehouse_change", args=(row.pk,))
        if request.method == "POST":
            self._set(request, rows, is_frozen=is_frozen)
            return HttpResponseRedirect(back)
        effect = (
            _("No new orders are routed to %(name)s until it is reopened. What it has already goes on.")
            if is_frozen
            else _("New orders may be routed to %(name)s again.")
        ) % {"name": named(row)}
        button = _("Freeze") if is_frozen else _("Reopen")
        return ask(self, request, title=f"{button}: {named(row)}", effect=effect, button=button, back=back)

    def save_model(self, request: HttpRequest, obj: Warehouse, form: Any, change: bool) -> None:
        """Save, and let waiting orders be tried again."""
        super().save_model(request, obj, form, change)
        services.tell_changed([obj], actor=actor_of(request), now=clock.now())

    def _set(self, request: HttpRequest, rows: QuerySet[Any], *, is_frozen: bool) -> None:
        changed = list(rows.exclude(is_frozen=is_frozen))
        for row in changed:  # one by one, so that each change is in the history
            row.is_frozen = is_frozen
            row.save(update_fields=["is_frozen"])
            self.log_change(request, row, [{"changed": {"fields": ["is_frozen"]}}])
        services.tell_changed(changed, actor=actor_of(request), now=clock.now())
        if is_frozen:
            text = ngettext("%(count)d warehouse frozen.", "%(count)d warehouses frozen.", len(changed))
        else:
            text = ngettext("%(count)d warehouse reopened.", "%(count)d warehouses reopened.", len(changed))
        messages.success(request, text % {"count": len(changed)})


class SkuResource(CustomTable, ToldResource):
    """SKUs as a table."""

    custom_target = "sku"

    class Meta:
        model = Sku
        exclude = ("traits", "custom")

    def tell(self, saved: list[Sku], *, actor: str) -> None:
        """Weights may have come with the file."""
        telling.skus([(sku.merchant_id, sku.code) for sku in saved], actor=actor, now=clock.now())


@admin.register(Sku)
class SkuAdmin(CustomPages, CustomTables, ImportExportModelAdmin, HubAdmin):
    """The catalog."""

    custom_target = "sku"

    resource_classes = [SkuResource]
    import_form_class = ImportForm
    export_form_class = ExportForm
    list_display = (
        "code",
        "shown_name",
        "category",
        "price",
        "currency",
        "grams",
        "shown_promise",
        "is_active",
    )
    list_select_related = ("promisable",)
    list_filter = ("category", "is_active", ("merchant", RelatedDropdownFilter))
    search_fields = ("code", "name", "name_en")
    ordering = ("merchant_id", "code")
    fieldsets = (
        (None, {"fields": (("merchant", "code"), ("name", "name_en"), ("category", "is_active"))}),
        (_("Price and size"), {"fields": (("price", "currency"), ("grams", "volume_cm3"))}),
        (_("Handling"), {"fields": ("traits", "hs_code")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Orders and stock point here: a SKU is switched off instead."""
        return False

    def save_model(self, request: HttpRequest, obj: Sku, form: Any, change: bool) -> None:
        """Save, and let orders be tried again that waited for a weight."""
        before = Sku.objects.filter(pk=obj.pk).values(*telling.SHIPPING_FIELDS).first() or {}
        super().save_model(request, obj, form, change)
        changed = [name for name, value in before.items() if getattr(obj, name) != value]
        telling.sku_if(obj, changed, actor=actor_of(request), now=clock.now())

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """A list that knows what can be promised."""
        return PromisingList

    @display(description=_("name"), ordering="name")
    def shown_name(self, obj: Sku) -> str:
        """The name in the reader's language."""
        return named(obj)

    @display(description=_("can be promised"))
    def shown_promise(self, obj: Sku) -> SafeString:
        """Units that may still be promised in all open warehouses together."""
        return shown_units(vars(obj)["promise"].total)


class PromisingList(ChangeList):
    """A page of SKUs, each with what can be promised: one query more for the whole page."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        """The page's rows."""
        super().get_results(request)
        skus: list[Sku] = list(self.result_list)
        found = promising.units(skus)
        for sku in skus:
            vars(sku)["promise"] = found[sku.pk]
        self.result_list = skus


def shown_units(units: int) -> SafeString:
    """A number of units; none is a warning."""
    return format_html('<span class="oh-n">{}</span>', units) if units else pill("warn", "0")


@admin.register(Stock)
class StockAdmin(HubAdmin):
    """Units on the shelves; only the safety stock is edited, what is on hand is counted."""

    list_display = (
        "shown_sku",
        "shown_warehouse",
        "on_hand",
        "reserved",
        "safety",
        "shown_free",
        "shown_hot",
        "updated_at",
    )
    list_filter = (
        ("warehouse", RelatedDropdownFilter),
        "is_hot",
        ("merchant", RelatedDropdownFilter),
    )
    list_select_related = ("sku", "warehouse")
    search_fields = ("sku__code", "sku__name", "sku__name_en")
    ordering = ("sku_id", "warehouse_id")
    actions = ("count",)
    actions_detail = ("count_one",)
    fields = (("sku", "warehouse"), ("on_hand", "reserved", "safety"), "shown_heat", "updated_at")
    readonly_fields = ("sku", "warehouse", "on_hand", "reserved", "shown_heat", "updated_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows appear with a count or a receipt."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Movements point here."""
        return False

    @display(description=_("SKU"), ordering="sku__code")
    def shown_sku(self, obj: Stock) -> str:
        """Code and name."""
        return f"{obj.sku.code} {named(obj.sku)}"

    @display(description=_("warehouse"), ordering="warehouse__code")
    def shown_warehouse(self, obj: Stock) -> str:
        """The warehouse in the reader's language."""
        return named(obj.warehouse)

    @display(description=_("can be promised"))
    def shown_free(self, obj: Stock) -> SafeString:
        """Units that may still be promised."""
        return shown_units(max(0, obj.on_hand - obj.reserved - obj.safety))

    @display(description=_("demand"), ordering="-is_hot")
    def shown_hot(self, obj: Stock) -> str:
        """Whether it is hot."""
        return pill("hold", str(_("hot"))) if obj.is_hot else ""

    @display(description=_("demand"))
    def shown_heat(self, obj: Stock) -> str:
        """One sentence: hot or not, and why."""
        if not obj.is_hot or obj.hot_since is None:
            return _("Normal: fewer than %(limit)d separate reservations per second.") % {
                "limit": heat.HOT_PER_SECOND
            }
        return _(
            "Hot since %(since)s: %(rate)d separate reservations per second were measured last, so carts that "
            "want it are reserved together. Normal again below %(limit)d per second."
        ) % {
            "since": date_format(timezone.localtime(obj.hot_since), "SHORT_DATETIME_FORMAT"),
            "rate": obj.takes_per_second,
            "limit": heat.COLD_PER_SECOND,
        }

    def save_model(self, request: HttpRequest, obj: Stock, form: Any, change: bool) -> None:
        """Only the safety stock is written, and told by a movement."""
        if "safety" in form.changed_data:
            services.set_safety(obj, obj.safety, actor=actor_of(request), now=clock.now())

    @admin.action(description=_("Enter a count"), permissions=["change"])
    def count(self, request: HttpRequest, queryset: QuerySet[Stock]) -> HttpResponse | None:
        """Ask for the counted units of the chosen rows, then set them."""
        rows = list(
            queryset.select_related("sku", "warehouse").order_by("sku__code", "warehouse__code")[
                : MOST_COUNTED + 1
            ]
        )
        if len(rows) > MOST_COUNTED:
            text = _("At most %(count)d rows at once; upload a stock file for more.") % {
                "count": MOST_COUNTED
            }
            messages.error(request, text)
            return None
        return self._count(
            request, rows, back=request.get_full_path(), is_answer="confirmed" in request.POST, bulk=True
        )

    @button(description=_("Enter a count"), url_path="count", icon="inventory", permissions=["change"])
    def count_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the counted units of this row, then set them."""
        row = self.get_queryset(request).select_related("sku", "warehouse").filter(pk=object_id).first()
        if row is None:
            raise Http404
        back = reverse("admin:inventory_stock_change", args=(row.pk,))
        return self._count(request, [row], back=back, is_answer=request.method == "POST", bulk=False)

    def _count(
        self, request: HttpRequest, rows: Sequence[Any], *, back: str, is_answer: bool, bulk: bool
    ) -> HttpResponse:
        form = CountForm(request.POST if is_answer else None, rows=rows)
        if is_answer and form.is_valid():
            counts = [(row.warehouse, row.sku, form.cleaned_data[f"units_{row.pk}"]) for row in rows]
            done = services.set_counts(counts, reference="count", actor=actor_of(request), now=clock.now())
            tell_counts(request, done)
            return HttpResponseRedirect(back)
        title = _("Enter a count")
        effect = _("What is on hand becomes what was counted. Units promised to orders are never taken away.")
        ids = [row.pk for row in rows] if bulk else []
        return ask(
            self,
            request,
            title=title,
            effect=effect,
            button=_("Set counts"),
            back=back,
            form=form,
            ids=ids,
            action="count",
        )


class CountForm(forms.Form):
    """One number per stock row."""

    def __init__(self, *args: Any, rows: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for row in rows:
            self.fields[f"units_{row.pk}"] = forms.IntegerField(
                label=f"{row.sku.code} {named(row.sku)} · {named(row.warehouse)}",
                initial=row.on_hand,
                min_value=0,
                max_value=10_000_000,
                help_text=_("now %(on_hand)d on hand, %(reserved)d reserved")
                % {"on_hand": row.on_hand, "reserved": row.reserved},
                widget=forms.NumberInput(attrs={"class": "oh-input"}),
            )


def tell_counts(request: HttpRequest, done: Sequence[services.Counted]) -> None:
    """Say how many rows changed, and where fewer were counted than are promised."""
    changed = sum(1 for one in done if one.change)
    text = ngettext("%(count)d stock row changed.", "%(count)d stock rows changed.", changed)
    messages.success(request, text % {"count": changed})
    clamped = _("%(sku)s in %(warehouse)s: fewer counted than promised to orders, so %(units)d were kept.")
    for one in done:
        if one.is_clamped:
            values = {"sku": one.sku.code, "warehouse": named(one.warehouse), "units": one.on_hand}
            messages.warning(request, clamped % values)


def ask(
    page: Any, request: HttpRequest, *, title: Any, effect: Any, button: Any, back: str, form: Any = None,
    ids: Sequence[int] = (), action: str = "",
) -> TemplateResponse:  # fmt: skip
    """The page between a button and its effect: says what will happen and asks for what is needed."""
    context = {
        **page.admin_site.each_context(request),
        "opts": page.opts,
        "media": page.media,
        "title": title,
        "effect": effect,
        "button": button,
        "form": form or forms.Form(),
        "ids": ids,
        "back": back,
        "action": action,
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/ask.html", context)
