"""Value limits, customs regimes, taxes and flat duties; money in the row's currency, by the shipment's own rates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal

from orderhub.orders.compliance.engine.language import BLOCK, HOLD, NOTE, PASS, Finding, Goods, Row, Shipment
from orderhub.orders.compliance.engine.numbers import hs6
from orderhub.orders.compliance.engine.words import finding

_CENT = Decimal("0.01")
#: Limits per person and year by kind of goods: the trait, and how its kilograms are told.
QUANTITIES: Mapping[str, tuple[str, str, str]] = {
    "sugar_kg": ("sugar", "食糖", "sugar"),
    "rice_kg": ("rice", "大米", "rice"),
}


def is_of(row: Row, shipment: Shipment) -> bool:
    """Whether the row is about the shipment's customs regime; a row that names none is about all."""
    wanted = row.params.get("regime")
    return wanted is None or wanted == shipment.regime


def in_currency(row: Row, shipment: Shipment, amount: Decimal) -> tuple[Decimal | None, Finding | None]:
    """An amount of the shipment in the row's currency, or the finding that a rate is missing."""
    wanted = str(row.params["currency"])
    if wanted == shipment.currency:
        return amount, None
    rates = {"CNY": (Decimal(1), shipment.ordered_on), **shipment.rates}
    missing = [code for code in (shipment.currency, wanted) if code not in rates]
    if missing:
        return None, finding(
            row, HOLD, "rate_missing", zh=f"缺少 {'、'.join(missing)} 的汇率", en=f"no exchange rate for {', '.join(missing)}",
            supply="rate", by="compliance", inputs={"currency": ",".join(missing)},
        )  # fmt: skip
    return _money(amount * rates[shipment.currency][0] / rates[wanted][0]), None


def value_limit(row: Row, shipment: Shipment) -> Iterator[Finding]:
    """One order's limit; a single piece that cannot be divided may be dearer, at full duty."""
    if not is_of(row, shipment):
        return
    value, missing = in_currency(row, shipment, shipment.value)
    if value is None:
        yield from filter(None, [missing])
        return
    limit = Decimal(row.params["single_max"])
    inputs = {"value": str(value), "limit": str(limit)}
    if value <= limit:
        yield finding(
            row, PASS, "within_limit", zh=f"货值 {value} 不超过单次限值 {limit} {row.params['currency']}",
            en=f"{value} is within the limit of {limit} {row.params['currency']}", inputs=inputs,
        )  # fmt: skip
    elif len(shipment.goods) == 1 and shipment.goods[0].units == 1:
        yield finding(
            row, NOTE, "single_item", zh=f"单件 {value} 超过 {limit}，按全额征收关税和税款",
            en=f"a single piece of {value}, above {limit}: full duty and taxes", inputs=inputs,
        )  # fmt: skip
    else:
        yield finding(
            row, HOLD, "over_limit", zh=f"货值 {value} 超过单次限值 {limit} {row.params['currency']}：拆成多单或按一般贸易申报",
            en=f"{value} is above the limit of {limit} {row.params['currency']}: split the order or declare general trade",
            supply="split,regime", by="merchant", inputs=inputs,
        )  # fmt: skip


def value_exception(row: Row, shipment: Shipment) -> Iterator[Finding]:
    """Says in words what `value_limit` and `value_limit_year` apply; nothing of its own."""
    yield from ()


def value_limit_year(row: Row, shipment: Shipment) -> Iterator[Finding]:
    """One person's limit in a calendar year; what other shops sold is not known, so the sum is a lower bound."""
    if not is_of(row, shipment):
        return
    value, missing = in_currency(row, shipment, shipment.value)
    if value is None:
        yield from filter(None, [missing])
        return
    before = shipment.year_before.get(str(row.params["currency"]), Decimal(0))
    limit, total = Decimal(row.params["year_max"]), before + value
    inputs = {"before": str(before), "value": str(value), "limit": str(limit)}
    if total > limit:
        yield finding(
            row, BLOCK, "over_year", zh=f"本年累计 {total} 超过年度限值 {limit} {row.params['currency']}：须按一般贸易",
            en=f"{total} this year is above the limit of {limit} {row.params['currency']}: general trade only",
            supply="regime", by="merchant", inputs=inputs,
        )  # fmt: skip


