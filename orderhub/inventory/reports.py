"""What a warehouse reports of its stock: kept line by line, booked where it is close enough, else left to a person.

A report speaks of a moment. What left or came since is taken off again before it is compared, so a count from ten
minutes ago does not undo a shipment since. Corrections of our own books (counts) are not: they say what was true then.
Every function is one transaction with a constant number of queries, the caller's if there is one; stock rows are locked
before lines of reports.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.events import rows as writing
from orderhub.inventory import kinds, posting, services, telling
from orderhub.inventory.locks import Place
from orderhub.inventory.models import Movement, Sku, StockReport, StockReportLine, Warehouse
from orderhub.inventory.posting import Move, Shelf
from orderhub.kernel.errors import Refused

State = StockReportLine.State
Reason = StockReportLine.Reason
#: Movements of goods beside shipments; a count moves nothing, it corrects.
_MOVING = (Movement.Kind.RECEIPT, Movement.Kind.RETURN, Movement.Kind.ADJUST)
_DECIDED = ("state", "booked", "short", "reason", "note", "decided_by", "decided_at")
_JUDGED = ("sku", "expected", "difference", *_DECIDED)


@dataclass(frozen=True, slots=True)
class Said:
    """Units of a SKU as the warehouse wrote it: what is there (a count), or more or less than before (a change)."""

    sku: str
    quantity: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The report and its lines; repeated means that this key was taken before and nothing was done."""

    report: StockReport
    lines: tuple[StockReportLine, ...]
    is_repeated: bool = False

    def count(self, state: StockReportLine.State) -> int:
        """Lines in that state."""
        return sum(1 for line in self.lines if line.state == state)


@transaction.atomic
def take(
    merchant: Merchant, warehouse_code: str, lines: Sequence[Said], *, kind: str, reported_at: datetime, key: str,
    actor: str, now: datetime,
) -> Outcome:  # fmt: skip
    """Keep a report ("count" or "change") once per warehouse and key, and book what is within the tolerance.

    Lines of one SKU (and, for changes, one reason) are added up; a SKU that a count does not name is left alone.
    Unknown SKUs are kept as refused lines. Raises Refused("warehouse_unknown").
    """
    warehouse = Warehouse.objects.filter(merchant=merchant, code=warehouse_code).first()
    if warehouse is None:
        raise Refused(
            "warehouse_unknown",
            _("There is no warehouse with this code."),
            remedy=_("Use the code of one of the merchant's warehouses."),
            facts={"warehouse": warehouse_code},
        )
    report, made = StockReport.objects.get_or_create(
        warehouse=warehouse, key=key[:120],
        defaults={
            "merchant": merchant, "kind": kind, "reported_at": min(reported_at, now), "received_at": now,
            "actor": actor[:80],
        },
    )  # fmt: skip
    if not made:
        return Outcome(report, tuple(report.lines.order_by("pk")), is_repeated=True)
    rows = _rows(report, lines)
    _judge(report, warehouse, rows, _skus(merchant.pk, [row.code for row in rows]), actor=actor, now=now)
    StockReportLine.objects.bulk_create(rows)
    _tell_taken(report, warehouse, rows, actor=actor, now=now)
    return Outcome(report, tuple(rows))


@transaction.atomic
def book(
    line_ids: Collection[int], *, reason: str, note: str = "", actor: str, now: datetime
) -> list[StockReportLine]:
    """A person books waiting differences for that reason; the lines that waited, as they stand then.

    Never below what is promised to orders: what is missing for them stays waiting as `short`, to be booked once these
    orders ship from elsewhere.
    """
    shelves, rows = _waiting(line_ids)
    levels = {place: shelf.on_hand for place, shelf in shelves.items()}
    moves: dict[str, list[Move]] = {StockReport.Kind.COUNT: [], StockReport.Kind.CHANGE: []}
    booked: dict[int, int] = {}
    for row in rows:
        assert row.sku_id is not None
        place = (row.sku_id, row.warehouse_id)
        wanted = row.difference - row.booked
        stands = max(levels[place] + wanted, shelves[place].reserved)
        # More than was there is not put back by a shortage.
        units = min(stands - levels[place], 0) if wanted < 0 else stands - levels[place]
        levels[place] += units
        booked[row.pk] = units
        row.booked, row.short = row.booked + units, abs(wanted - units)
        row.state = State.WAITING if row.short else State.BOOKED
        row.reason, row.note, row.decided_by, row.decided_at = reason, note[:200], actor[:80], now
        if units:
            moves[row.report.kind].append(_move(row, row.report, place, units, now=now))
    for kind, parts in moves.items():
        _post(parts, kind, actor=actor, now=now)
    writing.save(rows, _DECIDED)
    services.tell_more([_named(row) for row in rows if booked[row.pk] > 0], actor=actor, now=now)
    telling.record(
        [_fact(row, kinds.STOCK_CORRECTED.name, units=booked[row.pk], short=row.short) for row in rows],
        actor=actor, now=now,
    )  # fmt: skip
    return rows


