"""Whatever a batch asks for, the one statement gives what the plain model gives."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.inventory import invariants, services
from orderhub.inventory.locks import Place
from orderhub.inventory.models import Movement, Stock
from orderhub.inventory.services import Take
from tests.inventory import model
from tests.orders import builders as make

#: Without services on SQLite; the second run is for PostgreSQL.
pytestmark = [pytest.mark.django_db]
BOTH = [pytest.param("sqlite"), pytest.param("postgresql", marks=pytest.mark.services)]


@pytest.fixture(params=BOTH, autouse=True)
def _on(request: pytest.FixtureRequest) -> None:
    if connection.vendor != request.param:
        pytest.skip(f"this run uses {connection.vendor}")


def shelves(dice: random.Random) -> list[Place]:
    """Six places, of which one has no row and some keep safety stock."""
    rows = [
        make.stock(sku, at=site, units=dice.randint(0, 9), safety=dice.randint(0, 2))
        for sku in ("A", "B", "C") for site in ("N", "S") if (sku, site) != ("C", "S")
    ]  # fmt: skip
    return [(row.sku_id, row.warehouse_id) for row in rows] + [(make.sku("C").pk, make.warehouse("S").pk)]


@pytest.mark.parametrize("seed", range(6))
def test_random_batches_agree_with_the_model(seed: int) -> None:
    dice = random.Random(seed)
    places = shelves(dice)

    for number in range(25):
        keys = [f"{number}.{key}" for key in range(dice.randint(1, 6))]
        requests = [
            Take(dice.choice(keys), warehouse, sku, dice.randint(1, 3))
            for sku, warehouse in dice.choices(places, k=dice.randint(1, 10))
        ]
        left = model.free_units()
        expected = model.take(requests, left)

        assert services.take(requests, reference="t", actor="", now=make.NOW) == expected

        assert {**left, **model.free_units()} == left
        told = Counter(
            Movement.objects.filter(reference__startswith=f"t:{number}.").values_list("reference", flat=True)
        )
        assert told == Counter(f"t:{x.key}" for x in requests if x.key not in expected)
        given_back = [x for x in requests if x.key not in expected and dice.random() < 0.6]
        services.free(given_back, reference="t", actor="", now=make.NOW)

    assert list(invariants.never_oversold()) == []


def test_two_statements_at_most_even_if_some_are_refused() -> None:
    row = make.stock(units=3)
    requests = [Take(key, row.warehouse_id, row.sku_id, 2) for key in range(3)]

    with CaptureQueriesContext(connection) as captured:
        refused = services.take(requests, reference="t", actor="", now=make.NOW)

    assert refused == {1, 2}
    said = [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]
    assert len(said) == (2 if connection.vendor == "postgresql" else 6)
    assert Stock.objects.get().reserved == 2


def test_movements_stand_in_the_order_they_were_asked_for() -> None:
    tea, cup = make.stock("TEA", units=9), make.stock("CUP", units=9)
    wanted = [Take(n, row.warehouse_id, row.sku_id, n) for n, row in enumerate([cup, tea, cup, tea], 1)]

    services.take(wanted, reference="t", actor="me", now=make.NOW)

    told = Movement.objects.order_by("pk").values_list("reference", "stock_id", "reserved_change", "actor")
    assert list(told) == [
        ("t:1", cup.pk, 1, "me"), ("t:2", tea.pk, 2, "me"), ("t:3", cup.pk, 3, "me"), ("t:4", tea.pk, 4, "me"),
    ]  # fmt: skip


def test_nothing_asked_for_is_nothing_done() -> None:
    make.stock(units=3)

    assert services.take([], reference="t", actor="", now=make.NOW) == set()
    services.free([], reference="t", actor="", now=make.NOW)

    assert Movement.objects.count() == 0
