"""Carts tried on promotions by API: for checkouts, and for the page where promotions are written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import Http404
from django.utils.translation import get_language
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
from orderhub.orders.models import Channel, Order, Pricing
from orderhub.orders.promotions import carts, explaining, trying
from orderhub.orders.promotions.trying import Trial, TriedLine
from rules.engine import RuleError
from rules.models import RuleSet

MOST_LINES = 100
MOST_UNITS = 100_000
_MOST_SPLITS = 20


class TryLineIn(Strict):
    """Units of one SKU, at its list price unless another is given."""

    sku = serializers.CharField(max_length=80)
    quantity = serializers.IntegerField(min_value=1, max_value=MOST_UNITS)
    unit_price = serializers.DecimalField(
        max_digits=14, decimal_places=4, min_value=Decimal(0), required=False
    )


class TryCartIn(Strict):
    """A cart, where and by whom it is bought."""

    lines = serializers.ListField(child=TryLineIn(), allow_empty=False, max_length=MOST_LINES)
    channel = serializers.CharField(max_length=40)
    currency = serializers.RegexField(r"^[A-Z]{3}$", default="CNY")
    country = serializers.RegexField(r"^[A-Za-z]{2}$", default="CN")
    province = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    city = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    coupons = serializers.ListField(child=serializers.CharField(max_length=80), max_length=20, default=list)
    member_level = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    buyer = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    at = serializers.DateTimeField(required=False, help_text="The moment it is bought; now if left out.")
    draft = serializers.SlugField(
        max_length=40,
        required=False,
        help_text="The code of a rule set of this merchant, to try it unpublished.",
    )


class TriedLineOut(serializers.Serializer[Any]):
    """What comes off a line."""

    position = serializers.IntegerField()
    sku = serializers.CharField()
    units = serializers.IntegerField()
    total = serializers.CharField()
    off = serializers.CharField()


class TriedGiftOut(serializers.Serializer[Any]):
    """A gift; `instead_of` names the SKU it replaces."""

    sku = serializers.CharField()
    units = serializers.IntegerField()
    instead_of = serializers.CharField(allow_blank=True)


class AppliedOut(serializers.Serializer[Any]):
    """A promotion that counted: what it took off which line (by position), and its gifts."""

    promotion = serializers.CharField()
    name = serializers.CharField()
    version = serializers.IntegerField()
    off = serializers.CharField()
    lines = serializers.DictField(child=serializers.CharField())
    gifts = TriedGiftOut(many=True)
    missing_gifts = serializers.ListField(child=serializers.CharField())
    is_capped = serializers.BooleanField()
    free_shipping = serializers.BooleanField()
    text = serializers.CharField()


class SkippedOut(serializers.Serializer[Any]):
    """A promotion that did not count, and why."""

    promotion = serializers.CharField()
    name = serializers.CharField()
    version = serializers.IntegerField()
    code = serializers.CharField()
    text = serializers.CharField()


class TryCartOut(serializers.Serializer[Any]):
    """What the cart costs, line by line and promotion by promotion."""

    currency = serializers.CharField()
    goods = serializers.CharField()
    discount = serializers.CharField()
    lines = TriedLineOut(many=True)
    applied = AppliedOut(many=True)
    skipped = SkippedOut(many=True)


class OrderPricingOut(TryCartOut):
    """How an order was priced: by which versions, with which gifts (by position), and why not otherwise."""

    order = serializers.IntegerField()
    versions = serializers.DictField(child=serializers.IntegerField())
    free_shipping = serializers.BooleanField()
    gifts = serializers.ListField(child=serializers.DictField())
    priced_at = serializers.DateTimeField(allow_null=True)
    skipped_more = serializers.IntegerField()


_ASKED = OpenApiExample(
    "Two lamps with a coupon",
    value={
        "lines": [{"sku": "LAMP", "quantity": 2}], "channel": "api", "province": "浙江省", "coupons": ["SPRING"],
    },
    request_only=True,
)  # fmt: skip


class TryCartView(APIView):
    """What promotions make of a cart."""

    scope = "promotions"
    #: Asked by POST because a cart is a body; nothing is written.
    only_reads = True
    action = "try"

    @extend_schema(
        request=TryCartIn,
        responses={200: TryCartOut},
        examples=[_ASKED],
        operation_id="promotions_try_create",
    )
    def post(self, request: Request, *args: Any) -> Response:
        """What each promotion takes off which line, which gifts come along, and why the others do not count.

        Nothing is written: limits and gifts are taken when the order is priced.
        """
        body = TryCartIn(data=request.data)
        body.is_valid(raise_exception=True)
        asked, merchant = body.validated_data, merchant_of(request)
        trial = Trial(
            channel=_channel(asked["channel"], merchant),
            lines=_lines(asked["lines"], merchant),
            **{
                name: asked[name]
                for name in ("currency", "province", "city", "coupons", "member_level", "buyer")
            },
            country=asked["country"].upper(),
        )
        try:
            found = trying.try_cart(
                trial, now=asked.get("at") or clock.now(), draft=_draft(asked.get("draft"), merchant)
            )
        except RuleError as fault:
            zh = (get_language() or "").startswith("zh")
            said = f"{fault.path}: {fault.zh if zh else fault.en}"
            raise ValidationError({"draft": [ErrorDetail(said, "bad_rule")]}) from fault
        return Response(TryCartOut(found).data)


class OrderPricingView(APIView):
    """Why an order costs what it costs."""

    scope = "orders"

    @extend_schema(responses={200: OrderPricingOut}, operation_id="orders_pricing_retrieve")
    def get(self, request: Request, pk: int, *args: Any) -> Response:
        """What each promotion took off which line, by which version of its set, and why others did not count.

        A part of an order that was split tells of the order it was priced with (`order`).
        """
        order = Order.objects.filter(pk=pk, merchant=merchant_of(request)).first()
        if order is None:
            raise Http404
        return Response(OrderPricingOut(_priced(order)).data)


def _priced(order: Order) -> dict[str, Any]:
    """The explanation of an order, or of the one it was split from; an empty one where no promotion was asked about."""
    whole: Order | None = order
    for _level in range(_MOST_SPLITS):
        found = Pricing.objects.filter(order=whole).first()
        if found is not None:
            told = {
                name: getattr(found, name) for name in ("versions", "free_shipping", "gifts", "priced_at")
            }
            return {**explaining.told(found.explanation), **told, "order": found.order_id}
        whole = whole.split_from if whole is not None else None
        if whole is None:
            break
    return {
        "order": order.pk, "currency": order.currency, "goods": f"{order.goods_total:.2f}",
        "discount": f"{order.discount_total:.2f}", "lines": [], "applied": [], "skipped": [], "skipped_more": 0,
        "versions": {}, "free_shipping": False, "gifts": [], "priced_at": None,
    }  # fmt: skip


def _channel(code: str, merchant: Merchant) -> Channel:
    found = Channel.objects.filter(merchant=merchant, code=code).select_related("merchant").first()
    if found is None:
        raise ValidationError({"channel": [ErrorDetail(_("There is no such channel."), "unknown_channel")]})
    return found


def _draft(code: str | None, merchant: Merchant) -> RuleSet | None:
    if code is None:
        return None
    found = RuleSet.objects.filter(purpose=carts.PURPOSE, code=code, scope=f"merchant:{merchant.pk}").first()
    if found is None:
        raise ValidationError(
            {"draft": [ErrorDetail(_("This merchant has no such rule set."), "unknown_draft")]}
        )
    return found


def _lines(lines: list[dict[str, Any]], merchant: Merchant) -> list[TriedLine]:
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
    return [
        TriedLine(skus[line["sku"]], line["quantity"], line.get("unit_price", skus[line["sku"]].price))
        for line in lines
    ]
