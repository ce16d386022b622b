"""Making price books: by the clock, soon after receipts and by hand; and the switch of all prices."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from time import perf_counter
from typing import Any

from django.db import transaction
from django.db.models import Exists, Max, OuterRef

from orderhub.access.models import Merchant
from orderhub.events import beats, log
from orderhub.inventory import locks
from orderhub.inventory.admin_base import named
from orderhub.inventory.models import ExpectedReceipt, Stock, Warehouse
from routing import kinds
from routing.load import loads
from routing.pricing import demand, guards, levers, sentences
from routing.pricing.gathering import Gathered, gather
from routing.pricing.guards import Guarded
from routing.pricing.models import DailyDemand, PriceBook, PriceRow, PriceSettings
from routing.pricing.slots import Slots, slots_of
from routing.pricing.values import Cell

#: After a receipt the next book waits so long, so that a delivery booked line by line makes one.
SETTLING = timedelta(seconds=60)
#: A receipt may come in so long before its time and still be the one that was expected.
EARLY = timedelta(days=2)
_ROWS = 1_000


def settings_of(merchant_id: int) -> PriceSettings:
    """The merchant's settings; the defaults, unsaved, where there are none."""
    found = PriceSettings.objects.filter(merchant_id=merchant_id).first()
    return found or PriceSettings(merchant_id=merchant_id)


# ---- when ----------------------------------------------------------------------------------------


def refresh_due(*, now: datetime) -> int:
    """Make a book for every merchant whose time has come and whose stock or demand moved; how many.

    Also forgets demand that is too old for any forecast.
    """
    known = DailyDemand.objects.filter(merchant_id=OuterRef("pk"))
    merchant_ids = Merchant.objects.filter(Exists(known)).order_by("pk").values_list("pk", flat=True)
    books = {
        book.merchant_id: book
        for book in PriceBook.objects.filter(status=PriceBook.Status.IN_FORCE).defer("slots")
    }
    done = 0
    for merchant_id in list(merchant_ids):
        reason = _due(settings_of(merchant_id), books.get(merchant_id), now=now)
        if reason is not None and refresh(merchant_id, reason=reason, actor="system", now=now) is not None:
            done += 1
    if done:
        demand.forget(now=now)
    return done


def _due(settings: PriceSettings, book: PriceBook | None, *, now: datetime) -> PriceBook.Reason | None:
    if book is None:
        return PriceBook.Reason.CLOCK
    age = now - book.made_at
    if book.outdated_at is not None and age >= SETTLING:
        return PriceBook.Reason.RECEIPT
    if age < timedelta(minutes=settings.refresh_minutes):
        return None
    if age >= timedelta(hours=4):
        return PriceBook.Reason.CLOCK  # time alone changes what is expected until the next receipt
    moved = Stock.objects.filter(merchant_id=settings.merchant_id).aggregate(at=Max("updated_at"))["at"]
    return PriceBook.Reason.CLOCK if moved is not None and moved > book.made_at else None


def note_receipts(received: Collection[tuple[int, str, Sequence[str]]], *, now: datetime) -> None:
    """Stock came in, as (merchant id, warehouse code, SKU codes): the books are due, and the receipt that was
    expected next has arrived.
    """
    merchant_ids = {merchant_id for merchant_id, _warehouse, _skus in received}
    PriceBook.objects.filter(
        merchant_id__in=merchant_ids, status=PriceBook.Status.IN_FORCE, outdated_at__isnull=True
    ).update(outdated_at=now)
    for merchant_id, warehouse, skus in received:
        rows = ExpectedReceipt.objects.filter(
            merchant_id=merchant_id, warehouse__code=warehouse, sku__code__in=skus,
            arrived_at__isnull=True, came=0, expected_at__lte=now + EARLY,
        ).order_by("sku_id", "expected_at", "pk")  # fmt: skip
        first: dict[int, int] = {}
        for pk, sku_id in rows.values_list("pk", "sku_id"):
            first.setdefault(sku_id, pk)
        ExpectedReceipt.objects.filter(pk__in=first.values(), arrived_at__isnull=True).update(arrived_at=now)


