"""What the order page shows of the order: the sentence on top, the ledger, parcels, holds, what happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from orderhub.events import kinds
from orderhub.events.models import Event
from orderhub.fulfillment.models import FulfillmentLine, FulfillmentOrder, Parcel, ParcelLine
from orderhub.fulfillment.models.fulfillment import State
from orderhub.inventory.admin_base import is_chinese, named
from orderhub.orders import admin_words, holding, sharing
from orderhub.orders import queries as orders
from orderhub.orders.models import FollowUp, Hold, Order, OrderLine
from orderhub.orders.models.order import Stage
from orderhub.templatetags.desk import when
from orderhub.templatetags.ui import pill

Text = str | Promise

LEDGER: tuple[tuple[str, Text, str], ...] = (
    ("open", _("open"), "wait"),
    ("backordered", _("backordered"), "warn"),
    ("allocated", _("allocated"), "go"),
    ("released", _("released"), "go"),
    ("shipped", _("shipped"), "ok"),
    ("cancelled", _("cancelled"), "bad"),
)
STATE_TONES: dict[str, str] = {
    State.PLANNED: "wait", State.RESERVED: "wait", State.RELEASED: "go", State.ACKNOWLEDGED: "go",
    State.IN_PROGRESS: "go", State.SHIPPED: "go", State.DELIVERED: "ok", State.REJECTED: "bad",
    State.CANCEL_REQUESTED: "warn", State.CANCELLED: "wait",
}  # fmt: skip
STATUS_TONES: dict[str, str] = {
    "pending": "wait",
    "delivered": "ok",
    "delivery_failed": "bad",
    "delivery_delayed": "warn",
    "on_hold": "warn",
    "return_to_sender": "warn",
    "cancelled": "wait",
    "unknown": "wait",
}
#: How far a fulfillment order is, of the five marks it passes.
STATE_STEPS: dict[str, int] = {
    State.PLANNED: 0, State.RESERVED: 1, State.RELEASED: 2, State.ACKNOWLEDGED: 2, State.IN_PROGRESS: 3,
    State.SHIPPED: 4, State.DELIVERED: 5,
}  # fmt: skip
_ENDED = (State.REJECTED, State.CANCELLED)
#: Strips of longer lines would be hairlines; they show shares of this many marks instead.
MOST_MARKS = 24


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that happened, in words: the sentence, the small print, its color."""

    text: str
    detail: str
    occurred_at: datetime
    by: str
    tone: str


def of(order: Order, *, now: datetime) -> dict[str, Any]:
    """Everything of the core for the page; the order comes from `orders.queries.whole`. Five queries."""
    works = fulfillments(order)
    live = [work for work in works if work.state not in _ENDED]
    holds = [hold for hold in order.holds.all() if hold.released_at is None]
    said = timeline(order, works)
    return {
        "order": order,
        "channel": named(order.channel),
        "merchant": named(order.merchant),
        "stage_pill": stage_pill(order),
        "flags": flags(order, holds),
        "sentence": sentence(order, holds, live),
        "total": admin_words.money(order.total, order.currency),
        "discount": admin_words.money(order.discount_total, order.currency) if order.discount_total else "",
        "place": admin_words.destination(order, zh=is_chinese()),
        "person": admin_words.masked(order.person),
        "age": admin_words.age(order, now),
        "lines": [_line(line, order) for line in order.lines.all()],
        "units": sum(line.ordered for line in order.lines.all()),
        "ledger": LEDGER,
        "works": [_work(work) for work in live],
        "ended": [_work(work) for work in works if work.state in _ENDED],
        "holds": [_hold(hold) for hold in holds],
        "past_holds": [_hold(hold) for hold in order.holds.all() if hold.released_at is not None],
        "said": said[:14],
        "older": said[14:],
        "tracking": tracking_path(order),
    }


def stage_pill(order: Order) -> SafeString:
    """The pill of the order's stage."""
    return pill(admin_words.STAGE_TONES.get(order.stage, "wait"), str(Stage(order.stage).label))


def flags(order: Order, holds: Sequence[Hold], *, calm: bool = True) -> SafeString:
    """The other pills: payment (paid only if `calm`), active holds but that for payment, green delivery."""
    pills = []
    if calm or order.payment != Order.Payment.PAID:
        pills.append(pill(admin_words.PAYMENT_TONES[order.payment], str(order.get_payment_display())))
    pills += [
        pill("hold", str(hold.get_reason_display()))
        for hold in holds
        if hold.reason != Hold.Reason.AWAITING_PAYMENT
    ]
    if order.green:
        pills.append(pill("leaf", str(_("green"))))
    return format_html_join("", "{}", ((one,) for one in pills))


def tracking_path(order: Order) -> str:
    """The path of the buyer's page."""
    return sharing.tracking_path(order)


