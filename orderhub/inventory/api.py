"""Catalog, network and stock by API; units kept for carts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from orderhub.access import services as access
from orderhub.access.authentication import actor_of, merchant_of
from orderhub.access.etags import TaggedDetail
from orderhub.access.filters import Filter
from orderhub.access.models import Merchant
from orderhub.access.sparse import SparseFields
from orderhub.inventory import promising, reservations, services
from orderhub.inventory.choosing import Want
from orderhub.inventory.models import Reservation, ReservationLine, Sku, Stock, Warehouse
from orderhub.kernel import clock

MOST_SKUS = 200
MOST_LINES = 100
MOST_UNITS = 1_000_000
MOST_MINUTES = 60


class CountIn(serializers.Serializer[Any]):
    """Units counted of one SKU in one warehouse."""

    sku = serializers.CharField(max_length=80)
    warehouse = serializers.CharField(max_length=40)
    on_hand = serializers.IntegerField(min_value=0, max_value=MOST_UNITS)


class CountsIn(serializers.Serializer[Any]):
    """A stock count."""

    counts = serializers.ListField(child=CountIn(), allow_empty=False, max_length=500)


class CountOut(serializers.Serializer[Any]):
    """What a place holds after the count; `limited` when orders reserve more than was counted."""

    sku = serializers.CharField()
    warehouse = serializers.CharField()
    on_hand = serializers.IntegerField()
    limited = serializers.BooleanField()


class CountsOut(serializers.Serializer[Any]):
    """One row per counted place, in the order of the request."""

    results = CountOut(many=True)


class StockSerializer(serializers.ModelSerializer[Stock]):
    """Units of one SKU in one warehouse."""

    sku = serializers.CharField(source="sku.code")
    warehouse = serializers.CharField(source="warehouse.code")
    available = serializers.IntegerField(read_only=True)

    class Meta:
        model = Stock
        fields = ["id", "sku", "warehouse", "on_hand", "reserved", "safety", "available", "updated_at"]


class StockViewSet(
    SparseFields,
    TaggedDetail,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Stock],
):
    """Stock per SKU and warehouse; `available` is what can still be promised."""

    scope = "stock"
    serializer_class = StockSerializer
    queryset = Stock.objects.none()
    orderings = {
        "sku": ("sku__code", "warehouse__code", "id"),
        "updated_at": ("updated_at", "id"),
        "-updated_at": ("-updated_at", "-id"),
    }
    filters = {
        "sku": Filter("sku__code", text="SKU code."),
        "warehouse": Filter("warehouse__code", text="Warehouse code."),
        "updated_from": Filter("updated_at__gte", "moment", "Changed at or after."),
        "sku__code": Filter("sku__code"),
        "warehouse__code": Filter("warehouse__code"),
    }

    def get_queryset(self) -> QuerySet[Stock]:
        """The caller's own rows only."""
        rows = Stock.objects.filter(merchant=merchant_of(self.request)).select_related("sku", "warehouse")
        return rows.annotate(available=F("on_hand") - F("reserved") - F("safety"))

    @extend_schema(request=CountsIn, responses={200: CountsOut}, operation_id="stock_counts_create")
    @action(detail=False, methods=["post"])
    def counts(self, request: Request) -> Response:
        """Set what was counted on the shelf, up to 500 places at once: all of them, or none when a code is unknown.

        Never below what orders reserve: such a place is set to that and `limited` says so.
        """
        body = CountsIn(data=request.data)
        body.is_valid(raise_exception=True)
        rows = _places(body.validated_data["counts"], merchant_of(request))
        with transaction.atomic():
            found = services.set_counts(rows, reference="api", actor=actor_of(request), now=clock.now())
        results = [
            {"sku": x.sku.code, "warehouse": x.warehouse.code, "on_hand": x.on_hand, "limited": x.is_clamped}
            for x in found
        ]
        return Response({"results": results})


