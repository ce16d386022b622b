"""An operator's work: the pool, a hold and its release, a frozen warehouse, and every page of the sidebar."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.living import PASSWORD, Hub
from tests.browser.scene import SKIPPED, Scene
from tests.browser.survey import untranslated, words
from tests.browser.visiting import Guise, Visits, open_

pytestmark = pytest.mark.browser

_DESK = Guise("admin", width=1440)


def test_an_operator_logs_in_and_lands_on_today(visits: Visits) -> None:
    page, watch = visits.page("/admin/", Guise(width=1440))

    page.fill("[name=username]", "admin")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")

    page.wait_for_url("**/admin/")
    expect(page.locator("main h1, #content h1").first).to_be_visible()
    watch.assert_clean()


@pytest.mark.slow
def test_an_order_is_held_in_the_pool_and_goes_on_once_released(hub: Hub, visits: Visits) -> None:
    order = hub.place(paid=False)
    hub.when(order["id"], lambda now: now["waiting_for"] == "hold")
    page, watch = visits.page(f"/admin/orders/order/?q={order['number']}", _DESK)

    page.check("input.action-select")
    page.select_option("select[name=action]", "hold_selected")
    page.click("button[name=index]")
    page.fill("[name=detail]", "客户要换颜色")
    page.click("form[data-once] button[type=submit]")
    expect(page.locator("body")).to_contain_text("已冻结 1 单。")
    held = hub.act(order["id"], "pay")
    open_(page, f"/admin/orders/order/{order['id']}/change/")

    assert [(hold["reason"], hold["detail"]) for hold in held["holds"] if hold["active"]] == [
        ("manual", "客户要换颜色")
    ]
    assert held["stage"] == "reviewing"
    expect(page.locator(".oh-hold")).to_contain_text("客户要换颜色")

    page.get_by_role("link", name="解除冻结").click()
    page.fill("[name=note]", "已与客户确认")
    page.click("form[data-once] button[type=submit]")
    page.wait_for_url("**/change/")

    released = hub.when(order["id"], lambda now: now["stage"] in ("shipped", "delivered"))
    assert [hold for hold in released["holds"] if hold["active"]] == []
    watch.assert_clean()


def test_a_hold_without_a_reason_is_not_placed(hub: Hub, visits: Visits) -> None:
    order = hub.place(paid=False)
    hub.when(order["id"], lambda now: now["waiting_for"] == "hold")
    page, _watch = visits.page(f"/admin/orders/order/{order['id']}/hold/", _DESK.as_(language="en"))

    page.fill("[name=detail]", "   ")
    page.click("form[data-once] button[type=submit]")

    expect(page.locator(".oh-err")).to_be_visible()
    assert [hold["reason"] for hold in hub.order(order["id"])["holds"]] == ["awaiting_payment"]


def test_a_frozen_warehouse_gets_no_new_orders(hub: Hub, visits: Visits) -> None:
    usual = _warehouse_of(hub)
    page, watch = visits.page(f"/admin/inventory/warehouse/?q={usual}", _DESK)
    page.locator("#result_list tbody a").first.click()
    page.wait_for_url("**/change/**")

    page.get_by_role("link", name="冻结", exact=False).last.click()
    page.click("form[data-once] button[type=submit]")
    page.wait_for_url("**/change/")
    try:
        elsewhere = _warehouse_of(hub)
    finally:
        page.locator("a[href$='/reopen/']").click()
        page.click("form[data-once] button[type=submit]")
        page.wait_for_url("**/change/")

    assert elsewhere != usual
    expect(page.locator("a[href$='/freeze/']")).to_be_visible()
    watch.assert_clean()


@pytest.mark.slow
@pytest.mark.parametrize(("language", "theme"), [("zh-hans", "light"), ("en", "dark")])
def test_every_page_of_the_sidebar_opens_quietly_in_both_themes(
    scene: Scene, visits: Visits, language: str, theme: str
) -> None:
    context, watch = visits.context(_DESK.as_(language=language, theme=theme))
    page = context.new_page()
    open_(page, "/admin/")
    known, faults = scene.known(), {}

    for path in _sidebar(page):
        answer = open_(page, path)
        page.emulate_media(color_scheme="light" if theme == "dark" else "dark")
        page.emulate_media(color_scheme=theme)
        wrong = untranslated(words(page, skipped=(*SKIPPED, "tbody")), language, known=known)
        if answer.status != 200 or wrong:
            faults[path] = (answer.status, wrong)

    assert faults == {}
    watch.assert_clean()


# ---- helpers -------------------------------------------------------------------------------------


def _warehouse_of(hub: Hub) -> str:
    """The warehouse that a new order to Hangzhou is given to, of an SKU that no other test sells out."""
    order = hub.place(lines={"DEMO-014": 1})
    routed = hub.when(order["id"], lambda now: bool(now["fulfillment_orders"]))
    return str(routed["fulfillment_orders"][0]["warehouse"])


def _sidebar(page: Page) -> list[str]:
    paths = page.locator("#nav-sidebar a[href^='/admin/'], nav a[href^='/admin/']").evaluate_all(
        "links => [...new Set(links.map((link) => link.getAttribute('href')))]"
    )
    assert len(paths) >= 25
    return [path for path in paths if "?" not in path and "logout" not in path]
