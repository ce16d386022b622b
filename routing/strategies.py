"""Which exchange rates an order is routed with, and the immutable versions that decisions point to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Subquery

from orderhub.access.models import Merchant, User
from orderhub.orders.models import Order
from routing.engine import model
from routing.models import Strategy, StrategyVersion

FIGURES = (
    "yuan_per_hour",
    "yuan_per_hour_remote",
    "yuan_per_kgco2e",
    "stock_price_factor",
    "yuan_per_extra_parcel",
    "forward_bonus",
    "max_parcels",
)


@dataclass(frozen=True, slots=True)
class Preset:
    """A ready-made strategy: starting values for the operator, in yuan per unit."""

    code: str
    name: str
    name_en: str
    hour: str
    remote_hour: str
    kgco2e: str
    stock_price: str = "1"
    forward_bonus: str = "0"
    is_default: bool = False
    for_green: bool = False


PRESETS = (
    Preset("cost", "成本最优", "Cost optimal", "0.02", "0.02", "0.1"),
    Preset("balanced", "均衡", "Balanced", "0.08", "0.50", "0.5", is_default=True),
    Preset("speed", "时效优先", "Speed first", "0.30", "0.60", "0.5"),
    Preset("stock", "库存均衡", "Inventory balance", "0.08", "0.50", "0.5", stock_price="2"),
    Preset("green", "绿色优先", "Green", "0.05", "0.20", "5", for_green=True),
    Preset("forward", "前置仓优先", "Forward warehouse first", "0.08", "0.50", "0.5", forward_bonus="2"),
)


def ensure_presets(merchant: Merchant, *, now: datetime) -> list[Strategy]:
    """The six ready-made strategies of a merchant, made with their first versions where missing."""
    with transaction.atomic():
        Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)
        held = Strategy.objects.filter(merchant=merchant)
        codes = set(held.values_list("code", flat=True))
        has_default = held.filter(is_default=True).exists()
        for preset in PRESETS:
            if preset.code not in codes:
                _make(preset, merchant, is_default=preset.is_default and not has_default, now=now)
    return list(Strategy.objects.filter(merchant=merchant).order_by("id"))


def save_version(strategy: Strategy, *, actor: User | None, now: datetime) -> StrategyVersion:
    """The version holding the strategy's present figures; a new one, in force at once, if they changed."""
    with transaction.atomic():
        # Two operators saving at once must not give out one number twice.
        Strategy.objects.select_for_update().get(pk=strategy.pk)
        newest = strategy.versions.order_by("-number").first()
        values = figures(strategy)
        if newest is not None and newest.values == values:
            return newest
        number = newest.number + 1 if newest else 1
        return StrategyVersion.objects.create(
            strategy=strategy, number=number, values=values, created_at=now, created_by=actor
        )


def in_force(strategy: Strategy) -> StrategyVersion | None:
    """The newest version of a strategy; None if it was never saved."""
    return strategy.versions.order_by("-number").first()


def figures(strategy: Strategy) -> dict[str, Any]:
    """The figures of a strategy as JSON: plain decimals as text, the parcel limit as a number or null."""
    found: dict[str, Any] = {"code": strategy.code}
    for name in FIGURES:
        value = getattr(strategy, name)
        found[name] = (
            f"{Decimal(value).normalize():f}" if name != "max_parcels" and value is not None else value
        )
    return found


def rates(version: StrategyVersion) -> model.Strategy:
    """What the engine needs of a version."""
    values: Mapping[str, Any] = version.values
    return model.Strategy(
        code=values["code"],
        yuan_per_hour=Decimal(values["yuan_per_hour"]),
        yuan_per_hour_remote=Decimal(values["yuan_per_hour_remote"]),
        yuan_per_kgco2e=Decimal(values["yuan_per_kgco2e"]),
        stock_price_factor=Decimal(values["stock_price_factor"]),
        yuan_per_extra_parcel=Decimal(values["yuan_per_extra_parcel"]),
        forward_bonus=Decimal(values["forward_bonus"]),
        max_parcels=values["max_parcels"],
    )


def choose(orders: Sequence[Order], *, now: datetime) -> dict[int, StrategyVersion]:
    """The version in force for each order: green orders the green strategy, then the channel's, else the
    default.

    A merchant without any strategy gets the presets. Two queries for the whole batch otherwise.
    """
    newest = _newest({order.merchant_id for order in orders})
    for merchant in Merchant.objects.filter(pk__in={o.merchant_id for o in orders} - newest.keys()):
        ensure_presets(merchant, now=now)
        newest |= _newest([merchant.pk])
    return {order.pk: _pick(order, newest[order.merchant_id]) for order in orders}


@dataclass(frozen=True, slots=True)
class _Choice:
    version: StrategyVersion
    channels: frozenset[int]


def _newest(merchant_ids: Iterable[int]) -> dict[int, list[_Choice]]:
    latest = (
        StrategyVersion.objects.filter(strategy=OuterRef("strategy")).order_by("-number").values("pk")[:1]
    )
    versions = (
        StrategyVersion.objects.filter(strategy__merchant_id__in=set(merchant_ids))
        .filter(pk=Subquery(latest))
        .select_related("strategy")
        .prefetch_related("strategy__channels")
        .order_by("strategy_id")
    )
    found: dict[int, list[_Choice]] = {}
    for version in versions:
        channels = frozenset(channel.pk for channel in version.strategy.channels.all())
        found.setdefault(version.strategy.merchant_id, []).append(_Choice(version, channels))
    return found


def _pick(order: Order, choices: Sequence[_Choice]) -> StrategyVersion:
    """The first fitting active strategy; with none active, the default goes on rather than stop the
    orders."""
    active = [choice for choice in choices if choice.version.strategy.is_active] or choices
    fitting = (
        *(choice for choice in active if order.green and choice.version.strategy.for_green),
        *(choice for choice in active if order.channel_id in choice.channels),
        *(choice for choice in active if choice.version.strategy.is_default),
        *active,
    )
    return fitting[0].version


def _make(preset: Preset, merchant: Merchant, *, is_default: bool, now: datetime) -> None:
    strategy = Strategy.objects.create(
        merchant=merchant,
        code=preset.code,
        name=preset.name,
        name_en=preset.name_en,
        is_default=is_default,
        for_green=preset.for_green,
        yuan_per_hour=Decimal(preset.hour),
        yuan_per_hour_remote=Decimal(preset.remote_hour),
        yuan_per_kgco2e=Decimal(preset.kgco2e),
        stock_price_factor=Decimal(preset.stock_price),
        forward_bonus=Decimal(preset.forward_bonus),
    )
    save_version(strategy, actor=None, now=now)
