"""Monte Carlo: the same seed gives the same band, which meets the closed form, and shares of the variance add up."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from carbon.defaults import chain_for
from carbon.estimate import ElementResult, Figures, band, calculate
from carbon.sampling import no_clear_difference, simulate


def element(name: str = "e", kg: str = "10", **fields: Any) -> ElementResult:
    figures = Figures(None, None, D(kg), D(0), D(kg), D(kg), D(kg))
    given: dict[str, Any] = {
        "id": name, "kind": "transport", "stage": "transport", "data_type": "default", "tkm": None,
        "figures": figures, "factor_ids": ("x/f",), "flags": (), "gsd95": D(2),
    }  # fmt: skip
    return ElementResult(**(given | fields))


def test_one_element_keeps_its_own_lognormal() -> None:
    for factors in (("x/f",), ()):
        found = simulate([element(factor_ids=factors)], seed=7, draws=40_000)
        # p95 ÷ median = GSD95 ^ (1.6449 ÷ 2) for σ = ln(GSD95) ÷ 2.
        assert abs(found.p50_kg - 10) < D("0.2")
        assert abs(found.p95_kg / found.p50_kg - D(2) ** D("0.82243")) < D("0.05")


def test_the_same_seed_draws_the_same_and_says_how() -> None:
    elements = calculate(chain_for(mass_kg=D(2), distance_km=D(1200), province="zj")).elements

    one, two, other = (simulate(elements, seed=seed) for seed in (1, 1, 2))

    assert one == two != other
    assert one.document()["generator"] == "PCG64"
    assert one.numpy_version
    assert abs(sum(share for _name, share in one.shares) - 1) < D("0.0001")
    closed = band(elements)
    assert abs(one.p5_kg / closed.p5_kg - 1) < D("0.1")
    assert abs(one.p95_kg / closed.p95_kg - 1) < D("0.1")


def test_a_shared_factor_widens_and_the_widest_input_leads() -> None:
    shared = simulate([element("a"), element("b")], seed=3)
    apart = simulate([element("a"), element("b", factor_ids=("x/g",))], seed=3)

    assert shared.p95_kg - shared.p5_kg > apart.p95_kg - apart.p5_kg
    wide = simulate(
        [element("a", gsd95=D("1.1")), element("b", "30", gsd95=D(3), factor_ids=("x/g",))], seed=3
    )
    assert {name for name, _share in wide.shares[:2]} == {"factor:x/g", "activity:b"}


@pytest.mark.parametrize(("kg", "unclear"), [("10", True), ("11", True), ("60", False)])
def test_bands_that_overlap_by_more_than_half_say_no_clear_difference(kg: str, unclear: bool) -> None:
    a, b = simulate([element()], seed=1), simulate([element(kg=kg)], seed=2)

    assert no_clear_difference(a, b) is unclear


def test_nothing_has_no_band() -> None:
    assert simulate([], seed=1).p95_kg == 0
