"""Operators' pages of periods and recalculations: close, reopen, compare, adopt, and read what was restated and why."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, F, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _

from carbon import kinds
from carbon.models import CalculationRun, FactorSet, Period, Recompute
from carbon.restating import checking, periods, work
from carbon.restating.dates import month_of
from orderhub.access.models import Merchant
from orderhub.events import log
from orderhub.inventory.admin import ask
from orderhub.inventory.admin_base import ReadOnlyAdmin, actor_of, button
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.templatetags.ui import pill

INPUT = {"class": "oh-input"}
TONES = {"queued": "wait", "running": "go", "paused": "hold", "done": "ok", "stopped": "warn"}
CAUSE_WORDS = {
    "activity": _("facts that came or were corrected"),
    "factor": _("other factors"),
    "method": _("other method"),
    "boundary": _("other boundary"),
}
MOST_ROWS = 100
QUANTUM = Decimal("0.000001")


def merchants_of(request: HttpRequest) -> Any:
    """The merchants whose ledger this person looks after."""
    merchant_id = getattr(request.user, "merchant_id", None)
    rows = Merchant.objects.order_by("pk")
    return rows if merchant_id is None else rows.filter(pk=merchant_id)


def _day(**options: Any) -> forms.DateField:
    return forms.DateField(widget=forms.DateInput(attrs={**INPUT, "type": "date"}), **options)


class _MerchantForm(forms.Form):
    merchant = forms.ModelChoiceField(
        Merchant.objects.none(), label=_("merchant"), empty_label=None, widget=forms.Select(attrs=INPUT)
    )

    def __init__(self, *args: Any, merchants: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen: Any = self.fields["merchant"]
        chosen.queryset, chosen.initial = merchants, merchants.first()


class MonthForm(_MerchantForm):
    """Which month is closed."""

    month = _day(label=_("a day of the month"))


class ReasonForm(forms.Form):
    """Why a period is reopened."""

    reason = forms.CharField(label=_("reason"), max_length=240, widget=forms.TextInput(attrs=INPUT))


class AskForm(_MerchantForm):
    """Which span is calculated again, and on which factors."""

    factor_set = forms.ModelChoiceField(
        FactorSet.objects.exclude(status="retired").order_by("-imported_at"), label=_("factor set"),
        widget=forms.Select(attrs=INPUT),
    )  # fmt: skip
    since = _day(label=_("from"))
    until = _day(label=_("to"))
    cause = forms.ChoiceField(
        label=_("cause"), choices=Recompute.Cause.choices, widget=forms.Select(attrs=INPUT),
        help_text=_("A figure that falls because the publisher counts otherwise is no reduction."),
    )  # fmt: skip
    is_adopted = forms.BooleanField(
        label=_("write to the ledger"), required=False,
        help_text=_("Each figure is taken back and posted anew. Otherwise the figures are only compared."),
    )  # fmt: skip


@admin.register(Period)
class PeriodAdmin(ReadOnlyAdmin):
    """Closed months with the root of their entries."""

    list_display = ("__str__", "merchant", "shown_state", "entries", "closed_by", "closed_at", "reason")
    list_select_related = ("merchant",)
    ordering = ("-month", "-number")
    actions_list = ("close", "examine")

    @admin.display(description=_("state"))
    def shown_state(self, obj: Period) -> Any:
        """Closed or reopened."""
        return pill("hold", str(_("reopened"))) if obj.reopened_at else pill("ok", str(_("closed")))

    def has_steer_permission(self, request: HttpRequest) -> bool:
        """Whoever may close periods."""
        return request.user.has_perm("carbon.add_period")

    def get_urls(self) -> list[Any]:
        """Reopening."""
        reopen = self.admin_site.admin_view(self.reopen)
        return [path("<int:pk>/reopen/", reopen, name="carbon_period_reopen"), *super().get_urls()]

    @button(description=_("Close a month"), url_path="close", icon="lock", permissions=["steer"])
    def close(self, request: HttpRequest) -> HttpResponse:
        """Ask which, then write its figures down."""
        first = month_of(clock.now().date())[0]
        form = MonthForm(
            request.POST or None, merchants=merchants_of(request), initial={"month": _month_before(first)}
        )
        back = reverse("admin:carbon_period_changelist")
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    made = periods.close(
                        form.cleaned_data["merchant"], form.cleaned_data["month"], actor=actor_of(request),
                        now=clock.now(),
                    )  # fmt: skip
                    payload = {"month": made.month.isoformat(), "number": made.number, "root": made.root_hash}
                    _tell(made, kinds.PERIOD_CLOSED.name, payload, request)
            except Refused as refused:
                form.add_error(refused.field or None, str(refused))
            else:
                messages.success(request, _("The month is closed; its figures no longer change."))
                return HttpResponseRedirect(reverse("admin:carbon_period_change", args=[made.pk]))
        effect = _(
            "Its figures and the root hash of its entries are kept. Whatever is posted later is shown apart, by cause."
        )
        return ask(
            self, request, title=_("Close a month"), effect=effect, button=_("Close"), back=back, form=form
        )

    def reopen(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for the reason, then let the month change again."""
        found = self.get_object(request, str(pk))
        if found is None:
            raise Http404
        if not self.has_steer_permission(request):
            raise PermissionDenied
        form = ReasonForm(request.POST or None)
        back = reverse("admin:carbon_period_change", args=[pk])
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            try:
                with transaction.atomic():
                    periods.reopen(found, reason=reason, actor=actor_of(request), now=clock.now())
                    payload = {"month": found.month.isoformat(), "number": found.number, "reason": reason}
                    _tell(found, kinds.PERIOD_REOPENED.name, payload, request)
            except Refused as refused:
                form.add_error(None, str(refused))
            else:
                messages.success(request, _("The month is open again; what was reported is kept."))
                return HttpResponseRedirect(back)
        effect = _("The figures that were reported stay here beside the new ones.")
        return ask(
            self, request, title=_("Reopen %(month)s") % {"month": found}, effect=effect, button=_("Reopen"),
            back=back, form=form,
        )  # fmt: skip

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """What was reported, and each cause's part of what it would be now."""
        obj = self.get_object(request, object_id)
        if obj is None or not self.has_view_permission(request, obj):
            raise Http404
        told = [periods.restatement(obj, basis) for basis in CalculationRun.Basis.values]
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "period": obj, "title": str(obj),
            "told": [(CalculationRun.Basis(one.basis).label, one, _bars(one)) for one in told],
            "faults": periods.faults(obj), "may_reopen": self.has_steer_permission(request) and not obj.reopened_at,
            "recompute": f"{reverse('admin:carbon_recompute_ask')}?since={obj.month}&until={month_of(obj.month)[1]}",
            "back": reverse("admin:carbon_period_changelist"),
        }  # fmt: skip
        return TemplateResponse(request, "admin/carbon/period.html", context)

    @button(description=_("Check the ledger"), url_path="examine", icon="verified", permissions=["view"])
    def examine(self, request: HttpRequest) -> HttpResponse:
        """Every hash of the merchants' chains, calculations and closings, compared now."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = [(one, checking.faults(one.pk)) for one in merchants_of(request)]
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": _("Check the ledger"),
            "found": [(one, *told) for one, told in found], "back": reverse("admin:carbon_period_changelist"),
        }  # fmt: skip
        return TemplateResponse(request, "admin/carbon/examined.html", context)


@admin.register(Recompute)
class RecomputeAdmin(ReadOnlyAdmin):
    """Spans calculated again on another factor set, with what came of it."""

    list_display = (
        "__str__",
        "merchant",
        "factor_set",
        "is_adopted",
        "shown_state",
        "done",
        "total",
        "asked_at",
    )
    list_select_related = ("merchant", "factor_set")
    ordering = ("-pk",)
    actions_list = ("ask",)

    @admin.display(description=_("state"))
    def shown_state(self, obj: Recompute) -> Any:
        """How far it is."""
        return pill(TONES[obj.state], str(obj.get_state_display()))

    def has_ask_permission(self, request: HttpRequest) -> bool:
        """Whoever may have figures calculated again."""
        return request.user.has_perm("carbon.add_recompute")

    def get_urls(self) -> list[Any]:
        """Steering and watching."""
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/steer/<str:to>/", view(self.steer), name="carbon_recompute_steer"),
            path("<int:pk>/live/", view(self.live), name="carbon_recompute_live"),
        ]
        return own + list(super().get_urls())

    @button(description=_("Calculate again"), url_path="again", icon="calculate", permissions=["ask"])
    def ask(self, request: HttpRequest) -> HttpResponse:
        """Ask for the span and the factors, then begin."""
        if not self.has_ask_permission(request):
            raise PermissionDenied
        first = _month_before(month_of(clock.now().date())[0])
        start: dict[str, Any] = {"since": first, "until": month_of(first)[1]}
        start |= {name: request.GET[name] for name in ("factor_set", "since", "until") if name in request.GET}
        form = AskForm(request.POST or None, merchants=merchants_of(request), initial=start)
        if request.method == "POST" and form.is_valid():
            given = dict(form.cleaned_data)
            try:
                made = work.ask(
                    given.pop("merchant"),
                    given.pop("factor_set"),
                    actor=actor_of(request),
                    now=clock.now(),
                    **given,
                )
            except Refused as refused:
                form.add_error(refused.field or None, str(refused))
            else:
                return HttpResponseRedirect(reverse("admin:carbon_recompute_change", args=[made.pk]))
        effect = _(
            "Every calculation of the span is done again with the factors of this set, in the background. What was "
            "reported does not change."
        )
        return ask(
            self, request, title=_("Calculate again"), effect=effect, button=_("Calculate again"),
            back=reverse("admin:carbon_recompute_changelist"), form=form,
        )  # fmt: skip

    def steer(self, request: HttpRequest, pk: int, to: str) -> HttpResponse:
        """Pause, resume or stop."""
        found = self.get_object(request, str(pk))
        if found is None or to not in ("paused", "running", "stopped"):
            raise Http404
        if request.method != "POST" or not self.has_ask_permission(request):
            raise PermissionDenied
        if not work.steer(found, to=to):
            messages.info(request, _("It is over already."))
        return HttpResponseRedirect(reverse("admin:carbon_recompute_change", args=[pk]))

    def live(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How far it is, for the page that watches it."""
        found = self.get_object(request, str(pk))
        if found is None or not self.has_view_permission(request, found):
            raise Http404
        return TemplateResponse(request, "admin/carbon/recompute_live.html", _watched(found, request, self))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Progress, then the figures before and after, by order."""
        obj = self.get_object(request, object_id)
        if obj is None or not self.has_view_permission(request, obj):
            raise Http404
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": str(obj),
            "back": reverse("admin:carbon_recompute_changelist"), **_watched(obj, request, self),
        }  # fmt: skip
        return TemplateResponse(request, "admin/carbon/recompute.html", context)


def _watched(found: Recompute, request: HttpRequest, page: RecomputeAdmin) -> dict[str, Any]:
    rows = found.rows.all()
    sums = rows.values("basis").annotate(
        before=Sum("before_kgco2e"), after=Sum("after_kgco2e"), orders=Count("order", distinct=True)
    )
    told = [
        {
            "basis": CalculationRun.Basis(row["basis"]).label, "orders": row["orders"],
            "before": _kg(row["before"]), "after": _kg(row["after"]),
            "difference": _kg(row["after"]) - _kg(row["before"]), "percent": _percent(row["before"], row["after"]),
        }
        for row in sums.order_by("basis")
    ]  # fmt: skip
    moved = rows.exclude(before_kgco2e=F("after_kgco2e")).select_related("order").order_by("pk")[:MOST_ROWS]
    return {
        "recompute": found, "tone": TONES[found.state], "told": told, "is_open": found.state in Recompute.OPEN,
        "moved": [(row, row.after_kgco2e - row.before_kgco2e) for row in moved],
        "unmet": rows.filter(swapped={}).count() if found.state == Recompute.State.DONE else 0,
        "refused": rows.exclude(fault="")[:20], "may_steer": page.has_ask_permission(request),
    }  # fmt: skip


def _bars(one: periods.Restatement) -> list[tuple[Any, Decimal, float, float]]:
    """Each cause with its kg and its bar: from where to how wide in percent of the axis, in the order they add up."""
    causes = [(cause, kg) for cause, kg in one.by_cause.items()]
    marks = [one.published_kg]
    for _cause, kg in causes:
        marks.append(marks[-1] + kg)
    low, high = min(marks), max(marks)
    span = (high - low) or Decimal(1)
    found = []
    for (cause, kg), start in zip(causes, marks, strict=False):
        left = min(start, start + kg)
        found.append(
            (
                CAUSE_WORDS[cause],
                kg,
                round(float((left - low) / span) * 96 + 2, 2),
                round(float(abs(kg) / span) * 96, 2),
            )
        )
    return found


def _tell(period: Period, kind: str, payload: dict[str, Any], request: HttpRequest) -> None:
    now = clock.now()
    Merchant.objects.select_for_update(no_key=True).get(pk=period.merchant_id)
    fact = log.Fact(f"carbon:{period.merchant_id}", kind, payload, period.merchant_id, now)
    log.record([fact], now=now, actor=actor_of(request))


def _month_before(first: date) -> date:
    return month_of(date.fromordinal(first.toordinal() - 1))[0]


def _kg(value: Any) -> Decimal:
    return Decimal(value or 0).quantize(QUANTUM)


def _percent(before: Any, after: Any) -> Decimal | None:
    return None if not before else ((_kg(after) - _kg(before)) / _kg(before) * 100).quantize(Decimal("0.01"))
