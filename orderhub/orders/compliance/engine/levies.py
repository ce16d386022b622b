"""Duty and taxes of a lane as amounts in CNY that whoever splits an order can add up; pure.

A levy asks of each consignment by what is in that consignment alone: so much for each different tariff code, or a
share of the value of each line, where the value lies within its limits. What cannot be put into an amount (a row that
waits for confirmation, a rate nobody has entered) is named instead of being taken as nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from orderhub.orders.compliance.engine import regimes
from orderhub.orders.compliance.engine.language import Row, Shipment
from orderhub.orders.compliance.engine.rows import Rulebook

#: Kinds of rows that may ask for money.
LEVYING = ("duty_per_item_kind", "surcharge", "value_regime", "tax")
_CENT = Decimal("0.01")
_NONE = Decimal(0)


@dataclass(frozen=True, slots=True)
class Levy:
    """What one version of a rule asks for, in CNY; limits in whole cents of the order's currency.

    Due where the value of a consignment is above `over` and at most `up_to` (None: no such limit): `per_code` for each
    different tariff code, and `shares` of the value of each goods, in the order of the shipment's.
    """

    rule: str
    version: int
    zh: str
    en: str
    over: Decimal | None = None
    up_to: Decimal | None = None
    per_code: Decimal = _NONE
    shares: tuple[Decimal, ...] = ()


@dataclass(frozen=True, slots=True)
class Unknown:
    """A rule whose amount nobody can tell: `unconfirmed`, `no_rate` (of the duty) or `no_exchange` of a currency."""

    rule: str
    code: str
    currency: str = ""


class _Missing(Exception):
    """A currency without an exchange rate."""


def levies(book: Rulebook, shipment: Shipment) -> tuple[list[Levy], list[Unknown]]:
    """What the rows in force ask of consignments with these goods on this lane, and what cannot be told."""
    found: list[Levy] = []
    unknown: list[Unknown] = []
    for kind, read in _READ.items():
        for row in book.in_force(kind, shipment):
            if not regimes.is_of(row, shipment) or not _asks(row):
                continue
            if row.is_doubtful:
                unknown.append(Unknown(row.rule, "unconfirmed"))
                continue
            try:
                levy = read(book, row, shipment)
            except _Missing as missing:
                unknown.append(Unknown(row.rule, "no_exchange", str(missing)))
                continue
            if levy is None:
                unknown.append(Unknown(row.rule, "no_rate"))
            elif levy.per_code or any(levy.shares):
                found.append(levy)
    return found, unknown


def _asks(row: Row) -> bool:
    """Whether a row of its kind asks for money by itself."""
    if row.kind == "value_regime":
        return "duty" in row.params
    return row.kind != "tax" or "goods" not in row.params


# ---- kind by kind --------------------------------------------------------------------------------


def _flat(_book: Rulebook, row: Row, shipment: Shipment) -> Levy:
    amount, most = Decimal(row.params["amount"]), Decimal(row.params["intrinsic_max"])
    currency = str(row.params["currency"])
    zh, en = f"每个不同税号 {_plain(amount)} {currency}", f"{_plain(amount)} {currency} for each tariff code"
    limit = f"{_plain(most)} {currency}"
    zh, en = _told(
        row, shipment, f"{zh}（货值不超过 {limit}）", f"{en} up to {limit}", currency, shipment.currency
    )
    return Levy(
        row.rule, row.version, zh, en, up_to=_limit(row, shipment, most), per_code=amount * _rate(shipment, currency),
    )  # fmt: skip


def _surcharge(_book: Rulebook, row: Row, shipment: Shipment) -> Levy | None:
    try:
        share = Decimal(str(row.params.get("rate")))
    except ArithmeticError:
        return None
    return _of_value(
        row, shipment, [share] * len(shipment.goods), over=None, zh="附加税为", en="a surcharge of"
    )


def _regime(_book: Rulebook, row: Row, shipment: Shipment) -> Levy:
    """Duty on what is worth more than the value that enters free."""
    free = regimes.free_limits(row, shipment)
    shares = [Decimal(row.params["duty"])] * len(shipment.goods)
    return _of_value(row, shipment, shares, over=max(free, default=None), zh="关税为", en="duty of")


def _tax(book: Rulebook, row: Row, shipment: Shipment) -> Levy:
    """Value added and consumption tax of each line, reduced by the row's factor, and duty."""
    vat = Decimal(row.params.get("vat") or 0)
    factor = Decimal(row.params.get("vat_and_consumption_factor") or 1)
    duty = Decimal(row.params.get("duty") or 0)
    special = [
        other
        for other in book.in_force("tax", shipment)
        if "goods" in other.params and regimes.is_of(other, shipment) and not other.is_doubtful
    ]
    shares = []
    for goods in shipment.goods:
        asked = [
            regimes.consumption_of(x, shipment, goods) for x in special if x.params["goods"] in goods.traits
        ]
        shares.append(duty + regimes.combined_rate(vat, max(asked, default=_NONE), factor))
    return _of_value(row, shipment, shares, over=None, zh="税款为", en="tax of")


