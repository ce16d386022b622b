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

from routing.engine.price import INFEASIBLE, UNREACHED, Ints

Block = tuple[int, int]  # source index, bits of the items in one of its parcels


@dataclass(frozen=True, slots=True)
class Limit:
    """What one source may do in one plan: parcels at most, and the subsets its stock covers (None: all).

    ``together`` is the part of the key that all its parcels cost as one, by subset; ``extra`` what the
    second, third, ... parcel costs beyond the first, summed up from the first one (so it begins with 0, 0).
    """

    parcels: int
    covered: NDArray[np.bool_] | None
    together: Ints | None = None
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

    def __init__(self, cost: Ints, count: int, most: int | None, *, exactly: bool = False) -> None:
        self.cost, self.count, self.most = cost, count, most
        nothing = np.full(1 << count, INFEASIBLE, dtype=np.int64)
        nothing[0] = 0
        self.layers = [nothing]
        if most is None:
            self._fill(nothing, nothing)
        else:
            for _ in range(most):
                into = nothing.copy()
                into[0] = INFEASIBLE if exactly else 0
                self.layers.append(self._fill(self.layers[-1], into))

    def _fill(self, smaller: Ints, into: Ints) -> Ints:
        """One more parcel on top of ``smaller``, which may be the table being filled."""
        for bit in range(self.count):
            low, high = 1 << bit, 2 << bit
            one, two, starts = halves(bit)
            least = np.minimum.reduceat(self.cost[low:high][one] + smaller[two], starts)
            into[low:high] = np.minimum(least, INFEASIBLE)  # two infeasible keys add up, three would overflow
        return into

    def table(self, most: int | None = None) -> Ints:
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

    def __init__(self, keys: Ints, count: int, most: int, limit: Limit) -> None:
        self.limit = limit
        together = limit.together
        apart = keys if together is None else np.where(keys >= UNREACHED, INFEASIBLE, keys - together)
        self.partition = Partition(apart, count, most, exactly=limit.extra is not None)
        self.layers = self._stepped(limit.extra) if limit.extra else self.partition.layers
        if together is not None:
            self.layers = [
                np.where(layer >= UNREACHED, INFEASIBLE, layer + together) for layer in self.layers
            ]
        if limit.covered is not None:
            self.layers = [np.where(limit.covered, layer, INFEASIBLE) for layer in self.layers]

    def _stepped(self, extra: tuple[int, ...]) -> list[Ints]:
        layers = [self.partition.layers[0]]
        for parcels, layer in enumerate(self.partition.layers[1:], 1):
            dearer = np.where(layer >= UNREACHED, INFEASIBLE, layer + extra[parcels])
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

    def __init__(self, keys: Ints, count: int, most: int | None, limits: Mapping[int, Limit]) -> None:
        self.keys, self.most = keys, None if most is None or most >= count else most
        self.limited = sorted(limits)
        free = keys.copy() if limits else keys
        free[self.limited] = INFEASIBLE
        self.free_keys = free
        self.free = Partition(free.min(axis=0), count, self.most)
        self.stages = [self.free.layers]
        self.own: list[Own] = []
        for source in self.limited:
            limit = limits[source]
            own = Own(keys[source], count, min(limit.parcels, count, self.most or count), limit)
            self.own.append(own)
            self.stages.append(self._join(own, self.stages[-1], count))

    def _join(self, own: Own, before: list[Ints], count: int) -> list[Ints]:
        """Add a limited source to the tables of the sources before it."""
        if self.most is None:
            return [_convolve(own.layers[-1], before[-1], count)]
        return [
            np.minimum.reduce(
                [
                    _convolve(own.layers[q], before[p - q], count)
                    for q in range(min(p, len(own.layers) - 1) + 1)
                ]
            )
            for p in range(self.most + 1)
        ]

    @property
    def best(self) -> Ints:
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

    def through_every_parcel(self, subset: int) -> tuple[Ints, Ints]:
        """Least key of a plan for ``subset`` with a given parcel: keys [source, block] and the blocks."""
        blocks = np.arange(subset + 1, dtype=np.int64)
        blocks = blocks[(blocks & ~subset) == 0]
        depth = None if self.most is None else self.most - 1
        return self.free_keys[:, blocks] + self.free.table(depth)[subset - blocks], blocks


def _convolve(first: Ints, second: Ints, count: int) -> Ints:
    """Cheapest way to share each subset between two tables."""
    one, two, starts = halves(count)
    return np.minimum(np.minimum.reduceat(first[one] + second[two], starts), INFEASIBLE)
