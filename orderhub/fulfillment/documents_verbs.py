"""What the order's verbs take by API, and the document of an address change; serializers only."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from orderhub.fulfillment import parting
from orderhub.fulfillment.documents import DestinationIn
from orderhub.orders.models import AddressChange

#: What a caller can still do when an address change did not come about.
REMEDIES = {
    AddressChange.State.ASKING: _("The warehouse has been asked; look again for its answer."),
    AddressChange.State.TOO_LATE: _("Have the parcel intercepted, or take it back as a return."),
    AddressChange.State.DECIDING: _("Some of it can still be turned: somebody has to decide about the rest."),
    AddressChange.State.PARTLY: _("What came back goes to the new address; the rest went on to the old one."),
    AddressChange.State.REFUSED: _("Nothing to do: the order was cancelled."),
}


class PortionIn(serializers.Serializer[Any]):
    """Units of one line, by its position."""

    position = serializers.IntegerField(min_value=1, max_value=32767)
    quantity = serializers.IntegerField(min_value=1, max_value=1_000_000)


class SplitIn(serializers.Serializer[Any]):
    """What moves into an order of its own."""

    lines = serializers.ListField(child=PortionIn(), allow_empty=False, max_length=200)
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class MergeIn(serializers.Serializer[Any]):
    """The other orders, by id."""

    orders = serializers.ListField(
        child=serializers.IntegerField(min_value=1), allow_empty=False, max_length=parting.MOST - 1
    )
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class AddressChangeIn(serializers.Serializer[Any]):
    """The whole new address, and who wants it."""

    destination = DestinationIn()
    requested_by = serializers.ChoiceField(
        choices=AddressChange.By.choices, default=AddressChange.By.CUSTOMER
    )
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class AddressChangeOut(serializers.ModelSerializer[AddressChange]):
    """A change of address as it stands; `destination` is the new one."""

    text = serializers.CharField(source="get_state_display")
    remedy = serializers.SerializerMethodField()
    destination = serializers.SerializerMethodField()

    class Meta:
        model = AddressChange
        fields = [
            "id", "state", "text", "remedy", "requested_by", "reason", "destination", "asked", "answer",
            "requested_at", "settled_at",
        ]  # fmt: skip

    def get_remedy(self, change: AddressChange) -> str:
        """What to do about it, if anything."""
        return str(REMEDIES.get(AddressChange.State(change.state), ""))

    def get_destination(self, change: AddressChange) -> dict[str, str]:
        """Where it should go; only the merchant's own callers get here."""
        person = change.new_person
        who = {name: getattr(person, name) for name in ("address", "name", "phone", "postcode")}
        return {**change.new_place, **who}
