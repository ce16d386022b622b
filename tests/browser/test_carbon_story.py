"""A carbon manager's hour in Chromium: a new factor set is imported, looked at, activated, a month is calculated again."""

from __future__ import annotations

import csv
import io
import os
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from carbon.core.gases import DATA
from tests.browser.living import Hub
from tests.browser.visiting import Guise, Visits, open_

pytestmark = pytest.mark.browser

_DESK = Guise("admin", width=1440)
_SETS = "/admin/carbon/factorset/"
_STORY: dict[str, dict[str, str]] = {
    "en": {
        "wrong": "This unit does not fit the kind of factor.", "stored": "Nothing uses it until it is activated",
        "against": "What it changes against", "active": "The set is active", "done": "finished",
        "before": "before, kg CO2e", "gaps": "What to get first",
    },
    "zh-hans": {
        "wrong": "单位与因子种类不符", "stored": "启用之前不会被使用", "against": "相比的变化", "active": "因子集已启用",
        "done": "已完成", "before": "之前，千克 CO2e", "gaps": "先补哪项数据",
    },
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_new_factor_set_is_imported_compared_activated_and_a_month_calculated_again(
    hub: Hub, visits: Visits, tmp_path: Path, language: str
) -> None:
    said, code = _STORY[language], f"desnz-2026-{language}"
    hub.orders(stage="delivered")
    page, _watch = visits.page(_SETS, _DESK.as_(language=language))

    # A wrong row is named with its number, and nothing is stored.
    open_(page, f"{_SETS}bring-in/")
    _upload(page, code, _sheet(tmp_path, wrong=True))
    expect(page.get_by_text(said["wrong"])).to_be_visible()
    expect(page.locator("tbody tr").first).to_contain_text("3")
    _shoot(page, f"carbon-import-faults-{language}")

    # The sound file becomes a draft that shows what it changes.
    open_(page, f"{_SETS}bring-in/")
    # The shop is shared: whichever language comes second finds the set of the first in force.
    _upload(page, code, _sheet(tmp_path, share="0.9" if language == "en" else "0.8"))
    expect(page.get_by_text(said["stored"])).to_be_visible()
    expect(page.locator("#changes")).to_contain_text(said["against"])
    # Whether it rose or fell depends on which language came first.
    expect(page.locator("section[aria-labelledby=changes] tbody tr").first).to_contain_text(
        re.compile(r"[1-9]")
    )
    _shoot(page, f"carbon-difference-{language}")

    page.locator("form[action$='/activate/'] button").click()
    expect(page.get_by_text(said["active"])).to_be_visible()

    # This month, calculated again with it and written to the ledger.
    page.locator("a[href*='recompute/again']").click()
    today = datetime.now(UTC).date()
    page.fill("[name=since]", today.replace(day=1).isoformat())
    page.fill("[name=until]", today.isoformat())
    page.check("[name=is_adopted]")
    page.locator(".oh-btn-pri").click()
    expect(page.locator("#recompute")).to_contain_text(said["done"], timeout=60_000)
    told = page.locator("[aria-labelledby=told] table")
    expect(told).to_contain_text(said["before"])
    cells = told.locator("tbody tr").last.locator("td").all_inner_texts()
    before, after, difference = (Decimal(cell) for cell in cells[2:5])
    assert after != before
    assert before + difference == after
    _shoot(page, f"carbon-restated-{language}")

    open_(page, "/admin/carbon/activityrecord/gaps/")
    expect(page.get_by_text(said["gaps"])).to_be_visible()
    _shoot(page, f"carbon-gaps-{language}")
    open_(page, "/admin/carbon/period/examine")
    expect(page.locator(".oh-pill.t-ok").first).to_be_visible()
    _shoot(page, f"carbon-examined-{language}")


def _upload(page: Page, code: str, file: Path) -> None:
    page.set_input_files("[name=file]", str(file))
    values = {"code": code, "publisher": "UK DESNZ/Defra", "version": "2026", "licence": "OGL-UK-3.0",
              "attribution": "© Crown copyright"}  # fmt: skip
    for name, value in values.items():
        page.fill(f"[name={name}]", value)
    page.check("[name=redistributable]")
    page.locator(".oh-btn-pri").click()


def _sheet(folder: Path, *, share: str = "0.9", wrong: bool = False) -> Path:
    """The freight rows of 2025, each times `share`; with `wrong` the second row has a unit of another kind."""
    rows: list[dict[str, Any]] = []
    with (DATA / "factors_freight_desnz.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["set_year"] == "2025":
                for column in ("ttw_kgco2e", "wtt_kgco2e"):
                    row[column] = f"{Decimal(row[column]) * Decimal(share):f}" if row[column] else ""
                whole = row["total_kgco2e"] if not row["ttw_kgco2e"] else ""
                rows.append(
                    {**row, "total_kgco2e": whole, "valid_from": "2026-01-01", "valid_to": "2026-12-31"}
                )
    if wrong:
        rows[1]["activity_unit"] = "kWh"
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    file = folder / f"factors-{wrong}.csv"
    file.write_text(out.getvalue(), encoding="utf-8")
    return file


def _shoot(page: Page, name: str) -> None:
    if folder := os.environ.get("HUB_SHOTS"):
        page.screenshot(path=str(Path(folder) / f"{re.sub('[^a-z0-9-]', '-', name)}.png"), full_page=True)
