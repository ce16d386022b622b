"""What the editor of promotions and screening rules may offer: goods and channels that exist, carts to try, effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from orderhub.access.models import Merchant
from orderhub.inventory.models import Sku
from orderhub.kernel import regions
from orderhub.orders.models import Channel, Hold, Order
from orderhub.orders.promotions import carts, gifts, replaying, trying
from orderhub.orders.promotions.trying import Trial, TriedLine
from rules import desks
from rules.desks import Choice, Desk
from rules.services import ActiveSet

MOST_FOUND = 20
MOST_LINES = 30
_MOST_UNITS = 100_000
_LATELY = 400
_LONGEST = 80
_SOURCES = {
    "order.channel": "channel", "order.merchant": "merchant", "order.province": "province", "order.skus": "sku",
    "order.country": "country", "order.currency": "currency", "order.service": "service",
    "order.categories": "category", "customer.level": "level", "order.coupons": "coupon", "order.payment": "payment",
    ".skus": "sku", ".except_skus": "sku", ".categories": "category", "in_currency.code": "currency",
    "hold.reason": "reason",
}  # fmt: skip
_CURRENCIES = ("CNY", "USD", "EUR", "GBP", "JPY", "HKD", "AUD", "CAD", "SGD")


def teach_all() -> None:
    """Teach the rules app what may be chosen, tried and looked back at, for promotions and for screening."""
    offers: dict[str, Any] = {
        "sources": _SOURCES, "closed": frozenset({"hold.reason"}), "choices": _choices, "find": _find,
    }  # fmt: skip
    desks.teach(carts.PURPOSE, Desk(**offers, trial=_trial, sample=_sample, effect=replaying.effect))
    desks.teach("screen", Desk(**offers))


# ---- values that exist -----------------------------------------------------------------------------


def _choices(scope: str) -> dict[str, list[Choice]]:
    """Everything short enough to be listed; a handful of queries."""
    channels = list(_of(Channel.objects.select_related("merchant"), scope).order_by("merchant_id", "code"))
    levels, coupons = _lately(scope)
    categories = _of(Sku.objects.exclude(category=""), scope).values_list("category", flat=True)
    return {
        "channel": _once(Choice(one.code, _named(one)) for one in channels),
        "trial_channel": [Choice(str(one.pk), f"{_named(one)} · {_named(one.merchant)}") for one in channels],
        "merchant": [Choice(one.code, _named(one)) for one in _merchants(scope)],
        "province": [Choice(one.zh, one.zh if _zh() else one.en) for one in regions.provinces("CN").values()],
        "country": [Choice(one.code, one.zh if _zh() else one.en) for one in regions.countries().values()],
        "currency": [Choice(code, code) for code in _CURRENCIES],
        "category": [Choice(one, one) for one in sorted(set(categories))],
        "level": [Choice(one, one) for one in levels],
        "coupon": [Choice(one, one) for one in coupons],
        "payment": [Choice(value, str(label)) for value, label in Order.Payment.choices],
        "service": [Choice("standard", _("standard")), Choice("express", _("express"))],
        "reason": [Choice(value, str(label)) for value, label in Hold.Reason.choices],
    }


def _find(scope: str, text: str, codes: Sequence[str]) -> list[Choice]:
    """SKUs whose code or name has the text, or those of the codes."""
    rows = _of(Sku.objects.filter(is_active=True), scope).order_by("code")
    if codes:
        rows = rows.filter(code__in=codes)
    elif text:
        rows = rows.filter(Q(code__icontains=text) | Q(name__icontains=text) | Q(name_en__icontains=text))
    most = len(codes) if codes else MOST_FOUND
    return _once(Choice(sku.code, _named(sku), f"{sku.price:.2f}") for sku in rows[:most])


def _lately(scope: str) -> tuple[list[str], list[str]]:
    """Member levels and coupons of the newest orders: nobody hands in a list of them."""
    levels: set[str] = set()
    coupons: set[str] = set()
    rows = Order.objects.only("extra").order_by("-pk")
    for order in _of(rows, scope)[:_LATELY]:
        coupons.update(carts.coupons_of(order))
        level = order.extra.get("member_level") if isinstance(order.extra, dict) else None
        if isinstance(level, str) and level.strip():
            levels.add(level.strip()[:_LONGEST])
    return sorted(levels), sorted(coupons)


def _merchants(scope: str) -> QuerySet[Merchant]:
    rows = Merchant.objects.order_by("code")
    return rows.filter(pk=_merchant_id(scope)) if scope else rows


def _of(rows: QuerySet[Any], scope: str) -> QuerySet[Any]:
    return rows.filter(merchant_id=_merchant_id(scope)) if scope else rows


def _merchant_id(scope: str) -> int:
    """Whose set it is; nobody's, where the scope is no merchant."""
    number = scope.removeprefix("merchant:")
    return int(number) if number.isdigit() else 0


def _once(found: Any) -> list[Choice]:
    """Codes of several merchants may be the same: the first counts."""
    return list({one.value: one for one in reversed(list(found))}.values())[::-1]


def _zh() -> bool:
    return (get_language() or "").startswith("zh")


