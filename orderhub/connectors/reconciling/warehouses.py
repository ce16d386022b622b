"""Warehouses: what they hold beside what we released. A shipment whose report never came is taken from their answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import Q

from orderhub.connectors.meant import text
from orderhub.connectors.models import Alias, Call
from orderhub.connectors.reconciling.turns import CHUNK, GRACE, Found, Sort, Turn
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.fulfillment.models.fulfillment import State
from orderhub.inventory.models import Stock, Warehouse

_OPEN = (State.RELEASED, State.ACKNOWLEDGED, State.IN_PROGRESS, State.CANCEL_REQUESTED)
_ENDED = (State.CANCELLED, State.REJECTED)
#: What their word for the state means for ours.
_GONE = frozenset({"cancelled", "reject"})


def held(turn: Turn, after: str) -> str:
    """Ask for each fulfillment order that is under way here, or was called off in these days."""
    if not turn.can("query_release"):
        return ""
    rows = FulfillmentOrder.objects.filter(
        Q(state__in=_OPEN) | Q(state__in=_ENDED, updated_at__gte=turn.run.since) | Q(number__in=turn.unsettled),
        warehouse__in=_served(turn), released_at__lt=turn.now - GRACE, pk__gt=int(after or 0),
    )  # fmt: skip
    works = list(rows.select_related("warehouse", "order").order_by("pk")[:CHUNK])
    houses = _their_names(turn, Alias.Sort.WAREHOUSE)
    calls = _calls(turn, works)
    for row in works:
        code = row.warehouse.code
        asked = {"number": row.number, "warehouse": houses.get(code, code), "order_number": row.order.number}
        answer = turn.ask("query_release", asked)
        turn.asked += 1
        if answer.means == "refused":
            turn.found += _unknown(row, calls)
            continue
        part = turn.read("query_release", answer.tree)
        if part is not None:
            turn.found += _compared(turn, row, text(part.value, "event"), answer.tree, calls)
    return str(works[-1].pk) if len(works) == CHUNK else ""


def told(turn: Turn, after: str) -> str:
    """Where they cannot be asked, the answers and reports so far are what there is; only counted."""
    if not turn.can("query_release"):
        rows = FulfillmentOrder.objects.filter(
            warehouse__in=_served(turn), released_at__gte=turn.run.since, released_at__lt=turn.run.until
        )
        turn.told += rows.count()
    return ""


def _served(turn: Turn) -> Iterable[Warehouse]:
    own = turn.connection.warehouses.all()
    return own if own.exists() else Warehouse.objects.filter(merchant_id=turn.run.merchant_id)


def _their_names(turn: Turn, sort: str) -> dict[str, str]:
    return dict(Alias.objects.filter(connection=turn.connection, sort=sort).values_list("ours", "theirs"))


def _calls(turn: Turn, works: Sequence[FulfillmentOrder]) -> dict[tuple[str, str], int]:
    """The calls that they acknowledged, by operation and number."""
    rows = Call.objects.filter(
        connection=turn.connection, operation__in=("release", "cancel"), state=Call.State.ACKED,
        reference__in=[row.number for row in works],
    )  # fmt: skip
    return {
        (operation, reference): pk
        for pk, operation, reference in rows.values_list("pk", "operation", "reference")
    }


def _unknown(row: FulfillmentOrder, calls: dict[tuple[str, str], int]) -> list[Found]:
    """Not there at all: a difference where we wait for it, unless the release is told as not acknowledged anyway."""
    call = calls.get(("release", row.number))
    if row.state in _ENDED or call is None:
        return []
    return [Found(Sort.MISSING_THERE, row.number, str(row.state), "", row.order_id, call)]


def _compared(
    turn: Turn, row: FulfillmentOrder, event: str, tree: object, calls: dict[tuple[str, str], int]
) -> list[Found]:
    state, number = str(row.state), row.number
    if row.state in (State.SHIPPED, State.DELIVERED):
        return []
    if event == "ship":
        is_late = row.state in _ENDED
        if not is_late:
            turn.keep("query_release", number, tree)
        return [Found(Sort.SHIPPED_THERE, number, state, event, row.order_id, fetching=not is_late)]
    if event in _GONE:
        if row.state in _ENDED:
            return []
        turn.keep("query_release", number, tree)
        return [Found(Sort.CANCELLED_THERE, number, state, event, row.order_id, fetching=True)]
    if row.state in _ENDED:
        call = calls.get(("cancel", number))
        return [Found(Sort.CANCELLED_HERE, number, state, event, row.order_id, call)]
    return []


def stock(turn: Turn, after: str) -> str:
    """Ask what lies there. What differs goes the way of their own counts: compared, given a reason, booked or shown."""
    if not turn.can("query_stock"):
        return ""
    rows = Stock.objects.filter(warehouse__in=_served(turn), pk__gt=int(after or 0))
    chunk = list(rows.select_related("warehouse", "sku").order_by("pk")[:CHUNK])
    houses, skus = _their_names(turn, Alias.Sort.WAREHOUSE), _their_names(turn, Alias.Sort.SKU)
    by_house: dict[str, list[Stock]] = {}
    for row in chunk:
        by_house.setdefault(row.warehouse.code, []).append(row)
    for code, own in by_house.items():
        house = houses.get(code, code)
        items = [{"sku": skus.get(row.sku.code, row.sku.code), "warehouse": house} for row in own]
        answer = turn.ask("query_stock", {"warehouse": house, "items": items, "reference": code})
        part = turn.read("query_stock", answer.tree) if answer.means == "acked" else None
        if part is None:
            continue
        turn.asked += len(own)
        said = {text(one, "sku"): one.get("qty") for one in part.value.get("items", ())}
        other = [
            Found(Sort.STOCK, f"{code} {row.sku.code}", str(row.on_hand), str(said[their]), fetching=True)
            for row in own
            if (their := skus.get(row.sku.code, row.sku.code)) in said and said[their] != row.on_hand
        ]
        turn.found += other
        if other:
            turn.keep("query_stock", f"{code}/{own[0].pk}", answer.tree)
    return str(chunk[-1].pk) if len(chunk) == CHUNK else ""
