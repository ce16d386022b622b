"""The order as partners see it: serializers only, no decisions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from orderhub.events.kinds import get as kind_of
from orderhub.events.models import Event
from orderhub.fields import api_values
from orderhub.fulfillment import actions
from orderhub.fulfillment.models import FulfillmentLine, FulfillmentOrder, Parcel
from orderhub.kernel import clock
from orderhub.orders import sharing
from orderhub.orders.models import Hold, Order, OrderLine

#: What one order may hold.
MOST_LINES = 200
MOST_UNITS = 100_000
SERVICES = ("standard", "express", "economy")
#: An older order, or one from the future, has a wrong clock behind it.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
FUTURE = timedelta(days=1)


def extra_fits(value: dict[str, Any]) -> bool:
    """Whether custom fields keep to their size."""
    return len(value) <= 50 and len(str(value)) <= 8000


class Strict(serializers.Serializer[Any]):
    """A body whose every name is known: a misspelled field must not be lost in silence."""

    def to_internal_value(self, data: Any) -> Any:
        """As always, with unknown names among the errors."""
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)
        unknown = sorted(str(name) for name in data if name not in self.fields)[:20]
        errors: dict[str, Any] = {name[:80] or " ": [self._unknown()] for name in unknown}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as fault:
            if errors and isinstance(fault.detail, dict):
                raise serializers.ValidationError({**fault.detail, **errors}) from fault
            raise
        if errors:
            raise serializers.ValidationError(errors)
        return value

    def _unknown(self) -> ErrorDetail:
        known = ", ".join(self.fields)
        return ErrorDetail(_("Unknown field. Known are: %(known)s.") % {"known": known}, code="unknown_field")


class DestinationIn(Strict):
    """Where it goes; `country` is ISO 3166 alpha-2."""

    country = serializers.RegexField(r"^[A-Za-z]{2}$", default="CN")
    province = serializers.CharField(max_length=60)
    city = serializers.CharField(max_length=80)
    district = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    address = serializers.CharField(max_length=500)
    name = serializers.CharField(max_length=200)
    phone = serializers.CharField(max_length=60)
    postcode = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")
    email = serializers.CharField(max_length=254, required=False, allow_blank=True, default="")


class LineIn(Strict):
    """One line of a new order."""

    sku = serializers.CharField(max_length=80)
    quantity = serializers.IntegerField(min_value=1, max_value=MOST_UNITS)
    unit_price = serializers.DecimalField(max_digits=13, decimal_places=4, min_value=0)
    custom = api_values.CustomIn(required=False)


class OrderIn(Strict):
    """A new order."""

    external_id = serializers.CharField(max_length=100)
    channel = serializers.CharField(max_length=40, required=False, default="api")
    currency = serializers.RegexField(r"^[A-Z]{3}$", default="CNY")
    paid = serializers.BooleanField(default=False)
    placed_at = serializers.DateTimeField(required=False)
    destination = DestinationIn()
    lines = serializers.ListField(child=LineIn(), allow_empty=False, max_length=MOST_LINES)
    service = serializers.ChoiceField(choices=list(SERVICES), default="standard")
    green = serializers.BooleanField(default=False)
    note = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    extra = serializers.JSONField(required=False, default=dict)
    custom = api_values.CustomIn(required=False)

    def validate_extra(self, value: object) -> object:
        """Custom fields are a flat object of limited size."""
        if not isinstance(value, dict) or not extra_fits(value):
            raise serializers.ValidationError(
                _("Custom fields must be an object of at most 50 fields and 8,000 characters.")
            )
        return value

    def validate_placed_at(self, value: datetime) -> datetime:
        """A clock that is far off is told so at once; it would spoil every promise made from it."""
        if not EARLIEST <= value <= clock.now() + FUTURE:
            raise serializers.ValidationError(
                _(
                    "The time is before 2000 or more than a day ahead. Check the clock and the time zone it is written in."
                ),
                code="clock_far_off",
            )
        return value


class BulkIn(serializers.Serializer[Any]):
    """Up to 1,000 new orders."""

    orders = serializers.ListField(child=OrderIn(), allow_empty=False, max_length=1000)


class BulkResult(serializers.Serializer[Any]):
    """What became of one order of the call; `error` is a problem document."""

    index = serializers.IntegerField()
    status = serializers.ChoiceField(choices=["created", "unchanged", "refused"])
    external_id = serializers.CharField(allow_null=True)
    id = serializers.IntegerField(allow_null=True)
    number = serializers.CharField(allow_null=True)
    error = serializers.JSONField(allow_null=True)


class BulkOut(serializers.Serializer[Any]):
    """What became of a call's orders."""

    created = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = BulkResult(many=True)