def quantity_limit_year(row: Row, shipment: Shipment) -> Iterator[Finding]:
    """Kilograms of some goods per person and year."""
    if not is_of(row, shipment):
        return
    for name, (trait, zh, en) in QUANTITIES.items():
        if name not in row.params:
            continue
        before = shipment.year_before.get(name, Decimal(0))
        total, limit = before + kilograms(shipment, trait), Decimal(row.params[name])
        if total > limit and total > before:
            yield finding(
                row, BLOCK, "over_quantity", zh=f"本年{zh}累计 {total} 千克，超过 {limit} 千克",
                en=f"{total} kg of {en} this year, above {limit} kg", supply="quantity", by="merchant",
                inputs={"goods": trait, "before": str(before), "limit": str(limit)},
            )  # fmt: skip


def kilograms(shipment: Shipment, trait: str) -> Decimal:
    """How much of such goods is in the shipment; a line's grams are those of all its units."""
    return (
        sum((Decimal(x.grams) / 1000 for x in shipment.goods if trait in x.traits), Decimal(0)).normalize()
        + 0
    )


def value_regime(row: Row, shipment: Shipment) -> Iterator[Finding]:
    """Which way through customs the value opens: free of duty up to a limit, else what an entry needs."""
    if not is_of(row, shipment):
        return
    value, missing = in_currency(row, shipment, shipment.value)
    if value is None:
        yield from filter(None, [missing])
        return
    params, currency = row.params, row.params["currency"]
    gift_max, free_max = params.get("gift_max"), params.get("de_minimis")
    inputs = {"value": str(value)}
    if shipment.is_gift and gift_max is not None and value <= Decimal(gift_max):
        yield finding(row, PASS, "gift", zh=f"礼品 {value} 不超过 {gift_max} {currency}，免税",
                      en=f"a gift of {value}, up to {gift_max} {currency}: free of duty", inputs=inputs)  # fmt: skip
        return
    if free_max is not None and 0 < value <= Decimal(free_max):
        yield finding(row, PASS, "duty_free", zh=f"货值 {value} 不超过 {free_max} {currency}，免税",
                      en=f"{value} is up to {free_max} {currency}: free of duty", inputs=inputs)  # fmt: skip
        return
    if "intrinsic_max" in params and value <= Decimal(params["intrinsic_max"]):
        yield from _seller_vat(row, shipment, inputs)
        return
    yield from _entry(row, shipment, value)


def duty_share(row: Row, shipment: Shipment) -> Decimal:
    """The share of the value that is due as duty, by a row that says one: none up to the value that enters free."""
    if not is_of(row, shipment) or "duty" not in row.params:
        return Decimal(0)
    value, _missing = in_currency(row, shipment, shipment.value)
    is_free = value is None or any(value <= limit for limit in free_limits(row, shipment))
    return Decimal(0) if is_free else Decimal(row.params["duty"])


def free_limits(row: Row, shipment: Shipment) -> list[Decimal]:
    """The values up to which the row lets such a shipment in free of duty."""
    names = ["de_minimis", "intrinsic_max", *(["gift_max"] if shipment.is_gift else [])]
    return [Decimal(row.params[name]) for name in names if row.params.get(name) is not None]


def _seller_vat(row: Row, shipment: Shipment, inputs: Mapping[str, str]) -> Iterator[Finding]:
    limit = f"{row.params['intrinsic_max']} {row.params['currency']}"
    if row.params.get("seller_vat") and not shipment.tax_numbers.get("vat"):
        yield finding(
            row, HOLD, "seller_vat", zh=f"不超过 {limit} 的货物由卖家缴纳增值税：需要 VAT 号",
            en=f"up to {limit} the seller pays VAT: needs a VAT number",
            supply="vat", by="merchant", inputs=inputs,
        )  # fmt: skip
    else:
        yield finding(row, PASS, "seller_vat", zh="卖家缴纳增值税", en="the seller pays VAT", inputs=inputs)


def _entry(row: Row, shipment: Shipment, value: Decimal) -> Iterator[Finding]:
    lacking = [name for name in row.params.get("need", ()) if not _has(shipment, str(name))]
    inputs = {"value": str(value)}
    if lacking:
        yield finding(
            row, HOLD, "entry", zh=f"货值 {value} 须申报纳税，缺少：{'、'.join(lacking)}",
            en=f"{value} is dutiable and needs an entry; missing: {', '.join(lacking)}", supply=",".join(lacking),
            by="merchant", inputs=inputs,
        )  # fmt: skip
    else:
        yield finding(row, NOTE, "dutiable", zh=f"货值 {value} 须申报纳税，无免税额度",
                      en=f"{value} is dutiable: nothing is free", inputs=inputs)  # fmt: skip


