"""What the offer core is told about one SKU: shelves, demand, and each channel with its terms and last quantity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Buffer(StrEnum):
    """How many unheard-of sales are reckoned with when a channel gets a new quantity."""

    AUTO = "auto"  # measured sales speed × measured lag, with a margin
    FIXED = "fixed"  # a number of units
    STRICT = "strict"  # everything the channel was ever shown and has not told us of


@dataclass(frozen=True, slots=True)
class Terms:
    """What the merchant's rules say of one SKU on one channel; `warehouses` None means all of them.

    `presale` units may be sold beyond the stock; channels with the same `presale_key` share them.
    """

    share_percent: int = 100
    safety: int = 0
    threshold: int = 0
    cap: int | None = None
    warehouses: frozenset[int] | None = None
    presale: int = 0
    presale_key: int = 0
    buffer: Buffer = Buffer.AUTO
    fixed: int = 0


#: Sales of a SKU on a channel that may be unusually late at the same time.
_STRAYS = 1
#: What a channel gets that no rule speaks of (any more): nothing.
CLOSED = Terms(share_percent=0)


@dataclass(frozen=True, slots=True)
class Sent:
    """The last quantity sent to a channel and what became of it.

    `before` is what could still be sold there when it was sent, `carried` how much of that may have been sold,
    unheard of, by the time it arrived. `sold` counts units of orders that we know of since, `sold_after` those of
    them that were placed after the channel confirmed. Settled: confirmed, and every sale before that is known, even if
    it took as long as any did lately. Calm: the usual time has passed, so that hardly one is missing.
    """

    quantity: int
    before: int = 0
    carried: int = 0
    sold: int = 0
    sold_after: int = 0
    is_acknowledged: bool = False
    is_settled: bool = False
    is_calm: bool = False
    is_recent: bool = False  # not confirmed yet, and not long enough ago to send again

    @property
    def exposure(self) -> int:
        """Units that may still turn out to be sold: those sold already, unheard of, and those still shown."""
        early = self.sold - self.sold_after
        left = max(0, self.quantity - self.sold_after)
        if self.is_settled:
            return left
        unheard = max(0, self.carried - early)
        under_new = left + (min(unheard, _STRAYS) if self.is_calm else unheard)
        if self.is_acknowledged:
            return under_new
        return max(under_new, self.before - self.sold)

    @property
    def shown(self) -> int:
        """Units the channel presumably shows now."""
        return max(0, self.quantity - self.sold_after)


@dataclass(frozen=True, slots=True)
class Seat:
    """One channel that may sell the SKU; `speed_per_second` in units, `blind_seconds` until we hear of a sale there
    and it hears of a new quantity.
    """

    channel: int
    terms: Terms
    sent: Sent | None = None
    speed_per_second: float = 0.0
    blind_seconds: float = 0.0

    @property
    def exposure(self) -> int:
        """See `Sent.exposure`; nothing where nothing was ever sent."""
        return self.sent.exposure if self.sent else 0

    @property
    def shown(self) -> int:
        """See `Sent.shown`."""
        return self.sent.shown if self.sent else 0


@dataclass(frozen=True, slots=True)
class Shelf:
    """Units of the SKU in one warehouse that takes orders; `free` is on hand less reserved and safety stock."""

    on_hand: int
    free: int


@dataclass(frozen=True, slots=True)
class Good:
    """One SKU: shelves by warehouse, units of known orders that no warehouse has reserved yet, and the channels."""

    shelves: Mapping[int, Shelf]
    waiting: int
    seats: tuple[Seat, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One reason why a quantity is what it is: units added or taken away; all steps add up to the quantity."""

    code: str
    units: int


@dataclass(frozen=True, slots=True)
class Offer:
    """What a channel should show. `send` says whether to tell it; else `quantity` is what it shows presumably.

    `before` and `carried` are kept with a sent quantity (see `Sent`). `held_back` are the units that only the buffer
    keeps from being shown.
    """

    channel: int
    quantity: int
    send: bool
    before: int
    carried: int
    entitled: int
    held_back: int
    steps: tuple[Step, ...] = field(default=())
