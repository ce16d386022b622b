"""What shops tell of their customers between orders, by API: logins, changes of phone or address, failed payments."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orderhub.access import services as access
from orderhub.access.authentication import merchant_of
from orderhub.fulfillment.documents import Strict
from orderhub.kernel import clock
from orderhub.orders.risk import observing
from orderhub.orders.risk.observing import WHATS, Observation

MOST_EVENTS = 500


class ShopperEventIn(Strict):
    """Something seen of one customer. Phone, device and IP address are kept as keyed fingerprints only."""

    id = serializers.CharField(max_length=120, help_text="The shop's own number of the event; counts once.")
    shopper = serializers.CharField(max_length=200, help_text="As `extra.buyer_id` of the customer's orders.")
    what = serializers.ChoiceField(choices=list(WHATS))
    at = serializers.DateTimeField(help_text="When it happened; ISO 8601 with a time zone.")
    country = serializers.RegexField(r"^[A-Za-z]{2}$", default="CN", help_text="Of the login.")
    province = serializers.CharField(max_length=60, default="", allow_blank=True, help_text="Of the login.")
    phone = serializers.CharField(
        max_length=40, default="", allow_blank=True, help_text="The number used from then on."
    )
    device_id = serializers.CharField(max_length=200, default="", allow_blank=True)
    ip = serializers.IPAddressField(required=False, allow_blank=True, default="")


class ShopperEventsIn(Strict):
    """Up to 500 events, of any customers of the merchant."""

    events = serializers.ListField(child=ShopperEventIn(), allow_empty=False, max_length=MOST_EVENTS)


class ShopperEventsOut(serializers.Serializer[Any]):
    """How many events were counted, and how many were left out: told before, or older than 180 days."""

    counted = serializers.IntegerField()
    left_out = serializers.IntegerField()


_ASKED = OpenApiExample(
    "A login and a new phone",
    value={
        "events": [
            {
                "id": "login-8812", "shopper": "u4711", "what": "login", "at": "2026-11-11T09:30:00+08:00",
                "province": "广东", "device_id": "d-17", "ip": "203.0.113.7",
            },
            {
                "id": "profile-93", "shopper": "u4711", "what": "phone_change", "at": "2026-11-11T09:31:00+08:00",
                "phone": "13800000009",
            },
        ]
    },
    request_only=True,
)  # fmt: skip


class ShopperEventsView(APIView):
    """Events that the risk signals count."""

    scope = "shoppers"
    action = "events"

    @extend_schema(
        request=ShopperEventsIn,
        responses={200: ShopperEventsOut},
        examples=[_ASKED],
        operation_id="shoppers_events_create",
        parameters=[
            OpenApiParameter("Idempotency-Key", str, location="header", description="Makes a repeat safe.")
        ],
    )
    def post(self, request: Request, *args: Any) -> Response:
        """Tell what happened to customers' accounts: all events are taken, or none if one of them is wrong.

        Each event counts once, by its `id`; telling it again is safe. Signals see it with the customer's next order.
        """
        body = ShopperEventsIn(data=request.data)
        body.is_valid(raise_exception=True)
        merchant = merchant_of(request)
        seen = [_observation(event) for event in body.validated_data["events"]]

        def work() -> tuple[int, dict[str, Any]]:
            counted = observing.observe(merchant.pk, seen, now=clock.now())
            return 200, {"counted": counted, "left_out": len(seen) - counted}

        key = request.headers.get("Idempotency-Key", "").strip()
        status, answer, replayed = access.once(merchant, key=key, request=request.data, work=work)
        headers = {"Idempotency-Replayed": "true"} if replayed else {}
        return Response(ShopperEventsOut(answer).data, status=status, headers=headers)


def _observation(event: dict[str, Any]) -> Observation:
    return Observation(
        account=event["shopper"], what=event["what"], at=event["at"], province=event["province"],
        country=event["country"].upper(), event=event["id"], phone=event["phone"], device=event["device_id"],
        ip=event["ip"],
    )  # fmt: skip
