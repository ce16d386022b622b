"""Orders accepted at once and read later: for callers that must not wait, such as webhooks of other systems."""

from __future__ import annotations

from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import get_language
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from orderhub.access.authentication import actor_of, merchant_of
from orderhub.fulfillment import accepting, documents, wire
from orderhub.fulfillment.models import IntakeMessage
from orderhub.kernel import clock

WHERE = "/api/v1/intake/orders/"


class RawParser(BaseParser):
    """The body as it is, whatever it says it is."""

    media_type = "*/*"

    def parse(self, stream: IO[Any], media_type: Any = None, parser_context: Any = None) -> Any:
        """The bytes; raises Refused (413) above the limit."""
        limit = int(settings.API_BODY_LIMIT_BYTES)
        raw: bytes = stream.read(limit + 1)
        if len(raw) > limit:
            raise wire.too_large(limit)
        return raw


class IntakeOut(serializers.ModelSerializer[IntakeMessage]):
    """How an accepted body stands; `problem` is a problem document."""

    id = serializers.UUIDField(source="public_id")
    status = serializers.ChoiceField(source="state", choices=IntakeMessage.State.choices)
    status_url = serializers.SerializerMethodField()
    order = serializers.IntegerField(source="order_id", allow_null=True)
    order_number = serializers.SerializerMethodField()

    class Meta:
        model = IntakeMessage
        fields = [
            "id", "status", "status_url", "order", "order_number", "problem", "attempts", "received_at", "done_at",
        ]  # fmt: skip

    def get_status_url(self, row: IntakeMessage) -> str:
        """Where to ask for its result."""
        return f"{WHERE}{row.public_id}/"

    def get_order_number(self, row: IntakeMessage) -> str | None:
        """The order's number, once it stands."""
        return row.order.number if row.order else None


class IntakeViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet[IntakeMessage]):
    """Bodies accepted to become orders."""

    scope = "orders"
    queryset = IntakeMessage.objects.none()
    serializer_class = IntakeOut
    lookup_field = "public_id"
    filter_backends = []
    parser_classes = (RawParser,)

    def get_queryset(self) -> QuerySet[IntakeMessage]:
        """The caller's own."""
        return IntakeMessage.objects.filter(merchant=merchant_of(self.request)).select_related("order")

    @extend_schema(
        request=documents.OrderIn,
        responses={202: IntakeOut, 409: OpenApiTypes.OBJECT, 413: OpenApiTypes.OBJECT},
        parameters=[
            OpenApiParameter("Idempotency-Key", str, location="header", description="Makes a repeat safe.")
        ],
    )
    def create(self, request: Request) -> Response:
        """Accept an order unread: 202 with the address of its result; it is placed moments later."""
        sent: Any = request.data
        raw = sent if type(sent) is bytes else b""  # no body at all is an empty form
        message, _is_new = accepting.accept(
            raw, key=request.headers.get("Idempotency-Key", "").strip(), merchant=merchant_of(request),
            actor=actor_of(request), language=get_language() or settings.LANGUAGE_CODE, now=clock.now(),
        )  # fmt: skip
        return Response(
            self.get_serializer(message).data,
            status=202,
            headers={"Location": f"{WHERE}{message.public_id}/"},
        )

    @extend_schema(parameters=[OpenApiParameter("public_id", UUID, location="path")])
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """How it stands: received, placed (with its order), refused or unreadable (with the problem)."""
        return super().retrieve(request, *args, **kwargs)
