"""The carbon core: figures that meet published rows, refusals by name, parts that always add up."""

from __future__ import annotations

import csv
import decimal
import hashlib
import random
import re
from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from carbon.cases import calculate_case
from carbon.core.bundle import bundled_factors
from carbon.core.rounding import largest_remainder, units, whole_weights
from carbon.defaults import FACTOR_IDS, chain_for, default_factor, grid_factor, lane_for, mode_for
from carbon.estimate import (
    Allocation,
    Element,
    EnergyUse,
    EstimateError,
    Factor,
    GoodsElement,
    HubElement,
    Line,
    LoadModel,
    Options,
    PackagingElement,
    PackagingItem,
    Pedigree,
    Share,
    TransportElement,
    band,
    calculate,
    chain_total_kg,
    gsd95,
)

DATA = Path(__file__).resolve().parents[2] / "carbon" / "data"
HGV = "desnz-2025/freight/road_hgv/all-hgvs/average-laden/tkm"
AIR = "desnz-2025/freight/air/long-haul-to-from-uk/without-rf/tkm"
ROAD = Factor(id="x/r", unit="tkm", ttw=D("0.1"), wtt=D("0.02"), distance_kind="actual")
WHOLE_ONLY = Factor(id="x/t", unit="tkm", total=D("0.1"), distance_kind="actual")


def leg(**fields: Any) -> TransportElement:
    given: dict[str, Any] = {
        "id": "t1",
        "mode": "road",
        "mass_kg": D(1000),
        "distance_km": D(100),
        "distance_kind": "actual",
        "factor": ROAD,
    }
    return TransportElement(**(given | fields))


# Worked examples, literally ------------------------------------------------------------------------------


def test_default_lorry_leg_meets_the_worked_example_c01() -> None:
    element = leg(mass_kg=D("12.5"), distance_km=D(640), factor=bundled_factors()[HGV])

    result = calculate([element])

    assert result.elements[0].tkm == D("8")
    assert result.total.ttw_kg == D("0.813040000000")
    assert result.total.wtt_kg == D("0.188720000000")
    assert result.total.total_kg == D("1.001760000000")
    assert result.factor_ids == (HGV,)
    assert result.flags == ()


def test_flown_distance_against_great_circle_factor_meets_c04() -> None:
    element = leg(mode="air", mass_kg=D(3), distance_km=D(9415), factor=bundled_factors()[AIR])

    result = calculate([element])

    assert result.total.ttw_kg == D("14.855148000000")
    assert result.total.total_kg == D("18.634221600000")
    assert result.flags == ("DAF_APPLIED",)


def test_three_legs_over_two_lines_meet_c05() -> None:
    hgv = bundled_factors()[HGV]
    ship = bundled_factors()["desnz-2025/freight/sea_cargo_ship/container-ship/average/tkm"]
    legs = [
        leg(id="pre", mass_kg=D(18000), distance_km=D(320), distance_kind="sfd", factor=hgv),
        leg(id="main", mode="sea", mass_kg=D(18000), distance_km=D(13200), distance_kind="sfd", factor=ship),
        leg(id="post", mass_kg=D(18000), distance_km=D(150), factor=hgv),
    ]

    result = calculate(legs, [Line("L1", D(12000)), Line("L2", D(6000))])

    assert [e.figures.total_kg for e in result.elements] == [
        D("757.330560000000"),
        D("5401.954800000000"),
        D("338.094000000000"),
    ]
    assert [(line.id, line.ttw_kg, line.total_kg) for line in result.lines] == [
        ("L1", D("3529.125360"), D("4331.586240")),
        ("L2", D("1764.562680"), D("2165.793120")),
    ]
    assert result.ledger_total.total_kg == D("6497.379360")


