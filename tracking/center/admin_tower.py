"""The control tower: what needs a person now, by consequence, with ageing, groups and actions for many at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter, display
from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from orderhub.access.models import User
from orderhub.fulfillment import services as fulfillment
from orderhub.inventory.admin import ask
from orderhub.inventory.admin_base import ReadOnlyAdmin, actor_of, is_chinese, named
from orderhub.kernel import clock
from orderhub.templatetags.ui import pill
from tracking.center import alerts
from tracking.center import book as books
from tracking.center.models import Alert, StallRule

#: From so many alerts of one group on they are told as one.
GROUP_FROM = 5
PUT_OFF_HOURS = 4


class OpenFilter(SimpleListFilter):
    """What needs somebody now, unless everything is asked for."""

    title = _("which")
    parameter_name = "which"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Now is what stands without a word."""
        return [
            ("mine", _("taken by me")),
            ("off", _("put off")),
            ("cleared", _("cleared")),
            ("all", _("all")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Alert]) -> QuerySet[Alert]:
        """Open alerts that nobody put off."""
        now, value = clock.now(), self.value()
        if value == "all":
            return queryset
        if value == "cleared":
            return queryset.filter(cleared_at__isnull=False)
        rows = queryset.filter(cleared_at__isnull=True)
        if value == "mine":
            return rows.filter(owner_id=request.user.pk)
        off = Q(snoozed_until__gt=now)
        return rows.filter(off) if value == "off" else rows.exclude(off)


class NoteForm(forms.Form):
    """What was done, or is to be done."""

    note = forms.CharField(
        label=_("Note"), max_length=300, required=False, widget=forms.TextInput(attrs={"class": "oh-input"})
    )


