"""The projection that keeps where each part of an order stands, until when news is due, and what lanes take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from orderhub.events import rows
from orderhub.events.models import Event
from orderhub.fulfillment.models import Parcel
from orderhub.kernel import clock
from tracking import projection
from tracking.center import alerts, expecting, learning, limits, moves
from tracking.center.book import Book, books
from tracking.center.learning import Tally
from tracking.center.models import Standing
from tracking.center.moves import ALL, ORDER, Move

_SAVED = [
    "seq", "milestone", "since_at", "clock_at", "place", "is_open", "holds", "held_at", "passed", "counts", "carrier",
    "warehouse", "origin", "destination", "rule_id", "due_at",
]  # fmt: skip
_AT_ONCE = 500
#: These are no milestones of the book; they stand in its order here.
_RANKS = {moves.REROUTED: 105, moves.BACKORDERED: 106}


def apply(events: Sequence[Event]) -> None:
    """Follow events: a constant number of queries for any batch; what was followed before changes nothing."""
    wanted = [(event, order_id) for event in events if (order_id := projection.order_of(event)) is not None]
    if not wanted:
        return
    now = clock.now()
    held = Standing.objects.select_for_update(no_key=True, of=("self",)).filter(
        order_id__in={order_id for _event, order_id in wanted}
    )
    desk = Desk(
        list(held.order_by("pk")), books({event.merchant_id for event, _id in wanted if event.merchant_id})
    )
    for event, order_id in wanted:
        if event.merchant_id is not None:
            for move in moves.of(event):
                desk.follow(order_id, event.merchant_id, move)
    desk.write(now=now)


class Desk:
    """The standings of one batch and what the moves made of them."""

    def __init__(self, standings: Sequence[Standing], known: Mapping[int, Book]) -> None:
        self.rows: dict[tuple[int, str], Standing] = {(row.order_id, row.subject): row for row in standings}
        self.books = known
        self.fresh: list[Standing] = []
        self.moved: dict[int, Standing] = {}
        self.tally = Tally()
        self._seen = {key: row.seq for key, row in self.rows.items()}
        self._unplaced: list[tuple[Standing, str, str, datetime, datetime]] = []

    def follow(self, order_id: int, merchant_id: int, move: Move) -> None:
        """Apply a move to the parts it is about."""
        if move.subject != ALL:
            self._follow(self._row(order_id, merchant_id, move), move)
            return
        if (order_id, ORDER) not in self.rows:
            self._row(order_id, merchant_id, move)
        for row in [row for (number, _subject), row in self.rows.items() if number == order_id]:
            self._follow(row, move)

    def _row(self, order_id: int, merchant_id: int, move: Move) -> Standing:
        subject = ORDER if move.subject == ALL else move.subject
        row = self.rows.get((order_id, subject))
        if row is None:
            row = Standing(
                order_id=order_id, merchant_id=merchant_id, subject=subject, parcel_id=move.parcel_id, since_at=move.at,
                clock_at=move.at,
            )  # fmt: skip
            self.rows[order_id, subject] = row
            self.fresh.append(row)
        return row

    def _follow(self, row: Standing, move: Move) -> None:
        if move.seq <= self._seen.get((row.order_id, row.subject), 0):
            return
        row.seq = max(row.seq, move.seq)
        self.moved[id(row)] = row
        if move.sort == "hold":
            row.holds = [*row.holds, move.reason]
            row.held_at = row.held_at or move.at
        elif move.sort == "free":
            self._free(row, move)
        else:
            self._stand(row, move)

    def _free(self, row: Standing, move: Move) -> None:
        """Time on hold does not count: the clock goes on where it stood."""
        if move.reason in row.holds:
            row.holds.remove(move.reason)
        if row.held_at is not None and not row.holds:
            row.clock_at += max(move.at - max(row.held_at, row.clock_at), move.at - move.at)
            row.held_at = None

    def _stand(self, row: Standing, move: Move) -> None:
        row.carrier = move.carrier or row.carrier
        row.warehouse = move.warehouse or row.warehouse
        told = row.passed.get(move.milestone, [])
        row.passed = {**row.passed, move.milestone: sorted([*told, move.at.isoformat()])}
        row.counts = {**row.counts, move.milestone: row.counts.get(move.milestone, 0) + 1}
        if move.sort == "note" or not self._is_news(row, move):
            if row.milestone == "DELIVERED" and move.at <= row.since_at:  # told late: it teaches all the same
                self._unplaced.append((row, learning.REST, move.milestone, move.at, row.since_at))
            return
        if row.milestone and row.milestone != move.milestone:
            self._unplaced.append((row, learning.STEP, row.milestone, row.since_at, move.at))
        if move.milestone == "DELIVERED":
            self._unplaced += [
                (row, learning.REST, code, datetime.fromisoformat(at), move.at)
                for code, moments in row.passed.items() for at in moments
            ]  # fmt: skip
        row.milestone, row.place = move.milestone, move.place
        row.since_at = row.clock_at = move.at
        if row.held_at is not None:
            row.held_at = max(row.held_at, move.at)
        row.is_open = move.sort != "end"

    def _is_news(self, row: Standing, move: Move) -> bool:
        """Later than what is known; of one moment what is further on. After the end only what may follow it."""
        if not row.milestone:
            return True
        if (
            row.milestone in moves.ENDS
            and row.subject != ORDER
            and move.milestone not in moves.AFTER_END | moves.ENDS
        ):
            return False
        if move.at != row.since_at:
            return move.at > row.since_at
        return self._rank(row, move.milestone) >= self._rank(row, row.milestone)

    def _rank(self, row: Standing, code: str) -> int:
        book = self.books[row.merchant_id]
        return book.rank("WMS_ACCEPTED") - 5 if code == moves.RELEASED else _RANKS.get(code, book.rank(code))

    def write(self, *, now: datetime) -> None:
        """Write standings with what is due, the alerts that opened and closed, what was learned, and what is expected."""
        moved = list(self.moved.values())
        if not moved:
            return
        parcels = _place(moved)
        for one in self._unplaced:
            self.tally.add(*one)
        reckon(moved, now=now)
        kept = [row for row in moved if not row._state.adding]
        rows.insert(self.fresh)
        rows.save(kept, _SAVED)
        self.tally.write()
        alerts.follow(moved, now=now)
        expecting.follow([row for row in moved if row.parcel_id is not None], parcels, now=now)


def reckon(standings: Iterable[Standing], *, now: datetime) -> None:
    """Say of each part until when news is due; nothing is due of what ended or is on hold."""
    held = list(standings)
    rules = limits.rulebook(held, now=now)
    for row in held:
        due = rules.due(row) if row.is_open and row.held_at is None else None
        row.rule, row.due_at = due if due else (None, None)


def reckon_again(*, now: datetime) -> int:
    """Reckon anew for everything open, after rules, calendars or limits changed; returns how many parts. Alerts that the
    new limits do not bear out are cleared.
    """
    count, last = 0, 0
    while True:
        with transaction.atomic():
            chosen = Standing.objects.select_for_update(no_key=True, of=("self",)).filter(
                is_open=True, pk__gt=last
            )
            batch = list(chosen.order_by("pk")[:_AT_ONCE])
            if not batch:
                return count
            reckon(batch, now=now)
            alerts.recheck(batch, now=now)
            rows.save(batch, ["rule_id", "due_at"])
        count, last = count + len(batch), batch[-1].pk


def _place(standings: Sequence[Standing]) -> dict[int, Parcel]:
    """The parcels of these parts, whose lanes the parts take over; one query, none without parcels."""
    numbers = {row.parcel_id for row in standings if row.parcel_id is not None}
    if not numbers:
        return {}
    found = Parcel.objects.filter(pk__in=numbers).select_related(
        "fulfillment__order", "fulfillment__warehouse"
    )
    parcels = {parcel.pk: parcel for parcel in found}
    for row in standings:
        parcel = parcels.get(row.parcel_id or 0)
        if parcel is None:
            row.parcel_id = None  # it is gone
            continue
        row.carrier = parcel.carrier
        row.warehouse = parcel.fulfillment.warehouse.code
        row.origin = parcel.fulfillment.warehouse.province
        row.destination = parcel.fulfillment.order.province
    return parcels
