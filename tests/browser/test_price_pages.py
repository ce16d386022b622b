"""Prices, waves, decisions and the board as operators see them: a book made in the background, and pages that fit."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import rounds
from tests.browser.living import Hub
from tests.browser.scene import Scene
from tests.browser.visiting import Guise, Visits, open_

pytestmark = pytest.mark.browser

#: What the page says, by language: that it is being calculated, and that the book is in force.
_SAID = {
    "zh-hans": ("正在计算价格，可以离开本页。", "价格表 {n} 已生效"),
    "en": ("Prices are being calculated; you can leave this page.", "Book {n} is in force"),
}
_LISTS = ("pricerow", "pricebook", "decision", "waveschedule", "pickwave", "skuban", "warehouselever")
#: Lists whose first row is looked at as well; reasons that people typed stand on the others.
_OPENED = ("pricerow", "pricebook", "decision", "waveschedule", "pickwave")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_prices_are_calculated_in_the_background_and_the_page_tells_when_they_hold(
    hub: Hub, visits: Visits, language: str
) -> None:
    asked, done = _SAID[language]
    page, watch = visits.page("/admin/routing/pricerow/", Guise("admin", language=language, width=1440))
    books = page.locator("#price-runs a.oh-link").first
    expect(books).to_be_visible()
    before = int(books.inner_text().removeprefix("#"))

    open_(page, "/admin/routing/pricerow/calculate")
    page.click("form[data-once] .oh-btn-pri")
    page.wait_for_url("**/pricerow/")

    expect(page.locator("body")).to_contain_text(asked)
    news = page.locator("#price-runs .oh-note.t-ok")
    expect(news).to_be_visible(timeout=60_000)
    number = int(page.locator("#price-runs a.oh-link").first.inner_text().removeprefix("#"))
    assert number > before
    expect(news).to_contain_text(done.format(n=number))
    expect(page.locator("#price-runs [hx-trigger]")).to_have_count(0)
    watch.assert_clean()


#: By language: the two guises in which the pages are looked at.
_LOOKS = {
    "zh-hans": [
        Guise("admin", language="zh-hans", theme="light", width=390),
        Guise("admin", language="zh-hans", theme="dark", width=1440),
    ],
    "en": [
        Guise("admin", language="en", theme="dark", width=390),
        Guise("admin", language="en", theme="light", width=1440),
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("guise", [*_LOOKS["zh-hans"], *_LOOKS["en"]], ids=str)
def test_the_routing_pages_fit_and_are_in_one_language(scene: Scene, visits: Visits, guise: Guise) -> None:
    found = scene.once(f"prices-{guise.language}", lambda: _round(scene, visits, guise.language))

    assert found.faults(guise) == {}


def _round(scene: Scene, visits: Visits, language: str) -> rounds.Round:
    """The board, the lists and their first rows in the guises of this language."""
    guises, found = _LOOKS[language], rounds.Round(scene.known())
    page, watch = visits.page("/admin/routing/board/", guises[0])
    for path in ("board/", "board/1/capacity/", *(f"{name}/" for name in _LISTS), *_firsts(page)):
        open_(page, path if path.startswith("/") else f"/admin/routing/{path}")
        for guise in rounds.worn(page, guises):
            found.look(page, path, guise)
    watch.assert_clean()
    return found


def _firsts(page: Page) -> list[str]:
    """The first rows of the lists, where they have any."""
    found = []
    for name in _OPENED:
        open_(page, f"/admin/routing/{name}/")
        links = page.locator("#result_list tbody a[href*='/change/']")
        if links.count():
            address = links.first.get_attribute("href")
            assert address is not None
            found.append(address)
    return found
