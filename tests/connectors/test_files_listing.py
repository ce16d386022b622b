"""Files of articles and of stock."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from orderhub.connectors.files import reader
from orderhub.connectors.files.faults import FileRefused
from orderhub.connectors.files.parsed import ParsedSku, ParsedStock
from tests.connectors import files_cast as cast


def test_articles_are_read_and_bad_rows_reported(tmp_path: Path) -> None:
    data = (
        "sku,name,price,grams\nSKU-1,示例商品 红,19.90,250\n,x,1,1\nSKU-2,x,-1,1\nSKU-3,x,1,0\n"
        "SKU-1,again,1,1\n=1+1,x,1,1\nSKU-4,x,1\nSKU-5,last,0,1\n"
    )
    upload = cast.saved_bytes(tmp_path, "skus.csv", data.encode())

    result = reader.read_skus(reader.recognize([upload], kind="skus"))

    assert result.skus == [
        ParsedSku("SKU-1", "示例商品 红", Decimal("19.90"), 250, 2),
        ParsedSku("SKU-5", "last", Decimal(0), 1, 9),
    ]
    assert [(x.row, x.column, x.kind) for x in result.errors] == [
        (3, "sku", "missing_sku"),
        (4, "price", "bad_price"),
        (5, "grams", "bad_quantity"),
        (6, "sku", "duplicate_sku"),
        (7, "sku", "formula_cell"),
        (8, "", "ragged_row"),
    ]
    assert result.rows == 8


def test_stock_is_read_and_bad_rows_reported(tmp_path: Path) -> None:
    data = (
        "warehouse,sku,on_hand\nHZ,SKU-1,0\nSH,SKU-1,7\nHZ,SKU-1,3\n,SKU-1,1\n"
        "HZ,,1\nHZ,SKU-2,-1\nHZ,SKU-3,1.5\n"
    )
    upload = cast.saved_bytes(tmp_path, "stock.csv", data.encode("utf-8-sig"))

    result = reader.read_stock(reader.recognize([upload], kind="stock"))

    assert result.stock == [ParsedStock("HZ", "SKU-1", 0, 2), ParsedStock("SH", "SKU-1", 7, 3)]
    assert [(x.row, x.kind) for x in result.errors] == [
        (4, "duplicate_sku"),
        (5, "missing_warehouse"),
        (6, "missing_sku"),
        (7, "bad_quantity"),
        (8, "bad_quantity"),
    ]


def test_an_order_file_is_no_article_file(tmp_path: Path) -> None:
    with pytest.raises(FileRefused) as refused:
        reader.recognize(cast.saved(tmp_path, cast.generic()), kind="skus")

    assert refused.value.kind == "unknown_dialect"
    assert refused.value.facts["missing"] == ["name", "price", "grams"]


def test_a_preview_of_articles_shows_rows_only(tmp_path: Path) -> None:
    upload = cast.saved_bytes(tmp_path, "skus.csv", b"sku,name,price,grams\nSKU-1,x,1,1\n")

    preview = reader.preview(reader.recognize([upload], kind="skus"))

    assert preview.rows == {"skus.csv": [(2, ["SKU-1", "x", "1", "1"])]}
    assert preview.orders == []
