"""A merchant brings orders in by a file with planted faults, on the phone: preview, consent, progress, reasons."""

from __future__ import annotations

import csv
import io
import itertools

import pytest
from playwright.sync_api import Page, expect

from tests.browser import survey, uploads
from tests.browser.living import Hub
from tests.browser.visiting import PHONE, Guise, Visits

pytestmark = pytest.mark.browser

_ON_PHONE = Guise("merchant", width=PHONE["width"])
_runs = itertools.count(1)


@pytest.fixture
def prefix() -> str:
    """The beginning of order numbers that no other test uses."""
    return f"IMPORT{next(_runs)}"


def test_a_file_with_faults_comes_in_but_for_its_bad_rows(hub: Hub, visits: Visits, prefix: str) -> None:
    page, watch = visits.page("/merchant/import/", _ON_PHONE)
    before = _orders_of(hub, prefix)

    uploads.upload(page, uploads.faulty_file(prefix), name="shop.csv")
    expect(page.locator("h1")).to_have_text("导入订单")
    expect(page.locator(".oh-table tbody tr")).to_have_count(6)
    expect(page.locator(".oh-errors li")).to_have_count(2)
    assert survey.sticking_out(page, [PHONE["width"]]) == {}
    in_preview = _orders_of(hub, prefix)
    _confirm(page)
    expect(page.locator(".oh-pill")).to_have_text("已完成，有行未导入", timeout=30_000)

    assert (before, in_preview) == (set(), set())
    assert _orders_of(hub, prefix) == {f"{prefix}-{n}" for n in range(1, uploads.GOOD_ORDERS + 1)}
    assert _counts(page) == {"accepted": "5", "unchanged": "0", "refused": "3", "rows": "8"}
    assert sorted(page.locator(".oh-errors .oh-b").all_inner_texts()) == [
        "商品编码不存在",
        "数量不对",
        "日期不对",
    ]
    assert survey.sticking_out(page, [320, PHONE["width"]]) == {}
    watch.assert_clean()


def test_rows_left_out_can_be_downloaded_with_their_reasons(visits: Visits, prefix: str) -> None:
    page, _watch = visits.page("/merchant/import/", _ON_PHONE.as_(language="en"))
    uploads.upload(page, uploads.faulty_file(prefix))
    _confirm(page)
    link = page.get_by_role("link", name="Download them with reasons")
    expect(link).to_be_visible(timeout=30_000)

    with page.expect_download() as download:
        link.click()

    rows = list(csv.reader(io.StringIO(download.value.path().read_bytes().decode("utf-8-sig"))))
    assert download.value.suggested_filename.endswith(".csv")
    assert len(rows) == 1 + len(uploads.FAULTS)
    for number, (_column, value) in enumerate(uploads.FAULTS, start=uploads.GOOD_ORDERS + 1):
        assert [row for row in rows if f"{prefix}-{number}" in row and value in row]


def test_the_same_file_twice_changes_nothing(hub: Hub, visits: Visits, prefix: str) -> None:
    content = uploads.faulty_file(prefix)
    page, _watch = visits.page("/merchant/import/", _ON_PHONE)

    for _time in range(2):
        page.goto("/merchant/import/")
        uploads.upload(page, content)
        _confirm(page)
        expect(page.locator(".oh-pill")).to_have_text("已完成，有行未导入", timeout=30_000)

    assert _counts(page) == {"accepted": "0", "unchanged": "5", "refused": "3", "rows": "8"}
    assert len(_orders_of(hub, prefix)) == uploads.GOOD_ORDERS


def test_progress_is_told_while_it_runs_and_the_page_may_be_left(visits: Visits, prefix: str) -> None:
    page, watch = visits.page("/merchant/import/", _ON_PHONE)
    page.route("**/status.json", lambda route: route.abort())
    uploads.upload(page, uploads.faulty_file(prefix))

    # The page keeps its first look: its questions how far the import is stay unanswered.
    _confirm(page)
    expect(page.locator("[data-progress]")).to_be_visible()
    expect(page.locator("progress")).to_have_attribute("aria-label", "导入进度")
    assert survey.violations(page) == []
    page.unroute("**/status.json")

    expect(page.locator(".oh-pill")).to_have_text("已完成，有行未导入", timeout=30_000)
    assert watch.elsewhere == []


@pytest.mark.parametrize(("language", "word"), [("zh-hans", "不"), ("en", "not")])
def test_a_file_that_is_no_table_is_refused_with_a_reason(visits: Visits, language: str, word: str) -> None:
    page, watch = visits.page("/merchant/import/", _ON_PHONE.as_(language=language))

    page.set_input_files(
        "#file", {"name": "photo.csv", "mimeType": "text/csv", "buffer": b"\x89PNG\r\n\x1a\n\0\0"}
    )
    page.click("form[data-upload] button.oh-btn-pri")

    expect(page.locator("[role=alert]")).to_contain_text(word)
    assert survey.violations(page) == []
    assert watch.elsewhere == []


# ---- helpers -------------------------------------------------------------------------------------


def _confirm(page: Page) -> None:
    page.click("form[action$='/start/'] button")
    page.wait_for_load_state("load")


def _counts(page: Page) -> dict[str, str]:
    names = ("accepted", "unchanged", "refused", "rows")
    return {name: page.locator(f"[data-field={name}]").inner_text() for name in names}


def _orders_of(hub: Hub, prefix: str) -> set[str]:
    return {order["external_id"] for order in hub.orders() if order["external_id"].startswith(f"{prefix}-")}
