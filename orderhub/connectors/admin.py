"""Connections, what came in through them, and merchants' imports, for operators."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget

from orderhub.connectors import base, inbox, outcomes, pages
from orderhub.connectors.files import messages as wording
from orderhub.connectors.models import Connection, ImportBatch, InboxMessage, RefusedRow
from orderhub.kernel import clock
from orderhub.templatetags.ui import pill

STATE_TONES = {"received": "wait", "applied": "ok", "ignored": "warn", "quarantined": "bad"}


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


class ConnectionForm(forms.ModelForm):  # type: ignore[type-arg]
    """The kind is one of those installed."""

    class Meta:
        model = Connection
        fields = ("merchant", "code", "name", "kind", "config", "warehouses", "is_active", "paused_until")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "kind" in self.fields:
            choices = [(name, name) for name in base.names()]
            self.fields["kind"] = forms.ChoiceField(
                label=_("kind"), choices=choices, widget=UnfoldAdminSelectWidget(choices=choices)
            )


@admin.register(Connection)
class ConnectionAdmin(ModelAdmin):
    """Systems we talk with; one that is not needed any more is switched off."""

    form = ConnectionForm
    list_display = (
        "name",
        "code",
        "kind",
        "merchant",
        "is_active",
        "paused_until",
        "failures_in_a_row",
        "last_message_at",
    )
    list_display_links = ("name", "code")
    list_filter = ("is_active", "kind", "merchant")
    list_select_related = ("merchant",)
    search_fields = ("code", "name")
    ordering = ("merchant_id", "code")
    filter_horizontal = ("warehouses",)

    def has_delete_permission(self, request: HttpRequest, obj: Connection | None = None) -> bool:
        """Never: its messages are kept."""
        return False


@admin.register(InboxMessage)
class InboxMessageAdmin(ReadOnlyAdmin):
    """What other systems sent, word for word; quarantined messages can be replayed."""

    list_display = (
        "id",
        "key",
        "connection",
        "shown_state",
        "attempts",
        "short_error",
        "received_at",
        "applied_at",
    )
    list_display_links = ("id", "key")
    list_filter = ("state", "connection")
    list_select_related = ("connection",)
    search_fields = ("key__exact",)
    actions = ("replay",)

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, row: InboxMessage) -> SafeString:
        """The state as a pill."""
        return pill(STATE_TONES[row.state], row.get_state_display())

    @admin.display(description=_("error"))
    def short_error(self, row: InboxMessage) -> str:
        """The beginning of the reason."""
        return row.error[:120]

    @admin.action(description=_("Replay the selected messages"), permissions=["change"])
    def replay(self, request: HttpRequest, queryset: QuerySet[InboxMessage]) -> None:
        """Apply quarantined messages again; others are left alone."""
        count = inbox.replay(list(queryset.values_list("pk", flat=True)), now=clock.now())
        if count:
            words = ngettext(
                "%(count)d message was tried again.", "%(count)d messages were tried again.", count
            )
            messages.success(request, words % {"count": count})
        else:
            messages.warning(request, _("None of them needs a person; nothing was tried again."))


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
