"""An operator's promotions: built from blocks, tried, published, changed and taken back; nothing is lost in drawing."""

from __future__ import annotations

import os
import random
import secrets
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests import cast
from tests.browser import blockwork, rounds, survey
from tests.browser.living import Hub, Json
from tests.browser.scene import SKIPPED, Scene
from tests.browser.visiting import Guise, Visits, Watch, open_

pytestmark = pytest.mark.browser

_DESK = Guise("admin", width=1440)
_SAID = {
    "zh-hans": {
        "blocks": "用积木编辑", "order": "订单", "customer": "顾客", "actions": "动作", "percent": "百分比", "done": "完成",
        "publish": "发布", "in_force": "已生效", "yes": "确定", "back": "回滚到 v{n}", "counts": "生效", "is": "等于",
        "stale": "改过这份草稿", "off": "减 50.00", "sentence": "每满300减50", "save": "草稿保存于",
    },
    "en": {
        "blocks": "Edit in blocks", "order": "Order", "customer": "Customer", "actions": "Actions", "percent": "percent",
        "done": "Done", "publish": "Publish", "in_force": "is in force from now on", "yes": "Yes, do it",
        "back": "Back to v{n}", "counts": "counts", "is": "is", "stale": "changed this draft", "off": "50.00 CNY off",
        "sentence": "50 off each from 300", "save": "Draft saved at",
    },
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_promotions_are_built_from_blocks_tried_published_changed_and_taken_back(
    hub: Hub, visits: Visits, language: str
) -> None:
    said, code = _SAID[language], f"blocks-{language[:2]}"
    page, watch = _new_set(visits, code, _DESK.as_(language=language), said["blocks"])

    # 满300减50, for each 300.
    _add_rule(page, "满减", "full", "sale")
    blockwork.take(page, said["actions"], "act:threshold_off", "THEN")
    blockwork.type_into(page, "act:threshold_off", "full", "300")
    blockwork.type_into(page, "act:threshold_off", "off", "50")
    blockwork.choose(page, "act:threshold_off", "MORE", "每满" if language == "zh-hans" else "for each")
    expect(page.locator("[data-part=sentence]")).to_contain_text(said["sentence"])
    # 第二件半价.
    _add_rule(page, "第二件半价", "second", "sale")
    blockwork.take(page, said["actions"], "act:nth_price", "THEN")
    blockwork.type_into(page, "act:nth_price", "nth", "2")
    blockwork.choose(page, "act:nth_price", "MORE", said["percent"])
    blockwork.type_into(page, "act:nth_price", "percent", "50")
    # A gift for gold members.
    _add_rule(page, "会员赠礼", "gift", "sale")
    blockwork.take(page, said["customer"], "fact:customer.level", "WHEN")
    _type_pick(page, "fact:customer.level", "ONE", "gold", said["done"])
    blockwork.take(page, said["actions"], "act:gift", "THEN")
    blockwork.pick(page, "act:gift", "skus", "DEMO-002", said["done"])
    blockwork.settled(page)
    assert [(x["code"], x["then"]) for x in _rules(page)] == [
        ("full", [{"do": "threshold_off", "with": {"full": "300", "off": "50", "repeat": True}}]),
        ("second", [{"do": "nth_price", "with": {"nth": 2, "percent": "50"}}]),
        ("gift", [{"do": "gift", "with": {"skus": ["DEMO-002"]}}]),
    ]
    _shoot(page, f"built-{language}")

    # Tried on a cart made from a real order, it costs to the cent what the next order will.
    plain = _order(hub, code)
    _try(page, plain, member="gold")
    tried = _receipt(page)
    expect(page.locator(f"[data-promotion='{code}/gift'].is-applied")).to_be_visible()
    _shoot(page, f"tried-{language}")

    _publish(page, said)
    priced = _pricing(hub, _order(hub, code, level="gold"))
    assert {x["promotion"].split("/")[1] for x in priced["applied"] if x["promotion"].startswith(code)} == {
        "full", "second", "gift",
    }  # fmt: skip
    assert _cents(priced) == tried
    assert _gifts(priced, code) == ["DEMO-002"]
    unknown = _pricing(hub, _order(hub, code))
    assert f"{code}/gift" in {x["promotion"] for x in unknown["skipped"]}

    # Another gift: published, obeyed, and taken back.
    page.locator("#oh-re-tab-list").click()
    gift = page.locator("[data-path='then[0]'] [data-param=skus]")
    gift.locator(".oh-re-chip button").click()
    gift.locator("input").fill("DEMO-003")
    gift.locator(".oh-re-found button").first.click()
    blockwork.settled(page)
    _publish(page, said)
    assert _gifts(_pricing(hub, _order(hub, code, level="gold")), code) == ["DEMO-003"]
    page.locator("[data-part=versions]").get_by_role("button", name=said["back"].format(n=1)).click()
    with _answered(page):
        page.get_by_role("button", name=said["yes"]).click()
    expect(page.locator(".oh-toast")).to_contain_text(said["in_force"])
    assert _gifts(_pricing(hub, _order(hub, code, level="gold")), code) == ["DEMO-002"]
    _switch_off(visits, code)
    watch.assert_clean()


def test_the_keys_alone_take_a_block_out_of_the_toolbox(hub: Hub, visits: Visits) -> None:
    page, watch = _new_set(visits, "keys", _DESK, _SAID["zh-hans"]["blocks"])
    _add_rule(page, "键盘", "keys", "k")

    page.evaluate("() => Blockly.getFocusManager().focusTree(ohRules.workspace)")
    page.keyboard.press("t")
    for _step in range(6):
        if page.evaluate("() => ohRules.workspace.getToolbox().getSelectedItem()?.getName()") == "动作":
            break
        page.keyboard.press("ArrowDown")
    # Into the drawer; take the first block; to the first place that takes it; let go.
    for key in ("ArrowRight", "Enter", "ArrowDown", "Enter"):
        page.keyboard.press(key)
        page.wait_for_timeout(200)
    page.wait_for_function("() => ohRules.S.rules[0].then.length")
    blockwork.settled(page)

    assert [x["do"] for x in _rules(page)[0]["then"]] == ["percent_off"]
    watch.assert_clean()


def test_blocks_and_list_say_the_same_and_undo_brings_everything_back(hub: Hub, visits: Visits) -> None:
    page, watch = _new_set(visits, "both", _DESK.as_(language="en"), "Edit in blocks")
    _add_rule(page, "Both", "both", "b")
    page.locator("#oh-re-tab-list").click()
    page.locator("[data-add=when]").select_option("order.total")
    page.locator("[data-path='when.all[0]'] select").nth(1).select_option("between")
    page.locator("[data-path='when.all[0]'] .oh-re-pair input").nth(1).fill("250")
    page.locator("[data-add=then]").select_option("percent_off")
    page.locator("[data-param=value] input").fill("150")
    expect(page.locator("[data-path='then[0]'] [data-fault]")).to_contain_text("at most 100")
    expect(page.locator("[data-part=publish]")).to_be_disabled()
    page.locator("[data-param=value] input").fill("15")
    expect(page.locator("[data-part=publish]")).to_be_enabled()

    page.locator("#oh-re-tab-blocks").click()
    page.wait_for_timeout(400)  # the canvas is placed once its toolbox is measured
    assert (
        len(blockwork.blocks(page, "fact:order.total")) == len(blockwork.blocks(page, "act:percent_off")) == 1
    )
    blockwork.type_into(page, "act:percent_off", "value", "110")
    page.wait_for_selector(".oh-re-bad")
    page.locator("[data-part=undo]").click()
    page.wait_for_selector(".oh-re-bad", state="detached")
    assert _rules(page)[0]["then"] == [{"do": "percent_off", "with": {"value": "15"}}]
    page.locator(".oh-re-rules button[title^='Duplicate']").click()
    page.locator(".oh-re-rules button[title^='Delete']").first.click()
    page.locator(".oh-toast button").click()
    blockwork.settled(page)
    assert len(_rules(page)) == 2
    watch.assert_clean()


@pytest.mark.slow
def test_a_stale_save_is_refused_and_nothing_is_lost(hub: Hub, visits: Visits) -> None:
    page, watch = _new_set(visits, "two", _DESK, _SAID["zh-hans"]["blocks"])
    _add_rule(page, "两人", "two", "t")
    blockwork.settled(page)
    other, _watch = visits.page(page.url, _DESK)
    other.wait_for_selector("#rules-editor[data-ready]")

    _name(page, "先保存的")
    blockwork.settled(page)
    _name(other, "后保存的")
    expect(other.locator("[data-part=stale]")).to_contain_text("改过这份草稿")
    assert _rules(other)[0]["name"] == "后保存的"
    _shoot(other, "stale")
    other.locator("[data-theirs]").click()
    expect(other.locator("[name=name]")).to_have_value("先保存的")
    other.locator("[data-part=undo]").click()
    blockwork.settled(other)

    page.reload()
    page.wait_for_selector("#rules-editor[data-ready]")
    assert _rules(page)[0]["name"] == "后保存的"
    watch.assert_clean(except_status=(409,))


def test_no_rule_is_lost_between_json_and_blocks(hub: Hub, visits: Visits) -> None:
    page, watch = _new_set(visits, "lossless", _DESK, _SAID["zh-hans"]["blocks"])
    words = page.evaluate("() => ohRules.data.words")
    rng = random.Random(20261123)
    rules = [_any_rule(rng, words) for _n in range(400)] + [*_ODD]

    found = blockwork.round_trips(page, rules)

    for rule, back in zip(rules, found, strict=True):
        assert back["drawn"], rule
        assert (back["when"], back["then"]) == (rule["when"], rule["then"])
        assert back["copied"] == [rule["when"], rule["then"]]
    assert [back["raw"] for back in found[:400]] == [0] * 400
    assert all(back["raw"] for back in found[400:])
    watch.assert_clean()


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_editor_fits_and_is_in_one_language(
    scene: Scene, visits: Visits, language: str, theme: str
) -> None:
    found = scene.once(f"promotions-{language}", lambda: _round(scene, visits, language))

    assert len(found[theme]) == 2 * len(_WIDTHS)
    assert {where: faults for where, faults in found[theme].items() if any(faults)} == {}


# ---- helpers ---------------------------------------------------------------------------------------

_WIDTHS = (320, 390, 820, 1280, 1440)


def _round(scene: Scene, visits: Visits, language: str) -> dict[str, dict[tuple[str, int], tuple[Any, ...]]]:
    """The editor's faults by theme, view and width. It lays its toolbox out at its start: each width has its own load."""
    found: dict[str, dict[tuple[str, int], tuple[Any, ...]]] = {"light": {}, "dark": {}}
    page, watch = visits.page(
        "/admin/rules/ruleset/?q=promotions&purpose__exact=price", _DESK.as_(language=language)
    )
    address = page.locator("#result_list a[href*='/change/']").first.get_attribute("href")
    assert address is not None
    for width in _WIDTHS:
        guises = rounds.guises(language, widths=(width,))
        page.set_viewport_size(guises[0].viewport())
        open_(page, address.partition("change/")[0] + "blocks/")
        page.wait_for_selector("#rules-editor[data-looked]")
        page.wait_for_load_state("networkidle")
        for view in ("list", "blocks"):
            page.locator(f"#oh-re-tab-{view}").click()
            page.wait_for_timeout(200)
            for guise in rounds.worn(page, guises):
                _shoot(page, f"{view}-{guise}")
                wide = survey.sticking_out(page, (width,))
                words = survey.words(page, skipped=(*SKIPPED, *_DATA))
                strange = survey.untranslated(words, language, known=scene.known())
                small = survey.too_small(
                    survey.words(page, skipped=(*SKIPPED, ".blocklySvg", ".blocklyFlyout"))
                )
                bad = survey.violations(page, skipped=(".object-tools",)) if width in (390, 1440) else []
                found[guise.theme][view, width] = (wide, strange, small, bad)
    watch.assert_clean()
    return found


#: Names and notes that people wrote, in the language they wrote them in, and what Blockly keeps out of sight.
_DATA = (
    ".oh-re-name", ".oh-re-version p", ".oh-re-receipt", "[data-part=sentence]", "[data-part=changes]", "h1", "datalist",
    "option", ".oh-re-tools", "[data-setting=name]", ".blocklyFieldRect", "[data-part=rules]", "title", ".oh-re-chip",
    ".oh-re-leaf input", "[data-part=findings]", "input", ".blocklyBlockCanvas",
)  # fmt: skip
#: What has no block of its own, and what does not compile: kept in read-only blocks.
_ODD: tuple[Json, ...] = tuple(
    {"name": "odd", "when": when, "then": then}
    for when, then in (
        ({"fact": "no.such", "op": "==", "value": "x"}, []),
        ({"all": [{"fact": "order.total", "op": "==", "value": "much"}]}, []),
        ({"any": [{"fact": "order.total", "op": "contains", "value": "1"}]}, []),
        ({"not": {"fact": "order.total", "op": "between", "value": ["1"]}}, []),
        ({"all": [{}], "any": []}, []),
        ({"all": []}, [{"do": "no_such", "with": {"a": [1, {"b": None}]}}]),
        ({"all": []}, [{"do": "gift", "with": {"skus": "TEA"}}]),
        ({"all": []}, [{"do": "gift", "with": {"skus": ["A"], "extra": 1}}]),
        ({"all": []}, ["text", 7, None]),
    )
)


def _any_rule(rng: random.Random, words: Json) -> Json:
    """A rule of any shape that the language allows."""
    then = [_any_deed(rng, rng.choice(words["actions"])) for _n in range(rng.randrange(4))]
    return {"name": "any", "when": _any_condition(rng, words["facts"], rng.randrange(5)), "then": then}


def _any_condition(rng: random.Random, facts: list[Json], depth: int) -> Json:
    kind = rng.choice(["fact", "all", "any", "not"]) if depth else "fact"
    if kind == "fact":
        fact = rng.choice(facts)
        op = rng.choice(fact["ops"])
        return {"fact": fact["name"], "op": op, "value": _operand(rng, fact, op)}
    if kind == "not":
        return {"not": _any_condition(rng, facts, depth - 1)}
    return {kind: [_any_condition(rng, facts, depth - 1) for _n in range(rng.randrange(kind == "any", 4))]}


def _operand(rng: random.Random, fact: Json, op: str) -> Any:
    kind = "text" if fact["type"] == "list[text]" else fact["type"]
    if op == "is_set":
        return rng.random() < 0.5
    if op == "within":
        return rng.choice([{"from": "22:00", "to": "06:00"}, {"to": "2026-11-12", "from": "2026-11-11"}])
    if op in ("in", "not_in"):
        return [_scalar(rng, kind, fact["choices"]) for _n in range(rng.randrange(4))]
    if op == "between":
        return [_scalar(rng, kind, []), _scalar(rng, kind, [])]
    return _scalar(rng, kind, fact["choices"])


def _scalar(rng: random.Random, kind: str, choices: list[str]) -> Any:
    if choices:
        return rng.choice(choices)
    figures = [rng.randrange(-5, 10**9), str(rng.randrange(10**12))]
    made: dict[str, list[Any]] = {
        "text": ["", "TEA", "金卡, 银卡", "  spaces ", 'quo"te', "line\nbreak", "<b>&amp;</b>", "TRUE", "0.10", "😀"],
        "integer": figures, "number": [*figures, "0.10", "-3.5"], "money": [*figures, "300.00", "0.5"], "boolean": [True, False],
        "datetime": ["2026-11-11T00:00:00+08:00", "2026-11-11T20:00:00.5Z", "2026-03-01T01:02:03-05:00"],
    }  # fmt: skip
    return rng.choice(made[kind])


def _any_deed(rng: random.Random, action: Json) -> Json:
    given = {}
    for param in action["params"]:
        if param["required"] or rng.random() < 0.4:
            item = param["type"].removeprefix("list[").removesuffix("]")
            is_list = item != param["type"]
            values = [_scalar(rng, item, []) for _n in range(rng.randrange(4))]
            given[param["name"]] = values if is_list else _scalar(rng, item, [])
    return {"do": action["name"], "with": given} if given or rng.random() < 0.5 else {"do": action["name"]}


def _new_set(visits: Visits, code: str, guise: Guise, button: str) -> tuple[Page, Watch]:
    """A rule set of the demo's merchant, made in the plain form, in the editor."""
    page, watch = visits.page("/admin/rules/ruleset/add/", guise)
    page.fill("[name=code]", code)
    page.fill("[name=name]", f"促销 {code}")
    page.fill("[name=name_en]", f"Sale {code}")
    page.select_option("[name=purpose]", "price")
    page.fill("[name=scope]", "merchant:1")
    page.click("[name=_continue]")
    page.wait_for_url("**/change/")
    page.get_by_role("link", name=button).first.click()
    page.wait_for_selector("#rules-editor[data-looked]")
    return page, watch


def _switch_off(visits: Visits, code: str) -> None:
    """So that its promotions are not in the way of other tests."""
    page, _watch = visits.page(f"/admin/rules/ruleset/?q={code}", _DESK)
    page.locator("#result_list a[href*='/change/']").first.click()
    page.wait_for_url("**/change/**")
    page.uncheck("[name=is_active]")
    page.click("[name=_save]")
    page.wait_for_load_state("load")


def _add_rule(page: Page, name: str, code: str, english: str) -> None:
    page.locator("[data-add-rule]").first.click()
    if not page.locator(".oh-re-settings").evaluate("(node) => node.open"):
        page.locator(".oh-re-settings > summary").click()
    page.fill("[name=name]", name)
    page.fill("[name=name_en]", f"{english} {code}")
    page.fill("#oh-re-code", code)
    page.locator(".oh-re-settings > summary").click()
    page.locator("[data-part=blocks]").scroll_into_view_if_needed()


def _name(page: Page, name: str) -> None:
    if not page.locator(".oh-re-settings").evaluate("(node) => node.open"):
        page.locator(".oh-re-settings > summary").click()
    page.fill("[name=name]", name)


def _type_pick(page: Page, kind: str, field: str, text: str, done: str) -> None:
    """Open the box of one value and type it."""
    blockwork.open_editor(page, kind, field, ".oh-re-ask input")
    page.locator(".oh-re-ask input").fill(text)
    page.locator(".oh-re-ask").get_by_role("button", name=done, exact=True).click()


def _rules(page: Page) -> list[Json]:
    found: list[Json] = page.evaluate("() => structuredClone(ohRules.S.rules)")
    return found


def _order(hub: Hub, code: str, level: str = "") -> Json:
    """Three units for 699.99 altogether, once it is priced."""
    extra = {"member_level": level} if level else {}
    lines = [{"sku": "DEMO-001", "quantity": 3, "unit_price": "233.33"}]
    body = {"paid": True, "destination": cast.FANG.destination, "lines": lines, "extra": extra}
    number = f"{code.upper()}-{secrets.token_hex(4)}"
    made = hub.client.post("orders/", json={**body, "external_id": number})
    assert made.status_code == 201, made.text
    return hub.when(made.json()["id"], lambda now: now["stage"] not in ("received", "new"))


def _try(page: Page, order: Json, *, member: str) -> None:
    """Fill the cart from a real order, and let a member buy it."""
    page.fill("#oh-try-order", order["external_id"])
    page.locator("[data-sample] button").click()
    expect(page.locator(".oh-re-cart li")).to_have_count(1)
    if not page.locator(".oh-re-who").evaluate("(node) => node.open"):
        page.locator(".oh-re-who > summary").click()
    with page.expect_response("**/blocks/cart/"):
        page.fill("[name=member_level]", member)
    page.wait_for_timeout(300)


def _receipt(page: Page) -> str:
    return (page.locator(".oh-re-pay td").text_content() or "").strip().removeprefix("¥")


def _publish(page: Page, said: dict[str, str]) -> None:
    expect(page.locator("[data-part=publish]")).to_be_enabled()
    page.locator("[data-part=publish]").click()
    with _answered(page):
        page.locator("dialog[open] [data-yes]").click()
    expect(page.locator(".oh-toast")).to_contain_text(said["in_force"])


def _answered(page: Page) -> Any:
    """Waits for the answer to what is clicked within: the toast of the deed before stays for seconds."""
    return page.expect_response(lambda answer: answer.request.method == "POST")


def _pricing(hub: Hub, order: Json) -> Json:
    return dict(hub.client.get(f"orders/{order['id']}/pricing/").raise_for_status().json())


def _cents(priced: Json) -> str:
    """What is left to pay for the goods."""
    return f"{float(priced['goods']) - float(priced['discount']):.2f}"


def _gifts(priced: Json, code: str) -> list[str]:
    mine = [one for one in priced["applied"] if one["promotion"].startswith(f"{code}/")]
    return [gift["sku"] for one in mine for gift in one["gifts"]]


def _shoot(page: Page, name: str) -> None:
    """A picture for whoever wants to look, in the folder HUB_SHOTS."""
    folder = os.environ.get("HUB_SHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/promotion-{name}.png", full_page=True)
