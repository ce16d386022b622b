"""Whatever is done to stock in whatever order: never oversold, movements add up, a model agrees."""

from __future__ import annotations

import random

import pytest

from orderhub.inventory import invariants, services
from orderhub.inventory.models import Stock
from orderhub.inventory.services import Take
from orderhub.kernel.errors import Refused
from tests.orders import builders as make

SKUS = ("A", "B", "C")
SITES = ("N", "S")


class Model:
    """What the rows should say, in plain numbers."""

    def __init__(self) -> None:
        self.on_hand = {(sku, site): 0 for sku in SKUS for site in SITES}
        self.reserved = dict(self.on_hand)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(8))
def test_2_000_random_changes_never_oversell(seed: int) -> None:
    dice, model = random.Random(seed), Model()
    safety = dice.randint(0, 2)
    for sku in SKUS:
        for site in SITES:
            make.stock(sku, units=0, at=site, safety=safety)

    for number in range(250):
        dice.choice([_take, _take, _take, _free, _ship, _receive, _count])(dice, model, str(number), safety)

    rows = Stock.objects.select_related("sku", "warehouse")
    assert {(x.sku.code, x.warehouse.code): (x.on_hand, x.reserved) for x in rows} == {
        place: (model.on_hand[place], model.reserved[place]) for place in model.on_hand
    }
    assert [*invariants.never_oversold(), *invariants.movements_add_up()] == []


def _parts(dice: random.Random, key: str) -> list[tuple[str, str, int]]:
    return [
        (dice.choice(SKUS), dice.choice(SITES), dice.randint(1, 3)) for _part in range(dice.randint(1, 3))
    ]


def _takes(key: str, parts: list[tuple[str, str, int]]) -> list[Take]:
    return [Take(key, make.warehouse(site).pk, make.sku(sku).pk, units) for sku, site, units in parts]


def _take(dice: random.Random, model: Model, key: str, safety: int) -> None:
    batch = {f"{key}.{n}": _parts(dice, key) for n in range(2)}
    expected: set[object] = set()
    for name, parts in batch.items():
        wanted = _sums(parts)
        if all(model.on_hand[p] - model.reserved[p] - safety >= units for p, units in wanted.items()):
            for place, units in wanted.items():
                model.reserved[place] += units
        else:
            expected.add(name)

    requests = [request for name, parts in batch.items() for request in _takes(name, parts)]
    assert services.take(requests, reference="t", actor="", now=make.NOW) == expected


def _free(dice: random.Random, model: Model, key: str, safety: int) -> None:
    parts = _parts(dice, key)
    if _refused(services.free, model, key, parts):
        return
    for place, units in _sums(parts).items():
        model.reserved[place] -= units


def _ship(dice: random.Random, model: Model, key: str, safety: int) -> None:
    parts = _parts(dice, key)
    if _refused(services.ship, model, key, parts):
        return
    for place, units in _sums(parts).items():
        model.reserved[place] -= units
        model.on_hand[place] -= units


def _refused(verb: object, model: Model, key: str, parts: list[tuple[str, str, int]]) -> bool:
    enough = all(model.reserved[place] >= units for place, units in _sums(parts).items())
    try:
        verb(_takes(key, parts), reference="t", actor="", now=make.NOW)  # type: ignore[operator]
    except Refused:
        assert not enough
        return True
    assert enough
    return False


def _receive(dice: random.Random, model: Model, key: str, safety: int) -> None:
    parts = _parts(dice, key)
    rows = [(make.warehouse(site), make.sku(sku), units) for sku, site, units in parts]
    services.receive(rows, reference=key, actor="", now=make.NOW)
    for place, units in _sums(parts).items():
        model.on_hand[place] += units


def _count(dice: random.Random, model: Model, key: str, safety: int) -> None:
    sku, site, units = dice.choice(SKUS), dice.choice(SITES), dice.randint(0, 6)
    [outcome] = services.set_counts([(make.warehouse(site), make.sku(sku), units)], actor="", now=make.NOW)
    assert outcome.is_clamped is (units < model.reserved[sku, site])
    model.on_hand[sku, site] = max(units, model.reserved[sku, site])


def _sums(parts: list[tuple[str, str, int]]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for sku, site, units in parts:
        found[sku, site] = found.get((sku, site), 0) + units
    return found
