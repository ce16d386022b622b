"""The case interface, row by row: every figure by hand, every flag and refusal by name, and the command itself."""

from __future__ import annotations

import io
import json
import sys
from decimal import Decimal as D
from typing import Any

import pytest
from django.core.management import call_command

from carbon.cases import calculate_case

ROAD = {"id": "x/road", "unit": "tkm", "ttw": "0.1", "wtt": "0.02", "distance_kind": "actual"}
WHOLE = {"id": "x/whole", "unit": "tkm", "total": "0.1", "distance_kind": "actual"}
GRID = {"id": "x/grid", "unit": "kwh", "ttw": "0", "wtt": "0.5"}
SUN = {"id": "x/sun", "unit": "kwh", "ttw": "0", "wtt": "0.05"}
DIESEL = {
    "id": "x/diesel", "unit": "litre", "ttw": "2.5", "wtt": "0.6", "co2": "2.4", "ch4_co2e": "0.056",
    "n2o_co2e": "0.0265", "gwp_basis": "AR5",
}  # fmt: skip
BOX = {"id": "x/box", "unit": "kg", "total": "0.8"}
OLD_BOX = {"id": "x/old-box", "unit": "kg", "total": "0.7"}
END = {"id": "x/end", "unit": "kg", "total": "0.021", "boundary": "TRANSPORT_TO_FACILITY_ONLY"}
HUB = {"id": "x/hub", "unit": "t", "ttw": "0.2", "wtt": "1"}
VAN = {"id": "x/van", "unit": "vkm", "ttw": "0.2", "wtt": "0.05", "distance_kind": "actual"}
FACTORS = [ROAD, WHOLE, GRID, SUN, DIESEL, BOX, OLD_BOX, END, HUB, VAN]


def leg(**fields: Any) -> dict[str, Any]:
    given = {
        "id": "t1", "kind": "transport", "mode": "road", "mass_kg": "1000", "distance_km": "100",
        "distance_kind": "actual", "factor": "x/road",
    }  # fmt: skip
    return {name: value for name, value in (given | fields).items() if value is not None}


def run(*elements: dict[str, Any], factors: Any = FACTORS, **case: Any) -> dict[str, Any]:
    return calculate_case({"id": "T", "factors": factors, "elements": list(elements), **case})


def fault(*elements: dict[str, Any], **case: Any) -> tuple[str, str | None]:
    body = run(*elements, **case)
    assert body["status"] == "error"
    assert set(body) == {"schema", "id", "status", "errors"}
    (found,) = body["errors"]
    return found["code"], found["element"]


@pytest.mark.parametrize(
    ("element", "ttw", "wtt", "total"),
    [
        (leg(), "10", "2", "12"),
        (leg(distance_kind="sfd"), "10.5", "2.1", "12.6"),
        (leg(distance_kind="sfd", daf={"value": "1.2", "source": "carrier"}), "12", "2.4", "14.4"),
        (leg(factor="x/van", share={"own": 3, "total": 60, "basis": "parcels"}), "1", "0.25", "1.25"),
        (leg(factor=None, energy=[{"factor": "x/diesel", "quantity": "8"}], share={"own": "1", "total": "4"}),
         "5", "1.2", "6.2"),
        (leg(factor=None, energy_intensity=[{"factor": "x/diesel", "per_tkm": "0.02"}]), "5", "1.2", "6.2"),
        (leg(factor=None, load_model={"e0": "x/van", "e50": "x/van", "e100": "x/van", "payload_t": "10",
                                      "load_factor": "0.5", "empty_ratio": "0.2"}), "5", "1.25", "6.25"),
        ({"id": "h", "kind": "hub", "factor": "x/hub", "mass_kg": "500"}, "0.1", "0.5", "0.6"),
        ({"id": "h", "kind": "hub", "energy": [{"factor": "x/grid", "quantity": 40}],
          "refrigerants": [{"gas": "HFC134a", "kg": "0.01"}], "share": {"own": 1, "total": 10}}, "1.3", "2", "3.3"),
        ({"id": "h", "kind": "hub", "area_model": {"area_m2": "100", "kwh_per_m2_year": "73", "days": "10",
                                                   "factor": "x/grid"}}, "0", "100", "100"),
    ],
)  # fmt: skip
def test_every_method_of_transport_and_hubs(element: dict[str, Any], ttw: str, wtt: str, total: str) -> None:
    body = run(element)

    (found,) = body["elements"]
    assert [D(found[name]) for name in ("ttw_kg", "wtt_kg", "wtw_kg", "total_kg")] == [
        D(ttw), D(wtt), D(total), D(total),
    ]  # fmt: skip
    assert D(body["total"]["total_kg"]) == D(total)
    assert all(len(found[name].partition(".")[2]) == 12 for name in ("ttw_kg", "total_kg"))


