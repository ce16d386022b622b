"""The exact split: cheapest partition of items into parcels, by dynamic programming over subsets.

``keys[source, subset]`` is the price of one parcel (price.py); a partition costs the sum of its parcels.
Every subset S takes the parcel that holds its highest item, so the tables of smaller subsets are ready when
needed and one ``minimum.reduceat`` settles all subsets with the same highest item. Sources whose parcel slots
or shared stock a plan would overrun are solved one by one instead (min-plus subset convolution); only those
pay for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from routing.engine.price import INFEASIBLE, Keys
from routing.engine.subsets import submasks

Block = tuple[int, int]  # source index, bits of the items in one of its parcels


@dataclass(frozen=True, slots=True)
class Limit:
    """What one source may do in one plan: parcels at most, and the subsets its stock covers (None: all).

    ``together`` is the part of the key that all its parcels cost as one, by subset; ``extra`` what the
    second, third, ... parcel costs beyond the first, summed up from the first one (so it begins with 0, 0).
    """

    parcels: int
    covered: NDArray[np.bool_] | None
    together: Keys | None = None
    extra: tuple[int, ...] | None = None


@lru_cache(maxsize=16)
def halves(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """All ways to part each subset R of ``count`` items into U and the rest, grouped by R; starts per R."""
    one, two = np.zeros(1, dtype=np.intp), np.zeros(1, dtype=np.intp)
    sizes = np.ones(1, dtype=np.intp)
    for bit in range(count):
        high = 1 << bit
        one, two = (
            np.concatenate((one, np.stack((one, one + high), axis=1).ravel())),
            np.concatenate((two, np.stack((two + high, two), axis=1).ravel())),
        )
        sizes = np.concatenate((sizes, 2 * sizes))
    starts = np.concatenate((np.zeros(1, dtype=np.intp), np.cumsum(sizes)[:-1]))
    return one, two, starts


class Partition:
    """Cheapest partitions of every subset into at most ``most`` parcels priced by ``cost[subset]``.

    With ``exactly``, layer q has the partitions into q parcels, no fewer.
    """

    def __init__(
        self, cost: Keys, count: int, most: int | None, infeasible: int, *, exactly: bool = False
    ) -> None:
        self.cost, self.count, self.most, self.infeasible = cost, count, most, infeasible
        nothing = np.full(1 << count, infeasible, dtype=cost.dtype)
        nothing[0] = 0
        self.layers = [nothing]
        if most is None:
            self._fill(nothing, nothing)
        else:
            for _ in range(most):
                into = nothing.copy()
                into[0] = infeasible if exactly else 0
                self.layers.append(self._fill(self.layers[-1], into))

    def _fill(self, smaller: Keys, into: Keys) -> Keys:
        """One more parcel on top of ``smaller``, which may be the table being filled."""
        for bit in range(self.count):
            low, high = 1 << bit, 2 << bit
            one, two, starts = halves(bit)
            least = np.minimum.reduceat(self.cost[low:high][one] + smaller[two], starts)
            into[low:high] = np.minimum(
                least, self.infeasible
            )  # two infeasible keys add up, three would overflow
        return into

    def table(self, most: int | None = None) -> Keys:
        """Least key of each subset with at most ``most`` parcels (None: as many as were allowed)."""
        return self.layers[-1] if most is None or self.most is None else self.layers[most]

    def blocks(self, subset: int, most: int | None = None) -> list[int]:
        """The parcels of a cheapest partition of a feasible subset."""
        depth = self.most if most is None else most
        found = []
        while subset:
            bit = subset.bit_length() - 1
            one, two, starts = halves(bit)
            rest = subset - (1 << bit)
            part = slice(starts[rest], starts[rest] + (1 << rest.bit_count()))
            depth = None if depth is None else depth - 1
            totals = self.cost[(1 << bit) + one[part]] + self.table(depth)[two[part]]
            block = (1 << bit) + int(one[part][np.argmin(totals)])
            found.append(block)
            subset -= block
        return found


class Own:
    """Cheapest ways of one limited source to send each subset in at most 0, 1, 2, ... parcels."""

    def __init__(self, keys: Keys, count: int, most: int, infeasible: int, limit: Limit) -> None:
        self.limit, self.infeasible = limit, infeasible
        together = limit.together
        apart = keys if together is None else np.where(keys >= infeasible // 2, infeasible, keys - together)
        self.partition = Partition(apart, count, most, infeasible, exactly=limit.extra is not None)
        self.layers = self._stepped(limit.extra) if limit.extra else self.partition.layers
        if together is not None:
            self.layers = [
                np.where(layer >= infeasible // 2, infeasible, layer + together) for layer in self.layers
            ]
        if limit.covered is not None:
            self.layers = [np.where(limit.covered, layer, infeasible) for layer in self.layers]

    def _stepped(self, extra: tuple[int, ...]) -> list[Keys]:
        layers = [self.partition.layers[0]]
        for parcels, layer in enumerate(self.partition.layers[1:], 1):
            dearer = np.where(layer >= self.infeasible // 2, self.infeasible, layer + extra[parcels])
            layers.append(np.minimum(layers[-1], dearer))
        return layers

    def blocks(self, subset: int, most: int) -> list[int]:
        """The parcels of a cheapest way to send a subset."""
        extra = self.limit.extra
        if extra is None or not subset:
            return self.partition.blocks(subset, most)
        parcels = min(range(1, most + 1), key=lambda q: int(self.partition.layers[q][subset]) + extra[q])
        return self.partition.blocks(subset, parcels)


class Split:
    """Cheapest plans for every subset of items, with slots and shared stock kept for ``limits`` sources."""

    def __init__(
        self,
        keys: Keys,
        count: int,
        most: int | None,
        limits: Mapping[int, Limit],
        infeasible: int = INFEASIBLE,
    ) -> None:
        self.infeasible, self.unreached = infeasible, infeasible // 2
        self.keys, self.most = keys, None if most is None or most >= count else most
        self.limited = sorted(limits)
        free = keys.copy() if limits else keys
        free[self.limited] = infeasible
        self.free_keys = free
        self.free = Partition(free.min(axis=0), count, self.most, infeasible)
        self.stages = [self.free.layers]
        self.own: list[Own] = []
        for source in self.limited:
            limit = limits[source]
            own = Own(keys[source], count, min(limit.parcels, count, self.most or count), infeasible, limit)
            self.own.append(own)
            self.stages.append(self._join(own, self.stages[-1], count))

    def _join(self, own: Own, before: list[Keys], count: int) -> list[Keys]:
        """Add a limited source to the tables of the sources before it."""
        if self.most is None:
            return [_convolve(own.layers[-1], before[-1], count, self.infeasible)]
        return [
            np.minimum.reduce(
                [
                    _convolve(own.layers[q], before[p - q], count, self.infeasible)
                    for q in range(min(p, len(own.layers) - 1) + 1)
                ]
            )
            for p in range(self.most + 1)
        ]

    @property
    def best(self) -> Keys:
        """Least key of each subset, all parcels allowed."""
        return self.stages[-1][-1]

    def plan(self, subset: int) -> list[Block]:
        """The parcels of a cheapest plan for a feasible subset."""
        found: list[Block] = []
        depth = self.most
        for n in range(len(self.own) - 1, -1, -1):
            mine, parcels = self._share(n, subset, depth)
            found += [(self.limited[n], block) for block in self.own[n].blocks(mine, parcels)]
            depth = None if depth is None else depth - parcels
            subset -= mine
        return found + self.free_blocks(subset, depth)

    def free_blocks(self, subset: int, depth: int | None) -> list[Block]:
        """The parcels of unlimited sources."""
        return [
            (int(np.argmin(self.free_keys[:, block])), block) for block in self.free.blocks(subset, depth)
        ]

    def _share(self, n: int, subset: int, depth: int | None) -> tuple[int, int]:
        """What limited source ``n`` sends of a subset in a cheapest plan, and in how many parcels at most."""
        own, before = self.own[n].layers, self.stages[n]
        mine = np.array([part for part in range(subset + 1) if part & subset == part], dtype=np.intp)
        tried = [len(own) - 1] if depth is None else range(min(depth, len(own) - 1) + 1)
        choices = []
        for q in tried:
            totals = own[q][mine] + (before[-1] if depth is None else before[depth - q])[subset - mine]
            at = int(np.argmin(totals))
            choices.append((int(totals[at]), q, int(mine[at])))
        _, parcels, part = min(choices)
        return part, parcels

    def through_parcels(
        self, subset: int, mine: Mapping[int, int], count: int
    ) -> tuple[list[int], list[int], list[int]]:
        """The cheapest plans for ``subset`` through one given parcel, but those inside ``mine`` (items by source).

        Their keys with the source and block of that parcel, at most ``count``, cheapest first, then by source
        and block. The cheapest so many lie in as many blocks with the cheapest plans.
        """
        inside = submasks(subset)
        depth = None if self.most is None else self.most - 1
        rest = self.free.table(depth)[subset - inside]
        keys = self.free_keys.copy()
        for source, bits in mine.items():
            keys[source, submasks(bits)] = self.infeasible
        least = keys.min(axis=0)[inside] + rest
        near = np.sort(_smallest(least, count))
        values = keys[:, inside[near]] + rest[near]
        flat = values.ravel()
        chosen = _smallest(flat, count)
        chosen = chosen[np.lexsort((chosen, flat[chosen]))]
        blocks = inside[near][chosen % len(near)]
        return flat[chosen].tolist(), (chosen // len(near)).tolist(), blocks.tolist()


def _smallest(values: Keys, count: int) -> NDArray[np.intp]:
    """Where the smallest values are, in any order."""
    if len(values) <= count:
        return np.arange(len(values), dtype=np.intp)
    return np.argpartition(values, count)[:count]


def _convolve(first: Keys, second: Keys, count: int, infeasible: int) -> Keys:
    """Cheapest way to share each subset between two tables."""
    one, two, starts = halves(count)
    return np.minimum(np.minimum.reduceat(first[one] + second[two], starts), infeasible)
