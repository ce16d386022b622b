"""Operators' pages of claim words, merchants' climate texts, and every check."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from carbon.claims import services
from carbon.claims.models import ClaimCheck, ClaimText, ClaimWord
from orderhub.inventory.admin_base import HubAdmin, ReadOnlyAdmin, actor_of
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.templatetags.ui import pill

TONES = {"passed": "ok", "warned": "warn", "blocked": "bad", "overridden": "hold"}


@admin.register(ClaimWord)
class ClaimWordAdmin(HubAdmin, SimpleHistoryAdmin):
    """What a market does not allow, and what may be said instead."""

    merchant_path = ""
    list_display = ("text", "market", "language", "why_zh", "is_active")
    list_filter = ("market", "language", "is_active")
    search_fields = ("text", "why_zh", "why_en")
    ordering = ("market", "language", "text")


@admin.register(ClaimText)
class ClaimTextAdmin(HubAdmin, SimpleHistoryAdmin):
    """Texts are checked as they are published; a blocked one stays unpublished until it is changed or overridden."""

    list_display = ("merchant", "place", "market", "language", "shown_state", "published_at")
    list_filter = (("place", ChoicesDropdownFilter), "market", "language")
    list_select_related = ("merchant",)
    readonly_fields = ("published_text", "published_at", "published_by")
    ordering = ("merchant", "place", "market")
    actions = ("publish",)

    @admin.display(description=_("state"))
    def shown_state(self, obj: ClaimText) -> SafeString:
        """Published as it stands, changed since, or never published."""
        if obj.published_at is None:
            return pill("wait", str(_("not published")))
        is_same = obj.published_text == obj.text
        return pill("ok" if is_same else "warn", str(_("published") if is_same else _("changed since")))

    @admin.action(description=_("Check and publish"), permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[ClaimText]) -> None:
        """Each text by itself; what is blocked is told with its reasons."""
        may = request.user.has_perm("carbon.override_claimcheck")
        for row in queryset:
            try:
                made = services.publish(row, actor=actor_of(request), now=clock.now(), may_override=may)
            except Refused as refusal:
                self.message_user(request, f"{row}: {refusal}", messages.ERROR)
            else:
                is_clean = made.verdict == ClaimCheck.Verdict.PASSED
                text = f"{row}: {made.get_verdict_display()} {'; '.join(services.told(made.findings))}"
                self.message_user(request, text, messages.SUCCESS if is_clean else messages.WARNING)


@admin.register(ClaimCheck)
class ClaimCheckAdmin(ReadOnlyAdmin):
    """What was checked, what came of it, and who overrode it why."""

    list_display = (
        "checked_at",
        "place",
        "market",
        "language",
        "shown_verdict",
        "shown_findings",
        "reason",
        "checked_by",
    )
    list_filter = (("verdict", ChoicesDropdownFilter), "market", "language")
    list_select_related = ("merchant",)
    search_fields = ("text", "place")
    ordering = ("-id",)
    exclude = ("findings",)
    readonly_fields = ("shown_findings",)

    @admin.display(description=_("outcome"), ordering="verdict")
    def shown_verdict(self, obj: ClaimCheck) -> SafeString:
        """Passed, warned, blocked or overridden."""
        return pill(TONES[obj.verdict], str(obj.get_verdict_display()))

    @admin.display(description=_("findings"))
    def shown_findings(self, obj: ClaimCheck) -> SafeString:
        """Why, in the reader's language."""
        found: list[tuple[Any, ...]] = [(text,) for text in services.told(obj.findings)]
        return format_html_join(" · ", "{}", found)