def fulfillments(order: Order) -> list[FulfillmentOrder]:
    """The order's fulfillment orders, lines and parcels at hand; four queries."""
    lines = FulfillmentLine.objects.select_related("sku").order_by("pk")
    contents = ParcelLine.objects.select_related("fulfillment_line__sku").order_by("pk")
    parcels = Parcel.objects.prefetch_related(Prefetch("lines", queryset=contents)).order_by("pk")
    rows = order.fulfillments.select_related("warehouse", "rate_card").order_by("pk")
    return list(
        rows.prefetch_related(Prefetch("lines", queryset=lines), Prefetch("parcels", queryset=parcels))
    )


def sentence(order: Order, holds: Sequence[Hold], works: Sequence[FulfillmentOrder]) -> str:
    """What is true now and what it means, in one or two sentences."""
    if any(holding.is_freeze(hold) for hold in holds):
        return str(_("The warehouse was asked to give it back for a new address; its answer decides."))
    if holds:
        reasons = ("、" if is_chinese() else ", ").join(str(hold.get_reason_display()) for hold in holds)
        return str(_("Stopped: %(reasons)s. It goes on by itself once the hold is released.")) % {
            "reasons": reasons
        }
    if order.stage == Stage.BACKORDERED:
        short = sum(line.backordered for line in order.lines.all())
        text = ngettext(
            "%(count)d unit cannot be shipped from any warehouse. Retried by itself when stock arrives.",
            "%(count)d units cannot be shipped from any warehouse. Retried by itself when stock arrives.",
            short,
        )  # fmt: skip
        return text % {"count": short}
    return str(_STAGE_SENTENCES.get(order.stage, "")) % {"places": _places(works), "when": _when(order)}


_STAGE_SENTENCES: dict[str, Text] = {
    Stage.RECEIVED: _("Received; it walks through its steps by itself."),
    Stage.REVIEWING: _("In review; it goes on when the review ends."),
    Stage.ROUTED: _("To be shipped from %(places)s. Stock is being reserved."),
    Stage.RELEASED: _("With %(places)s now. Promised for %(when)s."),
    Stage.PARTIALLY_SHIPPED: _("A part has left; the rest is with %(places)s. Promised for %(when)s."),
    Stage.SHIPPED: _("On the way from %(places)s. Promised for %(when)s."),
    Stage.PARTIALLY_DELIVERED: _("A part has been delivered; the rest is on the way from %(places)s."),
    Stage.DELIVERED: _("Delivered in full. Nothing to do."),
    Stage.COMPLETED: _("Completed. Nothing to do."),
    Stage.PARTIALLY_RETURNED: _("A part came back."),
    Stage.RETURNED: _("Everything came back."),
    Stage.CANCELLED: _("Cancelled. Nothing of it will be shipped."),
    Stage.MERGED: _("Merged into another order, which ships for both."),
}


def _places(works: Iterable[FulfillmentOrder]) -> str:
    names = list(dict.fromkeys(named(work.warehouse) for work in works))
    return ("、" if is_chinese() else ", ").join(names) or str(_("no warehouse yet"))


def _when(order: Order) -> str:
    if order.promised_at is None:
        return str(_("no date yet"))
    return when(order.promised_at)


def _line(line: OrderLine, order: Order) -> dict[str, Any]:
    cells = [(getattr(line, name), tone) for name, _title, tone in LEDGER]
    return {
        "name": line.name if is_chinese() else line.sku.name_en or line.name,
        "code": line.sku.code,
        "price": admin_words.money(line.unit_price, order.currency),
        "ordered": line.ordered,
        "cells": [units for units, _tone in cells],
        "marks": _marks(cells),
        "delivered": line.delivered,
        "returned": line.returned,
        "link": reverse("admin:inventory_sku_change", args=(line.sku_id,)),
    }


def _marks(cells: Sequence[tuple[int, str]]) -> list[str]:
    """One mark per unit in the color of where it is; shares of a fixed number for long lines."""
    total = sum(units for units, _tone in cells)
    if total <= MOST_MARKS:
        return [tone for units, tone in cells for _mark in range(units)]
    return [
        tone
        for units, tone in cells
        for _mark in range(max(1, round(units * MOST_MARKS / total)) if units else 0)
    ]


def _work(work: FulfillmentOrder) -> dict[str, Any]:
    state = State(work.state)
    return {
        "row": work,
        "warehouse": named(work.warehouse),
        "carrier": named(work.rate_card),
        "pill": pill(STATE_TONES.get(work.state, "wait"), str(state.label)),
        "step": STATE_STEPS.get(work.state, 2),
        "contents": _contents((part.sku, part.quantity) for part in work.lines.all()),
        "parcels": [_parcel(parcel) for parcel in work.parcels.all()],
        "link": reverse("admin:fulfillment_fulfillmentorder_change", args=(work.pk,)),
    }


def _parcel(parcel: Parcel) -> dict[str, Any]:
    return {
        "row": parcel,
        "pill": pill(STATUS_TONES.get(parcel.status, "go"), str(parcel.get_status_display())),
        "contents": _contents((part.fulfillment_line.sku, part.quantity) for part in parcel.lines.all()),
        "link": reverse("admin:fulfillment_parcel_change", args=(parcel.pk,)),
    }


