"""Strategies: drafts beside what is in force, publishing, rolling back, and which order gets which."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order
from routing import choosing, drafts, figures, queries, restoring, services, strategies
from routing.models import Decision, Strategy, StrategyDraft, StrategyRule, StrategyVersion
from tests.fulfillment import builders as make
from tests.orders import builders as orders

pytestmark = pytest.mark.django_db
NOW = make.NOW
FASTER = {"yuan_per_hour": "0.2"}


def balanced() -> Strategy:
    strategies.ensure_presets(orders.merchant(), now=NOW)
    return Strategy.objects.get(code="balanced")


def drafted(strategy: Strategy, changes: dict[str, Any] | None = None, **options: Any) -> drafts.Stand:
    values = {**drafts.stand(strategy).values, **(changes or FASTER)}
    return drafts.save(strategy, values, token=options.pop("token", None), actor=None, now=NOW)


def published(strategy: Strategy, **options: Any) -> StrategyVersion:
    given = {"token": None, "actor": None, "now": NOW, "replay": None, "without_replay": True, **options}
    return drafts.publish(strategy, **given)


def chosen(order: Order) -> StrategyVersion:
    return strategies.choose([order], now=NOW)[order.pk]


def rule(strategy: Strategy, **fields: Any) -> StrategyRule:
    conditions = fields.pop("conditions", {})
    values = {"merchant": strategy.merchant, "name": "双11", "name_en": "Singles Day", **fields}
    return StrategyRule.objects.create(strategy=strategy, conditions=conditions, **values)


# ---- drafts and versions ---------------------------------------------------------------------------


def test_a_draft_routes_nothing_until_it_is_published_and_then_the_very_next_order() -> None:
    strategy = balanced()
    [order] = make.placed()

    stand = drafted(strategy)

    assert (stand.values["yuan_per_hour"], stand.live_values["yuan_per_hour"]) == ("0.2", "0.08")
    assert chosen(order).values["yuan_per_hour"] == "0.08"

    made = published(strategy, note="festival")

    assert chosen(order) == made
    assert (made.number, made.values["yuan_per_hour"], made.origin, made.note) == (
        2, "0.2", "published", "festival",
    )  # fmt: skip
    assert made.is_unreplayed
    assert not StrategyDraft.objects.exists()
    strategy.refresh_from_db()
    assert strategy.yuan_per_hour == Decimal("0.2")


def test_going_back_makes_a_new_version_with_the_old_figures() -> None:
    strategy = balanced()
    first = strategies.in_force(strategy)
    assert first is not None
    drafted(strategy)
    published(strategy)
    [order] = make.placed()

    made = restoring.restore(first, actor=None, now=NOW)

    assert (made.number, made.values, made.origin, made.restored_number) == (
        3, first.values, "rolled_back", 1,
    )  # fmt: skip
    assert chosen(order) == made


def test_a_version_is_never_written_again() -> None:
    version = strategies.in_force(balanced())
    assert version is not None
    version.values = {}

    with pytest.raises(ValueError, match="never changes"):
        version.save()


def test_figures_as_they_are_in_force_leave_no_draft() -> None:
    strategy = balanced()
    drafted(strategy)

    stand = drafted(strategy, {"yuan_per_hour": "0.08"})

    assert stand.draft is None
    assert not StrategyDraft.objects.exists()


def test_discarding_leaves_what_is_in_force() -> None:
    strategy = balanced()
    stand = drafted(strategy)

    drafts.discard(strategy, token=stand.token)

    assert drafts.stand(strategy).draft is None
    assert drafts.stand(strategy).values["yuan_per_hour"] == "0.08"


@pytest.mark.parametrize("meanwhile", ["saved", "published", "rolled back", "discarded"])
def test_whoever_comes_second_is_told_and_nothing_of_it_is_written(meanwhile: str) -> None:
    strategy = balanced()
    first = strategies.in_force(strategy)
    assert first is not None
    drafted(strategy, {"yuan_per_kgco2e": "3"})
    published(strategy)
    drafted(strategy)
    token = drafts.stand(strategy).token

    if meanwhile == "saved":
        drafted(strategy, {"yuan_per_hour": "0.3"})
    elif meanwhile == "published":
        published(strategy)
    elif meanwhile == "rolled back":
        restoring.restore(first, actor=None, now=NOW)
    else:
        drafts.discard(strategy, token=token)
    before = (drafts.stand(strategy), StrategyVersion.objects.count())

    for change in (
        lambda: drafted(strategy, {"yuan_per_hour": "0.9"}, token=token),
        lambda: published(strategy, token=token),
        lambda: drafts.discard(strategy, token=token),
    ):
        with pytest.raises(Refused) as told:
            change()
        assert told.value.code == "strategy_conflict"
    assert (drafts.stand(strategy), StrategyVersion.objects.count()) == before


def test_publishing_asks_for_a_replay_or_for_a_knowing_no() -> None:
    strategy = balanced()
    drafted(strategy)

    with pytest.raises(Refused) as told:
        published(strategy, without_replay=False)

    assert told.value.code == "strategy_no_replay"
    made = published(strategy, without_replay=False, replay={"run": 7, "orders": 12})
    assert (made.replay, made.is_unreplayed) == ({"run": 7, "orders": 12}, False)


def test_there_must_be_a_draft_to_publish() -> None:
    with pytest.raises(Refused) as told:
        published(balanced())

    assert told.value.code == "strategy_no_draft"


@pytest.mark.parametrize(
    ("figure", "value", "code"),
    [
        ("yuan_per_hour", "-0.1", "negative"),
        ("yuan_per_kgco2e", "NaN", "not_a_number"),
        ("forward_bonus", "lots", "not_a_number"),
        ("stock_price_factor", "1000000", "too_large"),
        ("max_parcels", 0, "no_parcels"),
        ("max_parcels", True, "not_a_number"),
        ("max_parcels", "2", "not_a_number"),
        ("max_parcels", 100_000, "too_large"),
        ("allow_partial", "yes", "not_yes_or_no"),
        ("order", ["parcels", "beauty"], "unknown_criteria"),
        ("order", ["hours", "hours"], "criterion_twice"),
        ("order", "hours", "not_a_list"),
    ],
)
def test_figures_that_may_not_route_are_refused_with_a_remedy(figure: str, value: Any, code: str) -> None:
    strategy = balanced()

    [fault] = figures.check({figure: value})
    with pytest.raises(Refused) as told:
        drafted(strategy, {figure: value})

    assert (fault.field, fault.code) == (figure, code)
    assert str(fault.remedy)
    assert (told.value.code, told.value.field) == ("strategy_figures", figure)
    assert not StrategyDraft.objects.exists()


def test_versions_older_than_a_figure_mean_its_default() -> None:
    old = {"code": "x", "yuan_per_hour": "0.3"}

    rates = strategies.rates_of(old)

    assert (rates.code, rates.yuan_per_hour, rates.max_parcels) == ("x", Decimal("0.3"), None)
    assert rates.order == ()
    assert figures.changed(old, {**figures.complete(old)}) == []


def test_the_ready_made_ones_are_seven_and_the_sequential_one_is_off() -> None:
    balanced()

    rows = {row.code: row for row in Strategy.objects.all()}

    assert len(rows) == 7
    assert [code for code, row in rows.items() if not row.is_active] == ["sequential"]
    version = strategies.in_force(rows["sequential"])
    assert version is not None
    assert version.values["order"] == ["parcels", "distance", "money"]
    assert strategies.rates(version).order == ("parcels", "distance", "money")
    assert figures.check(version.values) == []


# ---- which order gets which ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conditions", "fits"),
    [
        ({}, True),
        ({"provinces": ["ZJ"]}, True),
        ({"provinces": ["XJ", "XZ"]}, False),
        ({"countries": ["US"]}, False),
        ({"is_remote": False, "is_green": False}, True),
        ({"is_remote": True}, False),
        ({"services": ["express", "standard"]}, True),
        ({"services": ["express"]}, False),
        ({"categories": ["tea"]}, True),
        ({"categories": ["cups"]}, False),
        ({"customer_levels": ["gold"]}, True),
        ({"customer_levels": ["gold"], "is_green": True}, False),
        ({"phase_of_the_moon": ["full"]}, False),
    ],
)
def test_a_rule_holds_when_all_of_it_does(conditions: dict[str, Any], fits: bool) -> None:
    balanced()
    [order] = make.placed(extra={"customer_level": "gold"})
    line = order.lines.get()
    line.sku.category = "tea"
    line.sku.save()
    wanted = rule(Strategy.objects.get(code="speed"), conditions=conditions)

    picked = strategies.pick([order], now=NOW)[order.pk]

    assert (picked.rule == wanted) is fits
    assert picked.version.values["code"] == ("speed" if fits else "balanced")
    assert picked.why == ("rule" if fits else "default")


def test_a_rule_counts_from_its_beginning_to_just_before_its_end() -> None:
    balanced()
    [order] = make.placed()
    rule(Strategy.objects.get(code="speed"), valid_from=NOW, valid_until=NOW + timedelta(days=1))

    def code(**later: int) -> str:
        return str(strategies.choose([order], now=NOW + timedelta(**later))[order.pk].values["code"])

    assert [code(seconds=-1), code(), code(hours=23), code(days=1)] == [
        "balanced",
        "speed",
        "speed",
        "balanced",
    ]


def test_the_smallest_priority_decides_and_rules_of_idle_strategies_are_passed_over() -> None:
    balanced()
    [order] = make.placed()
    rule(Strategy.objects.get(code="sequential"), priority=1)
    rule(Strategy.objects.get(code="speed"), priority=5, is_active=False)
    rule(Strategy.objects.get(code="cost"), priority=20)
    rule(Strategy.objects.get(code="stock"), priority=10)
    stranger = orders.merchant("stranger")
    strategies.ensure_presets(stranger, now=NOW)
    rule(Strategy.objects.get(code="green", merchant=stranger), priority=0)

    assert chosen(order).values["code"] == "stock"


def test_choosing_takes_three_queries_whatever_the_number_of_orders_and_rules() -> None:
    balanced()
    few, many = make.placed(1), make.placed(20)
    speed = Strategy.objects.get(code="speed")

    def spent(batch: list[Order]) -> int:
        lines = {order.pk: list(order.lines.select_related("sku")) for order in batch}
        with CaptureQueriesContext(connection) as made:
            strategies.choose(batch, now=NOW, lines=lines)
        return len(made)

    before = spent(few)
    for number in range(10):
        rule(speed, priority=number, conditions={"categories": ["x"], "provinces": ["XJ"]})

    assert (before, spent(few), spent(many)) == (3, 3, 3)


def test_the_decision_says_which_rule_chose_its_strategy() -> None:
    make.network()
    balanced()
    [order] = make.placed()
    rule(Strategy.objects.get(code="speed"))

    make.run_steps([order], until="routing.route")

    decision = Decision.objects.select_related("strategy__strategy").get(order=order)
    assert decision.strategy.strategy.code == "speed"
    zh = queries.document(decision, language="zh")["notes"]
    en = queries.document(decision, language="en")["notes"]
    assert "策略由规则「双11」选定" in [note["text"] for note in zh]
    assert "The rule “Singles Day” chose the strategy" in [note["text"] for note in en]


def test_an_order_of_a_country_without_provinces_is_simply_elsewhere() -> None:
    facts = choosing.facts(Order(country="AQ", province="", channel_id=1, service="standard", extra=None))

    assert (facts.has["provinces"], facts.has["customer_levels"]) == (frozenset(), frozenset())


def test_waiting_for_all_sends_nothing_of_an_order_that_is_short() -> None:
    make.network(units=1)
    strategy = balanced()
    drafted(strategy, {"allow_partial": False})
    published(strategy)
    [order] = make.placed(lines=[("TEA", 50)])

    found = services.route([order], now=NOW, actor="system")

    assert found == {order.pk: "unroutable"}
