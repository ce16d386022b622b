"""What fields cost: nothing where there are none, nothing once they are known, one statement after a change."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from orderhub.access.models import Merchant
from orderhub.fields import queries
from orderhub.fields.api_values import checked
from orderhub.fields.lookups import narrowed
from orderhub.kernel import clock
from orderhub.orders import filling, journeys, vocabulary
from orderhub.orders.models import Order
from tests import make
from tests.fields.conftest import Add


def _statements(work: Callable[[], object]) -> list[str]:
    journeys.forget()
    with CaptureQueriesContext(connection) as captured:
        work()
    return [row["sql"] for row in captured.captured_queries]


def _facts(orders: list[Order]) -> dict[int, dict[str, object]]:
    loaded = list(
        Order.objects.filter(pk__in=[x.pk for x in orders]).select_related("merchant", "channel", "person")
    )
    lines = {order.pk: list(order.lines.select_related("sku")) for order in loaded}
    return vocabulary.facts_of(loaded, lines, now=clock.now())


@pytest.mark.django_db
def test_facts_cost_no_statement_once_fields_are_known_and_one_after_a_change(add: Add) -> None:
    make.network()
    orders = make.place(make.draft("A-1"), make.draft("A-2"))
    _facts(orders)
    without = len(_statements(lambda: _facts(orders)))
    add("order", "floor", "integer")

    changed, known = (len(_statements(lambda: _facts(orders))) for _time in range(2))

    assert (changed, known) == (without + 1, without)


@pytest.mark.django_db
def test_another_process_knows_a_change_by_the_merchant_alone(add: Add) -> None:
    """What this process has read stays right, as the merchant it has at hand says another number."""
    make.network()
    before = queries.book(make.merchant())
    add("order", "floor", "integer")
    kept = dict(queries._books)

    after = queries.book(Merchant.objects.get(pk=make.merchant().pk))

    assert (list(before.of("order")), list(after.of("order"))) == ([], ["floor"])
    assert all(book is not after for book in kept.values()) or len(queries._books) >= len(kept)


@pytest.mark.services
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("target", "code", "value"), [("order", "floor", "3"), ("order", "tag", "a"), ("sku", "size", "7")]
)
def test_the_index_finds_values(add: Add, target: str, code: str, value: str) -> None:
    make.network()
    field = add(target, code, "text" if code == "tag" else "integer").definition()
    make.place(*(make.draft(f"A-{n}", custom={"floor": n, "tag": "a"}) for n in range(3)))
    model = Order if target == "order" else type(make.goods()["LAMP"])
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")

    plan = narrowed(model.objects.all(), field, value).explain()  # type: ignore[attr-defined]

    assert f"{model._meta.db_table}_custom" in plan


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_two_changes_at_once_both_stay(add: Add) -> None:
    make.network()
    for number in range(8):
        add("order", f"f{number}", "integer")
    (order,) = make.place(make.draft("A-1"))
    book = queries.book(Merchant.objects.get(pk=order.merchant_id))

    def change(number: int) -> None:
        try:
            put = lambda standing: checked(book.of("order"), {f"f{number}": number}, standing=standing)  # noqa: E731
            filling.change(order.pk, put, {}, now=clock.now(), actor="api:test")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(change, range(8)))

    assert Order.objects.get().custom == {f"f{number}": number for number in range(8)}


@pytest.mark.services
@pytest.mark.django_db
def test_texts_of_another_merchant_are_never_cast(add: Add) -> None:
    make.network()
    field = add("order", "floor", "integer").definition()
    make.place(make.draft("A-1", custom={"floor": 3}), make.draft("A-2", custom={"floor": "ground"}))

    assert [x.external_id for x in narrowed(Order.objects.all(), field, "2", "from")] == ["A-1"]
