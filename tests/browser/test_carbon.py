"""Carbon as people meet it: a customer who lets an order wait, a passport behind its QR code, the report and its files."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import rounds
from tests.browser.living import Hub, path_of
from tests.browser.scene import Scene
from tests.browser.visiting import PHONE, Guise, Visits, open_

pytestmark = pytest.mark.browser
PASSPORT = "/01/09506000134352/"
_SAID = {
    "zh-hans": ("好，可以等", "您的订单最迟等到", "新的送达日期", "各单当天单独发货", "产品护照"),
    "en": (
        "Yes, let it wait",
        "Your order waits until",
        "New date",
        "each order shipped at once",
        "Product passport",
    ),
}


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_customer_lets_the_order_wait_and_sees_date_and_saving(
    hub: Hub, visits: Visits, language: str
) -> None:
    button, waits, date, baseline, _passport = _SAID[language]
    order = hub.place(paid=False)
    page, watch = visits.page(
        f"{path_of(order)}?lang={language}", Guise(language=language, width=PHONE["width"])
    )
    card = page.locator("#green")
    expect(card).to_contain_text(baseline)

    card.get_by_role("button", name=button).click()
    page.wait_for_load_state("load")

    card = page.locator("#green")
    expect(card).to_contain_text(waits)
    expect(card).to_contain_text(date)
    expect(card).to_contain_text("kg CO₂e")
    expect(card).to_contain_text(baseline)
    watch.assert_clean()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_passport_opens_from_its_qr_address(hub: Hub, visits: Visits, language: str) -> None:
    page, watch = visits.page(PASSPORT, Guise(language=language, width=PHONE["width"]))

    expect(page.locator("body")).to_contain_text(_SAID[language][4])
    code = page.locator("img.ca-qr")
    assert code.evaluate("(image) => image.complete && image.naturalWidth > 50")
    address = page.locator("figcaption").inner_text()
    open_(page, address.partition("/01/")[1] + address.partition("/01/")[2])
    expect(page.locator("h1")).to_be_visible()
    watch.assert_clean()


_LOOKS = {language: rounds.guises(language, widths=(390, 1440)) for language in ("zh-hans", "en")}


@pytest.mark.slow
@pytest.mark.parametrize("guise", [*_LOOKS["zh-hans"], *_LOOKS["en"]], ids=str)
def test_the_carbon_pages_fit_and_are_in_one_language(scene: Scene, visits: Visits, guise: Guise) -> None:
    found = scene.once(f"carbon-{guise.language}", lambda: _round(scene, visits, guise.language))

    assert found.faults(guise) == {}


def _round(scene: Scene, visits: Visits, language: str) -> rounds.Round:
    """The report by two dimensions, an order's statement, promised and kept, and the passport."""
    guises, found = _LOOKS[language], rounds.Round(scene.known())
    page, watch = visits.page("/admin/carbon/reports/?by=warehouse", guises[0])
    paths = [
        "/admin/carbon/reports/?by=warehouse",
        "/admin/carbon/reports/?by=order&basis=market",
        "/admin/carbon/green/",
    ]
    for path in (*paths, *_statement(page), PASSPORT):
        open_(page, path)
        for guise in rounds.worn(page, guises):
            found.look(page, path, guise)
    watch.assert_clean()
    return found


def _statement(page: Page) -> list[str]:
    """The first order of the report."""
    open_(page, "/admin/carbon/reports/?by=order")
    address = page.locator(".ca-rows tbody a").first.get_attribute("href")
    assert address is not None
    return [address]