def _named(row: Any) -> str:
    return str(row.name if _zh() else getattr(row, "name_en", "") or row.name)


# ---- a cart to try ---------------------------------------------------------------------------------


def _trial(scope: str, given: Mapping[str, Sequence[str]], draft: ActiveSet) -> dict[str, Any]:
    """The draft, and everything else in force, on a cart; ValidationError by field where the cart makes no sense."""
    text = {name: values[-1].strip() for name, values in given.items() if values}
    channel = _channel(scope, text.get("channel", ""))
    now = _moment(text.get("at", ""))
    trial = Trial(
        channel=channel, lines=_lines(channel, given), currency=text.get("currency", "") or "CNY",
        country=(text.get("country", "") or "CN").upper()[:2], province=text.get("province", "")[:60],
        city=text.get("city", "")[:80], coupons=_split(text.get("coupons", "")),
        service=text.get("service", "") or "standard", member_level=text.get("member_level", "")[:_LONGEST],
        buyer=text.get("buyer", "")[:_LONGEST],
    )  # fmt: skip
    told = trying.try_cart(trial, now=now, draft=draft)
    names = {line.sku.code: _named(line.sku) for line in trial.lines}
    wanted = {gift["sku"] for one in told["applied"] for gift in one["gifts"]} - names.keys()
    rows = Sku.objects.filter(merchant_id=channel.merchant_id, code__in=wanted)
    names.update({sku.code: _named(sku) for sku in rows})
    pay = Decimal(told["goods"]) - Decimal(told["discount"])
    return {**told, "names": names, "pay": f"{pay:.2f}", "set": draft.code}


def _channel(scope: str, chosen: str) -> Channel:
    rows: QuerySet[Channel] = _of(Channel.objects.select_related("merchant"), scope)
    found = rows.filter(pk=int(chosen)).first() if chosen.isdigit() and len(chosen) < 18 else None
    if found is None:
        raise ValidationError({"channel": _("Choose the channel it is bought in.")})
    return found


def _lines(channel: Channel, given: Mapping[str, Sequence[str]]) -> list[TriedLine]:
    codes, units, prices = (list(given.get(name, ())) for name in ("sku", "units", "price"))
    if not codes:
        raise ValidationError({"sku": _("Put something in the cart.")})
    if len(codes) > MOST_LINES or len({len(codes), len(units), len(prices)}) != 1:
        raise ValidationError({"sku": _("A cart to try has at most %(most)d lines.") % {"most": MOST_LINES}})
    skus = {sku.code: sku for sku in Sku.objects.filter(merchant_id=channel.merchant_id, code__in=codes)}
    return [_line(skus.get(code), code, *rest) for code, *rest in zip(codes, units, prices, strict=True)]


def _line(sku: Sku | None, code: str, units: str, price: str) -> TriedLine:
    if sku is None:
        raise ValidationError(
            {"sku": _("%(sku)s is no SKU of this channel's merchant.") % {"sku": code[:_LONGEST]}}
        )
    count = int(units) if units.isdigit() and len(units) < 7 else 0
    if not 0 < count <= _MOST_UNITS:
        raise ValidationError(
            {"units": _("%(sku)s: give a whole number of units above 0.") % {"sku": sku.code}}
        )
    try:
        each = Decimal(price) if price.strip() else sku.price
    except InvalidOperation:
        each = Decimal(-1)
    if not each.is_finite() or not 0 <= each < 10**8 or each != each.quantize(Decimal("0.0001")):
        raise ValidationError({"price": _("%(sku)s: this is no price.") % {"sku": sku.code}})
    return TriedLine(sku, count, each)


def _moment(text: str) -> datetime:
    """As the page's box for a time gives it; now if empty."""
    if not text:
        return timezone.now()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValidationError({"at": _("This is no time.")}) from None
    return found if found.tzinfo is not None else timezone.make_aware(found)


def _split(text: str) -> list[str]:
    return [one.strip()[:_LONGEST] for one in text.replace("，", ",").split(",") if one.strip()][:20]


def _sample(scope: str, number: str) -> dict[str, Any] | None:
    """An order of the set's merchants as fields of a trial; goods it was given for nothing are left out."""
    rows = _of(Order.objects.select_related("pricing", "channel"), scope)
    order = rows.filter(external_id=number[:100]).order_by("-pk").first()
    if order is None:
        return None
    lines = order.lines.select_related("sku").filter(sku__isnull=False).order_by("position")
    told = order.extra if isinstance(order.extra, dict) else {}
    bought = gifts.without(list(lines), getattr(order, "pricing", None))
    return {
        "channel": str(order.channel_id), "currency": order.currency, "country": order.country,
        "province": order.province, "city": order.city, "coupons": ", ".join(carts.coupons_of(order)),
        "member_level": str(told.get("member_level", "")), "buyer": str(told.get("buyer_id", "")),
        "service": order.service, "at": timezone.localtime(order.placed_at).strftime("%Y-%m-%dT%H:%M"),
        "lines": [
            {"sku": line.sku.code, "name": _named(line.sku), "units": line.ordered, "price": f"{line.unit_price:.2f}"}
            for line in bought[:MOST_LINES]
        ],
    }  # fmt: skip
