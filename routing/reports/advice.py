"""What a period advises the supply chain to do, each with its value in yuan and what that rests on.

All of it is read off what really happened: units another warehouse sent since the nearest had too few, what lanes
really cost, how long carriers really took. Values are estimates before the replay on the twin; they do not add up,
since two pieces of advice may save the same yuan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from math import ceil, erf, exp, pi, sqrt
from typing import Any

from django.db.models import F

from orderhub.fulfillment.models import RateCard
from orderhub.inventory.models import Sku, Stock, Warehouse
from routing import strategies
from routing.models import Strategy
from routing.pricing.models import PriceSettings
from routing.reports.facts import local_regions
from routing.reports.lanes import Bulk, Prices
from routing.reports.sums import Lane, Tally

ZERO, CENT = Decimal(0), Decimal("0.01")
DEFAULT_CYCLE = 7
#: Rows of one transfer order, pieces of advice of one kind.
MOST_MOVES, MOST_OF_A_KIND = 40, 8
LEAST_YUAN = Decimal(1)
#: Parcels a carrier must have delivered on a lane, orders a region must have, before anything is said of them.
LEAST_DELIVERED, LEAST_ORDERS = 20, 50
#: A forward warehouse holds what makes up this share of a region's units.
RANGE_SHARE = 0.8
#: Demand is covered so many standard deviations above its mean: 19 cycles in 20.
COVER = 1.645
Json = dict[str, Any]
Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Advice:
    """One recommendation: `moves` are by id, `from` None: from the supplier, `to` None: the new warehouse."""

    kind: str
    value: Decimal
    facts: Json
    moves: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class Ground:
    """What advice is made from, beside the period's own sums."""

    merchant_id: int
    tally: Tally
    days: int
    warehouses: Mapping[int, Warehouse]
    prices: Prices = field(init=False)
    bulk: Bulk = field(init=False)
    cycle: int = field(init=False)
    free: dict[Cell, int] = field(init=False)
    grams: dict[int, int] = field(init=False)
    services: dict[str, str] = field(init=False)
    yuan_per_hour: tuple[Decimal, Decimal] = field(init=False)
    #: By SKU and nearest warehouse: units others sent, and the yuan more that cost.
    away: dict[Cell, tuple[int, Decimal]] = field(init=False)

    def __post_init__(self) -> None:
        self.prices, self.bulk = Prices(self.tally.lanes), Bulk(self.merchant_id)
        settings = PriceSettings.objects.filter(merchant=self.merchant_id).first()
        self.cycle = settings.replenishment_days if settings else DEFAULT_CYCLE
        rows = Stock.objects.filter(merchant=self.merchant_id).annotate(
            sellable=F("on_hand") - F("reserved") - F("safety")
        )
        self.free = {
            (sku, house): max(0, units)
            for sku, house, units in rows.values_list("sku_id", "warehouse_id", "sellable")
        }
        self.grams = dict(Sku.objects.filter(merchant=self.merchant_id).values_list("pk", "grams"))
        cards = RateCard.objects.filter(merchant=self.merchant_id, is_active=True)
        self.services = dict(cards.values_list("code", "service"))
        self.yuan_per_hour = _hour(self.merchant_id)
        self.away = _away(self.tally, self.prices)


def all_of(ground: Ground) -> list[Advice]:
    """Every piece of advice worth a yuan or more, the most valuable first."""
    found: list[Advice] = []
    for kind in (transfers, safety_stocks, forward_warehouses, carriers):
        rows = [one for one in kind(ground) if one.value >= LEAST_YUAN]
        found += sorted(rows, key=lambda one: -one.value)[:MOST_OF_A_KIND]
    return sorted(found, key=lambda one: (-one.value, one.kind))


# ---- stock ---------------------------------------------------------------------------------------


def transfers(ground: Ground) -> Iterable[Advice]:
    """One transfer a pair of warehouses: what the receiver will miss until the next receipt and the sender will not."""
    left = dict(ground.free)
    pairs: dict[tuple[int, int], list[tuple[Decimal, Json]]] = {}
    ranked = sorted(ground.away.items(), key=lambda item: (-item[1][1], item[0]))
    for (sku, house), (units, extra) in ranked:
        each = extra / units
        lacking = _lacking(ground, sku, house, units)
        giver, spare = _richest(ground, left, sku, house)
        moved = min(lacking, spare)
        if moved <= 0 or giver is None:
            continue
        kilograms = Decimal(ground.grams.get(sku, 0) * moved) / 1000
        freight = kilograms * ground.bulk.per_kg(ground.warehouses[giver], ground.warehouses[house])
        worth = each * moved - freight
        if worth > 0:
            left[sku, giver] -= moved
            move = {"from": giver, "to": house, "sku": sku, "units": moved}
            pairs.setdefault((giver, house), []).append((worth, move))
    for (giver, house), rows in pairs.items():
        kept = sorted(rows, key=lambda row: -row[0])[:MOST_MOVES]
        moves = [move for _worth, move in kept]
        facts = {
            "from": giver, "to": house, "skus": len(moves), "days": ground.cycle,
            "units": sum(move["units"] for move in moves),
        }  # fmt: skip
        yield Advice("transfer", _yuan(sum((worth for worth, _move in kept), ZERO)), facts, moves)


