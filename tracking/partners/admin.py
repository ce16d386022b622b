"""Operators' page of captured EPCIS events."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from orderhub.inventory.admin_base import ReadOnlyAdmin
from orderhub.templatetags.ui import pill
from tracking.partners.models import EpcisEvent

_TONES = {"waiting": "wait", "applied": "ok", "refused": "bad"}


@admin.register(EpcisEvent)
class EpcisEventAdmin(ReadOnlyAdmin):
    """What partners told by EPCIS, and what became of it."""

    list_display = ("captured_at", "event_id", "shown_state", "reason")
    list_filter = (("state", ChoicesDropdownFilter), ("merchant", RelatedDropdownFilter))
    search_fields = ("event_id__exact",)
    ordering = ("-captured_at",)

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, obj: EpcisEvent) -> SafeString:
        """In color."""
        return pill(_TONES[obj.state], obj.get_state_display())
