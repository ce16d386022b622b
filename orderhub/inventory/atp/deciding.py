"""What each channel should show of one SKU, and why.

A channel that got a quantity can sell it before we hear of anything, and what it sells while a new quantity is on its
way is forgotten when that arrives. So each channel has an *exposure*: units that may still turn out to be sold there.
The rule that makes overselling impossible: exposures, with the new quantities and their buffers, never add up to
more than exists and is not asked for by orders we know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from orderhub.inventory.atp import lag, splitting
from orderhub.inventory.atp.splitting import Room
from orderhub.inventory.atp.world import Good, Offer, Seat, Step

#: A change smaller than this part of what is shown is not worth a message.
_WORTH = 10
#: A channel that shows more than its share, by no more than this part of it, may go on.
_STRIDE = 4


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Per seat, units: the buffer a new quantity needs, what could still be sold, the own limit without and with the cap,
    what the seat is entitled to, and what it may have now that others hold theirs.
    """

    buffers: list[int]
    exposures: list[int]
    shares: list[int]
    limits: list[int]
    entitled: list[int]
    reachable: list[int]


def decide(good: Good, *, heal: bool = False) -> tuple[Offer, ...]:
    """An offer per seat, in their order. With `heal` every channel is told again, whether it needs to be or not."""
    shared = splitting.rooms(good)
    sizes = _sizes(good, shared)
    tight = _overfull(shared, sizes.exposures)
    hungry = any(
        _is_worth(have - buffer, seat.shown) and have > may
        for seat, have, may, buffer in zip(good.seats, sizes.entitled, sizes.reachable, sizes.buffers, strict=True)
        if have - buffer > seat.shown
    )  # fmt: skip
    return tuple(
        _offer(n, good, sizes, is_tight=n in tight, is_hungry=hungry, heal=heal)
        for n in range(len(good.seats))
    )


def what_exists(good: Good) -> int:
    """Units that may be shown over all channels together: in their warehouses and presales, less known demand."""
    everything = (
        frozenset().union(*(splitting.piles(seat, good) for seat in good.seats)) if good.seats else ()
    )
    return max(0, splitting.supply(everything, good) - good.waiting)


def _sizes(good: Good, shared: Sequence[Room]) -> _Sizes:
    buffers = [lag.buffer(seat) for seat in good.seats]
    exposures = [seat.exposure for seat in good.seats]
    shares = [_share(seat, good) for seat in good.seats]
    limits = [
        share if seat.terms.cap is None else min(share, seat.terms.cap + buffer)
        for seat, share, buffer in zip(good.seats, shares, buffers, strict=True)
    ]
    weights = [seat.terms.share_percent for seat in good.seats]
    limits, entitled = _above_thresholds(good, weights, limits, buffers, exposures, shared)
    most = [max(have, held) for have, held in zip(entitled, exposures, strict=True)]
    reachable = splitting.split(weights, most, shared, start=exposures, favor=exposures)
    return _Sizes(buffers, exposures, shares, limits, entitled, reachable)


