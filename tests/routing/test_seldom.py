"""What changes seldom is read again only when it changed, and then at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.fulfillment.models import RateCard, RateZone
from orderhub.inventory.models import Warehouse
from orderhub.kernel import clock
from routing import seldom, strategies
from routing.models import Strategy, StrategyVersion
from tests import make

pytestmark = pytest.mark.django_db
services = pytest.mark.services


def looked(merchant_id: int) -> tuple[seldom.Standing, int]:
    """What stands, and the statements it took."""
    with CaptureQueriesContext(connection) as captured:
        found = seldom.standing.of([merchant_id])
    return found, len(captured)


@services
def test_a_second_look_is_one_statement_and_the_same_rows() -> None:
    owner = make.network()
    strategies.ensure_presets(owner, now=clock.now())

    first, _ = looked(owner.pk)
    second, statements = looked(owner.pk)

    assert statements == 1
    assert second is first
    assert len(first.network.warehouses) == 3


def freeze() -> None:
    warehouse = Warehouse.objects.order_by("pk")[0]
    warehouse.is_frozen = True
    warehouse.save()


CHANGES: dict[str, Callable[[], object]] = {
    "a warehouse saved": freeze,
    "a warehouse in SQL": lambda: Warehouse.objects.update(handling_per_parcel="9"),
    "a zone deleted": lambda: RateZone.objects.all()[0].delete(),
    "a card bound to a warehouse": lambda: RateCard.objects.all()[0].warehouses.add(Warehouse.objects.all()[0]),
    "a strategy switched off": lambda: Strategy.objects.update(is_active=False),
    "a version taken out": lambda: StrategyVersion.objects.order_by("-pk")[0].delete(),
}  # fmt: skip


@services
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_any_change_counts_at_the_next_look(change: Callable[[], object]) -> None:
    owner = make.network()
    strategies.ensure_presets(owner, now=clock.now())
    before, _ = looked(owner.pk)

    change()
    after, statements = looked(owner.pk)

    assert after is not before
    assert statements > 1


def test_where_the_database_cannot_tell_every_look_reads() -> None:
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL can tell")
    owner = make.network()

    assert seldom.standing.of([owner.pk]) is not seldom.standing.of([owner.pk])
