"""Stock reports for operators: what a warehouse says it has, what we believed, and what a person makes of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import display
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter, RelatedDropdownFilter

from orderhub.fulfillment import shortages
from orderhub.inventory import reports
from orderhub.inventory.admin import ask
from orderhub.inventory.admin_base import ReadOnlyAdmin, actor_of, button, named
from orderhub.inventory.models import StockReport, StockReportLine
from orderhub.kernel import clock
from orderhub.templatetags.ui import pill

State = StockReportLine.State
TONES = {
    State.SAME: "ok", State.BOOKED: "ok", State.WAITING: "warn", State.DISMISSED: "wait", State.OUTDATED: "wait",
    State.REFUSED: "bad",
}  # fmt: skip
_MOST = 500


@admin.register(StockReport)
class StockReportAdmin(ReadOnlyAdmin):
    """Reports as they came; each leads to its lines."""

    list_display = (
        "received_at", "shown_warehouse", "kind", "reported_at", "shown_lines", "shown_waiting", "shown_refused", "key",
    )  # fmt: skip
    list_filter = (
        ("warehouse", RelatedDropdownFilter), ("kind", ChoicesDropdownFilter), ("reported_at", RangeDateTimeFilter),
        ("merchant", RelatedDropdownFilter),
    )  # fmt: skip
    list_select_related = ("warehouse",)
    search_fields = ("key__exact",)
    ordering = ("-pk",)
    fields = (("shown_warehouse", "kind", "key"), ("reported_at", "received_at", "actor"), "shown_link")
    readonly_fields = (
        "shown_warehouse", "kind", "key", "reported_at", "received_at", "actor", "shown_link",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the number of lines."""
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(
            lines_count=Count("lines"), waiting_count=Count("lines", filter=Q(lines__state=State.WAITING)),
            refused_count=Count("lines", filter=Q(lines__state=State.REFUSED)),
        )  # fmt: skip
        return counted

    @display(description=_("warehouse"), ordering="warehouse__code")
    def shown_warehouse(self, obj: StockReport) -> str:
        """The warehouse in the reader's language."""
        return named(obj.warehouse)

    @display(description=_("lines"))
    def shown_lines(self, obj: Any) -> SafeString:
        """How many, with the way there."""
        link = f"{reverse('admin:inventory_stockreportline_changelist')}?report__id__exact={obj.pk}"
        return format_html('<a class="oh-link" href="{}">{}</a>', link, obj.lines_count)

    @display(description=_("needs a person"))
    def shown_waiting(self, obj: Any) -> SafeString:
        """How many differences wait."""
        return pill("warn", str(obj.waiting_count)) if obj.waiting_count else pill("ok", "0")

    @display(description=_("unknown SKU"))
    def shown_refused(self, obj: Any) -> SafeString:
        """How many lines name a SKU we do not have."""
        return pill("bad", str(obj.refused_count)) if obj.refused_count else pill("ok", "0")

    @display(description=_("lines"))
    def shown_link(self, obj: Any) -> SafeString:
        """The way to the lines."""
        link = f"{reverse('admin:inventory_stockreportline_changelist')}?report__id__exact={obj.pk}"
        return format_html('<a class="oh-link" href="{}">{}</a>', link, _("All lines with their differences"))


class BookForm(forms.Form):
    """Why the stock is different."""

    reason = forms.ChoiceField(
        label=_("Reason"), choices=StockReportLine.Reason.choices, widget=forms.Select(attrs={"class": "oh-input"})
    )  # fmt: skip
    note = forms.CharField(
        label=_("Note"), max_length=200, required=False, widget=forms.TextInput(attrs={"class": "oh-input"})
    )


class DismissForm(forms.Form):
    """Why the stock stays as it is."""

    note = forms.CharField(
        label=_("Note"), max_length=200, widget=forms.TextInput(attrs={"class": "oh-input"})
    )