class ReasonForm(forms.Form):
    """Why; it is needed."""

    note = forms.CharField(
        label=_("Reason"), max_length=300, widget=forms.TextInput(attrs={"class": "oh-input"})
    )


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    """Open alerts, the worst consequence first."""

    list_display = (
        "shown_what", "shown_order", "shown_stands", "shown_age", "shown_value", "shown_deed", "shown_owner",
    )  # fmt: skip
    list_display_links = ("shown_what",)
    list_filter = (
        OpenFilter, ("severity", ChoicesDropdownFilter), ("rule", RelatedDropdownFilter), ("merchant", RelatedDropdownFilter),
    )  # fmt: skip
    list_select_related = ("order__channel", "rule", "standing__parcel", "owner", "merchant")
    list_before_template = "admin/center/tower_before.html"
    search_fields = ("order__external_id__exact", "standing__parcel__tracking_number__exact", "group")
    ordering = ("-consequence", "since_at")
    actions = ("take_them", "put_off", "reroute", "settle")
    fields = (
        "shown_what", "shown_order", "shown_stands", "shown_age", "shown_value", "shown_deed", "since_at", "due_at",
        "opened_at", "escalated_at", "shown_owner", "note", "snoozed_until", "cleared_at", "cause",
    )  # fmt: skip
    readonly_fields = fields

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list under the sums and the groups."""
        now = clock.now()
        rows = OpenFilter(request, {}, Alert, self).queryset(request, self.get_queryset(request))
        sums = rows.aggregate(
            count=Count("pk"), critical=Count("pk", filter=Q(severity="critical")),
            untaken=Count("pk", filter=Q(owner__isnull=True)), escalated=Count("pk", filter=Q(escalated_at__isnull=False)),
            old=Count("pk", filter=Q(opened_at__lte=now - timedelta(hours=24))),
        )  # fmt: skip
        tower = {"sums": sums, "groups": self._groups(rows), "clears": self._cleared(request, now)}
        return super().changelist_view(request, {**(extra_context or {}), "tower": tower})

    def _groups(self, rows: QuerySet[Alert]) -> list[dict[str, Any]]:
        found = rows.values("group").annotate(
            count=Count("pk"), worst=Max("consequence"), one_rule=Max("rule")
        )
        groups = list(found.filter(count__gte=GROUP_FROM).order_by("-count")[:6])
        rules = StallRule.objects.in_bulk({one["one_rule"] for one in groups})
        link = reverse("admin:center_alert_changelist")
        return [
            {
                "place": one["group"].partition("|")[2] or "–", "count": one["count"], "name": named(rules[one["one_rule"]]),
                "link": f"{link}?q={one['group'].partition('|')[2]}&rule__id__exact={one['one_rule']}",
            }
            for one in groups
        ]  # fmt: skip

    def _cleared(self, request: HttpRequest, now: datetime) -> int:
        since = now - timedelta(hours=24)
        return int(self.get_queryset(request).filter(cleared_at__gt=since).exclude(cause="person").count())

    # ---- columns --------------------------------------------------------------------------------

    @display(description=_("what"), ordering="rule")
    def shown_what(self, row: Alert) -> SafeString:
        """The rule, colored by severity."""
        return pill(alerts.TONES[row.severity], named(row.rule))

    @display(description=_("order"), ordering="order_id")
    def shown_order(self, row: Alert) -> SafeString:
        """The order, and the parcel where one is meant."""
        link = reverse("admin:orders_order_change", args=(row.order_id,))
        parcel = row.standing.parcel
        number = parcel.tracking_number if parcel is not None else row.standing.subject.partition(":")[2]
        return format_html('<a class="oh-link" href="{}">{}</a> <span class="oh-muted oh-s12">{}</span>', link,
                           row.order.number, number)  # fmt: skip

    @display(description=_("stands at"))
    def shown_stands(self, row: Alert) -> str:
        """The last thing that happened, and where."""
        book = books.glance(row.merchant_id)
        said = book.sentence(
            row.milestone, facts={"place": row.standing.place}, language="zh-hans" if is_chinese() else "en",
            audience="operator",
        )  # fmt: skip
        words = {"RELEASED": _("sent to the warehouse"), "REROUTED": _("looks for a warehouse again")}
        return str(words.get(row.milestone, said))

    @display(description=_("for how long"), ordering="since_at")
    def shown_age(self, row: Alert) -> str:
        """Since the last news, and how far past the limit."""
        end = row.cleared_at or clock.now()
        return f"{_span(end - row.since_at)} (+{_span(end - row.due_at)})"

    @display(description=_("order value"), ordering="-consequence")
    def shown_value(self, row: Alert) -> str:
        """What the order is worth."""
        return f"{row.order.total:,.2f} {row.order.currency}"

    @display(description=_("suggested action"))
    def shown_deed(self, row: Alert) -> str:
        """What usually helps."""
        return str(row.rule.get_deed_display())

    @display(description=_("taken by"))
    def shown_owner(self, row: Alert) -> str:
        """Who looks after it, and the note."""
        who = row.owner.get_username() if row.owner is not None else "–"
        return f"{who}: {row.note}" if row.note else who

    # ---- actions --------------------------------------------------------------------------------

    def has_work_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Those who may change alerts work them off."""
        return bool(request.user.has_perm("center.change_alert"))

    def has_reroute_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Those who may change orders."""
        return self.has_work_permission(request) and bool(request.user.has_perm("orders.change_order"))

    @admin.action(description=_("I look after these…"), permissions=["work"])
    def take_them(self, request: HttpRequest, queryset: QuerySet[Alert]) -> HttpResponse:
        """They carry my name, and escalate no more."""
        effect = _("They carry your name and escalate no more; the next news closes them by itself.")
        return self._asked(
            request, queryset, "take_them", NoteForm, _("I look after these…"), effect, self._take
        )

    @admin.action(description=_("Put off for four hours…"), permissions=["work"])
    def put_off(self, request: HttpRequest, queryset: QuerySet[Alert]) -> HttpResponse:
        """Out of sight for a while."""
        effect = _("They are out of sight for four hours; the next news closes them by itself.")
        return self._asked(
            request, queryset, "put_off", NoteForm, _("Put off for four hours…"), effect, self._put_off
        )

    @admin.action(description=_("Send from another warehouse…"), permissions=["reroute"])
    def reroute(self, request: HttpRequest, queryset: QuerySet[Alert]) -> HttpResponse:
        """What has not shipped goes back to routing."""
        effect = _(
            "What has not shipped goes back to routing; warehouses that have it are asked to give it back."
        )
        return self._asked(
            request, queryset, "reroute", ReasonForm, _("Send from another warehouse…"), effect, self._reroute
        )

    @admin.action(description=_("Settled…"), permissions=["work"])
    def settle(self, request: HttpRequest, queryset: QuerySet[Alert]) -> HttpResponse:
        """A person settled it."""
        effect = _("The alert is closed with your reason. It opens again only after other news.")
        return self._asked(request, queryset, "settle", ReasonForm, _("Settled…"), effect, self._settle)

    def _asked(
        self,
        request: HttpRequest,
        queryset: QuerySet[Alert],
        name: str,
        form_class: Any,
        title: Any,
        effect: Any,
        deed: Any,
    ) -> HttpResponse:
        ids = list(queryset.values_list("pk", flat=True))
        is_answer = request.POST.get("confirmed") == "1"
        form = form_class(request.POST if is_answer else None)
        back = reverse("admin:center_alert_changelist")
        if is_answer and form.is_valid():
            deed(request, ids, form.cleaned_data["note"])
            return HttpResponseRedirect(back)
        return ask(
            self,
            request,
            title=title,
            effect=effect,
            button=title,
            back=back,
            form=form,
            ids=ids,
            action=name,
        )

    def _take(self, request: HttpRequest, ids: list[int], note: str) -> None:
        _done(request, alerts.take(ids, user=_person(request), note=note, now=clock.now()))

    def _put_off(self, request: HttpRequest, ids: list[int], note: str) -> None:
        now = clock.now()
        _done(request, alerts.put_off(ids, until=now + timedelta(hours=PUT_OFF_HOURS), note=note, now=now))

    def _settle(self, request: HttpRequest, ids: list[int], note: str) -> None:
        _done(request, alerts.settle(ids, note=note, user=_person(request), now=clock.now()))

    def _reroute(self, request: HttpRequest, ids: list[int], note: str) -> None:
        rows = self.get_queryset(request).filter(pk__in=ids, cleared_at__isnull=True)
        orders = sorted(set(rows.values_list("order_id", flat=True)))
        outcomes = fulfillment.reroute(orders, reason=note, actor=actor_of(request), now=clock.now())
        refused = [one for one in outcomes if one.refused is not None]
        alerts.take(ids, user=_person(request), note=note, now=clock.now())
        _done(request, len(outcomes) - len(refused))
        if refused:
            text = ngettext(
                "%(count)d order has shipped already.", "%(count)d orders have shipped already.", len(refused)
            )
            messages.warning(request, text % {"count": len(refused)})


def _person(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _done(request: HttpRequest, count: int) -> None:
    text = ngettext("Done for %(count)d alert.", "Done for %(count)d alerts.", count)
    messages.success(request, text % {"count": count})


def _span(span: timedelta) -> str:
    hours = max(0, int(span.total_seconds() // 3600))
    return f"{hours // 24} d {hours % 24} h" if hours >= 24 else f"{hours} h"
