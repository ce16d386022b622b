# ruff: noqa: E402  (Django is set up in between)
"""The peer of bench/api.py: how a good Django REST framework project takes an order, nested ModelSerializers and all.

The same tables are filled as by our own endpoint: person, order, lines, original, event with its delivery (through
the hub's log, which is to the peer's advantage) and the answer under the Idempotency-Key. It is served by the same
process model, behind the same authentication, so that only the endpoint differs.

    uvicorn bench.peers.drf_orders:application
"""

from __future__ import annotations

import os
import uuid
from decimal import Decimal

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orderhub.settings")

import django
from django.conf import settings

settings.ROOT_URLCONF = "bench.peers.drf_orders"
django.setup(set_prefix=False)

from django.db import transaction
from django.urls import path
from django.utils import timezone
from rest_framework import generics, serializers
from rest_framework.response import Response

from orderhub.access.authentication import actor_of, merchant_of
from orderhub.access.models import IdempotencyKey
from orderhub.asgi import application  # noqa: F401  (what uvicorn serves; sets Django up)
from orderhub.events import log
from orderhub.fulfillment.documents import OrderOut
from orderhub.inventory.models import Sku
from orderhub.kernel import canonical, regions
from orderhub.orders import kinds, sharing
from orderhub.orders.models import Channel, Order, OrderLine, Original, Person


class PersonSerializer(serializers.ModelSerializer):
    """The receiver."""

    class Meta:
        model = Person
        fields = ["name", "phone", "email", "address", "postcode"]
        extra_kwargs = {"email": {"required": False}, "postcode": {"required": False}}


class LineSerializer(serializers.ModelSerializer):
    """A line; the SKU is found by its code."""

    sku = serializers.SlugRelatedField(slug_field="code", queryset=Sku.objects.filter(is_active=True))
    quantity = serializers.IntegerField(source="ordered", min_value=1)

    class Meta:
        model = OrderLine
        fields = ["sku", "quantity", "unit_price"]


class OrderSerializer(serializers.ModelSerializer):
    """An order with its receiver and lines."""

    channel = serializers.SlugRelatedField(slug_field="code", queryset=Channel.objects.filter(is_active=True))
    person = PersonSerializer()
    lines = LineSerializer(many=True)
    placed_at = serializers.DateTimeField(default=timezone.now)

    class Meta:
        model = Order
        fields = [
            "channel", "external_id", "currency", "placed_at", "country", "province", "city", "district", "service",
            "green", "note", "person", "lines",
        ]  # fmt: skip

    def to_representation(self, order):
        return OrderOut(order, context=self.context).data

    @transaction.atomic
    def create(self, data):
        request, now = self.context["request"], timezone.now()
        merchant = merchant_of(request)
        lines, person = data.pop("lines"), Person.objects.create(merchant=merchant, **data.pop("person"))
        place = regions.locate(data["country"], data["province"], data["city"])
        total = sum((line["unit_price"] * line["ordered"] for line in lines), Decimal(0))
        order = Order(
            merchant=merchant, person=person, public_id=uuid.uuid4(), source="api", received_at=now, updated_at=now,
            content_hash=canonical.digest(request.data), payment=Order.Payment.PAID, paid_at=now, goods_total=total,
            total=total, latitude=Decimal(f"{place.lat:.5f}"), longitude=Decimal(f"{place.lng:.5f}"),
            is_remote=place.remote, step="order.screen", **data,
        )  # fmt: skip
        sharing.stamp(order)
        order.save()
        for position, line in enumerate(lines, start=1):
            OrderLine.objects.create(
                order=order, position=position, name=line["sku"].name, open=line["ordered"],
                line_total=line["unit_price"] * line["ordered"], **line,
            )  # fmt: skip
        Original.objects.create(order=order, payload=request.data)
        payload = {
            "external_id": order.external_id, "channel": order.channel.code, "total": order.total,
            "currency": order.currency, "lines": len(lines), "paid": True, "stage": "received",
        }  # fmt: skip
        fact = log.Fact(order.stream, kinds.PLACED.name, payload, merchant.pk)
        log.record([fact], now=now, actor=actor_of(request))
        return order


class Orders(generics.CreateAPIView):
    """POST an order, idempotent by header."""

    scope = "orders"
    serializer_class = OrderSerializer

    @transaction.atomic
    def create(self, request, *args, **kwargs):
        key, body_hash = request.headers["Idempotency-Key"], canonical.digest(request.data)
        row, is_new = IdempotencyKey.objects.get_or_create(
            merchant=merchant_of(request), key=key,
            defaults={"body_hash": body_hash, "status": 0, "response": {}},
        )  # fmt: skip
        if not is_new:
            return Response(row.response, status=row.status)
        answer = super().create(request, *args, **kwargs)
        row.status, row.response = answer.status_code, answer.data
        row.save()
        return answer


urlpatterns = [path("api/v1/orders/", Orders.as_view())]
