"""One cell in, one value out: ids, prices, quantities, dates and words as merchants' files spell them.

Every reader takes the raw cell and our name of its column and raises CellFault; no other row is asked.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import lru_cache

from orderhub.connectors.files.faults import CellFault

MAX_QUANTITY = 999_999
FIRST_YEAR, LAST_YEAR = 2000, 2100

_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_SCIENTIFIC = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]+")
_SPREADSHEET_SCIENTIFIC = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE][+-][0-9]+")
_NUMBER = re.compile(r"[+-]?[0-9][0-9 ().-]*")
#: Most numbers of orders and phones; nothing has to be taken off these.
_PLAIN_NUMBER = re.compile(r"#?[0-9]+(?:-[0-9]+)*")
#: Most numbers of orders and phones; nothing has to be taken off these.
_PLAIN_NUMBER = re.compile(r"#?[0-9]+(?:-[0-9]+)*")
_QUANTITY = re.compile(r"[0-9]{1,6}")
_PRICE = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,4})?")
_MOMENT = re.compile(
    r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})"
    r"(?:[T ] *([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,9})?)?)?"
    r" *(Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})?"
)
_PLAIN_MOMENT = re.compile(
    "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?: ?[+-][0-9]{2}:?[0-5][0-9])?"
)
_NO_TIME, _WIDEST_OFFSET = timedelta(), timedelta(hours=14)
_YES = frozenset(("yes", "true", "1", "y", "t", "是", "on"))
_NO = frozenset(("", "no", "false", "0", "n", "f", "否", "off"))
_COUNTRIES = {
    "中国": "CN", "中国大陆": "CN", "中华人民共和国": "CN", "CHINA": "CN", "CHN": "CN",
    "美国": "US", "USA": "US",
    "UNITED STATES": "US", "英国": "GB", "UK": "GB", "UNITED KINGDOM": "GB", "德国": "DE", "GERMANY": "DE",
    "法国": "FR", "FRANCE": "FR",
    "加拿大": "CA", "CANADA": "CA", "日本": "JP", "JAPAN": "JP", "中国香港": "HK",
    "香港": "HK", "HONG KONG": "HK",
}  # fmt: skip
_CURRENCY_CODES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD
CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ
GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR
LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN
PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB
TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
"""
_CURRENCIES = frozenset(_CURRENCY_CODES.split())
_SERVICES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("economy", ("economy", "saver", "经济", "平邮")),
    ("express", ("express", "expedited", "priority", "overnight", "next day", "nextday", "second day",
                 "secondday", "same day", "sameday", "ems", "加急", "特快", "次日", "当日")),
    ("standard", ("standard", "ground", "green", "标准", "普通", "快递", "绿色", "低碳")),
)  # fmt: skip


def clean(value: str) -> str:
    """The cell without blanks around it and without the invisible marks that copied phone numbers carry."""
    value = value.strip()
    return value if value.isascii() else _INVISIBLE.sub("", value).strip()


def text(value: str, field: str, *, limit: int) -> str:
    """One line of at most `limit` characters with single blanks."""
    if not value or (value.isalnum() and len(value) <= limit):
        return value
    value = " ".join(clean(value).split())
    if len(value) > limit:
        raise CellFault("long_field", field, value, {"limit": limit})
    return value


def note(value: str, field: str, *, limit: int) -> str:
    """Free text of at most `limit` characters; its line breaks stay."""
    if not value:
        return value
    value = clean(value)
    if len(value) > limit:
        raise CellFault("long_field", field, value, {"limit": limit})
    return value


def unwrapped(value: str) -> str:
    """An id as it was before a spreadsheet or the exporter protected it: ="…", a leading ', blanks around."""
    if not value or value.isalnum():
        return value
    value = clean(value)
    if len(value) > 2 and value.startswith('="') and value.endswith('"'):
        value = value[2:-1].strip()
    return value.removeprefix("'").strip()


def order_number(value: str, field: str = "order_no", *, limit: int = 64) -> str:
    """An order number; a number in scientific notation has lost digits and is refused, never expanded."""
    plain = unwrapped(value)
    if _PLAIN_NUMBER.fullmatch(plain) and len(plain) <= limit:
        return plain
    if not plain:
        raise CellFault("missing_order_no", field)
    if _SCIENTIFIC.fullmatch(plain):
        raise CellFault("sci_order_no", field, plain)
    return _identifier(plain, field, limit=limit)


def sku(value: str, field: str = "sku", *, limit: int = 64) -> str:
    """An article number as the merchant spells it."""
    plain = unwrapped(value)
    if not plain:
        raise CellFault("missing_sku", field)
    return _identifier(_no_scientific(plain, field), field, limit=limit)


