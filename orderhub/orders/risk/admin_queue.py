"""The review queue, the block and trust lists, and the labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.db.models import Case, Count, Q, QuerySet, When
from django.db.models.functions import Coalesce, Least
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from orderhub.access.models import Merchant
from orderhub.inventory.admin import ask
from orderhub.inventory.admin_base import ReadOnlyAdmin, actor_of, button, is_chinese
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.orders import admin_words
from orderhub.orders.risk import admin_review, desk, history
from orderhub.orders.risk.models import Action, Assessment, Key, Label
from orderhub.templatetags.ui import pill

_EFFECTS: dict[str, Any] = {
    "release": _(
        "The orders go on their way. From the amount set in the policy on, a second person has to agree."
    ),
    "cancel": _("The orders are cancelled for good; the label says that a review did it."),
    "block": _(
        "The orders are cancelled, and every order with the same account, phone, device or address is held."
    ),
    "trust": _("The orders go on, and account and phone are on the trust list from now on."),
    "ask": _("The orders stay on hold while the customer is asked."),
}


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        label=_("Reason"), max_length=300, widget=forms.TextInput(attrs={"class": "oh-input"})
    )


def _verb(action: str) -> Callable[..., Any]:
    @admin.action(description=Action(action).label, permissions=["review"])
    def run(page: AssessmentAdmin, request: HttpRequest, queryset: QuerySet[Assessment]) -> HttpResponse:
        return page.decide(request, list(queryset.values_list("pk", flat=True)), action)

    run.__name__ = f"act_{action}"
    return run


@admin.register(Assessment)
class AssessmentAdmin(ReadOnlyAdmin):
    """Scored orders; those that wait come first, the most urgent on top."""

    list_display = (
        "shown_order",
        "shown_points",
        "shown_reasons",
        "shown_value",
        "state",
        "shown_due",
    )
    list_filter = (
        ("state", ChoicesDropdownFilter), ("band", ChoicesDropdownFilter), "is_shadow", ("merchant", RelatedDropdownFilter),
    )  # fmt: skip
    list_select_related = ("order", "merchant")
    list_display_links = ("shown_points",)
    search_fields = ("order__external_id__exact",)
    fields = ("shown_points", "state", "assessed_at")
    readonly_fields = fields
    change_form_template = "admin/risk/review.html"
    list_before_template = "admin/risk/queue_before.html"
    actions = [_verb(x) for x in ("release", "cancel", "block", "trust", "ask")]
    actions_detail = ("take_back", "confirm_fraud")

    def get_ordering(self, request: HttpRequest) -> Any:
        """What waits comes first, the least time left on top: until the review is due or the order is promised."""
        waits = Case(When(state__in=admin_review.OPEN, then=0), default=1)
        end = Least("due_at", Coalesce("order__promised_at", "due_at"))
        return [waits.asc(), Case(When(state__in=admin_review.OPEN, then=end)).asc(nulls_last=True), "-pk"]

    def get_urls(self) -> Any:
        """The page of a decision about one order, beside the admin's own."""
        own = path(
            "<int:object_id>/decide/<slug:action>/", self.admin_site.admin_view(self.decide_one), name="risk_assessment_decide"
        )  # fmt: skip
        return [own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list under what waits altogether."""
        waiting = self.get_queryset(request).filter(state__in=admin_review.OPEN)
        sums = waiting.aggregate(waiting=Count("pk"), late=Count("pk", filter=Q(due_at__lte=clock.now())))
        return super().changelist_view(request, {**(extra_context or {}), "queue": sums})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:  # fmt: skip
        """One review: why, the order, its kin side by side, what may be done."""
        rows = self.get_queryset(request).select_related("order__channel", "order__person", "merchant")
        row = rows.filter(pk=object_id).first() if object_id.isdecimal() else None
        if row is None or not self.has_view_permission(request, row):
            return super().change_view(request, object_id, form_url, extra_context)
        may_decide = self.has_review_permission(request)
        shown = admin_review.context(request, row, may_decide=may_decide, now=clock.now())
        titles = {"title": row.order.number, "subtitle": None}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown, **titles})

    def decide_one(self, request: HttpRequest, object_id: int, action: str) -> HttpResponse:
        """Ask for the reason, then decide this one order, and show it again."""
        row = self.get_queryset(request).filter(pk=object_id).first()
        if row is None or action not in Action.values:
            raise Http404
        if not self.has_review_permission(request):
            raise PermissionDenied
        back = reverse("admin:risk_assessment_change", args=(object_id,))
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            _tell(
                request,
                desk.decide([object_id], action, reason=reason, actor=actor_of(request), now=clock.now()),
            )
            return HttpResponseRedirect(back)
        label = Action(action).label
        return ask(
            self, request, title=f"{row.order.number}: {label}", effect=_EFFECTS[action], button=label, back=back, form=form
        )  # fmt: skip

    def has_review_permission(self, request: HttpRequest) -> bool:
        """Those who may decide."""
        return bool(request.user.has_perm("risk.add_review"))

    def has_take_back_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Those who may decide."""
        return self.has_review_permission(request)

    def decide(self, request: HttpRequest, ids: list[int], action: str) -> HttpResponse:
        """Ask for the reason, then decide each order and tell what became of it."""
        back = reverse("admin:risk_assessment_changelist")
        is_answer = request.POST.get("confirmed") == "1"
        form = ReasonForm(request.POST if is_answer else None)
        if is_answer and form.is_valid():
            try:
                outcomes = desk.decide(
                    ids, action, reason=form.cleaned_data["reason"], actor=actor_of(request), now=clock.now()
                )
            except Refused as no:
                messages.error(request, str(no))
                return HttpResponseRedirect(back)
            _tell(request, outcomes)
            return HttpResponseRedirect(back)
        return ask(
            self, request, title=Action(action).label, effect=_EFFECTS[action], button=Action(action).label, back=back,
            form=form, ids=ids, action=f"act_{action}",
        )  # fmt: skip

    @button(description=_("Take back…"), url_path="take-back", icon="undo", permissions=["take_back"])
    def take_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Undo the last decision within ten minutes."""
        back = reverse("admin:risk_assessment_change", args=(object_id,))
        form = ReasonForm(request.POST or None)
        if (
            request.method == "POST"
            and form.is_valid()
            and self.get_queryset(request).filter(pk=object_id).exists()
        ):
            try:
                reason = form.cleaned_data["reason"]
                desk.undo(int(object_id), reason=reason, actor=actor_of(request), now=clock.now())
                messages.success(request, _("The decision was taken back."))
            except Refused as no:
                messages.error(request, str(no))
            return HttpResponseRedirect(back)
        effect = _("A released order is held again if no warehouse has it; a listing is taken off.")
        return ask(
            self, request, title=_("Take back…"), effect=effect, button=_("Take back…"), back=back, form=form
        )

    @button(description=_("Label as fraud…"), url_path="fraud", icon="gpp_bad", permissions=["take_back"])
    def confirm_fraud(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Note that the order was fraud; reports learn from it."""
        back = reverse("admin:risk_assessment_change", args=(object_id,))
        form = ReasonForm(request.POST or None)
        if (
            request.method == "POST"
            and form.is_valid()
            and self.get_queryset(request).filter(pk=object_id).exists()
        ):
            history.label(
                [int(object_id)],
                "fraud",
                source=actor_of(request),
                note=form.cleaned_data["reason"],
                now=clock.now(),
            )
            messages.success(request, _("The order is labeled."))
            return HttpResponseRedirect(back)
        effect = _("The order counts as fraud in reports; nothing else happens to it.")
        return ask(
            self,
            request,
            title=_("Label as fraud…"),
            effect=effect,
            button=_("Label as fraud…"),
            back=back,
            form=form,
        )

    @display(description=_("order"), ordering="order_id")
    def shown_order(self, obj: Assessment) -> SafeString:
        """The order, linked."""
        link = reverse("admin:orders_order_change", args=(obj.order_id,))
        return format_html('<a class="oh-link" href="{}">{}</a>', link, obj.order.number)

    @display(description=_("score"), ordering="points")
    def shown_points(self, obj: Assessment) -> SafeString:
        """The score, colored by its band."""
        return pill(admin_review.TONES[obj.band], f"{obj.points} {obj.get_band_display()}")

    @display(description=_("reasons"))
    def shown_reasons(self, obj: Assessment) -> SafeString:
        """Every signal that fired, in the reader's language."""
        return _sentences(obj.fired)

    @display(description=_("shadow signals"))
    def shown_shadow(self, obj: Assessment) -> SafeString:
        """What signals in shadow said."""
        return _sentences(obj.shadow)

    @display(description=_("Order value"), ordering="order__total")
    def shown_value(self, obj: Assessment) -> str:
        """What the order is worth."""
        return admin_words.money(obj.order.total, obj.order.currency)

    @display(description=_("time left"), ordering="due_at")
    def shown_due(self, obj: Assessment) -> SafeString | str:
        """Until the review is due, or how late it is, in color once it is late."""
        now = clock.now()
        text = admin_review.time_left(obj, now=now)
        is_late = obj.state in admin_review.OPEN and obj.due_at is not None and obj.due_at <= now
        return pill("bad", text) if is_late else text


def _sentences(fired: list[dict[str, Any]]) -> SafeString:
    found = [(x["zh"] if is_chinese() else x["en"], x["counted"]) for x in fired]
    return (
        format_html_join("", "<div>{} <span class='oh-muted'>{}</span></div>", found)
        if found
        else SafeString("–")
    )


def _tell(request: HttpRequest, outcomes: list[desk.Decided]) -> None:
    done = sum(x.done for x in outcomes)
    if done:
        text = ngettext("%(count)d order decided.", "%(count)d orders decided.", done)
        messages.success(request, text % {"count": done})
    waiting = sum(not x.done and x.refused is None for x in outcomes)
    if waiting:
        text = ngettext(
            "%(count)d order waits for a second person.",
            "%(count)d orders wait for a second person.",
            waiting,
        )
        messages.info(request, text % {"count": waiting})
    for no in {str(x.refused) for x in outcomes if x.refused is not None}:
        messages.error(request, no)


class KeyForm(forms.Form):
    """A value for one of the lists."""

    merchant = forms.ModelChoiceField(label=_("merchant"), queryset=Merchant.objects.none())
    kind = forms.ChoiceField(
        label=_("kind"), choices=[(kind, Key.Kind(kind).label) for kind in desk.LISTABLE if kind != "address"]
    )
    value = forms.CharField(
        label=_("value"), max_length=200, widget=forms.TextInput(attrs={"class": "oh-input"})
    )
    listed = forms.ChoiceField(label=_("list"), choices=Key.Listed.choices)
    reason = forms.CharField(
        label=_("Reason"), max_length=200, widget=forms.TextInput(attrs={"class": "oh-input"})
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = {"pk": user.merchant_id} if user.merchant_id is not None else {}
        self.fields["merchant"].queryset = Merchant.objects.filter(**own)  # type: ignore[attr-defined]


@admin.register(Key)
class KeyAdmin(ReadOnlyAdmin):
    """What orders share, as fingerprints; the block and trust lists."""

    list_display = ("kind", "hint", "listed", "listed_reason", "listed_by", "listed_at", "last_at")
    list_filter = (
        ("listed", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("merchant", RelatedDropdownFilter),
    )
    list_select_related = ("merchant",)
    fields = ("merchant", *list_display)
    readonly_fields = fields
    ordering = ("-last_at",)
    actions = ("unlist",)
    actions_list = ("enlist",)

    def has_enlist_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Staff of one merchant who may decide about orders: a list belongs to a merchant."""
        return bool(request.user.has_perm("risk.add_review"))

    @button(description=_("Add to a list…"), url_path="enlist", icon="playlist_add", permissions=["enlist"])
    def enlist(self, request: HttpRequest) -> HttpResponse:
        """Put an account, phone or device on a list by its value, which is not kept."""
        back = reverse("admin:risk_key_changelist")
        form = KeyForm(request.POST or None, user=request.user)
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            held = desk.put_on_list(
                given["merchant"].pk, given["kind"], given["value"], given["listed"], reason=given["reason"],
                actor=actor_of(request), now=clock.now(),
            )  # fmt: skip
            text = ngettext(
                "Listed; %(count)d waiting order is held.", "Listed; %(count)d waiting orders are held.", held
            )
            messages.success(request, text % {"count": held})
            return HttpResponseRedirect(back)
        effect = _("Orders with a blocked value are held at once, those that wait now included.")
        return ask(
            self,
            request,
            title=_("Add to a list…"),
            effect=effect,
            button=_("Add to a list…"),
            back=back,
            form=form,
        )

    def has_unlist_permission(self, request: HttpRequest) -> bool:
        """Those who may decide about orders."""
        return bool(request.user.has_perm("risk.add_review"))

    @admin.action(description=_("Take off the lists"), permissions=["unlist"])
    def unlist(self, request: HttpRequest, queryset: QuerySet[Key]) -> None:
        """These are on no list any more; orders they hold stay on hold until somebody decides."""
        count = queryset.exclude(listed="").update(
            listed="", listed_by=actor_of(request)[:80], listed_at=clock.now(), listed_reason=""
        )
        messages.success(
            request, ngettext("%(count)d taken off.", "%(count)d taken off.", count) % {"count": count}
        )


@admin.register(Label)
class LabelAdmin(ReadOnlyAdmin):
    """What turned out to be true."""

    merchant_path = "order__merchant"
    list_display = ("shown_order", "kind", "source", "note", "labeled_at")
    list_display_links = ("kind",)
    list_filter = (("kind", ChoicesDropdownFilter),)
    list_select_related = ("order",)
    fields = list_display
    readonly_fields = fields
    ordering = ("-pk",)

    @display(description=_("order"), ordering="order_id")
    def shown_order(self, obj: Label) -> SafeString:
        """The order, linked."""
        link = reverse("admin:orders_order_change", args=(obj.order_id,))
        return format_html('<a class="oh-link" href="{}">{}</a>', link, obj.order.number)
