"""5,000 damaged bodies at every door that writes: no server error, a problem that says what is wrong, nothing half-written."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from django.test import Client

from orderhub.access import services as access
from orderhub.events.models import Delivery, Event
from orderhub.fulfillment.models import IntakeMessage
from orderhub.inventory.models import Reservation
from orderhub.orders.models import Hold, Order, OrderLine, Person
from tests import make

PARTS, EACH = 10, 500
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**40, 0.1, -0.0, 1e308, "", " ", "0", "-1", "NaN", "1e309", "\x00",
    "\u202e", "\ud800", "'; DROP TABLE orders_order; --", "<script>", "x" * 5000, "9" * 400, "2026-13-45T99:99", "CN",
    [], {}, [[]], [None], {"": None}, {"$ne": 1}, ["a"] * 300, {"sku": {"sku": {}}},
)  # fmt: skip
RAW = (b"", b"\x00", b"{", b"[", b"null", b"NaN", b'"', b"\xff\xfe", b"[" * 5000, b'{"a":' * 2000, b"1e999")


@pytest.mark.django_db
@pytest.mark.parametrize("part", range(PARTS))
def test_no_body_breaks_a_door(part: int) -> None:
    merchant = make.network()
    make.channel()
    (order,) = make.place(make.draft("GOOD"))
    _row, key = access.issue_key(merchant, name="mutant", key=f"mutant-{part}-" + "k" * 30)
    caller, chance = Client(raise_request_exception=False), random.Random(part)
    doors = _doors(order.pk)

    before = _counts()
    for number in range(EACH):
        path, good = doors[number % len(doors)]
        body = _damaged(good(f"M{part}-{number}"), chance)
        answer = caller.generic(
            "POST", path, body, content_type="application/json", headers={"Authorization": f"Api-Key {key}"}
        )
        seen = f"part {part}, number {number}, {path}, {body[:300]!r} → {answer.status_code} {answer.content[:300]!r}"
        assert answer.status_code < 500, seen
        if answer.status_code >= 400:
            assert answer["Content-Type"].startswith("application/problem+json"), seen
            assert answer.json()["code"], seen
            assert answer.json()["remedy"] is not None, seen
        after = _counts()
        # That a number came again with other content (409) is told in its stream.
        assert after == before or answer.status_code < 400 or answer.status_code == 409, seen
        before = after
    for whole in Order.objects.prefetch_related("lines").select_related("person"):
        assert whole.lines.count() > 0
        assert Event.objects.filter(stream=whole.stream, seq=1, kind="order.placed").count() == 1


def _doors(order_id: int) -> list[tuple[str, Callable[[str], Any]]]:
    return [
        ("/api/v1/orders/", make.order_json),
        ("/api/v1/orders/bulk/", lambda name: {"orders": [make.order_json(name), make.order_json(f"{name}b")]}),
        ("/api/v1/intake/orders/", make.order_json),
        (f"/api/v1/orders/{order_id}/hold/", lambda _name: {"reason": "manual", "detail": "look", "until": None}),
        (f"/api/v1/orders/{order_id}/split/", lambda _name: {"lines": [{"position": 1, "quantity": 1}], "reason": "x"}),
        (
            f"/api/v1/orders/{order_id}/address-changes/",
            lambda _name: {**make.order_json("x")["destination"], "reason": "moved"},
        ),
        ("/api/v1/stock/reservations/", lambda _name: {"lines": [{"sku": "LAMP", "quantity": 1}], "minutes": 5}),
        ("/api/v1/stock/counts/", lambda _name: [{"sku": "LAMP", "warehouse": "HGH", "on_hand": 60}]),
    ]  # fmt: skip


def _counts() -> tuple[int, ...]:
    tables = (Order, OrderLine, Person, Event, Delivery, Hold, Reservation, IntakeMessage)
    return tuple(table.objects.count() for table in tables)  # type: ignore[attr-defined]


def _damaged(good: Any, chance: random.Random) -> bytes:
    """The body with one to three things wrong: a byte, a value, a name, a piece missing or twice."""
    way = chance.random()
    if way < 0.03:
        return chance.choice(RAW)
    if way < 0.65:
        for _time in range(chance.randint(1, 3)):
            _spoil(good, chance)
        return json.dumps(good).encode()
    raw = bytearray(json.dumps(good, ensure_ascii=chance.random() < 0.5).encode())
    for _time in range(chance.randint(1, 3)):
        place = chance.randrange(len(raw)) if raw else 0
        cut = chance.choice(["flip", "drop", "twice", "end"])
        if cut == "flip":
            raw[place : place + 1] = bytes([chance.randrange(256)])
        elif cut == "drop":
            del raw[place : place + chance.randint(1, 8)]
        elif cut == "twice":
            raw[place:place] = raw[place : place + chance.randint(1, 40)]
        else:
            del raw[max(place, 1) :]
    return bytes(raw)


def _spoil(value: Any, chance: random.Random) -> None:
    """One piece of the tree replaced, dropped, renamed or repeated."""
    while isinstance(value, dict | list) and value:
        names = list(value) if isinstance(value, dict) else list(range(len(value)))
        name = chance.choice(names)
        if isinstance(value[name], dict | list) and value[name] and chance.random() < 0.7:
            value = value[name]
            continue
        deed = chance.choice(["odd", "odd", "odd", "drop", "more"])
        if deed == "odd":
            value[name] = deepcopy(chance.choice(ODD))
        elif deed == "drop":
            del value[name]
        elif isinstance(value, dict):
            value[chance.choice(["unknown", "id", "merchant", "stage", "__class__", "_state", "sku"])] = (
                deepcopy(chance.choice(ODD))
            )
        else:
            value.append(deepcopy(chance.choice(ODD)))
        return