@transaction.atomic
def dismiss(line_ids: Collection[int], *, note: str, actor: str, now: datetime) -> list[StockReportLine]:
    """A person leaves the stock as it is, with a note; the lines that waited.

    Raises Refused("difference_note_missing").
    """
    if not note.strip():
        raise Refused(
            "difference_note_missing",
            _("A dismissed difference needs a note."),
            remedy=_("Say why it is not booked."),
        )
    _shelves, rows = _waiting(line_ids)
    for row in rows:
        row.state, row.note, row.decided_by, row.decided_at = State.DISMISSED, note[:200], actor[:80], now
    writing.save(rows, _DECIDED)
    facts = [_fact(row, kinds.STOCK_DISMISSED.name, units=row.difference - row.booked) for row in rows]
    telling.record(facts, actor=actor, now=now)
    return rows


@transaction.atomic
def replay(line_ids: Collection[int], *, actor: str, now: datetime) -> list[StockReportLine]:
    """Judge refused lines again, whose SKU exists by now, as of the moment of their report; those lines."""
    found = StockReportLine.objects.filter(pk__in=line_ids, state=State.REFUSED)
    rows = list(found.select_for_update(of=("self",)).select_related("report", "warehouse").order_by("pk"))
    done: list[StockReportLine] = []
    for report_id in dict.fromkeys(row.report_id for row in rows):
        mine = [row for row in rows if row.report_id == report_id]
        skus = _skus(mine[0].merchant_id, [row.code for row in mine])
        ready = [row for row in mine if row.code in skus]
        if ready:
            _judge(mine[0].report, mine[0].warehouse, ready, skus, actor=actor, now=now)
            _tell_taken(mine[0].report, mine[0].warehouse, ready, actor=actor, now=now)
            done += ready
    writing.save(done, _JUDGED)
    return done


# ---- judging -------------------------------------------------------------------------------------


def _rows(report: StockReport, lines: Sequence[Said]) -> list[StockReportLine]:
    """A line per SKU code, and reason where units change; in the order they came."""
    is_count = report.kind == StockReport.Kind.COUNT
    units: dict[tuple[str, str], int] = {}
    for line in lines:
        reason = line.reason if line.reason in Reason.values else ""
        place = (line.sku[:80], "" if is_count else reason)
        units[place] = units.get(place, 0) + line.quantity
    default = Reason.COUNT if is_count else Reason.UNKNOWN
    return [
        StockReportLine(
            report=report, merchant_id=report.merchant_id, warehouse_id=report.warehouse_id, code=code, reported=count,
            reported_at=report.reported_at, reason=reason or default, state=State.REFUSED,
        )
        for (code, reason), count in units.items()
    ]  # fmt: skip


def _skus(merchant_id: int, codes: Collection[str]) -> dict[str, Sku]:
    return {sku.code: sku for sku in Sku.objects.filter(merchant_id=merchant_id, code__in=set(codes))}


def _judge(
    report: StockReport, warehouse: Warehouse, rows: Sequence[StockReportLine], skus: Mapping[str, Sku], *,
    actor: str, now: datetime,
) -> None:  # fmt: skip
    """Compare lines of known SKUs with what was on hand then, and book what is close enough."""
    known = [row for row in rows if row.code in skus]
    places = {(skus[row.code].pk, warehouse.pk) for row in known}
    shelves = services.stand([(warehouse, skus[row.code]) for row in known], now=now)
    since = _moved_since(places, report.reported_at)
    newer = _counted_later(report, places)
    levels = {place: shelf.on_hand for place, shelf in shelves.items()}
    moves: list[Move] = []
    for row in known:
        row.sku = skus[row.code]
        place = (row.sku.pk, warehouse.pk)
        row.expected = shelves[place].on_hand - since.get(place[0], 0)
        is_count = report.kind == StockReport.Kind.COUNT
        row.difference = row.reported - row.expected if is_count else row.reported
        row.short = (
            max(0, shelves[place].reserved - levels[place] - row.difference) if row.difference < 0 else 0
        )
        row.state = _state(row, warehouse, is_outdated=place[0] in newer)
        if row.state == State.BOOKED:
            row.booked, row.decided_by, row.decided_at = row.difference, "tolerance", now
            levels[place] += row.difference
            moves.append(_move(row, report, place, row.difference, now=now))
    _post(moves, report.kind, actor=actor, now=now)
    more = [(warehouse, skus[row.code]) for row in known if row.booked > 0]
    services.tell_more(more, actor=actor, now=now)


