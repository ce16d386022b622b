"""Which exchange rates an order is routed with, and the immutable versions that decisions point to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Subquery

from orderhub.access.models import Merchant, User
from orderhub.events import log
from orderhub.inventory import telling
from orderhub.orders.models import Order, OrderLine
from routing import choosing, kinds
from routing import figures as plain_figures
from routing.engine import model
from routing.figures import FIGURES as FIGURES
from routing.figures import RATES
from routing.models import Strategy, StrategyRule, StrategyVersion

#: How an order's marks begin that name the strategy its flow assigned.
ASSIGNED = "strategy:"


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
    order: tuple[str, ...] = ()
    is_active: bool = True

    @property
    def values(self) -> dict[str, Any]:
        """Its figures as JSON."""
        own = {
            "yuan_per_hour": plain_figures.plain(Decimal(self.hour)),
            "yuan_per_hour_remote": plain_figures.plain(Decimal(self.remote_hour)),
            "yuan_per_kgco2e": plain_figures.plain(Decimal(self.kgco2e)),
            "stock_price_factor": plain_figures.plain(Decimal(self.stock_price)),
            "forward_bonus": plain_figures.plain(Decimal(self.forward_bonus)),
            "order": list(self.order),
        }
        return plain_figures.complete(own)


PRESETS = (
    Preset("cost", "成本最优", "Cost optimal", "0.02", "0.02", "0.1"),
    Preset("balanced", "均衡", "Balanced", "0.08", "0.50", "0.5", is_default=True),
    Preset("speed", "时效优先", "Speed first", "0.30", "0.60", "0.5"),
    Preset("stock", "库存均衡", "Inventory balance", "0.08", "0.50", "0.5", stock_price="2"),
    Preset("green", "绿色优先", "Green", "0.05", "0.20", "5", for_green=True),
    Preset("forward", "前置仓优先", "Forward warehouse first", "0.08", "0.50", "0.5", forward_bonus="2"),
    Preset(
        "sequential",
        "最少包裹，再就近",
        "Fewest parcels, then nearest",
        "0.08",
        "0.50",
        "0.5",
        order=("parcels", "distance", "money"),
        is_active=False,
    ),
)


def ensure_presets(merchant: Merchant, *, now: datetime) -> list[Strategy]:
    """The ready-made strategies of a merchant, made with their first versions where missing."""
    with transaction.atomic():
        Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)
        held = Strategy.objects.filter(merchant=merchant)
        codes = set(held.values_list("code", flat=True))
        has_default = held.filter(is_default=True).exists()
        for preset in PRESETS:
            if preset.code not in codes:
                _make(preset, merchant, is_default=preset.is_default and not has_default, now=now)
    return list(Strategy.objects.filter(merchant=merchant).order_by("id"))


def save_version(strategy: Strategy, *, actor: User | None, now: datetime, **told: Any) -> StrategyVersion:
    """The version holding the strategy's present figures; a new one, in force at once, if they changed.

    `told` are further fields of a new version: its origin, note, replay.
    """
    with transaction.atomic():
        # Two operators saving at once must not give out one number twice.
        Strategy.objects.select_for_update().get(pk=strategy.pk)
        newest = in_force(strategy)
        values = figures(strategy)
        if newest is not None and not plain_figures.changed(newest.values, values):
            return newest
        number = newest.number + 1 if newest else 1
        version = StrategyVersion.objects.create(
            strategy=strategy, number=number, values=values, created_at=now, created_by=actor, **told
        )
        if newest is not None:  # nothing can wait for figures that never were
            _tell_published(strategy, version, actor=actor, now=now)
        return version


def _tell_published(
    strategy: Strategy, version: StrategyVersion, *, actor: User | None, now: datetime
) -> None:
    payload = {"strategy": strategy.code, "number": version.number}
    who = f"user:{actor.get_username()}" if actor else "system"
    fact = log.Fact(f"strategy:{strategy.pk}", kinds.STRATEGY_PUBLISHED.name, payload, strategy.merchant_id)
    telling.record([fact], now=now, actor=who)


def in_force(strategy: Strategy) -> StrategyVersion | None:
    """The newest version of a strategy; None if it was never published."""
    return strategy.versions.order_by("-number").first()


def figures(strategy: Strategy) -> dict[str, Any]:
    """The figures of a strategy as JSON, under its code (see `routing.figures`)."""
    found: dict[str, Any] = {"code": strategy.code}
    found |= {name: plain_figures.plain(Decimal(getattr(strategy, name))) for name in RATES}
    order = [code for code in strategy.sequence.split(",") if code]
    return {
        **found,
        "max_parcels": strategy.max_parcels,
        "allow_partial": strategy.allow_partial,
        "order": order,
    }


def take_over(strategy: Strategy, values: Mapping[str, Any]) -> None:
    """Put figures as JSON into the strategy's own columns; the caller saves them."""
    told = plain_figures.complete(values)
    for name in RATES:
        setattr(strategy, name, Decimal(told[name]))
    strategy.max_parcels = told["max_parcels"]
    strategy.allow_partial = told["allow_partial"]
    strategy.sequence = ",".join(told["order"])


def rates(version: StrategyVersion) -> model.Strategy:
    """What the engine needs of a version."""
    return rates_of(version.values)


