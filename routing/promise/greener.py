"""What green delivery saves a cart against the standard one, and how much later it comes where orders are pooled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from carbon.green import offers
from carbon.green.models import GreenSetting

if TYPE_CHECKING:
    from routing.promise.quoting import Cart, Option

BASELINE = "standard delivery of the same cart, shipped at once"
GRAM = Decimal("0.001")


def with_saving(found: Sequence[Option], cart: Cart) -> list[Option]:
    """The options; the green one with its saving where there is any. One query, three where the merchant pools."""
    by = {option.option: option for option in found}
    green, standard = by.get("green"), by.get("standard")
    if green is None or standard is None or green.kgco2e is None or standard.kgco2e is None:
        return list(found)
    setting = offers.setting_of(cart.merchant_id)
    average = standard.kgco2e - green.kgco2e
    told = {
        "average_kgco2e": average, "marginal_kgco2e": None, "baseline": BASELINE,
        "baseline_kgco2e": standard.kgco2e, "method": offers.METHOD,
    }  # fmt: skip
    if setting is not None and green.houses:
        green, told["marginal_kgco2e"] = _pooled(green, cart, setting)
    better = replace(green, saving=told) if average > 0 else green
    return [better if option.option == "green" else option for option in found]


def _pooled(green: Option, cart: Cart, setting: GreenSetting) -> tuple[Option, Decimal]:
    """The option at its later dates, and what the order would change in the rounds of its pool."""
    spot = cart.spot
    area = f"{spot.country}/{spot.province}/{spot.city}"[:160]
    pool = offers.open_pool(green.houses[0], area, "ambient")
    closes_at = pool.closes_at if pool is not None else cart.now + timedelta(days=setting.wait_days)
    marginal = offers.marginal_of_stranger(
        green.houses[0], area, setting, pool, is_remote=spot.is_remote, closes_at=closes_at, now=cart.now
    )
    shift = closes_at.date() - cart.now.date()
    later = replace(green, arrives_from=green.arrives_from + shift, arrives_to=green.arrives_to + shift)
    return later, marginal.quantize(GRAM)
