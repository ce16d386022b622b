"""Addresses: found by any common spelling, refused by name when a place does not exist."""

from __future__ import annotations

import pytest

from orderhub.kernel.geo import haversine_km
from orderhub.kernel.regions import cities, countries, find_city, locate, provinces, verdict


@pytest.mark.parametrize(
    "spelling",
    ["浙江", "浙江省", "Zhejiang", "zhejiang", "ZJ", "CN-ZJ", "Zhejiang Province", "ZHEJIANG", " 浙江省 "],
)
def test_zhejiang_by_every_spelling(spelling: str) -> None:
    place = locate("CN", spelling, "杭州")

    assert place is not None
    assert (place.province_code, place.name_zh, place.name_en) == ("ZJ", "杭州", "Hangzhou")
    assert (place.lat, place.lng, place.precision) == (30.3, 120.2, "city")


@pytest.mark.parametrize(
    ("province", "code"),
    [
        ("上海", "SH"),
        ("上海市", "SH"),
        ("Shanghai", "SH"),
        ("内蒙古", "NM"),
        ("内蒙古自治区", "NM"),
        ("内蒙", "NM"),
        ("Inner Mongolia Autonomous Region", "NM"),
        ("广西壮族自治区", "GX"),
        ("广西", "GX"),
        ("Guangxi Zhuang Autonomous Region", "GX"),
        ("新疆维吾尔自治区", "XJ"),
        ("香港特别行政区", "HK"),
        ("Xizang", "XZ"),
        ("陕西", "SN"),
        ("Shaanxi", "SN"),
        ("山西", "SX"),
        ("Shanxi", "SX"),
        ("臺灣", "TW"),
    ],
)
def test_chinese_provinces_by_common_names(province: str, code: str) -> None:
    place = locate("CN", province)

    assert place is not None
    assert place.province_code == code


@pytest.mark.parametrize(
    ("country", "province", "city", "expected"),
    [
        ("CN", "浙江", "杭州", "ok"),
        ("中国", "上海市", "", "ok"),
        ("CHN", "", "Suzhou", "unknown_province"),
        ("CHN", "", "无锡市", "ok"),
        ("CN", "江浙省", "杭州", "unknown_province"),
        ("CN", "California", "", "unknown_province"),
        ("US", "CA", "Los Angeles", "ok"),
        ("US", "California", "Los Angeles", "ok"),
        ("USA", "加州", "", "ok"),
        ("US", "加利福尼亚州", "", "ok"),
        ("US", "ZZ", "Los Angeles", "unknown_province"),
        ("US", "", "Los Angeles", "unknown_province"),
        ("CA", "ON", "Toronto", "ok"),
        ("CA", "Ontario", "Toronto", "ok"),
        ("CA", "Texas", "", "unknown_province"),
        ("FR", "Île-de-France", "Paris", "ok"),
        ("德国", "anything", "", "ok"),
        ("HK", "Kowloon", "", "ok"),
        ("ZZ", "", "", "unknown_country"),
        ("", "浙江", "", "unknown_country"),
        ("Atlantis", "", "", "unknown_country"),
    ],
)
def test_verdict_on_an_address(country: str, province: str, city: str, expected: str) -> None:
    assert verdict(country, province, city) == expected


def test_two_cities_spelled_alike_in_english_are_told_apart_by_province() -> None:
    jiangsu, anhui = locate("CN", "江苏", "苏州市"), locate("CN", "安徽", "宿州市")

    assert jiangsu is not None
    assert anhui is not None
    assert (jiangsu.name_en, anhui.name_en) == ("Suzhou", "Suzhou")
    assert jiangsu.province_code != anhui.province_code


def test_unknown_city_in_a_known_province_falls_back_to_the_province() -> None:
    place = locate("CN", "四川省", "不存在市")

    assert place is not None
    assert (place.precision, place.name_zh, place.lat, place.lng) == ("province", "四川", 30.6, 103.0)


def test_unknown_province_falls_back_to_the_country_and_unknown_country_to_nothing() -> None:
    place = locate("US", "ZZ", "")

    assert place is not None
    assert (place.precision, place.country_code, place.country_iso3) == ("country", "US", "USA")
    assert locate("ZZ", "", "") is None


def test_district_of_a_municipality_is_as_precise_as_a_city() -> None:
    place = locate("CN", "上海市", "浦东新区")

    assert place is not None
    assert (place.precision, place.name_zh) == ("city", "上海")


@pytest.mark.parametrize(
    ("province", "text", "name"),
    [
        ("ZJ", "杭州市西湖区", "杭州"),
        ("JL", "延边朝鲜族自治州", "延边"),
        ("JL", "延边州", "延边"),
        ("JL", "吉林市", "吉林"),
        ("NM", "锡林郭勒盟", "锡林郭勒"),
        ("XJ", "喀什地区", "喀什"),
        ("HB", "神农架林区", "神农架"),
        ("SN", "Xi'an", "西安"),
        ("GD", "Shenzhen City", "深圳"),
    ],
)
def test_city_by_long_short_and_english_name(province: str, text: str, name: str) -> None:
    found = find_city(province, text)

    assert found is not None
    assert found.zh == name


@pytest.mark.parametrize("code", ["XJ", "XZ", "QH", "GS", "NX", "NM", "HI"])
def test_remote_provinces_are_marked(code: str) -> None:
    place = locate("CN", code)

    assert place is not None
    assert place.remote is True


def test_near_provinces_are_not_remote_and_alaska_is() -> None:
    assert [locate(c, p).remote for c, p in [("CN", "ZJ"), ("CN", "SC"), ("US", "CA"), ("US", "AK")]] == [  # type: ignore[union-attr]
        False,
        False,
        False,
        True,
    ]


def test_tables_are_complete_and_inside_their_bounds() -> None:
    towns = [town for code in provinces("CN") for town in cities(code)]

    assert len(provinces("CN")) == 34
    assert len(provinces("US")) == 52
    assert len(provinces("CA")) == 13
    assert len(countries()) == 243
    assert len(towns) == 389
    assert len({(town.code, town.zh) for town in towns}) == 389
    assert all(3 < town.lat < 54 and 73 < town.lng < 136 for town in towns)
    assert all(-90 <= c.lat <= 90 and -180 <= c.lng <= 180 for c in countries().values())
    assert all(len(c.iso3) == 3 for c in countries().values())


def test_every_city_lies_within_900_km_of_its_province() -> None:
    far = [
        town.zh
        for province in provinces("CN").values()
        for town in cities(province.code)
        if haversine_km(province.lat, province.lng, town.lat, town.lng) > 900
    ]

    assert far == []