_READ: Mapping[str, Callable[[Rulebook, Row, Shipment], Levy | None]] = {
    "duty_per_item_kind": _flat, "surcharge": _surcharge, "value_regime": _regime, "tax": _tax,
}  # fmt: skip


def _of_value(
    row: Row, shipment: Shipment, shares: Sequence[Decimal], *, over: Decimal | None, zh: str, en: str
) -> Levy:
    ends = sorted({min(shares, default=_NONE), max(shares, default=_NONE)})
    told = " – ".join(f"{_plain((share * 100).quantize(_CENT))}%" for share in ends)
    zh, en = f"{zh}货值的 {told}", f"{en} {told} of the value"
    if over is not None:
        limit = f"{_plain(over)} {row.params['currency']}"
        zh, en = f"{zh}（货值超过 {limit}）", f"{en} above {limit}"
    limited_in = [] if over is None else [str(row.params["currency"])]
    rate = _rate(shipment, shipment.currency)
    zh, en = _told(row, shipment, zh, en, *limited_in, shipment.currency)
    limit_in_cents = None if over is None else _limit(row, shipment, over)
    return Levy(
        row.rule, row.version, zh, en, over=limit_in_cents, shares=tuple(share * rate for share in shares)
    )


# ---- money ---------------------------------------------------------------------------------------


def _rate(shipment: Shipment, currency: str) -> Decimal:
    """What one of a currency is worth in CNY; raises _Missing."""
    if currency == "CNY":
        return Decimal(1)
    if currency not in shipment.rates:
        raise _Missing(currency)
    return shipment.rates[currency][0]


def _limit(row: Row, shipment: Shipment, limit: Decimal) -> Decimal:
    """The largest value in cents of the order's currency that counts as within a limit of the row; raises _Missing.

    The checks round a value to cents of the row's currency and then compare; this is the same, turned around.
    """
    wanted = str(row.params["currency"])
    if wanted == shipment.currency:
        return limit.quantize(_CENT, ROUND_FLOOR)
    edge = limit.quantize(_CENT, ROUND_FLOOR) + _CENT / 2
    most = (edge * _rate(shipment, wanted) / _rate(shipment, shipment.currency)).quantize(_CENT, ROUND_FLOOR)
    while _is_within(row, shipment, most + _CENT, limit):
        most += _CENT
    while most > 0 and not _is_within(row, shipment, most, limit):
        most -= _CENT
    return most


def _is_within(row: Row, shipment: Shipment, value: Decimal, limit: Decimal) -> bool:
    told, _finding = regimes.in_currency(row, shipment, value)
    return told is not None and told <= limit


# ---- words ---------------------------------------------------------------------------------------


def _told(row: Row, shipment: Shipment, zh: str, en: str, *currencies: str) -> tuple[str, str]:
    """The sentence in both languages, with the exchange rates it was reckoned by."""
    rates = [
        f"1 {code} = ¥{_plain(shipment.rates[code][0])} ({shipment.rates[code][1]})"
        for code in dict.fromkeys(currencies)
        if code in shipment.rates
    ]
    tail = "".join(f"; {rate}" for rate in rates)
    return f"{row.name}：{zh}{tail.replace('; ', '；')}", f"{row.name}: {en}{tail}"


def _plain(amount: Decimal) -> str:
    return format(amount.normalize(), "f")
