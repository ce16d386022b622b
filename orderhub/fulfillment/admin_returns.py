"""Operators' pages of goods that came back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.db.models import Sum
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter, RelatedDropdownFilter

from orderhub.fulfillment import returns
from orderhub.fulfillment.admin_making import ReadOnlyInline
from orderhub.fulfillment.admin_orders import OUR_NUMBER
from orderhub.fulfillment.models import ReturnReceipt, ReturnReceiptLine
from orderhub.inventory.admin_base import ReadOnlyAdmin, actor_of, button, named
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order
from orderhub.templatetags.ui import pill

_INPUT = {"class": "oh-input"}


class ReturnReceiptLineInline(ReadOnlyInline):
    """What came back of each SKU, in which condition."""

    model = ReturnReceiptLine
    fields = readonly_fields = ("shown_sku", "condition", "units", "restocked", "counted")

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the SKU at hand."""
        return super().get_queryset(request).select_related("sku").order_by("pk")

    @display(description=_("SKU"))
    def shown_sku(self, obj: ReturnReceiptLine) -> str:
        """Code and name."""
        return f"{obj.sku.code} {named(obj.sku)}"


class AssignForm(forms.Form):
    """Whose goods they are."""

    number = forms.CharField(
        label=_("Order number"), max_length=80, widget=forms.TextInput(attrs=_INPUT),
        help_text=_("Our number, such as OH261122-00017, or the channel's."),
    )  # fmt: skip

    def __init__(self, *args: Any, merchant_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._merchant_id = merchant_id
        self.order: Order | None = None

    def clean_number(self) -> str:
        """Exactly one order of the merchant."""
        text = str(self.cleaned_data["number"]).strip()
        ours = OUR_NUMBER.match(text)
        rows = Order.objects.filter(merchant_id=self._merchant_id)
        found = list((rows.filter(pk=int(ours[1])) if ours else rows.filter(external_id=text))[:2])
        if len(found) != 1:
            raise forms.ValidationError(
                _("Several orders have this number: give ours.")
                if found
                else _("There is no order with this number.")
            )
        self.order = found[0]
        return text


class NamelessFilter(admin.SimpleListFilter):
    """Returned goods that belong to no known order."""

    title = _("order")
    parameter_name = "named"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """With and without one."""
        return [("no", _("without an order")), ("yes", _("with an order"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Those of the chosen sort."""
        return queryset.filter(order__isnull=self.value() == "no") if self.value() else queryset


@admin.register(ReturnReceipt)
class ReturnReceiptAdmin(ReadOnlyAdmin):
    """Goods that came back, as warehouses confirmed them."""

    list_display = (
        "said_at", "reference", "tracking_number", "shown_warehouse", "shown_order", "shown_units", "reason",
    )  # fmt: skip
    list_display_links = ("said_at", "reference")
    list_filter = (
        NamelessFilter, ("warehouse", RelatedDropdownFilter), ("said_at", RangeDateTimeFilter),
        ("merchant", RelatedDropdownFilter),
    )  # fmt: skip
    list_select_related = ("warehouse", "order")
    search_fields = ("reference__exact", "tracking_number__exact", "order__external_id__exact")
    ordering = ("-pk",)
    inlines = (ReturnReceiptLineInline,)
    fields = (
        ("reference", "tracking_number"), ("shown_order", "assigned_by"), ("warehouse", "reason"),
        ("said_at", "received_at"), "actor",
    )  # fmt: skip
    readonly_fields = ("shown_order",)
    actions_detail = ("name_order",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the units that came back."""
        return super().get_queryset(request).annotate(all_units=Coalesce(Sum("lines__units"), 0))

    def has_assign_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Those who may change them."""
        return bool(request.user.has_perm("fulfillment.change_returnreceipt"))

    @display(description=_("warehouse"), ordering="warehouse__code")
    def shown_warehouse(self, obj: ReturnReceipt) -> str:
        """The warehouse in the reader's language."""
        return named(obj.warehouse)

    @display(description=_("order"))
    def shown_order(self, obj: ReturnReceipt) -> SafeString:
        """The order, linked, or that there is none yet."""
        if obj.order is None:
            return pill("warn", str(_("whose goods?")))
        link = reverse("admin:orders_order_change", args=(obj.order_id,))
        return format_html('<a class="oh-link oh-n" href="{}">{}</a>', link, obj.order.number)

    @display(description=_("units"))
    def shown_units(self, obj: Any) -> int:
        """How many came back."""
        return int(obj.all_units)

    @button(description=_("Name the order"), url_path="name-order", icon="link", permissions=["assign"])
    def name_order(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say whose goods these are."""
        row = self.get_queryset(request).filter(pk=object_id).first()
        if row is None:
            raise Http404
        if not self.has_assign_permission(request):
            raise PermissionDenied
        form = AssignForm(request.POST or None, merchant_id=row.merchant_id)
        back = reverse("admin:fulfillment_returnreceipt_change", args=(row.pk,))
        if request.method == "POST" and form.is_valid() and form.order is not None:
            try:
                returns.assign(row.pk, form.order, actor=actor_of(request), now=clock.now())
            except Refused as no:
                messages.error(request, str(no))
            else:
                messages.success(
                    request, _("The goods are counted for order %(number)s.") % {"number": form.order.number}
                )
            return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "form": form, "back": back,
            "title": _("Whose goods are these: %(about)s") % {"about": row},
            "effect": _("They are on the shelf already. The order you name counts them as returned."),
            "button": _("Count them for this order"),
        }  # fmt: skip
        return TemplateResponse(request, "admin/ask.html", context)
