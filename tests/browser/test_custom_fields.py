"""An administrator adds fields while the shop runs: they stand in forms, lists, files, the API, rules, at once."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import survey, uploads
from tests.browser.living import Hub, path_of, until
from tests.browser.scene import SKIPPED, Scene
from tests.browser.visiting import Guise, Visits, open_

pytestmark = pytest.mark.browser

_DESK = Guise("admin", width=1440)
_SAID: dict[str, dict[str, str]] = {
    "zh-hans": {
        "label": "礼品包装",
        "gold": "金色",
        "used": "生效中的规则",
        "blocked": "请先发布不含它的版本",
    },
    "en": {
        "label": "Gift wrap",
        "gold": "Gold",
        "used": "rules in force",
        "blocked": "Publish these without it first",
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_field_that_is_added_counts_everywhere_at_once(hub: Hub, visits: Visits, language: str) -> None:
    said, guise = _SAID[language], _DESK.as_(language=language)
    code = f"wrap_{language[:2]}"
    page, watch = visits.page("/admin/fields/field/add/", guise)
    page.select_option("[name=target]", "order")
    page.fill("[name=code]", code)
    page.select_option("[name=kind]", "choice")
    page.fill("[name=name]", "礼品包装")
    page.fill("[name=name_en]", "Gift wrap")
    page.fill("[name=choices_text]", "red = 红色 = Red\ngold = 金色 = Gold")
    page.check("[name=in_list]", force=True)
    page.check("[name=customer_sees]", force=True)
    expect(page.locator("[name=pattern]")).to_be_hidden()
    _shoot(page, f"add-{language}")
    page.click("[name=_save]")
    page.wait_for_url("**/admin/fields/field/")
    expect(page.locator("#result_list")).to_contain_text(code)
    _number_on_skus(page, language)
    _shoot(page, f"list-{language}")

    # The next API order carries it; the form of an older one asks for it.
    carries = hub.place(custom={code: "gold"})
    assert carries["custom"] == {code: "gold"}
    older = hub.place()
    open_(page, f"/admin/orders/order/{older['id']}/fields/")
    page.select_option(f"[name=custom_{code}]", "red")
    _shoot(page, f"fill-{language}")
    page.click("form[data-once] .oh-btn-pri")
    page.wait_for_url("**/change/")
    assert hub.order(older["id"])["custom"] == {code: "red"}

    # The pool has its column and its filter.
    open_(page, f"/admin/orders/order/?custom_{code}=gold")
    expect(page.locator("#result_list")).to_contain_text(said["gold"])
    expect(page.locator("#result_list")).to_contain_text(carries["external_id"])
    expect(page.locator("#result_list")).not_to_contain_text(older["external_id"])
    _shoot(page, f"pool-{language}")

    # A file brings it.
    merchant, _watch = visits.page("/merchant/import/", Guise("merchant", language=language, width=1440))
    uploads.upload(merchant, _file(f"CF-{language[:2]}", code))
    _shoot(merchant, f"preview-{language}")
    merchant.click("form[action$='/start/'] button")
    _imported(hub, f"CF-{language[:2]}", code)

    # A promotion asks for it and prices the next order.
    _publish(page, code)
    priced = hub.when(
        hub.place(custom={code: "gold"}, lines={"DEMO-001": 5})["id"], lambda x: x["discount_total"] == "7.00"
    )
    plain = hub.when(hub.place(lines={"DEMO-001": 5})["id"], lambda x: x["stage"] != "received")
    assert (priced["discount_total"], plain["discount_total"]) == ("7.00", "0.00")

    # Its customer sees it.
    stranger, _watch = visits.page(path_of(priced), Guise(language=language, width=390))
    expect(stranger.locator("[data-slot=details]")).to_contain_text(said["gold"])
    _shoot(stranger, f"tracking-{language}")

    # It is not removed while a rule in force names it.
    open_(page, f"/admin/fields/field/?q={code}")
    page.locator("#result_list a[href*='/change/']").first.click()
    page.wait_for_url("**/change/**")
    open_(page, page.url.partition(hub.url)[2].partition("change/")[0] + "remove/")
    expect(page.locator(".oh-card")).to_contain_text(said["used"])
    expect(page.locator(".oh-card")).to_contain_text(said["blocked"])
    expect(page.locator(".oh-btn-bad")).to_have_count(0)
    _shoot(page, f"remove-{language}")
    watch.assert_clean()


@pytest.mark.parametrize("guise", [_DESK, _DESK.as_(language="en", theme="dark", width=390)], ids=str)
def test_the_pages_of_fields_can_be_read_by_everybody(
    hub: Hub, visits: Visits, scene: Scene, guise: Guise
) -> None:
    page, watch = visits.page("/admin/fields/field/", guise)
    for path in ("/admin/fields/field/", "/admin/fields/field/add/"):
        open_(page, path)
        _shoot(page, f"page-{'add' if 'add' in path else 'list'}-{guise}")
        assert survey.violations(page, skipped=("#nav-sidebar",)) == []
        assert survey.sticking_out(page, widths=(360, 768, 1440)) == {}
        skipped = (*SKIPPED, "tbody", "select")
        assert (
            survey.untranslated(survey.words(page, skipped=skipped), guise.language, known=scene.known())
            == []
        )
    watch.assert_clean()


def _number_on_skus(page: Page, language: str) -> None:
    """A number on SKUs, in the SKU's own form."""
    code = f"length_{language[:2]}"
    open_(page, "/admin/fields/field/add/")
    page.select_option("[name=target]", "sku")
    page.fill("[name=code]", code)
    page.select_option("[name=kind]", "integer")
    page.fill("[name=name]", "长度")
    page.fill("[name=name_en]", "Length")
    page.fill("[name=unit]", "cm")
    page.fill("[name=least]", "1")
    page.click("[name=_save]")
    page.wait_for_url("**/admin/fields/field/")
    open_(page, "/admin/inventory/sku/?q=DEMO-001")
    page.locator("#result_list a[href*='/change/']").first.click()
    page.wait_for_url("**/change/**")
    page.fill(f"[name=custom_{code}]", "0")
    page.click("[name=_save]")
    page.wait_for_load_state("load")
    expect(page.locator("body")).to_contain_text(
        "不能小于 1。" if language[:2] == "zh" else "Must be at least 1."
    )
    _shoot(page, f"sku-{language}")
    page.fill(f"[name=custom_{code}]", "42")
    page.click("[name=_save]")
    page.wait_for_url("**/admin/inventory/sku/**")
    open_(page, f"/admin/inventory/sku/?custom_{code}=40..45")
    expect(page.locator("#result_list")).to_contain_text("DEMO-001")
    open_(page, "/admin/fields/field/")