def _lacking(ground: Ground, sku: int, house: int, away: int) -> int:
    """Units the warehouse will have too few of until the next receipt, at most what others sent meanwhile."""
    asked = sum(ground.tally.near.get((sku, house), {}).values())
    wanted = ceil(max(asked, away) * ground.cycle / ground.days)
    return min(wanted - ground.free.get((sku, house), 0), ceil(away * ground.cycle / ground.days))


def _richest(ground: Ground, left: Mapping[Cell, int], sku: int, house: int) -> tuple[int | None, int]:
    """The warehouse with most to spare of the SKU beyond what it will send itself."""
    best: tuple[int | None, int] = (None, 0)
    for pk in ground.warehouses:
        sent = ground.tally.shipped.get((sku, pk), 0)
        spare = left.get((sku, pk), 0) - ceil(sent * ground.cycle / ground.days)
        if pk != house and spare > best[1]:
            best = (pk, spare)
    return best


def safety_stocks(ground: Ground) -> Iterable[Advice]:
    """Levels a warehouse should keep, where others sent what it lacked: mean demand of a cycle and what varies."""
    by_house: dict[int, list[tuple[float, Json]]] = {}
    for (sku, house), (units, extra) in ground.away.items():
        mean, spread = _demand(ground, sku, house)
        keep, have = ceil(mean + COVER * spread), ground.free.get((sku, house), 0)
        if keep <= have:
            continue
        missed = _shortfall(mean, spread, have) - _shortfall(mean, spread, keep)
        worth = missed * float(extra / units)
        move = {"from": None, "to": house, "sku": sku, "units": keep - have, "keep": keep, "have": have}
        if worth > 0:
            by_house.setdefault(house, []).append((worth, move))
    for house, rows in by_house.items():
        kept = sorted(rows, key=lambda row: -row[0])[:MOST_MOVES]
        moves = [move for _worth, move in kept]
        facts = {
            "to": house, "skus": len(moves), "units": sum(move["units"] for move in moves), "days": ground.cycle,
        }  # fmt: skip
        yield Advice("safety", _yuan(Decimal(str(sum(worth for worth, _m in kept)))), facts, moves)


def _demand(ground: Ground, sku: int, house: int) -> tuple[float, float]:
    """Mean and standard deviation of the units asked for near a warehouse in one cycle, from its days."""
    days = ground.tally.near.get((sku, house), {})
    mean = sum(days.values()) / ground.days
    varies = sum(units * units for units in days.values()) / ground.days - mean * mean
    return mean * ground.cycle, sqrt(max(varies, 0.0) * ground.cycle)


def _shortfall(mean: float, spread: float, stock: int) -> float:
    """Units expected to be missing when so many are there: the loss of a normal distribution."""
    if spread <= 0:
        return max(0.0, mean - stock)
    z = (stock - mean) / spread
    density = exp(-z * z / 2) / sqrt(2 * pi)
    return spread * (density - z * (1 - (1 + erf(z / sqrt(2))) / 2))


# ---- places --------------------------------------------------------------------------------------


