"""Lanes from rate cards: distance, zones, hours, fees."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.fulfillment import rates
from orderhub.fulfillment.models import RateZone
from orderhub.fulfillment.rates import Destination
from tests.fulfillment import builders as make
from tests.orders import builders as orders

pytestmark = pytest.mark.django_db

HANGZHOU = Destination("CN", "浙江省", "杭州市", Decimal("30.25000"), Decimal("120.17000"), False)
LHASA = Destination("CN", "西藏自治区", "拉萨市", Decimal("29.65000"), Decimal("91.14000"), True)
BERLIN = Destination("DE", "Berlin", "Berlin", Decimal("52.52000"), Decimal("13.40500"), False)


def options(place: Destination, *codes: str) -> dict[str, rates.LaneOption]:
    """The services to a place by card code, from Shanghai unless said."""
    houses = [make.warehouse(code) for code in codes or ("SHA",)]
    found = rates.lanes(houses, [place], cards=rates.cards_of([orders.merchant().pk]))
    return {option.card.code: option for house in houses for option in found[house.pk, place]}


def zone(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "first_fee": Decimal(10), "step_fee": Decimal(3), **fields}


def test_road_is_driven_and_air_is_flown() -> None:
    make.card("ground", mode="road", zones=[zone("all", base_hours="12", hours_per_100km="2")])
    make.card("plane", mode="air", zones=[zone("all", base_hours="8", hours_per_100km="1")])

    found = options(HANGZHOU)

    assert found["plane"].great_circle_km == found["plane"].distance_km == Decimal("165.26")
    assert found["ground"].distance_km == Decimal("206.58")
    assert found["ground"].hours == Decimal("16.13")
    assert found["plane"].hours == Decimal("9.65")


def test_the_nearest_zone_that_covers_the_distance_prices_a_lane() -> None:
    make.card(zones=[zone("far"), zone("near", max_km=150), zone("middle", max_km=900)])

    assert options(HANGZHOU)["ground"].zone.name == "middle"
    assert options(LHASA)["ground"].zone.name == "far"


def test_a_remote_zone_is_for_remote_places_and_comes_first_there() -> None:
    make.card(zones=[zone("plain"), zone("remote", remote_only=True)])

    assert options(HANGZHOU)["ground"].zone.name == "plain"
    assert options(LHASA)["ground"].zone.name == "remote"


def test_countries_named_come_before_any_other_and_home_is_not_abroad() -> None:
    make.card("world", zones=[zone("rest", countries=["*"]), zone("europe", countries=["DE", "FR"])])

    assert options(BERLIN)["world"].zone.name == "europe"
    assert not options(BERLIN)["world"].same_country
    assert options(HANGZHOU) == {}


def test_a_card_serves_its_warehouses_only() -> None:
    card = make.card("local")
    card.warehouses.add(make.warehouse("CAN"))

    assert options(HANGZHOU, "SHA") == {}
    assert list(options(HANGZHOU, "CAN")) == ["local"]


def test_an_inactive_card_offers_nothing() -> None:
    make.card(is_active=False)

    assert options(HANGZHOU) == {}


@pytest.mark.parametrize(
    ("grams", "fee"), [(1, "10"), (1000, "10"), (1001, "13"), (2000, "13"), (2001, "16")]
)
def test_freight_goes_up_by_steps(grams: int, fee: str) -> None:
    card = make.card(zones=[zone("all")])
    option = options(HANGZHOU)["ground"]

    assert RateZone.objects.get(card=card).step_grams == 1000
    assert option.freight(grams) == Decimal(fee)


def test_lanes_cost_three_queries_for_any_number_of_cards() -> None:
    for n in range(5):
        make.card(f"card{n}")
    houses = [make.warehouse(code) for code in make.PLACES]
    merchant = orders.merchant()

    with CaptureQueriesContext(connection) as queries:
        found = rates.lanes(houses, [HANGZHOU, LHASA, BERLIN], cards=rates.cards_of([merchant.pk]))

    assert len(queries) == 3
    assert len(found) == 9
    assert len(found[houses[0].pk, HANGZHOU]) == 5
