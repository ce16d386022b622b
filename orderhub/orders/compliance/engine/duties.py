"""What splitting or merging consignments costs in duty: a term that routing can add, with its sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from orderhub.orders.compliance.engine import regimes
from orderhub.orders.compliance.engine.language import Shipment
from orderhub.orders.compliance.engine.rows import Rulebook


@dataclass(frozen=True, slots=True)
class DutyLine:
    """One amount by one version of one rule; `is_confirmed` is false while the row waits for a person."""

    rule: str
    version: int
    amount: Decimal
    currency: str
    amount_cny: Decimal | None
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class Duty:
    """All duties and surcharges of consignments; `cny` is None where a rate is missing."""

    lines: tuple[DutyLine, ...]

    @property
    def cny(self) -> Decimal | None:
        """The sum in CNY."""
        amounts = [x.amount_cny for x in self.lines]
        if None in amounts:
            return None
        return sum((x for x in amounts if x is not None), Decimal(0))

    def of(self, currency: str) -> Decimal:
        """The sum of what is due in this currency."""
        return sum((x.amount for x in self.lines if x.currency == currency), Decimal(0))


def duty(book: Rulebook, consignments: Sequence[Shipment]) -> Duty:
    """The duties and surcharges of each consignment, added up, without taxes; pure, a few microseconds each."""
    lines: list[DutyLine] = []
    for shipment in consignments:
        for row in book.in_force("duty_per_item_kind", shipment):
            value, _missing = regimes.in_currency(row, shipment, shipment.value)
            if value is not None and value <= Decimal(row.params["intrinsic_max"]):
                amount = Decimal(row.params["amount"]) * regimes.kinds_of(shipment.goods)
                lines.append(
                    _line(
                        row.rule,
                        row.version,
                        amount,
                        str(row.params["currency"]),
                        shipment,
                        not row.is_doubtful,
                    )
                )
        for row in book.in_force("value_regime", shipment):
            share = None if row.is_doubtful else regimes.duty_share(row, shipment)
            if share:
                amount = (shipment.value * share).quantize(Decimal("0.01"))
                lines.append(_line(row.rule, row.version, amount, shipment.currency, shipment, True))
        for row in book.in_force("surcharge", shipment):
            if not row.is_doubtful:
                for found in regimes.surcharge(row, shipment):
                    if found.code == "surcharge":
                        amount = (shipment.value * Decimal(found.inputs["rate"])).quantize(Decimal("0.01"))
                        lines.append(_line(row.rule, row.version, amount, shipment.currency, shipment, True))
    return Duty(tuple(lines))


def split_delta(
    book: Rulebook, whole: Shipment, parts: Sequence[Shipment]
) -> tuple[Decimal | None, str, str]:
    """What the parts cost more in CNY than the whole (below 0: less; None: no rate), and a sentence in zh and en."""
    one, many = duty(book, [whole]), duty(book, parts)
    currencies = {x.currency for x in (*one.lines, *many.lines)}
    told = {
        code: many.of(code) - one.of(code) for code in sorted(currencies) if many.of(code) != one.of(code)
    }
    delta = None if one.cny is None or many.cny is None else many.cny - one.cny
    if not told:
        return delta, "", ""
    zh = "、".join(f"{'多' if x > 0 else '少'}付 {_plain(abs(x))} {code}" for code, x in told.items())
    en = ", ".join(f"{_plain(abs(x))} {code} {'more' if x > 0 else 'less'}" for code, x in told.items())
    return delta, f"拆成 {len(parts)} 包{zh}关税", f"{len(parts)} parcels cost {en} in duty"


def _line(
    rule: str, version: int, amount: Decimal, currency: str, shipment: Shipment, is_confirmed: bool
) -> DutyLine:
    rate = Decimal(1) if currency == "CNY" else shipment.rates.get(currency, (None, None))[0]
    in_cny = None if rate is None else (amount * rate).quantize(Decimal("0.01"))
    return DutyLine(rule, version, amount, currency, in_cny, is_confirmed)


def _plain(amount: Decimal) -> str:
    return format(amount.normalize(), "f")
