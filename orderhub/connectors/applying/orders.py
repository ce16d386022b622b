"""Orders as channels tell them: new ones into the pool, known ones paid, cancelled or sent elsewhere, older ones ignored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from orderhub.connectors import shelf
from orderhub.connectors.applying import fetching, other_names
from orderhub.connectors.meant import Fault, Result, Told, is_newer, text
from orderhub.connectors.models import Connection, SyncMark
from orderhub.fulfillment import addresses, bulk
from orderhub.fulfillment import services as fulfillment
from orderhub.fulfillment.documents import SERVICES
from orderhub.kernel import canonical
from orderhub.kernel.errors import Refused
from orderhub.orders import receivers
from orderhub.orders import services as orders
from orderhub.orders.addresses import Address
from orderhub.orders.models import Hold, Order

PAID = frozenset({"paid", "shipped", "completed"})
GONE = frozenset({"cancelled", "closed"})
#: The platform looks at it and hides the receiver; it comes again when that is over.
UNDER_REVIEW = "reviewing"
_PLACE = ("country", "province", "city", "district", "town", "address", "postcode", "name", "phone", "oaid")
_HIDDEN = "***"


def apply(connection: Connection, told: Sequence[Told], *, now: datetime) -> list[Result]:
    """Apply the documents in the order given; a constant number of queries for new orders."""
    if connection.channel is None:
        return [Result("refused", "no_channel", (Fault("channel", "no_channel"),))] * len(told)
    marks = _marks(connection, told)
    results: list[Result] = []
    fresh: dict[int, Told] = {}
    known = _known(connection, told)
    for position, one in enumerate(told):
        result, number = _stale(one, marks), text(one.document, "ext_id")
        if result is None and number in {text(x.document, "ext_id") for x in fresh.values()}:
            # Twice in one batch: the first must stand before the second can change it.
            _settle(connection, fresh, results, now=now)
            known, fresh = _known(connection, told), {}
        if result is None and number in known:
            result = _change(connection, known[number], one, marks.get(_subject(one)), now=now)
        elif result is None:
            result = _unplaceable(one)
        if result is None:
            fresh[position] = one
        results.append(result or Result("applied", subject=number))
        if result is None or result.status == "applied":
            _note(connection, one, marks)
    _settle(connection, fresh, results, now=now)
    _keep(marks, results, told)
    return results


def change_addresses(connection: Connection, told: Sequence[Told], *, now: datetime) -> list[Result]:
    """Apply address changes that a channel tells by themselves."""
    known = _known(connection, told)
    results = []
    for one in told:
        order = known.get(text(one.document, "ext_id"))
        if order is None:
            results.append(_unknown(one))
        else:
            results.append(_readdress(connection, order, one.document, now=now))
    return results


def cancel(connection: Connection, told: Sequence[Told], *, now: datetime) -> list[Result]:
    """Cancel what a channel says is cancelled; an order that is not here yet is asked for, where that can be."""
    known = _known(connection, told)
    strange = [one for one in told if text(one.document, "ext_id") not in known]
    asked = iter(
        fetching.wish(connection, strange, now=now) if _can_fetch(connection) else map(_unknown, strange)
    )
    results = []
    for one in told:
        order = known.get(text(one.document, "ext_id"))
        results.append(next(asked) if order is None else _cancel(connection, order, now=now))
    return results


def _can_fetch(connection: Connection) -> bool:
    return connection.profile is not None and "fetch_order" in shelf.spec_of(connection).operations


def review(connection: Connection, told: Sequence[Told], *, now: datetime) -> list[Result]:
    """Hold orders that the platform finds risky, and let them go when it does not any more."""
    known = _known(connection, told)
    results = []
    for one in told:
        order = known.get(text(one.document, "ext_id"))
        if order is None:
            results.append(_unknown(one))
        elif text(one.document, "level") in ("", "none", "low", "accept"):
            orders.release_holds([order.pk], reason=Hold.Reason.RISK, actor=actor(connection), now=now)
            results.append(Result("applied", subject=order.number))
        else:
            reason = text(one.document, "reason") or text(one.document, "level")
            (outcome,) = orders.hold(
                [order.pk], reason=Hold.Reason.RISK, detail=reason[:300], actor=actor(connection), now=now
            )
            results.append(_of(outcome.refused, order))
    return results


def actor(connection: Connection) -> str:
    """Who does what a connection asks for."""
    return f"connection:{connection.code}"


# ---- which order, and which version of it --------------------------------------------------------


def _known(connection: Connection, told: Sequence[Told]) -> dict[str, Order]:
    numbers = {text(one.document, "ext_id") for one in told}
    rows = Order.objects.filter(channel=connection.channel, external_id__in=numbers).select_related(
        "person__sealed"
    )
    return {order.external_id: order for order in rows}


def _subject(one: Told) -> str:
    return f"order:{text(one.document, 'ext_id')}"[:120]


def _marks(connection: Connection, told: Sequence[Told]) -> dict[str, SyncMark]:
    subjects = {_subject(one) for one in told}
    rows = SyncMark.objects.filter(connection=connection, subject__in=subjects)
    return {mark.subject: mark for mark in rows}


def _stale(one: Told, marks: Mapping[str, SyncMark]) -> Result | None:
    mark = marks.get(_subject(one))
    if mark is None or not one.version or is_newer(one.version, mark.version):
        return None
    if one.version == mark.version and mark.digest != canonical.digest(one.document):
        fault = Fault("version", "version_conflict", one.version)
        return Result("refused", "version_conflict", (fault,), text(one.document, "ext_id"))
    return Result("ignored", "older", subject=text(one.document, "ext_id"))


def _note(connection: Connection, one: Told, marks: dict[str, SyncMark]) -> None:
    mark = marks.setdefault(_subject(one), SyncMark(connection=connection, subject=_subject(one)))
    mark.version, mark.digest = one.version[:40], canonical.digest(one.document)
    mark.parts = _parts(one.document)


def _parts(document: Mapping[str, Any]) -> dict[str, str]:
    lines = [(text(line, "ext_id"), text(line, "sku"), line.get("qty")) for line in document.get("lines", ())]
    place = {name: text(document, name) for name in _PLACE}
    return {"address": canonical.digest(place)[:16], "lines": canonical.digest(lines)[:16]}


def _keep(marks: Mapping[str, SyncMark], results: Sequence[Result], told: Sequence[Told]) -> None:
    good = {_subject(one) for one, result in zip(told, results, strict=True) if result.status == "applied"}
    rows = [mark for subject, mark in marks.items() if subject in good]
    # No rows cost no statement.
    SyncMark.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["connection", "subject"],
        update_fields=["version", "digest", "parts"],
    )  # fmt: skip


# ---- new orders ----------------------------------------------------------------------------------


def _unplaceable(one: Told) -> Result | None:
    status, number = text(one.document, "status"), text(one.document, "ext_id")
    if not number:
        return Result("refused", "no_number", (Fault("ext_id", "missing"),))
    if status in GONE:
        return Result("ignored", "cancelled_before", subject=number)
    if status == UNDER_REVIEW:
        return Result("ignored", "under_review", subject=number)
    return None


def _settle(
    connection: Connection, fresh: Mapping[int, Told], results: list[Result], *, now: datetime
) -> None:
    """Place the new orders; those that cannot be take the place of their result."""
    lines = [line for one in fresh.values() for line in one.document.get("lines", ())]
    own = other_names.skus(connection, (name for line in lines for name in _their_names(line)))
    bodies: dict[int, dict[str, Any]] = {}
    for position, one in fresh.items():
        faults = _unknown_skus(one.document, own)
        if faults:
            results[position] = Result("refused", "unknown_sku", faults, text(one.document, "ext_id"))
        else:
            bodies[position] = _body(connection, one.document, own)
    outcomes = bulk.judge(
        list(bodies.values()), merchant=connection.merchant, actor=actor(connection), now=now,
        source=actor(connection),
    ) if bodies else []  # fmt: skip
    for position, outcome in zip(bodies, outcomes, strict=True):
        if outcome["id"] is None:
            problem = outcome["error"]
            fault = Fault(
                str(problem.get("field") or ""),
                str(problem.get("code", "refused")),
                str(problem.get("detail", "")),
            )
            number = text(fresh[position].document, "ext_id")
            results[position] = Result("refused", str(problem.get("code", "refused")), (fault,), number)


def _their_names(line: Mapping[str, Any]) -> list[str]:
    """What a line calls its article, the best name first."""
    found = [text(line, "sku")]
    if variant := text(line, "variant_id"):
        found.append(f"variant:{variant}")
    if product := text(line, "product_id"):
        found.append(f"product:{product}")
    return [name for name in found if name]


def _own_name(line: Mapping[str, Any], own: Mapping[str, str]) -> str:
    return next((own[name] for name in _their_names(line) if name in own), "")


def _unknown_skus(document: Mapping[str, Any], own: Mapping[str, str]) -> list[Fault]:
    return [
        Fault(f"lines[{position}].sku", "unknown_sku", next(iter(_their_names(line)), ""))
        for position, line in enumerate(_live_lines(document))
        if not _own_name(line, own)
    ]


def _live_lines(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [line for line in document.get("lines", ()) if text(line, "status") not in GONE]


def _body(connection: Connection, document: Mapping[str, Any], own: Mapping[str, str]) -> dict[str, Any]:
    """The order as our own API takes it, so that there is one set of rules for all doors."""
    assert connection.channel is not None
    body: dict[str, Any] = {
        "external_id": text(document, "ext_id"), "channel": connection.channel.code,
        "currency": text(document, "currency") or "CNY", "paid": text(document, "status") in PAID,
        "destination": _destination(document),
        "lines": [
            {"sku": _own_name(line, own), "quantity": line.get("qty"), "unit_price": text(line, "price") or "0"}
            for line in _live_lines(document)
        ],
        "service": _service(document), "green": bool(document.get("green")),
        "note": text(document, "note")[:500], "extra": _extra(document),
    }  # fmt: skip
    if text(document, "placed_at"):
        body["placed_at"] = text(document, "placed_at")
    return body


def _service(document: Mapping[str, Any]) -> str:
    """The service asked for, where it is one of ours; platforms have many words for the usual one."""
    wanted = text(document, "service")
    return wanted if wanted in SERVICES else "standard"


def _destination(document: Mapping[str, Any]) -> dict[str, str]:
    address = " ".join(part for part in (text(document, "town"), text(document, "address")) if part)
    return {
        "country": (text(document, "country") or "CN").upper(), "province": text(document, "province"),
        "city": text(document, "city"), "district": text(document, "district"),
        "address": _shown(document, "address", address), "name": _shown(document, "name", text(document, "name")),
        "phone": _shown(document, "phone", text(document, "phone")),
        "postcode": text(document, "postcode"), "email": text(document, "email"),
    }  # fmt: skip


def _shown(document: Mapping[str, Any], name: str, value: str) -> str:
    """What people see of a receiver: the mask where the platform hides it, never the cipher itself."""
    cipher = document.get("cipher")
    told = cipher.get(name) if isinstance(cipher, Mapping) else None
    if told and told in value and "*" not in value:
        return _HIDDEN
    return value or (_HIDDEN if document.get("oaid") or cipher else "")


def _extra(document: Mapping[str, Any]) -> dict[str, Any]:
    """What is carried along untouched: the platform's own number, the buyer's token, ciphers of the receiver."""
    names = ("ext_no", "buyer_id", "promise_ship_by", "ip")
    found = {name: document[name] for name in names if document.get(name)}
    found |= dict(receivers.apart(document).hidden)
    ids = [text(line, "ext_id") for line in _live_lines(document)]
    return {**found, "line_ids": ids} if any(ids) else found


# ---- orders that stand already -------------------------------------------------------------------


def _change(
    connection: Connection, order: Order, one: Told, mark: SyncMark | None, *, now: datetime
) -> Result:
    """Do what the newer version says differently from the one the channel told before."""
    document, status = one.document, text(one.document, "status")
    if status in GONE:
        return _cancel(connection, order, now=now)
    if status in PAID and order.payment == Order.Payment.UNPAID:
        orders.pay([order.pk], now=now, actor=actor(connection))
    if mark is None or not mark.parts:
        return Result("applied", subject=order.number)
    parts = _parts(document)
    if parts["lines"] != mark.parts.get("lines"):
        fault = Fault("lines", "lines_changed")
        return Result("refused", "lines_changed", (fault,), order.number)
    if parts["address"] != mark.parts.get("address"):
        return _readdress(connection, order, document, now=now)
    return Result("applied", subject=order.number)


def _cancel(connection: Connection, order: Order, *, now: datetime) -> Result:
    (outcome,) = fulfillment.cancel([order.pk], reason="channel", actor=actor(connection), now=now)
    return _of(outcome.refused, order)


def _readdress(connection: Connection, order: Order, document: Mapping[str, Any], *, now: datetime) -> Result:
    where = _destination(document)
    wanted = Address(
        country=where["country"], province=where["province"], city=where["city"], address=where["address"],
        district=where["district"], postcode=where["postcode"], name=where["name"], phone=where["phone"],
        hidden=receivers.apart(document).hidden,
    )  # fmt: skip
    try:
        addresses.request_address_change(
            order.pk, wanted, requested_by="channel", reason="", actor=actor(connection), now=now
        )
    except Refused as no:
        if no.code == "same_address":
            return Result("ignored", "same_address", subject=order.number)
        return _of(no, order)
    return Result("applied", subject=order.number)


def _of(refused: Refused | None, order: Order) -> Result:
    if refused is None:
        return Result("applied", subject=order.number)
    return Result("refused", refused.code, (Fault(refused.field, refused.code, str(refused)),), order.number)


def _unknown(one: Told) -> Result:
    number = text(one.document, "ext_id")
    return Result("refused", "unknown_order", (Fault("ext_id", "unknown_order", number),), number)
