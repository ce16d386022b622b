"""The forms of the verbs that need more than a reason: which units, which orders, which address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from orderhub.fulfillment.parting import Portion
from orderhub.fulfillment.verbs import ReasonForm, text_input
from orderhub.inventory.admin_base import is_chinese
from orderhub.orders import admin_words, parting
from orderhub.orders.addresses import Address
from orderhub.orders.models import AddressChange, Order


class SplitForm(ReasonForm):
    """How many units of each line go into an order of their own."""

    field_order: Sequence[str] = ()

    def __init__(self, data: Any, order: Order, chosen: Mapping[int, int]) -> None:
        super().__init__(data)
        self._positions: list[int] = []
        self._left = 0
        for line in order.lines.all():
            left = parting.movable(line)
            if not left:
                continue
            name = line.name if is_chinese() else line.sku.name_en or line.name
            self.fields[_units(line.position)] = forms.IntegerField(
                label=f"{name} · {line.sku.code}",
                help_text=_("Units that move, of %(count)d") % {"count": left},
                min_value=0, max_value=left, initial=chosen.get(line.position, 0),
                widget=forms.NumberInput(attrs={"class": "oh-input"}),
            )  # fmt: skip
            self._positions.append(line.position)
            self._left += left
        self.order_fields([*map(_units, self._positions), "reason"])
        self.fields["reason"].widget = text_input()

    def clean(self) -> dict[str, Any]:
        """Some units go, and some stay."""
        found: dict[str, Any] = super().clean() or self.cleaned_data
        moving = sum(portion.quantity for portion in self.portions())
        if not self.errors and not moving:
            raise forms.ValidationError(_("Choose at least one unit to move."))
        if not self.errors and moving == self._left:
            raise forms.ValidationError(_("Leave at least one unit."))
        return found

    def portions(self) -> list[Portion]:
        """What was chosen."""
        units = [(position, self.cleaned_data.get(_units(position)) or 0) for position in self._positions]
        return [Portion(position, quantity) for position, quantity in units if quantity]


class MergeForm(ReasonForm):
    """Which of the other orders to the same receiver join."""

    field_order = ("orders", "reason")
    orders = forms.MultipleChoiceField(
        label=_("Other open orders to the same address"),
        widget=forms.CheckboxSelectMultiple(attrs={"class": "oh-checks"}),
    )

    def __init__(self, data: Any, candidates: Sequence[Order]) -> None:
        super().__init__(data)
        field: Any = self.fields["orders"]
        field.choices = [
            (
                str(order.pk),
                f"{order.number} · {order.external_id} · {admin_words.money(order.total, order.currency)}",
            )
            for order in candidates
        ]
        self.fields["orders"].initial = [str(order.pk) for order in candidates]


class DecisionForm(forms.Form):
    """What becomes of an address change that cannot be done whole."""

    way = forms.ChoiceField(label=_("What now"), widget=forms.RadioSelect(attrs={"class": "oh-checks"}))

    def __init__(self, data: Any, *, can_split: bool) -> None:
        super().__init__(data)
        field: Any = self.fields["way"]
        split = ("split", _("Send what came back to the new address"))
        drop = ("drop", _("Send all of it to the old address"))
        field.choices = [split, drop] if can_split else [drop]


class AddressForm(ReasonForm):
    """The new address; name and telephone stay as they are where left empty."""

    field_order = (
        "country", "province", "city", "district", "address", "postcode", "name", "phone", "requested_by", "reason",
    )  # fmt: skip
    country = forms.CharField(
        label=_("Country (two letters)"), max_length=2, min_length=2, widget=text_input()
    )
    province = forms.CharField(label=_("Province"), max_length=60, widget=text_input())
    city = forms.CharField(label=_("City"), max_length=80, widget=text_input())
    district = forms.CharField(label=_("District"), max_length=80, required=False, widget=text_input())
    address = forms.CharField(label=_("Street and number"), max_length=500, widget=text_input())
    postcode = forms.CharField(label=_("Postcode"), max_length=20, required=False, widget=text_input())
    name = forms.CharField(
        label=_("Receiver"), max_length=200, required=False, widget=text_input(),
        help_text=_("Empty: as it is."),
    )  # fmt: skip
    phone = forms.CharField(
        label=_("Telephone"), max_length=60, required=False, widget=text_input(),
        help_text=_("Empty: as it is."),
    )  # fmt: skip
    requested_by = forms.ChoiceField(
        label=_("Asked for by"), choices=AddressChange.By.choices, initial=AddressChange.By.CUSTOMER,
        widget=forms.Select(attrs={"class": "oh-input"}),
    )  # fmt: skip

    def __init__(self, data: Any, order: Order) -> None:
        super().__init__(data)
        for name in ("country", "province", "city", "district"):
            self.fields[name].initial = getattr(order, name)

    def wanted(self) -> Address:
        """What was entered."""
        given = self.cleaned_data
        return Address(
            country=given["country"], province=given["province"], city=given["city"],
            district=given["district"], address=given["address"], postcode=given["postcode"],
            name=given["name"] or None, phone=given["phone"] or None,
        )  # fmt: skip


def _units(position: int) -> str:
    return f"units_{position}"
