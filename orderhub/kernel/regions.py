"""Where a place is and whether an address names one that exists: countries, provinces, Chinese cities.

Positions are rough town centres from our own tables (`data/README.md`), good enough to choose a warehouse.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

DATA = Path(__file__).resolve().parent / "data"
# Countries whose province must be one of the table; elsewhere an address is taken as given.
CHECKED = frozenset({"CN", "US", "CA"})
MUNICIPALITIES = frozenset({"BJ", "TJ", "SH", "CQ", "HK", "MO"})

Verdict = Literal["ok", "unknown_country", "unknown_province"]
Precision = Literal["city", "province", "country"]

COUNTRY_ALIASES = {
    "usa": "US",
    "united states of america": "US",
    "u.s.": "US",
    "u.s.a.": "US",
    "uk": "GB",
    "great britain": "GB",
    "england": "GB",
    "prc": "CN",
    "china mainland": "CN",
    "mainland china": "CN",
    "people's republic of china": "CN",
    "中华人民共和国": "CN",
    "中国大陆": "CN",
    "香港": "HK",
    "hong kong sar": "HK",
    "澳门": "MO",
    "macau": "MO",
    "台湾": "TW",
    "korea": "KR",
    "republic of korea": "KR",
    "russian federation": "RU",
    "viet nam": "VN",
    "turkey": "TR",
    "czech republic": "CZ",
    "ivory coast": "CI",
    "holland": "NL",
    "the netherlands": "NL",
    "uae": "AE",
    "阿拉伯联合酋长国": "AE",
}
PROVINCE_ALIASES = {
    "CN": {
        "内蒙": "NM",
        "nei mongol": "NM",
        "neimenggu": "NM",
        "xizang": "XZ",
        "xianggang": "HK",
        "aomen": "MO",
        "macau": "MO",
        "shaanxi sheng": "SN",
    },
    "US": {
        "加州": "CA",
        "德州": "TX",
        "麻省": "MA",
        "宾州": "PA",
        "washington dc": "DC",
        "washington d.c.": "DC",
    },
    "CA": {"québec": "QC", "newfoundland": "NL", "卑诗": "BC", "卑诗省": "BC"},
}
EN_SUFFIXES = (
    " province",
    " sheng",
    " municipality",
    " city",
    " shi",
    " autonomous region",
    " sar",
    " state",
)
ZH_CITY_SUFFIXES = ("自治州", "自治县", "地区", "林区", "市", "盟", "县", "州")


@dataclass(frozen=True, slots=True)
class Region:
    """A country, province or city of the tables with a rough WGS-84 position; `remote` is dearer to reach."""

    code: str
    zh: str
    en: str
    lat: float
    lng: float
    remote: bool = False
    grid: str = ""
    zh_long: str = ""
    iso3: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A located address: WGS-84 position of its best known level, which `precision` names."""

    lat: float
    lng: float
    precision: Precision
    remote: bool
    country_code: str
    country_iso3: str
    province_code: str
    name_zh: str
    name_en: str
    # Key of the electricity factor of a Chinese province ("zj"); empty elsewhere and where none is published.
    grid: str = ""


def locate(country: str, province: str = "", city: str = "") -> Place | None:
    """The best position known for an address, or None if the country is unknown.

    Codes and Chinese or English names are all accepted. An unknown city gives its province, an unknown
    province
    its country. A Chinese city alone is enough if its name is unique.
    """
    return _locate(country, province, city)


@lru_cache(maxsize=8192)
def verdict(country: str, province: str = "", city: str = "") -> Verdict:
    """Whether the address names an existing place; provinces are checked in China, the US and Canada only."""
    nation = find_country(country)
    if nation is None:
        return "unknown_country"
    if nation.code not in CHECKED:
        return "ok"
    return "ok" if _province_of(nation, province, city) is not None else "unknown_province"


@lru_cache(maxsize=8192)
def _locate(country: str, province: str, city: str) -> Place | None:
    nation = find_country(country)
    if nation is None:
        return None
    region = _province_of(nation, province, city)
    if region is None:
        return _place(nation, nation, precision="country", province=None)
    town = find_city(region.code, city) if nation.code == "CN" else None
    if town is not None:
        return _place(nation, town, precision="city", province=region)
    whole_city = nation.code == "CN" and region.code in MUNICIPALITIES
    return _place(nation, region, precision="city" if whole_city else "province", province=region)


def _place(nation: Region, level: Region, *, precision: Precision, province: Region | None) -> Place:
    return Place(
        lat=level.lat,
        lng=level.lng,
        precision=precision,
        remote=province.remote if province else nation.remote,
        country_code=nation.code,
        country_iso3=nation.iso3,
        province_code=province.code if province else "",
        name_zh=level.zh,
        name_en=level.en,
        grid=province.grid if province else "",
    )


