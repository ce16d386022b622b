"""Partners' API: events behind a cursor, EPCIS out and in, and what the hub sends as AsyncAPI."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from carbon.interfaces import epcis as footprints
from orderhub.access.authentication import merchant_of
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order
from tracking.partners import capturing, epcis, feed
from tracking.partners.models import EpcisEvent

_ASYNCAPI = Path(__file__).resolve().parents[1] / "data" / "asyncapi.yaml"


class CloudEvent(serializers.Serializer[Any]):
    """CloudEvents 1.0, as webhooks carry it."""

    specversion = serializers.CharField()
    id = serializers.CharField()
    type = serializers.CharField()
    subject = serializers.CharField()
    time = serializers.DateTimeField()
    sequence = serializers.CharField()
    datacontenttype = serializers.CharField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`source` and `data` are words of serializers, so they are named here."""
        return {
            **super().get_fields(), "source": serializers.CharField(), "data": serializers.DictField()
        }  # fmt: skip


class EventPage(serializers.Serializer[Any]):
    """Events in the order they were committed; `after` is where to go on."""

    events = CloudEvent(many=True)
    after = serializers.CharField()
    has_more = serializers.BooleanField()


class EventFeedView(APIView):
    """What happens to the merchant's orders, in order, without gaps."""

    scope = "orders"

    @extend_schema(
        operation_id="events_list",
        parameters=[
            OpenApiParameter(
                "after", description="The cursor of the answer before; empty begins with the oldest."
            ),
            OpenApiParameter("kind", description="Kinds of events, comma-separated."),
            OpenApiParameter("milestone", description="Milestones, comma-separated."),
            OpenApiParameter("order", OpenApiTypes.INT, description="Only this order's."),
            OpenApiParameter("limit", OpenApiTypes.INT, description="1 to 500; 100 where it is not said."),
        ],
        responses={200: EventPage, 404: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request) -> Response:
        """The next events. An empty list with `has_more` means: go on at once; without, ask again later."""
        asked = request.query_params
        page = feed.read(
            merchant_of(request), cursor=asked.get("after", ""), kinds=_words(asked.get("kind", "")),
            milestones=_words(asked.get("milestone", "")), order=self._order(request), size=_size(asked.get("limit")),
        )  # fmt: skip
        return Response({"events": page.events, "after": page.cursor, "has_more": page.has_more})

    def _order(self, request: Request) -> Order | None:
        number = request.query_params.get("order", "")
        return _own(request, number) if number else None


class OrderEpcisView(APIView):
    """An order's milestones for product passports and partners."""

    scope = "orders"

    @extend_schema(operation_id="orders_epcis_retrieve", responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, pk: int) -> Response:
        """The EPCISDocument (EPCIS 2.0, JSON-LD); asked again it has the same event ids."""
        order = _own(request, str(pk))
        body = epcis.document(
            capturing.steps_of(order), order_number=order.number, lines=capturing.lines_of(order),
            zone=ZoneInfo(order.merchant.time_zone), now=clock.now(),
        )  # fmt: skip
        body = footprints.document(body, capturing.consignments_of(order))
        return Response(body, headers={"GS1-EPCIS-Version": "2.0.0", "GS1-CBV-Version": "2.0.0"})


class CaptureRow(serializers.ModelSerializer[EpcisEvent]):
    """One event of a capture."""

    class Meta:
        model = EpcisEvent
        fields = ["event_id", "state", "reason"]


class CaptureOut(serializers.Serializer[Any]):
    """How a capture stands: events told before do not count again."""

    id = serializers.UUIDField()
    events = CaptureRow(many=True)


class EpcisCaptureView(APIView):
    """Where partners tell EPCIS events."""

    scope = "orders"

    @extend_schema(operation_id="epcis_capture", request=OpenApiTypes.OBJECT, responses={202: CaptureOut})
    def post(self, request: Request) -> Response:
        """An EPCISDocument or one event. 202: kept; each event says whether it was applied or waits for its order."""
        now = clock.now()
        try:
            number = capturing.capture(request.data, merchant=merchant_of(request), now=now)
        except epcis.Unreadable as fault:
            raise Refused(
                "epcis_unreadable", _("This is no EPCIS 2.0 document: %(fault)s.") % {"fault": fault}, status=400,
                remedy=_("Send JSON-LD of EPCIS 2.0 with at most 500 events."),
            ) from fault  # fmt: skip
        rows = EpcisEvent.objects.filter(capture=number).order_by("pk")
        return Response(CaptureOut({"id": number, "events": rows}).data, status=202)


class AsyncApiView(APIView):
    """What the hub sends: webhooks and sockets."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    @extend_schema(operation_id="asyncapi_retrieve", auth=[], responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """The AsyncAPI 3.0 document."""
        return Response(_asyncapi())


@cache
def _asyncapi() -> Any:
    return yaml.safe_load(_ASYNCAPI.read_text(encoding="utf-8"))


def _own(request: Request, number: str) -> Order:
    if not (number.isascii() and number.isdigit() and len(number) < 18):
        raise Http404
    found = (
        Order.objects.select_related("merchant").filter(merchant=merchant_of(request), pk=int(number)).first()
    )
    if found is None:
        raise Http404
    return found


def _words(text: str) -> set[str]:
    return {word.strip() for word in text.split(",") if word.strip()}


def _size(text: str | None) -> int:
    if not text:
        return feed.DEFAULT_SIZE
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= feed.MOST):
        raise Refused("bad_limit", _("limit is a number from 1 to 500."), status=400, field="limit")
    return int(text)
