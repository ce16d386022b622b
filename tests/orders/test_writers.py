"""Whichever way orders are written (one statement, COPY, SQLite), the same rows stand in the tables afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from orderhub.events import audit
from orderhub.events.models import Delivery, Event, StreamHead
from orderhub.orders import placing, writing
from orderhub.orders.drafts import LineDraft, OrderDraft
from orderhub.orders.models import Order, OrderLine, Original, Person
from tests.orders import builders as make

pytestmark = pytest.mark.django_db
# Control characters of COPY, quotes, backslashes and what looks like an escape or a missing value.
TEXTS = some.text(
    some.sampled_from(
        ["王", "芳", "a", " ", "\\", "N", "\t", "\n", "\r", "\x1e", "\x1f", '"', "'", "%", "{", "😀"]
    ),
    max_size=30,
)
CENTS = some.decimals("0", "99999.99", places=2)
TIMES = some.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=some.just(UTC))
WAYS = ("statement", "many", "packed")
COUNTERS = (
    "id",
    "order_id",
    "event_id",
    "token",
    "person_id",
    "public_id",
    "share_hash",
    "stream",
    "hash",
    "order",
)


@some.composite
def contents(draw: Any) -> dict[str, Any]:
    """What a draft says, without its number and rows of others."""
    text = lambda: draw(TEXTS)  # noqa: E731
    lines = draw(some.lists(some.tuples(some.integers(1, 999), CENTS, TEXTS), min_size=1, max_size=4))
    return {
        "placed_at": draw(TIMES), "paid": draw(some.booleans()), "paid_at": draw(some.none() | TIMES),
        "district": text(), "address": text(), "postcode": text()[:20], "name": text(), "phone": text(),
        "email": text(), "note": text(), "green": draw(some.booleans()), "extra": {"k": text()},
        "original": {"said": [text(), None, 1, True]}, "lines": lines,
    }  # fmt: skip


def drafts(said: list[dict[str, Any]], *, prefix: str) -> list[OrderDraft]:
    """The contents as drafts with numbers of their own."""
    found = []
    for number, fields in enumerate(said):
        lines = [LineDraft(make.sku(), n, price, price * n, name) for n, price, name in fields["lines"]]
        found.append(make.draft(f"{prefix}{number:03}", **{**fields, "lines": lines}))
    return found


def written(source: str) -> list[Any]:
    """Everything that stands for the orders of that source, without ids, chance and their numbers' prefix."""
    found: list[Any] = []
    for order in Order.objects.filter(source=source).order_by("external_id"):
        parts = [
            Order.objects.filter(pk=order.pk), Person.objects.filter(pk=order.person_id),
            OrderLine.objects.filter(order=order).order_by("position"), Original.objects.filter(order=order),
            Event.objects.filter(stream=order.stream), StreamHead.objects.filter(stream=order.stream),
            Delivery.objects.filter(stream=order.stream).order_by("subscriber", "destination"),
        ]  # fmt: skip
        found.append([[_same(row, order) for row in rows.values()] for rows in parts])
    return found


def _same(row: dict[str, Any], order: Order) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name not in {*COUNTERS, "source", "actor"}}
    if "external_id" in kept:
        kept["external_id"] = kept["external_id"][1:]
    if isinstance(kept.get("payload"), dict) and "external_id" in kept["payload"]:
        kept["payload"] = {**kept["payload"], "external_id": order.external_id[1:]}
    # Due a minute before it was written, by the machine's own clock.
    kept.pop("not_before", None)
    kept.pop("content_hash", None)
    return kept


@pytest.mark.services
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=some.lists(contents(), min_size=1, max_size=5))
def test_one_statement_and_copy_write_the_same_rows(monkeypatch: pytest.MonkeyPatch, said: list[Any]) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one way only")
    for table in (Delivery, Original, OrderLine):
        table.objects.all().delete()
    Order.objects.all().delete()

    for way, few in zip(WAYS, (60, 0, 0), strict=True):
        monkeypatch.setattr(writing, "FEW", few)
        asked = drafts(said, prefix=way[0])
        options: Any = {"merchant": make.merchant(), "actor": way, "now": make.NOW, "source": way}
        if way == "packed":
            blocks = placing.pack(asked, **options)
            assert blocks is not None
            placing.place_packed(blocks)
            assert placing.pack(asked, **options) is None
        else:
            assert placing.place_many(asked, **options) == ["created"] * len(said)

    assert len(written("many")) == len(said)
    assert written("statement") == written("many") == written("packed")


@pytest.mark.services
def test_a_number_taken_between_the_look_and_copy_is_looked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one writer in at a time")
    monkeypatch.setattr(writing, "FEW", 0)
    options: Any = {"merchant": make.merchant(), "actor": "t", "now": make.NOW, "source": "t"}
    placing.place_many([make.draft("T1")], **options)
    look, looks = writing.standing, []

    def too_early(channel_id: int, numbers: Any) -> Any:
        looks.append(numbers)
        return look(channel_id, numbers) if len(looks) > 1 else []

    monkeypatch.setattr(writing, "standing", too_early)
    outcomes = placing.place_many([make.draft("T1"), make.draft("T2")], **options)

    assert outcomes == ["unchanged", "created"]
    assert len(looks) == 2
    assert Order.objects.count() == 2


@pytest.mark.services
def test_a_number_that_comes_twice_is_not_packed() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite packs nothing")
    twice = [make.draft("T1"), make.draft("T2"), make.draft("T1")]
    options: Any = {"merchant": make.merchant(), "actor": "t", "now": make.NOW, "source": "t"}

    assert placing.pack(twice, **options) is None
    assert placing.pack(twice[:2], **options) is not None
    assert Order.objects.count() == 0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=some.lists(contents(), min_size=1, max_size=4))
def test_an_order_handed_out_is_the_order_that_stands(said: list[Any]) -> None:
    asked = drafts(said, prefix="h")
    for table in (Delivery, Original, OrderLine):
        table.objects.all().delete()
    Order.objects.all().delete()

    placements = placing.place(asked, merchant=make.merchant(), actor="t", now=make.NOW, source="api")

    for placement in placements:
        order = placement.order
        assert order is not None
        assert _values(order) == _values(Order.objects.get(pk=order.pk))
        assert _values(order.person) == _values(Person.objects.get(pk=order.person_id))
        stored = list(OrderLine.objects.filter(order=order).order_by("position"))
        assert [_values(line) for line in order.lines.all()] == [_values(line) for line in stored]
        assert order.goods_total == sum((line.line_total for line in stored), Decimal(0))
        assert order.received_at - order.updated_at == timedelta(0)
    streams = {placement.order.stream for placement in placements if placement.order is not None}
    assert [fault for stream in streams for fault in audit.verify(stream=stream)] == []


def _values(row: Any) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
