"""What an address says of itself: a forwarder's, or one that no courier could find."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NUMBER = re.compile(
    r"[0-9０-９一二三四五六七八九十百]+\s*(号|弄|室|栋|幢|楼|座|组|队|巷|村|街|层|单元|户)|\d"
)
#: A house is found without a number where it has a name of its own.
_NAMED = re.compile(r"(大厦|广场|小区|花园|学校|大学|医院|中心|公寓|宿舍|村|镇|苑|城|府|园)")
_SHORTEST = 5


def is_forwarder(text: str, words: Iterable[str]) -> bool:
    """Whether the address contains one of the forwarder's words, whatever its case."""
    low = text.casefold()
    return any(word and word.casefold() in low for word in words)


def is_incomplete(text: str, *, province: str, others: Iterable[str], country: str) -> bool:
    """Whether the text is too short, has neither number nor a named house, or begins with another province.

    `others` are the names of the country's other provinces. Only Chinese addresses are judged by their words.
    """
    plain = text.strip()
    if len(plain) < _SHORTEST:
        return True
    if country != "CN":
        return not any(sign.isdigit() for sign in plain)
    named_other = any(len(name) > 1 and plain.startswith(f"{name}省") for name in others if name != province)
    return named_other or not (_NUMBER.search(plain) or _NAMED.search(plain))


def plain_address(*parts: str) -> str:
    """One spelling of an address, for comparing: no blanks, no punctuation, lower case."""
    return re.sub(r"[\W_]+", "", "".join(parts)).casefold()


def plain_phone(text: str) -> str:
    """The digits of a phone number; a Chinese mobile number without its country code."""
    digits = re.sub(r"\D", "", text)
    if len(digits) == 13 and digits.startswith("86"):
        return digits[2:]
    return digits[4:] if len(digits) == 15 and digits.startswith("0086") else digits
