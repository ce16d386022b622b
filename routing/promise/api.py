"""Promises for checkouts by API."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orderhub.access.authentication import merchant_of
from orderhub.access.models import Merchant
from orderhub.fulfillment.documents import Strict
from orderhub.inventory.models import Sku
from orderhub.kernel import clock
from orderhub.orders.models import Channel
from routing.promise import places, quoting
from routing.promise.quoting import Cart, Option
from routing.promise.words import reason_text

MOST_LINES = 100
MOST_UNITS = 100_000


class CartLineIn(Strict):
    """Units of one SKU in the cart."""

    sku = serializers.CharField(max_length=80)
    quantity = serializers.IntegerField(min_value=1, max_value=MOST_UNITS)


class CartPlaceIn(Strict):
    """Where the cart goes: the address of an order, or only its region or Chinese postcode."""

    country = serializers.RegexField(r"^[A-Za-z]{2}$", default="CN")
    province = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    city = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    district = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    address = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    name = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    phone = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    postcode = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")
    email = serializers.CharField(max_length=254, required=False, allow_blank=True, default="")


class PromiseIn(Strict):
    """A cart and where it goes."""

    lines = serializers.ListField(child=CartLineIn(), allow_empty=False, max_length=MOST_LINES)
    destination = CartPlaceIn()
    options = serializers.ListField(
        child=serializers.ChoiceField(quoting.OPTIONS),
        required=False,
        allow_empty=False,
        max_length=len(quoting.OPTIONS),
        help_text="Only these ways of delivery; all four if left out.",
    )
    channel = serializers.CharField(
        max_length=40, required=False, help_text="Channel code, where a channel has a strategy of its own."
    )


class PickUpOut(serializers.Serializer[Any]):
    """The store to fetch the goods from."""

    city = serializers.CharField()
    address = serializers.CharField()
    distance_km = serializers.DecimalField(max_digits=8, decimal_places=2)


class ShortOut(serializers.Serializer[Any]):
    """Units that are missing of one SKU."""

    sku = serializers.CharField()
    quantity = serializers.IntegerField()


class SavingOut(serializers.Serializer[Any]):
    """What green delivery saves against the named baseline; kept as told once such an order is planned."""

    average_kgco2e = serializers.DecimalField(
        max_digits=12,
        decimal_places=3,
        help_text="Share of the round and lane before and after: moves the inventory.",
    )
    marginal_kgco2e = serializers.DecimalField(
        max_digits=12, decimal_places=3, allow_null=True,
        help_text="What this order changes in the rounds as they stand; null where orders are not pooled.",
    )  # fmt: skip
    baseline = serializers.CharField(help_text="What it is compared with.")
    baseline_kgco2e = serializers.DecimalField(max_digits=12, decimal_places=3)
    method = serializers.CharField()


class PromiseOptionOut(serializers.Serializer[Any]):
    """One way of delivery; without `available` the reason says why and dates, price and carbon are null."""

    option = serializers.ChoiceField(quoting.OPTIONS)
    available = serializers.BooleanField()
    reason = serializers.CharField(help_text="Machine code; empty if available.")
    reason_text = serializers.CharField()
    arrives_from = serializers.DateField(allow_null=True, help_text="Local date at the destination.")
    arrives_to = serializers.DateField(allow_null=True, help_text="Local date at the destination.")
    price = serializers.DecimalField(
        max_digits=12,
        decimal_places=2,
        allow_null=True,
        help_text="Freight; null where its currencies differ.",
    )
    currency = serializers.CharField()
    kgco2e = serializers.DecimalField(
        max_digits=12, decimal_places=3, allow_null=True, help_text="kg CO2e of the way to the customer."
    )
    saving = SavingOut(
        allow_null=True, help_text="Only of green delivery that emits less than the standard one."
    )
    parcels = serializers.IntegerField()
    expires_at = serializers.DateTimeField(help_text="Ask again after this.")
    short = ShortOut(many=True)
    earliest = serializers.DateField(
        allow_null=True, help_text="Local date from which expected receipts would allow it."
    )
    pick_up_at = PickUpOut(allow_null=True)


class PromiseOut(serializers.Serializer[Any]):
    """What can be promised, in the order standard, express, green, pick-up."""

    quoted_at = serializers.DateTimeField()
    options = PromiseOptionOut(many=True)


_ASKED = OpenApiExample(
    "A cart to Hangzhou",
    value={
        "lines": [{"sku": "LAMP", "quantity": 2}],
        "destination": {"country": "CN", "province": "浙江省", "city": "杭州市"},
    },
    request_only=True,
)
_ASKED_BY_POSTCODE = OpenApiExample(
    "Two SKUs to a postcode",
    value={
        "lines": [{"sku": "LAMP", "quantity": 1}, {"sku": "CUP", "quantity": 4}],
        "destination": {"postcode": "310012"},
        "options": ["standard", "green"],
    },
    request_only=True,
)
_TOLD = OpenApiExample(
    "One that can, one that cannot",
    value={
        "quoted_at": "2026-11-22T10:00:00+08:00",
        "options": [
            {
                "option": "standard", "available": True, "reason": "", "reason_text": "",
                "arrives_from": "2026-11-23", "arrives_to": "2026-11-24", "price": "6.00", "currency": "CNY",
                "kgco2e": "0.214", "saving": None, "parcels": 1, "expires_at": "2026-11-22T10:15:00+08:00", "short": [],
                "earliest": None, "pick_up_at": None,
            },
            {
                "option": "pick_up", "available": False, "reason": "no_store_near",
                "reason_text": "No store is within 60 km", "arrives_from": None, "arrives_to": None, "price": None,
                "currency": "", "kgco2e": None, "saving": None, "parcels": 0, "expires_at": "2026-11-22T10:15:00+08:00",
                "short": [], "earliest": None, "pick_up_at": None,
            },
        ],
    },
    response_only=True,
)  # fmt: skip


class PromiseView(APIView):
    """What a checkout may promise."""

    scope = "promises"
    #: Asked by POST because a cart is a body; nothing is written.
    only_reads = True
    action = "promise"

    @extend_schema(
        request=PromiseIn,
        responses={200: PromiseOut},
        examples=[_ASKED, _ASKED_BY_POSTCODE, _TOLD],
        operation_id="routing_promise_create",
    )
    def post(self, request: Request, *args: Any) -> Response:
        """Dates, freight and carbon for a cart by standard, express, green delivery and pick-up.

        Nothing is kept for the cart: `POST /stock/reservations/` does that. Where the goods lie is not told.
        """
        body = PromiseIn(data=request.data)
        body.is_valid(raise_exception=True)
        asked, merchant = body.validated_data, merchant_of(request)
        cart = Cart(
            merchant_id=merchant.pk,
            units=_units(asked["lines"], merchant),
            spot=_spot(asked["destination"]),
            now=clock.now(),
            channel_id=_channel(asked.get("channel", ""), merchant),
        )
        found = quoting.quote(cart, asked.get("options", quoting.OPTIONS))
        document = {"quoted_at": cart.now, "options": [_option(option) for option in found]}
        return Response(PromiseOut(document).data)


def _units(lines: list[dict[str, Any]], merchant: Merchant) -> dict[Sku, int]:
    """Units by SKU, lines of one SKU together; 400 names the lines whose SKU is unknown or switched off."""
    rows = Sku.objects.filter(merchant=merchant, code__in={line["sku"] for line in lines}, is_active=True)
    skus = {sku.code: sku for sku in rows}
    errors = [
        {}
        if line["sku"] in skus
        else {"sku": [ErrorDetail(_("There is no such SKU, or it is switched off."), "unknown_sku")]}
        for line in lines
    ]
    if any(errors):
        raise ValidationError({"lines": errors})
    found: dict[Sku, int] = {}
    for line in lines:
        sku = skus[line["sku"]]
        found[sku] = found.get(sku, 0) + line["quantity"]
    return found


def _spot(destination: dict[str, str]) -> places.Spot:
    try:
        return places.locate(destination)
    except places.Unknown as fault:
        said = ErrorDetail(
            _("There is no such place. Give a province and city, or a postcode."), "unknown_region"
        )
        raise ValidationError({"destination": {fault.field: [said]}}) from None


def _channel(code: str, merchant: Merchant) -> int:
    if not code:
        return 0
    found = Channel.objects.filter(merchant=merchant, code=code).values_list("pk", flat=True).first()
    if found is None:
        raise ValidationError({"channel": [ErrorDetail(_("There is no such channel."), "unknown_channel")]})
    return found


def _option(option: Option) -> dict[str, Any]:
    return {
        "option": option.option,
        "available": option.is_available,
        "reason": option.reason,
        "reason_text": reason_text(option.reason),
        "arrives_from": option.arrives_from,
        "arrives_to": option.arrives_to,
        "price": option.price,
        "currency": option.currency,
        "kgco2e": option.kgco2e,
        "saving": option.saving,
        "parcels": option.parcels,
        "expires_at": option.expires_at,
        "short": [{"sku": code, "quantity": units} for code, units in sorted(option.short.items())],
        "earliest": option.earliest,
        "pick_up_at": option.store,
    }
