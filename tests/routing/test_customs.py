"""Borders: open wherever a rate card goes, unless an operator closed them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orderhub.events.models import Event
from orderhub.inventory.models import CustomsLane
from orderhub.orders.models import Order, OrderLine
from routing import candidates, customs, queries, replaying
from tests.admin import desk
from tests.fulfillment import builders as make
from tests.orders import builders as orders

pytestmark = pytest.mark.django_db

BERLIN: dict[str, Any] = {"country": "DE", "province": "Berlin", "city": "Berlin"}


def lane(to: str, *, is_open: bool = False, start: str = "CN") -> CustomsLane:
    return CustomsLane.objects.create(
        merchant=orders.merchant(), from_country=start, to_country=to, is_open=is_open
    )


def abroad() -> Order:
    """An order to Berlin; a card goes everywhere in the world."""
    make.stock(100)
    make.card(zones=[{}, {"countries": ["*"], "first_fee": Decimal(90), "step_fee": Decimal(60)}])
    [order] = make.placed(**BERLIN)
    return order


def reason(order: Order) -> str:
    return str(make.payloads(order, "order.backordered")[0]["reason"])


def test_without_a_row_a_border_is_open_wherever_a_card_goes() -> None:
    [gone] = make.walk([abroad()])

    assert gone.stage == "released"


def test_a_closed_border_is_the_reason_on_the_order_and_in_its_decision() -> None:
    lane("DE")
    order = abroad()

    [waiting] = make.walk([order])

    assert (waiting.stage, reason(order)) == ("backordered", "no_customs_lane")
    document = queries.decision_document(order.pk, language="en")
    assert document is not None
    assert document["removed"][0]["text"] == "Shanghai: cannot be cleared into DE"
    decision = queries.current(order.pk)
    assert decision is not None
    assert decision.is_mendable
    assert replaying.compare(decision).is_identical


def test_a_closed_border_harms_nobody_at_home() -> None:
    lane("DE")
    lane("*")
    make.network()

    [gone] = make.walk(make.placed())

    assert gone.stage == "released"


@pytest.mark.parametrize(
    ("rows", "is_open"),
    [
        ({}, True), ({"US": False}, True), ({"*": False}, False), ({"*": False, "DE": True}, True),
        ({"*": True, "DE": False}, False), ({"DE": True}, True),
    ],
)  # fmt: skip
def test_the_row_of_a_country_counts_before_that_of_any_other(rows: dict[str, bool], is_open: bool) -> None:
    house = make.warehouse("SHA")
    borders = customs.Borders({(house.merchant_id, "CN"): rows} if rows else {})

    found = borders.of(house, "DE")

    assert (found is None) is is_open
    assert found is None or "DE" not in found
    assert borders.of(house, "CN") is None


def test_orders_at_home_ask_nobody_about_borders() -> None:
    lane("DE")
    make.network()
    found = make.placed(3)
    lines = list(OrderLine.objects.filter(order__in=found).select_related("sku"))

    with CaptureQueriesContext(connection) as home:
        candidates.take_snapshot(found, lines, now=make.NOW)

    assert not any("inventory_customslane" in query["sql"] for query in home)


# ---- in the admin ----------------------------------------------------------------------------------


def form(**fields: Any) -> dict[str, Any]:
    return {"merchant": orders.merchant().pk, "from_country": "cn", "to_country": "DE", **fields}


def test_an_operator_closes_a_border_and_opens_it_again() -> None:
    client = desk.member("operator", "en")

    client.post(reverse("admin:inventory_customslane_add"), form())
    row = CustomsLane.objects.get()
    assert (row.from_country, row.to_country, row.is_open) == ("CN", "DE", False)
    client.post(reverse("admin:inventory_customslane_change", args=(row.pk,)), form(is_open="on"))
    client.post(reverse("admin:inventory_customslane_delete", args=(row.pk,)), {"post": "yes"})

    assert not CustomsLane.objects.exists()
    told = Event.objects.filter(kind="customs.changed").order_by("pk").values_list("payload", flat=True)
    assert [one["is_open"] for one in told] == [False, True, True]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"to_country": "QQ"}, "There is no country QQ"),
        ({"from_country": "*"}, "There is no country *"),
        ({"to_country": "CN"}, "Within a country there is no customs"),
    ],
)
def test_what_is_no_border_is_refused(fields: dict[str, str], says: str) -> None:
    answer = desk.boss("en").post(reverse("admin:inventory_customslane_add"), form(**fields))

    assert says in answer.content.decode()
    assert not CustomsLane.objects.exists()
    assert not Event.objects.filter(kind="customs.changed").exists()


def upload(text: str, **member: Any) -> tuple[Any, str]:
    client = desk.boss("en")
    file = SimpleUploadedFile("lanes.csv", text.encode(), content_type="text/csv")
    answer = client.post(reverse("admin:inventory_customslane_import"), {"import_file": file, "format": "0"})
    return client, answer.content.decode()


def test_lanes_come_from_a_file_and_are_told_once_it_is_confirmed() -> None:
    orders.merchant()
    client, page = upload("merchant,from_country,to_country,is_open,note\nacme,cn,de,0,strike\n")
    assert "strike" in page
    assert not Event.objects.filter(kind="customs.changed").exists()

    names = ("import_file_name", "original_file_name", "format", "resource")
    found = {name: value(page, name) for name in names}
    client.post(reverse("admin:inventory_customslane_process_import"), found)

    assert CustomsLane.objects.filter(from_country="CN", to_country="DE", is_open=False).count() == 1
    assert Event.objects.filter(kind="customs.changed").count() == 1


def test_a_file_with_a_country_nobody_knows_says_which() -> None:
    orders.merchant()
    _client, page = upload("merchant,from_country,to_country,is_open,note\nacme,CN,QQ,0,\n")

    assert "There is no country QQ" in page
    assert not CustomsLane.objects.exists()


def value(page: str, name: str) -> str:
    """The value of a hidden field."""
    tag = next(tag for tag in page.split("<input") if f'name="{name}"' in tag)
    return tag.split('value="')[1].split('"')[0] if 'value="' in tag else ""
