"""Accepted orders for operators: what could not become one, and why; tried again after the cause was mended."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from orderhub.fulfillment import accepting
from orderhub.fulfillment.models import IntakeMessage
from orderhub.inventory.admin_base import ReadOnlyAdmin, actor_of
from orderhub.kernel import clock
from orderhub.templatetags.ui import pill

TONES = {"received": "wait", "placed": "ok", "refused": "bad", "unreadable": "bad"}
_SHOWN_BYTES = 4000


@admin.register(IntakeMessage)
class IntakeMessageAdmin(ReadOnlyAdmin):
    """Bodies as they came in."""

    list_display = (
        "public_id",
        "merchant",
        "shown_state",
        "order",
        "shown_problem",
        "received_at",
        "done_at",
    )
    list_filter = ("state", "merchant")
    list_select_related = ("merchant", "order")
    search_fields = ("public_id__exact", "key__exact")
    fields = (
        "public_id", "merchant", "shown_state", "order", "shown_problem", "shown_body", "key", "actor", "attempts",
        "received_at", "done_at",
    )  # fmt: skip
    readonly_fields = ("public_id", "shown_state", "shown_problem", "shown_body")
    actions = ("replay",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """All of it."""
        return self.fields

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Those who may change accepted orders."""
        return bool(request.user.has_perm("fulfillment.change_intakemessage"))

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, row: IntakeMessage) -> SafeString:
        """The state as a pill."""
        return pill(TONES[row.state], row.get_state_display())

    @admin.display(description=_("problem"))
    def shown_problem(self, row: IntakeMessage) -> str:
        """What was wrong, and the remedy."""
        return str((row.problem or {}).get("detail", ""))[:300]

    @admin.display(description=_("body"))
    def shown_body(self, row: IntakeMessage) -> str:
        """The beginning of the body, read as well as it can be."""
        return bytes(row.body)[:_SHOWN_BYTES].decode("utf-8", "replace")

    @admin.action(description=_("Try the selected ones again"), permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[IntakeMessage]) -> None:
        """Read refused and unreadable bodies again; others are left alone."""
        count = accepting.replay(
            list(queryset.values_list("pk", flat=True)), now=clock.now(), actor=actor_of(request)
        )
        words = ngettext("%(count)d body is read again.", "%(count)d bodies are read again.", count)
        messages.success(request, words % {"count": count})