def test_packaging_blends_recycled_content_cycles_and_end_of_life() -> None:
    box = {
        "factor": "x/box", "mass_kg": "2", "recycled_share": "0.5", "recycled_factor": "x/old-box", "cycles": "4",
        "end_of_life": [{"factor": "x/end", "share": "1"}],
    }  # fmt: skip

    body = run({"id": "p", "kind": "packaging", "items": [box]}, leg())

    assert D(body["elements"][0]["non_transport_kg"]) == D(2) * (D("0.4") + D("0.35") + D("0.021")) / 4
    assert body["elements"][0]["ttw_kg"] is None
    assert body["total"]["ttw_kg"] == "10.000000000000"
    assert body["flags"] == ["EOL_TRANSPORT_ONLY"]


def test_goods_lost_count_what_is_not_sold_again() -> None:
    lost = {"id": "g", "kind": "goods", "pcf_kg_per_item": "6.4", "items": 2, "resale_rate": "0.7"}

    body = run(lost)

    assert body["by_stage"]["return"] == "3.840000000000"
    assert body["total"]["wtw_kg"] == "0.000000000000"


def test_both_electricity_bases_are_always_given_and_the_headline_follows_the_choice() -> None:
    hub = {
        "id": "h", "kind": "hub", "energy": [{"factor": "x/grid", "market_factor": "x/sun", "quantity": "10"}],
    }  # fmt: skip

    location = run(hub)["total"]
    market = run(hub, options={"electricity_basis": "market"})["total"]

    assert (location["total_kg"], location["market_total_kg"]) == ("5.000000000000", "0.500000000000")
    assert (market["total_kg"], market["location_total_kg"]) == ("0.500000000000", "5.000000000000")
    assert run(leg())["total"]["market_total_kg"] == "12.000000000000"


def test_ar6_rebases_what_has_a_gas_split_and_flags_the_rest() -> None:
    burnt = leg(factor=None, energy=[{"factor": "x/diesel", "quantity": "1"}])

    body = run(burnt, options={"gwp": "AR6"})

    assert D(body["total"]["ttw_kg"]) == (
        D("2.4") + D("0.056") * D("27.9") / 28 + D("0.0265") * 273 / 265
    ).quantize(D("1e-12"))
    assert body["flags"] == ["DISTANCE_KIND_UNKNOWN"] or body["flags"] == ["GWP_NOT_REBASED"]
    kept = [{**DIESEL, "gas_scope": "CO2_only"}]
    assert D(run(burnt, factors=kept, options={"gwp": "AR6"})["total"]["total_kg"]) == D("3.1")
    assert run(burnt, factors=kept, options={"gwp": "AR6"})["flags"] == []
    whole = [{"id": "x/diesel", "unit": "litre", "total": "3", "co2": "2.9", "ch4_co2e": "0.05", "n2o_co2e": "0.05",
              "gwp_basis": "AR5"}]  # fmt: skip
    body = run(burnt, factors=whole, options={"gwp": "AR6"})
    assert D(body["total"]["total_kg"]) == 3
    assert {"GWP_NOT_REBASED", "SPLIT_UNKNOWN"} <= set(body["flags"])


@pytest.mark.parametrize(
    ("case", "flag"),
    [
        ({"elements": [leg(distance_kind="sfd")]}, "DAF_APPLIED"),
        ({"elements": [leg()], "factors": [{**ROAD, "distance_kind": None}]}, "DISTANCE_KIND_UNKNOWN"),
        ({"elements": [leg(factor="x/whole")]}, "SPLIT_UNKNOWN"),
        ({"elements": [leg()], "activity_date": "2026-01-01", "factors": [{**ROAD, "valid_to": "2025-12-31"}]},
         "TEMPORAL_GAP"),
        ({"elements": [leg(factor="desnz-2026/freight/road_van/average-up-to-3.5-tonnes/diesel/tkm")],
          "options": {"allow_draft": True}}, "DRAFT_FACTOR"),
        ({"elements": [leg(), leg(id="t2", distance_kind="gcd", factor="x/gcd"), leg(id="t3", distance_kind="sfd")],
          "factors": [ROAD, {**ROAD, "id": "x/gcd", "distance_kind": "gcd"}]}, "MIXED_DISTANCE_KINDS"),
        ({"elements": [{"id": "h", "kind": "hub", "energy": [{"factor": "x/grid", "quantity": "1"}]}],
          "factors": [{**GRID, "boundary": "GENERATION (average)"}]}, "BOUNDARY_GENERATION_ONLY"),
        ({"elements": [leg(**{"from": "A", "to": "B"}), leg(id="t2", **{"from": "C", "to": "D"})]}, "CHAIN_GAP"),
        ({"elements": [leg(mass_kg="0")]}, "ZERO_MASS"),
        ({"elements": [leg(distance_km="0")]}, "ZERO_DISTANCE"),
    ],
)  # fmt: skip
def test_every_flag(case: dict[str, Any], flag: str) -> None:
    body = calculate_case({"id": "F", "factors": FACTORS, **case})

    assert body["status"] == "ok", body
    assert flag in body["flags"]


