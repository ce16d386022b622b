"""Merchants' order files read, judged and grouped, against the csv module alone over the very same bytes.

    python bench/reading.py                     # 100,000 lines in each dialect, 250,000 for the memory
    python bench/reading.py --lines 20000       # quicker

Limit: `csv.reader` walking through the decoded file and keeping nothing. Ours: `stream_orders`, every rule applied, with
a catalog that knows all articles. Both in processor seconds, in turn, median of the rounds. Memory: a process of its
own reads the large file; its base is what it held before the first row.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import house

from orderhub.connectors.files import reader
from orderhub.kernel import regions

SKUS, ROUNDS = 2000, 3
CHINA = [
    ("浙江省", "杭州市", "滨江区"),
    ("广东省", "深圳市", "南山区"),
    ("四川省", "成都市", "武侯区"),
    ("上海", "上海市", "浦东新区"),
]
WORLD = [("US", "CA", "San Jose", "95112"), ("US", "NY", "Albany", "12207"), ("DE", "BY", "München", "80331")]
GENERIC = [
    "order_no", "line_no", "placed_at", "paid_at", "currency", "sku", "quantity", "unit_price", "order_total",
    "recipient", "phone", "country", "province", "city", "district", "address", "postcode", "service",
    "green_delivery", "note",
]  # fmt: skip
SHOPIFY = [
    "Name", "Email", "Financial Status", "Paid at", "Fulfillment Status", "Currency", "Total", "Shipping Method",
    "Created at", "Lineitem quantity", "Lineitem name", "Lineitem price", "Lineitem sku", "Shipping Name",
    "Shipping Address1", "Shipping City", "Shipping Zip", "Shipping Province", "Shipping Country", "Shipping Phone",
    "Notes", "Cancelled at", *(f"Other {number}" for number in range(57)),
]  # fmt: skip
TAOBAO_HEAD = [
    "订单编号", "总金额", "订单状态", "买家留言", "收货人姓名", "收货地址 ", "运送方式", "联系手机", "订单创建时间",
    "订单付款时间 ", "宝贝总数量", *(f"其他{number}" for number in range(32)),
]  # fmt: skip
TAOBAO_LINE = ["订单编号", "标题", "价格", "购买数量", "外部系统编号", "商品属性", "订单状态", "商家编码"]
AMAZON = [
    "order-id", "order-item-id", "purchase-date", "payments-date", "buyer-email", "sku", "product-name",
    "quantity-purchased", "currency", "item-price", "ship-service-level", "recipient-name", "ship-address-1",
    "ship-city", "ship-state", "ship-postal-code", "ship-country", "ship-phone-number",
    *(f"other-{number}" for number in range(11)),
]  # fmt: skip

Item = tuple[str, int, str]
Order = tuple[int, str, list[Item]]


def orders(lines: int) -> Iterator[Order]:
    """Number, time and items (article, pieces, price) of orders with 1 to 4 lines until there are so many lines."""
    draw, number = random.Random(17), 0
    while lines > 0:
        count = min(lines, number % 4 + 1)
        second = number * 2 % 86_400
        at = f"2026-11-11 {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        items = [
            (
                f"SKU-{draw.randrange(SKUS):05}",
                draw.choice((1, 1, 1, 2, 3)),
                f"{draw.randint(500, 30000) / 100:.2f}",
            )
            for _ in range(count)
        ]
        yield number, at, items
        lines, number = lines - count, number + 1


def generic(lines: int) -> list[list[list[str]]]:
    """One table; every row repeats the order's own cells."""
    rows = [GENERIC]
    for number, at, items in orders(lines):
        for place, (sku, quantity, price) in enumerate(items, 1):
            rows.append([
                f"20{number:017}", str(place), f"{at}+08:00", f"{at}+08:00", "CNY", sku, str(quantity), price, "99.00",
                f"收货人{number:06}", f"100{number:08}", "CN", *CHINA[number % 4], f"示例路{number % 999}号",
                "000000", "standard", "yes" if number % 3 else "no", 'a "quoted", note' if number % 50 == 0 else "",
            ])  # fmt: skip
    return [rows]


def shopify(lines: int) -> list[list[list[str]]]:
    """One table; next rows of an order carry only number, e-mail and line."""
    rows = [SHOPIFY]
    for number, at, items in orders(lines):
        country, state, city, code = WORLD[number % 3]
        for place, (sku, quantity, price) in enumerate(items):
            line = [str(quantity), "Thing", price, sku]
            mail = [f"#{1000 + number}", f"r{number}@example.com"]
            if place:
                rows.append([*mail, *[""] * 7, *line, *[""] * 66])
                continue
            rows.append([
                *mail, "paid", f"{at} +0000", "unfulfilled", "USD", "99.00", "Standard", f"{at} +0000", *line,
                f"Recipient {number}", f"{number % 999} Example Road", city, f"'{code}", state, country,
                f"555-01{number % 100:02}", "", "", *[""] * 57,
            ])  # fmt: skip
    return [rows]