def rates_of(values: Mapping[str, Any]) -> model.Strategy:
    """What the engine needs of figures as JSON, of a version or a draft."""
    told = plain_figures.complete(values)
    found: dict[str, Any] = {name: Decimal(told[name]) for name in RATES}
    found |= {
        "code": values.get("code", ""),
        "max_parcels": told["max_parcels"],
        "allow_partial": told["allow_partial"],
        "order": tuple(told["order"]),
    }
    return model.Strategy(**{name: value for name, value in found.items() if name in _ENGINE_FIELDS})


_ENGINE_FIELDS = {field.name for field in fields(model.Strategy)}


def choose(
    orders: Sequence[Order],
    *,
    now: datetime,
    lines: Mapping[int, Sequence[OrderLine]] | None = None,
    shelf: Shelf | None = None,
) -> dict[int, StrategyVersion]:
    """The version in force for each order, as `pick` finds it."""
    return {pk: picked.version for pk, picked in pick(orders, now=now, lines=lines, shelf=shelf).items()}


def pick(
    orders: Sequence[Order],
    *,
    now: datetime,
    lines: Mapping[int, Sequence[OrderLine]] | None = None,
    categories: Mapping[int, frozenset[str]] | None = None,
    shelf: Shelf | None = None,
) -> dict[int, Picked]:
    """The version in force for each order and why: what its flow assigned, else the first rule that holds, else green
    orders the green strategy, then the channel's, else the default.

    Three queries for the whole batch: versions, channels, rules. Without `lines` (with SKUs) the categories
    are read when a rule asks for them, unless `categories` by order tells them. A merchant without any
    strategy in force gets the presets.
    """
    merchants = {order.merchant_id for order in orders}
    newest = dict(shelf.newest) if shelf else _newest(merchants)
    for merchant in Merchant.objects.filter(pk__in=merchants - newest.keys()):
        ensure_presets(merchant, now=now)
        newest |= _newest([merchant.pk])
    rules = shelf.rules if shelf else _rules(merchants)
    facts = choosing.facts_of(orders, rules, lines, categories or {})
    return {
        order.pk: _pick(
            order, newest[order.merchant_id], rules.get(order.merchant_id, ()), facts[order.pk], now
        )
        for order in orders
    }


@dataclass(frozen=True, slots=True)
class Picked:
    """A version and why an order got it: the rule, or else `why` ("flow", "green", "channel", "default",
    "only")."""

    version: StrategyVersion
    rule: StrategyRule | None
    why: str
    facts: choosing.Facts

    @property
    def notes(self) -> list[str]:
        """What the decision keeps of it: the rule with its names, as it was then."""
        rule = self.rule
        return [] if rule is None else [f"strategy_rule:{rule.name}|{rule.name_en or rule.name}"]


@dataclass(frozen=True, slots=True)
class _Choice:
    version: StrategyVersion
    channels: frozenset[int]


@dataclass(frozen=True, slots=True)
class Shelf:
    """The versions in force and the active rules of some merchants, to pick from more than once."""

    newest: Mapping[int, list[_Choice]]
    rules: Mapping[int, list[StrategyRule]]


def assign(order: Order, code: str) -> None:
    """Note on an order that walks a drawn flow which strategy it gets; the caller saves `flow_marks`."""
    others = [mark for mark in order.flow_marks if not mark.startswith(ASSIGNED)]
    order.flow_marks = [*others, f"{ASSIGNED}{code}"]


def shelf_of(merchant_ids: Iterable[int]) -> Shelf:
    """The shelf of these merchants: three queries."""
    ids = set(merchant_ids)
    return Shelf(_newest(ids), _rules(ids))


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


def _rules(merchant_ids: Iterable[int]) -> dict[int, list[StrategyRule]]:
    found: dict[int, list[StrategyRule]] = {}
    rows = StrategyRule.objects.filter(merchant_id__in=set(merchant_ids), is_active=True)
    for rule in rows.order_by("priority", "pk"):
        found.setdefault(rule.merchant_id, []).append(rule)
    return found


def _pick(
    order: Order,
    choices: Sequence[_Choice],
    rules: Sequence[StrategyRule],
    facts: choosing.Facts,
    now: datetime,
) -> Picked:
    """The first fitting active strategy; with none active, the default goes on rather than stop the
    orders."""
    active = [choice for choice in choices if choice.version.strategy.is_active] or choices
    assigned = next((mark for mark in order.flow_marks if mark.startswith(ASSIGNED)), "")
    for choice in active if assigned else ():
        if choice.version.strategy.code == assigned.removeprefix(ASSIGNED):
            return Picked(choice.version, None, "flow", facts)
    by_strategy = {choice.version.strategy_id: choice.version for choice in active}
    for rule in rules:
        version = by_strategy.get(rule.strategy_id)
        if version is not None and choosing.holds(rule, facts, now):
            return Picked(version, rule, "rule", facts)
    fitting = (
        *((c, "green") for c in active if order.green and c.version.strategy.for_green),
        *((c, "channel") for c in active if order.channel_id in c.channels),
        *((c, "default") for c in active if c.version.strategy.is_default),
        *((c, "only") for c in active),
    )
    found, why = fitting[0]
    return Picked(found.version, None, why, facts)


def _make(preset: Preset, merchant: Merchant, *, is_default: bool, now: datetime) -> None:
    strategy = Strategy(
        merchant=merchant,
        code=preset.code,
        name=preset.name,
        name_en=preset.name_en,
        is_default=is_default,
        is_active=preset.is_active,
        for_green=preset.for_green,
    )
    take_over(strategy, preset.values)
    strategy.save()
    save_version(strategy, actor=None, now=now, origin=StrategyVersion.Origin.PRESET)
