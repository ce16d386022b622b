"""What an order remembers of its pricing: plain values, so that it reads the same when the rules are long gone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from orderhub.orders.promotions.engine.model import Applied, Cart, Promotion, Result, Skipped
from rules.engine import Failure

#: Promotions that did not count are remembered up to so many; the rest are only counted.
MOST_SKIPPED = 30


def document(cart: Cart, result: Result, *, most: int = MOST_SKIPPED) -> dict[str, Any]:
    """The explanation: what each promotion took off which line, and why others did not count; those that nearly did
    come first.
    """
    near = sorted(result.skipped, key=lambda x: x.code == "not_matched")
    return {
        "currency": cart.currency,
        "goods": _money(cart.cents),
        "discount": _money(result.cents),
        "lines": [
            {"position": line.position, "sku": line.sku, "units": line.units, "total": _money(line.cents), "off": _money(off)}
            for line, off in zip(cart.lines, result.off, strict=True)
        ],
        "applied": [_applied(cart, one) for one in result.applied],
        "skipped": [_skipped(one) for one in near[:most]],
        "skipped_more": max(0, len(near) - most) + result.more,
    }  # fmt: skip


def _applied(cart: Cart, one: Applied) -> dict[str, Any]:
    shares = zip(cart.lines, one.shares, strict=True)
    return {
        **_named(one.promotion),
        "off": _money(one.cents),
        "lines": {str(line.position): _money(cents) for line, cents in shares if cents},
        "gifts": [{"sku": x.sku, "units": x.units, "instead_of": x.instead_of} for x in one.gifts],
        "missing_gifts": list(one.missing_gifts),
        "is_capped": one.is_capped,
        "free_shipping": one.promotion.free_shipping,
    }


def _skipped(one: Skipped) -> dict[str, Any]:
    said: dict[str, Any] = {**_named(one.promotion), "code": one.code}
    if one.facts:
        said["facts"] = _plain(one.facts)
    if one.failures:
        said["failures"] = [_failure(failure) for failure in one.failures[:3]]
    return said


def _named(promotion: Promotion) -> dict[str, Any]:
    return {
        "promotion": promotion.key, "name": promotion.rule.name, "name_en": promotion.name_en,
        "version": promotion.version,
    }  # fmt: skip


def _failure(failure: Failure) -> dict[str, Any]:
    return {
        "path": failure.path, "fact": failure.fact, "op": failure.op, "expected": _plain(failure.expected),
        "actual": _plain(failure.actual), "code": failure.code,
    }  # fmt: skip


def _plain(value: Any) -> Any:
    """As JSON says it: figures as text, sets in order."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(str(inner) for inner in value)
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool) or value is None or isinstance(value, (int, str)):
        return value
    return str(value)


def _money(cents: int) -> str:
    return f"{Decimal(cents) / 100:.2f}"