def _province_of(nation: Region, province: str, city: str) -> Region | None:
    found = find_province(nation.code, province)
    if found is None and nation.code == "CN" and not province.strip():
        return _only_province_with(city)
    return found


def find_country(text: str) -> Region | None:
    """A country by ISO 3166-1 code, Chinese or English name, case-blind; None if unknown."""
    return _country_index().get(_plain(text))


def find_province(country: str, text: str) -> Region | None:
    """A province or state of a country (ISO2) by code, ISO 3166-2 code, or name in either language."""
    index = _province_index().get(country, {})
    plain = _plain(text)
    for candidate in (plain, plain.removeprefix(f"{country.lower()}-"), *_without_suffix(plain)):
        if candidate and (found := index.get(candidate)):
            return found
    return None


def find_city(province: str, text: str) -> Region | None:
    """A Chinese city by its province code; 杭州市西湖区 finds the city it starts with."""
    index = _city_index().get(province, {})
    plain = _plain(text)
    if found := index.get(plain) or index.get(plain.removesuffix(" city").removesuffix(" shi")):
        return found
    starts = [name for name in index if len(name) > 1 and not name.isascii() and plain.startswith(name)]
    return index[max(starts, key=len)] if starts else None


def _only_province_with(city: str) -> Region | None:
    codes = [code for code in _city_index() if city and find_city(code, city)]
    return find_province("CN", codes[0]) if len(codes) == 1 else None


def _without_suffix(plain: str) -> Iterator[str]:
    for suffix in EN_SUFFIXES:
        if plain.endswith(suffix):
            short = plain.removesuffix(suffix)
            yield short
            # "guangxi zhuang autonomous region": the people's name stands between.
            yield short.rsplit(" ", 1)[0]


def _plain(text: str) -> str:
    spread = " ".join(text.replace("臺", "台").replace("灣", "湾").split())
    return spread.casefold()


@cache
def countries() -> Mapping[str, Region]:
    """All countries and territories by ISO2 code."""
    return {row["iso2"]: _region(row, code=row["iso2"]) for row in _rows("regions_countries.csv")}


@cache
def provinces(country: str) -> Mapping[str, Region]:
    """Provinces or states of a country by code; empty for countries without a table."""
    if country == "CN":
        return {row["code"]: _region(row, code=row["code"]) for row in _rows("regions_cn_provinces.csv")}
    rows = (row for row in _rows("regions_states.csv") if row["country"] == country)
    return {row["code"]: _region(row, code=row["code"]) for row in rows}


@cache
def cities(province: str) -> tuple[Region, ...]:
    """Cities of a Chinese province by its code."""
    return tuple(
        _region(row, code=row["province"])
        for row in _rows("regions_cn_cities.csv")
        if row["province"] == province
    )


@cache
def _country_index() -> Mapping[str, Region]:
    index: dict[str, Region] = {}
    for region in countries().values():
        index.update((_plain(name), region) for name in (region.code, region.iso3, region.en, region.zh))
    index.update((name, countries()[code]) for name, code in COUNTRY_ALIASES.items())
    return index


@cache
def _province_index() -> Mapping[str, Mapping[str, Region]]:
    return {country: dict(_province_names(country)) for country in ("CN", "US", "CA", "AU", "GB", "DE")}


def _province_names(country: str) -> Iterator[tuple[str, Region]]:
    table = provinces(country)
    for region in table.values():
        yield from (
            (_plain(name), region) for name in (region.code, region.en, region.zh, *_zh_names(region))
        )
    yield from ((name, table[code]) for name, code in PROVINCE_ALIASES.get(country, {}).items())


def _zh_names(region: Region) -> tuple[str, ...]:
    if not region.zh_long:
        return (f"{region.zh}州", f"{region.zh}省")
    suffix = "市" if region.code in MUNICIPALITIES else "省"
    return region.zh_long, f"{region.zh}{suffix}", f"{region.zh}自治区"


@cache
def _city_index() -> Mapping[str, Mapping[str, Region]]:
    index: dict[str, dict[str, Region]] = {code: {} for code in provinces("CN")}
    for code, names in index.items():
        for town in cities(code):
            spellings = (town.zh, town.zh_long, town.en, *(town.zh + end for end in ZH_CITY_SUFFIXES))
            for name in spellings:
                names.setdefault(_plain(name), town)
    return index


def _region(row: Mapping[str, str], *, code: str) -> Region:
    return Region(
        code=code,
        zh=row["zh"],
        en=row["en"],
        lat=float(row["lat"]),
        lng=float(row["lng"]),
        remote=row.get("remote") == "yes",
        grid=row.get("grid", ""),
        zh_long=row.get("zh_long", ""),
        iso3=row.get("iso3", ""),
    )


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