@admin.register(StockReportLine)
class StockReportLineAdmin(ReadOnlyAdmin):
    """Differences: booked by themselves below the warehouse's tolerance, else by a person."""

    list_display = (
        "shown_sku", "shown_warehouse", "reported", "expected", "shown_difference", "shown_state", "reason", "short",
        "reported_at", "decided_by",
    )  # fmt: skip
    list_filter = (
        ("state", ChoicesDropdownFilter), ("warehouse", RelatedDropdownFilter), ("reason", ChoicesDropdownFilter),
        ("report", RelatedDropdownFilter), ("reported_at", RangeDateTimeFilter),
    )  # fmt: skip
    list_select_related = ("warehouse", "sku", "report")
    search_fields = ("code__exact",)
    ordering = ("-pk",)
    fields = (
        ("shown_sku", "shown_warehouse", "shown_state"), ("reported", "expected", "shown_difference"),
        ("booked", "short", "reason"), ("reported_at", "decided_by", "decided_at"), "note", "shown_proposals",
    )  # fmt: skip
    readonly_fields = (
        "shown_sku", "shown_warehouse", "shown_state", "reported", "expected", "shown_difference", "booked", "short",
        "reason", "reported_at", "decided_by", "decided_at", "note", "shown_proposals",
    )  # fmt: skip
    actions = ("book", "dismiss", "try_again")
    actions_detail = ("book_one", "reroute_one", "dismiss_one", "try_again_one")

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Those who may change what reports led to."""
        return bool(request.user.has_perm("inventory.change_stockreportline"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only the buttons that do something with this line."""
        found = self.get_queryset(request).filter(pk=object_id).values_list("state", "short").first()
        state, short = found or ("", 0)
        wanted = {"try_again_one"} if state == State.REFUSED else set()
        if state == State.WAITING:
            wanted = {"book_one", "dismiss_one"} | ({"reroute_one"} if short else set())
        names = {f"inventory_stockreportline_{name}" for name in wanted}
        return [one for one in super().get_actions_detail(request, object_id) if one.action_name in names]

    # ---- columns ---------------------------------------------------------------------------------

    @display(description=_("SKU"), ordering="code")
    def shown_sku(self, obj: StockReportLine) -> str:
        """Code, and name where we have it."""
        return f"{obj.code} {named(obj.sku)}" if obj.sku else obj.code

    @display(description=_("warehouse"), ordering="warehouse__code")
    def shown_warehouse(self, obj: StockReportLine) -> str:
        """The warehouse in the reader's language."""
        return named(obj.warehouse)

    @display(description=_("difference"), ordering="difference")
    def shown_difference(self, obj: StockReportLine) -> SafeString:
        """With its sign."""
        return format_html('<span class="oh-n">{}</span>', f"{obj.difference:+d}" if obj.difference else "0")

    @display(description=_("state"), ordering="state")
    def shown_state(self, obj: StockReportLine) -> SafeString:
        """In color."""
        return pill(TONES[State(obj.state)], obj.get_state_display())

    @display(description=_("To serve from elsewhere"))
    def shown_proposals(self, obj: StockReportLine) -> Any:
        """Fulfillment orders that hold units which are not there."""
        found = shortages.propose(obj)
        if not found:
            return "–"
        about = _("%(units)d units promised to orders are not there. Proposed, what nobody has begun to pick first:") % {
            "units": obj.short
        }  # fmt: skip
        rows = format_html_join(
            "", '<li><a class="oh-link" href="{}">{}</a> {} · {} × {}</li>',
            (
                (reverse("admin:orders_order_change", args=(x.order_id,)), x.order_number, x.number, x.state, x.units)
                for x in found
            ),
        )  # fmt: skip
        return format_html("<p>{}</p><ul>{}</ul>", about, rows)

    # ---- many at once ----------------------------------------------------------------------------

    @admin.action(description=_("Book the differences…"), permissions=["decide"])
    def book(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Ask for the reason, then book what waits among the chosen."""
        return self._many(request, queryset, "book")

    @admin.action(description=_("Dismiss the differences…"), permissions=["decide"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Ask for a note, then leave the stock as it is."""
        return self._many(request, queryset, "dismiss")

    @admin.action(description=_("Try unknown SKUs again"), permissions=["decide"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Judge refused lines whose SKU exists by now."""
        self._retry(request, list(queryset.values_list("pk", flat=True)[:_MOST]))

    # ---- one -------------------------------------------------------------------------------------

    @button(description=_("Book…"), url_path="book", icon="check_circle", permissions=["decide"])
    def book_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Book this one for a reason."""
        return self._one(request, object_id, "book")

    @button(description=_("Re-route and book…"), url_path="reroute", icon="alt_route", permissions=["decide"])
    def reroute_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Serve the proposed orders from elsewhere, then book what that makes free."""
        return self._one(request, object_id, "reroute")

    @button(description=_("Dismiss…"), url_path="dismiss", icon="cancel", permissions=["decide"])
    def dismiss_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Leave the stock as it is, with a note."""
        return self._one(request, object_id, "dismiss")

    @button(description=_("Try again"), url_path="again", icon="refresh", permissions=["decide"])
    def try_again_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Judge this line again."""
        row = self._row(request, object_id)
        back = reverse("admin:inventory_stockreportline_change", args=(row.pk,))
        if request.method == "POST":
            self._retry(request, [row.pk])
            return HttpResponseRedirect(back)
        effect = _(
            "Once the SKU exists, the line is compared with what was on hand at the moment of the report."
        )
        return ask(
            self,
            request,
            title=f"{_('Try again')}: {row.code}",
            effect=effect,
            button=_("Try again"),
            back=back,
        )

    # ---- doing it --------------------------------------------------------------------------------

    def _row(self, request: HttpRequest, object_id: str) -> StockReportLine:
        row = self.get_queryset(request).filter(pk=object_id).first()
        if row is None:
            raise Http404
        found: StockReportLine = row
        return found

    def _one(self, request: HttpRequest, object_id: str, verb: str) -> HttpResponse:
        row = self._row(request, object_id)
        back = reverse("admin:inventory_stockreportline_change", args=(row.pk,))
        is_answer = request.method == "POST"
        form = _form(verb, request.POST if is_answer else None, reason=row.reason)
        if is_answer and form.is_valid():
            self._do(request, verb, [row.pk], form.cleaned_data)
            return HttpResponseRedirect(back)
        title = f"{_LABELS[verb]}: {row.code} {row.difference - row.booked:+d}"
        return ask(
            self, request, title=title, effect=_EFFECTS[verb], button=_LABELS[verb], back=back, form=form
        )

    def _many(self, request: HttpRequest, queryset: QuerySet[Any], verb: str) -> HttpResponse | None:
        waiting = queryset.filter(state=State.WAITING)
        ids = list(waiting.order_by("pk").values_list("pk", flat=True)[: _MOST + 1])
        if not ids or len(ids) > _MOST:
            text = _("Choose differences that need a person, at most %(count)d at once.") % {"count": _MOST}
            messages.error(request, text)
            return None
        is_answer = "confirmed" in request.POST
        form = _form(verb, request.POST if is_answer else None)
        if is_answer and form.is_valid():
            self._do(request, verb, ids, form.cleaned_data)
            return HttpResponseRedirect(request.get_full_path())
        return ask(
            self, request, title=_LABELS[verb], effect=_EFFECTS[verb], button=_LABELS[verb],
            back=request.get_full_path(), form=form, ids=ids, action=verb,
        )  # fmt: skip

    def _do(self, request: HttpRequest, verb: str, ids: Collection[int], given: dict[str, Any]) -> None:
        actor, now, note = actor_of(request), clock.now(), given["note"]
        if verb == "dismiss":
            done = reports.dismiss(ids, note=note, actor=actor, now=now)
            text = ngettext("%(count)d difference dismissed.", "%(count)d differences dismissed.", len(done))
            messages.success(request, text % {"count": len(done)})
            return
        if verb == "reroute":
            [row] = StockReportLine.objects.filter(pk__in=ids)
            outcomes, after = shortages.reroute_and_book(
                row, reason=given["reason"], note=note, actor=actor, now=now
            )
            done = [after]
            moved = sum(1 for outcome in outcomes if outcome.done)
            text = ngettext(
                "%(count)d order sent back to routing.", "%(count)d orders sent back to routing.", moved
            )
            messages.success(request, text % {"count": moved})
        else:
            done = reports.book(ids, reason=given["reason"], note=note, actor=actor, now=now)
        _tell_booked(request, done)

    def _retry(self, request: HttpRequest, ids: Collection[int]) -> None:
        done = reports.replay(ids, actor=actor_of(request), now=clock.now())
        text = ngettext("%(count)d line taken after all.", "%(count)d lines taken after all.", len(done))
        (messages.success if done else messages.info)(request, text % {"count": len(done)})


_LABELS: dict[str, Any] = {
    "book": _("Book"), "dismiss": _("Dismiss"), "reroute": _("Re-route and book"),
}  # fmt: skip
_EFFECTS: dict[str, Any] = {
    "book": _(
        "What is on hand changes by the difference, what moved since the report included. Units promised to orders are "
        "never taken away: what is missing for them stays here, with the orders to serve from elsewhere."
    ),
    "dismiss": _("The stock stays as it is. The note is kept with the difference."),
    "reroute": _(
        "The proposed orders go back to routing; warehouses that have them already are asked to give them back. What "
        "that makes free at once is booked with it."
    ),
}


def _form(verb: str, data: Any, *, reason: str = "") -> forms.Form:
    if verb == "dismiss":
        return DismissForm(data)
    return BookForm(data, initial={"reason": reason} if reason else None)


def _tell_booked(request: HttpRequest, done: Collection[StockReportLine]) -> None:
    booked = sum(1 for row in done if row.state == State.BOOKED)
    text = ngettext("%(count)d difference booked.", "%(count)d differences booked.", booked)
    messages.success(request, text % {"count": booked})
    for row in done:
        if row.short:
            text = _("%(sku)s: %(units)d units promised to orders are not there. See which orders to re-route.") % {
                "sku": row.code, "units": row.short,
            }  # fmt: skip
            messages.warning(request, text)
