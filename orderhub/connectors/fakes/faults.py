"""Misbehavior: which fault the next request or push gets, by script or by chance from a seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from orderhub.connectors.fakes.clock import Clock

#: What can happen to a request that reaches a vendor, and what the words after it may say.
REQUEST_KINDS: dict[str, str] = {
    "delay": "answer after `seconds`",
    "hang": "take nothing in and never answer (`seconds`, at most)",
    "hang_after": "accept, then never answer (`seconds`, at most)",
    "cut_after": "accept, then cut the connection; `part`: after half of the answer",
    "error_500": "HTTP 500; `accepted`: after accepting",
    "too_many": "HTTP 429; `retry_after` seconds",
    "reset": "reset the connection before reading the body",
    "drip": "the answer in small pieces over `seconds`",
    "garbage": "HTTP 200 with a body nobody can read, nothing taken in",
    "failure": "HTTP 200 with the vendor's failure flag; `code`, `message`",
    "ack_lie": "says success and takes nothing in",
    "outage": "gone, until cleared, for `times` requests or `seconds` virtual; `mode`: reset, 503 or hang",
    "already_picked": "a warehouse refuses to cancel: picked",
    "ship_crossing": "ships while the cancel is under way; `answer`: failure or success; `first`: confirm or answer",
    "stock_disagrees": "stock reports and queries are off `by` so many",
}
#: What can happen to a push that leaves a vendor.
PUSH_KINDS: dict[str, str] = {
    "duplicate": "sent 1 + `copies` times",
    "shuffle": "held until `count` pushes are there, then sent in any order",
    "old_after_new": "the previous version of the same thing is sent again after it",
    "wrong_signature": "signed with another secret",
    "clock_off": "signed as if the clock were off by `seconds`",
    "hints_only": "only the number of the thing, not the thing",
    "lost": "never sent",
}
#: By chance nothing is refused for good: what is left must heal by trying again.
CHANCE_REQUEST = ("delay", "hang_after", "cut_after", "error_500", "too_many", "reset", "drip", "garbage")
CHANCE_PUSH = ("duplicate", "shuffle", "old_after_new")
#: Kinds that mean something to some operations only.
_ONLY = {
    "already_picked": {"order.cancel"},
    "ship_crossing": {"order.cancel"},
    "stock_disagrees": {"inventory.query", "inventory.report"},
}
#: Kinds that happen before the body is read.
EARLY = ("reset", "outage")
SCRIPT_LIMIT = 1_000


class Unknown(ValueError):
    """A fault, vendor or action that this world does not know; the text lists what there is."""


@dataclass
class Fault:
    """One misbehavior: for whom, for how many matching requests (0 = until cleared), after how many, and details."""

    kind: str
    vendor: str = "*"
    operation: str = "*"
    times: int = 1
    after: int = 0
    args: dict[str, Any] = field(default_factory=dict)
    used: int = 0
    until_seconds: float | None = None

    def number(self, name: str, default: float) -> float:
        """A detail as a number."""
        return float(self.args.get(name, default))

    def tell(self) -> dict[str, Any]:
        """The fault as the control interface shows it."""
        return {
            "kind": self.kind, "vendor": self.vendor, "operation": self.operation,
            "times": self.times, "after": self.after, "used": self.used, **self.args,
        }  # fmt: skip


class Faults:
    """The script and the dice of a world."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._seed = seed
        self._script: list[Fault] = []
        self._drawn: Counter[str] = Counter()
        self.probability = 0.0
        self.kinds: frozenset[str] = frozenset((*CHANCE_REQUEST, *CHANCE_PUSH))
        self.vendors: frozenset[str] = frozenset()
        self.spare: dict[str, frozenset[str]] = {}
        self.haste = 1.0
        self.counts: Counter[str] = Counter()

    def add(self, details: Mapping[str, Any]) -> Fault:
        """Put a fault on the script; raises Unknown for a kind there is not."""
        args = dict(details)
        kind = str(args.pop("kind", ""))
        if kind not in REQUEST_KINDS and kind not in PUSH_KINDS:
            raise Unknown(
                f"There is no fault {kind!r}. Use one of: {', '.join((*REQUEST_KINDS, *PUSH_KINDS))}."
            )
        fault = Fault(
            kind, str(args.pop("vendor", "*")), str(args.pop("operation", "*")),
            int(args.pop("times", 0 if kind in {"outage", "stock_disagrees"} else 1)), int(args.pop("after", 0)), args,
        )  # fmt: skip
        if kind == "outage" and "seconds" in args:
            fault.until_seconds = self._clock.passed_seconds + float(args["seconds"])
        if len(self._script) >= SCRIPT_LIMIT:
            raise Unknown(f"The script holds {SCRIPT_LIMIT} faults already. Clear it first.")
        self._script.append(fault)
        return fault

    def chance(
        self,
        probability: float,
        *,
        seed: int | None = None,
        kinds: Collection[str] = (),
        vendors: Collection[str] = (),
        spare: Mapping[str, Collection[str]] | None = None,
        haste: float = 1.0,
    ) -> None:
        """Let every request and push misbehave with this probability; the same seed draws the same. `spare` says by kind
        which operations it never meets; what takes seconds takes `haste` times fewer.
        """
        strange = set(kinds) - REQUEST_KINDS.keys() - PUSH_KINDS.keys()
        if strange or not 0 <= probability <= 1:
            raise Unknown(f"Unknown kinds {sorted(strange)} or a probability outside 0…1.")
        self.probability = probability
        self._seed = self._seed if seed is None else seed
        self.kinds = frozenset(kinds or (*CHANCE_REQUEST, *CHANCE_PUSH))
        self.vendors = frozenset(vendors)
        self.spare = {kind: frozenset(operations) for kind, operations in (spare or {}).items()}
        self.haste = max(haste, 0.001)
        self._drawn.clear()

    def clear(self, vendor: str = "*", kind: str = "*") -> None:
        """Take faults off the script, of one vendor or kind or all; all also ends the dice."""
        self._script = [
            one for one in self._script
            if not (vendor in {"*", one.vendor} and kind in {"*", one.kind})
        ]  # fmt: skip
        if vendor == kind == "*":
            self.probability = 0.0

    def script(self) -> list[dict[str, Any]]:
        """What is on the script, as shown."""
        return [one.tell() for one in self._script]

    def scripted(self, vendor: str, operation: str, kinds: Collection[str]) -> Fault | None:
        """A fault of these kinds, by script only: for a request of which only the head is known, or for a report."""
        return self._first(vendor, operation, kinds) if self._script else None

    def for_request(self, vendor: str, operation: str, head: str) -> Fault | None:
        """The fault that this request gets, if any. `head` is the operation as its head told it: by that, early kinds
        have been looked for already.
        """
        if self._script and (fault := self._first(vendor, operation, REQUEST_KINDS, seen=("*", head))):
            return fault
        return self._draw(vendor, "request", CHANCE_REQUEST, operation) if self.probability else None

    def for_push(self, vendor: str, operation: str) -> list[Fault]:
        """The faults that this push gets: one of each scripted kind that fits, else what the dice say."""
        found: list[Fault] = []
        for kind in PUSH_KINDS if self._script else ():
            fault = self._first(vendor, operation, (kind,))
            if fault:
                found.append(fault)
        if not found and self.probability and (drawn := self._draw(vendor, "push", CHANCE_PUSH, operation)):
            found.append(drawn)
        return found

    def _first(
        self, vendor: str, operation: str, kinds: Collection[str], seen: tuple[str, ...] = ()
    ) -> Fault | None:
        now = self._clock.passed_seconds
        self._script = [one for one in self._script if one.until_seconds is None or one.until_seconds >= now]
        for fault in self._script:
            if fault.kind not in kinds or fault.vendor not in {"*", vendor}:
                continue
            if fault.operation not in {"*", operation} or operation not in _ONLY.get(
                fault.kind, (operation,)
            ):
                continue
            if fault.kind in EARLY and fault.operation in seen:
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            fault.used += 1
            self.counts[fault.kind] += 1
            if fault.times and fault.used >= fault.times:
                self._script.remove(fault)
            return fault
        return None

    def _draw(self, vendor: str, side: str, kinds: tuple[str, ...], operation: str) -> Fault | None:
        if self.vendors and vendor not in self.vendors:
            return None
        name = f"{vendor}/{side}"
        self._drawn[name] += 1
        dice = random.Random(f"{self._seed}/{name}/{self._drawn[name]}")
        if dice.random() >= self.probability:
            return None
        choice = [kind for kind in kinds if kind in self.kinds]
        # Kinds named on purpose may go beyond what chance does by itself.
        named = REQUEST_KINDS if side == "request" else PUSH_KINDS
        choice += sorted(
            kind for kind in self.kinds if kind in named and kind not in {*CHANCE_REQUEST, *CHANCE_PUSH}
        )
        choice = [kind for kind in choice if self._may_meet(kind, operation)]
        if not choice:
            return None
        kind = dice.choice(choice)
        self.counts[kind] += 1
        return Fault(kind, vendor, args=_details(kind, dice, self.haste))

    def _may_meet(self, kind: str, operation: str) -> bool:
        """Whether a kind means something to the operation, and is not kept from it."""
        return operation in _ONLY.get(kind, (operation,)) and operation not in self.spare.get(kind, ())


def _details(kind: str, dice: random.Random, haste: float) -> dict[str, Any]:
    """Details of a fault by chance: bothersome, not endless."""
    if kind in {"delay", "drip"}:
        return {"seconds": round(dice.uniform(0.2, 2.0) / haste, 3)}
    if kind in {"hang", "hang_after"}:
        return {"seconds": 15 / haste}
    if kind == "ship_crossing":
        # The confirm before the answer needs a hub that takes pushes while it waits for one.
        return {"first": dice.choice(["confirm", "answer"])}
    if kind == "error_500":
        return {"accepted": dice.random() < 0.5}
    if kind == "outage":
        return {"mode": dice.choice(["reset", "503"])}
    return {}
