"""The carbon ledger cut and added up by custom fields of orders, lines and SKUs."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from carbon.dimensions import totals
from carbon.models import LedgerEntry
from orderhub.fields import queries, services
from orderhub.fields.models import Field
from orderhub.inventory.models import Sku
from orderhub.orders.models import Order, OrderLine
from tests import cast, make
from tests.admin import desk as pages

pytestmark = pytest.mark.django_db
LIST = reverse("admin:carbon_ledgerentry_changelist")
WRAPS = [
    {"code": "red", "name": "红色", "name_en": "red"},
    {"code": "gold", "name": "金色", "name_en": "gold"},
]


def add(target: str, code: str, kind: str = "text", **told: Any) -> Field:
    name = told.pop("name", code)
    row = Field(
        target=target, code=code, kind=kind, merchant=make.merchant(), name=name, name_en=name, **told
    )
    return services.save(row, actor="user:test")


@pytest.fixture
def shop(hub_clock: make.Clock) -> None:
    """Three orders with estimates: gold, red and none; the cup is fragile, one line is engraved twice."""
    queries.forget()
    make.network()
    add("order", "wrap", "choice", choices=WRAPS, name="gift wrap")
    add("order", "tags", "choices", choices=WRAPS)
    add("order", "grade", "integer")
    add("line", "engraved", "boolean")
    add("sku", "line_of_goods")
    Sku.objects.filter(code="CUP").update(custom={"line_of_goods": "=fragile"})
    make.place(
        make.draft("G", lines={"CUP": 2}, custom={"wrap": "gold", "tags": ["gold", "red"], "grade": 7}),
        make.draft("R", lines={"LAMP": 1, "CUP": 1}, custom={"wrap": "red", "grade": 12}),
        make.draft("N", lines={"LAMP": 1}),
    )
    make.run_until_idle()
    OrderLine.objects.filter(order__external_id="R", sku__code="LAMP").update(custom={"engraved": True})


def by(code: str, **cut: Any) -> dict[str, tuple[int, Decimal]]:
    definition = Field.objects.get(code=code).definition()
    rows = totals(LedgerEntry.objects.filter(**cut), definition, zh=False, none="none")
    return {row.text: (row.orders, row.kg) for row in rows}


def kg(**cut: Any) -> Decimal:
    rows = LedgerEntry.objects.filter(**cut).values_list("total_kgco2e", flat=True)
    return sum(rows, Decimal(0)).quantize(Decimal("0.000001"))


@pytest.mark.usefixtures("shop")
def test_figures_of_each_value_add_up_to_the_whole_in_every_kind_of_field() -> None:
    gold, red, none = (Order.objects.get(external_id=x) for x in "GRN")

    assert by("wrap") == {"gold": (1, kg(order=gold)), "red": (1, kg(order=red)), "none": (1, kg(order=none))}
    assert by("tags") == {"gold, red": (1, kg(order=gold)), "none": (2, kg(order__in=[red, none]))}
    assert by("grade").keys() == {"7", "12", "none"}
    engraved = kg(order=red, order_line__sku__code="LAMP")
    assert by("engraved")["yes"] == (1, engraved)
    assert by("engraved")["none"][0] == 3
    assert by("line_of_goods")["=fragile"] == (2, kg(order_line__sku__code="CUP"))
    for code in ("wrap", "tags", "grade", "engraved", "line_of_goods"):
        whole = sum((amount for _orders, amount in by(code).values()), Decimal(0))
        assert abs(whole - kg()) < Decimal("0.00001")


@pytest.mark.usefixtures("shop")
def test_one_query_adds_up_any_number_of_entries() -> None:
    definition = Field.objects.get(code="wrap").definition()

    with CaptureQueriesContext(connection) as captured:
        rows = totals(LedgerEntry.objects.all(), definition, zh=True, none="未填写")

    assert len(captured) == 1
    assert {row.text for row in rows} == {"金色", "红色", "未填写"}
    assert abs(sum(row.share for row in rows) - 100) < Decimal("0.2")
    assert [row.kg for row in rows] == sorted((row.kg for row in rows), reverse=True)


@pytest.mark.usefixtures("shop")
def test_the_list_is_cut_by_one_field_and_added_up_by_another() -> None:
    client = pages.boss("en")

    page = client.get(LIST, {"custom_order_wrap": "red", "by": "sku.line_of_goods"})

    assert page.status_code == 200
    assert {entry.order.external_id for entry in page.context["cl"].queryset} == {"R"}
    assert {row.text for row in page.context["totals"]} == {"=fragile", "no value"}
    assert "Carbon by custom field: line_of_goods" in page.content.decode()
    file = client.get(page.context["totals_file"])
    rows = list(csv.reader(io.StringIO(file.content.decode().removeprefix("\ufeff"))))
    assert rows[0] == ["line_of_goods", "orders", "kg CO2e", "share %"]
    assert {row[0] for row in rows[1:]} == {"'=fragile", "no value"}
    assert abs(sum(Decimal(row[2]) for row in rows[1:]) - kg(order__external_id="R")) < Decimal("0.00001")


@pytest.mark.usefixtures("shop")
def test_without_a_field_the_list_adds_nothing_up_and_an_unknown_one_is_no_file() -> None:
    client = pages.boss("en")

    page = client.get(LIST)

    assert "totals" not in page.context
    assert client.get(reverse("admin:carbon_ledgerentry_totals"), {"by": "order.nothing"}).status_code == 404


@pytest.mark.usefixtures("shop")
def test_staff_see_only_their_merchants_figures_and_the_fields_they_may_see() -> None:
    Field.objects.filter(code="wrap").update(seen_by=["carbon"])
    mine = pages.member("strategist", merchant=make.merchant())

    assert mine.get(LIST, {"by": "order.wrap"}).context.get("totals") is None
    rows = mine.get(LIST, {"by": "order.grade"}).context["totals"]
    assert sum(row.kg for row in rows) == sum(amount for _n, amount in by("grade").values())
    from_bob = pages.member("operator", merchant=make.merchant(cast.BOB))
    answer = from_bob.get(LIST, {"by": "order.grade"})
    assert answer.status_code == 403 or answer.context.get("totals") is None
