"""From bare blocks to plans an operator can read, in Decimal yuan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from routing.engine.model import TERMS, ZERO, Piece, Plan, PlannedParcel
from routing.engine.price import NOTHING, Rate, Terms, duty_cost, parcel_terms, risk_cost, stock_cost
from routing.engine.search import Problem
from routing.engine.split import Block

Priced = tuple[int, Rate, Terms]


def cheapest_lane(
    problem: Problem, source: int, bits: int, taken: Mapping[int, int] = NOTHING
) -> Priced | None:
    """Cost in units of account, rate and terms of the cheapest lane for one parcel; None if none can.

    With ordered criteria "cheapest" is best by these, and the cost their weighted sum.

    ``taken`` are units by sku in earlier parcels of the source: price curves go on from there.
    """
    goods = cm3 = units = 0
    lines: set[int] = set()
    for i, item in enumerate(problem.items):
        if bits >> i & 1:
            goods += item.grams
            cm3 += item.cm3
            units += item.units
            lines.update(part.need for part in item.parts)
    prices, ladder = problem.prices, problem.prices.ladder
    stock = stock_cost(prices, source, problem.items, problem.needs, bits, taken)
    risk = risk_cost(prices, source, problem.items, problem.needs, bits)
    duty = duty_cost(prices, source, problem.items, bits)
    made = problem.sources[source].made
    is_made = bool(made) and any(problem.needs[n].sku_id in made for n in lines)
    best: Priced | None = None
    for rate in prices.of_source(source):
        if goods + rate.parcel_grams <= rate.max_grams and (rate.making or not is_made):
            terms = parcel_terms(
                rate,
                goods_grams=goods,
                cm3=cm3,
                lines=len(lines),
                stock=stock,
                time_share=prices.time_share,
                risk=risk,
                duty=duty,
            )
            cost = sum(terms)
            if ladder is not None:
                cost = ladder.weigh(rate, grams=goods + rate.parcel_grams, units=units, money=cost)
            if best is None or cost < best[0]:
                best = (cost, rate, terms)
    return best


class Desk:
    """Writes the plans of one decision, each parcel once; ``digits`` are the decimals of a yuan."""

    def __init__(self, problem: Problem, digits: int) -> None:
        self.problem = problem
        self.unit = Decimal(1).scaleb(-digits)
        self.written: dict[tuple[Block, bool], tuple[Terms, PlannedParcel]] = {}
        self.curved = problem.prices.slot_curves or problem.prices.stock_curves

    def plan(self, blocks: Sequence[Block]) -> Plan:
        """The plan of these parcels, ordered by node; ValueError when one of them has no lane."""
        done, earlier = [], dict[int, list[int]]()
        for n, block in enumerate(sorted(blocks)):
            source, bits = block
            before = earlier.setdefault(source, [])
            if before and self.curved:
                done.append(self._further(block, before))
            else:
                done.append(self._parcel(block, first=n == 0))
            before.append(bits)
        sums = [sum(column) for column in zip(*(terms for terms, _ in done), strict=True)]
        parcels = tuple(parcel for _, parcel in done)
        return Plan(
            parcels,
            self._yuan(sums),
            sum(sums) * self.unit,
            max(parcel.hours for parcel in parcels),
            sum((parcel.kgco2e for parcel in parcels), ZERO),
        )

    def _yuan(self, amounts: Iterable[int]) -> dict[str, Decimal]:
        unit = self.unit
        return dict(zip(TERMS, [amount * unit for amount in amounts], strict=True))

    def _parcel(self, block: Block, *, first: bool) -> tuple[Terms, PlannedParcel]:
        known = self.written.get((block, first))
        if known is not None:
            return known
        priced = cheapest_lane(self.problem, *block)
        if priced is None:
            raise ValueError("no lane carries this parcel")
        _, rate, terms = priced
        if first:
            terms = terms._replace(split=0)  # only further parcels cost goodwill
        made = terms, self._written(block, rate, terms)
        self.written[block, first] = made
        return made

    def _further(self, block: Block, before: Sequence[int]) -> tuple[Terms, PlannedParcel]:
        """A second or later parcel of a source, its prices going on where the earlier ones ended."""
        problem, (source, bits) = self.problem, block
        taken: dict[int, int] = {}
        for i, item in enumerate(problem.items):
            if sum(before) >> i & 1:
                for part in item.parts:
                    sku = problem.needs[part.need].sku_id
                    taken[sku] = taken.get(sku, 0) + part.quantity
        priced = cheapest_lane(problem, source, bits, taken)
        if priced is None:
            raise ValueError("no lane carries this parcel")
        _, rate, terms = priced
        slots = problem.prices.slot_curves.get(source)
        if slots is not None:
            terms = terms._replace(capacity_price=slots.cost(1, before=len(before)))
        return terms, self._written(block, rate, terms)

    def _written(self, block: Block, rate: Rate, terms: Terms) -> PlannedParcel:
        problem, (source, bits) = self.problem, block
        node, lane = problem.sources[source].node, problem.sources[source].lanes[rate.lane]
        quantities: dict[int, int] = {}
        grams = lane.parcel_grams
        for i, item in enumerate(problem.items):
            if bits >> i & 1:
                grams += item.grams
                for part in item.parts:
                    quantities[part.need] = quantities.get(part.need, 0) + part.quantity
        return PlannedParcel(
            node_id=node.id,
            node_code=node.code,
            carrier=lane.carrier,
            service=lane.service,
            pieces=tuple(Piece(problem.needs[n].line_id, units) for n, units in sorted(quantities.items())),
            grams=grams,
            hours=lane.hours + node.cutoff_wait_hours,
            kgco2e=Decimal(grams) / 1000 * lane.kgco2e_per_kg + lane.kgco2e_per_parcel,
            terms=self._yuan(terms),
            node_name=node.name,
            zone=lane.zone,
            distance_km=lane.distance_km,
            kgco2e_per_kg=lane.kgco2e_per_kg,
            kgco2e_per_parcel=lane.kgco2e_per_parcel,
            units_away=rate.away * sum(quantities.values()),
        )
