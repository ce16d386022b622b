"""The buttons of the order page that need a form of their own: split, merge, change the address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from orderhub.fulfillment import actions, addresses, parting, preview_words, previewing, undoing
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


@dataclass(frozen=True, slots=True)
class Wish:
    """A verb with a form: its name in the table of actions, title, what it does, and who may; `shows_at_once` for one
    that needs no choice, so that its preview is there from the start.
    """

    name: str
    title: Any
    effect: Any
    permission: str = PERMISSION
    shows_at_once: bool = False


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

        def deed() -> int:
            part = parting.split(
                order.pk, form.portions(), reason=form.cleaned_data["reason"], actor=actor_of(request),
                now=clock.now(),
            )  # fmt: skip
            return part.pk

        def said(part_id: int) -> Any:
            number = Order.objects.get(pk=part_id).number
            return _("Split: order %(number)s was made.") % {"number": number}

        effect = _(
            "The units you choose become an order of their own, with the same receiver, holds and share of what was "
            "paid. Both are routed afresh."
        )
        wish = Wish("split", _("Split the order"), effect)
        return self._form_verb(request, wish, order, form, deed, said, back_to=order.pk)

    @button(description=_("Merge"), url_path="merge", icon="call_merge", permissions=["split"])
    def merge_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Bring this order and others to the same receiver together."""
        order = self._wanted(request, object_id)
        candidates = parting.candidates(order)
        form = MergeForm(request.POST if request.method == "POST" else None, candidates)

        def deed() -> int:
            ids = [order.pk, *map(int, form.cleaned_data["orders"])]
            found = parting.merge(
                ids, reason=form.cleaned_data["reason"], actor=actor_of(request), now=clock.now()
            )
            return found.pk

        def said(survivor_id: int) -> Any:
            count = len(form.cleaned_data["orders"])
            text = ngettext(
                "%(count)d order merged into %(number)s.", "%(count)d orders merged into %(number)s.", count
            )
            return text % {"count": count, "number": Order.objects.get(pk=survivor_id).number}

        effect = _(
            "The chosen orders and this one ship as one order, the oldest. Split it again to undo this."
        )
        return self._form_verb(request, Wish("merge", _("Merge orders"), effect), order, form, deed, said)

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

        def deed() -> int:
            addresses.request_address_change(
                order.pk, form.wanted(), requested_by=form.cleaned_data["requested_by"],
                reason=form.cleaned_data["reason"], actor=actor_of(request), now=clock.now(),
            )  # fmt: skip
            return order.pk

        def said(order_id: int) -> Any:
            change = AddressChange.objects.filter(order=order_id).latest("pk")
            return _TOLD.get(AddressChange.State(change.state), "")

        effect = _(
            "Before release the order goes to the new address at once and is routed afresh. Warehouses that have "
            "it are asked to give it back first, carriers to redirect what has left; if they cannot, it goes to the "
            "old address."
        )
        wish = Wish("change_address", _("Change the address"), effect)
        return self._form_verb(request, wish, order, form, deed, said)

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

        def deed() -> int:
            addresses.decide(
                change.pk if change is not None else 0, form.cleaned_data["way"], actor=actor_of(request),
                now=clock.now(),
            )  # fmt: skip
            return order.pk

        effect = _(
            "Parts that are with a warehouse or carrier that refused go on to the old address either way. "
            "The customer's page says what becomes of the order."
        )
        wish = Wish("decide_address", _("Decide about the address"), effect)
        return self._form_verb(request, wish, order, form, deed, lambda _id: _("Decided. The order goes on."))

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
        if undoing.last(order) is not None:
            found = [*found, "undo"]
        return found

    def _wanted(self, request: HttpRequest, object_id: str) -> Order:
        order = self._order(request, object_id)
        if order is None:
            raise Http404
        return order

    def _form_verb(
        self, request: HttpRequest, wish: Wish, order: Order, form: Form, deed: Callable[[], int],
        said: Callable[[int], Any], *, back_to: int | None = None,
    ) -> HttpResponse:  # fmt: skip
        """Ask (GET), say what it would do (the button Preview), or do it and show the order it is about then."""
        back = reverse("admin:orders_order_change", args=(order.pk,))
        if not request.user.has_perm(wish.permission):
            raise PermissionDenied
        if request.method != "POST" and wish.name not in self._offered(order):
            messages.info(request, _("This cannot be done with the order as it stands now."))
            return HttpResponseRedirect(back)
        shown = None
        if (request.method == "POST" and form.is_valid()) or (
            request.method != "POST" and wish.shows_at_once
        ):
            try:
                if "preview" in request.POST or request.method != "POST":
                    shown = preview_words.page(previewing.of(order.pk, deed, now=clock.now()))
                else:
                    made = deed()
                    messages.success(request, said(made))
                    return HttpResponseRedirect(reverse("admin:orders_order_change", args=(back_to or made,)))
            except Refused as why:
                if form.is_bound:
                    form.add_error(None, str(why))
                else:
                    messages.warning(request, str(why))
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "media": self.media, "title": wish.title,
            "button": wish.title, "form": form, "effect": wish.effect, "orders": [order], "back": back,
            "preview": shown, "can_preview": True,
        }  # fmt: skip
        return TemplateResponse(request, "admin/orders/order/verb.html", context)
