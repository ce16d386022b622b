"""What people do about findings: accept one with a reason, clear a name, supply an identity number, see one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from orderhub.events import log
from orderhub.kernel import secrets
from orderhub.kernel.errors import Refused
from orderhub.orders.compliance import checking, kinds, parties, rulebook, shipments
from orderhub.orders.compliance.engine import HOLD, Rulebook, split_delta
from orderhub.orders.compliance.engine.numbers import is_chinese_id, mask
from orderhub.orders.compliance.models import BuyerIdentity, ComplianceCheck, Party
from orderhub.orders.models import Order, OrderLine


@transaction.atomic
def accept(order_id: int, keys: Collection[str], *, reason: str, actor: str, now: datetime) -> None:
    """Accept findings that hold an order, and check it again. Raises Refused("reason_missing" | "not_acceptable")."""
    _needs(reason)
    row = _locked(order_id)
    holding = {str(x["key"]) for x in row.findings if x["outcome"] == HOLD}
    if not keys or not set(keys) <= holding:
        raise Refused("not_acceptable", _("Only findings that wait for something can be accepted."), status=400,
                      remedy=_("What may not be sent at all is cancelled, or its data are corrected."))  # fmt: skip
    row.accepted = {
        **row.accepted, **{key: {"by": actor, "reason": reason[:300], "at": now.isoformat()} for key in keys},
    }  # fmt: skip
    row.save(update_fields=["accepted"])
    _tell(row.order, "accept", reason, now=now, actor=actor)
    checking.recheck([order_id], now=now, actor=actor)


@transaction.atomic
def clear_name(order_id: int, number: str, name: str, *, reason: str, actor: str, now: datetime) -> None:
    """Remember that a name of this order is not a listed party's, for this order and later ones.

    Raises Refused("reason_missing" | "unknown_party").
    """
    _needs(reason)
    row = _locked(order_id)
    found = [x for x in row.findings if x["code"] == "party_near" and x["inputs"].get("party") == number]
    party = Party.objects.select_related("source_list").filter(number=number).first()
    if not found or party is None:
        raise Refused("unknown_party", _("This order has no such near match."), status=404)
    asked = parties.Asked(row.merchant_id, "recipient", name, row.order.country)
    parties.clear(asked, party, reason=reason, actor=actor, now=now)
    _tell(row.order, "clear_name", reason, now=now, actor=actor)
    checking.recheck([order_id], now=now, actor=actor)


@transaction.atomic
def supply_identity(order_id: int, number: str, name: str, *, actor: str, now: datetime) -> None:
    """Keep the receiver's identity number, encrypted, and check the order again. Raises Refused("identity_wrong")."""
    if not is_chinese_id(number, on=now.date()):
        raise Refused("identity_wrong", _("The identity number fails its check digit."), status=400, field="number",
                      remedy=_("Compare it with the card: 18 signs, the last a digit or X."))  # fmt: skip
    order = Order.objects.select_for_update(no_key=True).get(pk=order_id)
    BuyerIdentity.objects.update_or_create(
        person_id=order.person_id,
        defaults={
            "sealed": secrets.seal(number.strip().upper(), keys=settings.SECRET_KEYS), "masked": mask(number), "name": name[:200],
            "given_at": now,
        },
    )  # fmt: skip
    _tell(order, "identity", "", now=now, actor=actor)
    checking.recheck([order_id], now=now, actor=actor)


@transaction.atomic
def reveal(order_id: int, *, reason: str, actor: str, now: datetime) -> str:
    """The identity number in clear, told to the log with who asked and why. Raises Refused("reason_missing" | "no_identity")."""
    _needs(reason)
    order = Order.objects.select_for_update(no_key=True).get(pk=order_id)
    held = BuyerIdentity.objects.filter(pk=order.person_id).first()
    if held is None:
        raise Refused("no_identity", _("There is no identity number."), status=404)
    _tell(order, "reveal", reason, now=now, actor=actor)
    return secrets.unseal(held.sealed, keys=settings.SECRET_KEYS)


def split_duty(
    order: Order, lines: Sequence[OrderLine], parts: Sequence[Mapping[int, int]], *, now: datetime,
    book: Rulebook | None = None, known: shipments.Known | None = None,
) -> tuple[Decimal | None, str, str]:  # fmt: skip
    """What sending an order in these parts (units by line id) costs more in duty, in CNY, with a sentence in zh and en.

    For routing: hand in `book` and `known`, read once a batch, and no query is made. None where a rate is missing.
    """
    rules = book or rulebook.load(now=now)
    facts = known or shipments.read([order], {order.pk: lines}, now=now)
    whole = shipments.shipment(order, lines, facts)
    by_id = {line.pk: line for line in lines}
    consignments = [
        replace(whole, goods=tuple(
            shipments.goods(by_id[pk], units, facts, whole.ordered_on) for pk, units in sorted(part.items()) if units
        ))
        for part in parts
    ]  # fmt: skip
    return split_delta(rules, whole, consignments)


def _locked(order_id: int) -> ComplianceCheck:
    list(Order.objects.select_for_update(no_key=True).filter(pk=order_id).values_list("pk"))
    found = ComplianceCheck.objects.select_related("order").filter(pk=order_id).first()
    if found is None:
        raise Refused("unknown_check", _("This order was not checked."), status=404)
    return found


def _needs(reason: str) -> None:
    if not reason.strip():
        raise Refused("reason_missing", _("A decision needs a reason."), status=400, field="reason",
                      remedy=_("Say in a few words why."))  # fmt: skip


def _tell(order: Order, action: str, reason: str, *, now: datetime, actor: str) -> None:
    told = {"action": action, "reason": reason[:300]}
    log.record([log.Fact(order.stream, kinds.REVIEWED.name, told, order.merchant_id)], now=now, actor=actor)
