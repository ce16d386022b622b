"""Connecting in Chromium: a shop nobody has seen sells after forms alone; what went wrong is found from Today and mended."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser import rounds, survey
from tests.browser.living import Hub, Json, until
from tests.browser.scene import Scene
from tests.browser.visiting import Guise, Visits, open_

pytestmark = pytest.mark.browser

_DESK = Guise("admin", width=1440)
_SECRET = "word-between-the-two"
_PAGE = "/admin/connectors/connection/"
_PROFILES = "/admin/connectors/profile/"
_INBOX = "/admin/connectors/inboxmessage/"
_CALLS = "/admin/connectors/call/"
#: By language: what the shop is called and how its orders look; no profile of ours knows either.
_STORY: dict[str, dict[str, Any]] = {
    "zh-hans": {
        "name": "巷口杂货", "code": "lane_zh", "number": "订单编号", "said": "没有人认识",
        "sample": {
            "订单编号": "H-0", "订单状态": "待发货", "实付金额": "20.00", "收货人": "李明", "手机": "13900000002",
            "省": "浙江省", "市": "杭州市",
            "区": "西湖区", "详细地址": "天目山路 1 号", "商品": [{"商家编码": "DEMO-001", "数量": 2, "单价": "10.00"}],
        },
        "goods": ("商品", "商家编码"),
    },
    "en": {
        "name": "Harbor kiosk", "code": "lane_en", "number": "orderNo", "said": "Nobody knows the article",
        "sample": {
            "orderNo": "E-0", "state": "PAID", "payAmountFen": 2000,
            "consignee": {"fullName": "Li Ming", "mobile": "13900000003", "province": "浙江省", "city": "杭州市",
                "county": "西湖区",
                          "addr": "Tianmushan Road 1"},
            "orderItems": [{"skuCode": "DEMO-001", "num": 2, "unitPrice": "10.00"}],
        },
        "goods": ("orderItems", "skuCode"),
    },
}  # fmt: skip
#: An ERP whose profile wants a field that no order has: what it is told cannot be built until a person adds it.
_ERP: dict[str, Any] = {
    "zh": "挑剔的 ERP", "en": "Picky ERP", "role": "erp", "zone": "Asia/Shanghai",
    "asks": [{"name": "base", "zh": "地址", "en": "Address", "kind": "url", "required": True}],
    "operations": {"erp_order": {"method": "POST", "url": "{base}/", "form": "json", "ack": {"form": "json"},
                                 "body": {"fields": [{"to": "no", "from": "number", "required": True},
                                                     {"to": "cost_center", "from": "cost_center", "required": True}]}}},
    "tests": [{"name": "order", "kind": "out", "operation": "erp_order", "message": {"number": "1", "cost_center": "K1"},
               "config": {"base": "https://erp.example"}, "expected": {"body": {"no": "1", "cost_center": "K1"}}}],
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_shop_nobody_has_seen_is_connected_by_forms_and_its_order_is_mended(
    hub: Hub, visits: Visits, language: str
) -> None:
    said = _STORY[language]
    page, watch = visits.page(f"{_PAGE}connect/", _DESK.as_(language=language))
    _shoot(page, f"choose-{language}")

    # One message is pasted; its fields are found, tried, and the result becomes the test.
    page.click(f"a[href='{_PROFILES}begin/']")
    for name, value in (("name", said["name"]), ("name_en", said["name"]), ("code", said["code"])):
        page.fill(f"[name={name}]", value)
    page.fill("[name=sample]", json.dumps(said["sample"], ensure_ascii=False, indent=1))
    page.click(".oh-cn-begin button[type=submit]")
    expect(page.locator("#tried .t-ok")).to_be_visible()
    expect(page.locator("[name=path]").first).to_have_value(re.compile(said["number"]))
    _shoot(page, f"map-{language}")
    page.click("button[value=expect]")
    expect(page.locator("form[data-map]")).to_be_visible()

    # How it signs, and in force.
    open_(page, re.sub(r"/map/.*", "/draft/", page.url))
    page.select_option("[name=alg]", "hmac-sha256")
    page.select_option("[name=enc]", "b64")
    page.select_option("[name=part] >> nth=0", "{body}")
    page.fill("[name=where_name]", "X-Lane-Signature")
    page.fill("[name=door_key]", f'"{said["number"]}"')
    _shoot(page, f"draft-{language}")
    page.locator("button[value=publish]").last.click()
    page.wait_for_url("**/change/")

    # Connected, tested, live.
    page.click("a[href*='/connect/']")
    page.fill("[name=ask_secret]", _SECRET)
    page.click("form[data-once] button[type=submit]")
    page.wait_for_url("**/change/")
    page.click("form[action$='/do/test/'] button")
    expect(page.locator("ul[role=status] .t-bad")).to_have_count(0)
    page.click("form[action$='/do/switch/'] button")
    expect(page.locator("form[action$='/do/switch/'] input[name=on]")).to_have_value("0")
    door = page.locator("#door").input_value()
    _shoot(page, f"connection-{language}")

    # A signed push is an order; a forged one is refused; one with a strange article waits for a person.
    assert _push(door, said["sample"], secret="another").status_code == 401
    assert _push(door, {**said["sample"], said["number"]: f"{said['code']}-1"}).status_code == 200
    _order(hub, f"{said['code']}-1")
    goods, sku = said["goods"]
    strange = [{**said["sample"][goods][0], sku: "THEIR-NAME"}]
    assert (
        _push(door, {**said["sample"], said["number"]: f"{said['code']}-2", goods: strange}).status_code
        == 200
    )

    # Found from Today, understood, named, replayed.
    until(lambda: _is_told(page, said["name"]), seconds=20, what="Today tells of it", every=0.5)
    page.locator("a[href*='inboxmessage'][href*='state__exact=quarantined']").filter(
        has_not_text="zzz"
    ).first.click()
    page.locator("#result_list a[href*='/change/']").first.click()
    expect(page.locator(".oh-cn-fault").first).to_contain_text(said["said"])
    _shoot(page, f"message-{language}")
    page.fill("[name=ours]", "DEMO-001")
    page.click("form[action$='/do/name/'] button")
    expect(page.locator(".oh-cn .oh-pill").first).to_have_class(re.compile("t-ok"))
    _order(hub, f"{said['code']}-2")
    watch.assert_clean()


#: By language: why the call was given up, what skipping it is called, and the note of whoever does.
_DEAD = {
    "zh-hans": ("缺少必须有的值", "跳过", "已人工入账"),
    "en": ("A value that must be there is missing", "skipped", "booked by hand"),
}


@pytest.mark.slow
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_dead_letter_is_found_from_today_understood_corrected_and_sent(
    hub: Hub, visits: Visits, language: str
) -> None:
    why, skipped, note = _DEAD[language]
    code = f"picky_{language[:2]}"
    page, watch = visits.page(f"{_PROFILES}begin/", _DESK.as_(language=language))
    for name, value in (("name", "挑剔的 ERP"), ("name_en", "Picky ERP"), ("code", code), ("sample", "{}")):
        page.fill(f"[name={name}]", value)
    page.select_option("[name=role]", "erp")
    page.click(".oh-cn-begin button[type=submit]")
    open_(page, re.sub(r"/map/.*", "/json/", page.url))
    page.fill("[name=text]", json.dumps({"code": code, **_ERP}, ensure_ascii=False))
    page.click("form[data-once] .oh-btn-pri")
    expect(page.locator(".oh-cn-tests .t-ok")).to_be_visible()
    open_(page, page.url.replace("/json/", "/draft/"))
    page.locator("button[value=publish]").last.click()
    page.wait_for_url("**/change/")
    page.click("a[href*='/connect/']")
    # The other side is a door of the hub itself that is not there: it is reached, and says no to what it is told.
    page.fill("[name=ask_base]", f"{hub.url}/in/nobody")
    page.click("details summary")
    page.check("[name=allows_private]")
    page.click("form[data-once] button[type=submit]")
    page.wait_for_url("**/change/")
    erp = page.url
    page.click("form[action$='/do/switch/'] button")

    hub.place()
    until(lambda: _has_dead_call(page), seconds=25, what="Today tells of the call", every=0.5)
    open_(page, "/admin/")
    page.locator("a[href*='/call/'][href*='state__exact=dead']").first.click()
    page.locator("#result_list a[href*='/change/']").first.click()
    call = page.url
    _shoot(page, f"call-{language}")
    expect(page.locator(".oh-cn")).to_contain_text(why)
    said = json.loads(page.locator("textarea[name=text]").input_value())
    page.fill("textarea[name=text]", json.dumps({**said, "cost_center": "K1"}, ensure_ascii=False))
    page.click("form[action$='/do/correct/'] button")

    until(lambda: _answer(page, call), seconds=25, what="the corrected call is answered", every=0.5)
    assert "404" in page.content()
    page.fill("[name=note]", note)
    page.click("form[action$='/do/skip/'] button")
    expect(page.locator(".oh-cn .oh-pill").first).to_have_class(re.compile("t-hold"))
    expect(page.locator(".oh-cn .oh-pill").first).to_contain_text(skipped)
    open_(page, erp)  # other tests sell here too
    page.click("form[action$='/do/switch/'] button")
    watch.assert_clean()


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_pages_of_connections_fit_and_are_in_one_language(
    hub: Hub, scene: Scene, visits: Visits, language: str, theme: str, width: int
) -> None:
    found = scene.once(f"connections-{language}", lambda: _round(scene, visits, language))
    faults = found.faults(Guise("admin", language=language, theme=theme, width=width))

    assert faults == {}, "\n".join(f"{name}: {found}" for name, found in faults.items())


# ---- helpers ---------------------------------------------------------------------------------------


def _round(scene: Scene, visits: Visits, language: str) -> rounds.Round:
    """The pages of connections in every theme and width."""
    guises, found = (
        rounds.guises(language),
        rounds.Round(_known(scene), skipped=("select", "option", "textarea")),
    )
    page, watch = visits.page(f"{_PROFILES}begin/", guises[0])
    code = f"round_{language[:2]}"
    for name, value in (
        ("name", "Round"),
        ("name_en", "Round"),
        ("code", code),
        ("sample", '{"orderNo": "R-1", "total": 1800}'),
    ):
        page.fill(f"[name={name}]", value)
    page.click(".oh-cn-begin button[type=submit]")
    expect(page.locator("form[data-map]")).to_be_visible()
    map_path = re.sub(r"^https?://[^/]+", "", page.url)
    draft = re.sub(r"/map/.*", "/draft/", map_path)
    for name, path in (
        ("connection", _first(page, _PAGE)), ("map", map_path), ("draft", draft),
        ("operation", draft.replace("/draft/", "/call/ship_notice/")),
    ):  # fmt: skip
        answer = open_(page, path)
        assert answer.status == 200, f"{name} is missing: {path}"
        survey.settle(page)
        for guise in rounds.worn(page, guises):
            _shoot(page, f"round-{name}-{guise}")
            found.look(page, name, guise)
    watch.assert_clean()
    return found


def _first(page: Page, path: str) -> str:
    open_(page, path)
    link = page.locator("#result_list a[href*='/change/']").first.get_attribute("href")
    assert link is not None
    return link.partition("?")[0]


def _known(scene: Scene) -> re.Pattern[str]:
    """Data: names of systems, paths and parameters of theirs."""
    return re.compile(
        f"{scene.known().pattern}|Round|round_\\w+|[\\w.]+\\.[\\w.]+|巷口杂货|Harbor kiosk|履约运营 operator|接入 integrator"
    )


def _push(door: str, order: Json, *, secret: str = _SECRET) -> httpx.Response:
    raw = json.dumps(order, ensure_ascii=False).encode()
    sign = base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()
    return httpx.post(
        door, content=raw, headers={"X-Lane-Signature": sign, "Content-Type": "application/json"}, timeout=20
    )


def _order(hub: Hub, number: str) -> None:
    until(
        lambda: any(number in (one["external_id"], one["number"]) for one in hub.orders()),
        seconds=25,
        what=f"{number} is an order",
        every=0.5,
    )


def _has_dead_call(page: Page) -> bool:
    open_(page, "/admin/")
    return page.locator("a[href*='/call/'][href*='state__exact=dead']").count() > 0


def _answer(page: Page, call: str) -> bool:
    """Whether the other side has said something."""
    open_(page, call)
    return "HTTP 404" in page.content()


def _is_told(page: Page, name: str) -> bool:
    open_(page, "/admin/")
    return (
        page.locator("a[href*='inboxmessage'][href*='state__exact=quarantined']").count() > 0
        and name in page.content()
    )


def _shoot(page: Page, name: str) -> None:
    """A picture for whoever wants to look, in the folder HUB_SHOTS."""
    folder = os.environ.get("HUB_SHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/connections-{name}.png", full_page=True)
