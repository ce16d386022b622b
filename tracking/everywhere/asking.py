"""What buyers ask for on the page, and its outcome. The link alone is not enough: the last four digits of the receiver's
telephone number are asked for too, a few times an hour.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from orderhub.access import limits
from orderhub.events import log
from orderhub.events.kinds import Kind
from orderhub.events.log import Fact
from orderhub.fulfillment.addresses import request_address_change
from orderhub.kernel.errors import Refused
from orderhub.orders.addresses import Address
from orderhub.orders.models import AddressChange, Order
from orderhub.orders.models.order import Stage
from tracking import kinds, live
from tracking.everywhere.models import PageRequest, PageSettings
from tracking.masking import public_text

ADDRESS = "address"
#: Tries an hour, right or wrong: per order, so that many addresses do not help, and per address.
TRIES_AN_HOUR = 10
_KINDS: Mapping[str, Kind] = {
    "preference": kinds.PREFERENCE_ASKED, "return": kinds.RETURN_ASKED, "complaint": kinds.COMPLAINT_MADE,
}  # fmt: skip
#: What may be chosen, with what the page says in both languages.
CHOICES: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "preference": {
        "door": {"zh": "放在门口", "en": "Leave it at the door"},
        "locker": {"zh": "放入快递柜或驿站", "en": "Bring it to a parcel locker or shop"},
        "neighbor": {"zh": "请邻居或物业代收", "en": "Leave it with a neighbor or the desk"},
        "call": {"zh": "派送前请先联系我", "en": "Call before delivery"},
        "weekend": {"zh": "希望周末派送", "en": "Deliver at the weekend"},
    },
    "return": {
        "unwanted": {"zh": "不想要了", "en": "I do not want it any more"},
        "wrong": {"zh": "与描述不符或发错", "en": "Not as described, or the wrong item"},
        "broken": {"zh": "商品有破损", "en": "It is damaged"},
        "late": {"zh": "送得太晚", "en": "It came too late"},
    },
    "complaint": {
        "late": {"zh": "迟迟未送达", "en": "It does not arrive"},
        "damaged": {"zh": "包裹破损", "en": "The parcel is damaged"},
        "courier": {"zh": "配送服务", "en": "The delivery service"},
        "missing": {"zh": "少件", "en": "Something is missing"},
        "other": {"zh": "其他", "en": "Something else"},
    },
}
#: When each makes sense.
_BEFORE_DOOR = frozenset({
    Stage.RECEIVED, Stage.REVIEWING, Stage.ROUTED, Stage.BACKORDERED, Stage.RELEASED, Stage.PARTIALLY_SHIPPED,
    Stage.SHIPPED, Stage.PARTIALLY_DELIVERED,
})  # fmt: skip
_AFTER_DOOR = frozenset(
    {Stage.PARTIALLY_DELIVERED, Stage.DELIVERED, Stage.COMPLETED, Stage.PARTIALLY_RETURNED}
)


def open_kinds(order: Order) -> list[str]:
    """What the page of this order takes now, in the order it is offered; one query."""
    given = PageSettings.objects.filter(merchant_id=order.merchant_id).first() or PageSettings()
    known = {
        "preference": given.takes_preference and order.stage in _BEFORE_DOOR,
        ADDRESS: given.takes_address and order.stage in _BEFORE_DOOR,
        "return": given.takes_return and order.stage in _AFTER_DOOR,
        "complaint": given.takes_complaint and order.stage not in (Stage.CANCELLED, Stage.MERGED),
    }
    return [kind for kind, takes in known.items() if takes]


def ask(
    order: Order, kind: str, *, choice: str, text: str, digits: str, address: str, now: datetime
) -> PageRequest:
    """Note a wish with its event; the one that stands if the same kind was asked for already.

    Raises Refused: "not_offered", "unknown_choice", "wrong_digits", "too_many_tries".
    """
    _check(order, kind, digits=digits, address=address)
    if choice not in CHOICES[kind]:
        raise Refused("unknown_choice", _("Choose one of the reasons."), status=400, field="choice")
    person = order.person
    clean = public_text(" ".join(text.split())[:500], secrets=(person.name, person.phone, person.address))
    try:
        with transaction.atomic():
            locked = Order.objects.select_for_update(no_key=True).get(pk=order.pk)
            row = PageRequest.objects.create(
                merchant_id=order.merchant_id,
                order=locked,
                kind=kind,
                choice=choice,
                text=clean,
                asked_at=now,
            )
            _record(locked, _KINDS[kind], {"request": row.pk, "choice": choice}, now=now, actor="buyer:page")
    except IntegrityError:
        return PageRequest.objects.get(order=order, kind=kind, state=PageRequest.State.OPEN)
    return row


def ask_address(order: Order, wanted: Address, *, digits: str, address: str, now: datetime) -> AddressChange:
    """Ask for another address as a buyer; the same path as merchants' own. Raises Refused, also `ask`'s."""
    _check(order, ADDRESS, digits=digits, address=address)
    change, _is_new = request_address_change(
        order.pk, wanted, requested_by=AddressChange.By.CUSTOMER, reason="", actor="buyer:page", now=now
    )
    return change


@transaction.atomic
def answer(request_id: int, *, accepted: bool, text: str, actor: str, now: datetime) -> PageRequest:
    """End an open wish; the buyer's page says so. Raises Refused("nothing_to_decide")."""
    row = PageRequest.objects.select_related("order").filter(pk=request_id).first()
    locked = Order.objects.select_for_update(no_key=True).get(pk=row.order_id) if row else None
    row = PageRequest.objects.filter(pk=request_id, state=PageRequest.State.OPEN).first()
    if row is None or locked is None:
        raise Refused(
            "nothing_to_decide", _("This request was answered already."),
            remedy=_("Reload the page to see its present state."),
        )  # fmt: skip
    row.state = PageRequest.State.ACCEPTED if accepted else PageRequest.State.REFUSED
    row.answer, row.answered_at, row.answered_by = text[:300], now, actor[:80]
    row.save(update_fields=["state", "answer", "answered_at", "answered_by"])
    said = {"request": row.pk, "request_kind": row.kind, "state": row.state}
    _record(locked, kinds.REQUEST_ANSWERED, said, now=now, actor=actor)
    return row


def fits(order: Order, digits: str) -> bool:
    """Whether these are the last four digits of the receiver's telephone number; False where there is none."""
    known = re.sub(r"\D", "", order.person.phone)[-4:]
    given = re.sub(r"\D", "", digits)
    return len(known) == 4 and hmac.compare_digest(known, given[:8])


def _check(order: Order, kind: str, *, digits: str, address: str) -> None:
    if kind not in open_kinds(order):
        raise Refused("not_offered", _("This cannot be asked for now."))
    tries = [
        limits.too_many(f"digits:{name}", limit=TRIES_AN_HOUR, seconds=3600) for name in (order.pk, address)
    ]
    if any(tries):
        raise Refused("too_many_tries", _("Too many tries. Try again in an hour."), status=429)
    if not fits(order, digits):
        raise Refused(
            "wrong_digits", _("These are not the last four digits of the receiver's phone."), status=400,
            field="digits",
        )  # fmt: skip


def _record(order: Order, kind: Kind, payload: dict[str, object], *, now: datetime, actor: str) -> None:
    log.record(
        [Fact(order.stream, kind.name, {**payload, "stage": order.stage}, order.merchant_id, now)],
        now=now, actor=actor,
    )  # fmt: skip
    live.touch([order.pk])
