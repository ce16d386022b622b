"""Orders by API. It lives here, not in orders, because an order's document shows its fulfillment orders too."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from orderhub.access.authentication import actor_of, merchant_of
from orderhub.access.etags import TaggedDetail
from orderhub.access.filters import Filter
from orderhub.access.schema import listed
from orderhub.access.sparse import SparseFields
from orderhub.events.models import Event
from orderhub.fields.api_values import narrow
from orderhub.fulfillment import bulk, documents, intake
from orderhub.fulfillment.api_verbs import OrderVerbs
from orderhub.fulfillment.wire import StrictJSONParser
from orderhub.kernel import clock
from orderhub.orders.models import Order
from orderhub.orders.models.order import Stage

_KEY_PARAMETER = OpenApiParameter(
    "Idempotency-Key", str, location="header", description="Makes a repeat safe."
)


def _key(request: Request) -> str:
    return request.headers.get("Idempotency-Key", "").strip()


def _response(answer: intake.Answer, **headers: str) -> Response:
    if answer.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(answer.document, status=answer.status, headers=headers)


class OrderViewSet(
    OrderVerbs,
    SparseFields,
    TaggedDetail,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Order],
):
    """Orders of the merchant: place, read, pay, hold, release, re-route, cancel."""

    scope = "orders"
    queryset = Order.objects.none()
    orderings = {
        "-id": ("-id",),
        "id": ("id",),
        "updated_at": ("updated_at", "id"),
        "-updated_at": ("-updated_at", "-id"),
    }
    counted_filters = ("import", "external_id")
    filters = {
        "external_id": Filter("external_id", text="The channel's order number."),
        "import": Filter("source", "whole", "Orders of this import.", form="import:{}"),
        "stage": Filter("stage", text="Where they stand.", values=tuple(Stage.values)),
        "channel": Filter("channel__code", text="Channel code."),
        "waiting_for": Filter("waiting_for", text="What they wait for."),
        "placed_from": Filter("placed_at__gte", "moment", "Placed at or after."),
        "placed_to": Filter("placed_at__lt", "moment", "Placed before."),
        "updated_from": Filter(
            "updated_at__gte",
            "moment",
            "Changed at or after; with `ordering=updated_at` this is how to keep in step.",
        ),
        "updated_to": Filter("updated_at__lt", "moment", "Changed before."),
    }
    parser_classes = (StrictJSONParser,)

    def get_queryset(self) -> QuerySet[Order]:
        """The caller's own orders, newest first, with what the document shows."""
        rows = Order.objects.filter(merchant=merchant_of(self.request)).select_related(
            "channel", "person", "merchant"
        )
        if self.action != "list":
            rows = rows.prefetch_related(
                "lines__sku", "holds", "fulfillments__warehouse", "fulfillments__rate_card", "fulfillments__lines__sku",
                "fulfillments__parcels",
            )  # fmt: skip
        return rows.order_by("-id")

    def narrow(self, rows: QuerySet[Any], name: str, given: str) -> QuerySet[Any] | None:
        """Filters by custom fields: `custom.<code>`, `.from` and `.to`."""
        return narrow(rows, self.request, "order", name, given)

    def get_serializer_class(self) -> Any:
        """Brief in lists, whole elsewhere."""
        return documents.OrderBrief if self.action == "list" else documents.OrderOut

    @extend_schema(
        request=documents.OrderIn,
        responses={201: documents.OrderOut, 200: documents.OrderOut, 409: OpenApiTypes.OBJECT},
        parameters=[_KEY_PARAMETER],
    )
    def create(self, request: Request) -> Response:
        """Place an order: 201; the same key and body again gives the same answer, another body 409."""
        answer = intake.answer_one(
            request.data, key=_key(request), merchant=merchant_of(request), actor=actor_of(request),
            now=clock.now(), tell=self.document,
        )  # fmt: skip
        return _response(answer, Location=f"/api/v1/orders/{answer.document['id']}/")

    @extend_schema(
        request=documents.BulkIn,
        responses={200: documents.BulkOut, 409: OpenApiTypes.OBJECT, 413: OpenApiTypes.OBJECT},
        parameters=[_KEY_PARAMETER],
    )
    @action(detail=False, methods=["post"], pagination_class=None)
    def bulk(self, request: Request) -> Response:
        """Place up to 1,000 orders: 200 with a result for each; what is wrong with one does not touch the others."""
        answer = bulk.place_bulk(
            request.data,
            key=_key(request),
            merchant=merchant_of(request),
            actor=actor_of(request),
            now=clock.now(),
        )
        return _response(answer)

    @extend_schema(responses=listed(documents.EventOut), operation_id="orders_events_list")
    @action(detail=True, pagination_class=None)
    def events(self, request: Request, pk: str | None = None) -> Response:
        """The order's log, oldest first."""
        order = self.own(pk)
        rows = Event.objects.filter(stream=order.stream).order_by("seq")
        return Response(
            {
                "count": rows.count(),
                "results": documents.EventOut(rows, many=True, context={"request": request}).data,
            }
        )

    def own(self, pk: str | None) -> Order:
        if not (str(pk).isascii() and str(pk).isdigit()):
            pk = "0"
        return get_object_or_404(Order.objects.filter(merchant=merchant_of(self.request)), pk=pk)

    def document(self, order_id: int) -> dict[str, Any]:
        order = get_object_or_404(self.get_queryset(), pk=order_id)
        document: dict[str, Any] = documents.OrderOut(order, context={"request": self.request}).data
        return document
