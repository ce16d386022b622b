"""Custom fields in merchants' files: columns become values, wrong cells are refused row by row."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from orderhub.connectors import imports, outcomes, previews
from orderhub.connectors.files import messages
from orderhub.connectors.models import ImportBatch
from orderhub.fields.engine import Fault
from orderhub.fields.wording import WORDS
from orderhub.inventory.models import Sku
from orderhub.kernel import clock
from orderhub.orders.models import Order
from tests import cast, make
from tests.fields.conftest import WRAPS, Add

pytestmark = pytest.mark.django_db


def file_with(rows: list[dict[str, str]]) -> bytes:
    """Rows of the generic file with more columns: `number` is the order."""
    plain = make.csv_file([(row["number"], cast.FANG, {"LAMP": 1}) for row in rows]).decode()
    found = list(csv.DictReader(io.StringIO(plain)))
    more = list(dict.fromkeys(name for row in rows for name in row if name != "number"))
    out = io.StringIO()
    writer = csv.DictWriter(out, [*found[0], *more], restval="")
    writer.writeheader()
    for line, row in zip(found, rows, strict=True):
        writer.writerow({**line, **{name: row.get(name, "") for name in more}})
    return out.getvalue().encode()


def upload(content: bytes, kind: str = "orders") -> ImportBatch:
    batch = imports.upload(
        [(f"{kind}.csv", content)],
        merchant=make.merchant(),
        kind=kind,
        actor="user:li",
        now=clock.now(),
        user=None,
    )
    imports.run(batch.pk)
    batch.refresh_from_db()
    return batch


def refused(batch: ImportBatch) -> list[tuple[int, str, str, str]]:
    return [(row.row, row.column, row.kind, row.value) for row in batch.refused.order_by("row")]


def test_columns_of_orders_and_lines_become_values(add: Add, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    make.network()
    add("order", "gift_wrap", "choice", choices=WRAPS)
    add("order", "fragile", "boolean")
    add("order", "due", "date", default="2026-12-31")
    add("line", "engraving")
    content = file_with([
        {"number": "C-1", "custom.gift_wrap": "红色", "Custom.Fragile": "是", "line.custom.engraving": "给妈妈"},
        {"number": "C-2", "custom.gift_wrap": "gold", "Custom.Fragile": "no"},
        {"number": "C-3"},
    ])  # fmt: skip

    batch = upload(content)

    assert (batch.accepted_orders, batch.refused_rows) == (3, 0)
    values = dict(Order.objects.values_list("external_id", "custom"))
    assert values == {
        "C-1": {"gift_wrap": "red", "fragile": True, "due": "2026-12-31"},
        "C-2": {"gift_wrap": "gold", "fragile": False, "due": "2026-12-31"},
        "C-3": {"due": "2026-12-31"},
    }
    assert Order.objects.get(external_id="C-1").lines.get().custom == {"engraving": "给妈妈"}
    assert upload(content).unchanged_orders == 3


def test_wrong_cells_are_refused_with_row_column_value_and_reason(
    add: Add, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    make.network()
    add("order", "gift_wrap", "choice", choices=WRAPS)
    add("order", "shop", is_required=True)
    add("line", "pieces", "integer", most="5")
    content = file_with([
        {"number": "D-1", "custom.gift_wrap": "blue", "custom.shop": "M1"},
        {"number": "D-2", "custom.shop": ""},
        {"number": "D-3", "custom.shop": "M1", "line.custom.pieces": "6"},
        {"number": "D-4", "custom.shop": "<b>M1</b>", "line.custom.pieces": "5"},
    ])  # fmt: skip

    batch = upload(content)

    assert refused(batch) == [
        (2, "custom.gift_wrap", "field_choice", "blue"),
        (3, "custom.shop", "field_required", ""),
        (4, "line.custom.pieces", "field_most", "6"),
    ]
    assert batch.accepted_orders == 1
    words = {
        row.order_no: messages.about_row(row, language="en").reason for row in outcomes.row_errors(batch)
    }
    assert words["D-1"] == "“blue” in “custom.gift_wrap”: is none of its choices: red, gold."
    assert words["D-3"] == "“6” in “line.custom.pieces”: must be at most 5."
    chinese = [messages.about_row(row, language="zh").reason for row in outcomes.row_errors(batch)]
    assert chinese[1] == "“custom.shop”的“”：字段 shop 必填。"


def test_a_preview_names_the_columns_it_uses(add: Add, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    make.network()
    add("order", "floor", "integer")
    content = file_with([{"number": "E-1", "custom.floor": "3", "custom.nothing": "x"}])
    batch = imports.upload(
        [("a.csv", content)],
        merchant=make.merchant(),
        kind="orders",
        actor="user:li",
        now=clock.now(),
        user=None,
    )

    found = previews.preview(batch, language="en").evidence[0]

    assert ("custom.floor", "custom.floor") in found.used
    assert "custom.nothing" in found.unused


def test_an_article_file_fills_and_empties_fields(add: Add, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    make.network()
    add("sku", "length_cm", "integer", least="1")
    add("sku", "care", default="dry")
    Sku.objects.filter(code="LAMP").update(custom={"length_cm": 3, "care": "wet"})
    header = "sku,name,price,grams,custom.length_cm\n"

    batch = upload((header + "LAMP,Lamp,399,900,\nNEW,New,1,10,8\nBAD,Bad,1,10,0\n").encode(), "skus")

    assert refused(batch) == [(4, "custom.length_cm", "field_least", "0")]
    values = dict(Sku.objects.filter(code__in=["LAMP", "NEW"]).values_list("code", "custom"))
    assert values == {"LAMP": {"care": "wet"}, "NEW": {"length_cm": 8, "care": "dry"}}
    again = upload((header + "LAMP,Lamp,399,900,\nNEW,New,1,10,8\n").encode(), "skus")
    assert again.unchanged_orders == 2


def test_every_fault_of_a_value_has_words_for_files() -> None:
    of_values = {code for code in WORDS if code.startswith(("field_", "fields_"))} - {
        "field_kind", "field_code", "field_pattern_kind", "field_limit", "field_limit_kind", "field_limits",
        "field_choices", "field_choice_twice", "field_choice_form",
    }  # fmt: skip

    assert of_values <= messages.ROW_KINDS
    assert isinstance(Fault("field_text"), ValueError)
