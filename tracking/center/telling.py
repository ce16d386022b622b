"""Milestones that are told of an order by whoever knows: partners, customs, sensors, people; once only, in any order."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from orderhub.connectors.applying.updates import CLOCK_SLACK
from orderhub.connectors.base import teller
from orderhub.connectors.meant import Fault, Result, Told, moment, text
from orderhub.connectors.models import Connection
from orderhub.events import log
from orderhub.fulfillment.models import FulfillmentOrder, Parcel
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order
from tracking.center import book as books
from tracking.center import kinds
from tracking.center.models import ToldEvent
from tracking.models import TimelineEntry

_CLASSIFIERS = frozenset(TimelineEntry.Classifier.values)
#: An event is told twice if all of these are the same.
_IDENTITY = ("reference", "at", "milestone", "classifier", "place", "code", "remark", "step")


@dataclass(frozen=True, slots=True)
class Milestone:
    """One milestone of an order; `corrects` is the identity of what it takes the place of (then `milestone` may be empty:
    it never happened). `identity` empty: made of what is said.
    """

    order_id: int
    milestone: str
    occurred_at: datetime
    classifier: str = "ACTUAL"
    place: str = ""
    reason: str = ""
    step: str = ""
    eta: tuple[datetime, datetime] | None = None
    parcel_id: int | None = None
    identity: str = ""
    corrects: str = ""
    zone: str = ""


def tell(milestones: Sequence[Milestone], *, said_by: str, actor: str, now: datetime) -> list[bool]:
    """Record milestones, each once; whether each was new. Orders are locked, the log is written last.

    Raises Refused("unknown_milestone") where a code is known to nobody.
    """
    with transaction.atomic():
        ids = sorted({one.order_id for one in milestones})
        orders = {
            row.pk: row
            for row in Order.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
        }
        known = books.books({row.merchant_id for row in orders.values()})
        told = set(ToldEvent.objects.filter(order__in=orders).values_list("order_id", "identity"))
        fresh, facts, fields = [], [], []
        for one in milestones:
            order = orders[one.order_id]
            if one.milestone and known[order.merchant_id].milestone(one.milestone) is None:
                raise _unknown(one.milestone)
            key = (order.pk, one.identity or _identity(one))
            fresh.append(key not in told)
            if key not in told:
                told.add(key)
                facts.append(ToldEvent(order=order, identity=key[1]))
                fields.append(_fact(order, one, key[1], said_by))
        ToldEvent.objects.bulk_create(facts)
        log.record(fields, now=now, actor=actor)
    return fresh


@teller
def take(connection: Connection, told: Sequence[Told], now: datetime) -> list[Result]:
    """Milestones of a connected system, by order, fulfillment or tracking number; three queries and what telling costs."""
    owners = _owners(connection.merchant_id, {text(one.document, "reference") for one in told})
    known = books.book(connection.merchant_id)
    results: list[Result] = []
    wanted: list[Milestone] = []
    for one in told:
        found = _read(one, owners, known, now=now)
        if isinstance(found, Result):
            results.append(found)
        else:
            results.append(Result("applied", subject=text(one.document, "reference")))
            wanted.append(found)
    tell(wanted, said_by=connection.name, actor=f"connection:{connection.code}", now=now)
    return results


def _read(
    one: Told, owners: Mapping[str, tuple[int, int | None]], known: books.Book, *, now: datetime
) -> Milestone | Result:
    document = one.document
    reference, milestone, at = (
        text(document, "reference"),
        text(document, "milestone"),
        moment(document, "at"),
    )
    classifier = text(document, "classifier") or "ACTUAL"
    wrong = [
        (name, code)
        for name, code, bad in (
            ("reference", "missing", not reference),
            ("reference", "unknown_journey", bool(reference) and reference not in owners),
            ("at", "bad_moment", at is None),
            ("at", "in_future", at is not None and classifier == "ACTUAL" and at > now + CLOCK_SLACK),
            (
                "milestone",
                "unknown_event",
                not text(document, "corrects") and known.milestone(milestone) is None,
            ),
            ("classifier", "unknown_status", classifier not in _CLASSIFIERS),
        )
        if bad
    ]
    if wrong or at is None:
        faults = [Fault(name, code, text(document, name)) for name, code in wrong]
        return Result("refused", wrong[0][1], faults, reference)
    order_id, parcel_id = owners[reference]
    parts = [text(document, name) for name in _IDENTITY]
    eta = moment(document, "eta_from"), moment(document, "eta_to")
    return Milestone(
        order_id, milestone, at, classifier, text(document, "place")[:120], text(document, "reason")[:40],
        text(document, "step")[:80], (eta[0], eta[1]) if eta[0] and eta[1] else None, parcel_id,
        text(document, "key")[:64] or hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32],
        text(document, "corrects")[:64], text(document, "zone")[:40],
    )  # fmt: skip


def _owners(merchant_id: int, references: set[str]) -> dict[str, tuple[int, int | None]]:
    """The order, and the parcel where one is meant, by what each is called; three queries."""
    found: dict[str, tuple[int, int | None]] = {}
    orders = Order.objects.filter(merchant_id=merchant_id, external_id__in=references)
    found |= {name: (pk, None) for name, pk in orders.order_by("pk").values_list("external_id", "pk")}
    works = FulfillmentOrder.objects.filter(merchant_id=merchant_id, number__in=references)
    found |= {name: (pk, None) for name, pk in works.values_list("number", "order_id")}
    boxes = Parcel.objects.filter(merchant_id=merchant_id, tracking_number__in=references)
    named = boxes.values_list("tracking_number", "fulfillment__order_id", "pk")
    return found | {name: (pk, parcel) for name, pk, parcel in named}


def _identity(one: Milestone) -> str:
    parts = (
        one.milestone,
        one.classifier,
        one.occurred_at.isoformat(),
        one.place,
        one.step,
        str(one.parcel_id),
        one.corrects,
    )
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def _fact(order: Order, one: Milestone, identity: str, said_by: str) -> log.Fact:
    said: dict[str, object] = {
        "milestone": one.milestone, "classifier": "" if one.classifier == "ACTUAL" else one.classifier, "place": one.place,
        "reason": one.reason, "step": one.step, "parcel": one.parcel_id, "identity": identity, "corrects": one.corrects,
        "zone": one.zone, "said_by": said_by,
    }  # fmt: skip
    if one.eta is not None:
        said |= {"eta_from": one.eta[0].isoformat(), "eta_to": one.eta[1].isoformat()}
    payload = {name: value for name, value in said.items() if value not in (None, "")}
    return log.Fact(order.stream, kinds.TOLD.name, payload, order.merchant_id, one.occurred_at)


def _unknown(code: str) -> Refused:
    return Refused(
        "unknown_milestone", _("There is no milestone “%(code)s”.") % {"code": code},
        remedy=_("Choose one of the list, or add it first."),
    )  # fmt: skip
