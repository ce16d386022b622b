"""Decisions in words: figures that add up, in both languages."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from routing.engine import criteria
from routing.engine.explain import TermDiff, compare, removal_sentence, sentence
from routing.engine.model import TERMS, Decision, Plan, PlannedParcel, Removal, Shortage

D = Decimal


def plan(name: str, hours: str, **terms: str) -> Plan:
    amounts = {term: D(terms.get(term, "0")) for term in TERMS}
    parcel = PlannedParcel(1, name, "sf", "std", (), 100, D(hours), D(0), amounts, name)
    return Plan((parcel,), amounts, sum(amounts.values(), D(0)), D(hours), D(0))


CHENGDU = plan("成都仓", "30", freight="10", time="2.40", carbon="0.50", stock_price="3.20")
WUHAN = plan("武汉仓", "24", freight="14.10", time="1.92", carbon="0.62", stock_price="1.77")
DECIDED = Decision(1, "balanced", "routed", CHENGDU, (WUHAN,), (), (), "subset_dp", CHENGDU.total)


def test_compare_sums_exactly_to_the_difference() -> None:
    diffs = compare(CHENGDU, WUHAN)

    assert diffs == [
        TermDiff("freight", D("-4.10")),
        TermDiff("time", D("0.48")),
        TermDiff("carbon", D("-0.12")),
        TermDiff("stock_price", D("1.43")),
    ]
    assert sum(diff.yuan for diff in diffs) == CHENGDU.total - WUHAN.total == D("-2.31")


def test_sentence_sets_winner_against_runner_up() -> None:
    assert (
        sentence(DECIDED, "zh")
        == "成都仓优于武汉仓 ¥2.31：运费 −4.10，慢 6 小时 +0.48，碳 −0.12，库存更紧张 +1.43"
    )
    assert sentence(DECIDED, "en") == (
        "成都仓 beats 武汉仓 by ¥2.31: freight −4.10, 6 h slower +0.48, carbon −0.12, scarcer stock +1.43"
    )


def test_shown_cents_add_up_even_when_each_term_would_round_away() -> None:
    winner = plan("A", "24", freight="1.0033", handling="1.0033", carbon="1.0033")
    runner_up = plan("B", "24", freight="1.0066", handling="1.0067", carbon="1.0066")

    text = sentence(replace(DECIDED, plan=winner, alternatives=(runner_up,)), "en")

    assert text == "A beats B by ¥0.01: handling −0.01"


def test_equal_totals_tie() -> None:
    other = plan("B", "24", freight="2")

    assert (
        sentence(replace(DECIDED, plan=plan("A", "24", freight="2"), alternatives=(other,)), "zh")
        == "A与B同价"
    )


def test_same_nodes_in_both_plans_are_named_as_plans() -> None:
    other = plan("A", "24", freight="3")

    assert sentence(replace(DECIDED, plan=plan("A", "24", freight="2"), alternatives=(other,)), "en") == (
        "The chosen plan beats the runner-up by ¥1.00: freight −1.00"
    )


def ordered(*order: str, winner: Plan = CHENGDU, runner_up: Plan = WUHAN) -> Decision:
    return replace(
        DECIDED, plan=winner, alternatives=(runner_up,), total=winner.total, method="sequential", order=order
    )


def test_ordered_criteria_are_told_by_the_first_that_differs() -> None:
    decision = ordered("parcels", "hours", winner=WUHAN, runner_up=CHENGDU)

    assert sentence(decision, "zh") == (
        "武汉仓先于成都仓：包裹数相同，更快（24 小时，次优 30 小时）；贵 ¥2.31，但花费排在后面"
    )
    assert sentence(decision, "en") == (
        "武汉仓 comes before 成都仓: equal in parcels, faster (24 h against 30 h); ¥2.31 dearer, but cost ranks after that"
    )


def test_money_decides_last_even_where_it_is_not_among_the_criteria() -> None:
    decision = ordered("parcels", "kgco2e", "forward")

    assert (
        sentence(decision, "zh")
        == "成都仓先于武汉仓：包裹数、碳排放、前置仓发货件数相同，更省（¥16.10，次优 ¥18.41）"
    )
    assert sentence(decision, "en").endswith(
        "equal in parcels, CO2e and units from forward warehouses, cheaper (¥16.10 against ¥18.41)"
    )


def test_figures_of_a_criterion_show_as_many_digits_as_tell_them_apart() -> None:
    [row] = [
        row
        for row in criteria.compared(away(km="100.04"), away(km="100.31"), ("distance",))
        if row.code != "money"
    ]

    assert criteria.shown(row, "en") == ("100 km", "100.3 km")


def away(*, km: str = "0", units: int = 0) -> Plan:
    [parcel] = CHENGDU.parcels
    return replace(CHENGDU, parcels=(replace(parcel, distance_km=D(km), units_away=units),))


def test_units_from_elsewhere_speak_for_the_forward_warehouse() -> None:
    decision = ordered("forward", winner=away(units=0), runner_up=away(units=3))

    assert "more from forward warehouses (0 units from elsewhere against 3 units from elsewhere)" in sentence(
        decision, "en"
    )
    assert "更多由前置仓发货（非前置仓 0 件，次优 非前置仓 3 件）" in sentence(decision, "zh")


def test_plans_equal_in_every_criterion_name_the_rule_that_parts_them() -> None:
    decision = ordered("parcels", winner=CHENGDU, runner_up=replace(CHENGDU, hours=D("99")))

    assert "equal in every criterion; fewer parcels, then the warehouse listed first" in sentence(
        decision, "en"
    )
    assert "各项判据全部相同" in sentence(decision, "zh")


def test_a_long_order_solved_nearly_claims_no_advantage_it_has_not() -> None:
    decision = replace(ordered("hours"), method="seq_groups")

    assert "hours solved nearly (30 h against 24 h)" in sentence(decision, "en")
    assert "时效按近似求解（30 小时，次优 24 小时）" in sentence(decision, "zh")


def test_a_wave_says_from_where_the_order_was_moved_and_at_what_price() -> None:
    cheaper = replace(DECIDED, method="wave")
    dearer = replace(DECIDED, method="wave", plan=WUHAN, alternatives=(CHENGDU,), total=WUHAN.total)

    assert sentence(cheaper, "zh").startswith("波次规划后由武汉仓改到成都仓发货，省 ¥2.31：运费 −4.10，")
    assert sentence(cheaper, "en").startswith(
        "Planned with the whole wave: moved from 武汉仓 to 成都仓, ¥2.31 cheaper: freight −4.10, "
    )
    assert sentence(dearer, "zh").startswith(
        "波次规划后由成都仓改到武汉仓发货，贵 ¥2.31，整个波次合计更省：运费 +4.10"
    )
    assert "¥2.31 dearer by itself while the wave as a whole is cheaper" in sentence(dearer, "en")


def test_a_wave_that_only_changes_the_service_says_so() -> None:
    kept = plan("成都仓", "30", freight="9")

    assert sentence(replace(DECIDED, method="wave", plan=kept, alternatives=(CHENGDU,)), "en").startswith(
        "Planned with the whole wave: still from 成都仓, in other parcels or by another service, ¥7.10 cheaper"
    )


def test_only_partial_and_no_plan() -> None:
    only = replace(DECIDED, alternatives=(), status="partial", shortages=(Shortage(1, 2),))
    none = replace(DECIDED, plan=None, alternatives=(), status="unroutable")

    assert sentence(only, "zh") == "成都仓：唯一可行方案，¥16.10；缺 2 件"
    assert sentence(only, "en") == "成都仓: the only feasible plan, ¥16.10; 2 short"
    assert sentence(none, "zh") == "没有可行的发货方案"
    assert sentence(none, "en") == "No feasible plan"


@pytest.mark.parametrize(
    ("code", "facts", "zh", "en"),
    [
        ("frozen", {}, "已冻结", "frozen"),
        ("no_capacity", {"capacity_left": 0}, "今日包裹产能已满", "no parcel capacity left today"),
        ("no_lane", {}, "没有到目的地的线路", "no lane to the destination"),
        (
            "misses_promise",
            {"hours": D(27), "promise_hours": D(26)},
            "最快 27 小时，晚于承诺的 26 小时",
            "fastest is 27 h, later than the promised 26 h",
        ),
        ("sku_banned", {"sku_code": "S045"}, "S045 不得从此仓发出", "S045 must not ship from here"),
        (
            "trait_not_accepted",
            {"sku_code": "S045", "traits": ["cold", "hazmat"]},
            "S045 需要 cold, hazmat，此仓不具备",
            "S045 needs cold, hazmat, not handled here",
        ),
        ("out_of_stock", {"sku_code": "S045", "short_by": 2}, "S045 库存不足，缺 2 件", "S045 is short by 2"),
        (
            "too_heavy",
            {"sku_code": "S045", "grams": 900, "max_grams": 500},
            "S045 重 900 克，超过单包裹上限 500 克",
            "S045 weighs 900 g, above the parcel limit of 500 g",
        ),
    ],
)
def test_every_removal_reads_in_both_languages(code: str, facts: dict[str, object], zh: str, en: str) -> None:
    removal = Removal(3, "CD", 1, code, facts, "成都仓")

    assert removal_sentence(removal, "zh") == f"成都仓：{zh}"
    assert removal_sentence(removal, "en") == f"成都仓: {en}"
