"""How an order is worded for operators: its pills, what it waits for, what to do next; people stay masked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from orderhub.kernel import regions
from orderhub.orders.models import Hold, Order, Person
from orderhub.orders.models.order import Stage

Text = str | Promise

STAGE_TONES: dict[str, str] = {
    Stage.RECEIVED: "wait", Stage.REVIEWING: "hold", Stage.ROUTED: "go", Stage.BACKORDERED: "warn",
    Stage.RELEASED: "go", Stage.PARTIALLY_SHIPPED: "go", Stage.SHIPPED: "go", Stage.PARTIALLY_DELIVERED: "go",
    Stage.DELIVERED: "ok", Stage.COMPLETED: "ok", Stage.PARTIALLY_RETURNED: "warn", Stage.RETURNED: "wait",
    Stage.CANCELLED: "wait", Stage.MERGED: "wait",
}  # fmt: skip
PAYMENT_TONES: dict[str, str] = {"unpaid": "warn", "paid": "ok", "refunded": "wait"}
WAITS: dict[str, Text] = {
    "hold": _("the release of its hold"),
    "stock": _("stock"),
    "payment": _("payment"),
    "merge_window": _("the end of the merge window"),
    "wave": _("the pick wave"),
}
#: Holds that nothing but a person ends.
PERSON_REASONS = (
    Hold.Reason.RISK, Hold.Reason.ADDRESS_CHANGE, Hold.Reason.ADDRESS_INVALID, Hold.Reason.COMPLIANCE,
    Hold.Reason.CUSTOMER, Hold.Reason.MANUAL,
)  # fmt: skip
SIGNS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "JP¥"}


def waiting(order: Order, holds: Sequence[Hold] = ()) -> Text:
    """What the order waits for; empty if for nothing."""
    if not order.waiting_for:
        return ""
    if order.waiting_for == "hold" and holds:
        return holds[0].get_reason_display()
    return WAITS.get(order.waiting_for, order.waiting_for)


def next_action(order: Order, holds: Sequence[Hold]) -> tuple[str, Text]:
    """The verb a person would do next and its label; the verb is empty where the order goes on by itself."""
    if order.stage in (Stage.CANCELLED, Stage.MERGED) or order.step_state == "done":
        return "", ""
    reasons = {hold.reason for hold in holds}
    if Hold.Reason.AWAITING_PAYMENT in reasons:
        return "pay", _("note the payment")
    if reasons & set(PERSON_REASONS):
        return "release", _("check and release")
    if order.waiting_for == "stock":
        return "reroute", _("refill, or re-route")
    return "", ""


def mask_name(name: str) -> str:
    """The first character and three stars: 王芳 → 王***."""
    plain = name.strip()
    return f"{plain[0]}***" if plain else ""


def mask_phone(phone: str) -> str:
    """Three digits, stars, the last two: 13800138021 → 138******21; short ones keep their last two."""
    digits = "".join(character for character in phone if character.isdigit())
    if len(digits) < 8:
        return f"******{digits[-2:]}" if digits else ""
    return f"{digits[:3]}******{digits[-2:]}"


def masked(person: Person) -> str:
    """The receiver as operators see them in lists and on pages."""
    if person.erased_at is not None:
        return str(_("erased"))
    return " ".join(filter(None, (mask_name(person.name), mask_phone(person.phone))))


def money(amount: Decimal, currency: str) -> str:
    """An amount with its sign: ¥1,964.00; other currencies with their code."""
    sign = SIGNS.get(currency)
    return f"{sign}{amount:,.2f}" if sign else f"{currency} {amount:,.2f}"


def destination(order: Order, *, zh: bool) -> str:
    """Where it goes, short: 四川省 成都市, or Chengdu, Sichuan; the country too where it is not China."""
    province = regions.find_province(order.country, order.province)
    city = regions.find_city(province.code, order.city) if province is not None else None
    names = [_region(province, order.province, zh=zh), _region(city, order.city, zh=zh)]
    if order.country != "CN":
        names.insert(0, _region(regions.countries().get(order.country), order.country, zh=zh))
    parts = list(dict.fromkeys(name for name in names if name))
    return " ".join(parts) if zh else ", ".join(reversed(parts))


def _region(found: regions.Region | None, written: str, *, zh: bool) -> str:
    if found is None:
        return written
    return found.zh if zh else found.en


def age(order: Order, now: datetime) -> str:
    """How long ago it came in, in its largest unit."""
    minutes = max(0, int((now - order.received_at).total_seconds() // 60))
    if minutes < 60:
        return ngettext("%(count)d min", "%(count)d min", minutes) % {"count": minutes}
    if minutes < 60 * 24:
        return ngettext("%(count)d h", "%(count)d h", minutes // 60) % {"count": minutes // 60}
    return ngettext("%(count)d day", "%(count)d days", minutes // 1440) % {"count": minutes // 1440}


ACTORS: dict[str, Text] = {
    "system": pgettext_lazy("who did it", "system"),
    "user": pgettext_lazy("who did it", "staff"),
    "api": pgettext_lazy("who did it", "API"),
    "connection": pgettext_lazy("who did it", "connection"),
    "import": pgettext_lazy("who did it", "import"),
}


def actor(code: str) -> str:
    """Who did something, from the log's `kind:name`."""
    kind, _colon, name = (code or "system").partition(":")
    label = str(ACTORS.get(kind, kind))
    return f"{label} {name}" if name else label