def _publish(page: Page, code: str) -> None:
    """A rule set of the demo's merchant with one promotion that asks for the field, published."""
    open_(page, "/admin/rules/ruleset/add/")
    page.fill("[name=code]", f"by-{code.replace('_', '-')}")
    page.fill("[name=name]", f"包装 {code}")
    page.fill("[name=name_en]", f"Wrap {code}")
    page.select_option("[name=purpose]", "price")
    page.fill("[name=scope]", "merchant:1")
    page.click("[name=_continue]")
    page.wait_for_url("**/change/")
    page.locator(".add-row a, a.add-row, [id$=-group] .add-row").first.click()
    page.fill("[name=rules-0-code]", "gold")
    page.fill("[name=rules-0-name]", "金色包装立减")
    when = {"fact": f"order.custom.{code}", "op": "==", "value": "gold"}
    page.fill("[name=rules-0-condition]", json.dumps(when))
    page.fill("[name=rules-0-actions]", json.dumps([{"do": "amount_off", "with": {"value": "7"}}]))
    page.click("[name=_continue]")
    page.wait_for_load_state("load")
    open_(
        page,
        page.url.partition("/admin/")[1]
        + page.url.partition("/admin/")[2].partition("change/")[0]
        + "publish/",
    )
    page.click("form[data-once] .oh-btn-pri")
    page.wait_for_url("**/change/**")


def _file(prefix: str, code: str) -> bytes:
    rows: list[dict[str, Any]] = [
        {**uploads.order_row(f"{prefix}-{number}"), f"custom.{code}": value}
        for number, value in enumerate(("金色", "red", "blue"), 1)
    ]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, [*uploads.HEADER, f"custom.{code}"], restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _imported(hub: Hub, prefix: str, code: str) -> None:
    """The two good orders of the file came with their values; the third was refused."""

    def found() -> dict[str, Any]:
        return {x["external_id"]: x["custom"] for x in hub.orders() if x["external_id"].startswith(prefix)}

    until(lambda: len(found()) == 2, seconds=90, what="the file is imported")
    assert found() == {f"{prefix}-1": {code: "gold"}, f"{prefix}-2": {code: "red"}}


def _shoot(page: Page, name: str) -> None:
    """A picture for whoever wants to look, in the folder HUB_SHOTS."""
    folder = os.environ.get("HUB_SHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/fields-{name}.png", full_page=True)
