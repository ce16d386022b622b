"""The daily comparison for operators: what differs, on what evidence, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from orderhub.connectors.models import Connection, Difference, Reconciliation
from orderhub.connectors.reconciling import deeds, running
from orderhub.inventory.admin_base import ReadOnlyAdmin, actor_of, button
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.templatetags.ui import pill

_TONES = {"open": "bad", "fetching": "go", "settled": "ok", "dismissed": "hold"}
#: What a person does where the page has no button for it.
_REMEDIES = {
    "missing_here": _("It is asked for by itself. If it stays, look for it in the inbox."),
    "missing_there": _("They know nothing of it. Send it again, or ask them what became of it."),
    "older_here": _("It changed there since. It is asked for by itself; if it stays, its message waits in the inbox."),
    "cancelled_there": _("They called it off. Cancel it here if that is right, or have them take it up again."),
    "cancelled_here": _("It is called off here and goes on there. Tell them again, or stop it there by hand."),
    "shipped_there": _("It has left there. The report is taken from their answer where that can be."),
    "shipped_here": _("They do not know that it has left. Tell them again."),
    "lines": _("The units differ. Correct the order here or there."),
    "total": _("The amount differs. Correct it in the system that is wrong."),
    "address": _("The address differs. Change it here, or ask the buyer which one holds."),
    "track": _("The carrier says something else of the parcel; its scans are taken from its answer."),
    "stock": _("Their count goes the way of all counts: see the stock reports."),
    "unanswered": _("Open the call to correct it, send it again or skip it."),
    "apart": _("Open the inbox to correct these messages, try them again or let them be."),
}  # fmt: skip


@admin.register(Difference)
class DifferenceAdmin(ReadOnlyAdmin):
    """What other systems have otherwise than we do."""

    list_display = (
        "shown_what", "connection", "ours", "theirs", "shown_state", "evidence", "first_at", "last_at",
    )  # fmt: skip
    list_display_links = ("shown_what",)
    list_filter = (
        ("state", ChoicesDropdownFilter), ("sort", ChoicesDropdownFilter), ("evidence", ChoicesDropdownFilter),
        ("connection", RelatedDropdownFilter),
    )  # fmt: skip
    list_select_related = ("connection",)
    list_before_template = "admin/connectors/compared.html"
    search_fields = ("subject__exact", "order_id__exact")
    ordering = ("-last_at", "-id")
    actions_list = ("compare_now",)

    def get_urls(self) -> list[Any]:
        """One address for the buttons of a difference."""
        wrap = self.admin_site.admin_view
        own = path("<int:object_id>/do/<slug:deed>/", wrap(self.do), name="connectors_difference_do")
        return [own, *super().get_urls()]

    @display(description=_("what"), ordering="sort")
    def shown_what(self, row: Difference) -> str:
        """The sort in words and what it is about."""
        return f"{row.get_sort_display()} {'' if row.subject == 'inbox' else row.subject}".strip()

    @display(description=_("state"), ordering="state")
    def shown_state(self, row: Difference) -> SafeString:
        """The state as a pill."""
        return pill(_TONES[row.state], row.get_state_display())

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list, under a line that says how much is open and when it was last compared."""
        rows = self.get_queryset(request)
        runs = Reconciliation.objects.filter(is_complete=True)
        merchant_id = getattr(request.user, "merchant_id", None)
        runs = runs.filter(merchant_id=merchant_id) if merchant_id else runs
        compared = {
            "open": rows.filter(state=Difference.State.OPEN).count(),
            "last_at": runs.order_by("-ended_at").values_list("ended_at", flat=True).first(),
        }
        return super().changelist_view(request, {**(extra_context or {}), "compared": compared})

    def has_compare_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Those who may change connections."""
        return bool(request.user.has_perm("connectors.change_connection"))

    @button(
        description=_("Compare now"), url_path="compare-now", icon="compare_arrows", permissions=["compare"]
    )
    def compare_now(self, request: HttpRequest) -> HttpResponse:
        """Begin a comparison of every system now; it is worked off within minutes."""
        rows = Connection.objects.filter(is_active=True, profile__in_force__isnull=False)
        merchant_id = getattr(request.user, "merchant_id", None)
        chosen = rows.filter(merchant_id=merchant_id) if merchant_id else rows
        for row in chosen.order_by("pk"):
            running.begin(row, now=clock.now())
        messages.success(request, _("All systems are compared now; the result is here within minutes."))
        return HttpResponseRedirect(reverse("admin:connectors_difference_changelist"))

    # ---- one difference ----------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """Both sides, the evidence, and what can be done."""
        return self._shown(request, self._row(request, int(object_id) if object_id.isdecimal() else 0))

    def do(self, request: HttpRequest, object_id: int, deed: str) -> HttpResponse:
        """One of the ways out."""
        row, act = self._row(request, object_id), _DEEDS.get(deed)
        if act is None:
            raise Http404
        if request.method != "POST":
            return HttpResponse(status=405)
        if not request.user.has_perm("connectors.change_difference"):
            raise PermissionDenied
        try:
            act(request, row)
        except Refused as no:
            return self._shown(request, row, fault=f"{no} {no.remedy}".strip())
        return HttpResponseRedirect(reverse("admin:connectors_difference_change", args=(row.pk,)))

    def _shown(self, request: HttpRequest, row: Difference, *, fault: str = "") -> HttpResponse:
        links = {
            "order_link": ("admin:orders_order_change", row.order_id if request.user.has_perm("orders.view_order") else None),
            "call_link": ("admin:connectors_call_change", row.call_id),
        }  # fmt: skip
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "media": self.media, "row": row, "fault": fault,
            "title": self.shown_what(row), "tone": _TONES[row.state], "remedy": _REMEDIES[row.sort],
            "is_open": row.state in (Difference.State.OPEN, Difference.State.FETCHING),
            "may_decide": request.user.has_perm("connectors.change_difference"),
            "can_fetch": deeds.can_fetch(row), "can_send": deeds.can_send(row),
            "inbox_link": f"{reverse('admin:connectors_inboxmessage_changelist')}?state__exact=quarantined"
            f"&connection__id__exact={row.connection_id}" if row.sort == Difference.Sort.APART else "",
            **{name: reverse(view, args=(pk,)) if pk else "" for name, (view, pk) in links.items()},
        }  # fmt: skip
        return TemplateResponse(request, "admin/connectors/difference.html", context)

    def _row(self, request: HttpRequest, object_id: int) -> Difference:
        rows = self.get_queryset(request).select_related("connection__profile__in_force")
        row: Difference | None = rows.filter(pk=object_id).first()
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404
        return row


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnlyAdmin):
    """When each system was compared, and what that came to."""

    list_display = (
        "connection", "began_at", "ended_at", "asked", "told", "found", "explained", "fetched", "settled", "error",
    )  # fmt: skip
    list_filter = (("connection", RelatedDropdownFilter), "is_complete")
    list_select_related = ("connection",)
    ordering = ("-began_at", "-id")


def _fetch(request: HttpRequest, row: Difference) -> None:
    deeds.fetch(row, actor=actor_of(request), now=clock.now())
    messages.success(request, _("It is asked for now."))


def _again(request: HttpRequest, row: Difference) -> None:
    deeds.send_again(row, actor=actor_of(request))
    messages.success(request, _("It is sent again now."))


def _dismiss(request: HttpRequest, row: Difference) -> None:
    deeds.dismiss(row, note=request.POST.get("note", ""), actor=actor_of(request))
    messages.success(request, _("It may stay so; it comes back if it changes."))


_DEEDS: dict[str, Callable[[HttpRequest, Difference], None]] = {
    "fetch": _fetch, "again": _again, "dismiss": _dismiss,
}  # fmt: skip
