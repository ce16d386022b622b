"""Erasing a receiver: everything personal goes, custom fields marked so as well; orders and the log stay whole."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from orderhub.events.models import Event
from orderhub.fields import services as fields
from orderhub.fields.models import Field
from orderhub.fulfillment.models import Parcel
from orderhub.kernel.errors import Refused
from orderhub.orders import erasing, filling
from orderhub.orders.compliance.models import BuyerIdentity
from orderhub.orders.models import Order, OrderLine, Original, Person
from orderhub.orders.models.address import AddressChange
from tests.fulfillment import builders as make
from tests.orders import builders as orders

pytestmark = pytest.mark.django_db


def add(target: str, code: str, **told: Any) -> Field:
    row = Field(target=target, code=code, merchant=told.pop("merchant", orders.merchant()), name=code, **told)
    return fields.save(row, actor="user:test")


def arrived() -> Order:
    """A delivered order of Wang Fang's with values in fields of every kind of record about her."""
    make.network()
    add("order", "card", is_personal=True)
    add("order", "wrap")
    add("line", "engraving", is_personal=True, merchant=None)
    add("parcel", "neighbor", is_personal=True)
    [order] = make.released(
        note="for my daughter", extra={"buyer_name": "王芳"}, custom={"card": "Dear Mum", "wrap": "gold"}
    )
    OrderLine.objects.filter(order=order).update(custom={"engraving": "Wang Fang 1999"})
    Parcel.objects.create(
        merchant=order.merchant, fulfillment=make.row(order), carrier="SF", tracking_number="1", grams=500,
        custom={"neighbor": "Li, 2nd floor"},
    )  # fmt: skip
    BuyerIdentity.objects.create(person=order.person, sealed="x", masked="1101****", given_at=make.NOW)
    Order.objects.filter(pk=order.pk).update(stage="delivered")
    return Order.objects.get(pk=order.pk)


def erase(order: Order, reason: str = "asked by letter") -> erasing.Erased:
    return erasing.erase(order.person_id, reason=reason, now=make.NOW, actor="user:mei")


def test_everything_personal_goes_and_the_rest_stays() -> None:
    order = arrived()
    total, events = order.total, Event.objects.count()

    assert erase(order) == erasing.Erased(1, 3)

    order = Order.objects.select_related("person").get(pk=order.pk)
    person = order.person
    assert (person.name, person.phone, person.email, person.address, person.postcode) == ("",) * 5
    assert person.erased_at == make.NOW
    assert (order.note, order.extra, order.custom, order.total) == ("", {}, {"wrap": "gold"}, total)
    assert OrderLine.objects.get(order=order).custom == {}
    assert Parcel.objects.get().custom == {}
    assert Original.objects.get(order=order).payload == {}
    assert not BuyerIdentity.objects.exists()
    told = Event.objects.order_by("-pk")[0]
    assert (Event.objects.count(), told.kind) == (events + 1, "order.person_erased")
    assert told.payload == {"reason": "asked by letter"}


def test_erasing_again_changes_nothing_and_tells_nothing() -> None:
    order = arrived()
    erase(order)
    events = Event.objects.count()

    assert erase(order).records == 0
    assert Event.objects.count() == events


def test_an_order_under_way_keeps_its_receiver() -> None:
    order = arrived()
    [other] = make.placed()
    Order.objects.filter(pk=other.pk).update(person=order.person)

    with pytest.raises(Refused) as refused:
        erase(order)

    assert refused.value.code == "person_in_use"
    assert Person.objects.get(pk=order.person_id).name == "王芳"
    assert Order.objects.get(pk=order.pk).custom["card"] == "Dear Mum"


def test_who_the_order_was_addressed_to_before_goes_too_and_others_stay() -> None:
    order = arrived()
    old = Person.objects.create(merchant=order.merchant, name="李雷")
    stranger = Person.objects.create(merchant=order.merchant, name="韩梅")
    AddressChange.objects.create(
        order=order, old_person=old, new_person=order.person, old_place={}, new_place={}, requested_at=make.NOW, state="applied"
    )  # fmt: skip

    erase(order)

    assert Person.objects.get(pk=old.pk).erased_at is not None
    assert Person.objects.get(pk=stranger.pk).name == "韩梅"


def test_values_of_fields_removed_meanwhile_go_too_and_new_ones_can_be_filled() -> None:
    order = arrived()
    fields.archive(Field.objects.get(code="card"), now=make.NOW, actor="user:test")
    erase(order)

    assert Order.objects.get(pk=order.pk).custom == {"wrap": "gold"}
    filling.change(order.pk, lambda held: {**held, "wrap": "red"}, {}, now=make.NOW, actor="user:test")
    assert Order.objects.get(pk=order.pk).custom == {"wrap": "red"}
    assert Order.objects.get(pk=order.pk).total > Decimal(0)


def test_the_command_takes_our_number_and_refuses_others() -> None:
    order = arrived()
    said = StringIO()

    call_command("erase_person", order.number, "--reason", "letter of 3 May", stdout=said)

    assert said.getvalue() == "erased with 1 orders and 3 records of custom fields\n"
    for wrong in ("OH991231-00001", "nothing", "99999"):
        with pytest.raises(CommandError):
            call_command("erase_person", wrong, "--reason", "x")
