"""What is sold, and to whom: an invented catalog, invented people on real provinces, from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

#: The codes of the demo shop, so that a fake channel sells what its hub stocks; another catalog can be set.
DEMO_GOODS = tuple((f"DEMO-{number:03d}", f"示例商品 {number:03d}") for number in range(1, 41))
PLACES = (
    ("浙江省", "杭州市", "滨江区", "长河街道", "310051"), ("上海市", "上海市", "徐汇区", "漕河泾街道", "200233"),
    ("广东省", "深圳市", "南山区", "粤海街道", "518057"), ("四川省", "成都市", "武侯区", "桂溪街道", "610041"),
    ("北京市", "北京市", "海淀区", "中关村街道", "100080"), ("湖北省", "武汉市", "洪山区", "关山街道", "430074"),
    ("陕西省", "西安市", "雁塔区", "电子城街道", "710065"), ("江苏省", "苏州市", "吴中区", "长桥街道", "215128"),
)  # fmt: skip
PLACES_ABROAD = (
    ("Kentucky", "KY", "Louisville", "40202", "US"), ("California", "CA", "San Francisco", "94103", "US"),
    ("Texas", "TX", "Houston", "77063", "US"), ("England", "ENG", "Leeds", "LS1 4DY", "GB"),
)  # fmt: skip


@dataclass(frozen=True)
class Good:
    """Something to sell; the price is in the channel's own currency."""

    sku: str
    name: str
    price: Decimal
    grams: int


@dataclass(frozen=True)
class Receiver:
    """Who gets a parcel and where; all of it invented."""

    name: str
    phone: str
    province: str
    city: str
    district: str
    town: str
    address: str
    postcode: str
    country: str = "CN"
    province_code: str = ""
    email: str = ""

    def changed(self, **parts: Any) -> Receiver:
        """The same person with other details; raises TypeError for parts there are not."""
        return replace(self, **{name: str(value) for name, value in parts.items()})


class Market:
    """Draws goods and people from a seed."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(f"{seed}/market")
        self.goods: list[Good] = []
        self.set_goods([])

    def set_goods(self, goods: list[dict[str, Any]]) -> None:
        """Sell these (`sku`, `name`, `price`, `grams`) from now on; an empty list brings back the demo's."""
        self.goods = [
            Good(
                str(one["sku"]), str(one.get("name", one["sku"])), Decimal(str(one.get("price", "99.00"))),
                int(one.get("grams", 500)),
            )
            for one in goods
        ] or [
            Good(sku, name, Decimal(49 + 10 * (number % 17)).quantize(Decimal("0.01")), 300 + 90 * (number % 13))
            for number, (sku, name) in enumerate(DEMO_GOODS, 1)
        ]  # fmt: skip

    def good(self, sku: str) -> Good:
        """The good with this code; one that is not in the catalog costs 99.00 and weighs 500 g."""
        for good in self.goods:
            if good.sku == sku:
                return good
        return Good(sku, sku, Decimal("99.00"), 500)

    def basket(self) -> list[tuple[Good, int]]:
        """One to three goods with quantities."""
        count = min(len(self.goods), self.dice.choices((1, 2, 3), (70, 20, 10))[0])
        return [
            (good, self.dice.choices((1, 2), (85, 15))[0]) for good in self.dice.sample(self.goods, count)
        ]

    def person(self, abroad: bool = False) -> Receiver:
        """Somebody new."""
        number = self.dice.randrange(10_000)
        if abroad:
            province, code, city, postcode, country = self.dice.choice(PLACES_ABROAD)
            return Receiver(
                f"Sample Buyer{number:04d}", f"555-01{number % 100:02d}", province, city, "", "",
                f"{1 + number % 200} Example Road", postcode, country, code, f"buyer{number:04d}@example.com",
            )  # fmt: skip
        province, city, district, town, postcode = self.dice.choice(PLACES)
        return Receiver(
            f"示例顾客{number:04d}", f"100{number:08d}", province, city, district, town, f"示例路{1 + number % 300}号", postcode,
        )  # fmt: skip