def test_a_factor_up_to_its_last_day_has_no_gap_and_whole_boundaries_no_flag() -> None:
    factors = [{**ROAD, "valid_to": "2025-12-31"}, {**GRID, "boundary": "GENERATION+TD+WTT"}]
    hub = {"id": "h", "kind": "hub", "energy": [{"factor": "x/grid", "quantity": "1"}]}

    assert run(leg(), hub, factors=factors, activity_date="2025-12-31")["flags"] == []


@pytest.mark.parametrize(
    ("element", "code"),
    [
        (leg(factor="x/nowhere"), "UNKNOWN_FACTOR"),
        (leg(factor="desnz-2026/freight/road_van/average-up-to-3.5-tonnes/diesel/tkm"), "DRAFT_FACTOR"),
        (leg(factor="x/grid"), "UNIT_MISMATCH"),
        (leg(factor=None, energy=[{"factor": "x/road", "quantity": "1"}]), "UNIT_MISMATCH"),
        ({"id": "t1", "kind": "hub", "factor": "x/road", "mass_kg": "1"}, "UNIT_MISMATCH"),
        ({"id": "t1", "kind": "packaging", "items": [{"factor": "x/grid", "mass_kg": "1"}]}, "UNIT_MISMATCH"),
        (leg(factor="x/half"), "INCOMPLETE_FACTOR"),
        (leg(distance_kind="gcd"), "NO_DAF"),
        (leg(mode="rail", distance_kind="gcd"), "NO_DAF"),
        (leg(mode="air", distance_kind="sfd"), "NO_DAF"),
        (leg(mass_basis="chargeable"), "CHARGEABLE_MASS_AS_TRANSPORT_MASS"),
        (leg(mass_basis="chargeable", factor="x/nowhere"), "CHARGEABLE_MASS_AS_TRANSPORT_MASS"),
        (leg(mass_kg="-1"), "NEGATIVE_INPUT"),
        (leg(distance_km="-1", factor="x/nowhere"), "NEGATIVE_INPUT"),
        (leg(factor=None, energy=[{"factor": "x/diesel", "quantity": "-1"}]), "NEGATIVE_INPUT"),
        ({"id": "t1", "kind": "packaging", "items": [{"factor": "x/box", "mass_kg": "-1"}]}, "NEGATIVE_INPUT"),
        ({"id": "t1", "kind": "hub", "refrigerants": [{"gas": "HFC134a", "kg": "-1"}]}, "NEGATIVE_INPUT"),
        (leg(share={"own": "-1", "total": "2"}), "BAD_SHARE"),
        (leg(share={"own": "0", "total": "0"}), "BAD_SHARE"),
        (leg(share={"own": "3", "total": "2"}, factor="x/nowhere"), "BAD_SHARE"),
        (leg(factor=None, load_model={"e0": "x/van", "e50": "x/van", "e100": "x/van", "payload_t": "10",
                                      "load_factor": "0", "empty_ratio": "0"}), "BAD_LOAD_MODEL"),
        (leg(factor=None, load_model={"e0": "x/van", "e50": "x/van", "e100": "x/van", "payload_t": "10",
                                      "load_factor": "1", "empty_ratio": "1"}), "BAD_LOAD_MODEL"),
        (leg(lines=["nobody"]), "ZERO_WEIGHTS"),
        (leg(mass_kg=1.5), "FLOAT_INPUT"),
        (leg(share={"own": 0.5, "total": 1}), "FLOAT_INPUT"),
        (leg(mass_kg=None), "MISSING_INPUT"),
    ],
)  # fmt: skip
def test_every_refusal_names_the_element(element: dict[str, Any], code: str) -> None:
    half = {"id": "x/half", "unit": "tkm", "ttw": "1"}

    assert fault(leg(id="good"), element, factors=[*FACTORS, half], lines=[{"id": "L1", "mass_kg": "1"}]) == (
        code, "t1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ({"factors": [{**ROAD, "ttw": 0.1}]}, "FLOAT_INPUT"),
        ({"options": {"quantum_kg": 0.001}}, "FLOAT_INPUT"),
        ({"lines": [{"id": "L1", "mass_kg": "-1"}]}, "NEGATIVE_INPUT"),
        ({"options": {"quantum_kg": "0"}}, "NEGATIVE_INPUT"),
        ({"comparison": {"basis": "average", "orders": 0, "baseline": [leg()]}}, "NEGATIVE_INPUT"),
        ({"allocation": {"key": "height"}}, "BAD_CASE"),
        ({"options": {"gwp": "AR3"}}, "BAD_CASE"),
        ({"lines": [{"id": "L1", "mass_kg": "1"}, {"id": "L1", "mass_kg": "1"}]}, "BAD_CASE"),
        ({"activity_date": "soon"}, "BAD_CASE"),
        ({"elements": []}, "MISSING_INPUT"),
        ({"elements": [{"id": "t1", "kind": "teleport"}]}, "BAD_CASE"),
        ({"elements": "many"}, "BAD_CASE"),
    ],
)
def test_a_case_that_is_none_is_refused_and_never_crashes(case: dict[str, Any], code: str) -> None:
    body = calculate_case({"id": "B", "factors": FACTORS, "elements": [leg()], **case})

    assert (body["status"], body["id"]) == ("error", "B")
    assert body["errors"][0]["code"] == code