def _places(counts: list[dict[str, Any]], merchant: Merchant) -> list[tuple[Warehouse, Sku, int]]:
    """The rows with their SKUs and warehouses; 400 names the rows whose codes are unknown."""
    skus = {
        row.code: row for row in Sku.objects.filter(merchant=merchant, code__in={x["sku"] for x in counts})
    }
    named = {x["warehouse"] for x in counts}
    houses = {row.code: row for row in Warehouse.objects.filter(merchant=merchant, code__in=named)}
    errors = [
        {
            **({} if x["sku"] in skus else {"sku": [_("There is no such SKU.")]}),
            **({} if x["warehouse"] in houses else {"warehouse": [_("There is no such warehouse.")]}),
        }
        for x in counts
    ]
    if any(errors):
        raise ValidationError({"counts": errors})
    return [(houses[x["warehouse"]], skus[x["sku"]], x["on_hand"]) for x in counts]


class PromisableSerializer(serializers.Serializer[Sku]):
    """Units of one SKU that can be promised now."""

    sku = serializers.CharField(source="code")
    units = serializers.IntegerField(source="promise.total", help_text="In all warehouses that take orders.")
    serving = serializers.IntegerField(
        source="promise.serving", help_text="In warehouses that serve the province first."
    )
    elsewhere = serializers.IntegerField(source="promise.elsewhere", help_text="In the other warehouses.")
    as_of = serializers.DateTimeField(
        source="promise.as_of", allow_null=True, help_text="The last stock movement that counts here."
    )


class PromisableViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Sku]):
    """What can be promised, at most two seconds old: of the SKUs named, or of all, page by page."""

    scope = "stock"
    serializer_class = PromisableSerializer
    queryset = Sku.objects.order_by("code")
    filter_backends = []

    def get_queryset(self) -> QuerySet[Sku]:
        """The caller's own SKUs only."""
        rows = Sku.objects.filter(merchant=merchant_of(self.request)).select_related("promisable")
        return rows.order_by("code")

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The SKUs named, each with its own `sku` or separated by commas."""
        named = [
            code.strip() for text in self.request.query_params.getlist("sku") for code in text.split(",")
        ]
        codes = {code for code in named if code}
        if len(codes) > MOST_SKUS:
            raise ValidationError({"sku": [_("Name at most %(count)d SKUs.") % {"count": MOST_SKUS}]})
        return queryset.filter(code__in=codes) if codes else queryset

    @extend_schema(
        parameters=[
            OpenApiParameter("sku", str, many=True, description="SKU codes, at most 200."),
            OpenApiParameter("province", str, description="Where the goods go, in China."),
        ]
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Units that can be promised, by SKU."""
        return super().list(request, *args, **kwargs)

    def paginate_queryset(self, queryset: Any) -> Any:
        """One page, each SKU with its promise."""
        page = super().paginate_queryset(queryset)
        skus = list(queryset if page is None else page)
        found = promising.units(skus, province=self.request.query_params.get("province", "").strip()[:40])
        for sku in skus:
            sku.promise = found[sku.pk]
        return skus


class ReservationLineIn(serializers.Serializer[Any]):
    """Units of one SKU; without a warehouse the hub chooses."""

    sku = serializers.CharField(max_length=80)
    quantity = serializers.IntegerField(min_value=1, max_value=MOST_UNITS)
    warehouse = serializers.CharField(max_length=40, required=False)


class ReservationIn(serializers.Serializer[Any]):
    """What to keep, and for how long."""

    lines = serializers.ListField(child=ReservationLineIn(), allow_empty=False, max_length=MOST_LINES)
    minutes = serializers.IntegerField(min_value=1, max_value=MOST_MINUTES, default=15)
    province = serializers.CharField(
        max_length=40, default="", allow_blank=True, help_text="Where the goods go, in China."
    )


class ReservedUnitsSerializer(serializers.ModelSerializer[ReservationLine]):
    """Units kept in one warehouse."""

    sku = serializers.CharField(source="sku.code")
    warehouse = serializers.CharField(source="warehouse.code")

    class Meta:
        model = ReservationLine
        fields = ["sku", "warehouse", "quantity"]


