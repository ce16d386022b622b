"""The characters of the tests: two merchants who never see each other's goods, and their buyers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shop:
    """A merchant of the stories."""

    code: str
    name: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Buyer:
    """Somebody an order goes to, with the address as a channel writes it."""

    name: str
    phone: str
    province: str
    city: str
    district: str
    address: str
    country: str = "CN"
    postcode: str = ""

    @property
    def destination(self) -> dict[str, str]:
        """The address as the API takes it."""
        return {
            "country": self.country, "province": self.province, "city": self.city, "district": self.district,
            "address": self.address, "name": self.name, "phone": self.phone, "postcode": self.postcode,
        }  # fmt: skip


ALICE = Shop("alice", "青禾家居", "Alice Home")
BOB = Shop("bob", "博雅文具", "Bob Stationery")

#: Lives beside the warehouse of Hangzhou.
FANG = Buyer("王芳", "13800000001", "浙江省", "杭州市", "西湖区", "文三路 90 号 3 幢 501 室")
#: Lives beside the warehouse of Guangzhou.
LEI = Buyer("李雷", "13800000002", "广东省", "广州市", "天河区", "体育西路 12 号")
#: Lives beside the warehouse of Chengdu.
MEI = Buyer("韩梅", "13800000003", "四川省", "成都市", "武侯区", "人民南路 8 号")

#: code, province, city, latitude, longitude
SITES = (
    ("HGH", "浙江省", "杭州市", "30.25000", "120.17000"),
    ("CAN", "广东省", "广州市", "23.13000", "113.26000"),
    ("CTU", "四川省", "成都市", "30.57000", "104.07000"),
)

#: code, Chinese name, English name, grams, price
GOODS = (
    ("QUILT", "羽绒被", "Down quilt", 3200, "699.00"),
    ("LAMP", "台灯", "Desk lamp", 1500, "159.00"),
    ("CUP", "保温杯", "Vacuum flask", 420, "89.00"),
)
