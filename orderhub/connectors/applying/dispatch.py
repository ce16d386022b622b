"""Which part of the hub a document is for, by what it means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from orderhub.connectors import base
from orderhub.connectors.applying import (
    fetching,
    goods,
    late_answers,
    making,
    orders,
    positions,
    stock,
    updates,
)
from orderhub.connectors.meant import Fault, Result, Told
from orderhub.connectors.models import Connection, Profile
from orderhub.fulfillment import services as fulfillment
from orderhub.fulfillment.updates import Update

Applier = Callable[[Connection, Sequence[Told], datetime], list[Result]]

_appliers: Mapping[str, Applier] = {
    "order": lambda connection, told, now: orders.apply(connection, told, now=now),
    "address": lambda connection, told, now: orders.change_addresses(connection, told, now=now),
    "cancel": lambda connection, told, now: orders.cancel(connection, told, now=now),
    "risk": lambda connection, told, now: orders.review(connection, told, now=now),
    "warehouse": lambda connection, told, now: updates.from_warehouses(connection, told, now=now),
    "scan": lambda connection, told, now: updates.from_carriers(connection, told, now=now),
    "stock": lambda connection, told, now: stock.apply(connection, told, now=now),
    "receipt": lambda connection, told, now: goods.receive(connection, told, now=now),
    "return": lambda connection, told, now: goods.take_back(connection, told, now=now),
    "production": lambda connection, told, now: making.apply(connection, told, now=now),
    "milestone": lambda connection, told, now: _milestones(connection, told, now=now),
    "answer": lambda connection, told, now: late_answers.apply(connection, told, now=now),
    "hint": lambda connection, told, now: fetching.wish(connection, told, now=now),
    "position": lambda connection, told, now: positions.apply(connection, told, now=now),
}


def apply(connection: Connection, told: Sequence[Update | Told], *, now: datetime) -> list[Result]:
    """Apply documents in the order given, those of one meaning in a row together; a result each."""
    results: list[Result] = []
    for means, group in groupby(told, key=_means):
        own = list(group)
        if means == "update":
            results += _updates(connection, [one for one in own if isinstance(one, Update)], now=now)
            continue
        documents = [one for one in own if isinstance(one, Told)]
        applier = _appliers.get(means)
        if applier is None:
            results += [
                Result("refused", "unknown_meaning", (Fault("means", "unknown_meaning", means),))
            ] * len(own)
        else:
            results += applier(connection, documents, now)
    return results


def _means(one: Update | Told) -> str:
    return one.means if isinstance(one, Told) else "update"


def _updates(connection: Connection, own: Sequence[Update], *, now: datetime) -> list[Result]:
    outcomes = fulfillment.apply(
        own, merchant=connection.merchant, actor=f"connection:{connection.code}", now=now
    )
    return [
        Result(outcome.status, outcome.reason, (), outcome.update.fulfillment_number) for outcome in outcomes
    ]


def _milestones(connection: Connection, told: Sequence[Told], *, now: datetime) -> list[Result]:
    """What a factory's own system says of a step goes to the work order, everything else to the journey."""
    results: list[Result] = []
    role = connection.profile.role if connection.profile is not None else ""
    for is_step, group in groupby(told, key=lambda one: role == Profile.Role.MES and making.is_step(one)):
        own = list(group)
        results += (
            making.apply(connection, own, now=now)
            if is_step
            else base.tell_milestones(connection, own, now=now)
        )
    return results
