"""Where a cart goes: an address, or only a region or a postcode, located; and its local time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from orderhub.kernel import regions

#: The first two digits of a Chinese postcode, as post divides the country.
_POST = {
    "BJ": "10", "SH": "20", "TJ": "30", "CQ": "40", "NM": "01 02", "SX": "03 04", "HE": "05 06 07", "LN": "11 12",
    "JL": "13", "HL": "15 16", "JS": "21 22", "AH": "23 24", "SD": "25 26 27", "ZJ": "31 32", "JX": "33 34",
    "FJ": "35 36", "HN": "41 42", "HB": "43 44", "HA": "45 46 47", "GD": "51 52", "GX": "53 54", "GZ": "55 56",
    "HI": "57", "SC": "61 62 63 64", "YN": "65 66 67", "SN": "71 72", "GS": "73 74", "NX": "75", "QH": "81",
    "XJ": "83 84", "XZ": "85",
}  # fmt: skip
_BY_POST = {digits: province for province, group in _POST.items() for digits in group.split()}
#: Countries of one time; elsewhere the clock goes by the sun, to the hour.
_ZONES = {
    "CN": "Asia/Shanghai", "HK": "Asia/Hong_Kong", "MO": "Asia/Macau", "TW": "Asia/Taipei", "JP": "Asia/Tokyo",
    "KR": "Asia/Seoul", "SG": "Asia/Singapore", "MY": "Asia/Kuala_Lumpur", "TH": "Asia/Bangkok",
    "VN": "Asia/Ho_Chi_Minh", "PH": "Asia/Manila", "IN": "Asia/Kolkata", "AE": "Asia/Dubai", "GB": "Europe/London",
    "IE": "Europe/Dublin", "DE": "Europe/Berlin", "FR": "Europe/Paris", "IT": "Europe/Rome", "ES": "Europe/Madrid",
    "NL": "Europe/Amsterdam", "BE": "Europe/Brussels", "AT": "Europe/Vienna", "CH": "Europe/Zurich",
    "PL": "Europe/Warsaw", "SE": "Europe/Stockholm", "NZ": "Pacific/Auckland",
}  # fmt: skip


class Unknown(Exception):
    """A destination that names no place; `field` is the part that is wrong."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True, slots=True)
class Spot:
    """A located destination, its names as they are matched against warehouses' regions."""

    country: str
    province: str
    city: str
    latitude: Decimal
    longitude: Decimal
    is_remote: bool

    def zone(self) -> tzinfo:
        """The local time there."""
        return _zone(self.country, float(self.longitude))

    def local(self, moment: datetime) -> datetime:
        """That moment on a clock there."""
        return moment.astimezone(self.zone())


@lru_cache(maxsize=1024)
def _zone(country: str, longitude: float) -> tzinfo:
    if country in _ZONES:
        return ZoneInfo(_ZONES[country])
    return timezone(timedelta(hours=round(longitude / 15)))


def locate(asked: Mapping[str, str]) -> Spot:
    """The place of `country`, `province`, `city` or, in China, `postcode`; raises Unknown.

    A city alone is enough in China if only one province has it; a postcode alone gives its province.
    """
    country, province, city = asked["country"].upper(), asked["province"], asked["city"]
    postcode = asked["postcode"]
    if not (province or city):
        if country != "CN" or not postcode:
            raise Unknown("postcode" if postcode else "province")
        province = _BY_POST.get(postcode[:2] if len(postcode) == 6 and postcode.isdecimal() else "", "")
        if not province:
            raise Unknown("postcode")
    found = {"unknown_country": "country", "unknown_province": "province"}
    verdict = regions.verdict(country, province, city)
    place = regions.locate(country, province, city)
    if verdict in found or place is None:
        raise Unknown(found.get(verdict, "country"))
    if not province and place.province_code:
        province = place.province_code
    return Spot(
        place.country_code, province, city,
        Decimal(f"{place.lat:.5f}"), Decimal(f"{place.lng:.5f}"), place.remote,
    )  # fmt: skip
