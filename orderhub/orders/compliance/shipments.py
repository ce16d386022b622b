"""Orders as the engine sees them: read from the order, its lines and the custom fields that channels fill.

Fields of `order.extra` that are read (all optional texts): customs_regime, terms (DDP, DAP), is_gift (true), importer,
buyer_name, company, payer_name, id_name, id_number (moved to a locked place at once), ioss, vat, eori, documents
(list). Of an SKU: HS code, category, handling needs, and its customs data (`CustomsGoods`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q

from orderhub.events import rows
from orderhub.inventory.models import Sku
from orderhub.kernel import regions, secrets
from orderhub.orders.compliance.engine import Goods, Near, Shipment
from orderhub.orders.compliance.engine.numbers import hs6, mask
from orderhub.orders.compliance.models import (
    BuyerIdentity,
    CustomsGoods,
    ExchangeRate,
    GoodsList,
    Paper,
    PartyList,
)
from orderhub.orders.models import Order, OrderLine

_TAX_NUMBERS = ("ioss", "vat", "eori")
#: The regime an order of a person is declared under where it names none.
_REGIMES = {"CN": "CBEC"}
_APART = frozenset({"HK", "MO", "TW"})
_LONGEST = 200


@dataclass(slots=True)
class Known:
    """What a batch of orders refers to, read once."""

    identities: Mapping[str, BuyerIdentity] = field(default_factory=dict)
    rates: Mapping[str, tuple[Decimal, date]] = field(default_factory=dict)
    papers: Sequence[Paper] = ()
    customs: Mapping[int, CustomsGoods] = field(default_factory=dict)
    lists: Mapping[str, frozenset[str]] = field(default_factory=dict)
    screened: Mapping[str, date] = field(default_factory=dict)


def is_cross_border(order: Order) -> bool:
    """Whether the order leaves the country (or customs territory) its shop ships from; no query."""
    return destination(order) != (order.channel.ships_from or "CN")


def destination(order: Order) -> str:
    """The country or customs territory: an address in Hong Kong is not in China's, however a channel writes it."""
    return territory(order.country, order.province)


@lru_cache(maxsize=4096)
def territory(country: str, province: str) -> str:
    """The country or customs territory of a place."""
    if country == "CN":
        found = regions.find_province("CN", province)
        if found is not None and found.code in _APART:
            return found.code
    return country


def read(orders: Sequence[Order], lines: Mapping[int, Sequence[OrderLine]], *, now: datetime) -> Known:
    """Everything these orders refer to; six statements. New identity numbers are locked away first."""
    seal_identities(orders, now=now)
    sku_ids = {line.sku_id for order in orders for line in lines[order.pk]}
    rates = rates_on(max(day_of(order) for order in orders))
    return Known(
        {str(row.pk): row for row in BuyerIdentity.objects.filter(pk__in={order.person_id for order in orders})},
        rates, list(Paper.objects.filter(Q(sku__in=sku_ids) | Q(order__in=[order.pk for order in orders]))),
        {row.pk: row for row in CustomsGoods.objects.filter(pk__in=sku_ids)},
        {row.name: frozenset(str(code) for code in row.codes) for row in GoodsList.objects.all()},
        dict(PartyList.objects.values_list("code", "loaded_on")),
    )  # fmt: skip


def rates_on(day: date) -> dict[str, tuple[Decimal, date]]:
    """The newest exchange rate of each currency on or before a day; one query."""
    found = ExchangeRate.objects.filter(on__lte=day).order_by("currency", "on")
    return {rate.currency: (rate.in_cny, rate.on) for rate in found.only("currency", "on", "in_cny")}


def seal_identities(orders: Sequence[Order], *, now: datetime) -> None:
    """Move identity numbers out of the custom fields into a locked row; the field keeps the masked form."""
    fresh: dict[str, BuyerIdentity] = {}
    changed: list[Order] = []
    for order in orders:
        number = _text(order, "id_number")
        if number and "*" not in number:
            fresh[str(order.person_id)] = BuyerIdentity(
                person_id=order.person_id, sealed=secrets.seal(number, keys=settings.SECRET_KEYS), masked=mask(number)[:24],
                name=_text(order, "id_name"), given_at=now,
            )  # fmt: skip
            order.extra = {**order.extra, "id_number": mask(number)}
            changed.append(order)
    if fresh:
        rows.insert(fresh.values(), update=["sealed", "masked", "name", "given_at"])
        rows.save(changed, ["extra"])