def _state(row: StockReportLine, warehouse: Warehouse, *, is_outdated: bool) -> StockReportLine.State:
    if is_outdated:
        return State.OUTDATED
    if not row.difference:
        return State.SAME
    percent = Decimal(max(0, row.expected or 0)) * warehouse.tolerance_percent / 100
    is_close = abs(row.difference) <= max(Decimal(warehouse.tolerance_units), percent)
    return State.BOOKED if is_close and not row.short else State.WAITING


def _moved_since(places: Collection[Place], at: datetime) -> dict[int, int]:
    """Units by SKU that came or left after that moment; two queries, one of them in the index of shipments."""
    warehouses = {warehouse for _sku, warehouse in places}
    later = Movement.objects.filter(
        stock__sku_id__in={sku for sku, _warehouse in places},
        stock__warehouse_id__in=warehouses,
        moved_at__gt=at,
    )
    units: dict[int, int] = {}
    for some in (later.filter(kind=Movement.Kind.SHIP), later.filter(kind__in=_MOVING)):
        for sku_id, count in some.order_by().values_list("stock__sku_id").annotate(n=Sum("on_hand_change")):
            units[sku_id] = units.get(sku_id, 0) + count
    return units


def _counted_later(report: StockReport, places: Collection[Place]) -> set[int]:
    """SKUs that were counted again after this count; older counts that still wait are outdated by this one."""
    if report.kind != StockReport.Kind.COUNT:
        return set()
    counts = StockReportLine.objects.filter(
        sku_id__in={sku for sku, _warehouse in places}, warehouse_id=report.warehouse_id,
        report__kind=StockReport.Kind.COUNT,
    ).exclude(report=report)  # fmt: skip
    counts.filter(state=State.WAITING, reported_at__lte=report.reported_at).update(state=State.OUTDATED)
    return set(counts.filter(reported_at__gt=report.reported_at).values_list("sku_id", flat=True))


def _waiting(line_ids: Collection[int]) -> tuple[dict[Place, Shelf], list[StockReportLine]]:
    """The stock rows of these lines, locked, then those of them that still wait, locked."""
    found = StockReportLine.objects.filter(pk__in=line_ids, state=State.WAITING, sku__isnull=False)
    shelves = posting.shelves(set(found.values_list("sku_id", "warehouse_id")))
    rows = found.select_for_update(of=("self",)).select_related("report", "warehouse", "sku").order_by("pk")
    return shelves, list(rows)


def _move(row: StockReportLine, report: StockReport, place: Place, units: int, *, now: datetime) -> Move:
    """A change took place when the warehouse says; a count corrects our books now."""
    at = report.reported_at if report.kind == StockReport.Kind.CHANGE else now
    return Move(place, units, 0, f"report:{report.pk}:{row.reason}", at)


def _post(moves: Sequence[Move], kind: str, *, actor: str, now: datetime) -> None:
    booked_as = Movement.Kind.ADJUST if kind == StockReport.Kind.CHANGE else Movement.Kind.COUNT
    if not posting.post(moves, kind=booked_as, actor=actor, now=now).is_written:
        raise RuntimeError("stock changed under its lock")


# ---- telling -------------------------------------------------------------------------------------


def _named(row: StockReportLine) -> tuple[Warehouse, Sku]:
    assert row.sku is not None
    return row.warehouse, row.sku


def _tell_taken(
    report: StockReport, warehouse: Warehouse, rows: Sequence[StockReportLine], *, actor: str, now: datetime
) -> None:
    states = [row.state for row in rows]
    payload: dict[str, object] = {
        "report": report.pk, "warehouse": warehouse.code, "kind": report.kind,
        "reported_at": report.reported_at.isoformat(), "lines": len(rows), "booked": states.count(State.BOOKED),
        "waiting": states.count(State.WAITING), "refused": states.count(State.REFUSED),
    }  # fmt: skip
    fact = telling.fact(report.merchant_id, kinds.STOCK_REPORTED.name, payload)
    telling.record([fact], actor=actor, now=now)


def _fact(row: StockReportLine, kind: str, **more: object) -> telling.Fact:
    about = {"report": row.report_id, "warehouse": row.warehouse.code, "sku": row.code, "reason": row.reason}
    return telling.fact(row.merchant_id, kind, {**about, **more})
