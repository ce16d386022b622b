"""What all fake vendors share: keys from the seed, a shelf for documents, pushes, and settings that may be changed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from orderhub.connectors.fakes.clock import Clock
from orderhub.connectors.fakes.faults import Fault, Faults, Unknown
from orderhub.connectors.fakes.goods import Market
from orderhub.connectors.fakes.journal import Journal
from orderhub.connectors.fakes.parcels import Parcels
from orderhub.connectors.fakes.wire import JSON_TYPE, Answer, Request

#: How far a signed timestamp may be off.
CLOCK_TOLERANCE = timedelta(minutes=10)


@dataclass
class Push:
    """A message to the other side, not yet signed: its vendor signs it anew for every post."""

    vendor: str
    operation: str
    #: Pushes of one lane go one after the other.
    lane: str
    body: bytes
    content_type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    #: What a vendor sends that only hints.
    hint: bytes | None = None
    #: A path below the address, or another address altogether.
    url: str = ""
    secret: str | None = None


async def _settled(_timeout_seconds: float) -> bool:
    return True


class Surroundings:
    """What vendors share: the clock, the faults, the record, the market, the parcels, and where pushes go."""

    def __init__(self, seed: int, factor: float, stamps: str) -> None:
        self.seed = seed
        self.clock = Clock(factor, stamps)
        self.faults = Faults(self.clock, seed)
        self.journal = Journal()
        self.market = Market(seed)
        self.parcels = Parcels(self.clock.now)
        #: Where each vendor pushes to, by its code.
        self.callbacks: dict[str, str] = {}
        #: Set by the courier.
        self.send: Callable[[Vendor, Push], None] = lambda _vendor, _push: None
        #: Set by the courier: waits until nothing is under way, at most so many seconds.
        self.settled: Callable[[float], Awaitable[bool]] = _settled
        #: Told of every delivery order that a warehouse takes, with its number.
        self.on_delivery: list[Callable[[str], None]] = []


class Vendor:
    """A fake system. Subclasses say how it reads, signs, refuses and answers."""

    code: ClassVar[str]
    title: ClassVar[str]
    #: Below the prefix: what a connector is given as the address.
    base_path: ClassVar[str] = ""
    #: Methods that the control interface may call.
    actions: ClassVar[tuple[str, ...]] = ()
    push_attempts: ClassVar[int] = 3
    push_gap_seconds: ClassVar[float] = 60.0

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self.clock = around.clock
        self.settings: dict[str, Any] = {
            "check_signature": True,
            "check_clock": True,
            **self.default_settings(),
        }
        self.keys = self.make_keys()
        self.reset()

    def default_settings(self) -> dict[str, Any]:
        """Settings of this vendor beside the common ones."""
        return {}

    def make_keys(self) -> dict[str, str]:
        """What a connector must be given: fake, from the seed."""
        return {"secret": self.fake("secret")}

    def reset(self) -> None:
        """Forget all documents."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """All documents, as the control interface shows them."""
        raise NotImplementedError

    # requests

    def peek(self, request: Request) -> str:
        """The operation as far as the head tells it."""
        return request.path.rsplit("/", 1)[-1]

    def operation(self, request: Request) -> str:
        """The operation that a whole request asks for; may raise Garbled."""
        return self.peek(request)

    def refuse(self, request: Request, operation: str) -> Answer | None:
        """A refusal if the request is not signed or allowed, else nothing."""
        raise NotImplementedError

    def answer(self, operation: str, request: Request, fault: Fault | None) -> Answer:
        """Do what is asked and say so in the vendor's own form."""
        raise NotImplementedError

    def failure(self, operation: str, code: str, message: str) -> Answer:
        """HTTP 200 with the vendor's failure flag."""
        raise NotImplementedError

    def pretend(self, operation: str, request: Request) -> Answer:
        """What success looks like, with nothing done."""
        raise NotImplementedError

    # pushes

    def dress(
        self, push: Push, at: datetime, secret: str | None
    ) -> tuple[dict[str, str], dict[str, str], bytes]:
        """Query, headers and body of a push, signed as of a moment; with another secret if one is given."""
        raise NotImplementedError

    def acked(self, status: int, body: bytes) -> bool:
        """Whether this answer to a push satisfies the vendor."""
        return 200 <= status < 300

    def push(self, push: Push) -> None:
        """Hand a push to the courier."""
        self.around.send(self, push)

    # help for subclasses

    def fake(self, purpose: str, length: int = 24) -> str:
        """A fake key: the same for the same seed."""
        return f"fake-{self.code}-{self._digest(purpose).hex()[:length]}"

    def fake_webhook_key(self) -> str:
        """A fake Standard Webhooks key."""
        return "whsec_" + base64.b64encode(self._digest("webhook")[:24]).decode()

    def fake_number(self, purpose: str, digits: int = 8) -> str:
        """A fake number that does not begin with 0."""
        return str(
            10 ** (digits - 1) + int.from_bytes(self._digest(purpose)[:8], "big") % (9 * 10 ** (digits - 1))
        )

    def _digest(self, purpose: str) -> bytes:
        return hashlib.sha256(f"{self.around.seed}/{self.code}/{purpose}".encode()).digest()

    def is_late(self, moment: datetime | None) -> bool:
        """Whether a signed moment is missing or too far from this machine's clock."""
        if not self.settings["check_clock"]:
            return False
        return moment is None or abs(self.clock.wall() - moment) > CLOCK_TOLERANCE

    def act(self, action: str, args: dict[str, Any]) -> Any:
        """Do what a buyer, warehouse or carrier does here; raises Unknown for other actions or wrong arguments."""
        if action not in self.actions:
            raise Unknown(f"{self.code} cannot {action!r}; it can: {', '.join(self.actions) or 'nothing'}.")
        method: Callable[..., Any] = getattr(self, action)
        try:
            return method(**args)
        except (TypeError, KeyError) as fault:
            raise Unknown(f"{self.code}.{action}: {fault}. It takes what its documentation lists.") from fault


def epoch(text: str, unit_seconds: float = 1.0) -> datetime | None:
    """The moment that epoch seconds (or parts of them) mean, or nothing."""
    try:
        return datetime.fromtimestamp(int(text) * unit_seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
