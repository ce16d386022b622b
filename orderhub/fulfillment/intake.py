"""One order from the API into the pool."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError

from orderhub.access import answers
from orderhub.access.models import Merchant
from orderhub.fields import queries as fields
from orderhub.fields.api_values import checked
from orderhub.fulfillment import documents, wire_catalog, wire_orders
from orderhub.inventory.models import Sku
from orderhub.kernel import canonical, money
from orderhub.kernel.errors import Refused
from orderhub.orders import services
from orderhub.orders.drafts import LineDraft, OrderDraft
from orderhub.orders.models import Channel, Order

#: What the amount columns can hold.
TOO_MUCH = Decimal(10) ** 12


def place_one(
    data: Mapping[str, Any], *, original: dict[str, Any], merchant: Merchant, actor: str, now: datetime
) -> tuple[Order, bool]:
    """Place a validated API body: (order, created). The same number with the same content gives the order as it is.

    Raises Refused for an unknown SKU, channel or region, and for a known number with other content.
    """
    draft = drafts_of([data], originals=[original], merchant=merchant, now=now)[0]
    if isinstance(draft, Exception):
        raise draft
    placement = services.place([draft], merchant=merchant, actor=actor, now=now, source="api")[0]
    if placement.outcome == "conflict" or placement.order is None:
        raise order_exists(draft.external_id)
    return placement.order, placement.outcome == "created"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API says: HTTP status, document, and whether it was said before under the same key."""

    status: int
    document: dict[str, Any]
    replayed: bool = False


#: Writes the document of an order that was known before.
Tell = Callable[[int], dict[str, Any]]


def answer_one(body: Any, *, key: str, merchant: Merchant, actor: str, now: datetime, tell: Tell) -> Answer:
    """Place the order of an API body, once per Idempotency-Key; order and answer commit together.

    Raises ValidationError or Refused, and then nothing has happened, unless an order of that number stands with
    other content: then its log says so.
    """
    answers.check(key)
    data = wire_orders.validated(body)
    body_hash = canonical.digest(body) if key else ""
    try:
        with transaction.atomic():
            draft = drafts_of([data], originals=[body], merchant=merchant, now=now)[0]
            if isinstance(draft, Exception):
                raise draft
            answer = _place_and_keep(
                draft, key, body_hash, merchant=merchant, actor=actor, now=now, tell=tell
            )
    except Exception:
        # A repeat fails here, whatever else has changed since: its first answer counts.
        found = answers.earlier(merchant, key=key, body_hash=body_hash) if key else None
        if found is None:
            raise
        return Answer(*found, replayed=True)
    if answer is None:
        raise order_exists(data["external_id"])
    return answer


def _place_and_keep(
    draft: OrderDraft, key: str, body_hash: str, *, merchant: Merchant, actor: str, now: datetime, tell: Tell
) -> Answer | None:
    placement = services.place([draft], merchant=merchant, actor=actor, now=now, source="api")[0]
    if placement.outcome == "conflict" or placement.order is None:
        if key and answers.earlier(merchant, key=key, body_hash=body_hash):
            raise answers.KeyTaken
        return None
    is_new = placement.outcome == "created"
    document = documents.order_document(placement.order) if is_new else tell(placement.order.pk)
    answer = Answer(201 if is_new else 200, document if not key else answers.in_order(document))
    if key:
        answers.keep(merchant, key=key, body_hash=body_hash, status=answer.status, answer=answer.document)
    return answer


def order_exists(number: str) -> Refused:
    """The refusal of a known number with other content."""
    return Refused(
        "order_exists",
        _("Order %(number)s already exists with other content.") % {"number": number},
        remedy=_("Send a new order number, or change the existing order."),
        field="external_id",
    )