def _has(shipment: Shipment, name: str) -> bool:
    if name == "hs10":
        return all(
            len(hs6(x.hs_code)) == 6 and len(x.hs_code.replace(".", "").strip()) >= 10 for x in shipment.goods
        )
    if name == "country_of_origin":
        return all(x.origin for x in shipment.goods)
    if name in ("importer", "terms"):
        return bool(getattr(shipment, name))
    return name in shipment.documents or bool(shipment.tax_numbers.get(name))


# ---- taxes and duties ------------------------------------------------------------------------------


def combined_rate(vat: Decimal, consumption: Decimal, factor: Decimal) -> Decimal:
    """The rate of the tax on cross-border retail imports: (CT + VAT) / (1 − CT) × factor; a share of the value."""
    return (consumption + vat) / (1 - consumption) * factor


def tax(row: Row, shipment: Shipment) -> Iterator[Finding]:
    """What tax the row says, as a note where it can be worked out; the declaration decides."""
    if not is_of(row, shipment):
        return
    if "goods" in row.params:
        for goods in shipment.goods:
            if row.params["goods"] in goods.traits:
                rate = consumption_of(row, shipment, goods)
                yield finding(
                    row, NOTE, "consumption_tax", zh=f"{goods.sku}：消费税 {rate:.0%}",
                    en=f"{goods.sku}: consumption tax {rate:.0%}", inputs={"sku": goods.sku, "rate": str(rate)},
                )  # fmt: skip
    elif "vat" in row.params and "vat_and_consumption_factor" in row.params:
        rate = combined_rate(
            Decimal(row.params["vat"]), Decimal(0), Decimal(row.params["vat_and_consumption_factor"])
        )
        due = _money(shipment.value * rate)
        yield finding(
            row, NOTE, "tax", zh=f"跨境电商综合税约 {due} {shipment.currency}（{rate:.1%}，不含消费税）",
            en=f"tax on cross-border retail about {due} {shipment.currency} ({rate:.1%}, without consumption tax)",
            inputs={"rate": str(rate.normalize())},
        )  # fmt: skip


def consumption_of(row: Row, shipment: Shipment, goods: Goods) -> Decimal:
    """The consumption tax of one line: the row's rate from a price per ml, gram or piece on, else none."""
    rate = {"CNY": (Decimal(1), shipment.ordered_on), **shipment.rates}.get(shipment.currency)
    if rate is None or not goods.units:
        return Decimal(row.params["consumption_tax"])
    price = goods.value * rate[0]
    size = Decimal(goods.milliliters or goods.grams)
    per_size = price / size if size else None
    from_size, from_piece = row.params.get("from_cny_per_ml_or_g"), row.params.get("from_cny_per_piece")
    is_luxury = (per_size is not None and from_size is not None and per_size >= Decimal(from_size)) or (
        per_size is None and from_piece is not None and price / goods.units >= Decimal(from_piece)
    )
    return Decimal(row.params["consumption_tax"]) if is_luxury else Decimal(0)


def flat_duty(row: Row, shipment: Shipment) -> Iterator[Finding]:
    """A flat duty for each different HS6 of a consignment up to a value."""
    value, missing = in_currency(row, shipment, shipment.value)
    if value is None:
        yield from filter(None, [missing])
        return
    kinds = kinds_of(shipment.goods)
    if value <= Decimal(row.params["intrinsic_max"]) and kinds:
        due = Decimal(row.params["amount"]) * kinds
        yield finding(
            row, NOTE, "flat_duty", zh=f"{kinds} 种税号，固定关税 {due} {row.params['currency']}",
            en=f"{kinds} tariff codes: flat duty of {due} {row.params['currency']}",
            inputs={"kinds": str(kinds), "duty": str(due), "value": str(value)},
        )  # fmt: skip


def kinds_of(goods: tuple[Goods, ...]) -> int:
    """How many different HS6 there are; goods without a code count as one kind each."""
    return len({hs6(x.hs_code) or f"?{x.sku}" for x in goods})


def surcharge(row: Row, shipment: Shipment) -> Iterator[Finding]:
    """A surcharge on the value; a rate that nobody has entered holds, it is never taken as nothing."""
    try:
        rate = Decimal(str(row.params.get("rate")))
    except ArithmeticError:
        yield finding(row, HOLD, "rate_unknown", zh="附加税率尚未填写", en="the surcharge has no rate yet", supply="rate",
                      by="compliance")  # fmt: skip
        return
    due = _money(shipment.value * rate)
    yield finding(row, NOTE, "surcharge", zh=f"附加税 {rate:.1%}，约 {due} {shipment.currency}",
                  en=f"surcharge of {rate:.1%}, about {due} {shipment.currency}", inputs={"rate": str(rate)})  # fmt: skip


def _money(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)
