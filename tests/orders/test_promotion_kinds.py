"""Each kind of promotion on a cart worked out by hand, and why it does not count where it does not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orderhub.orders.promotions import words
from orderhub.orders.promotions.engine.model import Applied, Given, Skipped
from rules.engine import RuleError, compile_rule, described, sentence
from tests.orders.promotion_cases import (
    NOW,
    WORDS,
    cart,
    do,
    named,
    off,
    only,
    promotion,
    reasons,
    run,
    when,
)


@pytest.mark.parametrize(
    ("deed", "lines", "expected"),
    [
        (do("amount_off", value="10"), [("TEA", 1, "30"), ("CUP", 1, "10")], ["7.50", "2.50"]),
        (do("amount_off", value="100"), [("TEA", 1, "30")], ["30.00"]),
        (do("percent_off", value="12.5", skus=["CUP"]), [("TEA", 1, "30"), ("CUP", 3, "9.99")], ["0.00", "3.75"]),
        (do("percent_off", value="50", categories=["C"]), [("TEA", 1, "30"), ("CUP", 1, "10")], ["0.00", "5.00"]),
        (do("percent_off", value="50", except_skus=["CUP"]), [("TEA", 1, "30"), ("CUP", 1, "10")], ["15.00", "0.00"]),
        # 满300减50, once and for each 300
        (do("threshold_off", full="300", off="50"), [("TEA", 7, "100")], ["50.00"]),
        (do("threshold_off", full="300", off="50", repeat=True), [("TEA", 7, "100")], ["100.00"]),
        (do("threshold_off", full="300", off="50", repeat=True, times=1), [("TEA", 7, "100")], ["50.00"]),
        (do("tiered_off", full=["100", "200"], off=["10", "30"]), [("TEA", 1, "199.99")], ["10.00"]),
        (do("tiered_off", full=["100", "200"], off=["10", "30"]), [("TEA", 1, "200")], ["30.00"]),
        (do("tiered_percent", full=["100", "200"], percent=["5", "10"]), [("TEA", 1, "250")], ["25.00"]),
        (do("units_percent", units=[2, 3], percent=["10", "20"]), [("TEA", 3, "10")], ["6.00"]),
        # 第二件半价: per SKU, and across SKUs the cheapest
        (do("nth_price", nth=2, percent=50), [("TEA", 3, "10"), ("CUP", 1, "4")], ["5.00", "0.00"]),
        (do("nth_price", nth=2, percent=50, across=True), [("TEA", 3, "10"), ("CUP", 1, "4")], ["5.00", "2.00"]),
        (do("nth_price", nth=2, price="1", times=1), [("TEA", 4, "10")], ["9.00"]),
        (do("nth_price", nth=3, percent=0), [("TEA", 2, "10"), ("TEA", 1, "8")], ["0.00", "8.00"]),
        (do("buy_get", buy=2, get=1), [("TEA", 2, "10"), ("CUP", 4, "4")], ["0.00", "8.00"]),
        (do("buy_get", buy=1, get=1, percent=40), [("TEA", 2, "10")], ["6.00"]),
        (do("item_price", price="9.90"), [("TEA", 2, "20"), ("CUP", 1, "5")], ["20.20", "0.00"]),
        (do("item_price", price="9.90", times=1), [("TEA", 2, "20"), ("CUP", 1, "50")], ["0.00", "40.10"]),
        # 30 + 10 for 25, twice; the third cup is left alone
        (do("bundle_price", skus=["TEA", "CUP"], price="25"), [("TEA", 2, "30"), ("CUP", 3, "10")], ["22.50", "7.50"]),
        (do("bundle_price", skus=["CUP", "CUP"], price="15"), [("CUP", 3, "10")], ["5.00"]),
    ],
)  # fmt: skip
def test_what_comes_off(deed: dict[str, Any], lines: list[Any], expected: list[str]) -> None:
    assert off(run(cart(*lines), promotion("p", deed))) == expected


@pytest.mark.parametrize(
    ("deed", "code", "facts"),
    [
        (do("threshold_off", full="300", off="50"), "below_threshold", {"needs": 30_000, "has": 4000}),
        (do("threshold_off", full="20", off="5", skus=["HAT"]), "no_goods", {}),
        (do("tiered_percent", full=["50"], percent=["5"]), "below_threshold", {"needs": 5000, "has": 4000}),
        (do("units_percent", units=[3], percent=["5"]), "too_few_units", {"needs": 3, "has": 2}),
        (do("nth_price", nth=2, percent=50), "too_few_units", {"needs": 2, "has": 1}),
        (do("buy_get", buy=2, get=1), "too_few_units", {"needs": 3, "has": 2}),
        (do("bundle_price", skus=["TEA", "HAT"], price="5"), "incomplete_bundle", {"skus": ["HAT"]}),
        (do("bundle_price", skus=["TEA", "CUP"], price="50"), "nothing_left", {}),
        (do("item_price", price="99"), "nothing_left", {}),
        (do("gift", skus=["HAT"]), "no_gift", {"skus": ("HAT",)}),
    ],
)
def test_why_it_does_not_count(deed: dict[str, Any], code: str, facts: dict[str, Any]) -> None:
    one = only(run(cart(("TEA", 1, "30"), ("CUP", 1, "10")), promotion("p", deed)))

    assert isinstance(one, Skipped)
    assert (one.code, one.facts) == (code, facts)


def test_each_promotion_works_on_what_the_ones_before_it_left() -> None:
    half, ten = (
        promotion("half", do("percent_off", value="50"), priority=1),
        promotion("ten", do("percent_off", value="10")),
    )

    result = run(cart(("TEA", 1, "100")), ten, half)

    assert (named(result), off(result)) == (["half", "ten"], ["55.00"])


def test_a_threshold_counts_what_is_left_and_a_condition_the_order_as_placed() -> None:
    first = promotion("first", do("amount_off", value="10"), priority=1)
    full = promotion("full", do("threshold_off", full="100", off="20"))
    asked = promotion("asked", do("amount_off", value="1"), condition=when("order.total", ">=", "100"))

    result = run(cart(("TEA", 1, "100")), first, full, asked)

    assert (named(result), reasons(result)) == (["first", "asked"], {"full": "below_threshold"})


def test_of_a_group_the_first_that_gives_something_counts() -> None:
    big = promotion("big", do("threshold_off", full="300", off="50"), priority=1, group="g")
    small = promotion("small", do("threshold_off", full="100", off="10"), priority=2, group="g")
    last = promotion("last", do("amount_off", value="1"), priority=3, group="g")

    result = run(cart(("TEA", 1, "100")), big, small, last)

    assert (named(result), reasons(result)) == (["small"], {"big": "below_threshold", "last": "group"})


def test_one_that_stands_alone_bars_others_and_is_barred_by_them() -> None:
    alone = promotion("alone", do("amount_off", value="5"), do("alone"), priority=1)
    other = promotion("other", do("amount_off", value="1"), priority=2)
    late = promotion("late", do("amount_off", value="5"), do("alone"), priority=3)

    first = run(cart(("TEA", 1, "100")), alone, other)
    second = run(cart(("TEA", 1, "100")), other, late)

    assert (named(first), reasons(first)) == (["alone"], {"other": "after_alone"})
    assert (named(second), reasons(second)) == (["other"], {"late": "alone"})


def test_a_stop_ends_the_run_and_a_cap_limits_the_whole_promotion() -> None:
    capped = promotion("capped", do("percent_off", value="50"), do("cap", value="10"), priority=1, stop=True)
    late = promotion("late", do("amount_off", value="5"))

    result = run(cart(("TEA", 1, "60"), ("CUP", 1, "20")), capped, late)

    assert (off(result), reasons(result)) == (["7.50", "2.50"], {"late": "stopped"})
    assert result.applied[0].is_capped


def test_several_deeds_of_one_rule_count_together() -> None:
    both = promotion("both", do("percent_off", value="50", skus=["TEA"]), do("amount_off", value="10"))

    assert off(run(cart(("TEA", 1, "60"), ("CUP", 1, "20")), both)) == ["36.00", "4.00"]


def test_a_promotion_counts_in_its_time_only() -> None:
    hour = timedelta(hours=1)
    result = run(
        cart(("TEA", 1, "60")),
        promotion("early", do("amount_off", value="1"), since=NOW + hour),
        promotion("late", do("amount_off", value="1"), until=NOW),
        promotion("now", do("amount_off", value="1"), since=NOW, until=NOW + hour),
    )

    assert (named(result), reasons(result)) == (["now"], {"early": "not_yet", "late": "expired"})


def test_amounts_never_count_in_another_currency_and_shares_do_in_any() -> None:
    result = run(
        cart(("TEA", 1, "60"), currency="JPY"),
        promotion("amount", do("amount_off", value="1")),
        promotion("asked", do("percent_off", value="10"), condition=when("order.total", ">=", "1")),
        promotion("yen", do("amount_off", value="6"), do("in_currency", code="JPY")),
        promotion("share", do("percent_off", value="10")),
    )

    assert (named(result), reasons(result)) == (["share", "yen"], {"amount": "currency", "asked": "currency"})
    assert off(result) == ["12.00"]


def test_a_coupon_a_member_level_a_channel_and_a_region_are_conditions() -> None:
    condition = {
        "all": [
            when("order.coupons", "contains", "SPRING"), when("customer.level", "in", ["gold", "black"]),
            when("order.channel", "==", "tmall"), when("order.province", "in", ["浙江", "上海"]),
        ]
    }  # fmt: skip
    member = promotion("member", do("amount_off", value="8"), condition=condition)
    facts: dict[str, Any] = {
        "order__coupons": ["SPRING"], "customer__level": "gold", "order__channel": "tmall", "order__province": "浙江",
    }  # fmt: skip

    assert off(run(cart(("TEA", 1, "60"), **facts), member)) == ["8.00"]
    one = only(run(cart(("TEA", 1, "60"), **{**facts, "customer__level": "new"}), member))
    assert isinstance(one, Skipped)
    assert [(x.fact, x.actual) for x in one.failures] == [("customer.level", "new")]


def test_a_gift_comes_from_stock_or_its_substitute_or_not_at_all() -> None:
    gift = promotion("gift", do("gift", skus=["HAT", "PEN"], units=2), do("amount_off", value="1"))
    required = promotion(
        "required", do("gift", skus=["HAT"], units=9, required=True), do("amount_off", value="1")
    )
    given = cart(("TEA", 1, "60"))
    given.stock = {"HAT": 1, "PEN": 2}

    first, second = run(given, gift), run(given, gift, required)

    assert first.applied[0].gifts == (Given("PEN", 2, "HAT"),)
    # The pens are gone now, but the amount off still counts.
    assert (second.applied[0].gifts, second.applied[0].missing_gifts) == ((), ("HAT",))
    assert (off(second), reasons(second)) == (["1.00"], {"required": "no_gift"})


def test_free_shipping_counts_without_taking_money_off() -> None:
    one = only(run(cart(("TEA", 1, "60")), promotion("free", do("free_shipping"))))

    assert isinstance(one, Applied)
    assert one.cents == 0


def test_limits_are_drawn_down_and_need_a_known_customer() -> None:
    limited = promotion("limited", do("amount_off", value="1"), do("limit_uses", total=5, each=1))
    left = {("all/s/limited", ""): 5, ("all/s/limited", "c1"): 1}
    first, again, unknown = (cart(("TEA", 1, "60"), customer=who) for who in ("c1", "c1", ""))
    first.left = again.left = unknown.left = left

    codes = [reasons(run(given, limited)) for given in (first, again, unknown)]

    assert codes == [{}, {"limited": "customer_used_up"}, {"limited": "unknown_customer"}]
    assert left == {("all/s/limited", ""): 4, ("all/s/limited", "c1"): 0}


@pytest.mark.parametrize(
    ("then", "path", "code"),
    [
        ([], "then", "empty"),
        ([do("cap", value="5")], "then", "empty"),
        ([do("amount_off", value="-5")], "then[0].with.value", "range"),
        ([do("amount_off", value="0.001")], "then[0].with.value", "range"),
        ([do("percent_off", value="101")], "then[0].with.value", "range"),
        ([do("threshold_off", full="-300", off="50")], "then[0].with.full", "range"),
        ([do("threshold_off", full="50", off="300")], "then[0].with.off", "range"),
        ([do("tiered_off", full=["100", "50"], off=["1", "2"])], "then[0].with.full", "range"),
        ([do("tiered_off", full=["50", "100"], off=["2", "1"])], "then[0].with.off", "range"),
        ([do("tiered_off", full=["50", "100"], off=["2"])], "then[0].with.off", "shape"),
        ([do("tiered_off", full=[], off=[])], "then[0].with.full", "empty"),
        ([do("nth_price", nth=1, percent=50)], "then[0].with.nth", "range"),
        ([do("nth_price", nth=2)], "then[0].with", "shape"),
        ([do("nth_price", nth=2, percent=50, price="1")], "then[0].with", "shape"),
        ([do("nth_price", nth=2, percent=100)], "then[0].with.percent", "range"),
        ([do("buy_get", buy=0, get=1)], "then[0].with.buy", "range"),
        ([do("bundle_price", skus=[], price="1")], "then[0].with.skus", "empty"),
        ([do("gift", skus=["A", "A"])], "then[0].with.skus", "twice"),
        ([do("free_shipping"), {"do": "limit_uses", "with": {}}], "then[1].with", "shape"),
        ([do("free_shipping"), do("in_currency", code="yuan")], "then[1].with.code", "choice"),
        ([do("free_shipping"), do("free_shipping")], "then[1].do", "twice"),
    ],
)
def test_senseless_promotions_are_refused_with_the_place(then: list[Any], path: str, code: str) -> None:
    rule = {"id": "p", "when": {"all": []}, "then": then}

    with pytest.raises(RuleError) as refused:
        words.check(compile_rule(rule, WORDS))

    assert (refused.value.path, refused.value.code) == (path, code)
    assert refused.value.zh


@pytest.mark.parametrize(
    ("deed", "zh", "en"),
    [
        (do("threshold_off", full="300", off="50", repeat=True), "每满300减50", "50 off each from 300"),
        (do("threshold_off", full="300", off="50"), "满300减50", "50 off from 300"),
        (do("nth_price", nth=2, percent=50, skus=["TEA"]), "第2件付50%（TEA）", "unit 2 at 50% on TEA"),
        (do("gift", skus=["HAT", "PEN"]), "送赠品HAT、PEN", "gift HAT, PEN"),
        (do("gift", skus=["{units}"]), "送赠品{units}", "gift {units}"),
        (do("limit_uses", total=100), "限用共100次", "limited to 100 in total"),
    ],
)
def test_a_promotion_reads_as_one_plain_sentence(deed: dict[str, Any], zh: str, en: str) -> None:
    body = {"id": "p", "when": {"all": []}, "then": [deed]}

    assert sentence(body, WORDS, "zh") == f"任何情况下：{zh}"
    assert sentence(body, WORDS, "en") == f"In every case: {en}"


def test_every_word_is_described_with_type_labels_in_both_languages_and_what_it_may_be_compared_by() -> None:
    found = described(WORDS)

    facts = {fact["name"]: fact for fact in found["facts"]}
    assert (facts["order.total"]["type"], facts["order.total"]["example"]) == ("money", "299.00")
    assert "between" in facts["order.total"]["ops"]
    assert all(one["zh"] and one["en"] for kind in ("facts", "actions") for one in found[kind])
    params = {one["name"]: one["params"] for one in found["actions"]}
    assert params["threshold_off"][0] == {
        "name": "full",
        "type": "money",
        "required": True,
        "zh": "满",
        "en": "from",
    }
    assert all(param["zh"] != param["name"] for some in params.values() for param in some)