class ReservationSerializer(serializers.ModelSerializer[Reservation]):
    """Units kept until `expires_at`."""

    lines = ReservedUnitsSerializer(many=True)

    class Meta:
        model = Reservation
        fields = ["id", "state", "created_at", "expires_at", "ended_at", "lines"]


class ReservationViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Reservation]
):
    """Units kept for carts and unpaid orders for up to an hour, all lines or none."""

    scope = "stock"
    serializer_class = ReservationSerializer
    queryset = Reservation.objects.order_by("-created_at")
    filterset_fields = {"state": ["exact"]}

    def get_queryset(self) -> QuerySet[Reservation]:
        """The caller's own rows only."""
        rows = Reservation.objects.filter(merchant=merchant_of(self.request))
        return rows.prefetch_related("lines__sku", "lines__warehouse").order_by("-created_at", "id")

    @extend_schema(
        request=ReservationIn,
        responses={201: ReservationSerializer},
        parameters=[
            OpenApiParameter("Idempotency-Key", str, location="header", description="Makes a repeat safe.")
        ],
    )
    def create(self, request: Request) -> Response:
        """Keep units: 201, or 409 `stock_short` and nothing is kept."""
        body = ReservationIn(data=request.data)
        body.is_valid(raise_exception=True)
        merchant, now = merchant_of(request), clock.now()
        asked = reservations.Asked(
            merchant=merchant, wants=_wants(body.validated_data["lines"], merchant), now=now,
            expires_at=now + timedelta(minutes=body.validated_data["minutes"]), actor=actor_of(request),
            province=body.validated_data["province"],
        )  # fmt: skip

        def work() -> tuple[int, dict[str, Any]]:
            made = reservations.reserve(asked)
            row = self.get_queryset().get(pk=made.pk)
            return 201, dict(ReservationSerializer(row).data)

        key = request.headers.get("Idempotency-Key", "").strip()
        if not key:  # without a transaction of its own it may be served together with others
            status, answer = work()
            return Response(answer, status=status, headers={"Location": f"{request.path}{answer['id']}/"})
        status, answer, replayed = access.once(merchant, key=key, request=request.data, work=work)
        headers = {"Location": f"{request.path}{answer['id']}/"}
        if replayed:
            headers["Idempotency-Replayed"] = "true"
        return Response(answer, status=status, headers=headers)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Give the units back before the time; again, or after it expired, this does nothing."""
        try:
            identifier = UUID(pk)
        except ValueError:
            raise Http404 from None
        now = clock.now()
        if reservations.free(merchant_of(request), identifier, actor=actor_of(request), now=now) is None:
            raise Http404
        return Response(status=204)

    def get_object(self) -> Reservation:
        """The caller's reservation; what is no id is not found."""
        try:
            UUID(self.kwargs["pk"])
        except ValueError:
            raise Http404 from None
        return super().get_object()


def _wants(lines: list[dict[str, Any]], merchant: Merchant) -> tuple[Want, ...]:
    """The lines with their SKUs and warehouses; 400 names the lines whose codes are unknown or closed."""
    skus = {
        sku.code: sku
        for sku in Sku.objects.filter(
            merchant=merchant, code__in={line["sku"] for line in lines}, is_active=True
        )
    }
    named = {line["warehouse"] for line in lines if "warehouse" in line}
    open_houses = Warehouse.objects.filter(merchant=merchant, code__in=named, is_active=True, is_frozen=False)
    houses = dict(open_houses.values_list("code", "pk")) if named else {}
    errors: list[dict[str, list[str]]] = []
    for line in lines:
        wrong = {}
        if line["sku"] not in skus:
            wrong["sku"] = [_("There is no such SKU, or it is switched off.")]
        if "warehouse" in line and line["warehouse"] not in houses:
            wrong["warehouse"] = [_("There is no such warehouse, or it takes no orders.")]
        errors.append(wrong)
    if any(errors):
        raise ValidationError({"lines": errors})
    return tuple(Want(skus[x["sku"]], x["quantity"], houses.get(x.get("warehouse", ""))) for x in lines)
