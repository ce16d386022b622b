"""Carbon figures by API."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from carbon import queries
from orderhub.access.authentication import merchant_of
from orderhub.orders.models import Order


class CarbonLine(serializers.Serializer[Any]):
    """One order line's part of the headline figure."""

    position = serializers.IntegerField()
    sku = serializers.CharField()
    kg = serializers.CharField()
    by_stage = serializers.DictField(child=serializers.CharField())


class CarbonFigure(serializers.Serializer[Any]):
    """The figure of one basis: kg CO2e by location basis, its p5–p95 band, and by market basis."""

    kg = serializers.CharField()
    low = serializers.CharField()
    high = serializers.CharField()
    market_kg = serializers.CharField()
    primary_share = serializers.CharField()
    by_stage = serializers.DictField(child=serializers.CharField())
    is_whole = serializers.BooleanField(help_text="Whether every consignment has the figures of its way.")


class CarbonElement(serializers.Serializer[Any]):
    """One element of a chain with the factors it used."""

    subject = serializers.CharField(help_text="fulfillment:<id> or parcel:<id>")
    stage = serializers.CharField()
    element = serializers.CharField()
    factor = serializers.CharField()
    factors = serializers.ListField(child=serializers.CharField())
    kg = serializers.CharField()
    market_kg = serializers.CharField()
    data_type = serializers.ChoiceField(choices=["primary", "modelled", "default"])
    flags = serializers.ListField(child=serializers.CharField())


class OrderCarbon(serializers.Serializer[Any]):
    """An order's carbon figures; all kg are decimal strings in kg CO2e, and the lines add up to `kg`
    exactly.
    """

    basis = serializers.ChoiceField(choices=["estimate", "actual"])
    kg = serializers.CharField()
    low = serializers.CharField()
    high = serializers.CharField()
    lines = CarbonLine(many=True)
    estimate = CarbonFigure(allow_null=True)
    actual = CarbonFigure(allow_null=True)
    elements = CarbonElement(many=True)
    method = serializers.CharField()
    year = serializers.CharField()
    primary_share = serializers.CharField()
    explanation = serializers.CharField()


class OrderCarbonView(APIView):
    """What an order costs the air."""

    scope = "orders"

    @extend_schema(responses={200: OrderCarbon}, operation_id="orders_carbon_retrieve")
    def get(self, request: Request, pk: int, *args: Any) -> Response:
        """Estimate and actual figures by line, stage and element; 404 before the order has been routed."""
        order = Order.objects.filter(pk=pk, merchant=merchant_of(request)).first()
        language = str(getattr(request, "LANGUAGE_CODE", "zh-hans"))
        document = None if order is None else queries.of_order(order, language=language)
        if document is None:
            raise Http404
        return Response(document)
