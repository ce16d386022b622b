"""The log, its deliveries and projections for operators: read, replay, skip; no event is changed here."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.forms import ActionForm
from unfold.widgets import UnfoldAdminTextInputWidget

from orderhub.events import audit, relay, tail
from orderhub.events.models import Cursor, Delivery, Event, ParkedEvent, WorkerBeat
from orderhub.kernel.errors import Refused

STATE_COLORS = {"ready": "info", "leased": "info", "done": "success", "dead": "danger", "skipped": "warning"}


class ReadOnly(ModelAdmin):
    """A list that nobody adds to, changes or deletes from by hand."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Never: rows are written by services."""
        return False

    def has_delete_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Never."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """All of them."""
        return [field.name for field in self.model._meta.fields]


@admin.register(Event)
class EventAdmin(ReadOnly):
    """What happened, in order; the chain can be verified stream by stream."""

    list_display = ("id", "stream", "seq", "kind", "actor", "occurred_at", "recorded_at")
    list_filter = ("kind",)
    search_fields = ("stream__exact", "kind__startswith")
    search_help_text = _("A stream (order:17) or the beginning of a kind (order.)")
    ordering = ("-id",)
    actions = ("verify_chain",)

    def has_change_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        """Never: the log is append-only."""
        return False

    @admin.action(description=_("Verify the hash chain of these streams"), permissions=["view"])
    def verify_chain(self, request: HttpRequest, queryset: QuerySet[Event]) -> None:
        """Recompute the chains of the chosen events' streams and say what is wrong, if anything."""
        streams = sorted(set(queryset.values_list("stream", flat=True)[:200]))
        findings = [finding for stream in streams for finding in audit.verify(stream=stream)]
        for finding in findings[:20]:
            messages.error(request, finding)
        if not findings:
            count = len(streams)
            said = ngettext(
                "%(count)d chain is as it was written.", "%(count)d chains are as they were written.", count
            )
            messages.success(request, said % {"count": count})


class NoteForm(ActionForm):
    """An action and the note that goes with it."""

    note = forms.CharField(
        label=_("Note"), required=False, max_length=150,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": _("Why? (needed for skipping)")}),
    )  # fmt: skip


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly):
    """What is owed to whom; stopped ones wait here for a person."""

    list_display = (
        "id",
        "state_label",
        "subscriber",
        "destination",
        "event_link",
        "attempts",
        "not_before",
        "dead_reason",
        "note",
    )
    list_filter = ("state", "subscriber")
    list_select_related = ("event",)
    search_fields = ("stream__exact", "destination__exact")
    search_help_text = _("A stream (order:17) or a destination")
    ordering = ("-id",)
    action_form = NoteForm
    actions = ("replay_chosen", "skip_chosen")

    @admin.display(description=_("state"), ordering="state")
    def state_label(self, row: Delivery) -> tuple[str, str]:
        """The state with its color."""
        return row.state, row.get_state_display()

    state_label.label = STATE_COLORS  # type: ignore[attr-defined]  # how Unfold colors a column

    @admin.display(description=_("event"))
    def event_link(self, row: Delivery) -> SafeString:
        """The event it is about."""
        link = reverse("admin:events_event_change", args=[row.event_id])
        return format_html('<a href="{}">{}</a>', link, row.event)

    @admin.action(description=_("Replay: try again from the first attempt"), permissions=["change"])
    def replay_chosen(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Put stopped or waiting deliveries back to the start."""
        note = request.POST.get("note", "")
        self._decide(request, queryset, lambda row, actor: relay.replay(row, actor=actor, note=note))

    @admin.action(description=_("Skip: let go for good (with a note)"), permissions=["change"])
    def skip_chosen(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Give up stopped or waiting deliveries, which frees their streams."""
        note = request.POST.get("note", "")
        self._decide(request, queryset, lambda row, actor: relay.skip(row, actor=actor, note=note))

    def _decide(self, request: HttpRequest, queryset: QuerySet[Delivery], decide: Any) -> None:
        decided, refusals = 0, dict[str, None]()
        for row in queryset.order_by("pk"):
            try:
                decide(row, f"user:{request.user.get_username()}")
                decided += 1
            except Refused as refusal:
                refusals[str(refusal)] = None
        for refusal_text in list(refusals)[:5]:
            messages.error(request, refusal_text)
        if decided:
            said = ngettext("%(count)d delivery changed.", "%(count)d deliveries changed.", decided)
            messages.success(request, said % {"count": decided})


@admin.register(Cursor)
class CursorAdmin(ReadOnly):
    """How far each projection has read."""

    list_display = ("name", "event_id", "updated_at")
    ordering = ("name",)

    def has_change_permission(self, request: HttpRequest, obj: Cursor | None = None) -> bool:
        """Never by hand: `manage.py replay` moves it."""
        return False


@admin.register(ParkedEvent)
class ParkedEventAdmin(ReadOnly):
    """Streams a projection could not read on, with the reason."""

    list_display = ("stream", "cursor", "event", "error", "parked_at")
    list_filter = ("cursor",)
    list_select_related = ("cursor", "event")
    search_fields = ("stream__exact",)
    ordering = ("-id",)
    actions = ("apply_again",)

    @admin.action(description=_("Apply these streams again"), permissions=["change"])
    def apply_again(self, request: HttpRequest, queryset: QuerySet[ParkedEvent]) -> None:
        """Try all parked events of the chosen streams, in order."""
        chosen = sorted(set(queryset.values_list("cursor_id", "stream")))
        applied = sum(tail.unpark(name, stream=stream) for name, stream in chosen)
        still = ParkedEvent.objects.filter(stream__in={stream for _name, stream in chosen}).count()
        said = _("%(applied)d events applied, %(still)d still parked.") % {"applied": applied, "still": still}
        messages.add_message(request, messages.WARNING if still else messages.SUCCESS, said)


@admin.register(WorkerBeat)
class WorkerBeatAdmin(ReadOnly):
    """Who works, and when it was last heard."""

    list_display = ("name", "queues", "beat_at")
    ordering = ("name",)

    def has_change_permission(self, request: HttpRequest, obj: WorkerBeat | None = None) -> bool:
        """Never: workers write it."""
        return False
