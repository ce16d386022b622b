"""Custom fields of orders, their lines and parcels by API, after they are there."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orderhub.access import etags
from orderhub.access.authentication import actor_of, merchant_of
from orderhub.fields import queries as fields
from orderhub.fields.api_values import CustomIn, checked
from orderhub.fulfillment import documents
from orderhub.fulfillment import filling as parcels
from orderhub.fulfillment.api_shipping import ParcelSerializer
from orderhub.fulfillment.models import Parcel
from orderhub.kernel import clock
from orderhub.orders import filling as orders
from orderhub.orders import queries as order_rows
from orderhub.orders.models import Order, OrderLine


class LineCustomIn(documents.Strict):
    """New values of one line, by its position."""

    position = serializers.IntegerField(min_value=1, max_value=32_767)
    custom = CustomIn()


class OrderCustomIn(documents.Strict):
    """New values of an order and of some of its lines; fields that are not named stay, null empties one."""

    custom = CustomIn(required=False)
    lines = serializers.ListField(child=LineCustomIn(), required=False, max_length=documents.MOST_LINES)


class ParcelCustomIn(documents.Strict):
    """New values of a parcel; fields that are not named stay, null empties one."""

    custom = CustomIn()


class OrderCustomView(APIView):
    """Custom fields of one order."""

    scope = "orders"
    http_method_names = ["patch", "options"]

    @extend_schema(
        request=OrderCustomIn, responses={200: documents.OrderOut}, operation_id="orders_custom_update"
    )
    def patch(self, request: Request, pk: int, *args: Any) -> Response:
        """Fill custom fields of an order and its lines. `If-Match` guards against lost updates."""
        order = get_object_or_404(Order.objects.filter(merchant=merchant_of(request)), pk=pk)
        body = OrderCustomIn(data=request.data)
        body.is_valid(raise_exception=True)
        with etags.guarded(request, order):
            lines = {line.position: line for line in order.lines.all()}
            book = fields.book(merchant_of(request))
            given = body.validated_data
            put = _putting(book, "order", given["custom"]) if "custom" in given else None
            changed, faults = _lines(given.get("lines", ()), lines, book)
            told: dict[str, Any] = {"lines": faults} if any(faults) else {}
            try:
                if put is not None:
                    put(order.custom)
            except ValidationError as fault:
                told["custom"] = fault.detail
            if told:  # every error at once
                raise ValidationError(told)
            orders.change(order.pk, put, changed, now=clock.now(), actor=actor_of(request))
        whole = order_rows.whole(merchant_id=order.merchant_id).get(pk=order.pk)
        return Response(documents.OrderOut(whole, context={"request": request}).data)


def _putting(book: fields.Book, target: str, given: Any) -> orders.Put:
    return lambda standing: checked(book.of(target), given, standing=standing)


def _lines(
    given: Any, lines: dict[int, OrderLine], book: fields.Book
) -> tuple[dict[int, orders.Put], list[dict[str, Any]]]:
    """What is put into each line, by its id, and the errors by place in the body."""
    changed: dict[int, orders.Put] = {}
    faults: list[dict[str, Any]] = []
    for row in given:
        line = lines.get(row["position"])
        faults.append({})
        if line is None or line.pk in changed:
            text = _("There is no such line.") if line is None else _("This line is named twice.")
            faults[-1] = {"position": [ErrorDetail(text, "no_line")]}
            continue
        try:
            put = _putting(book, "line", row["custom"])
            put(line.custom)
            changed[line.pk] = put
        except ValidationError as fault:
            faults[-1] = {"custom": fault.detail}
    return changed, faults


class ParcelCustomView(APIView):
    """Custom fields of one parcel."""

    scope = "orders"
    http_method_names = ["patch", "options"]

    @extend_schema(
        request=ParcelCustomIn, responses={200: ParcelSerializer}, operation_id="parcels_custom_update"
    )
    def patch(self, request: Request, pk: int, *args: Any) -> Response:
        """Fill custom fields of a parcel."""
        parcel = get_object_or_404(Parcel.objects.filter(merchant=merchant_of(request)), pk=pk)
        body = ParcelCustomIn(data=request.data)
        body.is_valid(raise_exception=True)
        put = _putting(fields.book(merchant_of(request)), "parcel", body.validated_data["custom"])
        try:
            parcels.change(parcel.pk, put, now=clock.now(), actor=actor_of(request))
        except ValidationError as fault:
            raise ValidationError({"custom": fault.detail}) from fault
        found = Parcel.objects.select_related("fulfillment__order", "merchant").get(pk=parcel.pk)
        return Response(ParcelSerializer(found, context={"request": request}).data)
