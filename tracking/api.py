"""The public page as JSON: what the page's script, an app or a mini-program reads."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orderhub.access import problems
from orderhub.access.limits import address_of
from orderhub.kernel import canonical, clock
from tracking import links, queries
from tracking.live_position.shown import in_gcj02
from tracking.views import HEADERS, language_of


class Point(serializers.Serializer[Any]):
    """A place in WGS-84 degrees, on a grid of 200 m."""

    lat = serializers.FloatField()
    lng = serializers.FloatField()


class NamedPoint(Point):
    """A place with its name."""

    name = serializers.CharField()


class GoalPoint(Point):
    """The destination, never nearer than its district."""

    text = serializers.CharField()


class LastPosition(Point):
    """Where the parcel was last seen."""

    at = serializers.DateTimeField()
    text = serializers.CharField()


class Named(serializers.Serializer[Any]):
    """Something with a name."""

    name = serializers.CharField()


class RelatedOrder(serializers.Serializer[Any]):
    """Another part of an order that was split, with the path of its own page."""

    number = serializers.CharField()
    path = serializers.CharField()
    text = serializers.CharField()


class PageDetail(serializers.Serializer[Any]):
    """A custom field that the merchant shows to customers; `link` is set where the value is one."""

    name = serializers.CharField()
    text = serializers.CharField()
    link = serializers.CharField(allow_blank=True)


class Pill(serializers.Serializer[Any]):
    """A state in a word; `tone` is wait, go, ok, warn, bad or hold."""

    text = serializers.CharField()
    tone = serializers.CharField()


class StagePill(Pill):
    """The order's state."""

    code = serializers.CharField()


class HeadlineText(serializers.Serializer[Any]):
    """What the reader should know first."""

    text = serializers.CharField()
    detail = serializers.CharField()


class ParcelEta(serializers.Serializer[Any]):
    """When something is expected: a band and its words. The fields `from` and `to` are moments."""

    text = serializers.CharField()
    to = serializers.DateTimeField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python, so it is named here."""
        return {**super().get_fields(), "from": serializers.DateTimeField()}


class ReckonedEta(ParcelEta):
    """A parcel's arrival, and why it was last reckoned anew; "" where nothing but its leaving is known."""

    because = serializers.CharField(allow_blank=True)


class OrderEta(ParcelEta):
    """The order's arrival, beside its promise."""

    promise = serializers.DateTimeField(allow_null=True)
    late = serializers.BooleanField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`label` is a word of serializers, so it is named here."""
        label = serializers.CharField(help_text="The band alone, for beneath a bar.")
        return {**super().get_fields(), "label": label}


class PageItem(serializers.Serializer[Any]):
    """Units of one product."""

    name = serializers.CharField()
    quantity = serializers.IntegerField()


class WaitingItem(PageItem):
    """Units that have not left, and why."""

    text = serializers.CharField()


class PageParcel(serializers.Serializer[Any]):
    """A parcel, or a part of the order that is none yet (its id begins with f)."""

    id = serializers.CharField()
    status = Pill()
    eta = ReckonedEta(allow_null=True)
    carrier = serializers.CharField()
    tracking_number = serializers.CharField(help_text="Its middle is hidden.")
    items = PageItem(many=True)
    origin = NamedPoint()
    destination = Point()
    position = LastPosition(allow_null=True)
    track = serializers.ListField(child=serializers.ListField(child=serializers.FloatField()))

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`label` is a word of serializers, so it is named here."""
        return {**super().get_fields(), "label": serializers.CharField()}