def _share(seat: Seat, good: Good) -> int:
    """The channel's percentage of what there is for it, rounded up: the last unit can still be sold."""
    units = splitting.supply(splitting.piles(seat, good), good) - good.waiting - seat.terms.safety
    return -(-max(0, units) * seat.terms.share_percent // 100)


def _above_thresholds(
    good: Good, weights: Sequence[int], limits: Sequence[int], buffers: Sequence[int], exposures: Sequence[int],
    shared: Sequence[Room],
) -> tuple[list[int], list[int]]:  # fmt: skip
    """Entitlements of which none leaves a channel below its threshold: one after the other gives its units to the rest."""
    left = list(limits)
    while True:
        entitled = splitting.split(weights, left, shared, favor=exposures)
        low = [
            n for n, seat in enumerate(good.seats)
            if entitled[n] > 0 and max(entitled[n] - buffers[n], min(entitled[n], seat.shown)) < seat.terms.threshold
        ]  # fmt: skip
        if not low:
            return left, entitled
        left[min(low, key=lambda n: (entitled[n], exposures[n], -n))] = 0


def _overfull(shared: Sequence[Room], exposures: Sequence[int]) -> set[int]:
    """Seats that share in a room of which more than all may be sold."""
    return {
        n for room in shared if sum(exposures[n] for n in room.seats) > max(0, room.units) for n in room.seats
    }


def _offer(n: int, good: Good, sizes: _Sizes, *, is_tight: bool, is_hungry: bool, heal: bool) -> Offer:
    seat = good.seats[n]
    shown, exposure, buffer = seat.shown, sizes.exposures[n], sizes.buffers[n]
    units = sizes.reachable[n] if exposure <= sizes.entitled[n] else sizes.entitled[n]
    target = max(0, units - buffer)
    if target < seat.terms.threshold:
        target = 0
    send = (
        seat.sent is None
        or heal
        or _must(seat, target, exposure=exposure, entitled=sizes.entitled[n], limit=sizes.limits[n], is_tight=is_tight)
        or (not seat.sent.is_recent and _should(seat, target, exposure, sizes.entitled[n], is_hungry=is_hungry))
    )  # fmt: skip
    quantity = target if send else shown
    held = max(0, min(units, sizes.limits[n]) - max(target, shown)) if buffer else 0
    offer = Offer(
        channel=seat.channel, quantity=quantity, send=send, before=exposure, carried=buffer,
        entitled=sizes.entitled[n], held_back=min(held, buffer),
    )  # fmt: skip
    return replace(offer, steps=_steps(n, good, sizes, units, target, quantity))


def _must(seat: Seat, target: int, *, exposure: int, entitled: int, limit: int, is_tight: bool) -> bool:
    """Whether a channel shows more than it may, by its own terms or because others would go short."""
    assert seat.sent is not None
    if seat.sent.is_recent and target >= seat.sent.quantity:
        return False
    if target >= seat.shown:
        return False
    is_capped = seat.terms.cap is not None and seat.shown > seat.terms.cap
    # A share of what is left gets smaller with every sale anywhere: that alone is told in strides.
    is_beyond_share = not limit or (seat.shown - limit) * _STRIDE > limit
    return (
        is_capped
        or is_beyond_share
        or seat.shown < seat.terms.threshold
        or (is_tight and exposure > entitled)
    )


def _should(seat: Seat, target: int, exposure: int, entitled: int, *, is_hungry: bool) -> bool:
    """Whether a channel gains enough by more, or gives enough to those who could use it."""
    if target > seat.shown:
        return _is_worth(target, seat.shown)
    gives = is_hungry and exposure > entitled
    return gives and target < seat.shown and _is_worth(target, seat.shown)


def _is_worth(target: int, shown: int) -> bool:
    return target != shown and (not target or not shown or abs(target - shown) * _WORTH >= shown)


def _steps(n: int, good: Good, sizes: _Sizes, units: int, target: int, quantity: int) -> tuple[Step, ...]:
    """The way from what lies in the warehouses to the quantity; steps of nothing are left out."""
    seat = good.seats[n]
    wanted = splitting.piles(seat, good)
    stock = splitting.supply([pile for pile in wanted if pile[0] == "house"], good)
    everything = splitting.supply(wanted, good)
    way = [
        ("stock", stock),
        ("presale", everything),
        ("waiting", everything - good.waiting),
        ("safety", max(0, everything - good.waiting - seat.terms.safety)),
        ("share", sizes.shares[n]),
        ("cap", sizes.shares[n] if seat.terms.cap is None else min(sizes.shares[n], seat.terms.cap + sizes.buffers[n])),
        ("threshold", sizes.limits[n]),
        ("others", units),
        ("buffer", max(0, units - sizes.buffers[n])),
        ("threshold", target),
        ("kept", quantity),
    ]  # fmt: skip
    steps: list[Step] = []
    now = 0
    for code, then in way:
        if then != now:
            steps.append(Step(code, then - now))
        now = then
    return tuple(steps)