def forward_warehouses(ground: Ground) -> Iterable[Advice]:
    """Regions without a warehouse of their own: what their parcels would cost as parcels do that stay in a region."""
    served = {region for row in ground.warehouses.values() for region in local_regions(row)}
    for region, sums in ground.tally.by["region"].items():
        name = str(region)
        if name in served or sums.orders < max(LEAST_ORDERS, ground.tally.total.orders // 200):
            continue
        saved, hours, parcels, covered = ZERO, ZERO, 0, 0
        for (_house, there, _card, weight), lane in ground.tally.lanes.items():
            if there != name:
                continue
            parcels += lane.parcels
            local = ground.prices.local(weight)
            if local:
                covered += lane.parcels
                saved += lane.cost - local[0] * lane.parcels
                hours += lane.hours - local[1] * lane.parcels
        moves = _range(ground, name)
        if not covered or not moves:
            continue
        rate = ground.yuan_per_hour[1 if _is_remote(ground, name) else 0]
        share = Decimal(str(RANGE_SHARE))
        facts = {
            "region": name, "orders": sums.orders, "parcels": parcels, "days": ground.days,
            "hours": f"{hours / covered:.1f}", "money": f"{_yuan(saved * share)}", "skus": len(moves),
            "units": sum(move["units"] for move in moves),
        }  # fmt: skip
        yield Advice("forward", _yuan((saved + hours * rate) * share), facts, moves)


def _range(ground: Ground, region: str) -> list[Json]:
    """The SKUs that make up most of a region's units, a cycle of each, from whoever has most."""
    rows = sorted(
        ((units, sku) for (there, sku), units in ground.tally.wanted.items() if there == region), reverse=True
    )
    enough, seen, moves = RANGE_SHARE * sum(units for units, _sku in rows), 0, list[Json]()
    for units, sku in rows:
        if seen >= enough:
            break
        seen += units
        giver, _spare = _richest(ground, ground.free, sku, 0)
        moves.append(
            {"from": giver, "to": None, "sku": sku, "units": ceil(units * ground.cycle / ground.days)}
        )
    return moves


def _is_remote(ground: Ground, region: str) -> bool:
    lanes = [lane for (_h, there, _c, _w), lane in ground.tally.lanes.items() if there == region]
    return sum(lane.remote for lane in lanes) * 2 > sum(lane.parcels for lane in lanes)


# ---- carriers ------------------------------------------------------------------------------------


def carriers(ground: Ground) -> Iterable[Advice]:
    """Lanes where another card of the same service was cheaper, its real hours counted, over the same weights."""
    lanes: dict[tuple[int, str], dict[str, dict[int, Lane]]] = {}
    for (house, region, card, weight), lane in ground.tally.lanes.items():
        lanes.setdefault((house, region), {}).setdefault(card, {})[weight] = lane
    for (house, region), cards in lanes.items():
        found = [one for one in _swaps(ground, house, region, cards) if one.value > 0]
        if found:
            yield max(found, key=lambda one: one.value)


def _swaps(
    ground: Ground, house: int, region: str, cards: Mapping[str, Mapping[int, Lane]]
) -> Iterable[Advice]:
    rate = ground.yuan_per_hour[1 if _is_remote(ground, region) else 0]
    for code, mine in cards.items():
        for other, theirs in cards.items():
            if code == other or ground.services.get(code) != ground.services.get(other, ""):
                continue
            both = mine.keys() & theirs.keys()
            delivered = [sum(rows[w].delivered for w in both) for rows in (mine, theirs)]
            if min(delivered, default=0) < LEAST_DELIVERED:
                continue
            parcels = sum(mine[w].parcels for w in both)
            money = sum((mine[w].cost - _mean(theirs[w]) * mine[w].parcels for w in both), ZERO)
            hours = [
                sum((rows[w].real_hours for w in both), ZERO) / n
                for rows, n in zip((mine, theirs), delivered, strict=True)
            ]
            planned = [
                sum((rows[w].planned for w in both), ZERO) / n
                for rows, n in zip((mine, theirs), delivered, strict=True)
            ]
            slowness = {
                name: f"{real / plan:.4f}" if plan else "1"
                for name, real, plan in zip((code, other), hours, planned, strict=True)
            }
            late = [
                sum(rows[w].late for w in both) / n for rows, n in zip((mine, theirs), delivered, strict=True)
            ]
            facts = {
                "warehouse": house, "region": region, "card": code, "other": other, "parcels": parcels,
                "days": ground.days, "money": f"{_yuan(money)}", "hours": [f"{h:.1f}" for h in hours],
                "late": [round(share, 4) for share in late], "delivered": delivered, "slowness": slowness,
            }  # fmt: skip
            yield Advice("carrier", _yuan(money + (hours[0] - hours[1]) * rate * parcels), facts)


def _mean(lane: Lane) -> Decimal:
    return lane.cost / lane.parcels


# ---- what all of them need -----------------------------------------------------------------------


def _away(tally: Tally, prices: Prices) -> dict[Cell, tuple[int, Decimal]]:
    """Only units whose lanes from both warehouses were seen count, and only where the nearest is cheaper in all."""
    found: dict[Cell, tuple[int, Decimal]] = {}
    for (sku, house, region, weight, other), away in tally.away.items():
        home, there = prices.of(house, region, weight), prices.of(other, region, weight)
        if home is None or not there:
            continue
        units, extra = found.get((sku, house), (0, ZERO))
        found[sku, house] = (units + away.units, extra + away.cost * (1 - home / there))
    return {cell: row for cell, row in found.items() if row[1] > 0}


def _hour(merchant_id: int) -> tuple[Decimal, Decimal]:
    """What an hour is worth by the merchant's default strategy, elsewhere and in remote regions."""
    strategy = Strategy.objects.filter(merchant=merchant_id, is_default=True).first()
    version = strategies.in_force(strategy) if strategy else None
    if version is None:
        return ZERO, ZERO
    rates = strategies.rates_of(version.values)
    return rates.yuan_per_hour, rates.yuan_per_hour_remote


def _yuan(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)
