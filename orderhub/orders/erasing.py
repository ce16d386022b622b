"""Erasing a receiver: what is personal goes, orders, figures and the log stay whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub.events import log, rows
from orderhub.fields import erasing as fields
from orderhub.kernel.errors import Refused
from orderhub.orders import kinds
from orderhub.orders.compliance.models import BuyerIdentity
from orderhub.orders.models import AddressChange, Order, Person, SealedReceiver
from orderhub.orders.models.order import Original, Stage

#: Nothing is sent to the receiver any more, and nothing comes back by itself.
_FINISHED = frozenset({
    Stage.DELIVERED, Stage.COMPLETED, Stage.PARTIALLY_RETURNED, Stage.RETURNED, Stage.CANCELLED, Stage.MERGED,
})  # fmt: skip
_BLANK = ("name", "phone", "email", "address", "postcode")


@dataclass(frozen=True, slots=True)
class Erased:
    """How many orders the receiver had, and how many records lost values of personal custom fields."""

    orders: int
    records: int


@transaction.atomic
def erase(person_id: UUID, *, reason: str, now: datetime, actor: str) -> Erased:
    """Erase a receiver and those whom its orders were addressed to before: name, address, what a platform sent
    in their place, identity number, the channel's documents, notes and extras of its orders, and the values of custom
    fields that are personal.

    Raises Refused("person_in_use") while an order is under way, and Person.DoesNotExist. Erasing again changes nothing.
    """
    person = Person.objects.get(pk=person_id)
    mine = Q(person=person) | Q(address_changes__old_person=person) | Q(address_changes__new_person=person)
    ids = set(Order.objects.filter(mine).values_list("pk", flat=True))
    orders = list(Order.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))
    if any(order.stage not in _FINISHED for order in orders):
        raise Refused(
            "person_in_use", _("An order of this receiver is still under way."),
            remedy=_("Erase the receiver once it has arrived or was cancelled."),
        )  # fmt: skip
    tokens = {person.pk, *(order.person_id for order in orders)}
    changes = AddressChange.objects.filter(order__in=orders).values_list("old_person_id", "new_person_id")
    tokens.update(token for pair in changes for token in pair)
    fresh = list(
        Person.objects.select_for_update().filter(pk__in=tokens, erased_at__isnull=True).order_by("pk")
    )
    for one in fresh:
        for name in _BLANK:
            setattr(one, name, "")
        one.erased_at = now
    Person.objects.bulk_update(fresh, [*_BLANK, "erased_at"])
    BuyerIdentity.objects.filter(pk__in=tokens).delete()
    SealedReceiver.objects.filter(pk__in=tokens).delete()
    Original.objects.filter(order__in=orders).update(payload={})
    records = fields.erase(tokens, person.merchant_id)
    for order in orders:
        order.note, order.extra = "", {}
    rows.save(orders, ["note", "extra"])
    if fresh:
        told = {"reason": reason[:300]}
        facts = [log.Fact(x.stream, kinds.PERSON_ERASED.name, told, x.merchant_id) for x in orders]
        log.record(facts, now=now, actor=actor)
    return Erased(len(orders), records)