# ---- making --------------------------------------------------------------------------------------


#: Told how many SKUs are priced and how many there are; may raise to stop the calculation.
Tell = Callable[[int, int], None]


def _untold(done: int, total: int) -> None:
    """Nobody watches a book made by the clock."""


def refresh(
    merchant_id: int, *, reason: PriceBook.Reason, actor: str, now: datetime, tell: Tell = _untold
) -> PriceBook | None:
    """Calculate a new book and put it in force; None if another one is being made for the merchant just now."""
    with beats.exclusively(f"routing.prices.{merchant_id}") as alone:
        if not alone:
            return None
        start = perf_counter()
        settings = settings_of(merchant_id)
        gathered = gather(settings, now=now) if settings.is_on else None
        guarded = guards.judge(settings, gathered, now=now)
        rows = [] if gathered is None or guarded.is_off else _rows_of(gathered, guarded, tell)
        book = PriceBook(
            merchant_id=merchant_id, made_at=now, made_by=actor[:80], reason=reason,
            status=PriceBook.Status.IN_FORCE, is_off=guarded.is_off, guards=guarded.tripped,
            forecast_error=guarded.error, skus=len(rows), cells=sum(len(row.cells) for row in rows),
        )  # fmt: skip
        if gathered is not None:
            warehouse_ids = [one.pk for one in gathered.warehouses]
            book.slots = {} if guarded.is_off else slots_of(gathered.values, warehouse_ids).to_json()
            book.parameters = _parameters(gathered)
        return _put_in_force(book, rows, settings, start=start)


def _rows_of(gathered: Gathered, guarded: Guarded, tell: Tell) -> list[PriceRow]:
    """A row for every SKU with a forecast, though nothing of it has a price, so that "free" is not "unknown"."""
    ids = [one.pk for one in gathered.warehouses]
    found = []
    for n, sku_id in enumerate(gathered.sku_ids):
        tell(n, len(gathered.sku_ids))
        cells, network = gathered.values.cells(n)
        held = {ids[w]: cell for w, cell in cells.items() if ids[w] not in guarded.stale_ids}
        top = max(held, key=lambda pk: (held[pk].curve.yuan[-1], -pk), default=None)
        here = held[top].curve.yuan[-1] if top is not None else 0.0
        shared = network.curve.yuan[-1] if network is not None and guarded.has_network else 0.0
        found.append(
            PriceRow(
                sku_id=sku_id, top_warehouse_id=top, top_price=Decimal(str(round(here + shared, 4))),
                cells={str(pk): _cell(cell, gathered) for pk, cell in sorted(held.items())},
                network=_cell(network, gathered) if network is not None and guarded.has_network else {},
            )
        )  # fmt: skip
    return found


def _cell(cell: Cell, gathered: Gathered) -> dict[str, Any]:
    curve = cell.curve
    return {
        "p": [curve.low, curve.high, list(curve.yuan)], "x": cell.units, "m": round(cell.wanted, 2),
        "d": round(cell.per_day, 3), "r": gathered.moment(cell.next_at).isoformat(timespec="minutes"),
    }  # fmt: skip


def _parameters(gathered: Gathered) -> dict[str, Any]:
    """What the formulas were given, for whoever reads a book later."""
    values = gathered.values
    names = ("local_fee", "local_gap", "local_mean", "now_share", "part", "trust", "slot", "slots")
    return {
        **{name: getattr(values.setting, name) for name in names},
        "level": round(values.level, 4),
        "yuan_per_parcel": round(values.fee, 4),
        "units_per_day": round(float(values.demand.total), 2),
        "orders_per_day": round(values.demand.orders_per_day, 2),
    }


