"""How merchants' pages write figures."""

from __future__ import annotations

from decimal import Decimal

from django import template

register = template.Library()
SYMBOLS = {"CNY": "¥", "USD": "US$", "EUR": "€", "GBP": "£", "HKD": "HK$", "JPY": "JP¥"}


@register.filter
def thousands(number: int) -> str:
    """24316 as 24,316; a negative number with a true minus."""
    return f"{number:,}".replace("-", "−")


@register.filter
def money(amount: Decimal, currency: str) -> str:
    """The amount with two decimals behind its currency: ¥599.00, or CHF 599.00 without a usual sign."""
    return f"{SYMBOLS.get(currency, currency + ' ')}{amount:,.2f}"
