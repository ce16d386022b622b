"""A warehouse that only writes files, in Chromium: connected by a form, its file becomes messages, a bad one tells why."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import rounds, survey
from tests.browser.living import Hub, until
from tests.browser.scene import Scene
from tests.browser.visiting import Guise, Visits, open_

pytestmark = pytest.mark.browser

_PAGE = "/admin/connectors/connection/"
_NAME = {"zh-hans": "通用仓库（CSV 文件）", "en": "Any warehouse (CSV files)"}
_ROWS = "warehouse,sku,on_hand,at\nNOWHERE,DEMO-001,5,2026-11-11 08:00:00\n"


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_forms_of_files_mails_and_tables_fit_and_are_in_one_language(
    hub: Hub, scene: Scene, visits: Visits, language: str, theme: str, width: int
) -> None:
    found = scene.once(f"ways-{language}", lambda: _round(scene, visits, language))
    faults = found.faults(Guise("admin", language=language, theme=theme, width=width))

    assert faults == {}, "\n".join(f"{name}: {found}" for name, found in faults.items())


def _round(scene: Scene, visits: Visits, language: str) -> rounds.Round:
    """A connection made by the form, its file fetched and a bad one refused; the pages in every theme and width."""
    guises, found = (
        rounds.guises(language),
        rounds.Round(scene.known(), skipped=("select", "option", "ul.oh-cn-list", "#id_warehouses")),
    )
    page, watch = visits.page(f"{_PAGE}connect/", guises[0])
    for name in ("generic_table", "generic_files"):
        open_(page, f"{_PAGE}connect/")
        title = (
            _NAME[language]
            if name == "generic_files"
            else {"zh-hans": "通用数据库表", "en": "Any table of a database"}[language]
        )
        page.locator("li.oh-lib-card", has=page.get_by_role("heading", name=title, exact=True)).locator(
            ".oh-lib-foot a"
        ).click()
        expect(page.locator("details.oh-cn-way").first).to_be_visible()
        closed = page.locator("details.oh-cn-way:not([open]) > summary")
        while closed.count():
            closed.first.click()
        survey.settle(page)
        for guise in rounds.worn(page, guises):
            _shoot(page, f"{name}-{guise}")
            found.look(page, name, guise)
    page.fill("[name=code]", f"ways-{language[:2]}")
    page.locator("[name=ask_files_on]").check()
    page.locator("form button[type=submit].oh-btn-pri").click()
    drop = Path(page.locator("#drop").input_value())
    connection = page.url
    page.locator("form[action$='/do/test/'] button").click()
    expect(page.locator("ul[role=status]")).to_be_visible()
    page.locator("form[action$='/do/switch/'] button").click()
    (drop / "stock.csv").write_text(_ROWS)
    (drop / "photo.csv").write_bytes(b"\x89PNG....")
    until(
        lambda: bool(list(drop.glob("refused/*/photo.csv.reason.txt"))),
        seconds=150,
        what="the photo is refused",
        every=2,
    )
    until(lambda: bool(list(drop.glob("done/*/stock.csv"))), seconds=60, what="the rows are taken", every=2)
    until(lambda: _waiting(page, connection) >= 2, seconds=60, what="both wait for a person", every=2)
    survey.settle(page)
    for guise in rounds.worn(page, guises):
        _shoot(page, f"connection-{guise}")
        found.look(page, "connection", guise)
    watch.assert_clean()
    return found


def _waiting(page: Page, connection: str) -> int:
    page.goto(connection)
    return page.locator("a[href*='/inboxmessage/'].oh-btn").count()


def _shoot(page: Page, name: str) -> None:
    """A picture for whoever wants to look, in the folder HUB_SHOTS."""
    folder = os.environ.get("HUB_SHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/ways-{name}.png", full_page=True)