def test_full_lorry_load_model_meets_the_published_row_c07() -> None:
    rows = [
        bundled_factors()[f"desnz-2025/freight/road_hgv/articulated-gt33t/{load}pct-laden/vkm"]
        for load in (0, 50, 100)
    ]
    model = LoadModel(rows[0], rows[1], rows[2], D("17.888919"), D(1), D(0))

    result = calculate([leg(mass_kg=D(10000), factor=None, load_model=model, data_type="modelled")])

    assert result.total.ttw_kg == D("59.769402499950")
    assert result.total.total_kg == D("73.909999816087")


def test_electric_van_round_by_parcels_meets_c09() -> None:
    factor = default_factor("last_mile_electric_van")
    element = leg(mass_kg=None, distance_km=D(62), factor=factor, share=Share(D(1), D(85), "parcels"))

    result = calculate([element])

    assert result.total.ttw_kg == D(0)
    assert result.total.wtt_kg == D("0.063714117647")
    assert result.elements[0].tkm is None


def test_line_parts_with_a_coarse_quantum_meet_c16() -> None:
    factor = Factor(id="x/r", unit="tkm", ttw=D("0.0333333"), wtt=D("0.0111111"), distance_kind="actual")
    box = PackagingElement(
        id="p1", lines=("L2",), items=(PackagingItem(default_factor("carton"), D("0.123")),)
    )
    lines = [Line(f"L{n}", items=D(1)) for n in (1, 2, 3)]

    result = calculate(
        [leg(distance_km=D(10), factor=factor), box],
        lines,
        quantum=D("0.001"),
        allocation=Allocation("items"),
    )

    assert [line.total_kg for line in result.lines] == [D("0.148"), D("0.296"), D("0.148")]
    assert result.ledger_total.total_kg == D("0.592")
    assert result.total.total_kg == D("0.592010226660")


def test_case_interface_gives_strings_and_the_same_figures() -> None:
    case = {
        "schema": "orderhub.carbon.case/1",
        "id": "C01",
        "elements": [
            {
                "id": "t1",
                "kind": "transport",
                "mode": "road",
                "mass_kg": "12.5",
                "distance_km": 640,
                "distance_kind": "actual",
                "factor": HGV,
            }
        ],
    }

    answer = calculate_case(case)

    assert answer["status"] == "ok"
    assert answer["total"]["total_kg"] == "1.001760000000"
    assert answer["ledger_total"]["ttw_kg"] == "0.813040"
    assert answer["by_stage"] == {
        "warehouse": "0.000000000000",
        "transport": "1.001760000000",
        "packaging": "0.000000000000",
        "return": "0.000000000000",
    }


def test_json_float_is_refused_with_no_figures() -> None:
    element = {"id": "t1", "kind": "transport", "mode": "road", "mass_kg": 1.5, "factor": HGV}

    answer = calculate_case({"id": "x", "elements": [element]})

    assert answer["errors"] == [{"code": "FLOAT_INPUT", "element": "t1"}]
    assert "total" not in answer


# Rules ---------------------------------------------------------------------------------------------------


def test_only_a_sum_known_leaves_ttw_and_wtt_unknown_everywhere() -> None:
    result = calculate([leg(), leg(id="t2", factor=WHOLE_ONLY)])

    assert result.total.ttw_kg is None
    assert result.total.wtw_kg == D("22")
    assert result.ledger_total.ttw_kg is None
    assert result.ledger_total.wtw_kg == D("22")
    assert result.flags == ("SPLIT_UNKNOWN",)


def test_packaging_is_outside_transport_and_keeps_the_split_of_the_rest() -> None:
    box = PackagingElement(id="p1", items=(PackagingItem(default_factor("carton"), D("0.1")),))

    result = calculate([leg(), box])

    assert result.total.ttw_kg == D(10)
    assert result.total.wtw_kg == D(12)
    assert result.total.non_transport_kg == D("0.119972542")
    assert result.elements[1].figures.ttw_kg is None
    assert result.ledger_total.ttw_kg == D(10)