def taobao(lines: int) -> list[list[list[str]]]:
    """Two tables: orders and their details."""
    heads, details = [TAOBAO_HEAD], [TAOBAO_LINE]
    for number, at, items in orders(lines):
        order_no, state = f'="20{number:017}"', "买家已付款，等待卖家发货"
        units = sum(quantity for _sku, quantity, _price in items)
        heads.append([
            order_no, "99.00", state, "", f"收货人{number:06}", f"{' '.join(CHINA[number % 4])} 示例路{number % 999}号(000000)",
            "快递", f"'100{number:08}", at, at, str(units), *[""] * 32,
        ])  # fmt: skip
        details += [
            [order_no, "示例商品", price, str(quantity), sku, "颜色:红", state, sku]
            for sku, quantity, price in items
        ]
    return [heads, details]


def amazon(lines: int) -> list[list[list[str]]]:
    """One table; the price is for the whole quantity."""
    rows = [AMAZON]
    for number, at, items in orders(lines):
        country, state, city, code = WORLD[number % 3]
        for place, (sku, quantity, price) in enumerate(items):
            rows.append([
                f"902-{number:07}-{number * 7 % 10**7:07}", f"{number:010}{place}", f"{at}+00:00", f"{at}+00:00",
                f"r{number}@example.net", sku, f"Café {sku}", str(quantity), "USD", price, "Standard",
                f"Recipient {number}", f"{number % 999} Example Road", city, state, code, country,
                f"555-01{number % 100:02}", *[""] * 11,
            ])  # fmt: skip
    return [rows]


#: By dialect: its tables, their encoding and separator.
DIALECTS: dict[str, tuple[Callable[[int], list[list[list[str]]]], str, str]] = {
    "generic": (generic, "utf-8", ","),
    "shopify": (shopify, "utf-8", ","),
    "taobao": (taobao, "gb18030", ","),
    "amazon": (amazon, "cp1252", "\t"),
}


def saved(folder: Path, dialect: str, lines: int) -> list[tuple[str, Path]]:
    """The dialect's files with so many order lines."""
    make, encoding, delimiter = DIALECTS[dialect]
    files = []
    for place, rows in enumerate(make(lines)):
        buffer = io.StringIO()
        csv.writer(buffer, delimiter=delimiter).writerows(rows)
        path = folder / f"{dialect}_{lines}_{place}.csv"
        path.write_bytes(buffer.getvalue().encode(encoding))
        files.append((path.name, path))
    return files


def only_csv(files: list[tuple[str, Path]], dialect: str) -> None:
    """The limit: cut into cells, nothing else."""
    _make, encoding, delimiter = DIALECTS[dialect]
    for _name, path in files:
        with path.open(encoding=encoding, newline="") as handle:
            for _row in csv.reader(handle, delimiter=delimiter):
                pass


def ours(files: list[tuple[str, Path]]) -> int:
    """Everything an import needs; the number of lines in accepted orders."""
    chunks = reader.stream_orders(reader.recognize(files), catalog=set, regions=regions.verdict)
    return sum(len(order.lines) for chunk in chunks for order in chunk.orders)


def seconds(action: Callable[[], object]) -> float:
    """Processor seconds of one call."""
    started = time.process_time()
    action()
    return time.process_time() - started


def measured(folder: Path, dialect: str, lines: int) -> dict[str, float]:
    """Lines a second and how many times the csv module's time they take."""
    files = saved(folder, dialect, lines)
    assert ours(files) == lines, "every line must be accepted"
    pairs = [(seconds(lambda: only_csv(files, dialect)), seconds(lambda: ours(files))) for _ in range(ROUNDS)]
    limit, mine = (statistics.median(column) for column in zip(*pairs, strict=True))
    return {"lines_per_s": round(lines / mine), "times_csv": round(mine / limit, 1)}


def peak(files: list[str]) -> None:
    """Read the files in this process and print what it held before and at most, in MB."""
    regions.verdict("CN", "浙江省", "杭州市")
    base = house.peak_mb()
    ours([(Path(name).name, Path(name)) for name in files])
    print(json.dumps([base, house.peak_mb()]))


def memory(folder: Path, lines: int) -> dict[str, float]:
    """Base and peak of a fresh process that reads a generic file."""
    [(_name, path)] = saved(folder, "generic", lines)
    command = [sys.executable, __file__, "--peak", str(path)]
    base, top = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {"base_mb": round(base), "peak_mb": round(top)}


def main() -> None:
    """Run all dialects and the memory figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--memory-lines", type=int, default=250_000)
    parser.add_argument("--peak", nargs="+", help="only read these files and print the memory")
    options = parser.parse_args()
    if options.peak:
        peak(options.peak)
        return
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name:
        for dialect in DIALECTS:
            figures[dialect] = measured(Path(name), dialect, options.lines)
            print(f"{dialect:8}", figures[dialect], flush=True)
        figures.update(memory(Path(name), options.memory_lines))
    print(
        f"memory at {options.memory_lines:,} lines: {figures['peak_mb']} MB, before it {figures['base_mb']} MB"
    )
    house.end_with(lines=options.lines, memory_lines=options.memory_lines, **figures)


if __name__ == "__main__":
    main()
