"""Rate cards and parcels by API, to read."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import mixins, serializers, viewsets

from orderhub.access.authentication import merchant_of
from orderhub.access.etags import TaggedDetail
from orderhub.access.filters import Filter
from orderhub.access.sparse import SparseFields
from orderhub.fields.api_values import CustomValues, narrow
from orderhub.fulfillment.models import Parcel, ParcelLine, RateCard, RateZone
from orderhub.inventory.models import Warehouse


class ZoneSerializer(serializers.ModelSerializer[RateZone]):
    """What a card asks for in one zone, and how long it takes."""

    class Meta:
        model = RateZone
        exclude = ["card"]


class RateCardSerializer(serializers.ModelSerializer[RateCard]):
    """A carrier's prices."""

    zones = ZoneSerializer(many=True, read_only=True)
    warehouses = serializers.SlugRelatedField[Warehouse](slug_field="code", many=True, read_only=True)

    class Meta:
        model = RateCard
        exclude = ["merchant"]


class RateCardViewSet(
    SparseFields,
    TaggedDetail,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[RateCard],
):
    """Rate cards of the merchant; they are kept in the admin."""

    scope = "rates"
    serializer_class = RateCardSerializer
    queryset = RateCard.objects.none()
    orderings = {"code": ("code", "id"), "-code": ("-code", "-id")}
    filters = {
        "code": Filter("code", text="The card's code."),
        "carrier": Filter("carrier", text="Carrier code."),
        "service": Filter("service", text="standard, express or economy."),
    }

    def get_queryset(self) -> QuerySet[RateCard]:
        """The caller's own rows only."""
        return RateCard.objects.filter(merchant=merchant_of(self.request)).prefetch_related(
            "zones", "warehouses"
        )


class ParcelLineSerializer(serializers.ModelSerializer[ParcelLine]):
    """Units of one SKU in a parcel."""

    sku = serializers.CharField(source="fulfillment_line.sku.code")

    class Meta:
        model = ParcelLine
        fields = ["sku", "quantity"]


class ParcelSerializer(serializers.ModelSerializer[Parcel]):
    """A parcel with its order and what is in it."""

    order = serializers.IntegerField(source="fulfillment.order_id")
    external_id = serializers.CharField(source="fulfillment.order.external_id")
    fulfillment_order = serializers.CharField(source="fulfillment.number")
    lines = ParcelLineSerializer(many=True)
    custom = CustomValues("parcel", read_only=True)

    class Meta:
        model = Parcel
        fields = [
            "id", "order", "external_id", "fulfillment_order", "carrier", "tracking_number", "status", "status_at", "grams",
            "shipped_at", "delivered_at", "eta_from_at", "eta_to_at", "lines", "custom",
        ]  # fmt: skip


class ParcelViewSet(
    SparseFields,
    TaggedDetail,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Parcel],
):
    """Parcels of the merchant, newest first."""

    scope = "orders"
    serializer_class = ParcelSerializer
    queryset = Parcel.objects.none()
    orderings = {"-id": ("-id",), "id": ("id",)}
    counted_filters = ("order", "tracking_number", "external_id")
    filters = {
        "tracking_number": Filter("tracking_number", text="The carrier's number."),
        "carrier": Filter("carrier", text="Carrier code."),
        "status": Filter("status", text="Carrier status.", values=tuple(Parcel.Status.values)),
        "order": Filter("fulfillment__order_id", "whole", "Parcels of this order."),
        "external_id": Filter("fulfillment__order__external_id", text="The channel's order number."),
    }

    def narrow(self, rows: QuerySet[Any], name: str, given: str) -> QuerySet[Any] | None:
        """Filters by custom fields: `custom.<code>`, `.from` and `.to`."""
        return narrow(rows, self.request, "parcel", name, given)

    def get_queryset(self) -> QuerySet[Parcel]:
        """The caller's own rows only."""
        rows = Parcel.objects.filter(merchant=merchant_of(self.request))
        return rows.select_related("fulfillment__order").prefetch_related("lines__fulfillment_line__sku")
