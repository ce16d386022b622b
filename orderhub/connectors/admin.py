"""Connections, what came in through them, and merchants' imports, for operators."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from orderhub.connectors import admin_offers, outcomes, pages
from orderhub.connectors.console import (
    admin_calls,
    admin_connections,
    admin_inbox,
    admin_profiles,
    admin_reconciling,
)
from orderhub.connectors.files import messages as wording
from orderhub.connectors.models import ImportBatch, RefusedRow
from orderhub.templatetags.ui import pill


class ReadOnlyAdmin(ModelAdmin):
    """Rows that only services write."""

    list_per_page = 50
    show_full_result_count = False
    ordering = ("-id",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Everything that can be shown."""
        return [field.name for field in self.model._meta.fields if field.editable]


__all__ = [
    "admin_calls",
    "admin_connections",
    "admin_inbox",
    "admin_offers",
    "admin_profiles",
    "admin_reconciling",
]


@admin.register(ImportBatch)
class ImportBatchAdmin(ReadOnlyAdmin):
    """Merchants' imports and what they came to."""

    list_display = (
        "id",
        "merchant",
        "file_names",
        "kind",
        "dialect",
        "shown_status",
        "accepted_orders",
        "unchanged_orders",
        "shown_refused",
        "created_at",
        "finished_at",
    )
    list_filter = ("status", "kind", "merchant")
    list_select_related = ("merchant",)
    search_fields = ("id__exact", "files__name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportBatch]:
        """With the files' names at hand."""
        return ImportBatch.objects.prefetch_related("files")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Also the files, and the failure in words."""
        return [*super().get_readonly_fields(request, obj), "file_names", "failure_words"]

    @admin.display(description=_("files"))
    def file_names(self, batch: ImportBatch) -> str:
        """As the merchant called them."""
        return ", ".join(file.name for file in batch.files.all())

    @admin.display(description=_("status"), ordering="status")
    def shown_status(self, batch: ImportBatch) -> SafeString:
        """The status as a pill."""
        tone, words = pages.status_pill(batch)
        return pill(tone, str(words))

    @admin.display(description=_("refused rows"), ordering="refused_rows")
    def shown_refused(self, batch: ImportBatch) -> SafeString | str:
        """Their number, as a link to them."""
        if not batch.refused_rows:
            return "0"
        address = reverse("admin:connectors_refusedrow_changelist")
        return format_html(
            '<a class="underline" href="{}?batch__id__exact={}">{}</a>', address, batch.pk, batch.refused_rows
        )

    @admin.display(description=_("why it failed"))
    def failure_words(self, batch: ImportBatch) -> str:
        """Title, reason and remedy, as the merchant sees them."""
        words = outcomes.failure(batch, language=get_language() or "zh-hans")
        return f"{words['title']}: {words['reason']} {words['remedy']}" if words else ""


@admin.register(RefusedRow)
class RefusedRowAdmin(ReadOnlyAdmin):
    """Rows that were left out, with the reason in words."""

    list_display = ("batch_id", "file", "row", "order_no", "column", "value", "reason")
    list_display_links = ("file", "row")
    list_filter = ("kind",)
    search_fields = ("order_no__exact",)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Lists are opened for one import."""
        return lookup == "batch__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("reason"))
    def reason(self, row: RefusedRow) -> str:
        """What is wrong, in the reader's language."""
        return wording.about_row(outcomes.as_error(row), language=get_language() or "zh-hans").reason
