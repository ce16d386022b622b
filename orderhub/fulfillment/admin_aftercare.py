"""The buttons of the order page for what comes after the sale: cancel units, move, exchange, resend, undo."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from orderhub.events import kinds
from orderhub.fulfillment import deeds, moving, replacing, undoing
from orderhub.fulfillment.admin_verbs import PERMISSION, FormVerbs, Wish
from orderhub.fulfillment.forms_aftercare import CancelUnitsForm, ExchangeForm, MoveForm, ResendForm, UndoForm
from orderhub.fulfillment.models import Parcel
from orderhub.fulfillment.preview_words import UNDO_WORDS
from orderhub.inventory.admin_base import actor_of, button, is_chinese
from orderhub.kernel import clock
from orderhub.orders import cutting
from orderhub.orders.models import Order

CANCEL_UNITS = "orders.add_cancellation"
FOLLOW_UP = "orders.add_followup"


class AftercareVerbs(FormVerbs):
    """Mixed into the order's admin; customer service may do what `orders.add_followup` and `add_cancellation` allow."""

    def has_aftercare_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this person may exchange and resend."""
        return request.user.has_perm(FOLLOW_UP)

    def has_cancel_units_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this person may cancel single units."""
        return request.user.has_perm(CANCEL_UNITS)

    @button(
        description=_("Cancel units"), url_path="cancel-units", icon="remove_shopping_cart",
        permissions=["cancel_units"],
    )  # fmt: skip
    def cancel_units_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Cancel some units of this order."""
        order = self._wanted(request, object_id)
        form = CancelUnitsForm(_posted(request), order, cutting.left, _("Units to cancel, of %(count)d"))
        effect = _(
            "The units are taken out and their price is due back. Only warehouses that have them are asked to give "
            "them back; what is left ships."
        )
        wish = Wish("cancel_units", _("Cancel units"), effect, permission=CANCEL_UNITS)
        return self._do_form(request, wish, order, form)

    @button(description=_("Move"), url_path="move", icon="warehouse", permissions=["split"])
    def move_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ship this order from another warehouse."""
        order = self._wanted(request, object_id)
        form = MoveForm(_posted(request), list(moving.places(order)))
        effect = _(
            "What has not left ships from this warehouse and no other. Warehouses that have it already are asked to "
            "give it back first; re-routing lets the hub choose freely again."
        )
        return self._do_form(request, Wish("move", _("Move to another warehouse"), effect), order, form)

    @button(description=_("Exchange"), url_path="exchange", icon="swap_horiz", permissions=["aftercare"])
    def exchange_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Send other goods for what left."""
        order = self._wanted(request, object_id)
        form = ExchangeForm(
            _posted(request), order, replacing.replaceable, _("Units that are replaced, of %(count)d"),
            may_waive=request.user.has_perm(PERMISSION),
        )  # fmt: skip
        effect = _(
            "A new order is made for the same receiver. What was paid for the old goods is taken off; if something is "
            "left to pay, it waits for that."
        )
        wish = Wish("exchange", _("Exchange"), effect, permission=FOLLOW_UP)
        return self._do_form(request, wish, order, form)

    @button(description=_("Resend"), url_path="resend", icon="redo", permissions=["aftercare"])
    def resend_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Send what left once more."""
        order = self._wanted(request, object_id)
        sent = Parcel.objects.filter(fulfillment__order=order, shipped_at__isnull=False).order_by("pk")
        form = ResendForm(
            _posted(request), order, replacing.replaceable, _("Units that are sent again, of %(count)d"),
            parcels=list(sent.values_list("tracking_number", flat=True)),
        )  # fmt: skip
        effect = _(
            "A new order with the same goods is made for the same receiver, at no charge. Each unit once."
        )
        wish = Wish("resend", _("Resend"), effect, permission=FOLLOW_UP)
        return self._do_form(request, wish, order, form)

    @button(description=_("Undo"), url_path="undo", icon="undo", permissions=["split"])
    def undo_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Undo what was last done to this order."""
        order = self._wanted(request, object_id)
        found = undoing.last(order)
        if found is None and request.method != "POST":
            messages.info(request, _("Nothing can be undone with the order as it stands now."))
            return HttpResponseRedirect(reverse("admin:orders_order_change", args=(order.pk,)))
        form = UndoForm(_posted(request))
        form.fields["seq"].initial = found.event.seq if found is not None else None
        effect = _undo_effect(found)
        return self._do_form(request, Wish("undo", _("Undo"), effect, shows_at_once=True), order, form)

    def _do_form(self, request: HttpRequest, wish: Wish, order: Order, form: Any) -> HttpResponse:
        def deed() -> int:
            given = form.given() if form.is_bound else {}
            return deeds.do(wish.name, order.pk, given, actor=actor_of(request), now=clock.now())

        return self._form_verb(request, wish, order, form, deed, lambda _shown: _("Done."))


def _posted(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _undo_effect(found: undoing.Undoable | None) -> str:
    if found is None:
        return str(_("Nothing can be undone with the order as it stands now."))
    declared = kinds.get(found.event.kind)
    what = declared.zh if is_chinese() else declared.en
    words = {"what": what, "how": UNDO_WORDS[found.verb]}
    return str(_("Last done: %(what)s. Undoing it means: %(how)s.")) % words
