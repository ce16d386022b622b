"""A strategist draws: copies the standard flow, adds a review of high values, tries, publishes, and takes it back."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import rounds
from tests.browser.living import Hub, until
from tests.browser.scene import Scene
from tests.browser.visiting import Guise, Visits, open_

pytestmark = pytest.mark.browser

_DESK = Guise("admin", width=1440)
_SAID = {
    "zh-hans": {
        "sound": "每条路都走得到终点", "circle": "没有等待的循环：判断 → 冻结待审 → 判断",
        "sentence": "订单金额不少于5000", "published": "已发布并生效", "back": "回滚到 v1", "tried": "试跑路径：8 步",
        "stale": "别人刚刚保存了这个流程", "saved": "草稿已保存", "holds": "成立", "step": "第 2 步，共 8 步：审核订单",
        "connect": "正在连接「审核订单」", "deleted": "已删除：等待拣货波次",
    },
    "en": {
        "sound": "every way leads to the end", "circle": "A circle without a wait: Decision → Hold for review → Decision",
        "sentence": "order total is at least 5000", "published": "is published and in force",
        "back": "Roll back to v1", "tried": "Tried way: 8 steps", "stale": "Somebody else has saved this flow meanwhile",
        "saved": "Draft saved", "holds": "is so", "step": "Step 2 of 8: Screen the order",
        "connect": "Connect Screen the order", "deleted": "Deleted: Wait for the pick wave",
    },
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_review_branch_is_drawn_tried_published_walked_and_rolled_back(
    hub: Hub, visits: Visits, language: str
) -> None:
    said = _SAID[language]
    page, watch = visits.page("/admin/flows/", _DESK.as_(language=language))
    _copy(page, "standard")
    try:
        expect(page.locator("[data-sound]")).to_contain_text(said["sound"])
        _publish(page, said)
        before = _large(hub)

        _draw_review(page, said)
        page.click("[data-save]")
        expect(page.locator("[data-live]")).to_contain_text(said["saved"])
        page.fill("[data-order]", before["number"])
        page.click("[data-try] button")
        expect(page.locator("[data-pathcount]")).to_have_text(said["tried"])
        decided = page.locator("[data-tried] [data-stop=decide]")
        expect(decided).to_contain_text(said["sentence"])
        expect(decided).to_contain_text(said["holds"])
        expect(page.locator("[data-node=hold] .oh-fnode-no")).to_have_text("4")
        _shoot(page, f"tried-{language}")
        _publish(page, said)

        held = _large(hub)
        hub.when(held["id"], lambda now: now["waiting_for"] == "hold")
        flow = _flow_of(hub, held)
        assert (flow["flow"]["version"], flow["at"]["node"]) == (2, "hold")
        assert [(row["node"], row["exit"]) for row in flow["way"]] == [
            ("screen", ""),
            ("price", ""),
            ("decide", "b1"),
        ]
        assert flow["way"][-1]["told"][0]["value"] == hub.order(held["id"])["total"]
        address = page.url
        open_(page, f"/admin/orders/order/{held['id']}/change/")
        expect(page.locator("#flow")).to_contain_text(said["sentence"])
        page.locator("#flow").scroll_into_view_if_needed()
        _shoot(page, f"order-{language}")

        open_(page, address)
        page.get_by_role("link", name=said["back"], exact=True).click()
        page.click("form[data-once] .oh-btn-pri")
        page.wait_for_url(address)
        free = _large(hub)
        hub.when(free["id"], lambda now: now["waiting_for"] != "hold" and now["stage"] != "received")
        assert _flow_of(hub, free)["flow"]["version"] == 3
        assert "decide" not in [row["node"] for row in _flow_of(hub, free)["way"]]
        _shoot(page, f"versions-{language}")
    finally:
        _switch_off(page)
    watch.assert_clean()


@pytest.mark.slow
def test_a_circle_is_refused_with_its_place_and_undone(hub: Hub, visits: Visits) -> None:
    said = _SAID["en"]
    page, watch = visits.page("/admin/flows/", _DESK.as_(language="en"))
    _copy(page, "standard")
    _draw_review(page, said)

    page.locator("[data-form] [data-exit='']").select_option("decide")
    finding = page.locator("[data-finding=circle] button")
    expect(finding).to_have_text(said["circle"])
    expect(page.locator("[data-node=decide]")).to_have_class(re.compile("is-bad"))
    _shoot(page, "circle")
    page.click("[data-save]")
    expect(page.locator("[data-live]")).to_contain_text(said["saved"])
    page.click("[data-publish]")
    page.click("form[data-once] .oh-btn-pri")
    expect(page.locator("form[data-once] .oh-err").first).to_contain_text(said["circle"])

    page.go_back()
    page.go_back()
    finding.click()
    expect(page.locator("[data-form]")).to_have_attribute("data-of", "decide")
    _switch_off(page)
    watch.assert_clean()


@pytest.mark.slow
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_of_two_people_the_later_one_is_told_and_loses_nothing(
    hub: Hub, visits: Visits, language: str
) -> None:
    said = _SAID[language]
    first, watch = visits.page("/admin/flows/", _DESK.as_(language=language))
    _copy(first, "standard")
    second, _other = visits.page(first.url, _DESK.as_(language=language))

    for page, tag in ((first, "flow.tag"), (second, "flow.notify")):
        page.click("[data-show=list]")
        page.click("[data-item=price] .oh-fitem-name")
        page.click(f"[data-add='{tag}']")
        page.click("[data-save]")
    stale = second.locator("[data-stale]")
    expect(stale).to_contain_text(said["stale"])
    _shoot(second, f"stale-{language}")
    expect(second.locator("[data-item=notify]")).to_have_count(1)
    stale.locator("[data-load-theirs]").click()

    expect(second.locator("[data-item=tag]")).to_have_count(1)
    expect(second.locator("[data-item=notify]")).to_have_count(0)
    expect(second.locator("[data-dirty]")).to_be_hidden()
    _switch_off(first)
    watch.assert_clean()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_canvas_is_worked_by_keys_alone(hub: Hub, visits: Visits, language: str) -> None:
    said = _SAID[language]
    page, watch = visits.page("/admin/flows/", _DESK.as_(language=language))
    _copy(page, "standard")
    live, keys = page.locator("[data-live]"), page.keyboard
    page.locator("[data-canvas]").focus()

    keys.press("Tab")
    keys.press("Tab")
    expect(live).to_have_text(said["step"])
    at = _spot(page, "screen")
    keys.press("ArrowDown")
    assert _spot(page, "screen")[1] > at[1]
    keys.press("Control+z")
    assert _spot(page, "screen") == at

    keys.press("Enter")
    expect(live).to_contain_text(said["connect"])
    keys.press("Tab")
    keys.press("Tab")
    keys.press("Enter")
    expect(page.locator("[data-finding=unreachable]")).to_have_count(1)
    keys.press("Control+z")
    expect(page.locator("[data-sound]")).to_be_visible()

    page.locator("[data-canvas]").focus()
    for _press in range(2):
        keys.press("Tab")
    keys.press("Delete")
    expect(live).to_have_text(said["deleted"])
    expect(page.locator("[data-sound]")).to_be_visible()
    _switch_off(page)
    watch.assert_clean()


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_pages_of_flows_fit_and_are_in_one_language(
    scene: Scene, visits: Visits, language: str, theme: str, width: int
) -> None:
    # At its start the editor chooses between canvas and list by width: each width has a load of its own.
    found = scene.once(f"flows-{language}-{width}", lambda: _round(scene, visits, language, width))

    assert found.faults(Guise("admin", language=language, theme=theme, width=width)) == {}


# ---- helpers ---------------------------------------------------------------------------------------


def _round(scene: Scene, visits: Visits, language: str, width: int) -> rounds.Round:
    """The library of flows and the editor, as list and canvas, in both themes."""
    guises, found = rounds.guises(language, widths=(width,)), rounds.Round(scene.known())
    page, watch = visits.page("/admin/flows/", guises[0])

    def look(name: str) -> None:
        for guise in rounds.worn(page, guises):
            _shoot(page, f"{name}-{guise}")
            found.look(page, name, guise)

    look("library")
    _copy(page, "cross-border")
    page.wait_for_selector("[data-checks] li")
    page.click("[data-try] button")
    page.wait_for_selector("[data-tried] li")
    page.click("[data-show=list]")
    page.click("[data-item=risky] .oh-fitem-name")
    look("list")
    page.click("[data-show=canvas]")
    page.click("[data-fit]")
    look("canvas")
    _switch_off(page)
    watch.assert_clean()
    return found


def _copy(page: Page, code: str) -> None:
    page.locator(f"form[action$='/{code}/'] button").click()
    page.wait_for_url(re.compile(r"/admin/flows/\d+/$"))
    expect(page.locator("[data-checks] li").first).to_be_visible()


def _draw_review(page: Page, said: dict[str, str]) -> None:
    """Between pricing and routing: an order of 5000 and more is held for a person."""
    page.locator("[data-node=price]").click()
    page.click("[data-add='flow.decide']")
    form = page.locator("[data-form]")
    expect(form).to_have_attribute("data-of", "decide")
    form.locator("[data-add-row]").click()
    form.locator("[data-part=fact]").select_option("order.total")
    form.locator("[data-part=op]").select_option(">=")
    form.locator("[data-part=value]").fill("5000")
    form.locator("[data-part=value]").press("Tab")
    expect(form.locator("[data-sentence=b1]")).to_have_text(said["sentence"])
    page.click("[data-add='flow.hold']")
    expect(form).to_have_attribute("data-of", "hold")
    form.locator("[name=reason]").select_option("manual")
    expect(page.locator("[data-sound]")).to_contain_text(said["sound"])


def _publish(page: Page, said: dict[str, str]) -> None:
    page.click("[data-publish]")
    page.wait_for_url("**/publish/")
    page.fill("[name=note]", "browser")
    page.click("form[data-once] .oh-btn-pri")
    page.wait_for_url(re.compile(r"/admin/flows/\d+/$"))
    expect(page.locator("body")).to_contain_text(said["published"])
    page.wait_for_timeout(1200)  # doors start orders by what they read up to half a second ago


def _large(hub: Hub) -> dict[str, Any]:
    # Dear, not many, and of another SKU: the tests after this one need the demo's stock.
    return hub.place(lines={"DEMO-012": 20}, price="300.00")


def _flow_of(hub: Hub, order: dict[str, Any]) -> dict[str, Any]:
    address = f"orders/{order['id']}/flow/"
    until(
        lambda: bool(hub.client.get(address).raise_for_status().json()["way"]),
        seconds=40,
        what="the order walks",
    )
    return dict(hub.client.get(address).raise_for_status().json())


def _switch_off(page: Page) -> None:
    """The demo shop is shared: no flow of a test may stay in force."""
    page.on("dialog", lambda dialog: dialog.accept())
    if "/admin/flows/" in page.url and page.locator("form[action$='/switch/']").count():
        page.locator("form[action$='/switch/'] button").click()
        page.wait_for_load_state("load")


def _spot(page: Page, node: str) -> tuple[float, float]:
    box = page.locator(f"[data-node={node}]").bounding_box()
    assert box is not None
    return round(box["x"], 1), round(box["y"], 1)


def _shoot(page: Page, name: str) -> None:
    """A picture for whoever wants to look, in the folder HUB_SHOTS."""
    folder = os.environ.get("HUB_SHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/flow-{name}.png", full_page=True)
