"""Imports from upload to outcome: every dialect, once only, resumable, and every fault told in words."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.connectors import imports, listings, orderfiles, outcomes, uploads
from orderhub.connectors.models import ImportBatch, ImportFile, RefusedRow
from orderhub.events.models import Delivery, Event
from orderhub.inventory.models import Sku, Stock
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order, OrderLine
from tests.connectors import files_cast as cast
from tests.connectors import import_cast as make

pytestmark = pytest.mark.django_db
Spoil = Callable[[cast.Sheet], None]


# ---- every dialect ----


@pytest.mark.parametrize("dialect", sorted(cast.CAST))
def test_every_dialect_comes_in_whole_and_the_same_file_again_changes_nothing(dialect: str) -> None:
    owner = make.merchant()
    files = make.files_of(cast.CAST[dialect]())

    first = make.imported(owner, files)
    events = Event.objects.filter(stream__startswith="order:").count()
    again = make.imported(owner, files)

    assert make.counts(first) == ("done", 4, 0, 0)
    assert make.counts(again) == ("done", 0, 4, 0)
    assert first.dialect == dialect
    assert make.numbers(owner) == sorted(cast.NUMBERS[dialect])
    assert OrderLine.objects.filter(order__merchant=owner).count() == 7
    assert Event.objects.filter(stream__startswith="order:").count() == events
    assert set(Order.objects.values_list("source", flat=True)) == {first.stream}


def test_the_two_taobao_files_come_in_either_order_and_one_alone_is_refused() -> None:
    owner = make.merchant()
    head, detail = make.files_of(cast.taobao())

    both = make.imported(owner, [detail, head])
    alone = make.imported(make.merchant("other"), [head])

    assert make.counts(both) == ("done", 4, 0, 0)
    assert make.counts(alone) == ("failed", 0, 0, 0)
    assert alone.failure_kind == "missing_pair"
    assert Order.objects.filter(merchant__code="other").count() == 0


def test_another_content_under_a_known_number_is_refused_and_the_standing_order_kept() -> None:
    owner = make.merchant()
    make.imported(owner, make.files_of(cast.generic()))
    changed = cast.generic()
    changed[0].put(4, "quantity", "7")

    batch = make.imported(owner, make.files_of(changed))

    assert make.counts(batch) == ("done", 0, 3, 1)
    row = batch.refused.get()
    assert (row.kind, row.order_no, row.row) == ("order_changed", "1002", 4)
    assert OrderLine.objects.get(order__external_id="1002").ordered == 1


def test_two_merchants_may_have_the_same_order_numbers() -> None:
    files = make.files_of(cast.generic())

    one = make.imported(make.merchant("one"), files)
    two = make.imported(make.merchant("two"), files)

    assert make.counts(one) == make.counts(two) == ("done", 4, 0, 0)


def test_two_hundred_times_the_orders_cost_about_twice_the_queries() -> None:
    owner = make.merchant()

    def queries(count: int, first: int) -> int:
        sheet = make.many(count, first=first)
        batch = uploads.upload(
            [("many.csv", sheet.data())], merchant=owner, kind="orders", actor="t", now=clock.now(), user=None
        )
        with CaptureQueriesContext(connection) as seen:
            imports.run(batch.pk)
        return len(seen)

    queries(1, first=1)
    few = queries(2, first=2)
    many = queries(400, first=10)

    # SQLite takes at most 999 values a statement, so its bulk inserts come in pieces; nothing else may grow.
    assert few <= 40
    assert many <= few + 40


# ---- crash and resume ----


def test_a_crash_in_the_second_chunk_is_resumed_and_everything_is_there_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner = make.merchant()
    monkeypatch.setattr(orderfiles, "CHUNK_ORDERS", 10)
    files = [("many.csv", make.many(35).data())]
    batch = uploads.upload(files, merchant=owner, kind="orders", actor="t", now=clock.now(), user=None)
    place, calls = orderfiles.orders.place_many, []

    def fails_in_the_second(*args: Any, **options: Any) -> Any:
        calls.append(1)
        placed = place(*args, **options)
        if len(calls) == 2:
            raise RuntimeError("the machine went down")
        return placed

    monkeypatch.setattr(orderfiles.orders, "place_many", fails_in_the_second)
    with pytest.raises(RuntimeError, match="went down"):
        imports.run(batch.pk)
    batch.refresh_from_db()
    assert (batch.status, batch.done, batch.accepted_orders) == ("running", 10, 10)
    assert len(make.numbers(owner)) == 10

    imports.run(batch.pk)
    imports.run(batch.pk)

    batch.refresh_from_db()
    assert make.counts(batch) == ("done", 35, 0, 0)
    assert make.numbers(owner) == [f"N{number:05d}" for number in range(1, 36)]
    assert Event.objects.filter(kind="order.placed").count() == 35
    assert Event.objects.filter(kind="import.finished").count() == 1


def test_an_sku_that_vanishes_between_crash_and_resume_shifts_no_other_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner = make.merchant()
    monkeypatch.setattr(orderfiles, "CHUNK_ORDERS", 10)
    sheet = make.many(30)
    sheet.put(2, "sku", "SKU-9")
    batch = uploads.upload(
        [("many.csv", sheet.data())], merchant=owner, kind="orders", actor="t", now=clock.now(), user=None
    )
    monkeypatch.setattr(imports, "BUDGET_SECONDS", -1.0)
    imports.run(batch.pk)
    Sku.objects.filter(code="SKU-9").update(is_active=False)
    monkeypatch.setattr(imports, "BUDGET_SECONDS", 60.0)

    imports.run(batch.pk)

    assert make.numbers(owner) == [f"N{number:05d}" for number in range(1, 31)]


def test_a_long_import_queues_its_own_rest_before_a_worker_is_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner = make.merchant()
    monkeypatch.setattr(orderfiles, "CHUNK_ORDERS", 10)
    monkeypatch.setattr(imports, "BUDGET_SECONDS", -1.0)
    batch = uploads.upload(
        [("many.csv", make.many(25).data())],
        merchant=owner,
        kind="orders",
        actor="t",
        now=clock.now(),
        user=None,
    )

    for _turn in range(3):
        imports.run(batch.pk)

    batch.refresh_from_db()
    assert make.counts(batch) == ("done", 25, 0, 0)
    assert Delivery.objects.filter(subscriber="connectors.imports", stream=batch.stream).count() == 3


# ---- SKUs and stock ----


def test_skus_are_made_and_changed_and_the_same_file_again_changes_nothing() -> None:
    owner = make.merchant()
    content = "sku,name,price,grams\nSKU-1,新名字,12.3456,420\nNEW-1,A new one,5,100\nNEW-2,,x,100\n".encode()

    first = make.imported(owner, [("skus.csv", content)], kind="skus")
    again = make.imported(owner, [("skus.csv", content)], kind="skus")

    assert make.counts(first) == ("done", 2, 0, 1)
    assert make.counts(again) == ("done", 0, 2, 1)
    assert str(Sku.objects.get(merchant=owner, code="SKU-1").price) == "12.35"
    assert Sku.objects.get(merchant=owner, code="NEW-1").grams == 100


def test_stock_is_set_and_rows_with_unknown_places_are_left_out() -> None:
    owner = make.merchant()
    content = "仓库,sku,库存\nW1,SKU-1,7\nW1,SKU-2,100\nW9,SKU-1,5\nW1,NOPE,5\nW1,SKU-3,-4\n".encode()

    first = make.imported(owner, [("stock.csv", content)], kind="stock")
    again = make.imported(owner, [("stock.csv", content)], kind="stock")

    assert make.counts(first) == ("done", 1, 1, 3)
    assert make.counts(again) == ("done", 0, 2, 3)
    assert sorted(first.refused.values_list("row", "column", "kind")) == [
        (4, "仓库", "unknown_warehouse"),
        (5, "sku", "unknown_sku"),
        (6, "库存", "bad_quantity"),
    ]
    assert Stock.objects.get(sku__code="SKU-1", merchant=owner).on_hand == 7


def test_stock_too_is_resumed_after_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    owner = make.merchant()
    monkeypatch.setattr(listings, "CHUNK_ROWS", 2)
    rows = "".join(f"W1,SKU-{number},{number}\n" for number in range(1, 7))
    batch = uploads.upload(
        [("stock.csv", f"warehouse,sku,on_hand\n{rows}".encode())],
        merchant=owner,
        kind="stock",
        actor="t",
        now=clock.now(),
        user=None,
    )
    set_counts, calls = listings.inventory.set_counts, []

    def fails_in_the_second(*args: Any, **options: Any) -> Any:
        calls.append(1)
        done = set_counts(*args, **options)
        if len(calls) == 2:
            raise RuntimeError("the machine went down")
        return done

    monkeypatch.setattr(listings.inventory, "set_counts", fails_in_the_second)
    with pytest.raises(RuntimeError, match="went down"):
        imports.run(batch.pk)

    imports.run(batch.pk)

    batch.refresh_from_db()
    assert make.counts(batch) == ("done", 6, 0, 0)
    assert dict(Stock.objects.filter(sku__code__lt="SKU-7").values_list("sku__code", "on_hand")) == {
        f"SKU-{number}": number for number in range(1, 7)
    }


def test_a_dialect_chosen_for_a_file_that_has_none_is_ignored() -> None:
    content = b"sku,name,price,grams\nNEW-1,A new one,5,100\n"

    batch = make.imported(make.merchant(), [("skus.csv", content)], kind="skus", dialect="shopify")

    assert make.counts(batch) == ("done", 1, 0, 0)


# ---- files that are refused ----


def _zip(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


BAD_FILES = {
    "workbook named csv": (_zip("xl/workbook.xml", b"<workbook/>"), "spreadsheet_file"),
    "zip bomb": (_zip("a.csv", b"0" * 60_000_000), "zip_bomb"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(200), "image_file"),
    "nothing": (b"", "empty_file"),
    "only a header": (",".join(cast.GENERIC).encode() + b"\n", "header_only"),
    "repeated header": (
        b"order_no,order_no," + ",".join(cast.GENERIC[2:]).encode() + b"\n1\n",
        "duplicate_header",
    ),
    "other columns": (b"a,b\n1,2\n", "unknown_dialect"),
    "NUL bytes in the header": (b"order_no\x00,sku\n1,2\n", "binary_file"),
}


@pytest.mark.parametrize("name", sorted(BAD_FILES))
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_file_refused_as_a_whole_says_why_and_what_to_do(name: str, language: str) -> None:
    content, kind = BAD_FILES[name]
    owner = make.merchant()

    batch = make.imported(owner, [("orders.csv", content)])

    assert (batch.status, batch.failure_kind) == ("failed", kind)
    words = outcomes.failure(batch, language=language)
    assert words is not None
    assert all(words[part] and "?" not in words[part] for part in ("title", "reason", "remedy"))
    assert _is_chinese(words["remedy"]) == (language == "zh-hans")
    assert make.numbers(owner) == []


# ---- rows that are refused ----

BAD_CELLS: dict[str, tuple[str, str, str]] = {
    "unknown SKU": ("sku", "SKU-99", "unknown_sku"),
    "negative quantity": ("quantity", "-1", "bad_quantity"),
    "zero quantity": ("quantity", "0", "bad_quantity"),
    "impossible date": ("placed_at", "2026-02-30 10:00:00", "bad_date"),
    "unknown province": ("province", "大西洋省", "unknown_province"),
    "unknown country": ("country", "XX", "unknown_country"),
    "a cell of 200 KB": ("recipient", "x" * 200_000, "long_field"),
    "a formula": ("sku", "=cmd|'/c calc'!A0", "formula_cell"),
    "a NUL byte": ("note", "a\x00b", "nul_byte"),
    "another encoding": ("recipient", "\x1a\x1a", "bad_bytes"),
    "an order number from Excel": ("order_no", "1.93E+17", "sci_order_no"),
}


@pytest.mark.parametrize("name", sorted(BAD_CELLS))
def test_a_bad_cell_keeps_out_its_own_order_and_says_why(name: str) -> None:
    column, value, kind = BAD_CELLS[name]
    sheet = cast.generic()[0]
    sheet.put(4, column, value)
    owner = make.merchant()

    batch = make.imported(owner, [("orders.csv", sheet.data())])

    assert make.counts(batch) == ("done", 3, 0, 1)
    row = batch.refused.get()
    assert (row.file, row.row, row.kind) == ("orders.csv", 4, kind)
    assert len(row.value) <= 200
    assert make.numbers(owner) == ["1001", "1003", "1004"]
    for language in ("zh-hans", "en"):
        (cause,) = outcomes.causes(batch, language=language)
        assert cause["count"] == 1
        assert _is_chinese(str(cause["remedy"])) == (language == "zh-hans")


def test_an_amount_beyond_the_books_is_refused_like_any_other_bad_amount() -> None:
    sheet = cast.generic()[0]
    sheet.put(4, "unit_price", "999999999")
    sheet.put(4, "quantity", "999999")

    batch = make.imported(make.merchant(), [("orders.csv", sheet.data())])

    assert make.counts(batch) == ("done", 3, 0, 1)
    assert batch.refused.get().kind == "bad_price"


def test_a_file_in_the_wrong_encoding_is_mended_by_choosing_the_right_one() -> None:
    owner = make.merchant()
    (sheet,) = cast.generic()
    sheet.encoding = "gb18030"
    garbled = make.imported(owner, [("orders.csv", sheet.data())])
    batch = uploads.upload(
        [("orders.csv", sheet.data())],
        merchant=owner,
        kind="orders",
        actor="t",
        now=clock.now(),
        user=None,
        confirmed=False,
    )

    uploads.choose(batch.pk, merchant=owner, encoding="gb18030", dialect="")
    uploads.confirm(batch.pk, merchant=owner, now=clock.now(), actor="t")
    imports.run(batch.pk)

    batch.refresh_from_db()
    assert make.counts(garbled) == ("done", 0, 0, 7)
    assert [row["kind"] for row in garbled.warnings] == ["encoding_doubt"]
    assert make.counts(batch) == ("done", 4, 0, 0)


def test_the_list_of_refused_rows_is_a_csv_that_no_spreadsheet_runs() -> None:
    sheet = cast.generic()[0]
    sheet.put(4, "sku", "=HYPERLINK(1)")
    sheet.put(8, "quantity", "-1")
    batch = make.imported(make.merchant(), [("orders.csv", sheet.data())])
    handle = io.StringIO(newline="")

    written = outcomes.write_errors(handle, batch, language="en")

    rows = list(csv.reader(io.StringIO(handle.getvalue().removeprefix("\ufeff"), newline="")))
    assert written == 2
    assert rows[0] == ["file", "row", "order_no", "column", "kind", "value", "reason"]
    assert [row[:6] for row in rows[1:]] == [
        ["orders.csv", "4", "1002", "sku", "formula_cell", "'=HYPERLINK(1)"],
        ["orders.csv", "8", "1004", "quantity", "bad_quantity", "'-1"],
    ]


def test_causes_are_read_in_two_queries_whatever_their_number() -> None:
    sheet = make.many(12)
    for row, (column, value, _kind) in zip(range(2, 14), list(BAD_CELLS.values()) * 2, strict=False):
        if column != "order_no":
            sheet.put(row, column, value)
    batch = make.imported(make.merchant(), [("orders.csv", sheet.data())])

    with CaptureQueriesContext(connection) as seen:
        causes = outcomes.causes(batch, language="zh-hans")

    assert len(seen) == 2
    assert sum(int(str(cause["count"])) for cause in causes) == RefusedRow.objects.filter(batch=batch).count()


# ---- drafts ----


def test_an_unconfirmed_upload_owes_nothing_and_confirming_twice_queues_once() -> None:
    owner = make.merchant()
    files = make.files_of(cast.generic())
    batch = uploads.upload(
        files, merchant=owner, kind="orders", actor="t", now=clock.now(), user=None, confirmed=False
    )
    imports.run(batch.pk)
    assert Event.objects.count() == 0
    assert make.numbers(owner) == []

    uploads.confirm(batch.pk, merchant=owner, now=clock.now(), actor="t")
    uploads.confirm(batch.pk, merchant=owner, now=clock.now(), actor="t")

    assert Event.objects.filter(kind="import.queued").count() == 1
    assert uploads.discard(batch.pk, merchant=owner) is False


def test_a_thrown_away_upload_leaves_no_file_and_old_ones_go_by_themselves() -> None:
    owner = make.merchant()
    now = clock.now()
    files = make.files_of(cast.generic())
    options: dict[str, Any] = {
        "merchant": owner,
        "kind": "orders",
        "actor": "t",
        "user": None,
        "confirmed": False,
    }
    thrown = uploads.upload(files, now=now, **options)
    forgotten = uploads.upload(files, now=now - 2 * uploads.DRAFT_LIFE, **options)
    paths = list(ImportFile.objects.values_list("content", flat=True))

    uploads.discard(thrown.pk, merchant=owner)
    kept = uploads.upload(files, now=now, **options)

    assert list(ImportBatch.objects.values_list("pk", flat=True)) == [kept.pk]
    assert forgotten.pk != kept.pk
    assert [default_storage.exists(path) for path in paths] == [False, False]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ([], "no_file"),
        ([("a.csv", b"x")] * 6, "too_many_files"),
        ([("a.csv", b"x" * 2000)], "file_too_large"),
    ],
)
def test_an_upload_that_cannot_be_kept_is_refused_and_leaves_nothing(
    settings: Any, files: list[tuple[str, bytes]], code: str
) -> None:
    settings.UPLOAD_LIMIT_BYTES = 1000

    with pytest.raises(Refused) as refused:
        uploads.upload(files, merchant=make.merchant(), kind="orders", actor="t", now=clock.now(), user=None)

    assert refused.value.code == code
    assert ImportBatch.objects.count() == 0


def test_only_the_end_of_a_path_is_kept_as_the_name_of_a_file() -> None:
    batch = uploads.upload(
        [("C:\\Users\\li\\..\\..\\orders.csv", b"a")],
        merchant=make.merchant(),
        kind="orders",
        actor="t",
        now=clock.now(),
        user=None,
    )

    (file,) = batch.files.all()
    assert file.name == "orders.csv"
    assert "orders" not in file.content.name


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)