@pytest.mark.parametrize(
    ("mode", "kind", "factor_kind", "kg"),
    [
        ("road", "sfd", "actual", "12.6"),
        ("road", "actual", "sfd", "11.428571428571"),
        ("sea", "sfd", "actual", "13.8"),
        ("rail", "sfd", "actual", "12"),
        ("air", "gcd", "actual", "23.4"),
        ("air", "actual", "gcd", "0.6"),
    ],
)
def test_distance_is_adjusted_to_the_kind_of_the_factor(
    mode: str, kind: str, factor_kind: str, kg: str
) -> None:
    factor = replace(ROAD, distance_kind=factor_kind)

    result = calculate([leg(mode=mode, distance_kind=kind, factor=factor)])

    assert result.total.total_kg == D(kg)
    assert result.flags == ("DAF_APPLIED",)


def test_factor_without_distance_kind_is_flagged_and_not_adjusted() -> None:
    result = calculate([leg(distance_kind="sfd", factor=replace(ROAD, distance_kind=None))])

    assert result.total.total_kg == D(12)
    assert result.flags == ("DISTANCE_KIND_UNKNOWN",)


@pytest.mark.parametrize(
    ("element", "code"),
    [
        (leg(factor=Factor(id="x/none", unit="", status="unknown")), "UNKNOWN_FACTOR"),
        (leg(factor=replace(ROAD, status="draft")), "DRAFT_FACTOR"),
        (leg(factor=replace(ROAD, unit="kwh")), "UNIT_MISMATCH"),
        (leg(factor=replace(ROAD, wtt=None)), "INCOMPLETE_FACTOR"),
        (leg(distance_kind="gcd"), "NO_DAF"),
        (leg(mass_basis="chargeable"), "CHARGEABLE_MASS_AS_TRANSPORT_MASS"),
        (leg(mass_kg=D(-1)), "NEGATIVE_INPUT"),
        (leg(share=Share(D(3), D(2))), "BAD_SHARE"),
        (leg(share=Share(D(0), D(0))), "BAD_SHARE"),
        (leg(mass_kg=1.5), "FLOAT_INPUT"),
        (leg(lines=("other",)), "ZERO_WEIGHTS"),
        (leg(mass_kg=None), "MISSING_INPUT"),
    ],
)
def test_a_fault_is_refused_by_name_and_element(element: Element, code: str) -> None:
    with pytest.raises(EstimateError) as refusal:
        calculate([leg(id="good"), element], [Line("L1", D(1))])

    assert (refusal.value.code, refusal.value.element) == (code, "t1")


def test_load_factor_above_one_is_a_bad_load_model() -> None:
    row = replace(ROAD, unit="vkm")
    model = LoadModel(row, row, row, D(10), D("1.2"), D(0))

    with pytest.raises(EstimateError, match="BAD_LOAD_MODEL"):
        calculate([leg(factor=None, load_model=model)])


def test_a_factor_with_a_binary_float_cannot_be_made() -> None:
    with pytest.raises(EstimateError, match="FLOAT_INPUT"):
        Factor(id="x", unit="tkm", total=0.1)  # type: ignore[arg-type]


def test_lines_without_mass_are_refused_not_split_evenly() -> None:
    with pytest.raises(EstimateError, match="ZERO_WEIGHTS"):
        calculate([leg()], [Line("L1"), Line("L2")])


def test_location_and_market_are_both_given_and_the_headline_follows_the_choice() -> None:
    solar = Factor(id="pv", unit="kwh", ttw=D(0), wtt=D("0.045"))
    grid = grid_factor(country="CN", province="zj")
    hub = HubElement(id="h1", energy=(EnergyUse(grid, D(100), solar),))

    location = calculate([hub]).total
    market = calculate([hub], options=Options(electricity_basis="market")).total

    assert (location.total_kg, location.market_total_kg) == (D("49.74"), D("4.5"))
    assert (market.total_kg, market.location_total_kg) == (D("4.5"), D("49.74"))


def test_goods_lost_after_a_return_are_not_transport() -> None:
    lost = GoodsElement(id="g", pcf_kg_per_item=D("6.4"), items=D(2), resale_rate=D("0.7"))

    result = calculate([lost])

    assert result.by_stage["return"] == D("3.84")
    assert result.total.wtw_kg == D(0)
    assert result.total.ttw_kg == D(0)


