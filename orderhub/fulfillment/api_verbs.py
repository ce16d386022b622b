"""What may be done to an order by API: the verbs of an order's document, each with its preview."""

from __future__ import annotations

from collections.abc import Mapping
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
from orderhub.fulfillment import addresses, deeds, documents, preview_words, previewing
from orderhub.fulfillment import documents_verbs as bodies
from orderhub.kernel import clock
from orderhub.orders import services as orders
from orderhub.orders.addresses import Address
from orderhub.orders.models import Order

_KEY = OpenApiParameter("Idempotency-Key", str, location="header", description="Makes a repeat safe.")
_FORMS: Mapping[str, type[Serializer[Any]]] = {
    "pay": documents.ReasonIn, "hold": documents.HoldIn, "release": documents.ReasonIn, "reroute": documents.ReasonIn,
    "move": bodies.MoveIn, "cancel": documents.ReasonIn, "cancel_units": bodies.CancelUnitsIn,
    "split": bodies.SplitIn, "exchange": bodies.ExchangeIn, "resend": bodies.ResendIn, "merge": bodies.MergeIn,
    "change_address": bodies.AddressChangeIn, "undo": bodies.UndoIn,
}  # fmt: skip


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
        return self._act(request, pk, "pay")

    @extend_schema(request=documents.HoldIn, responses=documents.OrderOut)
    @action(detail=True, methods=["post"])
    def hold(self, request: Request, pk: str | None = None) -> Response:
        """Stop the order before it goes to a warehouse."""
        return self._act(request, pk, "hold")

    @extend_schema(request=documents.ReasonIn, responses=documents.OrderOut)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str | None = None) -> Response:
        """Release every active hold; the order goes on where it stopped."""
        return self._act(request, pk, "release")

    @extend_schema(request=documents.ReasonIn, responses=documents.OrderOut)
    @action(detail=True, methods=["post"])
    def reroute(self, request: Request, pk: str | None = None) -> Response:
        """Decide again where it ships from."""
        return self._act(request, pk, "reroute")

    @extend_schema(request=bodies.MoveIn, responses=documents.OrderOut)
    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: str | None = None) -> Response:
        """Ship what has not left from this warehouse and no other; others are asked to give it back first."""
        return self._act(request, pk, "move")

    @extend_schema(request=documents.ReasonIn, responses=documents.OrderOut)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str | None = None) -> Response:
        """Cancel what has not left; warehouses that work on it are asked to stop."""
        return self._act(request, pk, "cancel")

    @extend_schema(request=bodies.CancelUnitsIn, responses=documents.OrderOut)
    @action(detail=True, methods=["post"], url_path="cancel-units")
    def cancel_units(self, request: Request, pk: str | None = None) -> Response:
        """Cancel some units; only warehouses that have them are asked, and what is left ships."""
        return self._act(request, pk, "cancel_units")

    @extend_schema(
        request=bodies.SplitIn,
        responses={201: documents.OrderOut},
        parameters=[_KEY],
    )
    @action(detail=True, methods=["post"])
    def split(self, request: Request, pk: str | None = None) -> Response:
        """Move units into an order of their own, before any warehouse has the order; the new order (201)."""
        return self._make(request, pk, "split")

    @extend_schema(
        request=bodies.ExchangeIn, responses={201: documents.OrderOut},
        parameters=[_KEY],
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def exchange(self, request: Request, pk: str | None = None) -> Response:
        """Send other goods for units that have left; the new order (201), which waits for a difference to be paid."""
        return self._make(request, pk, "exchange")

    @extend_schema(
        request=bodies.ResendIn, responses={201: documents.OrderOut},
        parameters=[_KEY],
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def resend(self, request: Request, pk: str | None = None) -> Response:
        """Send units that have left once more, at no charge; the new order (201)."""
        return self._make(request, pk, "resend")

    @extend_schema(request=bodies.MergeIn, responses=documents.OrderOut)
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, pk: str | None = None) -> Response:
        """Bring this order and others to the same receiver together; the order that ships, the oldest of them."""
        return self._act(request, pk, "merge")

    @extend_schema(request=bodies.UndoIn, responses=documents.OrderOut)
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str | None = None) -> Response:
        """Undo what was last done to the order, while nothing of it has left."""
        return self._act(request, pk, "undo")

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
        data = _valid(bodies.AddressChangeIn, request.data)
        with etags.guarded(request, order):
            change, is_new = addresses.request_address_change(
                order.pk, Address(**data["destination"]), requested_by=data["requested_by"],
                reason=data["reason"], actor=actor_of(request), now=clock.now(),
            )  # fmt: skip
        return Response(bodies.AddressChangeOut(change).data, status=201 if is_new else 200)

    @extend_schema(request=bodies.PreviewIn, responses=bodies.PreviewOut)
    @action(detail=True, methods=["post"])
    def preview(self, request: Request, pk: str | None = None) -> Response:
        """What a verb would do and which systems would be told, as the verb itself would do it now; nothing is done."""
        self.own(pk)
        wish = _valid(bodies.PreviewIn, request.data)
        verb, actor, now = wish["verb"], actor_of(request), clock.now()
        order, given = self._checked(request, pk, verb, wish["given"])
        with etags.guarded(request, order):
            found = previewing.of(
                order.pk, lambda: deeds.do(verb, order.pk, given, actor=actor, now=now), now=now
            )
        said, undo = preview_words.sentences(found), preview_words.undo(found)
        return Response(previewing.document(verb, found, said, undo))

    def _act(self, request: Request, pk: str | None, verb: str) -> Response:
        """Do it; the order to show then."""
        order, given = self._checked(request, pk, verb, request.data)
        with etags.guarded(request, order):
            shown = deeds.do(verb, order.pk, given, actor=actor_of(request), now=clock.now())
        return self._told(shown)

    def _make(self, request: Request, pk: str | None, verb: str) -> Response:
        """Do what makes a new order, once per Idempotency-Key (201)."""
        order, given = self._checked(request, pk, verb, request.data)

        def work() -> tuple[int, dict[str, Any]]:
            with etags.guarded(request, order):
                made = deeds.do(verb, order.pk, given, actor=actor_of(request), now=clock.now())
            return 201, self.document(made)

        key = request.headers.get("Idempotency-Key", "").strip()
        asked = {verb: order.pk, "body": request.data}
        status, answer, replayed = access.once(merchant_of(request), key=key, request=asked, work=work)
        headers = {"Location": f"/api/v1/orders/{answer['id']}/"}
        if replayed:
            headers["Idempotency-Replayed"] = "true"
        return Response(answer, status=status, headers=headers)

    def _checked(
        self, request: Request, pk: str | None, verb: str, body: Any
    ) -> tuple[Order, dict[str, Any]]:
        """The caller's order and what the verb takes; the other orders of a merge must be the caller's too."""
        order, given = self.own(pk), _valid(_FORMS[verb], body)
        if verb == "merge":
            others = Order.objects.filter(merchant=merchant_of(request), pk__in=given["orders"])
            known = set(others.values_list("pk", flat=True))
            if foreign := [other for other in given["orders"] if other not in known]:
                raise orders.unknown(foreign[0])
        return order, given

    def _told(self, order_id: int) -> Response:
        """The order as it stands now, with its tag for the next `If-Match`."""
        document = self.document(order_id)
        return Response(document, headers={"ETag": etags.tag_of(document, version=document["version"])})


def _valid(form: type[Serializer[Any]], given: Any) -> dict[str, Any]:
    """What was given, as the form takes it; raises ValidationError."""
    body = form(data=given)
    body.is_valid(raise_exception=True)
    data: dict[str, Any] = body.validated_data
    return data
