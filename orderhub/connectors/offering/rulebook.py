"""Which stock rule speaks for a SKU on a channel, as terms of the offer core."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from orderhub.connectors.models import StockRule
from orderhub.inventory.atp.world import CLOSED, Buffer, Terms
from orderhub.inventory.models import Sku


def load(merchant_ids: Collection[int]) -> dict[int, list[StockRule]]:
    """Active rules by merchant, those that count first ahead; two queries."""
    rows = StockRule.objects.filter(merchant_id__in=merchant_ids, is_active=True)
    found: dict[int, list[StockRule]] = {}
    for rule in sorted(rows.prefetch_related("warehouses"), key=rank):
        found.setdefault(rule.merchant_id, []).append(rule)
    return found


def rank(rule: StockRule) -> tuple[int, int, int, int]:
    """The order in which rules are asked: priority, then what says more, then the newer one."""
    scope = 0 if rule.sku_id else 1 if rule.category else 2
    return rule.priority, scope, 0 if rule.channel_id else 1, -(rule.pk or 0)


def choose(rules: Iterable[StockRule], sku: Sku, channel_id: int) -> StockRule | None:
    """The first of these ranked rules that fits."""
    for rule in rules:
        if rule.channel_id not in (None, channel_id) or rule.sku_id not in (None, sku.pk):
            continue
        if not rule.category or rule.category == sku.category:
            return rule
    return None


def terms(rule: StockRule | None, *, now: datetime) -> Terms:
    """The rule as terms; without one, or for a SKU switched off, nothing is shown."""
    if rule is None:
        return CLOSED
    houses: Sequence[int] = [house.pk for house in rule.warehouses.all()] if rule.pk else []
    is_ahead = bool(rule.presale_units) and (rule.presale_until is None or rule.presale_until > now)
    return Terms(
        share_percent=rule.share_percent, safety=rule.safety_units, threshold=rule.threshold, cap=rule.cap,
        warehouses=frozenset(houses) or None, presale=rule.presale_units if is_ahead else 0,
        presale_key=rule.pk or 0, buffer=Buffer(rule.buffer), fixed=rule.buffer_units,
    )  # fmt: skip
