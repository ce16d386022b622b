"""The demo's connection to the simulator, its people and key, and the sample file of orders."""

from __future__ import annotations

import csv
import io
import random
from datetime import datetime, timedelta

from django.conf import settings

from orderhub.access import services as access
from orderhub.access.models import Merchant, User
from orderhub.connectors import shelf
from orderhub.connectors.models import Connection
from orderhub.inventory.models import Sku
from orderhub.orders.models import Channel

#: province, city, district, how many in a hundred orders go there
PLACES = (
    ("浙江省", "杭州市", "西湖区", 10), ("上海市", "上海市", "浦东新区", 12), ("江苏省", "南京市", "鼓楼区", 8),
    ("广东省", "广州市", "天河区", 9), ("广东省", "深圳市", "南山区", 9), ("北京市", "北京市", "朝阳区", 10),
    ("四川省", "成都市", "武侯区", 8), ("湖北省", "武汉市", "洪山区", 6), ("陕西省", "西安市", "雁塔区", 5),
    ("辽宁省", "沈阳市", "和平区", 4), ("山东省", "青岛市", "市南区", 5), ("福建省", "厦门市", "思明区", 4),
    ("湖南省", "长沙市", "岳麓区", 4), ("云南省", "昆明市", "五华区", 3), ("新疆维吾尔自治区", "乌鲁木齐市", "天山区", 2),
    ("西藏自治区", "拉萨市", "城关区", 1),
)  # fmt: skip
HEADER = (
    "order_no", "line_no", "channel", "placed_at", "paid_at", "currency", "sku", "quantity", "unit_price", "order_total",
    "recipient", "phone", "country", "province", "city", "district", "address", "postcode", "service", "green_delivery", "note",
)  # fmt: skip


def seed(merchant: Merchant, *, now: datetime) -> None:
    """Make the channels, the simulator's connection, the shipped profiles, the log-ins and the key."""
    for code, name, name_en in (("web", "自营商城", "Own shop"), ("api", "开放接口", "Open API")):
        Channel.objects.get_or_create(
            merchant=merchant, code=code, defaults={"name": name, "name_en": name_en}
        )
    Connection.objects.get_or_create(
        merchant=merchant, code="sim",
        defaults={"name": "模拟仓配", "kind": "simulator", "config": {"trouble": 0.04}},
    )  # fmt: skip
    shelf.load_shipped(now=now)
    access.issue_key(merchant, name="demo", key=settings.DEMO_API_KEY)
    _person("admin", merchant=None, is_staff=True, is_superuser=True)
    _person("merchant", merchant=merchant, is_staff=False, is_superuser=False)


def _person(name: str, *, merchant: Merchant | None, is_staff: bool, is_superuser: bool) -> None:
    user, _created = User.objects.get_or_create(
        username=name, defaults={"merchant": merchant, "is_staff": is_staff, "is_superuser": is_superuser}
    )
    if not user.check_password(settings.DEMO_PASSWORD):
        user.set_password(settings.DEMO_PASSWORD)
        user.save()


def sample_file(merchant: Merchant, *, now: datetime, orders: int = 200) -> bytes:
    """A generic order file (UTF-8): the same orders every time but for their dates, three of them with a planted fault."""
    chance = random.Random(20261122)
    skus = list(Sku.objects.filter(merchant=merchant, code__startswith="DEMO-").order_by("code"))
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEADER)
    for number in range(1, orders + 1):
        writer.writerows(_rows(number, chance, skus, now=now))
    return out.getvalue().encode()


def _rows(number: int, chance: random.Random, skus: list[Sku], *, now: datetime) -> list[list[object]]:
    placed = now - timedelta(minutes=chance.randint(5, 600))
    paid = placed + timedelta(minutes=1) if chance.random() < 0.96 else None
    province, city, district, _share = chance.choices(PLACES, [place[3] for place in PLACES])[0]
    picked = chance.sample(skus, chance.choices((1, 2, 3, 4), (50, 28, 15, 7))[0])
    lines = [(sku, chance.choices((1, 2, 3), (80, 15, 5))[0]) for sku in picked]
    total = sum(sku.price * quantity for sku, quantity in lines)
    service = chance.choices(("standard", "express", "economy"), (75, 15, 10))[0]
    green = "yes" if chance.random() < 0.38 else "no"
    fault = {60: "SKU-未知", 120: "0", 180: "2026-02-30 10:00:00"}.get(number)
    return [
        [
            f"D{now:%y%m%d}{number:05d}", position, "web",
            fault if fault and number == 180 else placed.isoformat(timespec="seconds"),
            paid.isoformat(timespec="seconds") if paid else "", "CNY",
            fault if fault and number == 60 and position == 1 else sku.code,
            fault if fault and number == 120 and position == 1 else quantity,
            sku.price, total, f"演示顾客{number:03d}", f"100{number:08d}", "CN", province, city, district,
            f"示例路 {number % 199 + 1} 号", "", service, green, "",
        ]
        for position, (sku, quantity) in enumerate(lines, 1)
    ]  # fmt: skip