class LineOut(serializers.ModelSerializer[OrderLine]):
    """A line with its quantity ledger."""

    sku = serializers.CharField(source="sku.code")
    custom = serializers.SerializerMethodField()

    class Meta:
        model = OrderLine
        fields = [
            "position", "sku", "name", "unit_price", "line_total", "discount", "ordered", "open", "backordered",
            "allocated", "released", "shipped", "cancelled", "delivered", "returned", "custom",
        ]  # fmt: skip

    def get_custom(self, line: OrderLine) -> dict[str, Any]:
        """Its custom fields."""
        return api_values.shown(line.order.merchant, "line", line.custom)


class HoldOut(serializers.ModelSerializer[Hold]):
    """A hold, active or released."""

    active = serializers.SerializerMethodField()
    text = serializers.CharField(source="get_reason_display")

    class Meta:
        model = Hold
        fields = ["reason", "text", "detail", "scope", "until", "placed_at", "released_at", "active"]

    def get_active(self, hold: Hold) -> bool:
        """Whether it still blocks."""
        return hold.released_at is None


class FulfillmentLineOut(serializers.ModelSerializer[FulfillmentLine]):
    """Units of one SKU."""

    sku = serializers.CharField(source="sku.code")

    class Meta:
        model = FulfillmentLine
        fields = ["sku", "quantity", "reserved", "shipped", "made_on"]


class ParcelOut(serializers.ModelSerializer[Parcel]):
    """A parcel."""

    custom = serializers.SerializerMethodField()

    class Meta:
        model = Parcel
        fields = [
            "id", "carrier", "tracking_number", "status", "status_at", "grams", "shipped_at", "delivered_at",
            "eta_from_at", "eta_to_at", "custom",
        ]  # fmt: skip

    def get_custom(self, parcel: Parcel) -> dict[str, Any]:
        """Its custom fields; the merchant is only asked for where there are any."""
        return api_values.shown(parcel.merchant, "parcel", parcel.custom) if parcel.custom else {}


class FulfillmentOut(serializers.ModelSerializer[FulfillmentOrder]):
    """What one warehouse ships."""

    warehouse = serializers.CharField(source="warehouse.code")
    carrier = serializers.CharField(source="rate_card.carrier")
    lines = FulfillmentLineOut(many=True)
    parcels = ParcelOut(many=True)

    class Meta:
        model = FulfillmentOrder
        fields = [
            "id", "number", "warehouse", "carrier", "state", "grams", "distance_km", "freight", "eta_from_at", "eta_to_at",
            "refusal", "created_at", "released_at", "shipped_at", "delivered_at", "lines", "parcels",
        ]  # fmt: skip


class OrderBrief(serializers.ModelSerializer[Order]):
    """An order in a list."""

    number = serializers.CharField()
    channel = serializers.CharField(source="channel.code")
    paid = serializers.SerializerMethodField()
    custom = serializers.SerializerMethodField()
    tracking_url = serializers.SerializerMethodField()

    class Meta:
        model = Order
        fields = [
            "id", "number", "external_id", "channel", "source", "stage", "paid", "currency", "goods_total",
            "discount_total", "total", "placed_at", "received_at", "promised_at", "green", "service", "waiting_for",
            "tracking_url", "version", "custom",
        ]  # fmt: skip

    def get_paid(self, order: Order) -> bool:
        """Whether payment arrived."""
        return order.payment == Order.Payment.PAID

    def get_custom(self, order: Order) -> dict[str, Any]:
        """Its custom fields."""
        return api_values.shown(order.merchant, "order", order.custom)

    def get_tracking_url(self, order: Order) -> str:
        """The public page of this order."""
        return f"{settings.PUBLIC_URL}{sharing.tracking_path(order)}"


