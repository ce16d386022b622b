"""What a connector is: it pushes our messages in another system's language and turns that system's answers into ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from orderhub.connectors.meant import Fault, Result, Told
from orderhub.connectors.models import Connection, InboxMessage
from orderhub.fulfillment.updates import Update


@dataclass(frozen=True, slots=True)
class Push:
    """One message to send; `key` is what the other side deduplicates by, and stays the same on every retry."""

    key: str
    operation: str
    reference: str
    body: Mapping[str, Any]
    order_id: int | None = None
    #: What it belongs to besides the order, as `address_change:12`.
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message that came in: its own key (once only) and its body; `raw` and `envelope` where it came over a wire."""

    key: str
    body: Mapping[str, Any]
    raw: bytes | None = None
    envelope: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PositionFix:
    """Where a parcel's vehicle was: WGS-84 degrees, at an aware moment."""

    carrier: str
    tracking_number: str
    latitude: Decimal
    longitude: Decimal
    occurred_at: datetime


class Unreadable(Exception):
    """A message the connector cannot read; it is quarantined with this reason and these faults, never dropped."""

    def __init__(self, reason: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(reason)
        self.faults = tuple(faults)


class ConnectorKind(Protocol):
    """One folder under connectors/kinds provides exactly this."""

    name: str

    def push(
        self, connection: Connection, pushes: Sequence[Push], *, now: datetime
    ) -> Mapping[str, Exception] | None:
        """Send the messages, in order. What failed by key, each to be sent again, for good (GiveUp) or not tried (Later);
        or raise for all of them.
        """

    def normalize(self, connection: Connection, message: InboxMessage) -> Sequence[Update | Told]:
        """What a message means, in order; raises Unreadable."""


_kinds: dict[str, ConnectorKind] = {}
PositionSink = Callable[[Sequence[PositionFix]], int]
_position_sinks: list[PositionSink] = []
#: What a message means beyond its profile's lists: the documents that somebody understands, and how many were kept aside.
CodeReader = Callable[[Connection, InboxMessage, Sequence[Told]], tuple[list[Told], int]]
_code_readers: list[CodeReader] = []
#: Takes in milestones that are no step of a warehouse, factory or carrier: a result per document.
Teller = Callable[[Connection, Sequence[Told], datetime], list[Result]]
_tellers: list[Teller] = []


def register(kind: ConnectorKind) -> ConnectorKind:
    """Make a kind known under its name."""
    _kinds[kind.name] = kind
    return kind


def kind_of(connection: Connection) -> ConnectorKind:
    """The connection's kind; raises KeyError for one that is not installed."""
    return _kinds[connection.kind]


def names() -> tuple[str, ...]:
    """All installed kinds."""
    return tuple(sorted(_kinds))


def position_sink(function: PositionSink) -> PositionSink:
    """Register who stores positions (they bypass the log)."""
    if function not in _position_sinks:
        _position_sinks.append(function)
    return function


def report_positions(fixes: Sequence[PositionFix]) -> int:
    """Hand fixes to the sinks; returns how many were stored."""
    return sum(sink(fixes) for sink in _position_sinks) if fixes else 0


def code_reader(function: CodeReader) -> CodeReader:
    """Register who knows what operators have said of codes and texts."""
    if function not in _code_readers:
        _code_readers.append(function)
    return function


def read_codes(connection: Connection, message: InboxMessage, told: Sequence[Told]) -> tuple[list[Told], int]:
    """The documents as operators read their codes, and how many nobody understands, which the reader keeps aside.

    Without a reader, documents that say nothing of a parcel's status stay, and are what nobody understands.
    """
    found, aside = list(told), 0
    for reader in _code_readers:
        found, more = reader(connection, message, found)
        aside += more
    return found, aside if _code_readers else sum(not one.document.get("status") for one in told)


def teller(function: Teller) -> Teller:
    """Register who takes in milestones."""
    if function not in _tellers:
        _tellers.append(function)
    return function


def tell_milestones(connection: Connection, told: Sequence[Told], *, now: datetime) -> list[Result]:
    """Hand milestones to who takes them in; without anybody each is refused."""
    for take in _tellers:
        return take(connection, told, now)
    return [
        Result("refused", "unknown_meaning", (Fault("means", "unknown_meaning", "milestone"),))
        for _one in told
    ]