def drafts_of(
    bodies: Sequence[Mapping[str, Any]], *, originals: Sequence[Any], merchant: Merchant, now: datetime
) -> list[OrderDraft | Refused | ValidationError]:
    """A draft per validated body, or why it cannot be one; at most one query for all SKUs, one per channel, and one for
    custom fields that have changed.
    """
    book = fields.book(merchant)
    skus = wire_catalog.skus(merchant, {line["sku"] for data in bodies for line in data["lines"]})
    channels = {code: wire_catalog.channel(merchant, code) for code in {data["channel"] for data in bodies}}
    found: list[OrderDraft | Refused | ValidationError] = []
    for data, original in zip(bodies, originals, strict=True):
        try:
            custom = _custom(data, book)
            draft = _draft(data, original, channels[data["channel"]], skus, now, custom)
        except (Refused, ValidationError) as no:
            found.append(no)
        else:
            found.append(services.refusal(draft, merchant=merchant) or draft)
    return found


#: The custom values of an order, and those of its lines.
_Custom = tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]


def _custom(data: Mapping[str, Any], book: fields.Book) -> _Custom:
    """The custom fields as they are stored; raises ValidationError with every wrong one at its place."""
    asked = [line.get("custom") for line in data["lines"]]
    if not book and not data.get("custom") and not any(asked):
        return {}, [{}] * len(asked)
    errors: dict[str, Any] = {}
    order: Mapping[str, Any] = {}
    try:
        order = checked(book.of("order"), data.get("custom"))
    except ValidationError as fault:
        errors["custom"] = fault.detail
    lines: list[Mapping[str, Any]] = []
    faults: dict[int, Any] = {}
    for position, given in enumerate(asked):
        try:
            lines.append(checked(book.of("line"), given))
        except ValidationError as fault:
            faults[position] = {"custom": fault.detail}
    if faults:
        errors["lines"] = [faults.get(position, {}) for position in range(max(faults) + 1)]
    if errors:
        raise ValidationError(errors)
    return order, lines


def _draft(
    data: Mapping[str, Any], original: Any, channel: Channel | None, skus: Mapping[str, Sku], now: datetime,
    custom: _Custom,
) -> OrderDraft:  # fmt: skip
    if channel is None:
        raise Refused(
            "unknown_channel", _("There is no active channel %(code)s.") % {"code": data["channel"]},
            remedy=_("Add the channel in the admin, or leave it out."), status=400, field="channel",
        )  # fmt: skip
    where = data["destination"]
    # Hashed from what was asked, so that leaving out `placed_at` stays the same order on a repeat.
    draft = OrderDraft(
        channel=channel, external_id=data["external_id"], placed_at=data.get("placed_at") or now, paid=data["paid"],
        paid_at=now if data["paid"] else None, currency=data["currency"], country=where["country"].upper(),
        province=where["province"], city=where["city"], district=where["district"], address=where["address"],
        postcode=where["postcode"], name=where["name"], phone=where["phone"], email=where["email"],
        service=data["service"], green=data["green"], note=data["note"], extra=data["extra"],
        lines=_lines(data["lines"], skus, custom[1]), original=original,
        content_hash=canonical.digest(dict(data)), custom=custom[0],
    )  # fmt: skip
    if draft.goods_total >= TOO_MUCH:
        raise Refused(
            "amount_too_large",
            _("The order's total is too large."),
            remedy=_("Check quantities and unit prices; an order stays below 1,000,000,000,000."),
            status=400,
            field="lines",
        )
    return draft


def _lines(
    lines: list[Mapping[str, Any]], skus: Mapping[str, Sku], custom: Sequence[Mapping[str, Any]]
) -> tuple[LineDraft, ...]:
    for position, line in enumerate(lines):
        if line["sku"] not in skus:
            raise Refused(
                "unknown_sku", _("SKU %(sku)s is not in the catalog.") % {"sku": line["sku"]},
                remedy=_("Import the SKU first, or correct its code."), status=400, field=f"lines[{position}].sku",
            )  # fmt: skip
    return tuple(
        LineDraft(
            sku=skus[line["sku"]], quantity=line["quantity"], unit_price=line["unit_price"],
            line_total=money.cents(line["unit_price"] * line["quantity"]), name=skus[line["sku"]].name, custom=own,
        )
        for line, own in zip(lines, custom, strict=True)
    )  # fmt: skip
