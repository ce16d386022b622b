"""Merchants' pages: from upload to outcome, in both languages, for nobody else, no inline code."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orderhub.access.models import User
from orderhub.connectors import imports, pages
from orderhub.connectors.models import ImportBatch
from orderhub.events.models import Delivery, Event
from orderhub.kernel import clock
from orderhub.orders import sharing
from orderhub.orders.models import Order
from tests.connectors import files_cast as cast
from tests.connectors import import_cast as make

pytestmark = pytest.mark.django_db
LANGUAGES = ["zh-hans", "en"]
HAN = re.compile("[\u4e00-\u9fff]")


def _upload(client: Client, files: make.Files, kind: str = "orders") -> Any:
    return client.post("/merchant/import/", {"kind": kind, "file": make.sent(files)})


def _text(answer: Any) -> str:
    return str(answer.content.decode())


def test_an_upload_is_previewed_confirmed_and_imported() -> None:
    owner = make.merchant()
    client = make.browser(owner)

    answer = _upload(client, make.files_of(cast.generic()))
    batch = ImportBatch.objects.get()
    assert (answer.status_code, answer.url) == (302, f"/merchant/import/{batch.pk}/")
    preview = _text(client.get(answer.url))
    assert preview.count("可导入") == 4
    assert "UTF-8" in preview
    assert make.numbers(owner) == []

    started = client.post(f"/merchant/import/{batch.pk}/start/")
    client.post(f"/merchant/import/{batch.pk}/start/")
    assert started.url == answer.url
    assert Event.objects.filter(kind="import.queued").count() == 1
    imports.run(batch.pk)

    done = _text(client.get(answer.url))
    assert "已完成：导入 4 单" in done
    assert f"/merchant/orders/?batch={batch.pk}" in done
    assert len(make.numbers(owner)) == 4


def test_the_preview_says_of_each_order_what_would_become_of_it() -> None:
    owner = make.merchant()
    client = make.browser(owner)
    make.imported(owner, make.files_of(cast.generic()))
    sheet = cast.generic()[0]
    row = dict(zip(sheet.header, sheet.rows[2], strict=True))
    sheet.put(4, "quantity", "5")
    sheet.add(row | {"order_no": "2001"})
    sheet.add(row | {"order_no": "2002", "sku": "SKU-77"})
    sheet.add(row | {"order_no": "2003", "quantity": "101"})
    sheet.add(row | {"order_no": "2004", "province": "大西洋省"})
    sheet.add(row | {"order_no": "2005", "quantity": "-2"})

    page = _text(client.get(_upload(client, [("orders.csv", sheet.data())]).url))

    assert page.count("以前导入过") == 3
    for words in ("内容与以前不同", "商品编码未知", "将等待补货", "省份未知", "会被留下的行"):
        assert page.count(words) == 1, words
    assert page.count("可导入") == 1
    assert Order.objects.count() == 4


def test_a_refused_file_says_why_and_offers_the_way_back() -> None:
    client = make.browser(make.merchant())

    page = _text(client.get(_upload(client, [("orders.csv", b"a,b\n1,2\n")]).url))

    assert "无法识别的表头" in page
    assert "怎么办" in page
    assert "/merchant/import/?kind=orders" in page
    assert "/start/" not in page


def test_another_encoding_is_chosen_on_the_preview() -> None:
    client = make.browser(make.merchant())
    (sheet,) = cast.generic()
    sheet.encoding = "gb18030"
    url = _upload(client, [("orders.csv", sheet.data())]).url
    assert "编码存疑" in _text(client.get(url))

    client.post(f"{url}reading/", {"encoding": "gb18030", "dialect": ""})
    mended = _text(client.get(url))
    wrong = client.post(f"{url}reading/", {"encoding": "klingon"}, follow=True)

    assert mended.count("可导入") == 4
    assert "编码存疑" not in mended
    assert "收货人" not in _text(wrong) or wrong.status_code == 200
    assert ImportBatch.objects.get().chosen_encoding == "gb18030"


def test_a_preview_can_be_thrown_away_and_a_running_import_cannot() -> None:
    owner = make.merchant()
    client = make.browser(owner)
    draft = _upload(client, make.files_of(cast.generic())).url
    running = make.imported(owner, make.files_of(cast.generic()))

    thrown = client.post(f"{draft}cancel/", follow=True)
    kept = client.post(f"/merchant/import/{running.pk}/cancel/", follow=True)

    assert "已丢弃" in _text(thrown)
    assert "不能丢弃" in _text(kept)
    assert list(ImportBatch.objects.values_list("pk", flat=True)) == [running.pk]


def test_progress_is_told_in_figures_and_in_words() -> None:
    owner = make.merchant()
    client = make.browser(owner, language="en")
    batch = make.imported(owner, make.files_of(cast.generic()))
    now = clock.now()
    ImportBatch.objects.filter(pk=batch.pk).update(
        status="running", orders_total=20_000, done=15_000, started_at=now - timedelta(seconds=30)
    )

    body = client.get(f"/merchant/import/{batch.pk}/status.json").json()
    page = client.get(f"/merchant/import/{batch.pk}/")

    assert body["is_open"] is True
    assert body["done_text"] == "15,000 / 20,000"
    assert re.fullmatch(r"Importing, about (9|10|11) s left", body["title"])
    assert re.fullmatch(r"(49\d|500) per second", body["speed_text"])
    assert 'http-equiv="refresh"' in _text(page)
    assert "merchant/progress.js" in _text(page)


def test_an_import_whose_job_died_says_that_a_person_is_needed() -> None:
    owner = make.merchant()
    client = make.browser(owner)
    url = _upload(client, make.files_of(cast.generic())).url
    client.post(f"{url}start/")
    Delivery.objects.update(state=Delivery.State.DEAD)

    assert "导入已停止" in _text(client.get(url))


def test_refused_rows_are_shown_by_cause_with_remedy_and_examples() -> None:
    owner = make.merchant()
    client = make.browser(owner)
    sheet = make.many(6)
    for row in (2, 3, 4, 5):
        sheet.put(row, "sku", f"<b>X{row}")
    sheet.put(6, "quantity", "-1")
    batch = make.imported(owner, [("orders.csv", sheet.data())])

    page = _text(client.get(f"/merchant/import/{batch.pk}/"))
    errors = client.get(f"/merchant/import/{batch.pk}/errors.csv")

    assert "5 行没有导入" in page
    assert page.count("&lt;b&gt;X") == 3
    assert "<b>X" not in page
    assert len(errors.content.decode("utf-8-sig").splitlines()) == 6
    assert errors.headers["Content-Disposition"] == f'attachment; filename="import-{batch.pk}-errors.csv"'


@pytest.mark.parametrize(
    "address",
    ["", "status.json", "errors.csv"],
)
def test_another_merchants_import_is_not_there(address: str) -> None:
    batch = make.imported(make.merchant("one"), make.files_of(cast.generic()))
    client = make.browser(make.merchant("two"))

    assert client.get(f"/merchant/import/{batch.pk}/{address}").status_code == 404
    for verb in ("start", "cancel", "reading"):
        assert client.post(f"/merchant/import/{batch.pk}/{verb}/").status_code == 404
    assert client.get(f"/merchant/orders/?batch={batch.pk}").content.count(b"/t/") == 0
    assert ImportBatch.objects.filter(pk=batch.pk).exists()


def test_writing_needs_the_token_of_the_page() -> None:
    owner = make.merchant()
    client = make.browser(owner, enforce_csrf_checks=True)
    batch = make.imported(owner, make.files_of(cast.generic()))

    assert _upload(client, make.files_of(cast.generic())).status_code == 403
    assert client.post(f"/merchant/import/{batch.pk}/start/").status_code == 403
    assert ImportBatch.objects.count() == 1


@pytest.mark.parametrize("address", ["import/", "orders/", "stock/", "import/1/", "import/1/status.json"])
def test_strangers_are_sent_to_the_log_in_and_people_without_merchant_are_told(address: str) -> None:
    make.merchant()

    stranger = Client().get(f"/merchant/{address}")
    nobody = make.browser(None, "nobody").get(f"/merchant/{address}")

    assert stranger.status_code == 302
    assert stranger.url.startswith("/login/?next=/merchant/")
    assert nobody.status_code == 403
    assert "不属于任何商家" in _text(nobody)


def test_the_front_page_sends_everybody_to_their_own_place() -> None:
    merchants = make.browser(make.merchant())
    operators = make.browser(None, "root")
    User.objects.filter(username="root").update(is_staff=True)

    assert merchants.get("/merchant/").url == "/merchant/import/"
    assert operators.get("/merchant/").url == "/admin/"
    assert Client().get("/merchant/").url.startswith("/login/")


BAD_UPLOADS: list[tuple[str, dict[str, Any], int]] = [
    ("no file", {"kind": "orders"}, 400),
    ("unknown kind", {"kind": "cats", "file": [SimpleUploadedFile("a.csv", b"x")]}, 400),
    ("six files", {"kind": "orders", "file": [SimpleUploadedFile(f"{n}.csv", b"x") for n in range(6)]}, 400),
    ("text instead of a file", {"kind": "orders", "file": "hello"}, 400),
]


@pytest.mark.parametrize(
    ("name", "data", "status"), BAD_UPLOADS, ids=[name for name, _data, _status in BAD_UPLOADS]
)
def test_a_bad_upload_is_told_beside_the_field(name: str, data: dict[str, Any], status: int) -> None:
    client = make.browser(make.merchant())

    answer = client.post("/merchant/import/", data)

    assert answer.status_code == status
    assert 'role="alert"' in _text(answer)
    assert ImportBatch.objects.count() == 0


HOSTILE = [
    b"",
    b"\x00" * 5000,
    b"PK\x05\x06" + b"\xff" * 18,
    b"\xff\xfe",
    b"\xff\xfea\x00",
    b'"' * 70_000,
    b"," * 70_000,
    ",".join(cast.GENERIC).encode() + b"\n" + b'"open quote' + b"x" * 200_000,
    "订单号\n1\n".encode("utf-16"),
    ",".join(cast.GENERIC).encode() + b"\n" + b"\x00,\x00\n" * 50,
    b"order_no\r\r\r\n\n",
    b"=1+1,=cmd\n1,2\n",
]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
@pytest.mark.parametrize("kind", ["orders", "skus", "stock"])
def test_no_file_makes_the_preview_or_the_import_fall_over(number: int, kind: str) -> None:
    client = make.browser(make.merchant())

    url = _upload(client, [("x\u202e.csv", HOSTILE[number])], kind).url
    preview = client.get(url)
    client.post(f"{url}start/")
    imports.run(ImportBatch.objects.get().pk)
    outcome = client.get(url)

    assert (preview.status_code, outcome.status_code) == (200, 200)
    assert ImportBatch.objects.get().accepted_orders == 0
    assert "怎么办" in _text(outcome)


@pytest.mark.parametrize(
    "query",
    [
        "?q=%00",
        "?stage=nope",
        "?batch=0",
        "?batch=99999999999999999999",
        "?before=x",
        "?q=" + "9" * 300,
        "?q=OH261122-999999999999999999",
        "?page=-1&warehouse=%00",
        "?kind=cats&before=-3",
    ],
)
@pytest.mark.parametrize("page", ["orders", "stock", "import"])
def test_odd_addresses_give_a_page(page: str, query: str) -> None:
    client = make.browser(make.merchant())

    assert client.get(f"/merchant/{page}/{query}").status_code == 200
    assert client.get("/merchant/import/99999999999999999999/").status_code == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_speaks_its_reader_s_language_and_carries_no_inline_code(language: str) -> None:
    owner = make.merchant()
    client = make.browser(owner, language=language)
    sheet = cast.generic()[0]
    sheet.put(4, "quantity", "-1")
    done = make.imported(owner, [("orders.csv", sheet.data())])
    failed = make.imported(owner, [("orders.csv", b"a,b\n1,2\n")])
    drafts = [
        _upload(client, [("new.csv", sheet.data())]).url,
        _upload(client, [("bad.csv", b"\x89PNG\r\n\x1a\n...")]).url,
    ]
    stock = _upload(client, [("stock.csv", b"warehouse,sku,on_hand\nW1,SKU-1,3\n")], "stock").url
    running = _upload(client, [("run.csv", sheet.data())]).url
    client.post(f"{running}start/")
    addresses = [
        "/merchant/import/",
        "/merchant/orders/",
        "/merchant/orders/?q=zzz",
        "/merchant/stock/",
        "/merchant/stock/?q=zzz",
        f"/merchant/import/{done.pk}/",
        f"/merchant/import/{failed.pk}/",
        *drafts,
        stock,
        running,
    ]

    for address in addresses:
        answer = client.get(address)
        page = _text(answer)

        assert answer.status_code == 200, address
        assert f'<html lang="{language}"' in page
        assert not re.search(
            r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon[a-z]+=\"|https?://(?!www\.w3)", page
        ), address
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        _assert_language(page, language, address)


def _assert_language(page: str, language: str, address: str) -> None:
    """English pages hold no Chinese but data and the language switch; Chinese ones no English words."""
    body = re.sub(r"<(code|pre)\b.*?</\1>|<[^>]*>", " ", page.partition("<body")[2])
    if language == "en":
        data = ("一号仓", "商品", "浙江省", "杭州市", "滨江区", "收货人甲", "中文", "文件导入")
        for words in data:
            body = body.replace(words, "")
        assert not HAN.search(body), (address, HAN.findall(body)[:20])
    else:
        body = re.sub(r"\w+\.csv|order_no|order_total", "", body)
        found = re.findall(
            r".{0,40}\b(?:the|your|rows?|orders|is|of|to|with|and|found|out|what)\b.{0,40}", body
        )
        assert not found, (address, found[:5])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_log_in_lets_people_in_and_says_what_is_wrong(language: str) -> None:
    make.person(make.merchant())
    client = Client(headers={"Accept-Language": language})

    page = client.get("/login/?next=/merchant/orders/")
    wrong = client.post("/login/", {"username": "li", "password": "no"})
    right = client.post(
        "/login/", {"username": "li", "password": "a-long-password", "next": "/merchant/orders/"}
    )

    _assert_language(_text(page), language, "/login/")
    assert 'name="language"' in _text(page)
    assert wrong.status_code == 200
    assert 'role="alert"' in _text(wrong)
    assert (right.status_code, right.url) == (302, "/merchant/orders/")


def test_orders_are_found_by_either_number_and_link_to_their_tracking() -> None:
    owner = make.merchant()
    client = make.browser(owner)
    make.imported(owner, make.files_of(cast.generic()))
    make.imported(owner, [("many.csv", make.many(60).data())])
    order = Order.objects.get(external_id="1002")

    by_theirs = _text(client.get("/merchant/orders/?q=1002"))
    by_ours = _text(client.get(f"/merchant/orders/?q={order.number}"))
    first = _text(client.get("/merchant/orders/"))
    more = re.search(r'href="\?before=(\d+)"', first)
    assert more is not None
    second = _text(client.get(f"/merchant/orders/?before={more.group(1)}"))

    for page in (by_theirs, by_ours):
        assert page.count('href="/t/') == 1
        assert sharing.tracking_path(order) in page
    assert (first.count('href="/t/'), second.count('href="/t/')) == (50, 14)
    assert 'href="?before=' not in second


def test_lists_cost_the_same_queries_for_one_row_and_for_fifty() -> None:
    owner = make.merchant()
    client = make.browser(owner)
    make.imported(owner, [("one.csv", make.many(1).data())])

    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            client.get(address)
        return len(seen)

    addresses = ["/merchant/orders/", "/merchant/stock/", "/merchant/import/"]
    before = [queries(address) for address in addresses]
    make.imported(owner, [("many.csv", make.many(50).data())])
    for _turn in range(5):
        make.imported(owner, [("none.csv", b"")])

    assert [queries(address) for address in addresses] == before
    assert max(before) <= 8


def test_the_menu_shows_only_pages_that_exist() -> None:
    page = _text(make.browser(make.merchant()).get("/merchant/import/"))

    assert re.findall(r'<li><a href="([^"]+)"', page) == [
        "/merchant/orders/",
        "/merchant/import/",
        "/merchant/stock/",
        "/merchant/carbon/",
    ]
    assert page.count('aria-current="page"') == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["orders", "skus", "stock"])
def test_the_sample_file_can_be_uploaded_as_it_is(kind: str, language: str) -> None:
    owner = make.merchant()
    client = make.browser(owner, language=language)

    content = client.get(reverse("merchant:import-sample", args=[kind])).content
    batch = make.imported(owner, [("sample.csv", content)], kind=kind)

    assert (batch.status, batch.refused_rows) == ("done", 0)
    assert client.get("/merchant/import/sample/cats.csv").status_code == 404


def test_every_state_of_an_import_has_a_pill() -> None:
    batch = ImportBatch(confirmed_at=clock.now())

    for status in ImportBatch.Status.values:
        batch.status = status
        assert pages.status_pill(batch)[0] in {"wait", "go", "ok", "warn", "bad"}
