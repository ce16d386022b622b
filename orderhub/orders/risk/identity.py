"""What one order says of who placed it: read from the receiver and from the custom fields that channels fill.

Fields of `order.extra` that are read (all optional; a value of the wrong type counts as not given): buyer_id,
buyer_registered_at, device_id, ip, ip_province, login_province, login_at, usual_provinces, phone_changes_30d,
failed_payments_24h, payment_added_at, payment_method ("cod"), new_customer_offer, risk_flag.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from orderhub.kernel import regions, secrets
from orderhub.orders.models import Order
from orderhub.orders.risk.engine.addresses import plain_address, plain_phone
from orderhub.orders.risk.models import Key

_LONGEST = 200
_SHORTEST_PHONE = 6
KeyName = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class Identity:
    """One order's keys by kind, and what its channel told; provinces are codes of our tables."""

    keys: Mapping[str, KeyName]
    hints: Mapping[str, str]
    registered_at: datetime | None
    payment_added_at: datetime | None
    login_province: str
    login_at: datetime | None
    ip_province: str
    usual_provinces: tuple[str, ...]
    phone_changes: int
    failed_payments: int
    is_cod: bool
    takes_offer: bool
    flag: str


def of(order: Order) -> Identity:
    """The identity of an order that has its receiver at hand; no query."""
    told = order.extra if isinstance(order.extra, dict) else {}
    phone, mail = plain_phone(order.person.phone), order.person.email.strip().casefold()
    # The mask of a hidden number stands for thousands of people.
    phone = phone if len(phone) >= _SHORTEST_PHONE and "*" not in order.person.phone else ""
    clear = {
        # Without a number of its own, an account is whoever has this mail address, or else this phone.
        Key.Kind.ACCOUNT.value: _text(told, "buyer_id") or mail or phone,
        Key.Kind.PHONE.value: phone,
        Key.Kind.DEVICE.value: _text(told, "device_id"),
        Key.Kind.ADDRESS.value: _address(order),
        Key.Kind.IP.value: _text(told, "ip"),
    }
    return Identity(
        {kind: key(order.merchant_id, kind, value) for kind, value in clear.items() if value},
        {kind: hint(kind, value) for kind, value in clear.items() if value},
        _moment(told, "buyer_registered_at"), _moment(told, "payment_added_at"),
        province(order.country, _text(told, "login_province")), _moment(told, "login_at"),
        province(order.country, _text(told, "ip_province")),
        tuple(filter(None, (province(order.country, text) for text in _texts(told.get("usual_provinces"))))),
        _count(told, "phone_changes_30d"), _count(told, "failed_payments_24h"),
        _text(told, "payment_method").casefold() in {"cod", "货到付款"}, told.get("new_customer_offer") is True,
        _flag(told.get("risk_flag")),
    )  # fmt: skip


def key(merchant_id: int, kind: str, value: str) -> KeyName:
    """The name a value is counted under: a keyed hash, the same value of another merchant has another."""
    secret = settings.SECRET_KEYS[0]
    return merchant_id, kind, secrets.derived_token(key=secret, subject=f"risk:{merchant_id}:{kind}:{value}")


def normalized(kind: str, value: str) -> str:
    """A value as orders have it, for a list that somebody types in; addresses are only listed from an order."""
    return plain_phone(value) if kind == Key.Kind.PHONE else value.strip()[:_LONGEST]


def hint(kind: str, value: str) -> str:
    """A few signs of a value, enough to tell two apart: the last four digits of a phone."""
    if kind == Key.Kind.ADDRESS:
        return f"{value[:6]}…"
    return f"…{value[-4:]}" if len(value) > 4 else "…"


def province(country: str, text: str) -> str:
    """The code of a province, else the text itself; empty for none."""
    found = regions.find_province(country, text) if text else None
    return found.code if found is not None else text


def _address(order: Order) -> str:
    street = plain_address(order.person.address)
    if not street or "*" in order.person.address:
        return ""
    where = province(order.country, order.province)
    return plain_address(order.country, where, order.city, order.district) + street


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip()[:_LONGEST] if isinstance(value, str) else ""


def _texts(value: object) -> Sequence[str]:
    if isinstance(value, str):
        return [part.strip() for part in value.replace("，", ",").replace("、", ",").split(",")][:10]
    if isinstance(value, Iterable) and not isinstance(value, Mapping):
        return [part for part in value if isinstance(part, str)][:10]
    return ()


def _moment(told: Mapping[str, Any], name: str) -> datetime | None:
    value = told.get(name)
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _count(told: Mapping[str, Any], name: str) -> int:
    value = told.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10_000 else 0


def _flag(value: object) -> str:
    return str(value).strip().casefold()[:40] if isinstance(value, str | int | bool) else ""
