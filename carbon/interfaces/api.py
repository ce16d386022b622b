"""The interfaces for partners: iLEAP 1.0 on PACT v2, and PACT v3. Errors as those specifications have them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import Http404
from rest_framework.exceptions import APIException, NotAuthenticated, PermissionDenied
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from carbon.interfaces import ileap, pact
from carbon.interfaces.models import ProductFootprint
from carbon.interfaces.tokens import BearerAuthentication
from carbon.models import CalculationRun
from orderhub.access.authentication import ApiKeyAuthentication, merchant_of
from orderhub.fulfillment.models import Parcel
from orderhub.kernel import clock
from orderhub.orders.models import Order

PAGE, MOST = 50, 200


class CloudEvents(JSONParser):
    """`application/cloudevents+json`, of which a body is one JSON object."""

    media_type = "application/cloudevents+json"


class Partner(APIView):
    """Bearer tokens or API keys; the area `footprints`; errors as {"code", "message"}."""

    authentication_classes: Sequence[Any] = (BearerAuthentication, ApiKeyAuthentication)
    parser_classes: Sequence[type[BaseParser]] = (JSONParser, CloudEvents)
    filter_backends: Sequence[Any] = ()
    scope = "footprints"
    #: These routes have specifications of their own and are no part of ours.
    schema = None

    def handle_exception(self, exc: Exception) -> Response:
        """The error object of PACT."""
        if isinstance(exc, Http404):
            return _error("NotFound", "There is no such footprint.", 404)
        if isinstance(exc, NotAuthenticated):
            return _error("AccessDenied", "Send a bearer token of /auth/token.", 401, challenge=True)
        if isinstance(exc, PermissionDenied):
            return _error("AccessDenied", "This client may not do that.", 403)
        if isinstance(exc, APIException):
            codes = exc.get_codes()
            code = codes if codes in ("TokenExpired", "AccessDenied") else "BadRequest"
            if exc.status_code == 401:
                return _error(
                    code if code != "BadRequest" else "AccessDenied", str(exc.detail), 401, challenge=True
                )
            return _error(code, str(exc.detail), exc.status_code)
        return super().handle_exception(exc)


def _error(code: str, message: str, status: int, *, challenge: bool = False) -> Response:
    headers = {"WWW-Authenticate": "Bearer"} if challenge else {}
    return Response({"code": code, "message": message}, status=status, headers=headers)


class FootprintsV2(Partner):
    """`GET /2/footprints`: shipments of the merchant's orders, oldest first."""

    def get(self, request: Request) -> Response:
        """A page of footprints, each with its shipment; the next page by the Link header."""
        if request.query_params.get("$filter"):
            return _error("NotImplemented", "$filter is not supported.", 501)
        limit, after = _page_of(request)
        merchant = merchant_of(request)
        rows = Order.objects.filter(merchant=merchant, pk__gt=after, carbon_runs__isnull=False)
        orders = list(rows.select_related("merchant").distinct().order_by("pk")[: limit + 1])
        now = clock.now()
        data = [
            ileap.footprint(one, order, made_at=_made_at(order) or now)
            for order in orders[:limit]
            for one in ileap.shipments(order)
        ]
        return _listed(request, data, [order.pk for order in orders], limit)


class FootprintV2(Partner):
    """`GET /2/footprints/{id}`."""

    def get(self, request: Request, public_id: Any) -> Response:
        """One footprint; 404 for one of another merchant too."""
        merchant = merchant_of(request)
        subject = ileap.subject_of(public_id)
        order = Order.objects.select_related("merchant").filter(
            merchant=merchant, carbon_runs__subject=subject
        ).first()  # fmt: skip
        for one in ileap.shipments(order) if order is not None else ():
            if ileap.footprint_id(merchant.code, one["shipmentId"]) == public_id and order is not None:
                return Response({"data": ileap.footprint(one, order, made_at=_made_at(order) or clock.now())})
        raise Http404


class Activities(Partner):
    """`GET /2/ileap/tad`: transport activity data of parcels that arrived."""

    def get(self, request: Request) -> Response:
        """A page of activities, oldest first."""
        limit, after = _page_of(request)
        rows = Parcel.objects.filter(
            merchant=merchant_of(request), pk__gt=after, fulfillment__delivered_at__isnull=False,
            fulfillment__shipped_at__isnull=False,
        ).select_related("fulfillment__order", "fulfillment__warehouse", "fulfillment__rate_card")  # fmt: skip
        parcels = list(rows.order_by("pk")[: limit + 1])
        return _listed(request, ileap.activities(parcels[:limit]), [row.pk for row in parcels], limit)


class FootprintsV3(Partner):
    """`GET /3/footprints`: the merchant's product footprints."""

    def get(self, request: Request) -> Response:
        """A page of footprints by the filters of the specification."""
        asked = {name: request.query_params[name] for name in pact.FILTERS if name in request.query_params}
        now = clock.now()
        try:
            limit, after = _page_of(request)
            found = list(pact.rows(merchant_of(request), asked, now=now).filter(pk__gt=after)[: limit + 1])
        except ValueError as fault:
            return _error("BadRequest", f"Not understood: {fault}", 400)
        data = [pact.document(row, now=now) for row in found[:limit]]
        return _listed(request, data, [row.pk for row in found], limit)


class FootprintV3(Partner):
    """`GET /3/footprints/{id}`."""

    def get(self, request: Request, public_id: Any) -> Response:
        """One footprint; 404 for one of another merchant too."""
        rows = ProductFootprint.objects.filter(merchant=merchant_of(request), public_id=public_id)
        row = rows.select_related("sku", "merchant").first()
        if row is None:
            raise Http404
        return Response({"data": pact.document(row, now=clock.now())})


class EventsV3(Partner):
    """`POST /3/events`: what partners ask and tell (CloudEvents)."""

    def post(self, request: Request) -> Response:
        """Kept once; 200 with an empty body, 400 naming what is wrong."""
        if not isinstance(request.data, dict) or len(json.dumps(request.data)) > 200_000:
            return _error("BadRequest", "One CloudEvent as a JSON object is expected.", 400)
        try:
            pact.keep(request.data, merchant_of(request), now=clock.now())
        except ValueError as fault:
            return _error("BadRequest", f"Missing or wrong: {fault}", 400)
        return Response(status=200)


def _page_of(request: Request) -> tuple[int, int]:
    """How many, and the id after which; 400 for what is no number."""
    found = []
    for name, default, low, high in (("limit", PAGE, 1, MOST), ("after", 0, 0, 2**62)):
        text = request.query_params.get(name, "")
        if text and not (text.isascii() and text.isdigit() and len(text) < 20):
            raise _Bad(f"{name} is no number")
        found.append(min(max(int(text), low), high) if text else default)
    return found[0], found[1]


class _Bad(APIException):
    """A query that cannot be understood."""

    status_code = 400
    default_code = "BadRequest"


def _listed(request: Request, data: list[Any], ids: Sequence[int], limit: int) -> Response:
    """A page; links go by id, so they stay valid as long as the rows do."""
    answer = Response({"data": data})
    if len(ids) > limit:
        query = {**request.query_params.dict(), "limit": str(limit), "after": str(ids[limit - 1])}
        address = f"{request.build_absolute_uri(request.path)}?{urlencode(query)}"
        answer["Link"] = f'<{address}>; rel="next"'
    return answer


def _made_at(order: Order) -> Any:
    rows = CalculationRun.objects.filter(order=order).order_by("-pk")
    return rows.values_list("calculated_at", flat=True).first()
