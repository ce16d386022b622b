"""Numbers with check digits: Chinese identity numbers, VAT numbers, EORI and IOSS numbers, HS codes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date

# GB 11643-1999, ISO 7064 MOD 11-2.
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_SIGNS = "10X98765432"


def is_chinese_id(text: str, *, on: date) -> bool:
    """Whether an 18-digit identity number has a real birth date, not after `on`, and the right last sign."""
    number = text.strip().upper()
    if not re.fullmatch(r"[1-9][0-9]{16}[0-9X]", number):
        return False
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    if not date(1850, 1, 1) <= born <= on:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, number, strict=False))
    return _ID_SIGNS[total % 11] == number[17]


def mask(text: str) -> str:
    """An identity number as people may see it: the first six and the last four signs."""
    plain = text.strip()
    return f"{plain[:6]}{'*' * max(0, len(plain) - 10)}{plain[-4:]}" if len(plain) > 10 else "*" * len(plain)


def is_eori(text: str) -> bool:
    """Whether it has the form of an EORI number: a country of the EU, GB or XI, and up to 15 letters and digits."""
    plain = _plain(text)
    if re.fullmatch(r"(GB|XI)[0-9]{12}([0-9]{3})?", plain):
        return True
    return (
        plain[:2] in VAT
        and plain[:2] not in {"GB", "XI"}
        and bool(re.fullmatch(r"[A-Z]{2}[A-Z0-9]{1,15}", plain))
    )


def is_vat(text: str) -> bool:
    """Whether it has the form of a VAT number of its country and, where the rule is public, the right check digit.

    Greece writes EL, Northern Ireland XI. Whether the number is registered only its authority knows (VIES).
    """
    plain = _plain(text)
    known = VAT.get(plain[:2])
    if known is None or not re.fullmatch(known[0], plain[2:]):
        return False
    return known[1] is None or known[1](plain[2:])


def is_hs(text: str, digits: tuple[int, ...]) -> bool:
    """Whether a code is all digits (points and blanks apart), of one of these lengths, in a chapter from 01 to 97."""
    plain = re.sub(r"[.\s]", "", text)
    return (
        plain.isascii()
        and plain.isdigit()
        and len(plain) in digits
        and 1 <= int(plain[:2]) <= 97
        and plain[:2] != "77"
    )


def hs6(text: str) -> str:
    """The six digits that mean the same everywhere."""
    return re.sub(r"[.\s]", "", text)[:6]


def _plain(text: str) -> str:
    plain = re.sub(r"[\s.\-]", "", text).upper()
    return f"EL{plain[2:]}" if plain.startswith("GR") else plain


# ---- check digits of VAT numbers -------------------------------------------------------------------


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(weight * int(digit) for weight, digit in zip(weights, digits, strict=False))


def _luhn(digits: str) -> bool:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _mod_11_10(digits: str) -> bool:
    """ISO 7064 MOD 11,10: Germany, Croatia."""
    rest = 10
    for digit in digits[:-1]:
        rest = ((int(digit) + rest) % 10 or 10) * 2 % 11
    return (11 - rest) % 10 == int(digits[-1])


def _at(text: str) -> bool:
    digits = text[1:]
    doubled = sum(sum(divmod(int(x) * 2, 10)) if place % 2 else int(x) for place, x in enumerate(digits[:7]))
    return (10 - (doubled + 4) % 10) % 10 == int(digits[7])


def _be(text: str) -> bool:
    return 97 - int(text[:8]) % 97 == int(text[8:])


def _dk(text: str) -> bool:
    return _weighted(text, (2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def _el(text: str) -> bool:
    return _weighted(text, (256, 128, 64, 32, 16, 8, 4, 2)) % 11 % 10 == int(text[8])


def _fi(text: str) -> bool:
    return _weighted(text, (7, 9, 10, 5, 8, 4, 2, 1)) % 11 == 0


def _fr(text: str) -> bool:
    """Where the first two signs are digits they follow from the company number; letters follow another rule."""
    return not text[:2].isdigit() or int(text[:2]) == (12 + 3 * (int(text[2:]) % 97)) % 97


def _gb(text: str) -> bool:
    if not text[:9].isdigit():
        return True
    rest = (_weighted(text, (8, 7, 6, 5, 4, 3, 2)) + int(text[7:9])) % 97
    return rest in (0, 42)


def _lu(text: str) -> bool:
    return int(text[:6]) % 89 == int(text[6:])


def _nl(text: str) -> bool:
    if _weighted(text, (9, 8, 7, 6, 5, 4, 3, 2)) % 11 == int(text[8]):
        return True
    # Sole traders have numbers of their own since 2020: ISO 7064 MOD 97-10 over the whole, letters as numbers.
    spelled = "".join(str(int(sign, 36)) if sign.isalpha() else sign for sign in f"NL{text}")
    return int(spelled) % 97 == 1


def _pl(text: str) -> bool:
    return _weighted(text, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11 == int(text[9])


def _pt(text: str) -> bool:
    rest = 11 - _weighted(text, (9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return (0 if rest > 9 else rest) == int(text[8])


def _se(text: str) -> bool:
    return text.endswith("01") and _luhn(text[:10])


VAT: Mapping[str, tuple[str, Callable[[str], bool] | None]] = {
    "AT": (r"U[0-9]{8}", _at), "BE": (r"[01][0-9]{9}", _be), "BG": (r"[0-9]{9,10}", None),
    "CY": (r"[0-9]{8}[A-Z]", None), "CZ": (r"[0-9]{8,10}", None), "DE": (r"[1-9][0-9]{8}", _mod_11_10),
    "DK": (r"[0-9]{8}", _dk), "EE": (r"[0-9]{9}", None), "EL": (r"[0-9]{9}", _el),
    "ES": (r"[A-Z0-9][0-9]{7}[A-Z0-9]", None), "FI": (r"[0-9]{8}", _fi), "FR": (r"[A-Z0-9]{2}[0-9]{9}", _fr),
    "GB": (r"([0-9]{9}([0-9]{3})?|(GD|HA)[0-9]{3})", _gb), "HR": (r"[0-9]{11}", _mod_11_10),
    "HU": (r"[0-9]{8}", None), "IE": (r"[0-9][A-Z0-9+*][0-9]{5}[A-Z]{1,2}", None), "IT": (r"[0-9]{11}", _luhn),
    "LT": (r"([0-9]{9}|[0-9]{12})", None), "LU": (r"[0-9]{8}", _lu), "LV": (r"[0-9]{11}", None),
    "MT": (r"[0-9]{8}", None), "NL": (r"[0-9]{9}B[0-9]{2}", _nl), "PL": (r"[0-9]{10}", _pl),
    "PT": (r"[0-9]{9}", _pt), "RO": (r"[0-9]{2,10}", None), "SE": (r"[0-9]{12}", _se), "SI": (r"[0-9]{8}", None),
    "SK": (r"[0-9]{10}", None), "XI": (r"([0-9]{9}([0-9]{3})?|(GD|HA)[0-9]{3})", _gb),
}  # fmt: skip