@transaction.atomic
def _put_in_force(
    book: PriceBook, rows: Sequence[PriceRow], settings: PriceSettings, *, start: float
) -> PriceBook:
    """Write the book whole and replace the one before; the switch is read again, it may have been thrown."""
    Merchant.objects.select_for_update(no_key=True).get(pk=book.merchant_id)
    mine = PriceBook.objects.filter(merchant_id=book.merchant_id)
    book.number = 1 + (mine.aggregate(last=Max("number"))["last"] or 0)
    if settings.is_on and not settings_of(book.merchant_id).is_on:
        book.is_off, book.guards = True, [{"code": guards.SWITCHED_OFF, "facts": {}}, *book.guards]
    # A receipt that came while this was being calculated is not in it.
    before = mine.filter(status=PriceBook.Status.IN_FORCE).first()
    if before is not None and before.outdated_at is not None and before.outdated_at > book.made_at:
        book.outdated_at = before.outdated_at
    mine.filter(status=PriceBook.Status.IN_FORCE).update(status=PriceBook.Status.REPLACED)
    book.milliseconds = round((perf_counter() - start) * 1000)
    book.save()
    for row in rows:
        row.book = book
    PriceRow.objects.bulk_create(rows, batch_size=_ROWS)
    old = mine.filter(number__lte=book.number - settings.books_kept)
    PriceRow.objects.filter(book__in=old)._raw_delete(old.db)
    old.delete()
    return book


# ---- reading ------------------------------------------------------------------------------------


def slot_sentences(book: PriceBook, *, now: datetime) -> list[str]:
    """What a parcel slot of every warehouse with a limit is worth at `now`, one sentence each."""
    slots = Slots.from_json(book.slots)
    if slots is None:
        return []
    limited = Warehouse.objects.filter(
        merchant_id=book.merchant_id, is_active=True, capacity_per_day__isnull=False
    )
    places = list(limited.order_by("pk"))
    held = levers.held([place.pk for place in places], now=now)
    found = loads(places, now=now, levers=held, slots={book.merchant_id: slots})
    texts = []
    for place in places:
        load = found[place.pk]
        coming = slots.coming(now, load.ends[load.days.index(load.date)]) * slots.shares.get(place.pk, 0.0)
        texts.append(sentences.slot(named(place), left=load.left or 0, coming=coming, yuan=float(load.price)))
    return texts


# ---- the switch ----------------------------------------------------------------------------------


def switch(merchant_id: int, *, is_on: bool, actor: str, now: datetime) -> bool:
    """Turn all prices of a merchant off from the very next decision, or on from the next book, which is due then.

    False if they were so already.
    """
    with transaction.atomic():
        Merchant.objects.select_for_update(no_key=True).get(pk=merchant_id)
        settings, _made = PriceSettings.objects.get_or_create(merchant_id=merchant_id)
        if settings.is_on == is_on:
            return False
        settings.is_on, settings.switched_by, settings.switched_at = is_on, actor[:80], now
        settings.save()
        if is_on:
            PriceBook.objects.filter(merchant_id=merchant_id, status=PriceBook.Status.IN_FORCE).update(
                outdated_at=now
            )
        else:
            _switch_book_off(merchant_id, actor=actor)
        stream = f"prices:{merchant_id}"
        locks.stream(stream)
        fact = log.Fact(stream, kinds.PRICES_SWITCHED.name, {"is_on": is_on}, merchant_id)
        log.record([fact], now=now, actor=actor)
    return True


def _switch_book_off(merchant_id: int, *, actor: str) -> None:
    for book in PriceBook.objects.filter(merchant_id=merchant_id, status=PriceBook.Status.IN_FORCE):
        book.is_off = True
        book.guards = [{"code": guards.SWITCHED_OFF, "facts": {"by": actor[:80]}}, *book.guards]
        book.save(update_fields=["is_off", "guards"])