class OrderOut(OrderBrief):
    """An order whole."""

    destination = serializers.SerializerMethodField()
    lines = LineOut(many=True)
    holds = HoldOut(many=True)
    fulfillment_orders = FulfillmentOut(many=True, source="fulfillments")
    supported_actions = serializers.SerializerMethodField()

    class Meta(OrderBrief.Meta):
        fields = [
            *OrderBrief.Meta.fields,
            "note",
            "extra",
            "destination",
            "lines",
            "holds",
            "fulfillment_orders",
            "split_from",
            "merged_into",
            "supported_actions",
        ]

    def get_supported_actions(self, order: Order) -> list[str]:
        """The verbs that would do something now."""
        return actions.of(order)

    def get_destination(self, order: Order) -> dict[str, str]:
        """The address as given; only the merchant's own callers get here."""
        return _destination(order)


def _destination(order: Order) -> dict[str, str]:
    person = order.person
    return {
        "country": order.country, "province": order.province, "city": order.city, "district": order.district,
        "address": person.address, "name": person.name, "phone": person.phone, "postcode": person.postcode,
    }  # fmt: skip


class EventOut(serializers.ModelSerializer[Event]):
    """One fact of the order's log, with its words."""

    text = serializers.SerializerMethodField()

    class Meta:
        model = Event
        fields = ["seq", "kind", "text", "occurred_at", "recorded_at", "actor", "payload", "hash"]

    def get_text(self, event: Event) -> str:
        """The kind's words in the caller's language."""
        kind = kind_of(event.kind)
        request = self.context.get("request")
        return kind.en if str(getattr(request, "LANGUAGE_CODE", "")).startswith("en") else kind.zh


class ReasonIn(serializers.Serializer[Any]):
    """Why somebody does it."""

    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class HoldIn(serializers.Serializer[Any]):
    """A hold to place."""

    reason = serializers.ChoiceField(choices=Hold.Reason.choices, default=Hold.Reason.MANUAL)
    detail = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    until = serializers.DateTimeField(required=False, allow_null=True, default=None)


# ---- the same document, quickly -----------------------------------------------------------------


def order_document(order: Order) -> dict[str, Any]:
    """`OrderOut(order).data` for an order with lines, holds and fulfillments at hand, at a fraction of the work.

    What the plain parts look like is written out here; every other field is asked of the serializer.
    """
    found: dict[str, Any] = _plain(order)
    for name, field in _other_fields().items():
        found[name] = field.to_representation(field.get_attribute(order))
    return found


def _plain(order: Order) -> dict[str, Any]:
    found: dict[str, Any] = {name: getattr(order, name) for name in _AS_IS}
    found |= {
        "channel": order.channel.code, "stage": str(order.stage), "paid": order.payment == Order.Payment.PAID,
        "goods_total": f"{order.goods_total:.2f}", "discount_total": f"{order.discount_total:.2f}",
        "total": f"{order.total:.2f}", "placed_at": _moment(order.placed_at),
        "received_at": _moment(order.received_at), "promised_at": _moment(order.promised_at),
        "tracking_url": f"{settings.PUBLIC_URL}{sharing.tracking_path(order)}",
        "destination": _destination(order), "lines": [_line(line, order) for line in order.lines.all()],
        "custom": api_values.shown(order.merchant, "order", order.custom),
    }  # fmt: skip
    return found


_AS_IS = (
    "id", "number", "external_id", "source", "currency", "green", "service", "waiting_for", "version", "note",
    "extra",
)  # fmt: skip
_WRITTEN_OUT = frozenset({
    *_AS_IS, "channel", "stage", "paid", "goods_total", "discount_total", "total", "placed_at", "received_at",
    "promised_at", "tracking_url", "destination", "lines", "custom",
})  # fmt: skip
_COUNTS = (
    "ordered", "open", "backordered", "allocated", "released", "shipped", "cancelled", "delivered", "returned",
)  # fmt: skip


def _line(line: OrderLine, order: Order) -> dict[str, Any]:
    return {
        "position": line.position, "sku": line.sku.code, "name": line.name, "unit_price": f"{line.unit_price:.4f}",
        "line_total": f"{line.line_total:.2f}", "discount": f"{line.discount:.2f}",
        **{name: getattr(line, name) for name in _COUNTS},
        "custom": api_values.shown(order.merchant, "line", line.custom),
    }  # fmt: skip


def _moment(value: datetime | None) -> str | None:
    """As DRF writes it: in the hub's time zone."""
    if value is None:
        return None
    text = timezone.localtime(value).isoformat()
    return f"{text[:-6]}Z" if text.endswith("+00:00") else text


@cache
def _other_fields() -> dict[str, Any]:
    fields = OrderOut().fields
    return {name: field for name, field in fields.items() if name not in _WRITTEN_OUT}
