"""Who has acknowledged what of an order, by API."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orderhub.access.authentication import merchant_of
from orderhub.connectors import matrix
from orderhub.orders.models import Order


class AcknowledgmentOut(serializers.Serializer[Any]):
    """One message to one system, as it stands."""

    connection = serializers.CharField()
    role = serializers.CharField()
    operation = serializers.CharField()
    reference = serializers.CharField()
    state = serializers.ChoiceField(
        choices=["waiting", "sending", "acked", "refused", "unknown", "failed", "dead", "skipped"]
    )
    answer = serializers.CharField()
    attempts = serializers.IntegerField()
    asked_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    answered_at = serializers.DateTimeField(allow_null=True)
    next_at = serializers.DateTimeField(allow_null=True)
    their_reference = serializers.CharField()


class ChangeAcknowledgmentsOut(serializers.Serializer[Any]):
    """The messages of one address change."""

    change = serializers.IntegerField()
    state = serializers.CharField()
    systems = AcknowledgmentOut(many=True)


class AcknowledgmentsOut(serializers.Serializer[Any]):
    """All messages about an order, those of each address change together."""

    address_changes = ChangeAcknowledgmentsOut(many=True)
    others = AcknowledgmentOut(many=True)


class OrderAcknowledgmentsView(APIView):
    """Who has acknowledged what of an order."""

    scope = "orders"

    @extend_schema(responses=AcknowledgmentsOut, operation_id="orders_acknowledgments_retrieve")
    def get(self, request: Request, pk: int, *args: Any) -> Response:
        """Every message to another system about this order: sent when, answered how, tried again when."""
        order = get_object_or_404(Order, pk=pk, merchant=merchant_of(request))
        found = matrix.of_order(order)
        document = {
            "address_changes": [
                {"change": change.pk, "state": change.state, "systems": rows}
                for change, rows in found.changes
            ],
            "others": found.others,
        }
        return Response(AcknowledgmentsOut(document).data)
