"""The forms of the verbs that come after the sale: which units, what for, from where."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from orderhub.fulfillment.parting import Portion
from orderhub.fulfillment.replacing import RESENT_FOR
from orderhub.fulfillment.verbs import Text, text_input
from orderhub.inventory.admin_base import is_chinese, named
from orderhub.inventory.models import Warehouse
from orderhub.orders.models import FollowUp, Order, OrderLine


class UnitsForm(forms.Form):
    """How many units of each line; `available` says how many there are."""

    def __init__(
        self, data: Any, order: Order, available: Callable[[OrderLine], int], help_text: Text
    ) -> None:
        super().__init__(data)
        self._positions: list[int] = []
        for line in order.lines.all():
            count = available(line)
            if count < 1:
                continue
            name = line.name if is_chinese() else line.sku.name_en or line.name
            self.fields[_units(line.position)] = forms.IntegerField(
                label=f"{name} · {line.sku.code}", help_text=str(help_text) % {"count": count}, min_value=0,
                max_value=count, initial=0, widget=forms.NumberInput(attrs={"class": "oh-input"}),
            )  # fmt: skip
            self._positions.append(line.position)
        rest = [name for name in self.fields if not name.startswith("units_")]
        self.order_fields([*map(_units, self._positions), *rest])

    def clean(self) -> dict[str, Any]:
        """Some units are chosen."""
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not self.lines():
            raise forms.ValidationError(_("Choose at least one unit."))
        return found

    def lines(self) -> list[dict[str, int]]:
        """What was chosen, as the API takes it."""
        units = [(position, self.cleaned_data.get(_units(position)) or 0) for position in self._positions]
        return [{"position": position, "quantity": quantity} for position, quantity in units if quantity]

    def portions(self) -> list[Portion]:
        """The same for services."""
        return [Portion(line["position"], line["quantity"]) for line in self.lines()]


class CancelUnitsForm(UnitsForm):
    """Units that are not wanted any more, and why."""

    reason = forms.CharField(label=_("Reason"), max_length=200, widget=text_input())

    def given(self) -> Mapping[str, Any]:
        """What the verb takes."""
        return {"lines": self.lines(), "reason": self.cleaned_data["reason"]}


class ExchangeForm(UnitsForm):
    """What comes back, and the article that is sent for it."""

    sku = forms.CharField(label=_("Article to send (SKU)"), max_length=80, widget=text_input())
    quantity = forms.IntegerField(
        label=_("Units to send"), min_value=1, max_value=100_000, initial=1,
        widget=forms.NumberInput(attrs={"class": "oh-input"}),
    )  # fmt: skip
    unit_price = forms.DecimalField(
        label=_("Price per unit"), max_digits=13, decimal_places=4, min_value=0, required=False,
        help_text=_("Empty: as in the catalog, or what was paid for an article of the same list price."),
        widget=forms.NumberInput(attrs={"class": "oh-input", "step": "0.01"}),
    )  # fmt: skip
    reason = forms.ChoiceField(
        label=_("Reason"), choices=FollowUp.Reason.choices, initial=FollowUp.Reason.CHOICE,
        widget=forms.Select(attrs={"class": "oh-input"}),
    )  # fmt: skip
    detail = forms.CharField(label=_("Detail"), max_length=300, required=False, widget=text_input())
    return_expected = forms.BooleanField(label=_("The old goods come back"), required=False, initial=True)
    waive = forms.BooleanField(label=_("Give a higher price away"), required=False)

    def __init__(
        self,
        data: Any,
        order: Order,
        available: Callable[[OrderLine], int],
        help_text: Text,
        *,
        may_waive: bool,
    ) -> None:
        super().__init__(data, order, available, help_text)
        if not may_waive:
            del self.fields["waive"]

    def given(self) -> Mapping[str, Any]:
        """What the verb takes."""
        told = self.cleaned_data
        article = {"sku": told["sku"], "quantity": told["quantity"], "unit_price": told["unit_price"]}
        return {
            "lines": self.lines(), "goods": [article], "reason": told["reason"], "detail": told["detail"],
            "return_expected": told["return_expected"], "waive": bool(told.get("waive")),
        }  # fmt: skip


class ResendForm(UnitsForm):
    """What is sent once more, and what became of it."""

    reason = forms.ChoiceField(
        label=_("Reason"), choices=[(one.value, one.label) for one in RESENT_FOR],
        widget=forms.Select(attrs={"class": "oh-input"}),
    )  # fmt: skip
    parcel = forms.ChoiceField(
        label=_("Parcel that went wrong"), required=False, widget=forms.Select(attrs={"class": "oh-input"}),
        help_text=_("Lost and damaged ones are noted as a claim against the carrier."),
    )  # fmt: skip
    detail = forms.CharField(label=_("Detail"), max_length=300, required=False, widget=text_input())

    def __init__(
        self, data: Any, order: Order, available: Callable[[OrderLine], int], help_text: Text, *,
        parcels: Sequence[str],
    ) -> None:  # fmt: skip
        super().__init__(data, order, available, help_text)
        field: Any = self.fields["parcel"]
        field.choices = [("", _("not known")), *((number, number) for number in parcels)]

    def given(self) -> Mapping[str, Any]:
        """What the verb takes."""
        told = self.cleaned_data
        return {
            "lines": self.lines(), "reason": told["reason"], "detail": told["detail"], "parcel": told["parcel"],
        }  # fmt: skip


class MoveForm(forms.Form):
    """The warehouse that is to ship what has not left."""

    warehouse = forms.ChoiceField(
        label=_("Warehouse"), widget=forms.RadioSelect(attrs={"class": "oh-checks"})
    )
    reason = forms.CharField(label=_("Reason"), max_length=200, widget=text_input())

    def __init__(self, data: Any, places: Sequence[Warehouse]) -> None:
        super().__init__(data)
        field: Any = self.fields["warehouse"]
        field.choices = [(place.code, f"{named(place)} · {place.code}") for place in places]

    def given(self) -> Mapping[str, Any]:
        """What the verb takes."""
        return dict(self.cleaned_data)


class UndoForm(forms.Form):
    """Nothing to choose: the newest deed is undone, if it is still the one that was shown."""

    seq = forms.IntegerField(label="", widget=forms.HiddenInput())

    def given(self) -> Mapping[str, Any]:
        """What the verb takes."""
        return {"seq": self.cleaned_data["seq"]}


def _units(position: int) -> str:
    return f"units_{position}"
