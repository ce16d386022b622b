"""The demo shop's rules: one promotion and two screening rules, published."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orderhub.access.models import Merchant
from rules import services
from rules.models import Rule, RuleSet

SETS: tuple[dict[str, Any], ...] = (
    {
        "code": "promotions", "name": "促销", "name_en": "Promotions", "purpose": "price",
        "rules": [
            {
                "code": "300-50", "name": "满 300 减 50", "name_en": "50 off from 300", "priority": 10,
                "condition": {"fact": "order.total", "op": ">=", "value": "300"},
                "actions": [{"do": "amount_off", "with": {"value": "50"}}], "group": "threshold",
            },
        ],
    },
    {
        "code": "risk", "name": "风险审核", "name_en": "Risk", "purpose": "screen",
        "rules": [
            {
                "code": "very-large", "name": "金额特别大", "name_en": "Very large order", "priority": 10,
                "condition": {"fact": "order.total", "op": ">=", "value": "20000000"},
                "actions": [{"do": "hold", "with": {"reason": "risk", "detail": "金额特别大，请核对"}}],
            },
            {
                "code": "phone-burst", "name": "同一电话 24 小时内下单过多", "name_en": "Too many orders by one phone in 24 h",
                "priority": 20,
                "condition": {"fact": "customer.phone_orders_24h", "op": ">", "value": "100"},
                "actions": [{"do": "hold", "with": {"reason": "risk", "detail": "同一电话 24 小时内下单过多"}}],
            },
        ],
    },
)  # fmt: skip


def seed(merchant: Merchant, *, now: datetime) -> None:
    """Make and publish the sets once; later edits in the admin stay."""
    scope = f"merchant:{merchant.pk}"
    for spec in SETS:
        ruleset, created = RuleSet.objects.get_or_create(
            scope=scope, code=spec["code"],
            defaults={"name": spec["name"], "name_en": spec["name_en"], "purpose": spec["purpose"]},
        )  # fmt: skip
        if created:
            Rule.objects.bulk_create(Rule(ruleset=ruleset, **rule) for rule in spec["rules"])
            services.publish(ruleset, actor=None, note="demo", now=now)