def test_primary_share_is_by_emissions_not_by_tonne_km() -> None:
    legs = [
        leg(id="a", mass_kg=D(87), distance_km=D(423), factor=WHOLE_ONLY, data_type="primary"),
        leg(id="b", mass_kg=D(87), distance_km=D(321), factor=replace(WHOLE_ONLY, id="y", total=D("0.17"))),
    ]

    assert calculate(legs).primary_data_share == D("0.436668")


def test_mixing_shortest_and_great_circle_kilometres_on_the_ground_is_flagged() -> None:
    legs = [
        leg(id="a", distance_kind="sfd", factor=replace(ROAD, distance_kind="sfd")),
        leg(id="b", distance_kind="gcd", factor=replace(ROAD, distance_kind="gcd")),
    ]

    assert calculate(legs).flags == ("MIXED_DISTANCE_KINDS",)


# Sums ----------------------------------------------------------------------------------------------------


def random_chain(dice: random.Random) -> tuple[list[Element], list[Line], D]:
    lines = [Line(f"L{n}", D(dice.randint(1, 10**6)) / 1000) for n in range(dice.randint(1, 9))]
    elements: list[Element] = []
    for n in range(dice.randint(1, 8)):
        some = tuple(line.id for line in lines if dice.random() < 0.6) or None
        figure = D(dice.randint(0, 10**9)) / 10**9
        factor = replace(ROAD, id=f"x/{n}", ttw=figure, wtt=figure / 7)
        if dice.random() < 0.15:
            factor = replace(factor, ttw=None, wtt=None, total=figure)
        km, kg = D(dice.randint(1, 9999)), D(dice.randint(1, 10**7)) / 1000
        if dice.random() < 0.3:
            item = PackagingItem(replace(factor, unit="kg", ttw=None, wtt=None, total=figure), kg)
            elements.append(PackagingElement(id=f"e{n}", lines=some, items=(item,)))
        elif dice.random() < 0.4:
            elements.append(HubElement(id=f"e{n}", lines=some, mass_kg=kg, factor=replace(factor, unit="t")))
        else:
            elements.append(leg(id=f"e{n}", lines=some, mass_kg=kg, distance_km=km, factor=factor))
    return elements, lines, dice.choice([D("0.000001"), D("0.001"), D("0.5")])


def test_over_2000_random_chains_lines_elements_and_ledger_totals_differ_by_nothing() -> None:
    """Pass figure: 2,000 chains, 0 off."""
    dice = random.Random(20261122)
    off = 0

    for _ in range(2000):
        elements, lines, quantum = random_chain(dice)
        result = calculate(elements, lines, quantum=quantum)
        for field in ("ttw_kg", "wtt_kg", "wtw_kg", "non_transport_kg", "total_kg"):
            whole = getattr(result.ledger_total, field)
            parts = [getattr(line, field) for line in result.lines]
            if whole is None:
                off += None not in parts
            else:
                off += sum(parts) != whole or sum(getattr(e, field) for e in result.entries) != whole
        off += any(e.total_kg % quantum for e in result.entries)
        off += abs(result.ledger_total.total_kg - result.total.total_kg) > quantum * len(elements)

    assert off == 0


def test_largest_remainder_gives_the_rest_to_the_largest_fractions_then_in_order() -> None:
    assert largest_remainder(10, weights=[1, 1, 1]) == [4, 3, 3]
    assert largest_remainder(10, weights=[1, 2, 4]) == [1, 3, 6]
    assert largest_remainder(-10, weights=[1, 1, 1]) == [-3, -3, -4]
    assert whole_weights([D("0.5"), D("2"), D("1E+1")]) == [5, 20, 100]
    assert units(D("0.0000025"), quantum=D("0.000001")) == 2


