"""What the order page shows of custom fields, and the buttons that fill them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from orderhub.fields import queries as fields
from orderhub.fields import rights
from orderhub.fields.engine import Definition
from orderhub.fields.wording import label
from orderhub.fulfillment import filling as parcels
from orderhub.fulfillment.forms_custom import CustomValuesForm, Part, of_order
from orderhub.fulfillment.models import Parcel
from orderhub.fulfillment.panels import Drawn, panel
from orderhub.inventory.admin_base import ReadOnlyAdmin, actor_of, button
from orderhub.inventory.admin_custom import written
from orderhub.kernel import clock
from orderhub.orders import filling as orders
from orderhub.orders.models import Order

PERMISSION = "orders.change_order"
Rows = list[tuple[str, Any]]

if TYPE_CHECKING:
    Base = ReadOnlyAdmin
else:
    Base = object


@panel("custom", order=3, aside=True)
def custom(order: Order, request: HttpRequest) -> Drawn | None:
    """The values of the order and its lines that this reader may see; nothing where the merchant has no fields."""
    book = fields.book(order.merchant)
    own = rows_of(book.of("order"), order.custom, request, empty="–")
    lines = [
        (f"{line.position}. {line.sku.code}", rows_of(book.of("line"), line.custom, request))
        for line in order.lines.all() if line.custom
    ]  # fmt: skip
    lines = [(title, rows) for title, rows in lines if rows]
    if not own and not lines and not book.of("line"):
        return None
    may_fill = request.user.has_perm(PERMISSION)
    link = reverse("admin:orders_order_fields_one", args=(order.pk,)) if may_fill else ""
    return Drawn("admin/panels/custom.html", {"rows": own, "lines": lines, "link": link})


def rows_of(
    definitions: Mapping[str, Definition], values: Mapping[str, Any], request: HttpRequest, *, empty: str = ""
) -> Rows:
    """Label and value of each field that this reader may see; those without a value only if `empty` says how."""
    may = rights.seen_by(request.user)
    return [
        (label(one), written(one, values.get(code)) or empty)
        for code, one in definitions.items() if may(one) and (empty or code in values)
    ]  # fmt: skip


class OrderFields(Base):
    """Mixed into the order's admin: the button that fills its fields."""

    def _order(self, request: HttpRequest, object_id: str) -> Order | None:
        raise NotImplementedError

    def has_fields_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this person may fill fields of orders."""
        return request.user.has_perm(PERMISSION)

    @button(description=_("Fill custom fields"), url_path="fields", icon="edit_note", permissions=["fields"])
    def fields_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the values of the order and its lines, then write them."""
        order = self._order(request, object_id)
        if order is None:
            raise Http404
        lines = {f"line{line.pk}_": line for line in order.lines.all()}
        parts = of_order(
            order, list(lines.values()), fields.book(order.merchant), rights.filled_by(request.user)
        )
        back = reverse("admin:orders_order_change", args=(order.pk,))

        def run(form: CustomValuesForm) -> None:
            puts = {part.prefix: part.put(form) for part in parts}
            lines_put = {lines[prefix].pk: put for prefix, put in puts.items() if prefix}
            orders.change(order.pk, puts.get(""), lines_put, now=clock.now(), actor=actor_of(request))

        return fill_page(self, request, f"{_('Custom fields')}: {order.number}", parts, run, back)


class ParcelFields(Base):
    """Mixed into the parcel's admin: its values, and the button that fills them."""

    def has_fields_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this person may fill fields of parcels."""
        return request.user.has_perm(PERMISSION)

    @button(description=_("Fill custom fields"), url_path="fields", icon="edit_note", permissions=["fields"])
    def fields_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the values of the parcel, then write them."""
        rows = self.get_queryset(request).select_related("merchant")
        parcel: Parcel | None = rows.filter(pk=object_id).first() if object_id.isdecimal() else None
        if parcel is None:
            raise Http404
        definitions = fields.book(parcel.merchant).of("parcel")
        part = Part(definitions, parcel.custom, rights.filled_by(request.user))
        back = reverse("admin:fulfillment_parcel_change", args=(parcel.pk,))

        def run(form: CustomValuesForm) -> None:
            parcels.change(parcel.pk, part.put(form), now=clock.now(), actor=actor_of(request))

        title = f"{_('Custom fields')}: {parcel.tracking_number}"
        return fill_page(self, request, title, [part] if part.definitions else [], run, back)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """With the values that this reader may see."""
        return (*super().get_fields(request, obj), _values_shown(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Nothing of it is edited in place."""
        return (*super().get_readonly_fields(request, obj), _values_shown(request))


def _values_shown(request: HttpRequest) -> Any:
    """The same function each time it is asked for in a request: Django compares."""

    def shown_custom(obj: Parcel) -> Any:
        rows = rows_of(fields.book(obj.merchant).of("parcel"), obj.custom, request)
        pairs = format_html_join("", "<dt>{}</dt><dd>{}</dd>", rows)
        return format_html('<dl class="oh-kv">{}</dl>', pairs) if rows else "–"

    shown_custom.short_description = _("custom fields")  # type: ignore[attr-defined]
    return request.__dict__.setdefault("_hub_shown_custom", shown_custom)


def fill_page(
    page: Any, request: HttpRequest, title: str, parts: list[Part], run: Any, back: str
) -> HttpResponse:
    """The form that fills fields: shown first, then written and back."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    if not parts:
        messages.info(
            request, _("There are no fields that you may fill. They are added under “Custom fields”.")
        )
        return HttpResponseRedirect(back)
    form = CustomValuesForm(request.POST if request.method == "POST" else None, parts)
    if request.method == "POST" and form.is_valid():
        run(form)
        messages.success(request, _("The fields were saved."))
        return HttpResponseRedirect(back)
    context = {
        **page.admin_site.each_context(request), "opts": page.opts, "media": page.media, "title": title,
        "effect": _("Rules see the new values when they are next asked; prices that were worked out stay."),
        "button": _("Save"), "form": form, "ids": [], "back": back,
    }  # fmt: skip
    return TemplateResponse(request, "admin/ask.html", context)
