"""Units kept for carts and unpaid orders for some minutes: reserved, freed, or expired by the clock."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.events import log, rows
from orderhub.inventory import choosing, heat, kinds, posting, services
from orderhub.inventory.choosing import Want
from orderhub.inventory.gathering import Gathering
from orderhub.inventory.locks import Place
from orderhub.inventory.models import Movement, Reservation, ReservationLine
from orderhub.inventory.posting import Beside, Move
from orderhub.inventory.services import Take
from orderhub.kernel.errors import Refused

State = Reservation.State
#: Up to this many expire in one transaction.
_BATCH = 200
#: Up to this many callers are served together.
_TOGETHER = 64


@dataclass(frozen=True, slots=True)
class Asked:
    """What a cart wants kept; warehouses that serve `province` first are tried first."""

    merchant: Merchant
    wants: tuple[Want, ...]
    expires_at: datetime
    actor: str
    now: datetime
    province: str = ""


def reserve(asked: Asked) -> Reservation:
    """Keep the units, all or nothing; raises Refused("stock_short"). Committed when it returns, unless the
    caller has a transaction open.

    Callers of hot SKUs are served together, which only those without a transaction of their own can be.
    """
    is_hot = not heat.hot_skus().isdisjoint(want.sku.pk for want in asked.wants)
    if is_hot and not connection.in_atomic_block:
        outcome = _gathering.ask(asked)
    else:
        [outcome] = reserve_all([asked])
    if isinstance(outcome, Refused):
        raise outcome
    return outcome


def reserve_all(batch: Sequence[Asked]) -> list[Reservation | Refused]:
    """The outcome of each, in order; all that is kept commits together. A constant number of queries, and on
    PostgreSQL one statement if nobody is refused and every warehouse is named (else one to read before it).
    """
    made = [
        Reservation(
            merchant_id=asked.merchant.pk, actor=asked.actor[:80], created_at=asked.now,
            expires_at=asked.expires_at,
        )
        for asked in batch
    ]  # fmt: skip
    everybody = {row.pk: asked for row, asked in zip(made, batch, strict=True)}
    served = {key: choosing.serving(*key) for key in {(x.merchant.pk, x.province) for x in batch}}
    near = {pk: served[asked.merchant.pk, asked.province] for pk, asked in everybody.items()}
    free_units = choosing.free_units(want for asked in batch for want in asked.wants)
    plans = _plan(everybody, near, free_units, is_exact=False)
    if len(plans) == len(made) and connection.vendor == "postgresql" and _keep_at_once(made, plans):
        return [*made]
    kept = _keep(made, everybody, near, free_units, plans)
    return [row if row.pk in kept else _short(everybody[row.pk]) for row in made]


_gathering = Gathering(reserve_all, most=_TOGETHER)


@transaction.atomic
def free(merchant: Merchant, pk: UUID, *, actor: str, now: datetime) -> Reservation | None:
    """Give the units back before the time; one that ended already stays as it is. None if there is none."""
    row = Reservation.objects.select_for_update().filter(merchant=merchant, pk=pk).first()
    if row is not None and row.state == State.ACTIVE:
        _end([row], State.FREED, actor=actor, now=now)
    return row


def expire(*, now: datetime) -> int:
    """End every reservation whose time is up; returns how many. Several may run at once."""
    ended = 0
    while batch := _expire_some(now=now):
        ended += batch
    return ended


@transaction.atomic
def _expire_some(*, now: datetime) -> int:
    due = Reservation.objects.filter(state=State.ACTIVE, expires_at__lte=now).order_by("expires_at")
    skips = connection.features.has_select_for_update_skip_locked
    found = list(due.select_for_update(skip_locked=skips)[:_BATCH])
    _end(found, State.EXPIRED, actor="system", now=now)
    return len(found)


def _end(found: Sequence[Reservation], state: State, *, actor: str, now: datetime) -> None:
    """Free what these locked, active reservations keep, and tell the log."""
    if not found:
        return
    lines = ReservationLine.objects.filter(reservation__in=found).select_related("sku").order_by("pk")
    takes: list[Take] = []
    codes: dict[UUID, set[str]] = {row.pk: set() for row in found}
    for line in lines:
        takes.append(Take(line.reservation_id, line.warehouse_id, line.sku_id, line.quantity))
        codes[line.reservation_id].add(line.sku.code)
    services.free(takes, reference="cart", actor=actor, now=now)
    for row in found:
        row.state, row.ended_at = state, now
    rows.save(found, ["state", "ended_at"])
    kind = kinds.RESERVATION_EXPIRED if state == State.EXPIRED else kinds.RESERVATION_FREED
    facts = [
        log.Fact(
            row.stream,
            kind.name,
            {"reservation": str(row.pk), "skus": sorted(codes[row.pk])},
            row.merchant_id,
        )
        for row in found
    ]
    log.record(facts, now=now, actor=actor)


# ---- where the units come from -------------------------------------------------------------------


@transaction.atomic
def _keep(
    made: Sequence[Reservation], everybody: Mapping[UUID, Asked], near: Mapping[UUID, Collection[int]],
    free_units: Mapping[Place, int], plans: Mapping[UUID, list[Move]],
) -> Mapping[UUID, list[Move]]:  # fmt: skip
    """Write the reservations that get all their units; their movements.

    The plans were made on figures read without a lock. Who loses a race for them is planned once more on
    locked ones, so nobody is refused while units are there.
    """
    lost = _take(plans, everybody)
    again = {pk: everybody[pk] for pk in plans if pk in lost and not _is_fixed(everybody[pk])}
    kept = {pk: moves for pk, moves in plans.items() if pk not in lost}
    if again:
        named = {
            (w.sku.pk, w.warehouse_id) for asked in again.values() for w in asked.wants if w.warehouse_id
        }
        locked = posting.shelves({*free_units, *named})
        figures = {place: shelf.free for place, shelf in locked.items()}
        second = _plan(again, near, figures, is_exact=True)
        if _take(second, everybody):
            raise RuntimeError("stock changed under its lock")
        kept |= second
    Reservation.objects.bulk_create([row for row in made if row.pk in kept])
    ReservationLine.objects.bulk_create(
        ReservationLine(
            reservation_id=pk, sku_id=move.place[0], warehouse_id=move.place[1], quantity=move.reserved
        )
        for pk, moves in kept.items()
        for move in moves
    )
    return kept


def _keep_at_once(made: Sequence[Reservation], plans: Mapping[UUID, list[Move]]) -> bool:
    """Everything in one statement; False, and nothing is written, if not all of it fits."""
    parts = [(pk, move) for pk, moves in plans.items() for move in moves]
    rows = Beside(
        "kept",
        """INSERT INTO inventory_reservation (id, merchant_id, state, actor, created_at, expires_at)
        SELECT r.*
        FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[]) r,
            checked WHERE checked.fits""",
        [
            [row.pk for row in made], [row.merchant_id for row in made], [str(row.state) for row in made],
            [row.actor for row in made], [row.created_at for row in made], [row.expires_at for row in made],
        ],
    )  # fmt: skip
    lines = Beside(
        "lines",
        """INSERT INTO inventory_reservationline (reservation_id, sku_id, warehouse_id, quantity)
        SELECT p.* FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::int[]) p, checked WHERE checked.fits""",
        [
            [pk for pk, _move in parts], [move.place[0] for _pk, move in parts],
            [move.place[1] for _pk, move in parts], [move.reserved for _pk, move in parts],
        ],
    )  # fmt: skip
    moves = [move for _pk, move in parts]
    posted = posting.post(
        moves, kind=Movement.Kind.RESERVE, actor=_actor(made), now=_latest(moves), beside=[rows, lines]
    )
    return posted.is_written


def _plan(
    everybody: Mapping[UUID, Asked], near: Mapping[UUID, Collection[int]], free_units: Mapping[Place, int], *,
    is_exact: bool,
) -> dict[UUID, list[Move]]:  # fmt: skip
    """Movements per reservation, each planned on what those before it left; who cannot have all is missing."""
    left = dict(free_units)
    plans: dict[UUID, list[Move]] = {}
    for pk, asked in everybody.items():
        shares = choosing.shares(asked.wants, left, near[pk], is_exact=is_exact)
        if shares is None:
            continue
        for place, units in shares.items():
            if place in left:
                left[place] -= units
        plans[pk] = [Move(place, 0, units, f"cart:{pk}", asked.now) for place, units in shares.items()]
    return plans


def _take(plans: Mapping[UUID, list[Move]], everybody: Mapping[UUID, Asked]) -> set[Hashable]:
    """Take what is planned; those that were refused."""
    if not plans:
        return set()
    actor = _actor([everybody[pk] for pk in plans])
    now = _latest([move for moves in plans.values() for move in moves])
    return services.take_moves(plans, actor=actor, now=now)


def _actor(rows: Sequence[Asked | Reservation]) -> str:
    """Who moves the units: several callers served together are named by their reservations only."""
    names = {row.actor for row in rows}
    return names.pop() if len(names) == 1 else "carts"


def _latest(moves: Sequence[Move]) -> datetime:
    return max(move.moved_at for move in moves)


def _is_fixed(asked: Asked) -> bool:
    """Whether the caller names every warehouse."""
    return all(want.warehouse_id for want in asked.wants)


def _short(asked: Asked) -> Refused:
    return Refused(
        "stock_short",
        _("There are not enough units for all lines; nothing was reserved."),
        remedy=_("Ask for fewer units, or read what can be promised first."),
        facts={"skus": ", ".join(sorted({want.sku.code for want in asked.wants}))},
    )
