"""What the order's verbs take by API, and the document of an address change; serializers only."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from orderhub.fulfillment import parting
from orderhub.fulfillment.deeds import DEEDS
from orderhub.fulfillment.documents import DestinationIn
from orderhub.fulfillment.replacing import RESENT_FOR
from orderhub.orders.models import AddressChange, FollowUp

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


def _lines() -> serializers.ListField:
    return serializers.ListField(child=PortionIn(), allow_empty=False, max_length=200)


class CancelUnitsIn(serializers.Serializer[Any]):
    """The units that are not wanted any more."""

    lines = _lines()
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class MoveIn(serializers.Serializer[Any]):
    """The warehouse, by code, that is to ship what has not left."""

    warehouse = serializers.CharField(max_length=40)
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class ArticleIn(serializers.Serializer[Any]):
    """Units of an article to send; without a price as in the catalog, or as paid for one of the same list price."""

    sku = serializers.CharField(max_length=80)
    quantity = serializers.IntegerField(min_value=1, max_value=1_000_000)
    unit_price = serializers.DecimalField(max_digits=13, decimal_places=4, min_value=0, required=False)


class ExchangeIn(serializers.Serializer[Any]):
    """What the customer sends back (`lines`), and what they get for it (`goods`)."""

    lines = _lines()
    goods = serializers.ListField(child=ArticleIn(), allow_empty=False, max_length=200)
    reason = serializers.ChoiceField(choices=FollowUp.Reason.choices, default=FollowUp.Reason.CHOICE)
    detail = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    waive = serializers.BooleanField(default=False, help_text="Give a higher price away.")
    return_expected = serializers.BooleanField(default=True)


class ResendIn(serializers.Serializer[Any]):
    """What is sent once more, and why; `parcel` is the tracking number of the one that went wrong."""

    lines = _lines()
    reason = serializers.ChoiceField(choices=[(one.value, one.label) for one in RESENT_FOR])
    detail = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    parcel = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")


class UndoIn(serializers.Serializer[Any]):
    """`seq` of the event to undo, so that nothing newer is undone by mistake."""

    seq = serializers.IntegerField(min_value=1, required=False)


class PreviewIn(serializers.Serializer[Any]):
    """A verb by name, and the body it would be asked with."""

    verb = serializers.ChoiceField(choices=sorted(DEEDS))
    given = serializers.DictField(required=False, default=dict)


class StandingOut(serializers.Serializer[Any]):
    """An order as it stands before or after."""

    stage = serializers.CharField()
    currency = serializers.CharField()
    total = serializers.CharField()
    due_back = serializers.CharField(help_text="What of the payment belongs to the buyer again.")
    holds = serializers.ListField(child=serializers.CharField())
    lines = serializers.ListField(child=serializers.DictField())
    fulfillment_orders = serializers.ListField(child=serializers.DictField())


class PreviewOrder(serializers.Serializer[Any]):
    """What becomes of one order; a new one has no `id` and no `before` yet, and its number may turn out another."""

    id = serializers.IntegerField(allow_null=True)
    number = serializers.CharField()
    is_new = serializers.BooleanField()
    before = StandingOut(allow_null=True)
    after = StandingOut(allow_null=True)


class PreviewSystem(serializers.Serializer[Any]):
    """A message that a connected system would get; `because` is the event that asks for it."""

    connection = serializers.CharField()
    role = serializers.CharField()
    operation = serializers.CharField()
    text = serializers.CharField()
    because = serializers.CharField()
    when = serializers.ChoiceField(choices=["now", "next", "if_agreed"])


class PreviewOut(serializers.Serializer[Any]):
    """What a verb would do; nothing was done. `undo` says how it could be undone, empty where it cannot."""

    verb = serializers.CharField()
    sentences = serializers.ListField(child=serializers.CharField())
    undo = serializers.CharField(allow_blank=True)
    orders = PreviewOrder(many=True)
    recalled = serializers.ListField(child=serializers.CharField())
    systems = PreviewSystem(many=True)
