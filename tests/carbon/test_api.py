"""An order's carbon figures by API: its own merchant's only."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from carbon import queries
from orderhub.orders.models import Order
from tests import cast, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(hub_clock: make.Clock) -> Order:
    make.network()
    (order,) = make.place(make.draft(to=cast.LEI, lines={"QUILT": 1, "CUP": 2}))
    make.play(hub_clock)
    return Order.objects.get(pk=order.pk)


def test_the_figures_add_up(order: Order) -> None:
    body = make.client().get(f"/api/v1/orders/{order.pk}/carbon/").json()

    assert body["basis"] == "actual"
    assert sum(Decimal(line["kg"]) for line in body["lines"]) == Decimal(body["kg"])
    for line in body["lines"]:
        assert sum(Decimal(kg) for kg in line["by_stage"].values()) == Decimal(line["kg"])
    assert [line["sku"] for line in body["lines"]] == ["QUILT", "CUP"]
    stages = {element["stage"] for element in body["elements"]}
    assert stages == {"warehouse", "transport", "packaging"}
    assert abs(sum(Decimal(element["kg"]) for element in body["elements"]) - Decimal(body["kg"])) < Decimal(
        "0.00001"
    )
    assert Decimal(body["low"]) < Decimal(body["kg"]) < Decimal(body["high"])
    assert 0 < Decimal(body["primary_share"]) < 1
    assert body["explanation"].startswith("实际比估算")


def test_the_words_are_the_callers(order: Order) -> None:
    body = make.client(language="en").get(f"/api/v1/orders/{order.pk}/carbon/").json()

    assert body["method"] == "Aligned with ISO 14083"
    assert "than estimated" in body["explanation"]


def test_others_and_strangers_get_nothing(order: Order) -> None:
    path = f"/api/v1/orders/{order.pk}/carbon/"
    bob = make.merchant(cast.BOB)

    assert make.client(bob).get(path).status_code == 404
    assert make.client(scopes=["orders:read"]).get(path).status_code == 200
    assert make.client(scopes=["stock:read"]).get(path).status_code == 403
    assert make.client().get("/api/v1/orders/999999/carbon/").status_code == 404
    client = make.client()
    client.credentials()
    client.defaults.clear()
    assert client.get(path, headers={"Authorization": ""}).status_code in (401, 403)


def test_an_order_that_was_not_routed_has_no_figures(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place(make.draft(paid=False, paid_at=None))
    make.run_until_idle()

    assert make.client().get(f"/api/v1/orders/{order.pk}/carbon/").status_code == 404


def test_the_document_takes_three_queries_and_the_brief_one(order: Order) -> None:
    with CaptureQueriesContext(connection) as seen:
        queries.of_order(order)
    assert len(seen) == 3
    with CaptureQueriesContext(connection) as seen:
        queries.brief(order, language="zh-hans")
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("kg", "seen"),
    [("0", 0.0), ("0.012345", 0.012), ("0.987", 0.99), ("1.23456", 1.23), ("123.456", 123.0)],
)
def test_people_see_few_digits(kg: str, seen: float) -> None:
    assert queries.shown(Decimal(kg)) == seen
