"""Learning on plain numbers: when a challenger is accepted, the alarm, delivery quantiles, carriers and their log."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from routing.learning.engine import delivery
from routing.learning.engine.alarm import forecast_error, is_poisoned
from routing.learning.engine.carriers import Belief, choose
from routing.learning.engine.delivery import (
    Bands,
    Features,
    LaneTable,
    Missing,
    Model,
    Parcel,
    TooFew,
    late_risk,
)
from routing.learning.engine.hybrid import HybridRule, combine
from routing.learning.engine.offpolicy import Logged, evaluate
from routing.learning.engine.policy import Block, Point, Search, judge, night

DAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def _blocks(yuan: Sequence[float], **sums: float) -> list[Block]:
    return [Block(100, 1000 + one, **sums) for one in yuan]


def test_a_challenger_is_accepted_on_paired_evidence_only() -> None:
    noise = np.random.default_rng(1).normal(0, 200, 8)
    better = judge(_blocks(noise), _blocks(noise - 10 + np.arange(8) / 10))
    assert better.is_accepted
    assert better.gain == pytest.approx(0.0965)
    unpaired = judge(_blocks(noise), _blocks(noise[::-1] - 10))
    assert unpaired.refused == ("not_proven",)
    assert judge(_blocks([0] * 3), _blocks([-50] * 3)).refused == ("too_few_blocks",)
    with pytest.raises(ValueError, match="same orders"):
        judge([Block(1, 1.0)], [Block(2, 1.0)])


@pytest.mark.parametrize(
    ("sums", "broken"),
    [
        ({"hours": 4100.0}, "hours"),
        ({"dropped": 3.2}, "dropped"),
        ({"late": 3.2}, "late"),
        ({"kgco2e": 50.2}, "kgco2e"),
    ],
)
def test_no_gain_buys_off_a_guardrail(sums: dict[str, float], broken: str) -> None:
    usual = {"hours": 4000.0, "dropped": 3.0, "late": 3.0, "kgco2e": 50.0}
    old, new = _blocks([0] * 8, **usual), _blocks([-90.0 - n for n in range(8)], **{**usual, **sums})
    assert judge(old, new).refused == (broken,)


def _bowl(point: Point, which: Sequence[int]) -> list[Block]:
    """A replay whose best point is a = 4, b = 0.5."""
    cost = 10 + np.log(point["a"] / 4) ** 2 + np.log(point["b"] / 0.5) ** 2
    return [Block(100, 100 * cost + 7 * (n % 3) + (n % 5) * point["a"] / 50) for n in which]


def test_a_night_finds_better_parameters_within_their_ends_and_keeps_the_best() -> None:
    over = night({"a": 40.0, "b": 0.05}, Search(ends={"a": (1.0, 50.0), "b": (0.01, 9.0)}), range(12), _bowl)
    assert over.is_changed
    assert over.point["a"] == pytest.approx(4, rel=0.35)
    assert over.point["b"] == pytest.approx(0.5, rel=0.35)
    held = night(
        {"a": 40.0, "b": 0.05}, Search(ends={"a": (30.0, 50.0), "b": (0.05, 0.05)}), range(12), _bowl
    )
    assert held.point["a"] >= 30
    best = {"a": 4.0, "b": 0.5}
    assert night(best, Search(), range(12), _bowl).point == best


def test_the_alarm_hears_a_poisoned_forecast_and_not_chance_or_the_level() -> None:
    random = np.random.default_rng(4)
    real = random.uniform(2, 12, 80)
    seen = random.poisson(real).tolist()
    assert not is_poisoned((real * 3).tolist(), seen)
    assert is_poisoned((real * random.lognormal(0, 1, 80)).tolist(), seen)
    assert forecast_error([1.0] * 5, [1.0] * 5) is None
    with pytest.raises(ValueError, match="same articles"):
        forecast_error([1.0], [1.0, 2.0])


def _parcels(count: int, *, slower: float = 1.0) -> list[Parcel]:
    random = np.random.default_rng(6)
    found = []
    for n in range(count):
        far = int(random.integers(0, 3))
        sent = DAY + timedelta(hours=2 * n)
        hours = float(random.gamma(8, 3 * (1 + far))) * (slower if n > count // 2 else 1)
        found.append(Parcel("A", f"to{far}", sent, sent + timedelta(hours=hours), 100.0 * far, 500.0))
    return found


def test_the_lane_table_falls_back_to_what_has_enough_parcels() -> None:
    table = LaneTable.of(_parcels(200))
    told = table.predict(
        [Parcel("A", "to0", DAY, None), Parcel("B", "to0", DAY, None), Parcel("B", "x", DAY, None)]
    )
    assert told[0].tolist() == told[1].tolist() != told[2].tolist()
    with pytest.raises(TooFew):
        LaneTable.of(_parcels(20))


def test_bands_follow_when_carriers_become_slower() -> None:
    known = _parcels(1200, slower=1.6)
    told = LaneTable.of(known[:300]).predict(known)
    shifted = delivery.roll(known, told, Bands(window=200))
    hours = np.array([one.hours for one in known])
    fixed, rolling = (delivery.quality(one[900:], hours[900:]) for one in (told, shifted))
    assert rolling.worst_miss < 0.06 < 0.2 < fixed.worst_miss


def test_features_know_nothing_of_what_is_delivered_later() -> None:
    known = _parcels(40)
    late = Parcel("A", known[0].destination, known[0].sent_at, known[0].sent_at + timedelta(days=900))
    before = delivery.rows(known, Features())
    after = delivery.rows([*known, late], Features())
    assert np.array_equal(before[1:], after[2:], equal_nan=True)


def test_a_model_beats_nothing_with_too_few_parcels_constant_columns_or_without_its_library(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(TooFew):
        Model.fit(np.ones((10, 2)), np.ones(10))
    with pytest.raises(ValueError, match="constant"):
        Model.fit(np.ones((600, 2)), np.arange(600.0))

    def gone(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", gone)
    with pytest.raises(Missing):
        Model.fit(np.arange(1200.0).reshape(600, 2), np.ones(600))


def test_late_risk_is_read_off_the_quantiles() -> None:
    quantiles = (40.0, 60.0, 70.0, 80.0)
    assert late_risk(quantiles, 40) == pytest.approx(0.5)
    assert late_risk(quantiles, 65) == pytest.approx(0.15)
    assert late_risk(quantiles, 80) == pytest.approx(0.05)
    assert 0 < late_risk(quantiles, 500) < 0.05
    assert late_risk(quantiles, 0) == 1


def test_every_carrier_keeps_its_floor_unless_it_may_cost_too_much() -> None:
    random = np.random.default_rng(3)
    beliefs = [Belief(20, 2, 200), Belief(21, 2, 200), Belief(40, 2, 200)]
    chances = choose(beliefs, random).propensities
    assert sum(chances) == pytest.approx(1)
    assert min(chances) == pytest.approx(0.02)
    assert choose(beliefs, random, most_loss=5.0).propensities[2] == 0
    with pytest.raises(ValueError, match="carriers"):
        choose([], random)


def _log(count: int, chances: tuple[float, ...] = (0.7, 0.3)) -> list[Logged]:
    random = np.random.default_rng(9)
    found = []
    for _ in range(count):
        chosen = int(random.choice(2, p=chances))
        found.append(Logged("lane", chosen, chances, float(random.normal(20 + chosen, 2))))
    return found


def test_off_policy_estimates_are_near_the_truth_or_refused() -> None:
    found = evaluate(_log(4000), [[0.0, 1.0]] * 4000)
    assert found.dr == pytest.approx(21, rel=0.01)
    assert found.snips == pytest.approx(21, rel=0.01)
    assert evaluate(_log(400), [[0.0, 1.0]] * 400).refused == "few_effective"
    assert evaluate([], []).refused == "no_log"
    assert evaluate(_log(10, (1.0, 0.0)), [[0.0, 1.0]] * 10).refused == "unsupported"
    rare = [*_log(4000), Logged("lane", 1, (0.9999, 0.0001), 30.0)]
    assert evaluate(rare, [[0.5, 0.5]] * 4001).refused in {"one_weight", "few_effective"}


TOLD = {"sf": 20.0, "zto": 15.0, "jd": 18.0}


def _order_of(*rules: HybridRule, at: datetime = DAY, **facts: str) -> list[tuple[str, float | None]]:
    return [(part.target, part.yuan) for part in combine(TOLD, rules, facts, at=at)]


def test_rules_bend_what_the_model_says_and_the_answer_tells_whose_part_is_whose() -> None:
    assert _order_of()[0] == ("zto", 15.0)
    assert _order_of(HybridRule("no zto", "forbid", "zto"))[0] == ("jd", 18.0)
    assert _order_of(HybridRule("only sf", "pin", "sf"))[:2] == [("sf", 20.0), ("jd", None)]
    both = combine(
        TOLD,
        [HybridRule("flood", "bias", "zto", 9.0), HybridRule("contract", "override", "zto", 12.0)],
        {},
        at=DAY,
    )
    assert [part.target for part in both] == ["jd", "sf", "zto"]
    assert both[2].model_yuan == 15.0
    assert both[2].yuan == 21.0
    assert both[2].rules == ("flood", "contract")


def test_a_rule_holds_in_its_scope_and_window_only_and_never_stops_routing() -> None:
    rule = HybridRule(
        "no zto", "forbid", "zto", scope={"region": "CN-54"}, starts_at=DAY, ends_at=DAY + timedelta(days=1)
    )
    assert _order_of(rule, region="CN-54")[0][0] == "jd"
    assert _order_of(rule, region="CN-31")[0][0] == "zto"
    assert _order_of(rule, at=DAY + timedelta(days=1), region="CN-54")[0][0] == "zto"
    assert _order_of(HybridRule("gone", "pin", "ems"))[0][0] == "zto"
    assert (
        _order_of(HybridRule("only zto", "pin", "zto"), HybridRule("no zto", "forbid", "zto"))[0][0] == "jd"
    )


def test_unsound_rules_are_named_and_do_not_hold() -> None:
    wrong = HybridRule("wrong", "bias", "", starts_at=DAY, ends_at=DAY)
    assert wrong.faults() == ["no_target", "no_amount", "ends_before_start"]
    assert not wrong.holds({}, DAY)
    assert HybridRule("wrong", "maybe", "zto").faults() == ["unknown_kind"]
