"""The buttons of the order page that need a form of their own: split, merge, change the address."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from orderhub.fulfillment import actions, addresses, parting
from orderhub.fulfillment.forms_verbs import AddressForm, DecisionForm, MergeForm, SplitForm
from orderhub.inventory.admin_base import ReadOnlyAdmin, actor_of, button
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.orders.models import AddressChange, Order

PERMISSION = "orders.change_order"
_TOLD = {
    AddressChange.State.APPLIED: _("The order goes to the new address."),
    AddressChange.State.ASKING: _(
        "The warehouse was asked to give the order back. The answer shows up here."
    ),
}

if TYPE_CHECKING:
    Base = ReadOnlyAdmin
else:
    Base = object


class FormVerbs(Base):
    """Mixed into the order's admin, which finds the order of a request."""

    def _order(self, request: HttpRequest, object_id: str) -> Order | None:
        raise NotImplementedError

    def has_split_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this person may part orders, put them together and send them elsewhere."""
        return request.user.has_perm(PERMISSION)

    @button(description=_("Split"), url_path="split", icon="call_split", permissions=["split"])
    def split_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Move units of this order into one of their own; `origin` of the query chooses what a merge brought."""
        order = self._wanted(request, object_id)
        origin = request.GET.get("origin", "")
        chosen = {
            line.position: line.ordered
            for line in order.lines.all()
            if origin and str(line.origin_id) == origin
        }
        form = SplitForm(request.POST if request.method == "POST" else None, order, chosen)

        def run() -> Order:
            part = parting.split(
                order.pk, form.portions(), reason=form.cleaned_data["reason"], actor=actor_of(request),
                now=clock.now(),
            )  # fmt: skip
            messages.success(request, _("Split: order %(number)s was made.") % {"number": part.number})
            return order

        effect = _(
            "The units you choose become an order of their own, with the same receiver, holds and share of what was "
            "paid. Both are routed afresh."
        )
        return self._form_verb(request, "split", order, form, run, title=_("Split the order"), effect=effect)

    @button(description=_("Merge"), url_path="merge", icon="call_merge", permissions=["split"])
    def merge_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Bring this order and others to the same receiver together."""
        order = self._wanted(request, object_id)
        candidates = parting.candidates(order)
        form = MergeForm(request.POST if request.method == "POST" else None, candidates)

        def run() -> Order:
            ids = [order.pk, *map(int, form.cleaned_data["orders"])]
            found = parting.merge(
                ids, reason=form.cleaned_data["reason"], actor=actor_of(request), now=clock.now()
            )
            text = ngettext(
                "%(count)d order merged into %(number)s.",
                "%(count)d orders merged into %(number)s.",
                len(ids) - 1,
            )
            messages.success(request, text % {"count": len(ids) - 1, "number": found.number})
            return found

        effect = _(
            "The chosen orders and this one ship as one order, the oldest. Split it again to undo this."
        )
        return self._form_verb(request, "merge", order, form, run, title=_("Merge orders"), effect=effect)

    @button(
        description=_("Change address"),
        url_path="change-address",
        icon="edit_location_alt",
        permissions=["split"],
    )
    def change_address_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Send this order somewhere else."""
        order = self._wanted(request, object_id)
        form = AddressForm(request.POST if request.method == "POST" else None, order)

        def run() -> Order:
            change, _new = addresses.request_address_change(
                order.pk, form.wanted(), requested_by=form.cleaned_data["requested_by"],
                reason=form.cleaned_data["reason"], actor=actor_of(request), now=clock.now(),
            )  # fmt: skip
            messages.success(request, _TOLD[AddressChange.State(change.state)])
            return order

        effect = _(
            "Before release the order goes to the new address at once and is routed afresh. Warehouses that have "
            "it are asked to give it back first, carriers to redirect what has left; if they cannot, it goes to the "
            "old address."
        )
        return self._form_verb(
            request, "change_address", order, form, run, title=_("Change the address"), effect=effect
        )

    @button(
        description=_("Decide about the address"),
        url_path="decide-address",
        icon="alt_route",
        permissions=["split"],
    )
    def decide_address_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End an address change that is done in part, or that somebody does not answer."""
        order = self._wanted(request, object_id)
        change = addresses.waiting(order)
        can_split = change is not None and change.state == AddressChange.State.DECIDING
        form = DecisionForm(request.POST if request.method == "POST" else None, can_split=can_split)

        def run() -> Order:
            addresses.decide(
                change.pk if change is not None else 0, form.cleaned_data["way"], actor=actor_of(request),
                now=clock.now(),
            )  # fmt: skip
            messages.success(request, _("Decided. The order goes on."))
            return order

        effect = _(
            "Parts that are with a warehouse or carrier that refused go on to the old address either way. "
            "The customer's page says what becomes of the order."
        )
        return self._form_verb(
            request, "decide_address", order, form, run, title=_("Decide about the address"), effect=effect
        )

    def fitting(self, order: Order) -> set[str]:
        """The names of the buttons that make sense for this order now."""
        offered = set(self._offered(order))
        if "merge" in offered and not parting.candidates(order):
            offered.discard("merge")
        return {f"orders_order_{name}_one" for name in offered}

    def _offered(self, order: Order) -> list[str]:
        """What may be done, with what only those who can ask carriers and warehouses know."""
        found = actions.of(order)
        if addresses.waiting(order) is not None:
            found = [*found, "decide_address"]
        elif "change_address" not in found and addresses.can_turn(order):
            found = [*found, "change_address"]
        return found

    def _wanted(self, request: HttpRequest, object_id: str) -> Order:
        order = self._order(request, object_id)
        if order is None:
            raise Http404
        return order

    def _form_verb(
        self, request: HttpRequest, name: str, order: Order, form: Form, run: Callable[[], Order], *,
        title: Any, effect: Any,
    ) -> HttpResponse:  # fmt: skip
        back = reverse("admin:orders_order_change", args=(order.pk,))
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        if request.method != "POST" and name not in self._offered(order):
            messages.info(request, _("This cannot be done with the order as it stands now."))
            return HttpResponseRedirect(back)
        if request.method == "POST" and form.is_valid():
            try:
                return HttpResponseRedirect(reverse("admin:orders_order_change", args=(run().pk,)))
            except Refused as why:
                form.add_error(None, str(why))
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "media": self.media, "title": title,
            "button": title, "form": form, "effect": effect, "orders": [order], "back": back,
        }  # fmt: skip
        return TemplateResponse(request, "admin/orders/order/verb.html", context)
