"""The pages of what comes after the sale: each verb asks, foretells, does, and is undone; in both languages, on a phone too."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.living import Hub
from tests.browser.visiting import Guise, Visits, open_

pytestmark = pytest.mark.browser

_SAID = {
    "zh-hans": {"foretold": "将会发生", "done": "已完成", "undo": "最近的操作"},
    "en": {"foretold": "What would happen", "done": "Done.", "undo": "Last done"},
}


@pytest.mark.parametrize(
    ("language", "theme", "width"),
    [("zh-hans", "light", 1440), ("en", "dark", 1440), ("zh-hans", "dark", 390)],
)
def test_units_are_cancelled_after_a_preview_and_restored(
    hub: Hub, visits: Visits, language: str, theme: str, width: int
) -> None:
    said = _SAID[language]
    order = _held(hub)
    guise = Guise("admin", width=width).as_(language=language, theme=theme)
    page, watch = visits.page(f"/admin/orders/order/{order}/cancel-units/", guise)
    page.fill("[name=units_1]", "1")
    page.fill("[name=reason]", "test")
    page.click("button[name=preview]")
    expect(page.locator("main, .oh").first).to_contain_text(said["foretold"])
    assert hub.order(order)["lines"][0]["cancelled"] == 0
    _shoot(page, f"cancel-units-{language}-{theme}-{width}")

    page.click("form[data-once] button[type=submit]:not([name])")
    page.wait_for_url(f"**/admin/orders/order/{order}/change/")
    assert hub.order(order)["lines"][0]["cancelled"] == 1
    _shoot(page, f"order-{language}-{theme}-{width}")

    open_(page, f"/admin/orders/order/{order}/undo/")
    expect(page.locator("main, .oh").first).to_contain_text(said["undo"])
    _shoot(page, f"undo-{language}-{theme}-{width}")
    page.click("form[data-once] button[type=submit]:not([name])")
    page.wait_for_url(f"**/admin/orders/order/{order}/change/")
    assert hub.order(order)["lines"][0]["cancelled"] == 0
    for verb in ("move",):
        open_(page, f"/admin/orders/order/{order}/{verb}/")
        _shoot(page, f"{verb}-{language}-{theme}-{width}")
    watch.assert_clean()


def _held(hub: Hub) -> int:
    """A paid order of three units that a person has stopped."""
    order = int(hub.place(lines={"DEMO-001": 3})["id"])
    hub.act(order, "hold", reason="manual")
    hub.when(order, lambda found: "cancel_units" in found["supported_actions"])
    return order


def _shoot(page: Page, name: str) -> None:
    """A picture for whoever wants to look, in the folder HUB_SHOTS."""
    folder = os.environ.get("HUB_SHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/aftercare-{name}.png", full_page=True)