def _contents(parts: Iterable[tuple[Any, int]]) -> str:
    return ("，" if is_chinese() else ", ").join(f"{named(sku)} ×{units}" for sku, units in parts)


def _hold(hold: Hold) -> dict[str, Any]:
    return {
        "row": hold,
        "title": hold.get_reason_display(),
        "by": admin_words.actor(hold.placed_by),
        "released_by": admin_words.actor(hold.released_by),
    }


# ---- what happened -----------------------------------------------------------------------------

_TONES = {
    "order.held": "hold",
    "order.backordered": "warn",
    "order.repeat_refused": "warn",
    "order.cancelled": "bad",
    "order.merged_into": "wait",
    "order.units_cancelled": "bad",
    "order.units_cancel_asked": "warn",
    "order.units_not_cancelled": "warn",
    "order.follow_up_cancelled": "wait",
    "order.undone": "wait",
    "order.address_change_requested": "warn",
    "order.address_change_failed": "bad",
    "fulfillment.rejected": "bad",
    "fulfillment.short_picked": "warn",
    "fulfillment.cancel_requested": "warn",
    "fulfillment.cancel_refused": "warn",
    "fulfillment.cancelled": "wait",
    "production.qc_failed": "bad",
    "production.rework_started": "warn",
    "production.rescheduled": "warn",
    "production.components_short": "warn",
    "production.stalled": "bad",
    "fulfillment.return_received": "wait",
}
_REASONS: dict[str, Text] = {
    **{reason.value: reason.label for reason in Hold.Reason},
    "cannot_be_served": _("no warehouse can serve it"),
    "address_change": _("address change"),
    "units_cancelled": _("units cancelled"),
    "moved": _("moved to another warehouse"),
    "undo": _("undone"),
    **{reason.value: reason.label for reason in FollowUp.Reason},
    "out_of_stock": _("not enough units in stock"),
    "stock_taken": _("its stock was taken by others"),
    "mended": _("what kept it here was put right"),
    "no_weight": _("a SKU has no weight"),
    "bad_tariff": _("a carrier's tariff is incomplete"),
    "bad_strategy": _("a figure of the strategy makes no sense"),
    "bad_quantity": _("units or weights make no sense"),
    "beyond_range": _("amounts beyond what can be reckoned"),
    "parcel_limit": _("more parcels needed than the strategy allows"),
    "no_capacity": _("no parcel capacity left today"),
    "no_lane": _("no carrier goes there"),
    "no_customs_lane": _("cannot be cleared through customs there"),
    "misses_promise": _("too late for the promise"),
    "frozen": _("the warehouses are frozen"),
    "sku_banned": _("not allowed from these warehouses"),
    "trait_not_accepted": _("no warehouse handles such goods"),
    "too_heavy": _("too heavy for every parcel"),
    "refused_before": _("the warehouses refused it"),
    "components": _("components come later"),
}


def timeline(order: Order, works: Sequence[FulfillmentOrder]) -> list[Said]:
    """What happened, newest first, in the words of the declarations; repeated scans fold into one line."""
    names = {work.warehouse.code: named(work.warehouse) for work in works}
    names |= {str(work.warehouse_id): named(work.warehouse) for work in works}
    said: list[Said] = []
    for event in orders.history(order):
        line = _said(event, names)
        if said and (said[-1].text, said[-1].detail) == (line.text, line.detail):
            said.pop()
        said.append(line)
    said.sort(key=lambda line: line.occurred_at)
    return said[::-1]


def _said(event: Event, names: Mapping[str, str]) -> Said:
    detail = " · ".join(filter(None, _details(event.payload, names)))
    by = admin_words.actor(event.actor)
    return Said(_words(event.kind), detail, event.occurred_at, by, _TONES.get(event.kind, "ok"))


def _words(kind: str) -> str:
    try:
        declared = kinds.get(kind)
    except KeyError:  # an app that was taken out leaves its events behind
        return kind
    return declared.zh if is_chinese() else declared.en


def _details(payload: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    named_places = payload.get("warehouses" if is_chinese() else "warehouses_en") or payload.get("warehouses")
    places = named_places or [payload.get("warehouse")]
    found = [names.get(str(place), str(place)) for place in _listed(places) if place]
    if payload.get("undone_kind"):
        found.append(_words(str(payload["undone_kind"])))
    if payload.get("order"):
        found.append(str(payload["order"]))
    if Decimal(str(payload.get("refund") or 0)):
        found.append(
            admin_words.money(Decimal(str(payload["refund"])), str(payload.get("currency") or "CNY"))
        )
    reason = payload.get("reason")
    found.append(str(_REASONS.get(str(reason), reason)) if reason else "")
    in_english = "" if is_chinese() else str(payload.get("detail_en") or "")
    found.append(in_english or str(payload.get("detail") or ""))
    found += [str(payload.get(name) or "") for name in ("note", "text", "place", "tracking_number")]
    return list(dict.fromkeys(found))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
