"""Changing where an order goes: what a new address is, and putting it on an order whose row is locked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from orderhub.events import log
from orderhub.kernel import regions
from orderhub.kernel.errors import Refused
from orderhub.orders import holding, journeys, kinds, ledger, lifecycle, parting, receivers, vocabulary
from orderhub.orders.models import AddressChange, Hold, Order, Person
from orderhub.orders.models.order import Stage

PLACE_FIELDS = ("country", "province", "city", "district")
_WHO = {"name": 200, "phone": 60, "email": 254, "address": 500, "postcode": 20}
_LOCATED = (*PLACE_FIELDS, "latitude", "longitude", "is_remote", "person", "money_fixed", "promised_at")
#: Holds that a new address answers.
_ANSWERED = frozenset({Hold.Reason.ADDRESS_INVALID, Hold.Reason.ADDRESS_CHANGE})


@dataclass(frozen=True, slots=True)
class Address:
    """A receiver and where they live; `country` is ISO 3166 alpha-2. None keeps what the order has.

    `hidden` is what a platform sends in place of a receiver it does not show (see `receivers`).
    """

    country: str
    province: str
    city: str
    address: str
    district: str = ""
    postcode: str = ""
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    hidden: Mapping[str, object] = field(default_factory=dict)


def refusal(order: Order, wanted: Address) -> Refused | None:
    """Why the order cannot go there: an unknown place, or where it goes already; None if it can."""
    facts = {"country": wanted.country, "province": wanted.province}
    verdict = regions.verdict(wanted.country, wanted.province, wanted.city)
    if verdict == "unknown_country":
        return Refused(
            verdict, _("The country %(country)s is not known.") % facts, status=400, field="country",
            facts=facts, remedy=_("Write its two-letter code (ISO 3166-1) or its name."),
        )  # fmt: skip
    if verdict != "ok":
        return Refused(
            verdict, _("The province %(province)s of country %(country)s is not known.") % facts, status=400,
            remedy=_("Write the official name or code of the province."), field="province", facts=facts,
        )  # fmt: skip
    here = _who(wanted, order.person) == _who_of(order.person)
    if here and _place(wanted) == _place_of(order) and wanted.hidden == receivers.of_order(order):
        return Refused(
            "same_address",
            _("Order %(number)s goes to this address already.") % {"number": order.number},
            remedy=_("Nothing to do."),
            facts={"order": order.pk},
        )
    if receivers.of_order(order) and not wanted.hidden and None in (wanted.name, wanted.phone):
        return Refused(
            "receiver_hidden", _("The platform hides the receiver of order %(number)s.") % {"number": order.number},
            remedy=_("Give name and telephone together with the new address."), status=400, field="name",
            facts={"order": order.pk},
        )  # fmt: skip
    return None


def is_for(change: AddressChange, wanted: Address) -> bool:
    """Whether the change was asked for with this very address."""
    here = _who(wanted, change.old_person) == _who_of(change.new_person)
    here = here and wanted.hidden == receivers.of(change.new_person)
    return here and _place(wanted) == change.new_place


def document(
    order: Order, wanted: Address, *, requested_by: str, reason: str, now: datetime, actor: str
) -> AddressChange:
    """The document of a wish, with the new receiver as a person of its own; both are saved."""
    person = Person.objects.create(merchant_id=order.merchant_id, **_who(wanted, order.person))
    buyer = order.extra.get(receivers.BUYER)
    receivers.keep(person, wanted.hidden, channel_id=order.channel_id, buyer=buyer)
    return AddressChange.objects.create(
        order=order, requested_by=AddressChange.By(requested_by).value, reason=reason[:300],
        old_person_id=order.person_id, new_person=person, old_place=_place_of(order),
        new_place=_place(wanted), requested_at=now, actor=actor[:80],
    )  # fmt: skip


def freeze(order: Order, change: AddressChange, *, now: datetime, actor: str) -> None:
    """Keep what comes back from the warehouses until the change is settled; told with the request."""
    Hold.objects.create(
        order=order, reason=Hold.Reason.ADDRESS_CHANGE, scope_ref=f"{holding.FREEZE}{change.pk}",
        placed_at=now, placed_by=actor[:80],
    )  # fmt: skip
    if holding.can_hold(order):
        lifecycle.park([order], holding.WAITING_FOR)
        lifecycle.save([order], lifecycle.STEP_FIELDS, now=now)


def apply(order: Order, change: AddressChange, *, partly: bool = False, now: datetime, actor: str) -> None:
    """Send a locked order of which nothing is planned any more to the new address, and tell the log.

    What no warehouse has walks through screening again; what it costs stays as it is. Holds that waited for an address
    end. `partly`: a part of it goes on to the old address.
    """
    place = regions.locate(*(change.new_place[name] for name in ("country", "province", "city")))
    assert place is not None, "refusal() was asked before"
    before = order.country, vocabulary.province_name(order)
    order.money_fixed = order.money_fixed or parting.is_priced(order)
    order.country, order.province = place.country_code, change.new_place["province"]
    order.city, order.district = change.new_place["city"], change.new_place["district"]
    order.latitude, order.longitude = Decimal(f"{place.lat:.5f}"), Decimal(f"{place.lng:.5f}")
    order.is_remote, order.person, order.promised_at = place.remote, change.new_person, None
    _start_over(order, now=now)
    state = AddressChange.State.PARTLY if partly else AddressChange.State.APPLIED
    holding.lift([order], lambda hold: hold.reason in _ANSWERED, note="", now=now, actor=actor)
    _settled(change, state, "", now=now)
    facts = {
        "change": change.pk, "requested_by": change.requested_by, "stage": order.stage,
        "other_country": before[0] != order.country,
        "other_province": before != (order.country, vocabulary.province_name(order)),
    }  # fmt: skip
    log.record(
        [log.Fact(order.stream, kinds.ADDRESS_CHANGED.name, facts, order.merchant_id)], now=now, actor=actor
    )


def divide(order: Order, change: AddressChange, *, moved: int, stuck: int, now: datetime, actor: str) -> None:
    """Some of it came back and some did not: the order stays frozen until a person decides."""
    change.state = AddressChange.State.DECIDING.value
    change.save(update_fields=["state"])
    facts = {"change": change.pk, "moved": moved, "stuck": stuck, "stage": order.stage}
    fact = log.Fact(order.stream, kinds.ADDRESS_CHANGE_DIVIDED.name, facts, order.merchant_id)
    log.record([fact], now=now, actor=actor)


def fail(
    order: Order, change: AddressChange, *, too_late: bool, answer: str, now: datetime, actor: str
) -> None:
    """End a change that cannot be done; what is left of the order goes on to the old address."""
    holding.lift([order], holding.is_freeze, note="", now=now, actor=actor)
    state = AddressChange.State.TOO_LATE if too_late else AddressChange.State.REFUSED
    _settled(change, state, answer, now=now)
    facts = {
        "change": change.pk, "state": state.value, "answer": answer, "requested_by": change.requested_by,
        "stage": order.stage,
    }  # fmt: skip
    log.record(
        [log.Fact(order.stream, kinds.ADDRESS_CHANGE_FAILED.name, facts, order.merchant_id)],
        now=now,
        actor=actor,
    )


def _start_over(order: Order, *, now: datetime) -> None:
    """Back to the first step, in the stage its lines say; a held order waits there."""
    lines = holding.lines_of([order])[order.pk]
    if not any(line.open or line.backordered for line in lines):
        # All of it is on its way: only the address changes.
        lifecycle.save([order], _LOCATED, now=now)
        return
    ledger.move(ledger.all_of(lines, ("backordered",), "open"))
    ledger.save(lines)
    lifecycle.settle([(order, lines)])
    order.attempts = 0
    first, order.flow_node = journeys.walk_of(order).first
    order.flow_marks = []
    lifecycle.send_to([order], first)
    if holding.active([order.pk]):
        lifecycle.transition([order] if order.stage == Stage.RECEIVED else [], Stage.REVIEWING)
        lifecycle.park([order], holding.WAITING_FOR)
    lifecycle.save([order], ["stage", *lifecycle.STEP_FIELDS, *lifecycle.FLOW_FIELDS, *_LOCATED], now=now)


def _settled(change: AddressChange, state: AddressChange.State, answer: str, *, now: datetime) -> None:
    change.state, change.answer, change.settled_at = state.value, answer[:200], now
    change.save(update_fields=["state", "answer", "settled_at"])


def _place(wanted: Address) -> dict[str, str]:
    return {
        "country": wanted.country.upper()[:2], "province": wanted.province[:60], "city": wanted.city[:80],
        "district": wanted.district[:80],
    }  # fmt: skip


def _place_of(order: Order) -> dict[str, str]:
    return {name: getattr(order, name) for name in PLACE_FIELDS}


def _who(wanted: Address, person: Person) -> dict[str, str]:
    kept = _who_of(person)
    given = {name: getattr(wanted, name) for name in _WHO}
    return {name: kept[name] if given[name] is None else given[name][:size] for name, size in _WHO.items()}


def _who_of(person: Person) -> dict[str, str]:
    return {name: getattr(person, name) for name in _WHO}