class PageEvent(serializers.Serializer[Any]):
    """A step of the order; expected ones (`ESTIMATED`) have a negative `seq`."""

    seq = serializers.IntegerField()
    text = serializers.CharField()
    at = serializers.DateTimeField()
    at_text = serializers.CharField()
    place = serializers.CharField()
    tone = serializers.CharField()
    classifier = serializers.ChoiceField(choices=["PLANNED", "ESTIMATED", "ACTUAL"])
    parcel_id = serializers.CharField(allow_null=True)
    is_now = serializers.BooleanField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`source` is a word of serializers, so it is named here."""
        return {**super().get_fields(), "source": serializers.CharField()}


class PageCarbon(serializers.Serializer[Any]):
    """kg CO2e of the order as people see it, with the p5–p95 band."""

    basis = serializers.ChoiceField(choices=["estimate", "actual"])
    kg = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    text = serializers.CharField()
    method = serializers.CharField()
    year = serializers.CharField()
    primary_share = serializers.FloatField(help_text="0 to 1, by emissions.")


class WishChoice(serializers.Serializer[Any]):
    """One thing to choose."""

    code = serializers.CharField()
    text = serializers.CharField()


class OfferedWish(serializers.Serializer[Any]):
    """What a buyer may ask for now: preference, address, return or complaint."""

    kind = serializers.CharField()
    title = serializers.CharField()
    choices = WishChoice(many=True)


class MadeWish(serializers.Serializer[Any]):
    """What a buyer asked for, and what became of it."""

    kind = serializers.CharField()
    title = serializers.CharField()
    text = serializers.CharField()
    tone = serializers.CharField()
    outcome = serializers.CharField()
    answer = serializers.CharField()
    at = serializers.DateTimeField()


class PageWishes(serializers.Serializer[Any]):
    """What may be asked for, and what was."""

    offered = OfferedWish(many=True)
    made = MadeWish(many=True)


class PageMedia(serializers.Serializer[Any]):
    """A photo, video or document; `url` and `thumb` are good for 15 to 30 minutes."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=["image", "video", "document"])
    step = serializers.CharField()
    text = serializers.CharField()
    type = serializers.CharField()
    bytes = serializers.IntegerField()
    url = serializers.CharField()
    thumb = serializers.CharField(allow_blank=True)
    parcel_id = serializers.CharField(allow_null=True)


class TrackingPage(serializers.Serializer[Any]):
    """The public page of an order; no names, phones or addresses. `seq` grows with every change."""

    order_number = serializers.CharField()
    merchant = Named()
    language = serializers.CharField()
    seq = serializers.IntegerField()
    updated_at = serializers.DateTimeField()
    stage = StagePill()
    headline = HeadlineText()
    eta = OrderEta(allow_null=True)
    destination = GoalPoint()
    parcels = PageParcel(many=True)
    timeline = PageEvent(many=True)
    waiting = WaitingItem(many=True)
    carbon = PageCarbon(allow_null=True)
    related = RelatedOrder(many=True)
    details = PageDetail(many=True)
    notice = serializers.CharField(allow_blank=True)
    datum = serializers.CharField(help_text="Of all coordinates: WGS-84, or GCJ-02 where asked for.")
    wishes = PageWishes()
    media = PageMedia(many=True)


class TrackingView(APIView):
    """The page behind a buyer's link, for anyone who has the link."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="tracking_retrieve",
        auth=[],
        parameters=[
            OpenApiParameter("lang", enum=["zh-hans", "en"], description="Language of the texts."),
            OpenApiParameter(
                "datum", enum=["wgs84", "gcj02"], description="Coordinates: GCJ-02 is what Chinese maps draw."
            ),
        ],
        responses={200: TrackingPage, 304: None, 404: OpenApiTypes.OBJECT, 429: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request, token: str, *args: Any) -> Response:
        """The page as data, with an ETag (send it back in If-None-Match); unknown and expired links are 404
        alike.
        """
        now = clock.now()
        found = links.find_page(token, now=now, address=address_of(request._request))
        response = _missing(found) if isinstance(found, links.Missing) else _page(request, found, now=now)
        for name, value in HEADERS.items():
            response[name] = value
        return response


def _page(request: Request, found: links.Page, *, now: Any) -> Response:
    body = queries.page(found.order, language=language_of(request._request), now=now)
    if request.query_params.get("datum", "").lower() == "gcj02":
        body = in_gcj02(body)
    tag = f'"{canonical.digest(body)[:32]}"'
    known = [part.strip().removeprefix("W/") for part in request.headers.get("If-None-Match", "").split(",")]
    if tag in known or "*" in known:
        return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": tag})
    return Response(body, headers={"ETag": tag})


def _missing(found: links.Missing) -> Response:
    code = "too_many_tries" if found.too_many else "not_found"
    status_code, title, remedy = problems.FRAME["too_many_tries"]
    if not found.too_many:
        status_code, title = 404, _("This link is not valid or has ended.")
    body = problems.document(code, status=status_code, title=title, remedy=remedy)
    headers = {"Retry-After": "60"} if found.too_many else {}
    return Response(body, status=status_code, content_type=problems.CONTENT_TYPE, headers=headers)