def shipment(
    order: Order, lines: Sequence[OrderLine], known: Known, *, near: Sequence[Near] = (),
    year_before: Mapping[str, Decimal] | None = None,
) -> Shipment:  # fmt: skip
    """One order as one consignment, valued at what its lines cost after discounts, without freight."""
    identity = known.identities.get(str(order.person_id))
    place, day = destination(order), day_of(order)
    own = frozenset(x.kind for x in known.papers if x.order_id == order.pk and _is_valid(x, day))
    told = order.extra.get("documents")
    documents = own | frozenset(x for x in told if isinstance(x, str)) if isinstance(told, list) else own
    return Shipment(
        order.channel.ships_from or "CN", place, order.currency,
        tuple(goods(line, line.ordered - line.cancelled, known, day) for line in lines if line.ordered > line.cancelled),
        day, regime=regime(order, place), terms=_text(order, "terms").upper(),
        is_gift=order.extra.get("is_gift") is True, sender=order.merchant.name_en or order.merchant.name,
        recipient=order.person.name, importer=_text(order, "importer"), buyer_key=buyer_key(order, identity),
        id_number=secrets.unseal(identity.sealed, keys=settings.SECRET_KEYS) if identity else "",
        id_name=identity.name if identity else _text(order, "id_name"), payer_name=_text(order, "payer_name"),
        tax_numbers={name: text for name in _TAX_NUMBERS if (text := _text(order, name))}, documents=documents,
        lists=known.lists, rates=known.rates, year_before=year_before or {}, near=tuple(near),
        screened_lists=known.screened,
    )  # fmt: skip


def regime(order: Order, place: str) -> str:
    """The customs regime an order is declared under into a territory."""
    return _text(order, "customs_regime") or _REGIMES.get(place, "")


def goods(line: OrderLine, units: int, known: Known, day: date) -> Goods:
    """So many units of a line, with their share of its value and the certificates valid on that day."""
    sku, customs = line.sku, known.customs.get(line.sku_id)
    value = (line.line_total - line.discount) * units / line.ordered
    traits = {str(x) for x in (*(sku.traits or ()), *(customs.traits if customs else ()))}
    certificates = frozenset(x.kind for x in known.papers if x.sku_id == sku.pk and _is_valid(x, day))
    return Goods(
        sku.code, sku.name_en or sku.name, units, value.quantize(Decimal("0.01")), sku.hs_code,
        customs.made_in if customs else "", sku.grams * units, (customs.milliliters if customs else 0) * units,
        frozenset(traits | ({sku.category.casefold()} if sku.category else set())), certificates,
    )  # fmt: skip


def code_of(sku: Sku) -> str:
    """The code by which customs tell kinds of goods apart in one consignment; empty: a kind of its own."""
    return hs6(sku.hs_code)


def names_of(order: Order) -> list[tuple[str, str]]:
    """Whom to screen: the receiver, and whoever else the channel names; each name once."""
    pairs = [("recipient", order.person.name)] + [
        (who, _text(order, name))
        for who, name in (
            ("buyer", "buyer_name"),
            ("payer", "payer_name"),
            ("importer", "importer"),
            ("buyer", "company"),
        )
    ]
    unique: dict[str, str] = {}
    for who, name in pairs:
        if name.strip():
            unique.setdefault(name.strip(), who)
    return [(who, name) for name, who in unique.items()]


def buyer_key(order: Order, identity: BuyerIdentity | None) -> str:
    """Who a yearly limit is counted for: the identity number, else the channel's buyer, else the phone."""
    secret = settings.SECRET_KEYS[0]
    clear = secrets.unseal(identity.sealed, keys=settings.SECRET_KEYS) if identity else ""
    clear = clear.upper() or _text(order, "buyer_id") or order.person.phone
    return secrets.derived_token(key=secret, subject=f"buyer:{order.merchant_id}:{clear}") if clear else ""


def day_of(order: Order) -> date:
    """The order's date in its shop's time zone: what rules count by."""
    return order.placed_at.astimezone(ZoneInfo(order.channel.time_zone)).date()


def _is_valid(paper: Paper, day: date) -> bool:
    return (paper.valid_from is None or paper.valid_from <= day) and (
        paper.valid_to is None or day < paper.valid_to
    )


def _text(order: Order, name: str) -> str:
    told: Any = order.extra.get(name) if isinstance(order.extra, dict) else None
    return told.strip()[:_LONGEST] if isinstance(told, str) else ""