def test_figures_do_not_depend_on_the_callers_decimal_context() -> None:
    element = leg(mass_kg=D("12.345"), distance_km=D("678.9"), share=None)
    wide = calculate([element])

    with decimal.localcontext(decimal.Context(prec=6, rounding=decimal.ROUND_UP)):
        narrow = calculate([element])

    assert narrow == wide


# Defaults and lanes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", sorted(FACTOR_IDS))
def test_every_default_factor_is_bundled_and_active(role: str) -> None:
    assert default_factor(role).status == "active"


def test_planned_chain_has_hub_line_haul_last_mile_and_packaging() -> None:
    chain = chain_for(mass_kg=D(2), distance_km=D(1200), province="zj")

    result = calculate(chain)

    assert [(e.id, e.stage, e.figures.total_kg) for e in result.elements] == [
        ("hub", "warehouse", D("0.007982842236")),
        ("line_haul", "transport", D("0.442071992250")),
        ("last_mile", "transport", D("0.237667500000")),
        ("packaging", "packaging", D("0.309476655595")),
    ]
    assert all(e.data_type == "default" for e in result.elements)


@pytest.mark.parametrize(
    ("service", "same_country", "green", "gcd_km", "mode"),
    [
        ("standard", True, False, 1200, "road"),
        ("express", True, False, 1200, "air"),
        ("express", True, False, 999, "road"),
        ("standard", True, True, 400, "rail"),
        ("standard", True, True, 399, "road"),
        ("standard", False, False, 9000, "air"),
        ("economy", False, False, 9000, "sea"),
        ("express", False, True, 9000, "sea"),
    ],
)
def test_line_haul_mode_follows_the_documented_rule(
    service: str, same_country: bool, green: bool, gcd_km: int, mode: str
) -> None:
    assert mode_for(gcd_km=D(gcd_km), service=service, same_country=same_country, green=green) == mode


def test_a_carriers_own_word_for_a_mode_is_counted_as_road() -> None:
    truck = lane_for(distance_km=D(300), province="gd", mode="truck")

    assert truck == lane_for(distance_km=D(300), province="gd", mode="road")


@pytest.mark.parametrize("mass_kg", ["0", "0.35", "2", "27.5", "480"])
@pytest.mark.parametrize("setting", [{}, {"green": True}, {"same_country": False}, {"remote": True}])
def test_lane_coefficients_price_exactly_what_calculate_says(mass_kg: str, setting: dict[str, bool]) -> None:
    lane = lane_for(distance_km=D(1234), province="gd", **setting)

    fast = lane.kgco2e_per_kg * D(mass_kg) + lane.kgco2e_per_parcel

    chain = chain_for(mass_kg=D(mass_kg), distance_km=D(1234), province="gd", **setting)
    assert abs(fast - chain_total_kg(chain)) <= D("0.000000000001")
    assert chain_total_kg(chain) == calculate(chain).total.total_kg


def test_a_lane_by_market_basis_leaves_the_hub_of_a_solar_warehouse_out() -> None:
    lane = lane_for(distance_km=D(700), province="gd", own_solar=True)

    moved = [
        element
        for element in chain_for(mass_kg=D(3), distance_km=D(700), province="gd")
        if element.id != "hub"
    ]
    assert abs(lane.kgco2e_per_kg * 3 + lane.kgco2e_per_parcel - chain_total_kg(moved)) <= D("1e-12")


@pytest.mark.parametrize(
    ("place", "factor_id"),
    [
        ({"country": "CN", "province": "ZJ"}, "cn-mee-2023/electricity/cn-zj/location/kwh"),
        ({"country": "CN", "province": "XZ"}, "ember-owid/electricity/chn/location/kwh"),
        ({"country": "CN", "province": "HK"}, "ember-owid/electricity/hkg/location/kwh"),
        ({"country": "CN"}, "ember-owid/electricity/chn/location/kwh"),
        ({"country": "US", "province": "CA"}, "egrid-2023/electricity/us-ca/location/kwh"),
        ({"country": "GB", "iso3": "GBR"}, "desnz-2023/electricity/gb/location/kwh"),
        ({"country": "LI", "iso3": "LIE"}, "ember-owid/electricity/che/location/kwh"),
        ({"country": "DE", "iso3": "DEU"}, "ember-owid/electricity/deu/location/kwh"),
    ],
)
def test_grid_factor_goes_from_province_to_country(place: dict[str, str], factor_id: str) -> None:
    assert grid_factor(**place).id == factor_id


