"""Calls to other systems for operators: what was said, what was answered, and what can be done about a refusal."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from orderhub.connectors import mending
from orderhub.connectors.console import fault_words, sealed, veiling
from orderhub.connectors.models import Alias, Call
from orderhub.connectors.speech import words
from orderhub.events import breaker
from orderhub.inventory.admin_base import HubAdmin, ReadOnlyAdmin, actor_of
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.templatetags.ui import pill

TONES = {
    "waiting": "wait", "sending": "go", "acked": "ok", "refused": "bad", "unknown": "warn", "failed": "warn", "dead": "bad",
    "skipped": "hold",
}  # fmt: skip
OPERATIONS = {
    "release": _("release of a fulfillment order"), "cancel": _("cancellation"), "query_release": _("question about a release"),
    "erp_order": _("order for the ERP"), "erp_change": _("change for the ERP"), "erp_cancel": _("cancellation for the ERP"),
    "erp_restore": _("restoring for the ERP"), "units_changed": _("changed units for the shop"),
    "query_erp": _("question to the ERP"), "ship_notice": _("ship notice"), "address_confirm": _("answer to an address change"),
    "stock": _("stock levels"), "subscribe": _("subscription to a parcel"), "intercept": _("interception of a parcel"),
    "fetch_order": _("question about an order"), "list_orders": _("question about new orders"),
    "production": _("production order"),
    "milestone": _("milestone"), "query_stock": _("question about stock"), "query_track": _("question about a parcel"),
    "ping": _("test question"), "token": _("log-in"),
}  # fmt: skip


class Unsayable(ValueError):
    """What was entered cannot be said; the text is for the person who entered it."""


@admin.register(Call)
class CallAdmin(ReadOnlyAdmin):
    """Every message to a system, from the wish to the acknowledgment."""

    list_display = (
        "shown_what",
        "connection",
        "shown_state",
        "shown_answer",
        "attempts",
        "sent_at",
        "milliseconds",
    )
    list_display_links = ("shown_what",)
    list_filter = (("connection", RelatedDropdownFilter), ("state", ChoicesDropdownFilter), "operation")
    list_select_related = ("connection",)
    search_fields = ("reference__exact", "their_reference__exact", "key__exact")
    ordering = ("-id",)

    def get_urls(self) -> list[Any]:
        """One address for the buttons of a call."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:object_id>/do/<slug:deed>/", wrap(self.do), name="connectors_call_do"),
            *super().get_urls(),
        ]

    @display(description=_("what"), ordering="operation")
    def shown_what(self, row: Call) -> str:
        """The operation in words and what it is about."""
        return f"{OPERATIONS.get(row.operation, row.operation)} {row.reference}"

    @display(description=_("state"), ordering="state")
    def shown_state(self, row: Call) -> SafeString:
        """The state as a pill."""
        return pill(TONES[row.state], row.get_state_display())

    @display(description=_("answer"))
    def shown_answer(self, row: Call) -> str:
        """Its beginning."""
        return row.answer[:100]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """What was said, the answer, and what can be done."""
        return self._shown(request, self._row(request, int(object_id) if object_id.isdecimal() else 0))

    def do(self, request: HttpRequest, object_id: int, deed: str) -> HttpResponse:
        """Correct and send, send again, or skip."""
        row, act = self._row(request, object_id), _DEEDS.get(deed)
        if act is None:
            raise Http404
        if request.method != "POST":
            return HttpResponse(status=405)
        if not request.user.has_perm("connectors.change_call"):
            raise PermissionDenied
        try:
            act(request, row)
        except (Refused, Unsayable) as no:
            return self._shown(request, row, fault=str(no), given=request.POST.get("text"))
        return HttpResponseRedirect(reverse("admin:connectors_call_change", args=(row.pk,)))

    def _shown(
        self, request: HttpRequest, row: Call, *, fault: str = "", given: str | None = None
    ) -> HttpResponse:
        delivery = mending.delivery_of(row)
        out = breaker.is_out(mending.SUBSCRIBER, str(row.connection_id))
        said, marks = ("", {}) if delivery is None else _said(row, clear=sealed.sees_persons(request))
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "media": self.media,
            "title": f"{OPERATIONS.get(row.operation, row.operation)} {row.reference}", "row": row, "tone": TONES[row.state],
            "delivery": delivery, "text": said if given is None else given, "is_veiled": bool(marks), "fault": fault,
            "answer": _answer(row), "why": _why(delivery.dead_reason if delivery else ""),
            "out_until": parse_datetime(out["until"]) if out else None,
            "is_open": delivery is not None and row.state not in ("acked", "skipped"),
            "is_dead": delivery is not None and delivery.state == delivery.State.DEAD,
            "may_mend": request.user.has_perm("connectors.change_call"),
            "order_link": reverse("admin:orders_order_change", args=(row.order_id,)) if row.order_id else "",
        }  # fmt: skip
        return TemplateResponse(request, "admin/connectors/call.html", context)

    def _row(self, request: HttpRequest, object_id: int) -> Call:
        rows = self.get_queryset(request).select_related(
            "connection__profile__in_force", "connection__merchant"
        )
        row: Call | None = rows.filter(pk=object_id).first()
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404
        return row


