"""The demo shop's network and catalog: 12 warehouses on Chinese cities, 120 SKUs; all of it invented."""

from __future__ import annotations

import random
from datetime import datetime
from decimal import Decimal

from orderhub.access.models import Merchant
from orderhub.inventory import services
from orderhub.inventory.models import Sku, Warehouse

#: code, zh, en, kind, province, city, latitude, longitude, parcels a day, energy, provinces served first
WAREHOUSES = (
    ("WH-HGH", "杭州仓", "Hangzhou", "warehouse", "浙江省", "杭州市", "30.25", "120.17", 4000, "solar", ("浙江省", "上海市", "江苏省")),
    ("WH-CAN", "广州仓", "Guangzhou", "warehouse", "广东省", "广州市", "23.13", "113.26", 4000, "grid", ("广东省", "广西壮族自治区", "海南省")),
    ("WH-CTU", "成都仓", "Chengdu", "warehouse", "四川省", "成都市", "30.57", "104.07", 3000, "mixed", ("四川省", "重庆市", "贵州省", "西藏自治区")),
    ("WH-WUH", "武汉仓", "Wuhan", "warehouse", "湖北省", "武汉市", "30.59", "114.31", 3000, "grid", ("湖北省", "湖南省", "河南省")),
    ("WH-TSN", "天津仓", "Tianjin", "warehouse", "天津市", "天津市", "39.13", "117.20", 3000, "grid", ("北京市", "天津市", "河北省")),
    ("WH-XIY", "西安仓", "Xi'an", "warehouse", "陕西省", "西安市", "34.34", "108.94", 2000, "grid", ("陕西省", "甘肃省", "青海省", "宁夏回族自治区")),
    ("WH-SHE", "沈阳仓", "Shenyang", "warehouse", "辽宁省", "沈阳市", "41.80", "123.43", 2000, "grid", ("辽宁省", "吉林省", "黑龙江省")),
    ("WH-URC", "乌鲁木齐仓", "Urumqi", "warehouse", "新疆维吾尔自治区", "乌鲁木齐市", "43.83", "87.62", 800, "mixed", ("新疆维吾尔自治区",)),
    ("FW-SHA", "上海前置仓", "Shanghai forward", "forward", "上海市", "上海市", "31.23", "121.47", 1200, "grid", ("上海市",)),
    ("FW-SZX", "深圳前置仓", "Shenzhen forward", "forward", "广东省", "深圳市", "22.54", "114.06", 1200, "grid", ("广东省",)),
    ("ST-BJS", "北京门店", "Beijing store", "store", "北京市", "北京市", "39.90", "116.41", 300, "grid", ("北京市",)),
    ("FA-SZV", "苏州工厂", "Suzhou factory", "factory", "江苏省", "苏州市", "31.30", "120.59", 600, "solar", ("江苏省",)),
)  # fmt: skip

#: zh, en, category, grams, yuan
PRODUCTS = (
    ("四件套", "Bedding set", "bedding", 2600, "399"), ("记忆枕", "Memory pillow", "bedding", 1400, "129"),
    ("羽绒被", "Down quilt", "bedding", 3200, "699"), ("羊毛地毯", "Wool rug", "living", 5200, "899"),
    ("落地灯", "Floor lamp", "lighting", 4300, "329"), ("台灯", "Desk lamp", "lighting", 1500, "159"),
    ("收纳箱", "Storage box", "storage", 1100, "59"), ("陶瓷餐具", "Ceramic tableware", "kitchen", 3600, "269"),
    ("保温杯", "Vacuum flask", "kitchen", 420, "89"), ("电热水壶", "Electric kettle", "kitchen", 1300, "149"),
    ("浴巾", "Bath towel", "bath", 650, "49"), ("香薰", "Home fragrance", "living", 380, "79"),
    ("棉麻窗帘", "Linen curtain", "living", 2400, "239"), ("靠垫", "Cushion", "living", 560, "69"),
    ("实木凳", "Wooden stool", "furniture", 3800, "219"), ("床边柜", "Bedside cabinet", "furniture", 12500, "459"),
    ("挂钟", "Wall clock", "living", 900, "119"), ("花瓶", "Vase", "living", 1200, "99"),
    ("绿植", "Potted plant", "living", 2200, "79"), ("蒸汽熨斗", "Steam iron", "appliance", 1250, "189"),
)  # fmt: skip
COLORS = (
    ("雾蓝", "mist blue"),
    ("米白", "off-white"),
    ("炭灰", "charcoal"),
    ("豆绿", "sage"),
    ("暖棕", "warm brown"),
    ("砖红", "brick red"),
)


def seed(merchant: Merchant, *, now: datetime) -> None:
    """Make the network, the catalog and the stock; running it again changes nothing that people edited."""
    for code, name, name_en, kind, province, city, lat, lng, capacity, energy, serves in WAREHOUSES:
        Warehouse.objects.get_or_create(
            merchant=merchant, code=code,
            defaults={
                "name": name, "name_en": name_en, "kind": kind, "province": province, "city": city,
                "latitude": Decimal(lat), "longitude": Decimal(lng), "capacity_per_day": capacity,
                "energy_source": energy, "serves_provinces": list(serves),
            },
        )  # fmt: skip
    if not Sku.objects.filter(merchant=merchant, code="DEMO-001").exists():
        Sku.objects.bulk_create(_skus(merchant))
        _fill(merchant, now=now)


def _skus(merchant: Merchant) -> list[Sku]:
    pairs = [(product, color) for product in PRODUCTS for color in COLORS]
    return [
        Sku(
            merchant=merchant, code=f"DEMO-{number:03d}", name=f"{zh} · {color_zh}", name_en=f"{en}, {color_en}",
            category=category, grams=grams, price=Decimal(price),
        )
        for number, ((zh, en, category, grams, price), (color_zh, color_en)) in enumerate(pairs, 1)
    ]  # fmt: skip


def _fill(merchant: Merchant, *, now: datetime) -> None:
    """Big warehouses hold most SKUs, forward warehouses and stores a few; the same figures every time."""
    chance = random.Random(20261111)
    share = {"warehouse": 0.75, "forward": 0.35, "store": 0.25, "factory": 0.5}
    warehouses = list(
        Warehouse.objects.filter(merchant=merchant, code__in=[row[0] for row in WAREHOUSES]).order_by("code")
    )
    skus = list(Sku.objects.filter(merchant=merchant, code__startswith="DEMO-").order_by("code"))
    rows = [
        (warehouse, sku, chance.randint(15, 120))
        for sku in skus
        for warehouse in warehouses
        if chance.random() < share[warehouse.kind]
    ]
    services.set_counts(rows, actor="demo", now=now, reference="demo")
