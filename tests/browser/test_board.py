"""The load board in a browser: an operator lowers a warehouse's capacity, and the next order avoids it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.living import Hub
from tests.browser.visiting import Guise, Visits

pytestmark = pytest.mark.browser

BOARD = "/admin/routing/board/"
_DESK = Guise("admin", width=1440)
#: Sold by no other test: nearer warehouses never run out of it between two orders.
_ONE = {"DEMO-020": 1}


def _decision(hub: Hub, order_id: int) -> dict[str, object]:
    """Where the order's parcel ships from and on which day, once that is decided."""
    hub.when(order_id, lambda now: now["stage"] not in ("received", "reviewing"))
    document = hub.client.get(f"orders/{order_id}/decision/").raise_for_status().json()
    parcel = document["winner"]["parcels"][0]
    return {"name": parcel["name"], "code": parcel["code"], "day": parcel["capacity_date"]}


def test_a_lowered_capacity_sends_the_next_order_elsewhere_until_it_is_undone(
    hub: Hub, visits: Visits
) -> None:
    usual = _decision(hub, hub.place(lines=_ONE)["id"])
    page, watch = visits.page(BOARD, _DESK)
    row = page.locator(".oh-board-rows > li").filter(has_text=str(usual["name"]))
    expect(row).to_have_count(1)

    row.get_by_role("link", name="下调产能").click()
    page.fill("[name=value]", "0")
    page.select_option("[name=until]", "open")
    page.fill("[name=why]", "传送带坏了")
    page.click("form[data-once] button[type=submit]")
    expect(row).to_contain_text("传送带坏了")
    elsewhere = _decision(hub, hub.place(lines=_ONE)["id"])
    row.get_by_role("button", name="撤销").click()
    expect(row).not_to_contain_text("传送带坏了")
    again = _decision(hub, hub.place(lines=_ONE)["id"])

    assert elsewhere["code"] != usual["code"]
    assert again["code"] == usual["code"]
    watch.assert_clean()


def test_the_board_refreshes_itself(hub: Hub, visits: Visits) -> None:
    page, watch = visits.page(BOARD, _DESK)

    with page.expect_response(lambda answer: answer.request.headers.get("hx-request") == "true") as refreshed:
        expect(page.locator(".oh-map-day").first).to_be_visible()

    assert refreshed.value.status == 200
    expect(page.locator(".oh-board-rows > li").first).to_be_visible()
    watch.assert_clean()


@pytest.mark.parametrize("width", [390, 1440])
def test_the_board_fits_the_screen(hub: Hub, visits: Visits, width: int) -> None:
    page, watch = visits.page(BOARD, Guise("admin", width=width))

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    watch.assert_clean()


def test_a_decision_is_replayed_in_place(hub: Hub, visits: Visits) -> None:
    order = hub.place()
    _decision(hub, order["id"])
    number = hub.client.get(f"orders/{order['id']}/decision/").json()["id"]
    page, watch = visits.page(f"/admin/routing/decision/{number}/change/", _DESK)

    page.get_by_role("button", name="重放该决策").click()

    expect(page.locator("#replayed")).to_contain_text("完全一致")
    watch.assert_clean()
