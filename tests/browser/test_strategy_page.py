"""A strategist's work: change a figure, try it on past orders, publish, see the next order obey, and go back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import rounds
from tests.browser.living import Hub
from tests.browser.scene import Scene
from tests.browser.visiting import Guise, Visits, open_

pytestmark = pytest.mark.browser

_DESK = Guise("admin", width=1440)
#: What the page says, by language: what a figure means, the wish for a confirmation, the two messages.
_SAID = {
    "zh-hans": {
        "means": "1 小时 = ¥{one}；快 24 小时值 ¥{day}",
        "kept": "草稿已保存",
        "in_force": "已生效",
        "back": "回滚到 v{n}",
    },
    "en": {
        "means": "1 hour = ¥{one}; 24 hours faster is worth ¥{day}",
        "kept": "Draft kept",
        "in_force": "is in force",
        "back": "Roll back to v{n}",
    },
}


@pytest.mark.slow
@pytest.mark.parametrize(("language", "box", "day"), [("zh-hans", "0.2", "4.80"), ("en", "0.3", "7.20")])
def test_what_is_published_routes_the_next_order_and_rolling_back_the_one_after(
    hub: Hub, visits: Visits, language: str, box: str, day: str
) -> None:
    said = _SAID[language]
    page, watch = visits.page("/admin/routing/strategy/?q=balanced", _DESK.as_(language=language))
    page.locator("#result_list tbody th a, #result_list tbody td a").first.click()
    page.wait_for_url("**/change/**")
    before = _version_of(hub)

    page.fill("[name=yuan_per_hour]", box)
    says = page.locator("#id_yuan_per_hour_says")
    one = box if len(box.partition(".")[2]) > 1 else f"{box}0"
    expect(says).to_contain_text(said["means"].format(one=one, day=day))
    page.click("[name=_save]")
    expect(page.locator("body")).to_contain_text(said["kept"])
    page.click("#whatif [data-whatif]")
    # Green only where a finished run is of the very figures saved here, never for one of an older draft.
    expect(page.locator("#whatif header .oh-pill.t-ok")).to_be_visible(timeout=120_000)
    expect(page.locator("#whatif [data-whatif-summary]")).to_be_visible()
    _shoot(page, f"whatif-{language}")
    page.click("[form=strategy_form][name=_publish]")
    page.wait_for_url("**/publish/")
    assert _version_of(hub) == before
    expect(page.locator("[name=without_replay]")).to_have_count(0)
    page.fill("[name=note]", "browser")
    page.click("form[data-once] .oh-btn-pri")
    page.wait_for_url("**/change/")
    expect(page.locator("body")).to_contain_text(said["in_force"])

    after = _version_of(hub)
    assert (after["code"], after["version"]) == ("balanced", before["version"] + 1)
    assert after["figures"]["yuan_per_hour"] == box
    assert before["figures"]["yuan_per_hour"] == "0.08"

    page.get_by_role("button", name=said["back"].format(n=before["version"]), exact=True).click()
    page.wait_for_url("**/change/")
    expect(page.locator("body")).to_contain_text(said["in_force"])

    again = _version_of(hub)
    assert again["version"] == after["version"] + 1
    assert again["figures"] == before["figures"]
    watch.assert_clean()


def test_a_slider_moves_its_box_and_sentence_by_keys_alone_and_nothing_else(hub: Hub, visits: Visits) -> None:
    page, watch = _opened(visits, "cost", _DESK)
    rate = page.locator("[data-rate]").first
    others = page.locator("[data-rate] input[type=number]").evaluate_all(
        "all => all.slice(1).map((x) => x.value)"
    )
    slider = rate.locator("input[type=range]")

    slider.focus()
    page.keyboard.press("End")

    expect(rate.locator("input[type=number]")).to_have_value("1")
    expect(slider).to_have_attribute("aria-valuetext", "¥1.00")
    expect(rate.locator("[data-says]")).to_contain_text("快 24 小时值 ¥24.00。")
    page.keyboard.press("ArrowLeft")
    expect(rate.locator("input[type=number]")).to_have_value("0.95")
    assert others == page.locator("[data-rate] input[type=number]").evaluate_all(
        "all => all.slice(1).map((x) => x.value)"
    )
    watch.assert_clean()


def test_criteria_are_put_in_order_by_buttons_and_kept(hub: Hub, visits: Visits) -> None:
    page, watch = _opened(visits, "sequential", _DESK.as_(language="en"))
    codes = "all => all.filter((x) => x.querySelector('select').value).map((x) => x.dataset.criterion)"
    items = page.locator("[data-criterion]")
    assert items.evaluate_all(codes) == ["parcels", "distance", "money"]

    page.get_by_role("button", name="nearest: earlier").click()
    page.click("[name=_save]")
    page.wait_for_url("**/change/")

    assert items.evaluate_all(codes) == ["distance", "parcels", "money"]
    _shoot(page, "sequential-en")
    page.get_by_role("button", name="Discard the draft").click()
    page.wait_for_url("**/change/")
    assert items.evaluate_all(codes) == ["parcels", "distance", "money"]
    watch.assert_clean()


def test_a_ready_made_strategy_fills_the_fields_and_saves_nothing(hub: Hub, visits: Visits) -> None:
    page, watch = _opened(visits, "stock", _DESK)

    page.click("[data-fields][value=green]")

    expect(page.locator("[name=yuan_per_kgco2e]")).to_have_value("5")
    expect(page.locator("[data-unsaved]")).to_be_visible()
    expect(page.locator(".oh-sty h1 + .oh-pill")).to_have_count(0)
    watch.assert_clean()


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_pages_of_strategies_fit_and_are_in_one_language(
    scene: Scene, visits: Visits, language: str, theme: str, width: int
) -> None:
    found = scene.once(f"strategies-{language}", lambda: _round(scene, visits, language))

    assert found.faults(Guise("admin", language=language, theme=theme, width=width)) == {}


# ---- helpers ---------------------------------------------------------------------------------------


def _round(scene: Scene, visits: Visits, language: str) -> rounds.Round:
    """The pages of strategies in every theme and width."""
    guises, found = rounds.guises(language), rounds.Round(scene.known())
    page, watch = _opened(visits, "forward", guises[0])
    for name, path in (
        ("form", page.url),
        ("rules", "/admin/routing/strategyrule/"),
        ("rule", "/admin/routing/strategyrule/add/"),
        ("try", "/admin/routing/strategyrule/try/?province=XJ&channel=1&service=standard"),
    ):
        open_(page, path)
        page.wait_for_load_state("networkidle")
        for guise in rounds.worn(page, guises):
            _shoot(page, f"{name}-{guise}")
            found.look(page, name, guise)
    watch.assert_clean()
    return found


def _opened(visits: Visits, code: str, guise: Guise, **options: Any) -> tuple[Page, Any]:
    """The page of a ready-made strategy."""
    page, watch = visits.page(f"/admin/routing/strategy/?q={code}", guise, **options)
    address = page.locator("#result_list a[href*='/change/']").first.get_attribute("href")
    assert address is not None
    open_(page, address)
    return page, watch


def _version_of(hub: Hub) -> dict[str, Any]:
    """The strategy of a new order's decision, as the API tells it."""
    order = hub.place()
    hub.when(order["id"], lambda now: bool(now["fulfillment_orders"]))
    answer = hub.client.get(f"orders/{order['id']}/decision/").raise_for_status().json()
    return dict(answer["strategy"])


def _shoot(page: Page, name: str) -> None:
    """A picture for whoever wants to look, in the folder HUB_SHOTS."""
    folder = os.environ.get("HUB_SHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/strategy-{name}.png", full_page=True)
