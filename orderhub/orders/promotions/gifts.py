"""Gifts as lines of an order: at no price, shipped like everything else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from orderhub.events import rows
from orderhub.inventory import queries as inventory
from orderhub.inventory.models import Sku
from orderhub.orders.models import Order, OrderLine, Pricing
from orderhub.orders.promotions.engine.model import Cart, Promotion, Result

Lines = dict[int, list[OrderLine]]


@dataclass(slots=True)
class Shelf:
    """The SKUs that may be given, by merchant and code, and the units of each that can be promised."""

    skus: dict[tuple[int, str], Sku]
    stock: dict[int, dict[str, int]]

    def open_to(self, order: Order, cart: Cart) -> None:
        """Let a cart draw on what the orders of its merchant may be given; the batch shares it."""
        cart.stock = self.stock.setdefault(order.merchant_id, {})


def shelf(wanted: Mapping[int, set[str]]) -> Shelf:
    """What can be given of these SKUs, by merchant; inactive and unknown ones cannot. No query for nothing, else two."""
    if not any(wanted.values()):
        return Shelf({}, {})
    codes = {code for some in wanted.values() for code in some}
    found = Sku.objects.filter(merchant_id__in=wanted, code__in=codes, is_active=True)
    skus = {(sku.merchant_id, sku.code): sku for sku in found}
    units = inventory.promisable([sku.pk for sku in skus.values()])
    stock: dict[int, dict[str, int]] = {}
    for (merchant_id, code), sku in skus.items():
        stock.setdefault(merchant_id, {})[code] = units.get(sku.pk, 0)
    return Shelf(skus, stock)


def wanted(promotions: Iterable[Promotion], cart: Cart) -> set[str]:
    """The SKUs that promotions whose condition holds may give."""
    return {
        sku
        for promotion in promotions
        if promotion.gifts and promotion.rule.condition.test(cart.facts)
        for gift in promotion.gifts
        for sku in gift.skus
    }


def without(lines: Sequence[OrderLine], pricing: Pricing | None) -> list[OrderLine]:
    """The lines that were bought."""
    given = {gift["position"] for gift in pricing.gifts} if pricing is not None else set()
    return [line for line in lines if line.position not in given]


def settle(
    orders: Sequence[Order],
    results: Mapping[int, Result],
    known: Mapping[int, Pricing],
    lines: Lines,
    shelf: Shelf,
) -> dict[int, list[dict[str, object]]]:
    """Bring the gift lines of locked orders to what the results say; the gifts of each order, with their positions.

    Gifts that a warehouse was given already stay. `lines` changes with them. Two queries at most.
    """
    told: dict[int, list[dict[str, object]]] = {}
    new: list[OrderLine] = []
    gone: list[int] = []
    for order in orders:
        have = list(known[order.pk].gifts) if order.pk in known else []
        want = [
            {"promotion": x.promotion.key, "sku": gift.sku, "units": gift.units}
            for x in results[order.pk].applied
            for gift in x.gifts
        ]
        stays = _is_same(have, want) or not _is_open(lines[order.pk], have)
        if stays:
            told[order.pk] = have
            continue
        places = {gift["position"] for gift in have}
        gone += [line.pk for line in lines[order.pk] if line.position in places]
        lines[order.pk][:] = [line for line in lines[order.pk] if line.position not in places]
        first = max((line.position for line in lines[order.pk]), default=0) + 1
        told[order.pk] = [{**gift, "position": first + at} for at, gift in enumerate(want)]
        fresh = [_line(order, gift, shelf) for gift in told[order.pk]]
        lines[order.pk].extend(fresh)
        new += fresh
    if gone:
        OrderLine.objects.filter(pk__in=gone).delete()
    rows.insert(new)
    return told


def _is_same(have: Sequence[Mapping[str, object]], want: Sequence[Mapping[str, object]]) -> bool:
    keys = ("promotion", "sku", "units")
    return [[one[key] for key in keys] for one in have] == [[one[key] for key in keys] for one in want]


def _is_open(lines: Sequence[OrderLine], have: Sequence[Mapping[str, object]]) -> bool:
    """Whether nothing of the gifts was planned or cancelled yet."""
    places = {gift["position"] for gift in have}
    return all(line.open == line.ordered for line in lines if line.position in places)


def _line(order: Order, gift: Mapping[str, object], shelf: Shelf) -> OrderLine:
    sku, units, nothing = (
        shelf.skus[order.merchant_id, str(gift["sku"])],
        int(str(gift["units"])),
        Decimal("0.00"),
    )
    return OrderLine(
        order=order, position=int(str(gift["position"])), sku=sku, name=sku.name[:200], unit_price=nothing,
        line_total=nothing, discount=nothing, ordered=units, open=units,
    )  # fmt: skip
