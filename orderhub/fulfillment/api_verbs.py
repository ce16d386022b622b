"""What may be done to an order by API: the verbs of an order's document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from orderhub.access import etags
from orderhub.access import services as access
from orderhub.access.authentication import actor_of, merchant_of
from orderhub.access.schema import listed
from orderhub.fulfillment import addresses, documents, parting
from orderhub.fulfillment import documents_verbs as bodies
from orderhub.fulfillment import services as fulfillment
from orderhub.fulfillment.parting import Portion
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.orders import services as orders
from orderhub.orders.addresses import Address
from orderhub.orders.models import Order


class OrderVerbs:
    """Mixed into the view set of orders, which finds the caller's own order and writes its document."""

    def own(self, pk: str | None) -> Order:
        """The caller's order, 404 for every other."""
        raise NotImplementedError

    def document(self, order_id: int) -> dict[str, Any]:
        """The order as it stands now."""
        raise NotImplementedError

    @extend_schema(request=documents.ReasonIn, responses=documents.OrderOut)
    @action(detail=True, methods=["post"])
    def pay(self, request: Request, pk: str | None = None) -> Response:
        """Payment arrived."""
        return self._act(request, pk, lambda ids, _data, actor: orders.pay(ids, actor=actor, now=clock.now()))

    @extend_schema(request=documents.HoldIn, responses=documents.OrderOut)
    @action(detail=True, methods=["post"])
    def hold(self, request: Request, pk: str | None = None) -> Response:
        """Stop the order before it goes to a warehouse."""
        return self._act(
            request,
            pk,
            lambda ids, data, actor: orders.hold(ids, actor=actor, now=clock.now(), **data),
            form=documents.HoldIn,
        )

    @extend_schema(request=documents.ReasonIn, responses=documents.OrderOut)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str | None = None) -> Response:
        """Release every active hold; the order goes on where it stopped."""
        return self._act(
            request, pk,
            lambda ids, data, actor: orders.release_holds(ids, note=data["reason"], actor=actor, now=clock.now()),
        )  # fmt: skip

    @extend_schema(request=documents.ReasonIn, responses=documents.OrderOut)
    @action(detail=True, methods=["post"])
    def reroute(self, request: Request, pk: str | None = None) -> Response:
        """Decide again where it ships from."""
        return self._act(
            request, pk,
            lambda ids, data, actor: fulfillment.reroute(ids, reason=data["reason"], actor=actor, now=clock.now()),
        )  # fmt: skip

    @extend_schema(request=documents.ReasonIn, responses=documents.OrderOut)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str | None = None) -> Response:
        """Cancel what has not left; warehouses that work on it are asked to stop."""
        return self._act(
            request, pk,
            lambda ids, data, actor: fulfillment.cancel(ids, reason=data["reason"], actor=actor, now=clock.now()),
        )  # fmt: skip

    @extend_schema(
        request=bodies.SplitIn, responses={201: documents.OrderOut},
        parameters=[OpenApiParameter("Idempotency-Key", str, location="header", description="Makes a repeat safe.")],
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def split(self, request: Request, pk: str | None = None) -> Response:
        """Move units into an order of their own, before any warehouse has the order; the new order (201)."""
        order, merchant = self.own(pk), merchant_of(request)
        data = _valid(bodies.SplitIn, request)
        portions = [Portion(line["position"], line["quantity"]) for line in data["lines"]]

        def work() -> tuple[int, dict[str, Any]]:
            with etags.guarded(request, order):
                part = parting.split(
                    order.pk, portions, reason=data["reason"], actor=actor_of(request), now=clock.now()
                )
            return 201, self.document(part.pk)

        key = request.headers.get("Idempotency-Key", "").strip()
        asked = {"split": order.pk, "body": request.data}
        status, answer, replayed = access.once(merchant, key=key, request=asked, work=work)
        headers = {"Location": f"/api/v1/orders/{answer['id']}/"}
        if replayed:
            headers["Idempotency-Replayed"] = "true"
        return Response(answer, status=status, headers=headers)

    @extend_schema(request=bodies.MergeIn, responses=documents.OrderOut)
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, pk: str | None = None) -> Response:
        """Bring this order and others to the same receiver together; the order that ships, the oldest of them."""
        order = self.own(pk)
        data = _valid(bodies.MergeIn, request)
        others = Order.objects.filter(merchant=merchant_of(request), pk__in=data["orders"])
        known = set(others.values_list("pk", flat=True))
        if foreign := [other for other in data["orders"] if other not in known]:
            raise orders.unknown(foreign[0])
        with etags.guarded(request, order):
            survivor = parting.merge(
                sorted({order.pk, *known}), reason=data["reason"], actor=actor_of(request), now=clock.now()
            )
        return self._told(survivor.pk)

    @extend_schema(
        methods=["post"], request=bodies.AddressChangeIn,
        responses={201: bodies.AddressChangeOut, 200: bodies.AddressChangeOut},
    )  # fmt: skip
    @extend_schema(
        methods=["get"], responses=listed(bodies.AddressChangeOut), operation_id="orders_address_changes_list"
    )
    @action(detail=True, methods=["get", "post"], url_path="address-changes", pagination_class=None)
    def address_changes(self, request: Request, pk: str | None = None) -> Response:
        """Changes of the address, newest first; POST asks for one: 201, or 200 if it was asked for already."""
        if request.method == "GET":
            rows = self.own(pk).address_changes.select_related("new_person").order_by("-pk")
            return Response({"count": len(rows), "results": bodies.AddressChangeOut(rows, many=True).data})
        order = self.own(pk)
        data = _valid(bodies.AddressChangeIn, request)
        with etags.guarded(request, order):
            change, is_new = addresses.request_address_change(
                order.pk, Address(**data["destination"]), requested_by=data["requested_by"],
                reason=data["reason"], actor=actor_of(request), now=clock.now(),
            )  # fmt: skip
        return Response(bodies.AddressChangeOut(change).data, status=201 if is_new else 200)

    def _act(
        self,
        request: Request,
        pk: str | None,
        work: Callable[[Sequence[int], dict[str, Any], str], Sequence[Any]],
        *,
        form: Any = documents.ReasonIn,
    ) -> Response:
        order = self.own(pk)
        body = form(data=request.data)
        body.is_valid(raise_exception=True)
        with etags.guarded(request, order):
            outcomes = list(work([order.pk], body.validated_data, actor_of(request)))
        for outcome in outcomes:
            if isinstance(outcome.refused, Refused):
                raise outcome.refused
        return self._told(order.pk)

    def _told(self, order_id: int) -> Response:
        """The order as it stands now, with its tag for the next `If-Match`."""
        document = self.document(order_id)
        return Response(document, headers={"ETag": etags.tag_of(document, version=document["version"])})


def _valid(form: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """The body, checked."""
    body = form(data=request.data)
    body.is_valid(raise_exception=True)
    data: dict[str, Any] = body.validated_data
    return data
