"""The flow an order walks, by API: where it is, and what each decision decided."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orderhub.access.authentication import merchant_of
from orderhub.orders.flows import reading
from orderhub.orders.models import Order


class FlowRefOut(serializers.Serializer[Any]):
    """A drawn flow and its version."""

    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()
    version = serializers.IntegerField()


class FlowAtOut(serializers.Serializer[Any]):
    """Where the order stands; `waits` names what for, empty while it goes on."""

    node = serializers.CharField()
    step = serializers.CharField()
    name = serializers.CharField()
    waits = serializers.CharField()


class FlowToldOut(serializers.Serializer[Any]):
    """A fact that a decision looked at, and its value then."""

    fact = serializers.CharField()
    name = serializers.CharField()
    value = serializers.CharField()


class FlowStopOut(serializers.Serializer[Any]):
    """A node that was left: by which exit, on which condition, on which facts."""

    at = serializers.DateTimeField()
    by = serializers.CharField()
    node = serializers.CharField()
    step = serializers.CharField()
    name = serializers.CharField()
    exit = serializers.CharField()
    exit_name = serializers.CharField()
    why = serializers.CharField()
    told = FlowToldOut(many=True)


class OrderFlowOut(serializers.Serializer[Any]):
    """The flow of an order; `flow` is null for orders on the built-in journey or a flat list of steps."""

    flow = FlowRefOut(allow_null=True)
    at = FlowAtOut(allow_null=True)
    way = FlowStopOut(many=True)
    tags = serializers.ListField(child=serializers.CharField())


class OrderFlowView(APIView):
    """The way of an order through its flow."""

    scope = "orders"

    @extend_schema(responses={200: OrderFlowOut}, operation_id="orders_flow_retrieve")
    def get(self, request: Request, pk: int, *args: Any) -> Response:
        """Where the order stands in its flow, and the nodes it left, oldest first, each decision with its reason."""
        order = Order.objects.filter(pk=pk, merchant=merchant_of(request)).first()
        if order is None:
            raise Http404
        language = "zh" if (get_language() or "").startswith("zh") else "en"
        return Response(OrderFlowOut(reading.trace(order, language=language)).data)
