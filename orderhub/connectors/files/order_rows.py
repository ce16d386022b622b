"""Turns the rows of one order file into heads and lines; each column is prepared once and remembers its cells.

Cells are judged one by one in a fixed order, because a row reports its first fault only.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from functools import partial
from operator import itemgetter
from typing import Literal

from orderhub.connectors.files import cells as read
from orderhub.connectors.files.custom import OF_LINE, OWN, CustomColumns, Fields
from orderhub.connectors.files.dialects import LINE_FIELDS
from orderhub.connectors.files.faults import CellFault
from orderhub.connectors.files.memo import Memo
from orderhub.connectors.files.parsed import Head, ParsedLine, SealedLine, sealed
from orderhub.connectors.files.rows import Sheet

RegionVerdict = Literal["ok", "unknown_province", "unknown_country"]
Regions = Callable[[str, str, str], RegionVerdict]
Place = tuple[str, str, str, str, str]

_FOUR_PLACES = Decimal("0.0001")
_POSTCODE_AT_END = re.compile(r"[(（]\s*([0-9]{6})\s*[)）]\s*$")
_CLOSED_TAOBAO = ("交易关闭", "交易成功", "卖家已发货", "已取消")
_UNPAID_TAOBAO = "等待买家付款"
_PAID_SHOPIFY = frozenset(("paid", "partially_refunded"))
_CLOSED_SHOPIFY = frozenset(("refunded", "voided"))
#: By field: whether a cleaned cell says that the channel has cancelled, refunded or shipped the order.
_IS_CLOSED: dict[str, Callable[[str], bool]] = {
    "state": lambda value: value.startswith(_CLOSED_TAOBAO),
    "cancelled_at": bool,
    "shipped_state": lambda value: value.casefold() == "fulfilled",
    "paid_state": lambda value: value.casefold() in _CLOSED_SHOPIFY,
}
_HEAD_FIELDS = (
    "placed_at", "paid_at", "country", "province", "city", "district", "postcode", "currency", "name", "phone",
    "phone_other", "email", "service", "green", "note", "total", "units",
)  # fmt: skip
_CONTINUATION_MARKS = ("placed_at", "paid_state", "name", "city", "country", "address")


class OrderRows:
    """One sheet of orders, prepared for reading; `cells` always end with one added blank for absent columns."""

    def __init__(self, sheet: Sheet, *, regions: Regions, fields: Fields | None = None) -> None:
        self.sheet, profile = sheet, sheet.profile
        self.part, self.is_head_once, self.width = profile.part, profile.is_head_once, len(sheet.header)
        self._regions: Memo[tuple[str, str, str], RegionVerdict] = Memo(lambda place: regions(*place))
        known = fields or Fields()
        self._custom = CustomColumns(sheet.header, OWN, known.own)
        self._line_custom = CustomColumns(sheet.header, OF_LINE, known.line)
        self._prepare_heads(profile.zone, profile.country, profile.currency, profile.money_suffix)
        self._prepare_lines(profile.money_suffix)
        own = [at for ours, at in sheet.columns.items() if ours not in LINE_FIELDS and ours != "order_no"]
        own += self._custom.at.values()
        #: The cells that all rows of an order share; the added blank makes it a tuple in any case.
        self.shared_cells: Callable[[list[str]], tuple[str, ...]] = itemgetter(*own, -1, -1)
        self.line_no_at = sheet.columns.get("line_no", -1)
        self.number_at = sheet.columns.get("order_no", -1)
        self._marks = self._picked(*_CONTINUATION_MARKS)

    def _picked(self, *fields: str) -> Callable[[list[str]], tuple[str, ...]]:
        return itemgetter(*(self.sheet.columns.get(ours, -1) for ours in fields))

    def _prepare_heads(self, zone: tzinfo, country: str, currency: str, suffix: str) -> None:
        columns = self.sheet.columns
        self._head_cells = self._picked(*_HEAD_FIELDS)
        self._placed_at = Memo(partial(read.moment, field="placed_at", zone=zone))
        self._paid_at = partial(read.moment, field="paid_at", zone=zone)
        self._country = Memo(partial(read.country, field="country", default=country))
        self._province = Memo(partial(read.text, field="province", limit=100))
        self._city = Memo(partial(read.text, field="city", limit=100))
        self._district = Memo(partial(read.text, field="district", limit=100))
        self._postcode = Memo(partial(read.code, field="postcode", limit=20))
        self._currency = Memo(partial(read.currency, field="currency", default=currency))
        self._service = Memo(read.service)
        self._is_green_service = Memo(read.names_green)
        self._green = Memo(partial(read.boolean, field="green"))
        self._total = partial(read.price, field="total", suffix=suffix)
        self._streets = [
            (ours, columns[ours]) for ours in ("address", "address_2", "address_3") if ours in columns
        ]
        self._closings = [
            (ours, columns[ours], Memo(partial(_closed, ours))) for ours in _IS_CLOSED if ours in columns
        ]  # fmt: skip
        self._paid_state_at, self._state_at = columns.get("paid_state"), columns.get("state")
        self._has_full_address, self._has_paid_at = "full_address" in columns, "paid_at" in columns

    def _prepare_lines(self, suffix: str) -> None:
        self._has_line_total = "line_total" in self.sheet.columns
        money = "line_total" if self._has_line_total else "unit_price"
        self._line_cells = self._picked("sku", "sku_other", "quantity", money, "product")
        self._lines = Memo(self._read_line)
        self._sku, self._quantity = Memo(read.sku), Memo(read.quantity)
        self._price = Memo(partial(read.price, field=money, suffix="" if self._has_line_total else suffix))
        self._product = Memo(partial(read.text, field="product", limit=500))

    def line(self, cells: list[str]) -> SealedLine:
        """The line this row holds; CellFault for the first cell that cannot be used."""
        found = self._lines[self._line_cells(cells)]
        if self._line_custom.needed and (custom := self._line_custom.values(cells)):
            return sealed(found.line._replace(custom=custom))
        return found

    def _read_line(self, found: tuple[str, ...]) -> SealedLine:
        sku, sku_other, quantity, money, product = found
        code, pieces = self._sku[sku or sku_other], self._quantity[quantity]
        price = self._price[money]
        if self._has_line_total:
            line_total = price
            price = (line_total / pieces).quantize(_FOUR_PLACES, ROUND_HALF_EVEN)
        else:
            line_total = price * pieces
        return sealed(ParsedLine(code, pieces, price, line_total, self._product[product]))

    def is_continuation(self, cells: list[str]) -> bool:
        """A next row of a Shopify order carries only its number, its e-mail and the line."""
        return not "".join(self._marks(cells)).strip()

    def head(self, cells: list[str]) -> Head:
        """What this row says of its order; CellFault for the first cell that cannot be used."""
        self._refuse_closed(cells)
        (
            placed_at, paid_at, country, province, city, district, postcode, currency, name, phone, phone_other,
            email, service, green, note, total, units,
        ) = self._head_cells(cells)  # fmt: skip
        placed = self._placed_at[placed_at]
        paid = None
        if paid_at.strip():
            # Most orders are paid when they are placed, and that time has just been read.
            paid = placed if paid_at == placed_at else self._paid_at(paid_at)
        nation = self._country[country]
        if self._has_full_address:
            place = self._split_address(cells)
        else:
            town = self._city[city]
            if not town:
                raise CellFault("missing_city", "city")
            street = self._street(cells)
            place = self._province[province], town, self._district[district], street, self._postcode[postcode]
        head = Head(
            placed, self._is_paid(cells, paid), paid, self._currency[currency], nation, *place,
            _recipient(name), _phone(phone, phone_other), read.text(email, "email", limit=254),
            self._service[service], self._is_green_service[service] or self._green[green],
            read.note(note, "note", limit=2000), self._total(total) if total.strip() else None,
            self._custom.values(cells), _units(units),
        )  # fmt: skip
        self._check_region(head)
        return head

    def _refuse_closed(self, cells: list[str]) -> None:
        """CellFault for an order that its channel has cancelled, refunded or already shipped."""
        for ours, at, closed in self._closings:
            if closed[cells[at]]:
                raise CellFault("order_closed", ours, read.clean(cells[at]))

    def _is_paid(self, cells: list[str], paid_at: datetime | None) -> bool:
        """By the channel's own state if there is one, else by the time of payment; without either, paid."""
        if self._paid_state_at is not None:
            return read.clean(cells[self._paid_state_at]).casefold() in _PAID_SHOPIFY
        if self._state_at is not None:
            return _UNPAID_TAOBAO not in cells[self._state_at]
        return paid_at is not None or not self._has_paid_at

    def _street(self, cells: list[str]) -> str:
        street = ""
        for ours, at in self._streets:
            if part := read.text(cells[at], ours, limit=300):
                street = f"{street} {part}" if street else part
        street = street or read.text(self.sheet.cell(cells, "street"), "street", limit=300)
        if not street:
            raise CellFault("missing_address", "address")
        return street

    def _split_address(self, cells: list[str]) -> Place:
        """Province, city, district, street and postcode of Taobao's one string `省 市 区 路(邮编)`."""
        ours = "changed_address" if self.sheet.cell(cells, "changed_address").strip() else "full_address"
        whole = read.text(self.sheet.cell(cells, ours), ours, limit=500)
        postcode = ""
        if match := _POSTCODE_AT_END.search(whole):
            whole, postcode = whole[: match.start()], match[1]
        words = whole.split(None, 3)
        if len(words) < 3:
            raise CellFault("missing_city", ours, whole)
        if len(words) == 3:
            return words[0], words[1], "", words[2], postcode
        return words[0], words[1], words[2], words[3].strip(), postcode

    def _check_region(self, head: Head) -> None:
        verdict = self._regions[head.country, head.province, head.city]
        if verdict == "ok":
            return
        ours = "country" if verdict == "unknown_country" else "province"
        value = head.country if verdict == "unknown_country" else head.province
        raise CellFault(verdict, ours if ours in self.sheet.columns else "full_address", value)


def _closed(ours: str, value: str) -> bool:
    return _IS_CLOSED[ours](read.clean(value))


def _recipient(value: str) -> str:
    name = read.text(value, "name", limit=100)
    if not name:
        raise CellFault("missing_recipient", "name")
    return name


def _phone(value: str, other: str) -> str:
    return read.code(value, "phone", limit=40) or read.code(other, "phone_other", limit=40)


def _units(value: str) -> int | None:
    value = value.strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) < 9 else None
