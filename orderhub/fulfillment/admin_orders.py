"""The order pool and the order page for operators: nothing is edited, everything is done by verbs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin import display
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.enums import ActionVariant

from orderhub.fulfillment import actions, deeds, order_page, panels, preview_words, previewing
from orderhub.fulfillment.admin_aftercare import AftercareVerbs
from orderhub.fulfillment.custom_panels import OrderFields
from orderhub.fulfillment.models import Parcel
from orderhub.fulfillment.verbs import MOST, VERBS, Verb, tell
from orderhub.inventory.admin_base import ReadOnlyAdmin, actor_of, button, is_chinese, named
from orderhub.inventory.admin_custom import CustomPages
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.orders import admin_filters, admin_words
from orderhub.orders import queries as orders
from orderhub.orders.models import Hold, Order

OUR_NUMBER = re.compile(r"^(?:OH\d{6}-|#)(\d{1,12})$", re.IGNORECASE)
_ACTIVE = Hold.objects.filter(released_at__isnull=True).order_by("pk")


def _bulk(verb: Verb) -> Any:
    def run(admin: OrderAdmin, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        return admin.run_bulk(request, verb, queryset)

    run.__name__ = f"{verb.name}_selected"
    run.short_description = verb.title  # type: ignore[attr-defined]
    run.allowed_permissions = (verb.name,)  # type: ignore[attr-defined]
    return run


def _holds(order: Any) -> list[Hold]:
    """The active holds that the pool's queryset put there."""
    found: list[Hold] = order.active_holds
    return found


