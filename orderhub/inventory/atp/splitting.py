"""Splitting units that exist once among channels: the highest averages method (D'Hondt) under nested limits.

It is monotone: a larger share never gets fewer units and never gives the others more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from orderhub.inventory.atp.world import Good, Seat

#: With more sets of warehouses than these, every channel is cut to what the poorest of them has.
_MOST_SETS = 6
Pile = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Room:
    """These seats together may hold `units` at most; negative if demand already asks for more."""

    seats: frozenset[int]
    units: int


def piles(seat: Seat, good: Good) -> frozenset[Pile]:
    """Where a channel's units may come from: its warehouses, and its presale."""
    houses = good.shelves if seat.terms.warehouses is None else seat.terms.warehouses
    found = {("house", house) for house in houses if house in good.shelves}
    if seat.terms.presale:
        found.add(("presale", seat.terms.presale_key))
    return frozenset(found)


def supply(wanted: Collection[Pile], good: Good) -> int:
    """Units in these piles; a presale is what is promised to be there less what has arrived."""
    units = sum(good.shelves[house].free for kind, house in wanted if kind == "house")
    for kind, key in wanted:
        if kind == "presale":
            seats = [seat for seat in good.seats if seat.terms.presale and seat.terms.presale_key == key]
            most = max(seat.terms.presale for seat in seats)
            houses = {house for seat in seats for sort, house in piles(seat, good) if sort == "house"}
            units += max(0, most - sum(good.shelves[house].on_hand for house in houses))
    return units


def rooms(good: Good) -> list[Room]:
    """Every limit that channels share: for each union of their piles, and each safety stock they keep, those who have
    nothing else. Demand that no warehouse has reserved may be served from anywhere, so it counts against each.
    """
    own = [piles(seat, good) for seat in good.seats]
    sets = list(dict.fromkeys(own))
    if len(sets) > _MOST_SETS:
        least = min(supply(wanted, good) for wanted in sets) - good.waiting
        return _by_safety(range(len(own)), least, good)
    found: list[Room] = []
    unions = {frozenset().union(*some) for n in range(1, len(sets) + 1) for some in combinations(sets, n)}
    for union in unions:
        members = [n for n, wanted in enumerate(own) if wanted <= union]
        found += _by_safety(members, supply(union, good) - good.waiting, good)
    return found


def _by_safety(members: Collection[int], units: int, good: Good) -> list[Room]:
    kept = sorted({good.seats[n].terms.safety for n in members})
    return [
        Room(frozenset(n for n in members if good.seats[n].terms.safety >= level), units - level)
        for level in kept
    ]


def split(
    weights: Sequence[int], limits: Sequence[int], shared: Sequence[Room], *,
    start: Sequence[int] | None = None, favor: Sequence[int] | None = None,
) -> list[int]:  # fmt: skip
    """Units for each seat: no more than its limit, no room overfilled, shared by weight.

    `start` is what seats have already and keep; on top of it units go in strides, so shares are kept roughly. `favor`
    decides ties (more comes first).
    """
    got = list(start) if start is not None else [0] * len(weights)
    if start is not None and all(sum(limits[n] for n in room.seats) <= room.units for room in shared):
        return [
            limit if weight > 0 else have for limit, weight, have in zip(limits, weights, got, strict=True)
        ]
    left = [room.units - sum(got[n] for n in room.seats) for room in shared]
    if start is None:
        _pour(got, left, weights, limits, shared)
    ranked = sorted(range(len(got)), key=lambda n: (-(favor[n] if favor else 0), n))
    while True:
        open_seats = [n for n in ranked if _may_grow(n, got, left, weights, limits, shared)]
        if not open_seats:
            return got
        best = max(open_seats, key=lambda n: Fraction(weights[n], got[n] + 1))
        step = 1 if start is None else _stride(best, got, left, limits, shared)
        got[best] += step
        for place, room in enumerate(shared):
            if best in room.seats:
                left[place] -= step


def _may_grow(
    seat: int, got: Sequence[int], left: Sequence[int], weights: Sequence[int], limits: Sequence[int],
    shared: Sequence[Room],
) -> bool:  # fmt: skip
    if weights[seat] <= 0 or got[seat] >= limits[seat]:
        return False
    return all(left[place] > 0 for place, room in enumerate(shared) if seat in room.seats)


def _stride(
    seat: int, got: Sequence[int], left: Sequence[int], limits: Sequence[int], shared: Sequence[Room]
) -> int:
    """How many units to add at once on top of what seats hold: a part of what is left, so that few steps do."""
    most = min([limits[seat] - got[seat], *(left[n] for n, room in enumerate(shared) if seat in room.seats)])
    return max(1, most // (2 * len(got)))


def _pour(
    got: list[int], left: list[int], weights: Sequence[int], limits: Sequence[int], shared: Sequence[Room]
) -> None:
    """Everybody's whole part of a continuous pouring, as a start; the rest goes unit by unit."""
    level: list[Fraction] = [Fraction(0)] * len(got)
    room_left = [Fraction(max(0, units)) for units in left]
    rising = {n for n in range(len(got)) if weights[n] > 0 and limits[n] > 0}
    while rising:
        rises = [(limits[n] - level[n]) / weights[n] for n in rising]
        for place, room in enumerate(shared):
            if together := sum(weights[n] for n in rising & room.seats):
                rises.append(room_left[place] / together)
        rise = min(rises)
        for n in rising:
            level[n] += rise * weights[n]
        for place, room in enumerate(shared):
            room_left[place] -= rise * sum(weights[n] for n in rising & room.seats)
        full = {n for place, room in enumerate(shared) if not room_left[place] for n in room.seats}
        rising = {n for n in rising - full if level[n] < limits[n]}
    for n, amount in enumerate(level):
        got[n] = int(amount)
    for place, room in enumerate(shared):
        left[place] -= sum(got[n] for n in room.seats)
