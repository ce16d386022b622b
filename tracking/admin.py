"""Operators' pages of tracking: what buyers see, to be read and never edited."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from orderhub.inventory.admin_base import ReadOnlyAdmin, is_chinese
from orderhub.orders import sharing
from orderhub.templatetags.ui import pill
from tracking.center import book as books
from tracking.everywhere import admin as everywhere
from tracking.live_position import admin as live_position
from tracking.models import Journey, Position, TimelineEntry
from tracking.page_words import STAGES
from tracking.partners import admin as partners

__all__ = ["everywhere", "live_position", "partners"]  # registers more tables


class TimelineInline(TabularInline):
    """The milestones of a page, in order of occurrence."""

    model = TimelineEntry
    extra = 0
    can_delete = False
    fields = ("seq", "shown_sentence", "milestone", "classifier", "occurred_at", "place", "parcel")
    readonly_fields = fields
    ordering = ("occurred_at", "seq")

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the parcels at hand."""
        return super().get_queryset(request).select_related("parcel", "journey")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    @admin.display(description=_("sentence"))
    def shown_sentence(self, obj: TimelineEntry) -> str:
        """What staff read."""
        return _sentence(obj)


@admin.register(Journey)
class JourneyAdmin(ReadOnlyAdmin):
    """One row per order: how far its page was told, and the way to the page itself."""

    list_display = ("order", "shown_stage", "seq", "revision", "changed_at", "shown_page")
    list_select_related = ("order", "merchant")
    search_fields = ("order__external_id", "entries__parcel__tracking_number")
    list_filter = ("stage",)
    ordering = ("-changed_at",)
    readonly_fields = ("shown_page",)
    inlines = (TimelineInline,)

    @admin.display(description=_("stage"), ordering="stage")
    def shown_stage(self, obj: Journey) -> SafeString:
        """The word the buyer reads."""
        tone, words = STAGES.get(obj.stage, STAGES["received"])
        return pill(tone, words["zh" if is_chinese() else "en"])

    @admin.display(description=_("buyer's page"))
    def shown_page(self, obj: Journey) -> SafeString:
        """The public page."""
        return format_html(
            '<a href="{}" target="_blank" rel="noopener">↗</a>', sharing.tracking_path(obj.order)
        )


@admin.register(TimelineEntry)
class TimelineEntryAdmin(ReadOnlyAdmin):
    """Milestones of all pages."""

    merchant_path = "journey__merchant"
    list_display = ("shown_sentence", "journey", "seq", "classifier", "place", "parcel", "occurred_at")
    list_filter = ("milestone", ("classifier", ChoicesDropdownFilter))
    list_select_related = ("journey", "parcel")
    search_fields = ("journey__order__external_id", "parcel__tracking_number", "place")
    ordering = ("-id",)

    @admin.display(description=_("sentence"))
    def shown_sentence(self, obj: TimelineEntry) -> str:
        """What staff read."""
        return _sentence(obj)


@admin.register(Position)
class PositionAdmin(ReadOnlyAdmin):
    """Where parcels were; kept for a month."""

    merchant_path = "parcel__merchant"
    list_display = ("parcel", "latitude", "longitude", "occurred_at")
    list_select_related = ("parcel",)
    search_fields = ("parcel__tracking_number",)
    ordering = ("-id",)


def _sentence(entry: TimelineEntry) -> str:
    facts = {**entry.facts, "place": entry.place}
    book = books.glance(entry.journey.merchant_id)
    language = "zh-hans" if is_chinese() else "en"
    return book.sentence(entry.milestone, facts=facts, language=language, audience="operator")