class OrderAdmin(CustomPages, OrderFields, AftercareVerbs, ReadOnlyAdmin):
    """The pool, oldest need first; its page; and the verbs, for one order or for many."""

    custom_target = "order"

    list_display = (
        "shown_number",
        "shown_external",
        "shown_channel",
        "shown_stage",
        "shown_flags",
        "shown_waiting",
        "shown_place",
        "shown_total",
        "shown_age",
        "shown_next",
    )
    list_display_links = ("shown_number",)
    list_filter = (
        admin_filters.ViewFilter, ("stage", ChoicesDropdownFilter), ("payment", ChoicesDropdownFilter),
        admin_filters.WaitingFilter, admin_filters.HoldFilter, ("channel", RelatedDropdownFilter),
        ("merchant", RelatedDropdownFilter), admin_filters.ProvinceFilter, admin_filters.AgeFilter, "green",
        admin_filters.SourceFilter,
    )  # fmt: skip
    list_before_template = "admin/orders/order/views.html"
    search_fields = ("external_id",)
    search_help_text = _("Our number, the channel's number, or a tracking number, in full")
    ordering = ("-pk",)
    sortable_by = ("shown_total", "shown_age")
    fields = ()
    actions = [_bulk(verb) for verb in VERBS.values()]
    actions_detail = [
        "hold_one", "release_one", "pay_one", "undo_one", "reroute_one",
        {
            "title": _("Change"), "icon": "edit",
            "items": ["move_one", "split_one", "merge_one", "change_address_one", "cancel_units_one", "fields_one"],
        },
        "exchange_one", "resend_one", "cancel_one",
    ]  # fmt: skip
    actions_detail_hide_default = True

    # ---- reading -------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        """Orders with what a row of the pool shows, nothing per row."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("channel", "merchant").prefetch_related(
            Prefetch("holds", queryset=_ACTIVE, to_attr="active_holds")
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """Exact only, so that millions answer from indexes: our number, the channel's, a parcel's."""
        term = search_term.strip()
        if not term:
            return queryset, False
        ours = OUR_NUMBER.match(term)
        if ours:
            return queryset.filter(pk=int(ours.group(1))), False
        sent = Parcel.objects.filter(tracking_number=term).values("fulfillment__order_id")
        return queryset.filter(Q(external_id=term) | Q(pk__in=sent)), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The pool with its saved views as tabs."""
        rows = super(ReadOnlyAdmin, self).get_queryset(request)
        counts = admin_filters.view_counts(rows)
        chosen = request.GET.get("view", "")
        tabs = [
            {
                "title": title,
                "link": "?" if name == "all" else f"?view={name}",
                "count": counts.get(name),
                "is_on": (chosen or "all") == name,
            }
            for name, title in admin_filters.VIEWS.items()
        ]
        return super().changelist_view(request, {**(extra_context or {}), "views": tabs})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The order page: the core parts from here, the others from the apps that registered them."""
        order = self._order(request, object_id)
        if order is None or not self.has_view_permission(request, order):
            return super().change_view(request, object_id, form_url, extra_context)
        page = order_page.of(order, now=clock.now())
        wide, narrow = panels.of_order(order, request)
        context = {"title": order.number, "subtitle": None, "page": page, "wide": wide, "narrow": narrow}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Order | None:
        """The order this request is about, loaded once."""
        return self._order(request, object_id)

    def view_on_site(self, obj: Order) -> str:
        """The buyer's page."""
        return order_page.tracking_path(obj)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The verbs that apply to this order now and that this person may use."""
        order = self._order(request, str(object_id))
        allowed = super().get_actions_detail(request, object_id)
        if order is None:
            return []
        fitting = self.fitting(order)
        return [one for one in allowed if one.action_name in fitting]

    def _order(self, request: HttpRequest, object_id: str) -> Order | None:
        found: dict[str, Order | None] = request.__dict__.setdefault("_hub_orders", {})
        if object_id not in found:
            rows = orders.whole(merchant_id=getattr(request.user, "merchant_id", None))
            rows = rows.prefetch_related("fulfillments")
            found[object_id] = rows.filter(pk=object_id).first() if object_id.isdecimal() else None
        return found[object_id]

    # ---- columns -------------------------------------------------------------------------------

    @display(description=_("number"))
    def shown_number(self, obj: Order) -> SafeString:
        """Our number; the link to the page."""
        return format_html('<span class="oh-n">{}</span>', obj.number)

    @display(description=_("channel order number"))
    def shown_external(self, obj: Order) -> SafeString:
        """The channel's own number."""
        return format_html('<span class="oh-n">{}</span>', obj.external_id)

    @display(description=_("channel"))
    def shown_channel(self, obj: Order) -> str:
        """Where it was sold."""
        return named(obj.channel)

    @display(description=_("stage"))
    def shown_stage(self, obj: Order) -> SafeString:
        """The order-level pill."""
        return order_page.stage_pill(obj)

    @display(description=_("payment and holds"))
    def shown_flags(self, obj: Order) -> SafeString:
        """Payment unless paid, each active hold, green delivery: pills of their own."""
        return format_html('<span class="oh-row">{}</span>', order_page.flags(obj, _holds(obj), calm=False))

    @display(description=_("waiting for"))
    def shown_waiting(self, obj: Order) -> Any:
        """What it waits for."""
        return admin_words.waiting(obj, _holds(obj)) or "–"

    @display(description=_("destination"))
    def shown_place(self, obj: Order) -> str:
        """Province and city in the reader's language."""
        return admin_words.destination(obj, zh=is_chinese())

    @display(description=_("total"), ordering="total")
    def shown_total(self, obj: Order) -> SafeString:
        """The amount with its currency."""
        return format_html('<span class="oh-n">{}</span>', admin_words.money(obj.total, obj.currency))

    @display(description=_("age"), ordering="received_at")
    def shown_age(self, obj: Order) -> SafeString:
        """Time since it came in."""
        return format_html('<span class="oh-n">{}</span>', admin_words.age(obj, clock.now()))

    @display(description=_("next"))
    def shown_next(self, obj: Order) -> Any:
        """What a person would do next, as a link to that verb."""
        verb, text = admin_words.next_action(obj, _holds(obj))
        if not verb:
            return "–"
        link = reverse(f"admin:orders_order_{verb}_one", args=(obj.pk,))
        return format_html('<a class="oh-link" href="{}">{}</a>', link, text)

    # ---- verbs ---------------------------------------------------------------------------------

    def has_hold_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this person may put orders on hold."""
        return request.user.has_perm(VERBS["hold"].permission)

    def has_release_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this person may release holds."""
        return request.user.has_perm(VERBS["release"].permission)

    def has_pay_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this person may note payments."""
        return request.user.has_perm(VERBS["pay"].permission)

    def has_merge_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this person may put orders together."""
        return request.user.has_perm(VERBS["merge"].permission)

    def has_reroute_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this person may re-route."""
        return request.user.has_perm(VERBS["reroute"].permission)

    def has_cancel_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this person may cancel."""
        return request.user.has_perm(VERBS["cancel"].permission)

    @button(description=VERBS["hold"].title, url_path="hold", icon="pause_circle", permissions=["hold"])
    def hold_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Put this order on hold."""
        return self.run_one(request, VERBS["hold"], object_id)

    @button(
        description=VERBS["release"].title, url_path="release", icon="play_circle", permissions=["release"],
        variant=ActionVariant.PRIMARY,
    )  # fmt: skip
    def release_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Release all holds of this order."""
        return self.run_one(request, VERBS["release"], object_id)

    @button(description=VERBS["pay"].title, url_path="pay", icon="payments", permissions=["pay"])
    def pay_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Note that this order is paid."""
        return self.run_one(request, VERBS["pay"], object_id)

    @button(description=VERBS["reroute"].title, url_path="reroute", icon="alt_route", permissions=["reroute"])
    def reroute_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Send this order back to routing."""
        return self.run_one(request, VERBS["reroute"], object_id)

    @button(
        description=VERBS["cancel"].title, url_path="cancel", icon="cancel", permissions=["cancel"],
        variant=ActionVariant.DANGER,
    )  # fmt: skip
    def cancel_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Cancel this order."""
        return self.run_one(request, VERBS["cancel"], object_id)

    def run_one(self, request: HttpRequest, verb: Verb, object_id: str) -> HttpResponse:
        """Ask first (GET), then do it (POST) and come back to the order."""
        order = self._order(request, object_id)
        if order is None:
            raise Http404
        back = reverse("admin:orders_order_change", args=(order.pk,))
        if request.method != "POST" and verb.name not in actions.of(order):
            messages.info(request, _("This cannot be done with the order as it stands now."))
            return HttpResponseRedirect(back)
        form = verb.form(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            self._do(request, verb, [order.pk], form.cleaned_data)
            return HttpResponseRedirect(back)
        return self._ask(
            request, verb, form, [order], back=back, preview=self._foretold(request, verb, order)
        )

    def _foretold(self, request: HttpRequest, verb: Verb, order: Order) -> preview_words.Page | None:
        """What the verb would do to this order, before anything is entered; None where it would be refused."""
        given = {"reason": Hold.Reason.MANUAL.value if verb.name == "hold" else ""}
        now, actor = clock.now(), actor_of(request)
        try:
            found = previewing.of(
                order.pk, lambda: deeds.do(verb.name, order.pk, given, actor=actor, now=now), now=now
            )
        except Refused:
            return None
        return preview_words.page(found)

    def run_bulk(self, request: HttpRequest, verb: Verb, queryset: QuerySet[Order]) -> HttpResponse | None:
        """Ask with number and effect, then do it; each refusal is named. At most 2,000 orders at once."""
        ids = list(queryset.order_by("pk").values_list("pk", flat=True)[: MOST + 1])
        if len(ids) > MOST:
            text = ngettext("At most %(count)d order at once.", "At most %(count)d orders at once.", MOST)
            messages.error(request, text % {"count": MOST})
            return None
        is_answer = "confirmed" in request.POST
        form = verb.form(request.POST if is_answer else None)
        if is_answer and form.is_valid():
            self._do(request, verb, ids, form.cleaned_data)
            return HttpResponseRedirect(request.get_full_path())
        shown = list(self.get_queryset(request).filter(pk__in=ids[:8]).order_by("pk"))
        return self._ask(request, verb, form, shown, ids=ids, back=request.get_full_path())

    def _do(self, request: HttpRequest, verb: Verb, ids: Sequence[int], given: dict[str, Any]) -> None:
        if not request.user.has_perm(verb.permission):
            raise PermissionDenied
        outcomes = verb.on(ids, given, actor=actor_of(request), now=clock.now())
        refused = [outcome.order_id for outcome in outcomes if outcome.refused is not None]
        numbers = (
            {order.pk: order.number for order in Order.objects.filter(pk__in=refused)} if refused else {}
        )
        tell(request, verb, outcomes, numbers)

    def _ask(
        self, request: HttpRequest, verb: Verb, form: Any, shown: Sequence[Order], *, back: str,
        ids: Sequence[int] = (), preview: preview_words.Page | None = None,
    ) -> HttpResponse:  # fmt: skip
        count = len(ids) or len(shown)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": verb.title,
            "button": verb.button,
            "is_final": verb.is_final,
            "form": form,
            "effect": verb.effect(count),
            "orders": shown,
            "more": count - len(shown),
            "ids": ids,
            "back": back,
            "preview": preview,
            "checkbox": ACTION_CHECKBOX_NAME,
            "action": f"{verb.name}_selected",
        }
        return TemplateResponse(request, "admin/orders/order/verb.html", context)
