"""Rows of a batch in one statement: what comes back is what went in, whatever is in it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from orderhub.events import rows
from orderhub.events.models import Cursor, ParkedEvent
from orderhub.inventory.models import Sku
from tests import make

pytestmark = pytest.mark.django_db

NASTY = (
    "plain",
    'with "quotes"',
    "back\\slash",
    "{a,b}",
    "NULL",
    "",
    " blank ",
    "tab\tand\nline",
    "'; --",
    "中文😀",
    "%s",
)
MOMENT = datetime(2026, 11, 22, 2, 0, 0, 123456, tzinfo=UTC)


def skus(count: int = len(NASTY)) -> list[Sku]:
    return [
        Sku(
            merchant=make.merchant(), code=f"R{number}", name=NASTY[number % len(NASTY)], grams=number,
            price=Decimal("12.50"), traits=[NASTY[number % len(NASTY)], None, {"a": 1.5}],
        )
        for number in range(count)
    ]  # fmt: skip


def test_every_kind_of_value_comes_back_as_it_went_in() -> None:
    with transaction.atomic():
        made = rows.insert(skus())

    found = list(Sku.objects.filter(code__startswith="R").order_by("pk"))
    assert [sku.pk for sku in found] == [sku.pk for sku in made]
    assert [sku.name for sku in found] == list(NASTY)
    assert [sku.traits for sku in found] == [[text, None, {"a": 1.5}] for text in NASTY]
    assert found[3].price == Decimal("12.50")
    assert found[3].is_active is True
    assert not any(sku._state.adding for sku in made)


def test_saving_writes_only_the_fields_named() -> None:
    with transaction.atomic():
        made = rows.insert(skus())
    for number, sku in enumerate(made):
        sku.name, sku.grams, sku.traits, sku.is_active = NASTY[-1 - number], 7, [NASTY[number]], False

    rows.save(made, ["name", "traits", "is_active"])

    found = list(Sku.objects.filter(code__startswith="R").order_by("pk"))
    assert [sku.name for sku in found] == list(reversed(NASTY))
    assert [sku.traits for sku in found] == [[text] for text in NASTY]
    assert [sku.grams for sku in found] == list(range(len(NASTY)))
    assert {sku.is_active for sku in found} == {False}


def test_a_row_that_is_known_is_left_out_or_taken_over_or_fails_the_batch() -> None:
    cursors = [Cursor(name=name, tx=1, event_id=2) for name in ("a", "b")]
    with transaction.atomic():
        rows.insert(cursors)
        rows.insert([Cursor(name="a", tx=5, event_id=6), Cursor(name="c")], skip_known=True)
        rows.insert([Cursor(name="b", tx=7, event_id=8)], update=["tx", "updated_at"])

    with pytest.raises(IntegrityError), transaction.atomic():
        rows.insert([Cursor(name="d"), Cursor(name="a")])

    found = list(Cursor.objects.order_by("name").values_list("name", "tx", "event_id"))
    assert found == [("a", 1, 2), ("b", 7, 2), ("c", 0, 0)]
    assert Cursor.objects.get(pk="c").updated_at is not None


def test_a_value_too_long_for_its_column_is_refused_and_not_cut(on_postgresql: bool) -> None:
    if not on_postgresql:
        pytest.skip("SQLite does not limit texts")
    long = skus(1)
    long[0].name = "x" * 500

    with pytest.raises(Exception, match="too long"), transaction.atomic():
        rows.insert(long)

    assert not Sku.objects.filter(code="R0").exists()


@pytest.mark.parametrize("count", [1, 300])
def test_the_statements_do_not_grow_with_the_rows(count: int, on_postgresql: bool) -> None:
    new = skus(count)
    with transaction.atomic(), CaptureQueriesContext(connection) as inserting:
        rows.insert(new)
    with CaptureQueriesContext(connection) as saving:
        rows.save(new, ["name"])

    assert len(inserting) == (1 if on_postgresql else 2)
    assert len(saving) == 1


def test_nothing_is_asked_for_no_rows(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert rows.insert([]) == []
        rows.save([], ["name"])


@pytest.mark.django_db(transaction=True)
def test_adding_rows_needs_a_transaction() -> None:
    with pytest.raises(RuntimeError):
        rows.insert([ParkedEvent(stream="order:1")])
