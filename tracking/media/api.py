"""Files of an order by API: what there is, and adding one as multipart."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orderhub.access.authentication import actor_of, merchant_of
from orderhub.fulfillment.models import Parcel
from orderhub.kernel import clock
from orderhub.orders.models import Order
from tracking.everywhere.models import MediaFile
from tracking.media import services


class MediaIn(serializers.Serializer[Any]):
    """A file: JPEG, PNG, WebP (up to 20 MB, written anew), PDF (20 MB), MP4, MOV, WebM (the hub's upload limit)."""

    file = serializers.FileField()
    step = serializers.ChoiceField(choices=MediaFile.Step.choices, default=MediaFile.Step.PACKING)
    audience = serializers.ChoiceField(choices=MediaFile.Audience.choices, default=MediaFile.Audience.BUYER)
    title = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    tracking_number = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    taken_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    keep_days = serializers.IntegerField(min_value=1, max_value=3650, default=services.KEPT_FOR.days)


class MediaOut(serializers.ModelSerializer[MediaFile]):
    """A kept file; `url` is good for 15 to 30 minutes."""

    url = serializers.SerializerMethodField()

    class Meta:
        model = MediaFile
        fields = [
            "id", "kind", "step", "audience", "title", "content_type", "bytes", "taken_at", "added_at", "keep_until",
            "views", "url",
        ]  # fmt: skip

    def get_url(self, row: MediaFile) -> str:
        """A link of now."""
        return services.link(row, who="api", now=clock.now())


class OrderMediaView(APIView):
    """The files of an order."""

    scope = "orders"
    parser_classes = [MultiPartParser]

    @extend_schema(operation_id="orders_media_list", responses={200: MediaOut(many=True)})
    def get(self, request: Request, pk: int) -> Response:
        """What there is, newest first."""
        rows = MediaFile.objects.filter(order=self._order(request, pk)).order_by("-pk")
        return Response(MediaOut(rows, many=True).data)

    @extend_schema(
        operation_id="orders_media_create",
        request={"multipart/form-data": MediaIn},
        responses={201: MediaOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Add a file; the same file for the same step is kept once."""
        order = self._order(request, pk)
        body = MediaIn(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        number = given["tracking_number"]
        parcel = (
            Parcel.objects.filter(fulfillment__order=order, tracking_number=number).first()
            if number
            else None
        )
        if number and parcel is None:
            raise serializers.ValidationError({"tracking_number": ["unknown"]})
        row = services.add(
            order, given["file"], size=given["file"].size, step=given["step"], audience=given["audience"],
            title=given["title"], parcel=parcel, taken_at=given["taken_at"], now=clock.now(),
            actor=actor_of(request), keep=timedelta(days=given["keep_days"]),
        )  # fmt: skip
        return Response(MediaOut(row).data, status=201)

    def _order(self, request: Request, pk: int) -> Order:
        order = Order.objects.filter(merchant=merchant_of(request), pk=pk).first()
        if order is None:
            raise Http404
        return order
