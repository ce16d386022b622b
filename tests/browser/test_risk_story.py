"""A risk operator's day in Chromium: a signal goes from shadow to live, the next order like it is held, and decided."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import rounds, survey
from tests.browser.living import Hub, Json
from tests.browser.scene import Scene
from tests.browser.visiting import Guise, Visits, open_

pytestmark = pytest.mark.browser

_DESK = Guise("admin", width=1440)
_POLICY = "/admin/risk/riskpolicy/"
_QUEUE = "/admin/risk/assessment/"
#: By language: the signal of the story, its pattern, and what the pages say.
_STORY: dict[str, dict[str, Any]] = {
    "zh-hans": {
        "signal": "forwarder", "address": "保税路 {n} 号 集运仓", "email": "", "phone": "1391000000{n}", "name": "陈一",
        "says": "转运地址", "kept": "草稿已保存", "in_force": "已生效", "held": "审核", "release": "放行", "cancel": "取消订单",
        "block": "取消并列入黑名单", "left": "剩", "decided": "已处理", "shares": "与之共享信息的订单",
    },
    "en": {
        "signal": "disposable_mail", "address": "Example Road {n}", "email": "buyer{n}@maildrop.cc", "phone": "1392000000{n}",
        "name": "Ann Lee", "says": "mail", "kept": "The draft is kept", "in_force": "is in force", "held": "review",
        "release": "elease", "cancel": "ancel the order", "block": "ancel and put on the block",
        "left": "left", "decided": "decided",
        "shares": "Orders that share something with it",
    },
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_signal_goes_live_and_the_next_order_like_it_waits_for_a_person(
    hub: Hub, visits: Visits, language: str
) -> None:
    said = _STORY[language]
    page, watch = visits.page(_POLICY, _DESK.as_(language=language))
    signals = _signals(page)
    _set(page, said, mode="shadow", points="10")
    _publish(page, said)
    _switch_channels(page, "live")

    # In shadow: the pattern passes, and is seen.
    seen = [_order(hub, said, n, device="one-tablet") for n in range(3)]
    for order in seen:
        hub.when(order["id"], lambda now: now["stage"] not in ("received", "reviewing"))
    open_(page, signals)
    _shoot(page, f"signals-shadow-{language}")
    row = page.locator("tr", has=page.locator(f"[name={said['signal']}-points]"))
    assert _figure(row, 0) >= 3
    assert _figure(row, 1) == 0

    # Heavier, and live: the draft tells what it would have stopped before anything counts.
    _set(page, said, mode="live", points="45")
    assert _figure(row, 1) >= 3
    expect(page.locator(".oh-rs-changes li")).to_have_count(2)
    _shoot(page, f"signals-draft-{language}")
    before = _order(hub, said, 3, device="other-tablet")
    hub.when(before["id"], lambda now: now["stage"] not in ("received", "reviewing"))
    _publish(page, said)

    # The very next orders are held before any warehouse hears of them.
    held = [_order(hub, said, n, device="one-tablet") for n in range(4, 8)]
    for order in held:
        now = hub.when(order["id"], lambda now: now["stage"] == "reviewing")
        assert now["fulfillment_orders"] == []
        assert [hold["reason"] for hold in now["holds"] if hold.get("released_at") is None] == ["risk"]
    open_(page, _QUEUE)
    expect(page.locator("#result_list")).to_contain_text(said["left"])
    _shoot(page, f"queue-{language}")

    release, cancel, block, fourth = held
    _decide(page, release, said["release"], said, because="called the buyer")
    hub.when(release["id"], lambda now: bool(now["fulfillment_orders"]))
    _decide(page, cancel, said["cancel"], said, because="throw-away data")
    assert hub.order(cancel["id"])["stage"] == "cancelled"
    _decide(page, block, said["block"], said, because="proven by the bank")
    assert hub.order(block["id"])["stage"] == "cancelled"
    hub.when(fourth["id"], lambda now: now["stage"] == "reviewing")

    # What is on the block list now is held whatever else it says; its review names the reason and its kin.
    again = _order(hub, said, 9, device="one-tablet", plain=True)
    now = hub.when(again["id"], lambda now: now["stage"] == "reviewing")
    assert now["fulfillment_orders"] == []
    _open_review(page, again)
    expect(page.locator(".oh-rv")).to_contain_text(said["shares"])
    assert page.locator(".oh-rv tr.is-on ~ tr").count() >= 4
    _shoot(page, f"review-blocked-{language}")

    # Labels and the report.
    open_(page, f"{_QUEUE}{block['id']}/fraud/")
    page.fill("[name=reason]", "bank")
    page.click("form[data-once] button[type=submit]")
    page.wait_for_url("**/change/")
    open_(page, _report(signals))
    expect(page.locator(".oh table").first.locator("tbody tr")).to_have_count(34)
    _shoot(page, f"report-{language}")
    watch.assert_clean()


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_pages_of_risk_library_and_compliance_fit_and_are_in_one_language(
    hub: Hub, scene: Scene, visits: Visits, language: str, theme: str, width: int
) -> None:
    found = scene.once(f"risk-{language}", lambda: _round(hub, scene, visits, language))
    faults = found.faults(Guise("admin", language=language, theme=theme, width=width))

    assert faults == {}, "\n".join(f"{name}: {found}" for name, found in faults.items())


# ---- helpers ---------------------------------------------------------------------------------------

_ABROAD = {
    "country": "DE", "province": "Berlin", "city": "Berlin", "district": "", "postcode": "10115", "email": "",
    "address": "Beispielweg 4", "name": "Max Muster", "phone": "4930123456",
}  # fmt: skip


def _round(hub: Hub, scene: Scene, visits: Visits, language: str) -> rounds.Round:
    """The pages of risk, library and compliance in every theme and width."""
    guises, found = rounds.guises(language), rounds.Round(_known(scene), skipped=("select", "option"))
    page, watch = visits.page(_POLICY, guises[0])
    signals = _signals(page)
    order = hub.place(extra={"risk_flag": "1", "buyer_id": "somebody", "device_id": "d-1"})
    abroad = hub.place(destination=_ABROAD)
    hub.when(order["id"], lambda now: now["stage"] != "received")
    hub.when(abroad["id"], lambda now: now["stage"] != "received")

    for name, path in (
        ("signals", signals), ("queue", _QUEUE), ("review", f"{_QUEUE}{order['id']}/change/"), ("report", _report(signals)),
        ("decide", f"{_QUEUE}{order['id']}/decide/ask/"), ("keys", "/admin/risk/key/"), ("labels", "/admin/risk/label/"),
        ("library", "/admin/library/"), ("copy", "/admin/library/promotions/bundle-pair/"),
        ("nothing", "/admin/library/?q=nobody-wrote-this"), ("rules", "/admin/compliance/compliancerule/"),
        ("checks", "/admin/compliance/compliancecheck/"), ("check", f"/admin/compliance/compliancecheck/{abroad['id']}/change/"),
        ("lists", "/admin/compliance/partylist/"),
    ):  # fmt: skip
        answer = open_(page, path)
        assert answer.status != 404, f"{name} is missing"
        survey.settle(page)
        for guise in rounds.worn(page, guises):
            _shoot(page, f"{name}-{guise}")
            found.look(page, name, guise)
    watch.assert_clean()
    return found


def _known(scene: Scene) -> re.Pattern[str]:
    """Data that stay as somebody wrote them: sources and doubts of rules, reasons, addresses."""
    more = (
        r"财关税〔2018〕49号|三单对碰|黑名单 / block list|Berlin|Max|called the buyer|throw-away data|"
        r"proven by the bank|bank"
    )
    return re.compile(f"{scene.known().pattern}|{more}")


def _order(hub: Hub, said: dict[str, Any], n: int, *, device: str, plain: bool = False) -> Json:
    """An order of the pattern, or (`plain`) one that only shares the device."""
    destination = {
        "country": "CN", "province": "广东省", "city": "广州市", "district": "天河区", "postcode": "",
        "address": "体育西路 99 号" if plain else said["address"].format(n=n), "name": said["name"],
        "phone": said["phone"].format(n=n), "email": "" if plain else said["email"].format(n=n),
    }  # fmt: skip
    extra = {"buyer_id": f"{said['signal']}-{n}", "device_id": f"{said['signal']}-{device}"}
    return hub.place(destination=destination, extra=extra)


def _signals(page: Page) -> str:
    """The path of the demo policy's signals; the page stands there afterwards."""
    link = page.locator("#result_list a[href*='/change/']").first.get_attribute("href")
    assert link is not None
    path = link.split("/change/")[0].rsplit("/", 1)
    pk = path[1]
    for guess in (f"{_POLICY}{pk}/signals/", f"{_POLICY}{pk}/signals"):
        answer = page.goto(guess, wait_until="load")
        if answer is not None and answer.status == 200 and page.locator(".oh-rs").count():
            return guess
    raise AssertionError("the page of signals does not open")


