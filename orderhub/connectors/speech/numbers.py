"""Transforms that reckon: amounts as people write them, small units of a currency, and a few values with each other."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from orderhub.connectors.speech.moments import Bad, Setting, decimal_of, text_of

#: Digits behind the point of ISO 4217's currencies, where they are not two.
_DIGITS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    "CLF": 4, "UYW": 4,
}  # fmt: skip
_CODE = re.compile(r"[A-Z]{3}")
MOST_PLACES = 18
_NUMBER = re.compile(r"[+-]?\d{1,24}(?:\.\d{1,12})?")
_AROUND = re.compile(r"^[^\d.,+-]+|[^\d.,]+$")


def written(value: Any, args: tuple[Any, ...], _setting: Setting) -> str | None:
    """`¥1,234.50` as a number; the argument is the sign before the decimals where it is a comma."""
    text = text_of(value).replace("\u2212", "-").replace("\u00a0", " ").strip()
    if not text:
        return None
    comma = bool(args) and args[0] == ","
    bare = _AROUND.sub("", text)
    sign = "-" if text.startswith(("-", "(")) and not bare.startswith("-") else ""
    for group in (".", " ", "'") if comma else (",", " ", "'"):
        bare = bare.replace(group, "")
    bare = sign + (bare.replace(",", ".") if comma else bare)
    if not _NUMBER.fullmatch(bare) or not bare.isascii():
        raise Bad("not_number")
    return format(Decimal(bare), "f")


def _all(value: Any, least: int) -> list[Decimal] | None:
    """The numbers of a list; None where one of them is nothing."""
    values = value if isinstance(value, list) else [value]
    if len(values) < least or len(values) > 50 or any(isinstance(one, list | dict) for one in values):
        raise Bad("not_numbers", least=least)
    numbers = [None if one is None else decimal_of(one) for one in values]
    return None if None in numbers else [one for one in numbers if one is not None]


def _plain(number: Decimal) -> str:
    """A number with every digit and no more than twelve behind the point."""
    if not number.is_finite() or number.adjusted() > 24:
        raise Bad("not_number")
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -12:
        number = number.quantize(Decimal("1e-12"), rounding=ROUND_HALF_EVEN)
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text and exponent != -2 else text


def _reckon(
    least: int, work: Callable[[list[Decimal]], Decimal]
) -> Callable[[Any, tuple[Any, ...], Setting], str | None]:
    def run(value: Any, _args: tuple[Any, ...], _setting: Setting) -> str | None:
        numbers = _all(value, least)
        try:
            return None if numbers is None else _plain(work(numbers))
        except (InvalidOperation, ZeroDivisionError):
            raise Bad("not_number") from None

    return run


def _multiplied(numbers: list[Decimal]) -> Decimal:
    found = Decimal(1)
    for number in numbers:
        found *= number
    return found


product = _reckon(1, _multiplied)
total = _reckon(1, lambda numbers: sum(numbers, Decimal(0)))
minus = _reckon(2, lambda numbers: numbers[0] - sum(numbers[1:], Decimal(0)))
over = _reckon(2, lambda numbers: numbers[0] / numbers[1])


def plus(value: Any, args: tuple[Any, ...], _setting: Setting) -> int | str | None:
    """The value and so much more; what was whole stays a whole number."""
    number = decimal_of(value)
    if number is None:
        return None
    found = number + args[0]
    return int(found) if isinstance(value, int) else _plain(found)


def shift(value: Any, _args: tuple[Any, ...], _setting: Setting) -> str | None:
    """[1234, 2] as 12.34: the second says how many digits are behind the point."""
    numbers = _all(value, 2)
    if numbers is None:
        return None
    places = numbers[1]
    if places != places.to_integral_value() or abs(places) > MOST_PLACES:
        raise Bad("not_whole")
    return format(numbers[0].scaleb(-int(places)), "f")


def minor(value: Any, _args: tuple[Any, ...], _setting: Setting) -> str | None:
    """[1234, "KWD"] as 1.234: small units of a currency; a yen is whole, a dinar has a thousand."""
    amount, digits = _money(value)
    return None if amount is None else format(amount.scaleb(-digits), "f")


def to_minor(value: Any, _args: tuple[Any, ...], _setting: Setting) -> int | None:
    """["1.234", "KWD"] as 1234."""
    amount, digits = _money(value)
    if amount is None:
        return None
    found = amount.scaleb(digits)
    if found != found.to_integral_value():
        raise Bad("not_whole")
    return int(found)


def _money(value: Any) -> tuple[Decimal | None, int]:
    if not isinstance(value, list) or len(value) != 2:
        raise Bad("not_money")
    currency = text_of(value[1]).strip().upper() if value[1] is not None else ""
    if value[0] is None:
        return None, 0
    if not _CODE.fullmatch(currency):
        raise Bad("not_money")
    return decimal_of(value[0]), _DIGITS.get(currency, 2)
