"""What an operator types in: defaults, and everything that is wrong with it at once."""

from __future__ import annotations

import pytest

from orderhub.connectors.speech import addresses, settings, shipped, words

QIMEN = shipped.load("qimen")
GOOD = {"base_url": "https://q.example/x", "app_key": "k", "customer_id": "c", "owner_code": "o"}


def test_what_is_not_typed_in_has_its_default_and_a_truth_is_a_word() -> None:
    found = settings.filled(
        QIMEN, {**GOOD, "base_url": " ", "item_names": True, "zone": "Asia/Tokyo", "other": "x"}
    )

    assert found["base_url"] == "https://qimen.api.taobao.com/router/qimen/service"
    assert (found["item_names"], found["warehouse_code"], found["zone"]) == ("true", "", "Asia/Tokyo")
    assert "other" not in found
    assert settings.filled(QIMEN, GOOD)["item_names"] == "false"


def test_maps_of_what_comes_in_do_not_see_secrets() -> None:
    shop = shipped.load("shopify")

    found = settings.shown(
        shop, settings.filled(shop, {"base_url": "https://a.example", "access_token": "shpat"})
    )

    assert found == {"base_url": "https://a.example", "api_version": "2025-07", "location_id": ""}


def test_good_settings_have_no_flaws_and_bad_ones_all_of_them() -> None:
    assert settings.flaws(QIMEN, GOOD) == ()

    found = settings.flaws(
        QIMEN, {"base_url": "ftp://x", "app_key": "a\nb", "item_names": "perhaps", "colour": "red"}
    )

    assert {(flaw.path, flaw.code) for flaw in found} == {
        ("colour", "unknown_setting"),
        ("base_url", "bad_url"),
        ("app_key", "bad_setting"),
        ("customer_id", "missing"),
        ("owner_code", "missing"),
        ("item_names", "not_a_choice"),
    }
    assert all(words.flaw(flaw, "zh") != words.flaw(flaw, "en") for flaw in found)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("https://a.example", True), ("http://10.0.0.5:8080/k3cloud", True), ("https://[::1]/x", True),
        ("https://a.example?x=1", False), ("https://u:p@a.example", False), ("//a.example", False), ("https://", False),
        ("javascript:alert(1)", False), ("https://a.example/{x}", False), ("https://[::1", False), ("https://a:99999/", False),
    ],
)  # fmt: skip
def test_an_address_has_a_host_and_nothing_hidden(text: str, is_one: bool) -> None:
    assert addresses.is_address(text) is is_one