def _report(signals: str) -> str:
    return signals.replace("/signals", "/report")


def _set(page: Page, said: dict[str, Any], *, mode: str, points: str) -> None:
    """Set the story's signal in the draft, and keep it."""
    page.select_option(f"[name={said['signal']}-mode]", mode)
    page.fill(f"[name={said['signal']}-points]", points)
    page.locator(".oh-rs form button[type=submit]").first.click()
    expect(page.locator("body")).to_contain_text(said["kept"])


def _publish(page: Page, said: dict[str, Any]) -> None:
    """Publish the draft through its page, and stand on the signals again."""
    page.click(
        ".oh-rs a[href$='/publish']"
        if page.locator(".oh-rs a[href$='/publish']").count()
        else ".oh-rs a[href*='/publish']"
    )
    page.click("form[data-once] button[type=submit]")
    expect(page.locator("body")).to_contain_text(said["in_force"])
    expect(page.locator(".oh-rs")).to_be_visible()


def _switch_channels(page: Page, mode: str) -> None:
    """Put the shop that takes the API's orders to live, on its own page."""
    back = page.url
    open_(page, "/admin/orders/channel/")
    links = page.locator("#result_list a[href*='/change/']").evaluate_all(
        "all => [...new Set(all.map((x) => x.getAttribute('href')))]"
    )
    for link in links:
        open_(page, link)
        page.select_option("[name=risk_mode]", mode)
        page.click("[name=_save]")
        page.wait_for_load_state("load")
    open_(page, back)


def _figure(row: Any, at: int) -> int:
    """A figure of the row: 0 how often it fired, 1 how many orders it would stop."""
    text = row.locator("td.oh-num").nth(at).inner_text()
    return int(re.sub(r"\D", "", text) or 0)


def _open_review(page: Page, order: Json) -> None:
    open_(page, f"{_QUEUE}{order['id']}/change/")


def _decide(page: Page, order: Json, label: str, said: dict[str, Any], *, because: str) -> None:
    """Open the review, press the action, give the reason; an empty one is refused by the browser."""
    _open_review(page, order)
    page.locator(".oh-rv-acts a", has_text=label).first.click()
    page.fill("[name=reason]", because)
    page.click("form[data-once] button[type=submit]")
    page.wait_for_url("**/change/")
    expect(page.locator("body")).to_contain_text(said["decided"])
    expect(page.locator(".oh-rv")).to_contain_text(because)


def _shoot(page: Page, name: str) -> None:
    """A picture for whoever wants to look, in the folder HUB_SHOTS."""
    folder = os.environ.get("HUB_SHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/risk-{name}.png", full_page=True)
