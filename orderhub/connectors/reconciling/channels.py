"""Sales channels: their orders beside ours. What is missing here or newer there is asked for again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Q
from django.utils.dateparse import parse_datetime

from orderhub.connectors.applying import orders as applying
from orderhub.connectors.meant import is_newer, moment, text
from orderhub.connectors.models import Call, InboxMessage, SyncMark
from orderhub.connectors.reconciling.turns import CHUNK, GRACE, Found, Sort, Turn
from orderhub.connectors.speech.profile import Schedule
from orderhub.connectors.speech.reading import Part
from orderhub.orders.models import AddressChange, Order
from orderhub.orders.models.order import Stage

#: So long a stretch is asked for, page by page, before its outcome is kept.
SLICE = timedelta(hours=4)
_LEFT = frozenset({
    Stage.PARTIALLY_SHIPPED, Stage.SHIPPED, Stage.PARTIALLY_DELIVERED, Stage.DELIVERED, Stage.COMPLETED,
    Stage.PARTIALLY_RETURNED, Stage.RETURNED,
})  # fmt: skip
_ALL_LEFT = _LEFT - {Stage.PARTIALLY_SHIPPED, Stage.PARTIALLY_DELIVERED}
_OVER = frozenset({Stage.CANCELLED, Stage.MERGED})
_SHIPPED = frozenset({"shipped", "completed"})


def listed(turn: Turn, after: str) -> str:
    """Compare some hours of what they list as changed, and ask for what of ours should have been in it."""
    schedule = _schedule(turn)
    if schedule is None or turn.connection.channel is None:
        return ""
    since = parse_datetime(after) if after else turn.run.since
    assert since is not None
    until = min(since + SLICE, turn.run.until)
    seen: set[str] = set()
    for parts in turn.pages(schedule, since, until):
        readable = [part for part in parts if not part.faults and text(part.value, "ext_id")]
        seen |= {text(part.value, "ext_id") for part in readable}
        _compare(turn, readable)
    _look_for(turn, _unseen(turn, seen, since, until))
    return until.isoformat() if until < turn.run.until else ""


def again(turn: Turn, after: str) -> str:
    """Ask once more for what was different the last time, by its number."""
    if not turn.can("fetch_order") or turn.connection.channel is None:
        return ""
    numbers = sorted(number for number in turn.unsettled if number > after)[:CHUNK]
    known = {row.external_id: row for row in _ours(turn).filter(external_id__in=numbers)}
    _look_for(turn, known.values())
    parts = []
    for number in numbers:
        if number not in known:
            answer = turn.ask("fetch_order", {"ext_id": number, "reference": number})
            part = turn.read("fetch_order", answer.tree) if answer.means == "acked" else None
            parts += [part] if part is not None and text(part.value, "ext_id") else []
    _compare(turn, parts)
    return numbers[-1] if len(numbers) == CHUNK else ""


def asked(turn: Turn, after: str) -> str:
    """Where there is no list: ask for each of our orders of these days."""
    if _schedule(turn) is not None or not turn.can("fetch_order") or turn.connection.channel_id is None:
        return ""
    rows = _ours(turn).filter(placed_at__gte=turn.run.since, placed_at__lt=turn.run.until)
    orders = list(rows.filter(pk__gt=int(after or 0)).order_by("pk")[:CHUNK])
    _look_for(turn, orders)
    return str(orders[-1].pk) if len(orders) == CHUNK else ""


def _schedule(turn: Turn) -> Schedule | None:
    return next((one for one in turn.spec.schedules if one.operation == "list_orders"), None)


def _ours(turn: Turn) -> Any:
    """The orders that came in through this connection."""
    return Order.objects.filter(
        channel=turn.connection.channel, source=applying.actor(turn.connection)
    ).select_related("person")


def _unseen(turn: Turn, seen: set[str], since: datetime, until: datetime) -> list[Order]:
    """Our orders that, as we know them, changed in these hours there, and were not listed."""
    marks = SyncMark.objects.filter(
        connection=turn.connection, version__gte=since.isoformat(), version__lt=until.isoformat()
    )
    numbers = {subject.removeprefix("order:") for subject in marks.values_list("subject", flat=True)}
    return list(_ours(turn).filter(Q(external_id__in=numbers - seen)))


def _look_for(turn: Turn, orders: Iterable[Order]) -> None:
    """Ask for each by its number; those they do not know are missing there."""
    if not turn.can("fetch_order"):
        return
    parts: list[Part] = []
    for order in orders:
        answer = turn.ask("fetch_order", {"ext_id": order.external_id, "reference": order.external_id})
        part = turn.read("fetch_order", answer.tree) if answer.means == "acked" else None
        if part is not None and text(part.value, "ext_id"):
            parts.append(part)
        elif answer.means == "refused":
            turn.asked += 1
            turn.found.append(
                Found(Sort.MISSING_THERE, order.external_id, order.stage, answer.message, order.pk)
            )
    _compare(turn, parts)


# ---- one by one -----------------------------------------------------------------------------------


def _compare(turn: Turn, parts: Sequence[Part]) -> None:
    """What of theirs is otherwise here; a constant number of queries for a page, none for an empty one."""
    if not parts:
        return
    numbers = {text(part.value, "ext_id") for part in parts}
    ours = {
        row.external_id: row
        for row in Order.objects.filter(channel=turn.connection.channel, external_id__in=numbers).prefetch_related(
            "lines"
        )
    }  # fmt: skip
    subjects = [f"order:{number}"[:120] for number in numbers]
    marks = {
        row.subject: row for row in SyncMark.objects.filter(connection=turn.connection, subject__in=subjects)
    }
    changes: dict[int, list[AddressChange]] = {}
    for change in AddressChange.objects.filter(order__in=ours.values()).order_by("pk"):
        changes.setdefault(change.order_id, []).append(change)
    missing: list[Part] = []
    older: list[tuple[Order, Part, str]] = []
    for part in parts:
        turn.asked += 1
        number = text(part.value, "ext_id")
        order, mark = ours.get(number), marks.get(f"order:{number}"[:120])
        if order is None:
            missing.append(part)
        elif mark is None or (part.version and is_newer(part.version, mark.version)):
            if not _is_fresh(turn, part):
                older.append((order, part, mark.version if mark else ""))
        else:
            _compare_one(turn, order, part, changes.get(order.pk, []))
    _miss(turn, missing)
    _renew(turn, older)


def _renew(turn: Turn, older: Sequence[tuple[Order, Part, str]]) -> None:
    """Newer versions of theirs: asked for again, unless they wait for a person or a person let them be."""
    last = _last_messages(turn, [order.number for order, _part, _version in older])
    for order, part, version in older:
        message = last.get(order.number)
        if message is not None and message.state == InboxMessage.State.IGNORED and message.edited_by:
            turn.explained += 1
            continue
        waits = message is not None and message.state == InboxMessage.State.QUARANTINED
        found = Found(Sort.OLDER_HERE, order.external_id, version, part.version, order.pk, fetching=not waits)
        if waits:
            turn.found.append(found)
        else:
            _fetch(turn, part, found)


def _last_messages(turn: Turn, references: Sequence[str]) -> dict[str, InboxMessage]:
    """The last message about each."""
    if not references:
        return {}
    rows = InboxMessage.objects.filter(
        connection=turn.connection, means="order", reference__in=references
    ).defer("raw", "body")  # fmt: skip
    return {row.reference: row for row in rows.order_by("pk")}


def _is_fresh(turn: Turn, part: Part) -> bool:
    at = moment(part.value, "updated_at") or parse_datetime(part.version or "-")
    return at is not None and at.tzinfo is not None and at > turn.now - GRACE


def _miss(turn: Turn, parts: Sequence[Part]) -> None:
    """Orders of theirs that are not here: asked for again, unless they wait in the inbox for a person."""
    if not parts:
        return
    apart = set(
        InboxMessage.objects.filter(
            connection=turn.connection, state=InboxMessage.State.QUARANTINED, means="order",
            reference__in=[text(part.value, "ext_id") for part in parts],
        ).values_list("reference", flat=True)
    )  # fmt: skip
    for part in parts:
        number, status = text(part.value, "ext_id"), text(part.value, "status")
        if status in applying.GONE or status == applying.UNDER_REVIEW or _is_fresh(turn, part):
            continue
        if number in apart:
            turn.found.append(Found(Sort.MISSING_HERE, number, "inbox", status))
            continue
        # What the version guard remembers of an order that is not here must not keep it out.
        turn.forgotten.append(number)
        _fetch(turn, part, Found(Sort.MISSING_HERE, number, "", status, fetching=True))


def _fetch(turn: Turn, part: Part, found: Found) -> None:
    """Owe the question for the whole order, or take it as it was listed."""
    turn.found.append(found)
    if turn.can("fetch_order"):
        turn.wished.append(found.subject)
    elif part.means == "order":
        schedule = _schedule(turn)
        turn.keep(schedule.operation if schedule else "fetch_order", found.subject, part.tree)


def _compare_one(turn: Turn, order: Order, part: Part, changes: Sequence[AddressChange]) -> None:
    if order.stage == Stage.MERGED:
        return
    found = _state(turn, order, text(part.value, "status"))
    if part.means == "order" and text(part.value, "status") not in applying.GONE:
        found = [*found, *_content(turn, order, part.value, changes)]
    turn.found += found


def _state(turn: Turn, order: Order, status: str) -> list[Found]:
    """Whether both think the same of its state; a cancellation that a warehouse refused is explained by its event."""
    number, stage = order.external_id, str(order.stage)
    if status in applying.GONE and stage not in _OVER:
        if stage in _LEFT:
            turn.explained += 1  # bought back after it had left: a return, not a difference
            return []
        return [Found(Sort.CANCELLED_THERE, number, stage, status, order.pk)]
    if status and status not in applying.GONE and stage == Stage.CANCELLED:
        return [Found(Sort.CANCELLED_HERE, number, stage, status, order.pk)]
    if status in _SHIPPED and stage not in _LEFT:
        return [Found(Sort.SHIPPED_THERE, number, stage, status, order.pk)]
    if status in ("created", "paid") and stage in _ALL_LEFT:
        call = Call.objects.filter(
            connection=turn.connection, operation="ship_notice", order_id=order.pk
        ).order_by("-pk").first()  # fmt: skip
        # A notice that is not acknowledged yet is told of as such.
        if call is not None and call.state == Call.State.ACKED:
            return [Found(Sort.SHIPPED_HERE, number, stage, status, order.pk, call.pk)]
    return []


def _content(
    turn: Turn, order: Order, document: Mapping[str, Any], changes: Sequence[AddressChange]
) -> Iterable[Found]:
    if order.split_from_id is None and not order.money_fixed:
        yield from _lines(turn, order, document)
    there, here = text(document, "city"), order.city
    if not there or there.casefold() == here.casefold():
        return
    if not changes or changes[-1].state == AddressChange.State.APPLIED:
        yield Found(Sort.ADDRESS, order.external_id, here, there, order.pk)
    else:
        turn.explained += 1


def _lines(turn: Turn, order: Order, document: Mapping[str, Any]) -> Iterable[Found]:
    live = [line for line in document.get("lines", ()) if text(line, "status") not in applying.GONE]
    theirs = sum(int(line.get("qty") or 0) for line in live)
    ours = sum(line.ordered for line in order.lines.all() if line.origin_id is None)
    if theirs != ours:
        yield Found(Sort.LINES, order.external_id, str(ours), str(theirs), order.pk)
        return
    try:
        worth = sum((Decimal(text(line, "price") or "0") * int(line["qty"]) for line in live), Decimal(0))
    except InvalidOperation:
        return
    if abs(worth - order.goods_total) >= Decimal("0.01"):
        yield Found(Sort.TOTAL, order.external_id, str(order.goods_total), str(worth), order.pk)
