"""What is asked before a lever is pulled."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from routing.board.reading import House

CUTOFF, HOURS, DAY, OPEN = "cutoff", "hours", "day", "open"
UNTIL = (
    (CUTOFF, _("until the next cut-off")),
    (HOURS, _("for 2 hours")),
    (DAY, _("for 24 hours")),
    (OPEN, _("until somebody lifts it")),
)


class LeverForm(forms.Form):
    """Until when, and why; the next shift reads it."""

    until = forms.ChoiceField(
        label=_("How long"), choices=UNTIL, initial=CUTOFF, widget=forms.Select(attrs={"class": "oh-input"})
    )
    why = forms.CharField(
        label=_("Why"), max_length=200, widget=forms.TextInput(attrs={"class": "oh-input"}),
    )  # fmt: skip
    field_order = ("value", "until", "why")

    def until_at(self, house: House, now: datetime) -> datetime | None:
        """The end that was chosen; None for none."""
        chosen = self.cleaned_data["until"]
        ends: dict[str, datetime | None] = {
            CUTOFF: house.cutoff_at, HOURS: now + timedelta(hours=2), DAY: now + timedelta(hours=24), OPEN: None,
        }  # fmt: skip
        return ends[chosen]


class CapacityForm(LeverForm):
    """At most so many parcels a day."""

    value = forms.IntegerField(
        label=_("At most parcels a day"),
        min_value=0,
        widget=forms.NumberInput(attrs={"class": "oh-input", "inputmode": "numeric"}),
    )


class PriceForm(LeverForm):
    """So much dearer in every comparison."""

    value = forms.DecimalField(
        label=_("¥ more per parcel"),
        min_value=Decimal("0.01"),
        max_value=Decimal(1000),
        decimal_places=2,
        widget=forms.NumberInput(attrs={"class": "oh-input", "step": "0.5"}),
    )


FORMS: dict[str, Any] = {"capacity": CapacityForm, "price": PriceForm, "freeze": LeverForm}
