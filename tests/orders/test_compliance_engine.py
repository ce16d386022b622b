"""The worked cases of the cross-border rules, before and after their change dates, over the starter rows themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from orderhub.orders.compliance import engine, rulebook
from orderhub.orders.compliance.engine import Goods, Near, Row, RowError, Shipment, said
from orderhub.orders.compliance.engine.numbers import is_chinese_id, is_eori, is_hs, is_vat, mask
from orderhub.orders.compliance.engine.regimes import combined_rate, consumption_of

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 2, 0).astimezone()
#: The specimen of GB 11643.
GOOD_ID = "11010519491231002X"
RATES = {"EUR": (Decimal("8.2"), TODAY), "USD": (Decimal("7.1"), TODAY), "GBP": (Decimal("9.4"), TODAY)}


def book(*, confirmed: bool = False) -> engine.Rulebook:
    rows = [rulebook.row_of(row, now=NOW) for row in rulebook.read_starter()]
    return rulebook.compiled(replace(row, is_confirmed=confirmed) for row in rows)


def goods(sku: str = "TEE", value: str = "30", **fields: Any) -> Goods:
    return Goods(**{"sku": sku, "name": "T-shirt", "units": 1, "value": Decimal(value), "hs_code": "6109100010",
                    "origin": "CN", **fields})  # fmt: skip


def parcel(destination: str, *lines: Goods, on: date = TODAY, **fields: Any) -> Shipment:
    screened = dict.fromkeys(("OFAC SDN", "US CSL", "EU", "UN"), on)
    return Shipment(**{
        "origin": "CN", "destination": destination, "currency": "EUR", "goods": lines or (goods(),), "ordered_on": on,
        "sender": "Alice Home", "recipient": "Bob Muster", "rates": RATES, "screened_lists": screened, **fields,
    })  # fmt: skip


def imported(*lines: Goods, **fields: Any) -> Shipment:
    """A cross-border retail import into China, in CNY, complete."""
    told = {"origin": "DE", "currency": "CNY", "regime": "CBEC", "id_number": GOOD_ID, "id_name": "王芳",
            "payer_name": "王芳", "recipient": "王芳", "buyer_key": "b", **fields}  # fmt: skip
    return parcel("CN", *lines, **told)


def found(shipment: Shipment, *, confirmed: bool = False) -> dict[str, str]:
    """Outcome by code of what was found."""
    return {x.code: x.outcome for x in engine.check(book(confirmed=confirmed), shipment).findings}


# ---- China: cross-border retail import --------------------------------------------------------------


def test_every_starter_row_is_sound_and_names_its_source() -> None:
    rows = rulebook.read_starter()

    assert len(rows) == 26
    assert all(row.source for row in rows)
    assert {row.rule for row in rows if row.status == "verify"} == {
        "eu-flat-duty",
        "us-s122-surcharge",
        "uk-135",
        "xx-food",
    }


@pytest.mark.parametrize(
    ("values", "code", "outcome"),
    [
        (["5000"], "within_limit", "pass"),
        (["5000.01"], "single_item", "note"),
        (["3000", "2000"], "within_limit", "pass"),
        (["3000", "2000.01"], "over_limit", "hold"),
    ],
)
def test_one_order_may_be_worth_5000_yuan_a_single_piece_more_at_full_duty(
    values: list[str], code: str, outcome: str
) -> None:
    lines = [goods(f"S{n}", value) for n, value in enumerate(values)]

    assert found(imported(*lines))[code] == outcome


@pytest.mark.parametrize(("before", "outcome"), [("21000", None), ("21000.01", "block"), ("26000", "block")])
def test_a_person_may_import_26000_yuan_a_year_then_only_general_trade(
    before: str, outcome: str | None
) -> None:
    shipment = imported(goods(value="5000"), year_before={"CNY": Decimal(before)})

    assert found(shipment).get("over_year") == outcome
    assert "over_year" not in found(replace(shipment, regime="general"))


def test_the_limits_count_from_2019_and_are_unknown_before() -> None:
    shipment = imported(goods("A", "4000"), goods("B", "4000"))

    assert found(replace(shipment, ordered_on=date(2019, 1, 1)))["over_limit"] == "hold"
    assert "over_limit" not in found(replace(shipment, ordered_on=date(2018, 12, 31)))


def test_another_currency_is_turned_into_yuan_by_the_rate_of_the_day_or_asks_for_one() -> None:
    shipment = imported(goods("A", "400"), goods("B", "210"), currency="EUR")

    assert found(shipment)["over_limit"] == "hold"  # 610 EUR at 8.2 are 5,002 CNY
    assert found(replace(shipment, rates={}))["rate_missing"] == "hold"


@pytest.mark.parametrize(
    ("trait", "grams", "before", "blocked"),
    [("sugar", 2000, "0", False), ("sugar", 2001, "0", True), ("sugar", 500, "1.6", True), ("rice", 20000, "0", False),
     ("rice", 20001, "0", True)],
)  # fmt: skip
def test_sugar_and_rice_have_yearly_kilograms(trait: str, grams: int, before: str, blocked: bool) -> None:
    line = goods(traits=frozenset({trait}), grams=grams)
    shipment = imported(line, year_before={f"{trait}_kg": Decimal(before)})

    assert ("over_quantity" in found(shipment)) is blocked


def test_the_combined_rate_is_consumption_and_vat_over_one_less_consumption_at_70_percent() -> None:
    assert combined_rate(Decimal("0.13"), Decimal(0), Decimal("0.7")) == Decimal("0.091")
    rate = combined_rate(Decimal("0.13"), Decimal("0.15"), Decimal("0.7"))
    assert round(rate, 4) == Decimal("0.2306")
    assert engine.check(book(), imported(goods(value="1000"))).findings  # 91 yuan are told
    told = [x for x in engine.check(book(), imported(goods(value="1000"))).findings if x.code == "tax"]
    assert "91.00 CNY" in told[0].zh


@pytest.mark.parametrize(
    ("value", "size", "rate"),
    [("500", {"milliliters": 50}, "0.15"), ("499.99", {"milliliters": 50}, "0"), ("15", {}, "0.15"), ("14.99", {}, "0")],
)  # fmt: skip
def test_cosmetics_from_10_yuan_a_milliliter_or_15_a_piece_bear_consumption_tax(
    value: str, size: dict[str, int], rate: str
) -> None:
    line = goods(value=value, traits=frozenset({"cosmetics"}), **size)
    [row] = [x for x in book().rows if x.rule == "cn-cosmetics-ct"]

    assert consumption_of(row, imported(line), line) == Decimal(rate)


def test_the_buyer_needs_a_true_number_and_one_name_in_order_payment_and_logistics() -> None:
    assert not {"id_missing", "id_wrong", "names_differ"} & found(imported()).keys()
    assert found(imported(id_number=""))["id_missing"] == "hold"
    assert found(imported(id_number="110105194912310021"))["id_wrong"] == "hold"
    assert found(imported(payer_name="李雷"))["names_differ"] == "hold"
    assert "names_differ" not in found(imported(payer_name=""))  # not told is not different
    early = imported(id_number="", on=date(2016, 4, 7))
    assert "id_missing" not in found(early)


def test_goods_off_the_positive_list_are_held_and_a_list_nobody_loaded_is_told() -> None:
    assert found(imported())["list_missing"] == "note"
    listed = {"CBEC retail import list": frozenset({"61091000"})}
    assert "not_listed" not in found(imported(lists=listed))
    assert found(imported(goods(hs_code="9503006000"), lists=listed))["not_listed"] == "hold"


# ---- European Union ---------------------------------------------------------------------------------


def two_shirts_and_shoes(**fields: Any) -> Shipment:
    lines = goods("TEE", "20", units=2), goods("SHOES", "60", hs_code="6403990000")
    return parcel("DE", *lines, **fields)


@pytest.mark.parametrize(
    ("on", "euros"),
    [(date(2026, 6, 30), 0), (date(2026, 7, 1), 6), (date(2028, 6, 30), 6), (date(2028, 7, 1), 0)],
)
def test_two_shirts_and_shoes_pay_six_euros_while_the_flat_duty_stands(on: date, euros: int) -> None:
    shipment = two_shirts_and_shoes(on=on)

    assert engine.duty(book(confirmed=True), [shipment]).of("EUR") == euros
    assert found(shipment, confirmed=True).get("flat_duty") == ("note" if euros else None)


def test_until_somebody_confirms_it_the_flat_duty_is_a_doubtful_note_and_an_unconfirmed_cost() -> None:
    shipment = two_shirts_and_shoes()

    assert found(shipment)["verify"] == "note"
    assert "flat_duty" not in found(shipment)
    [line] = engine.duty(book(), [shipment]).lines
    assert (line.rule, line.version, line.amount, line.is_confirmed) == ("eu-flat-duty", 1, Decimal(6), False)


def test_the_import_date_decides_about_duty_where_it_is_known() -> None:
    shipment = two_shirts_and_shoes(on=date(2026, 6, 28), imported_on=date(2026, 7, 2))

    assert engine.duty(book(confirmed=True), [shipment]).of("EUR") == 6


def test_above_150_euros_the_flat_duty_ends_and_ioss_may_not_be_used() -> None:
    dear = parcel("FR", goods(value="150.01"), tax_numbers={"ioss": "IM2760000000"})

    assert engine.duty(book(confirmed=True), [dear]).of("EUR") == 0
    assert found(dear)["number_not_for_value"] == "hold"


@pytest.mark.parametrize(
    ("number", "terms", "code", "outcome"),
    [
        ("IM2760000000", "DDP", "number_right", "pass"),
        ("IM276000000", "DDP", "number_wrong", "hold"),
        ("XX2760000000", "DDP", "number_wrong", "hold"),
        ("", "DDP", "number_missing", "hold"),
        ("", "DAP", "number_absent", "note"),
    ],
)
def test_ioss_is_im_and_ten_digits(number: str, terms: str, code: str, outcome: str) -> None:
    told = {"ioss": number, "eori": "DE123456789012345"}
    shipment = parcel("DE", tax_numbers=told, terms=terms)

    [said] = [x for x in engine.check(book(), shipment).findings if x.rule == "eu-ioss"]
    assert (said.code, said.outcome) == (code, outcome)


def test_before_july_2021_nobody_asks_for_ioss() -> None:
    assert not [
        x
        for x in engine.check(book(), parcel("DE", on=date(2021, 6, 30), terms="DDP")).findings
        if x.rule == "eu-ioss"
    ]


def test_splitting_doubles_the_flat_duty_and_says_so() -> None:
    whole = parcel("DE", goods("A", "20"), goods("B", "20"))
    parts = [replace(whole, goods=(line,)) for line in whole.goods]

    delta, zh, en = engine.split_delta(book(confirmed=True), whole, parts)

    assert (delta, zh, en) == (
        Decimal("24.60"),
        "拆成 2 包多付 3 EUR关税",
        "2 parcels cost 3 EUR more in duty",
    )


def test_splitting_can_also_bring_a_consignment_under_the_threshold_and_merging_lift_it_over() -> None:
    whole = parcel("DE", goods("A", "100"), goods("B", "100", hs_code="6403990000"))
    parts = [replace(whole, goods=(line,)) for line in whole.goods]

    delta, zh, _en = engine.split_delta(book(confirmed=True), whole, parts)

    assert delta == Decimal("49.20")
    assert zh == "拆成 2 包多付 6 EUR关税"
    assert engine.split_delta(book(confirmed=True), whole, [whole]) == (Decimal(0), "", "")


# ---- USA and United Kingdom ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "value", "gift", "code"),
    [
        (date(2025, 8, 28), "800", False, "duty_free"),
        (date(2025, 8, 28), "800.01", False, "dutiable"),
        (date(2025, 8, 29), "1", False, "dutiable"),
        (date(2025, 8, 29), "100", True, "gift"),
        (date(2026, 11, 22), "100.01", True, "dutiable"),
        (date(2027, 7, 1), "800", False, "dutiable"),
    ],
)
def test_nothing_enters_the_usa_free_of_duty_since_29_august_2025_but_small_gifts(
    on: date, value: str, gift: bool, code: str
) -> None:
    shipment = parcel("US", goods(value=value), on=on, currency="USD", is_gift=gift, importer="Alice US LLC")

    assert code in found(shipment)


def test_a_dutiable_parcel_needs_ten_digits_an_origin_and_an_importer() -> None:
    bare = parcel("US", goods(hs_code="610910", origin=""), currency="USD")

    [said] = [x for x in engine.check(book(), bare).findings if x.code == "entry"]
    assert (said.outcome, said.supply, said.by) == ("hold", "hs10,country_of_origin,importer", "merchant")
    assert said.rule == "us-de-minimis-suspended"


@pytest.mark.parametrize(
    ("on", "told"),
    [
        (date(2026, 2, 23), False),
        (date(2026, 2, 24), True),
        (date(2026, 7, 23), True),
        (date(2026, 7, 24), False),
    ],
)
def test_the_surcharge_is_a_doubt_within_its_150_days_and_holds_once_confirmed_without_a_rate(
    on: date, told: bool
) -> None:
    shipment = parcel("US", currency="USD", on=on, importer="Alice US LLC")

    doubts = [x.rule for x in engine.check(book(), shipment).findings if x.code == "verify"]
    assert ("us-s122-surcharge" in doubts) is told
    assert (found(shipment, confirmed=True).get("rate_unknown") == "hold") is told


def test_up_to_135_pounds_the_seller_pays_british_vat_once_the_row_is_confirmed() -> None:
    small = parcel("GB", goods(value="135"), currency="GBP", importer="A")

    assert found(small)["verify"] == "note"
    assert found(small, confirmed=True)["seller_vat"] == "hold"
    assert found(replace(small, tax_numbers={"vat": "GB980780684"}), confirmed=True)["seller_vat"] == "pass"
    dear = parcel("GB", goods(value="135.01"), currency="GBP", importer="A")
    assert found(dear, confirmed=True)["dutiable"] == "note"


# ---- goods, papers, parties ----------------------------------------------------------------------------


def test_lithium_batteries_need_three_papers() -> None:
    bare = goods("BANK", traits=frozenset({"UN3481"}))

    [said] = [x for x in engine.check(book(), parcel("DE", bare)).findings if x.code == "certificate"]
    assert (said.supply, said.rule, said.version) == ("test summary,label,carrier accepts", "xx-battery", 1)
    papers = frozenset({"test summary", "label", "carrier accepts"})
    assert "certificate" not in found(parcel("DE", replace(bare, certificates=papers)))


def test_weapons_are_blocked_and_nothing_after_that_is_judged() -> None:
    findings = engine.check(book(), parcel("DE", goods(traits=frozenset({"weapon"})), terms="DDP")).findings

    assert findings[-1].code == "prohibited"
    assert findings[-1].outcome == "block"
    assert "number_missing" not in {x.code for x in findings}


def test_all_that_is_missing_is_told_at_once() -> None:
    holds = {
        x.code
        for x in engine.check(book(), parcel("DE", goods(hs_code=""), recipient="", terms="DDP")).findings
        if x.outcome == "hold"
    }

    assert {"party_missing", "hs_missing", "number_missing"} <= holds


def test_a_name_alone_holds_for_review_and_never_blocks() -> None:
    near = Near("recipient", "JARACO SA", "JARACO S.A.", "8377", "OFAC SDN", 100)

    verdict = engine.check(book(), parcel("DE", near=(near,)))

    [said] = [x for x in verdict.findings if x.code == "party_near"]
    assert (said.outcome, said.inputs["party"]) == ("hold", "8377")
    assert verdict.outcome == "hold"
    assert "party_near" not in found(parcel("DE", near=(replace(near, score=84),)))


def test_an_old_list_and_a_missing_list_are_told() -> None:
    old = parcel("DE", screened_lists={"OFAC SDN": TODAY - timedelta(days=8), "EU": TODAY, "UN": TODAY})

    codes = [
        (x.code, x.inputs.get("list"))
        for x in engine.check(book(), old).findings
        if x.code.startswith("list_")
    ]
    assert codes == [("list_old", "OFAC SDN"), ("list_missing", "US CSL")]


def test_a_lane_without_rules_is_told_never_silent() -> None:
    [only] = engine.check(rulebook.compiled([]), parcel("DE")).findings

    assert (only.outcome, only.code) == ("note", "no_rules")


# ---- rows ----------------------------------------------------------------------------------------------


def row(**fields: Any) -> Row:
    return Row(**{"rule": "r", "version": 1, "origin": "*", "destination": "DE", "kind": "hs_code", "params": {"digits": [6]},
                  "valid_from": date(2026, 1, 1), **fields})  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "gossip"}, "kind"), ({"destination": "Germany"}, "destination"), ({"status": "maybe"}, "status"),
        ({"valid_to": date(2026, 1, 1)}, "valid_to"), ({"params": {"digits": "six"}}, "params.digits"),
        ({"params": {"digits": [6], "x": "y" * 5000}}, "params"),
        ({"kind": "value_limit", "params": {"single_max": "-1", "currency": "CNY"}}, "params.single_max"),
        ({"kind": "value_limit", "params": {"single_max": "NaN", "currency": "CNY"}}, "params.single_max"),
        ({"kind": "value_limit", "params": {"single_max": 0.1, "currency": "CNY"}}, "params.single_max"),
        ({"kind": "value_limit", "params": {"single_max": "1", "currency": "yuan"}}, "params.currency"),
        ({"kind": "tax_number", "params": {"number": "^(a+)+$"}}, "params.number"),
        ({"kind": "tax_number", "params": {"number": "^" + "A" * 90 + "$"}}, "params.number"),
    ],
)  # fmt: skip
def test_a_faulty_row_is_refused_with_its_place(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(RowError) as refused:
        engine.compile_rows([row(**fields)])

    assert refused.value.field == field
    assert refused.value.zh
    assert refused.value.en


def test_the_newest_version_of_its_day_counts() -> None:
    rows = [
        row(valid_to=date(2026, 6, 1)),
        row(version=2, valid_from=date(2026, 6, 1), params={"digits": [10]}),
    ]
    made = engine.compile_rows(rows)

    def version(on: date) -> list[int]:
        return [x.version for x in made.in_force("hs_code", parcel("DE", on=on))]

    assert [version(date(2025, 12, 31)), version(date(2026, 5, 31)), version(date(2026, 6, 1))] == [
        [],
        [1],
        [2],
    ]


# ---- numbers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "good"),
    [
        (GOOD_ID, True), ("11010519491231002x", True), ("440524188001010014", True), ("110105194912310021", False),
        ("11010519490231002X", False), ("11010520991231002X", False), ("110105491231002", False), ("", False),
        ("１１０１０５１９４９１２３１００２X", False),
    ],
)  # fmt: skip
def test_chinese_identity_numbers(number: str, good: bool) -> None:
    assert is_chinese_id(number, on=TODAY) is good


def test_exactly_one_last_sign_fits_each_number() -> None:
    for body in ("11010519491231002", "44052418800101001", "31010119900307123"):
        assert sum(is_chinese_id(body + sign, on=TODAY) for sign in "0123456789X") == 1
    assert mask(GOOD_ID) == "110105********002X"


@pytest.mark.parametrize(
    "number",
    ["DE136695976", "FR40303265045", "IT00743110157", "BE0428759497", "NL004495445B01", "PL8567346215", "ATU13585627",
     "DK13585628", "FI20774740", "SE123456789701", "PT501964843", "LU15027442", "EL094259216", "GR094259216",
     "GB980780684", "HR33392005961"],
)  # fmt: skip
def test_vat_numbers_with_public_check_digits(number: str) -> None:
    assert is_vat(number)
    digits = [place for place, sign in enumerate(number) if sign.isdigit() and place > 2]
    broken = [f"{number[:at]}{(int(number[at]) + 1) % 10}{number[at + 1 :]}" for at in digits]
    assert (
        sum(not is_vat(wrong) for wrong in broken) >= len(broken) - 3
    )  # of NL and SE the last two are no check digits


def test_vat_numbers_without_a_public_rule_are_judged_by_form_and_unknown_countries_refused() -> None:
    assert is_vat("RO18547290")
    assert not is_vat("RO1")
    assert not is_vat("US123456789")


@pytest.mark.parametrize(
    ("number", "good"),
    [("DE123456789012345", True), ("GB123456789000", True), ("XI123456789000", True), ("GB12345678900", False),
     ("CN12345", False), ("DE", False), ("DE1234567890123456", False)],
)  # fmt: skip
def test_eori_numbers_have_the_form_of_their_country(number: str, good: bool) -> None:
    assert is_eori(number) is good


@pytest.mark.parametrize(
    ("code", "good"),
    [
        ("610910", True),
        ("6109.10", True),
        ("770000", False),
        ("000000", False),
        ("61091", False),
        ("61O910", False),
    ],
)
def test_hs_codes(code: str, good: bool) -> None:
    assert is_hs(code, (6, 10)) is good


def test_duty_of_a_value_rule_is_due_above_what_enters_free_and_said_in_words() -> None:
    row = Row(
        "us-duty", 1, "*", "US", "value_regime", {"currency": "USD", "de_minimis": "800", "duty": "0.125"}, date(2026, 1, 1)
    )  # fmt: skip
    rules = engine.compile_rows([row])
    above, free = (parcel("US", goods(value=value), currency="USD") for value in ("800.01", "800"))

    assert engine.duty(rules, [above, free]).of("USD") == Decimal("100.00")
    assert said.says(row) == ("货值不超过 800 USD 免税，此外按货值的 12.5% 征收关税",
                              "Free of duty up to 800 USD; else duty of 12.5 % of the value")  # fmt: skip
    with pytest.raises(RowError):
        engine.compile_rows([replace(row, params={**row.params, "duty": "a lot"})])
