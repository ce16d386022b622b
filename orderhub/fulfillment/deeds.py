"""Every verb of an order by one name and one shape, so that the API, the pages and the previews do the very same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from orderhub.fulfillment import addresses, cancelling, moving, parting, replacing, services, undoing
from orderhub.fulfillment.parting import Portion
from orderhub.fulfillment.replacing import Article
from orderhub.orders import services as orders
from orderhub.orders.addresses import Address
from orderhub.orders.services import Outcome

Given = Mapping[str, Any]
#: Does it to an order by id; the id of the order to show. Raises Refused.
Deed = Callable[[int, Given, str, datetime], int]


def do(name: str, order_id: int, given: Given, *, actor: str, now: datetime) -> int:
    """Do the verb of that name; the id of the order to show then. Raises Refused, or KeyError for no verb."""
    return DEEDS[name](order_id, given, actor, now)


def portions(lines: Sequence[Mapping[str, int]]) -> list[Portion]:
    """Units by the position of their line, as the API takes them."""
    return [Portion(line["position"], line["quantity"]) for line in lines]


def _first(order_id: int, outcomes: Sequence[Outcome]) -> int:
    for outcome in outcomes:
        if outcome.refused is not None:
            raise outcome.refused
    return order_id


def _pay(order_id: int, given: Given, actor: str, now: datetime) -> int:
    return _first(order_id, orders.pay([order_id], actor=actor, now=now))


def _hold(order_id: int, given: Given, actor: str, now: datetime) -> int:
    outcomes = orders.hold(
        [order_id], reason=given["reason"], detail=given.get("detail", ""), until=given.get("until"), actor=actor, now=now
    )  # fmt: skip
    return _first(order_id, outcomes)


def _release(order_id: int, given: Given, actor: str, now: datetime) -> int:
    note = given.get("note") or given.get("reason") or ""
    return _first(order_id, orders.release_holds([order_id], note=note, actor=actor, now=now))


def _reroute(order_id: int, given: Given, actor: str, now: datetime) -> int:
    return _first(order_id, services.reroute([order_id], reason=given["reason"], actor=actor, now=now))


def _cancel(order_id: int, given: Given, actor: str, now: datetime) -> int:
    return _first(order_id, services.cancel([order_id], reason=given["reason"], actor=actor, now=now))


def _split(order_id: int, given: Given, actor: str, now: datetime) -> int:
    part = parting.split(order_id, portions(given["lines"]), reason=given["reason"], actor=actor, now=now)
    return part.pk


def _merge(order_id: int, given: Given, actor: str, now: datetime) -> int:
    ids = sorted({order_id, *given["orders"]})
    return parting.merge(ids, reason=given["reason"], actor=actor, now=now).pk


def _cancel_units(order_id: int, given: Given, actor: str, now: datetime) -> int:
    cancelling.cancel_units(order_id, portions(given["lines"]), reason=given["reason"], actor=actor, now=now)
    return order_id


def _move(order_id: int, given: Given, actor: str, now: datetime) -> int:
    return moving.move(order_id, given["warehouse"], reason=given["reason"], actor=actor, now=now).pk


def _exchange(order_id: int, given: Given, actor: str, now: datetime) -> int:
    articles = [Article(one["sku"], one["quantity"], one.get("unit_price")) for one in given["goods"]]
    follow_up = replacing.exchange(
        order_id, portions(given["lines"]), articles, reason=given["reason"], detail=given.get("detail", ""),
        waive=given.get("waive", False), return_expected=given.get("return_expected", True), actor=actor, now=now,
    )  # fmt: skip
    return follow_up.new_order_id


def _resend(order_id: int, given: Given, actor: str, now: datetime) -> int:
    follow_up = replacing.resend(
        order_id, portions(given["lines"]), reason=given["reason"], detail=given.get("detail", ""),
        parcel=given.get("parcel", ""), actor=actor, now=now,
    )  # fmt: skip
    return follow_up.new_order_id


def _change_address(order_id: int, given: Given, actor: str, now: datetime) -> int:
    addresses.request_address_change(
        order_id, Address(**given["destination"]), requested_by=given["requested_by"], reason=given["reason"],
        actor=actor, now=now,
    )  # fmt: skip
    return order_id


def _undo(order_id: int, given: Given, actor: str, now: datetime) -> int:
    return undoing.undo(order_id, seq=given.get("seq"), actor=actor, now=now).pk


DEEDS: Mapping[str, Deed] = {
    "pay": _pay, "hold": _hold, "release": _release, "reroute": _reroute, "cancel": _cancel, "split": _split,
    "merge": _merge, "cancel_units": _cancel_units, "move": _move, "exchange": _exchange, "resend": _resend,
    "change_address": _change_address, "undo": _undo,
}  # fmt: skip