def code(value: str, field: str, *, limit: int) -> str:
    """A phone number or postcode: text, not a number, so scientific notation is refused."""
    if not value or (_PLAIN_NUMBER.fullmatch(value) and len(value) <= limit):
        return value
    return text(_no_scientific(unwrapped(value), field), field, limit=limit)


def _no_scientific(value: str, field: str) -> str:
    if _SPREADSHEET_SCIENTIFIC.fullmatch(value):
        raise CellFault("sci_number", field, value)
    return value


def _identifier(value: str, field: str, *, limit: int) -> str:
    if value[0] in "=+-@" and not _NUMBER.fullmatch(value):
        raise CellFault("formula_cell", field, value)
    return text(value, field, limit=limit)


def quantity(value: str, field: str = "quantity", *, lowest: int = 1) -> int:
    """A whole number from `lowest` to 999,999."""
    value = unwrapped(value)
    if not _QUANTITY.fullmatch(value) or int(value) < lowest:
        raise CellFault("bad_quantity", field, value, {"lowest": lowest, "highest": MAX_QUANTITY})
    return int(value)


def price(value: str, field: str = "unit_price", *, suffix: str = "") -> Decimal:
    """A plain decimal from 0, up to 9 digits before the point and 4 after it; no sign, no exponent."""
    if _PRICE.fullmatch(value):
        return Decimal(value)
    value = clean(value)
    if not _PRICE.fullmatch(value.removesuffix(suffix) if suffix else value):
        raise CellFault("bad_price", field, value)
    return Decimal(value.removesuffix(suffix) if suffix else value)


def moment(value: str, field: str, *, zone: tzinfo) -> datetime:
    """An aware time, year first, with its own offset or else in the profile's zone; the day must exist."""
    if (found := _plain_moment(value, zone)) is not None:
        return found
    value = clean(value)
    match = _MOMENT.fullmatch(value)
    if match is None:
        raise CellFault("bad_date", field, value)
    year, _, month, day, hour, minute, second, offset = match.groups()
    try:
        found = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0),
            tzinfo=_offset(offset) if offset else zone,
        )  # fmt: skip
    except ValueError as fault:
        raise CellFault("bad_date", field, value) from fault
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise CellFault("bad_date", field, value)
    return found


def _plain_moment(value: str, zone: tzinfo) -> datetime | None:
    """The time if it is spelled as most exporters do; None means that it must be looked at more closely."""
    if not _PLAIN_MOMENT.fullmatch(value):
        return None
    try:
        found = datetime.fromisoformat(value if value[19:20] != " " else value[:19] + value[20:])
    except ValueError:
        return None
    if found.tzinfo is None:
        found = found.replace(tzinfo=zone)
    elif abs(found.utcoffset() or _NO_TIME) > _WIDEST_OFFSET:
        return None
    return found if FIRST_YEAR <= found.year <= LAST_YEAR else None


@lru_cache(maxsize=256)
def _offset(value: str) -> tzinfo:
    if value in ("Z", "UTC", "GMT"):
        return UTC
    minutes = int(value[1:3]) * 60 + int(value[-2:])
    if minutes > 14 * 60 or int(value[-2:]) > 59:
        raise ValueError(value)
    return timezone(timedelta(minutes=-minutes if value[0] == "-" else minutes))


def boolean(value: str, field: str) -> bool:
    """Yes or no in English or Chinese; blank is no."""
    word = clean(value).casefold()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise CellFault("bad_boolean", field, value)


def currency(value: str, field: str, *, default: str) -> str:
    """An ISO 4217 code; blank is the profile's own, which may be none."""
    word = clean(value).upper() or default
    word = "CNY" if word == "RMB" else word
    if word not in _CURRENCIES:
        raise CellFault("bad_currency", field, value)
    return word


def country(value: str, field: str, *, default: str) -> str:
    """Two letters (ISO 3166); the common names of large markets are known, blank is the profile's own."""
    word = clean(value).upper() or default
    word = _COUNTRIES.get(word, word)
    if len(word) != 2 or not (word.isascii() and word.isalpha()):
        raise CellFault("unknown_country", field, value)
    return word


def service(value: str) -> str:
    """standard, express or economy; any other name stays as given in lower case, blank is standard."""
    word = " ".join(clean(value).casefold().split())
    for name, marks in _SERVICES:
        if any(mark in word for mark in marks):
            return name
    return word[:40] or "standard"


def names_green(value: str) -> bool:
    """Whether a delivery service's name says that the buyer chose the green one."""
    return any(mark in value.casefold() for mark in ("green", "绿色", "低碳"))
