"""Exchange and resend: what has left an order is replaced by a new order, other goods or the same once more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from orderhub.fulfillment import standing
from orderhub.fulfillment.actions import why_not
from orderhub.fulfillment.models import Parcel
from orderhub.fulfillment.parting import Portion
from orderhub.fulfillment.standing import Stand
from orderhub.inventory.models import Sku
from orderhub.kernel.errors import Refused
from orderhub.kernel.money import cents
from orderhub.orders import followups, lifecycle
from orderhub.orders import services as orders_services
from orderhub.orders.followups import Goods
from orderhub.orders.models import FollowUp, Order, OrderLine

_R, _P = FollowUp.Reason, FollowUp.Pays
#: Reasons that a carrier answers for.
CLAIMED = frozenset({_R.LOST, _R.DAMAGED})
#: Reasons for sending the same goods once more; who wants others exchanges.
RESENT_FOR = (_R.LOST, _R.DAMAGED, _R.MISSING, _R.WRONG)
_CENT_PRICE = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Article:
    """Units of an article that is to be sent; without a price it costs as in the catalog, or what was paid for an
    article of the same list price.
    """

    sku: str
    quantity: int
    unit_price: Decimal | None = None


@transaction.atomic
def exchange(
    order_id: int, portions: Sequence[Portion], articles: Sequence[Article], *, reason: str, detail: str = "",
    waive: bool = False, return_expected: bool = True, actor: str, now: datetime,
) -> FollowUp:  # fmt: skip
    """Send other goods for units that left; the document, with the new order. `waive` gives a higher price away.

    Raises Refused: "unknown_order", "order_merged", "order_cancelled", "nothing_to_replace", "unknown_line",
    "nothing_moves", "too_many_units", "unknown_sku" or "price_needed".
    """
    stand, units = _wanted(order_id, portions, "exchange")
    goods = _goods(stand, units, articles)
    credit = followups.worth(stand.lines, units)
    price = sum((one.line_total for one in goods), Decimal(0))
    pays = (
        _P.NOBODY
        if price == credit
        else _P.MERCHANT
        if price < credit
        else _P.WAIVED
        if waive
        else _P.CUSTOMER
    )
    follow_up = FollowUp(
        sort=FollowUp.Sort.EXCHANGE, reason=_R(reason), detail=detail[:300],
        units={str(pk): count for pk, count in units.items()}, credit=credit, pays=pays,
        currency=stand.order.currency, return_expected=return_expected, requested_at=now, actor=actor[:80],
    )  # fmt: skip
    return followups.make(stand.order, goods, follow_up, now=now, actor=actor)


@transaction.atomic
def resend(
    order_id: int, portions: Sequence[Portion], *, reason: str, detail: str = "", parcel: str = "", actor: str,
    now: datetime,
) -> FollowUp:  # fmt: skip
    """Send units that left once more, at no charge; the document, with the new order. Each unit once: what is lost
    again is sent again from the new order. `parcel` is the tracking number; what was lost or damaged is noted as a
    claim against its carrier.

    Raises Refused: "unknown_parcel", or one of `exchange`'s but for prices.
    """
    stand, units = _wanted(order_id, portions, "resend")
    sent = _sent_in(stand.order, units, parcel) if parcel or reason in CLAIMED else None
    by_id = {line.pk: line for line in stand.lines}
    skus = Sku.objects.in_bulk([by_id[pk].sku_id for pk in units])
    goods = [
        Goods(skus[by_id[pk].sku_id], count, by_id[pk].unit_price, cents(by_id[pk].unit_price * count), by_id[pk].name)
        for pk, count in units.items()
    ]  # fmt: skip
    is_claim = sent is not None and reason in CLAIMED
    follow_up = FollowUp(
        sort=FollowUp.Sort.RESEND, reason=_R(reason), detail=detail[:300],
        units={str(pk): count for pk, count in units.items()}, credit=Decimal(0), pays=_P.NOBODY,
        currency=stand.order.currency, requested_at=now, actor=actor[:80],
        claim_against=sent.carrier if sent is not None and is_claim else "",
        claim_parcel=sent.tracking_number if sent is not None and is_claim else "",
    )  # fmt: skip
    return followups.make(stand.order, goods, follow_up, now=now, actor=actor)


def end_cancelled(order_ids: Collection[int], *, now: datetime, actor: str) -> int:
    """End the follow-ups whose new order was cancelled, as far as they stand; how many. Again changes nothing."""
    rows = FollowUp.objects.filter(new_order__in=order_ids, ended_at=None).values_list("pk", "order_id")
    pairs = list(rows)
    with transaction.atomic():
        list(
            Order.objects.select_for_update(no_key=True).filter(pk__in=[x for _pk, x in pairs]).order_by("pk")
        )
        found = FollowUp.objects.select_related("order", "new_order").filter(
            pk__in=[pk for pk, _x in pairs], ended_at=None, new_order__stage__in=lifecycle.CLOSED
        )
        ending = list(found.order_by("pk"))
        for follow_up in ending:
            followups.end(follow_up, now=now, actor=actor)
    return len(ending)


def replaceable(line: OrderLine) -> int:
    """Units of a line that left and were not replaced yet."""
    return line.shipped - line.replaced


def _wanted(order_id: int, portions: Sequence[Portion], verb: str) -> tuple[Stand, Mapping[int, int]]:
    stand = standing.load([order_id]).get(order_id)
    if stand is None:
        raise orders_services.unknown(order_id)
    if (no := why_not(verb, standing.facts([stand])[order_id], stand.order)) is not None:
        raise no
    by_position = {line.position: line for line in stand.lines}
    units: dict[int, int] = {}
    for portion in portions:
        if portion.position not in by_position:
            raise _bad("unknown_line", _("There is no line %(position)d.") % {"position": portion.position})
        line = by_position[portion.position]
        units[line.pk] = units.get(line.pk, 0) + max(0, portion.quantity)
        if units[line.pk] > replaceable(line):
            facts = {"position": line.position, "left": replaceable(line)}
            text = _("Of line %(position)d only %(left)d units left and were not replaced yet.")
            raise _bad("too_many_units", text % facts)
    units = {pk: count for pk, count in units.items() if count}
    if not units:
        raise _bad("nothing_moves", _("No unit was chosen."))
    return stand, units


def _goods(stand: Stand, units: Mapping[int, int], articles: Sequence[Article]) -> list[Goods]:
    codes = {article.sku for article in articles}
    known = {sku.code: sku for sku in Sku.objects.filter(merchant_id=stand.order.merchant_id, code__in=codes)}
    old = [line for line in stand.lines if units.get(line.pk)]
    listed = dict(Sku.objects.filter(pk__in=[line.sku_id for line in old]).values_list("pk", "price"))
    usual = {listed[line.sku_id]: _paid_each(line, units[line.pk]) for line in old}
    goods = []
    for position, article in enumerate(articles):
        if article.sku not in known:
            raise Refused(
                "unknown_sku", _("SKU %(sku)s is not in the catalog.") % {"sku": article.sku},
                remedy=_("Import the SKU first, or correct its code."), status=400, field=f"goods[{position}].sku",
            )  # fmt: skip
        sku = known[article.sku]
        price = article.unit_price if article.unit_price is not None else usual.get(sku.price, sku.price)
        if (not price and article.unit_price is None) or (
            sku.currency != stand.order.currency and price == sku.price
        ):
            raise Refused(
                "price_needed", _("The catalog has no price for %(sku)s in %(currency)s.")
                % {"sku": sku.code, "currency": stand.order.currency},
                remedy=_("Give the price of each article."), status=400, field=f"goods[{position}].unit_price",
            )  # fmt: skip
        goods.append(Goods(sku, article.quantity, price, cents(price * article.quantity)))
    return goods


def _paid_each(line: OrderLine, units: int) -> Decimal:
    """What one of these units cost after the discount: an article with the same list price costs as much, so that
    another size or color costs nothing.
    """
    return (followups.worth([line], {line.pk: units}) / units).quantize(_CENT_PRICE)


def _sent_in(order: Order, units: Mapping[int, int], number: str) -> Parcel | None:
    """The parcel of that number, or the only one that held such units."""
    parcels = Parcel.objects.filter(fulfillment__order=order, shipped_at__isnull=False)
    if number:
        found = parcels.filter(tracking_number=number).first()
        if found is None:
            raise Refused(
                "unknown_parcel", _("Order %(order)s has no parcel %(number)s.") % {"order": order.number, "number": number},
                remedy=_("Choose one of its parcels that have left."), status=400, field="parcel",
            )  # fmt: skip
        return found
    held = list(parcels.filter(lines__fulfillment_line__order_line__in=list(units)).distinct()[:2])
    return held[0] if len(held) == 1 else None


def _bad(code: str, message: object) -> Refused:
    return Refused(
        code, message, remedy=_("Choose units that have left, each once."), status=400, field="lines"
    )