def test_what_is_no_case_at_all_is_refused() -> None:
    for given in (None, 5, "x", [1]):
        assert calculate_case(given)["errors"] == [{"code": "BAD_CASE", "element": None}]


@pytest.mark.parametrize(
    ("allocation", "parts"),
    [
        ({"key": "mass"}, ["3", "9"]),
        ({"key": "items"}, ["9", "3"]),
        ({"key": "value"}, ["6", "6"]),
        ({"key": "volume"}, ["2.4", "9.6"]),
        ({"key": "chargeable_mass", "density_kg_per_m3": "200"}, ["2.4", "9.6"]),
        ({"key": "chargeable_mass", "density_kg_per_m3": "10"}, ["3", "9"]),
    ],
)
def test_every_allocation_key(allocation: dict[str, str], parts: list[str]) -> None:
    lines = [
        {"id": "L1", "mass_kg": "1", "volume_m3": "0.02", "items": "3", "value": "50"},
        {"id": "L2", "mass_kg": "3", "volume_m3": "0.08", "items": "1", "value": "50"},
    ]

    body = run(leg(), lines=lines, allocation=allocation)

    assert [D(line["total_kg"]) for line in body["lines"]] == [D(part) for part in parts]
    assert body["ledger_total"]["total_kg"] == "12.000000"


def test_a_saving_names_its_baseline_and_is_divided_by_its_orders() -> None:
    now = leg(id="now", factor="x/van", share={"own": 4, "total": 8})
    comparison = {"basis": "marginal", "orders": "4", "baseline": [now]}

    body = run(leg(factor="x/van", share={"own": 4, "total": 16}), comparison=comparison)

    assert body["comparison"] == {
        "basis": "marginal", "baseline_total_kg": "12.500000000000", "actual_total_kg": "6.250000000000",
        "saving_kg": "6.250000000000", "saving_per_order_kg": "1.562500000000",
    }  # fmt: skip
    assert body["factor_ids"] == ["x/van"]


def test_pedigree_gives_the_spread() -> None:
    scores = {
        "reliability": 1, "completeness": 1, "temporal": 1, "geographical": 1, "technological": 1, "basic": "1.5",
    }  # fmt: skip

    assert D(run(leg(pedigree=scores))["elements"][0]["gsd95"]) == D("1.5")
    assert fault(leg(pedigree={**scores, "temporal": 9}))[0] == "BAD_CASE"


def command(text: bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    out = io.StringIO()
    call_command("carbon_calculate", stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_the_command_answers_in_kind_and_order(monkeypatch: pytest.MonkeyPatch) -> None:
    case = {"id": "A", "factors": FACTORS, "elements": [leg()]}

    one = json.loads(command(json.dumps(case).encode(), monkeypatch))
    many = json.loads(command(json.dumps([case, {"id": "B"}]).encode(), monkeypatch))

    assert one["total"]["total_kg"] == "12.000000000000"
    assert [body["id"] for body in many] == ["A", "B"]
    assert many[1]["status"] == "error"


def test_only_unreadable_json_ends_the_command_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit) as ended:
        command(b"{", monkeypatch)

    assert ended.value.code == 2
