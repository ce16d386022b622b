"""A strategist tries dearer hours on past orders: the run, its figures, chart and table, on desk and phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.living import Hub
from tests.browser.visiting import Guise, Visits, open_

pytestmark = pytest.mark.browser

_DESK = Guise("admin", width=1440)
#: A replay of the demo's orders takes seconds; the rest is for cores that others use too.
_PATIENCE_MS = 180_000


def _balanced(page: Page) -> None:
    """The page of the strategy that routes most orders."""
    open_(page, "/admin/routing/strategy/?q=balanced")
    page.locator("#result_list tbody a").first.click()
    page.wait_for_url("**/change/**")


@pytest.mark.slow
def test_a_strategist_tries_dearer_hours_before_saving_them(hub: Hub, visits: Visits) -> None:
    page, watch = visits.page("/admin/", _DESK)
    _balanced(page)
    saved = page.input_value("[name=yuan_per_hour]")

    page.fill("[name=yuan_per_hour]", "0.9")
    page.fill("[name=yuan_per_hour_remote]", "0.9")
    page.click("[data-whatif]")

    panel = page.locator("#whatif")
    # An earlier run's result stands there until this one has begun.
    expect(panel.locator("progress")).to_be_visible()
    expect(panel.locator("[data-whatif-summary]")).to_contain_text("成本", timeout=_PATIENCE_MS)
    expect(panel.locator("svg.oh-wi-chart")).to_be_visible(timeout=_PATIENCE_MS)
    expect(panel.locator("[data-whatif]")).to_be_visible(timeout=_PATIENCE_MS)
    assert panel.locator(".oh-wi-tiles dt").count() >= 4
    assert panel.locator(".oh-wi-draft").count() == panel.locator(".oh-wi-current").count() == 1
    panel.locator("details summary").first.click()
    expect(panel.locator("details table tbody tr").first).to_be_visible()
    assert "Cost per order" not in panel.inner_text()

    _balanced(page)
    assert page.input_value("[name=yuan_per_hour]") == saved, "trying figures saves nothing"
    expect(page.locator("[data-whatif-summary]")).to_be_visible()
    watch.assert_clean()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_panel_fits_a_phone_in_both_languages_and_themes(
    visits: Visits, language: str, theme: str
) -> None:
    page, watch = visits.page("/admin/", Guise("admin", language=language, theme=theme, width=390))
    _balanced(page)
    expect(page.locator("#whatif .oh-card").first).to_be_visible()

    shown, wanted = page.evaluate(
        "(({clientWidth, scrollWidth}) => [clientWidth, scrollWidth])(document.querySelector('#whatif'))"
    )

    assert wanted <= shown <= 390
    watch.assert_clean()