def _said(row: Call, *, clear: bool) -> tuple[str, dict[str, str]]:
    """What would be said now, as text, and what is behind its marks."""
    try:
        message = mending.message(row)
    except (Refused, KeyError):
        return "", {}
    text = json.dumps(message, ensure_ascii=False, indent=2, default=str)
    return (text, {}) if clear else veiling.veil(text, veiling.personal_values(message))


def _answer(row: Call) -> str:
    """Their words; nothing where the call did not come so far."""
    return "" if row.status_code is None else sealed.pretty(row.answer.encode(), "json")


def _why(reason: str) -> list[str]:
    """Why a call stopped, in sentences where it could not even be built: `lines[0].sku: missing; …`."""
    found = []
    for part in filter(None, reason.split("; ")):
        place, _sign, code = part.rpartition(": ")
        said = (
            fault_words.sentence({"field": place, "code": code, "value": ""})
            if code in words.FAULTS
            else None
        )
        found.append(f"{said.place}: {said.text}" if said else part)
    return found


def _correct(request: HttpRequest, row: Call) -> None:
    _text, marks = _said(row, clear=sealed.sees_persons(request))
    try:
        said = json.loads(veiling.unveil(request.POST.get("text", ""), marks))
    except KeyError as mark:
        text = gettext(
            "There is nothing behind the mark %(mark)s; marks can be kept or replaced, but not made up."
        )
        raise Unsayable(text % {"mark": mark.args[0]}) from None
    except ValueError as fault:
        raise Unsayable(gettext("This is not readable as JSON: %(why)s") % {"why": fault}) from None
    if not isinstance(said, dict):
        raise Unsayable(gettext("The message must be an object in braces."))
    mending.correct(row, said, actor=actor_of(request), now=clock.now())
    messages.success(request, _("Corrected; it is sent now."))


def _again(request: HttpRequest, row: Call) -> None:
    mending.send_again(row, actor=actor_of(request))
    messages.success(request, _("It is sent again now."))


def _skip(request: HttpRequest, row: Call) -> None:
    mending.skip(row, note=request.POST.get("note", "").strip(), actor=actor_of(request))
    messages.success(request, _("Skipped; what comes after it goes on."))


_DEEDS = {"correct": _correct, "again": _again, "skip": _skip}


@admin.register(Alias)
class AliasAdmin(HubAdmin):
    """What other systems call our articles, warehouses and carriers."""

    merchant_path = "connection__merchant"
    list_display = ("theirs", "ours", "sort", "connection")
    list_filter = (("connection", RelatedDropdownFilter), ("sort", ChoicesDropdownFilter))
    list_select_related = ("connection",)
    search_fields = ("theirs", "ours")
    ordering = ("connection_id", "sort", "theirs")