def test_a_place_without_a_grid_factor_gets_a_flagged_default_and_never_zero() -> None:
    chain = chain_for(mass_kg=D(1), distance_km=D(100), country="ZZ")
    lane = lane_for(distance_km=D(100), country="ZZ")
    [hub, *_rest] = calculate(chain).elements

    assert D("0.3") < (grid_factor(country="ZZ").total or D(0)) < D("0.7")
    assert "DEFAULT_GRID" in hub.flags
    assert hub.figures.total_kg > 0
    assert lane.kgco2e_per_kg > lane_for(distance_km=D(100), country="ZZ", own_solar=True).kgco2e_per_kg


# Uncertainty ---------------------------------------------------------------------------------------------


def test_gsd95_is_the_root_of_squared_logs() -> None:
    assert gsd95(Pedigree(1, 1, 1, 1, 1, D("1.5"))) == D("1.5")
    assert gsd95(Pedigree(5, 1, 1, 1, 5)) == D("2.232291468050")


def test_band_of_one_element_is_its_own_lognormal() -> None:
    result = calculate([leg(pedigree=Pedigree(basic=D("2")))])

    low, middle, high = band(result.elements)

    assert middle == D("12.000000000000")
    assert low == D("6.785878914739")
    assert high == D("21.220537797578")


def test_shared_factor_widens_the_band_and_independent_ones_narrow_it() -> None:
    shared = band(calculate([leg(id="a"), leg(id="b")]).elements)
    apart = band(calculate([leg(id="a"), leg(id="b", factor=replace(ROAD, id="x/other"))]).elements)

    assert shared.p95_kg / shared.p5_kg > apart.p95_kg / apart.p5_kg
    assert shared.p5_kg < shared.p50_kg < shared.p95_kg


# Bundled data --------------------------------------------------------------------------------------------

RESTRICTED = re.compile(
    r"\bGLEC\b|ecoinvent|EcoTransIT|Clean ?Cargo|\bCPCD\b|\bNTM\b|\bIEA\b|International Energy Agency|51366",
)


def test_no_licence_bound_set_is_named_anywhere_in_the_bundled_data() -> None:
    files = [path for path in DATA.rglob("*") if path.is_file()]

    found = {path.name for path in files if RESTRICTED.search(path.read_text(encoding="utf-8"))}

    assert len(files) >= 18
    assert found == set()


def test_every_bundled_table_is_in_the_manifest_with_licence_rows_and_checksum() -> None:
    with (DATA / "MANIFEST.csv").open(encoding="utf-8", newline="") as lines:
        manifest = {row["file"]: row for row in csv.DictReader(lines)}
    tables = {path.name: path for path in DATA.glob("*.csv") if path.name != "MANIFEST.csv"}

    assert set(manifest) == set(tables)
    for name, path in tables.items():
        with path.open(encoding="utf-8", newline="") as lines:
            assert sum(1 for _ in csv.DictReader(lines)) == int(manifest[name]["rows"])
        assert hashlib.sha256(path.read_bytes()).hexdigest() == manifest[name]["sha256"]
        assert manifest[name]["licence"]


def test_1742_bundled_factors_have_unique_ids_and_their_parts_add_up() -> None:
    rows = []
    for path in DATA.glob("factors_*.csv"):
        with path.open(encoding="utf-8", newline="") as lines:
            rows += [row["factor_id"] for row in csv.DictReader(lines)]

    factors = bundled_factors()

    assert len(rows) == len(set(rows)) == len(factors) == 1742
    off = [f.id for f in factors.values() if None not in (f.ttw, f.wtt, f.total) and f.ttw + f.wtt != f.total]  # type: ignore[operator]
    assert off == []
