"""What the page of one review shows: why, what the order is, and side by side the orders that share something with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orderhub.inventory.admin_base import is_chinese, named
from orderhub.orders import admin_words
from orderhub.orders.models import Order, OrderLine
from orderhub.orders.risk.models import Action, Assessment, Key, Label, OrderKey, Review

TONES = {"pass": "ok", "review": "warn", "hold": "bad"}
OPEN = (Assessment.State.OPEN.value, Assessment.State.SECOND.value, Assessment.State.ASKED.value)
#: Orders shown beside the one in question, the newest; more are only counted.
MOST_KIN = 12
_KINDS = tuple(Key.Kind.values)


@dataclass(slots=True)
class Kin:
    """An order beside the one in question, and what it shares with it, in the order of `_KINDS`."""

    order: Order
    link: str
    shares: list[bool]
    value: str
    stage: str
    labels: list[str]
    risk: Assessment | None = None
    tone: str = "wait"
    is_self: bool = False


@dataclass(slots=True)
class Shared:
    """A key of the order: kind, hint, how many other orders have it, and the list it is on."""

    kind: str
    hint: str
    others: int
    listed: str
    listed_tone: str


@dataclass(slots=True)
class Network:
    """What the order shares with others."""

    keys: list[Shared] = field(default_factory=list)
    kin: list[Kin] = field(default_factory=list)
    more: int = 0


def context(request: HttpRequest, row: Assessment, *, may_decide: bool, now: datetime) -> dict[str, Any]:
    """Everything the page needs; ten queries."""
    order = row.order
    said = "zh" if is_chinese() else "en"
    waits = row.state in OPEN
    looks = {"release": "-pri", "cancel": "-bad", "block": "-bad"}
    actions = [
        (Action(x).label, reverse("admin:risk_assessment_decide", args=(row.pk, x)), looks.get(x, ""))
        for x in Action.values
    ]
    return {
        "row": row, "order": order, "tone": TONES[row.band], "waits": waits,
        "actions": actions if waits and may_decide else [], "time_left": time_left(row, now=now),
        "is_late": waits and row.due_at is not None and row.due_at <= now,
        "reasons": [(x[said], x["counted"], x.get("points", 0), x.get("holds", False)) for x in row.fired],
        "shadow": [(x[said], x.get("points", 0)) for x in row.shadow],
        "value": admin_words.money(order.total, order.currency), "receiver": admin_words.masked(order.person),
        "channel": named(order.channel), "goes_to": admin_words.destination(order, zh=is_chinese()), "lines": _lines(order),
        "network": network(order), "kinds": [Key.Kind(x).label for x in _KINDS], "labels": _labels([order.pk]).get(order.pk, []),
        "decisions": [
            (x.get_action_display(), admin_words.actor(x.actor), x.decided_at, x.reason, x.is_final)
            for x in Review.objects.filter(order=order).order_by("-pk")
        ],
        "order_link": reverse("admin:orders_order_change", args=(order.pk,)),
    }  # fmt: skip


def time_left(row: Assessment, *, now: datetime) -> str:
    """Until the review is due, or how late it is, in its largest unit; a dash where nothing waits."""
    if row.due_at is None or row.state not in OPEN:
        return "–"
    minutes = int((row.due_at - now).total_seconds() // 60)
    text = _span(abs(minutes))
    return _("%(span)s left") % {"span": text} if minutes >= 0 else _("late by %(span)s") % {"span": text}


def _span(minutes: int) -> str:
    if minutes < 120:
        return ngettext("%(count)d min", "%(count)d min", minutes) % {"count": minutes}
    hours = minutes // 60
    if hours < 48:
        return ngettext("%(count)d h", "%(count)d h", hours) % {"count": hours}
    return ngettext("%(count)d day", "%(count)d days", hours // 24) % {"count": hours // 24}


def network(order: Order) -> Network:
    """The order's keys and, the newest first, the orders that have one of them too; seven queries."""
    keys = list(Key.objects.filter(orders__order=order).order_by("kind"))
    by_key = {key.pk: key.kind for key in keys}
    ties: dict[int, set[str]] = {}
    counts: dict[int, int] = {}
    for key_id, other in (
        OrderKey.objects.filter(key__in=by_key).order_by("-order").values_list("key", "order")[:2000]
    ):
        counts[key_id] = counts.get(key_id, 0) + 1
        ties.setdefault(other, set()).add(by_key[key_id])
    shown = sorted(ties.keys() - {order.pk}, reverse=True)[:MOST_KIN]
    return Network(
        [_shared(key, counts.get(key.pk, 1) - 1) for key in keys], _kin(order, shown, ties), max(0, len(ties) - 1 - len(shown))
    )  # fmt: skip


def _kin(order: Order, shown: list[int], ties: Mapping[int, set[str]]) -> list[Kin]:
    wanted = [order.pk, *shown]
    rows = Order.objects.select_related("risk", "channel").in_bulk(wanted)
    labels = _labels(wanted)
    return [
        _one(rows[pk], ties.get(pk, set()), labels.get(pk, []), is_self=pk == order.pk)
        for pk in wanted
        if pk in rows
    ]


def _one(order: Order, shares: set[str], labels: list[str], *, is_self: bool) -> Kin:
    risk: Assessment | None = getattr(order, "risk", None)
    return Kin(
        order, reverse("admin:risk_assessment_change", args=(order.pk,)), [kind in shares for kind in _KINDS],
        admin_words.money(order.total, order.currency), str(order.get_stage_display()), labels, risk,
        TONES[risk.band] if risk is not None else "wait", is_self,
    )  # fmt: skip


def _shared(key: Key, others: int) -> Shared:
    tone = "bad" if key.listed == Key.Listed.BLOCK else "ok"
    listed = str(key.get_listed_display()) if key.listed else ""
    return Shared(str(key.get_kind_display()), key.hint, max(0, others), listed, tone)


def _labels(order_ids: list[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for label in Label.objects.filter(order__in=order_ids).order_by("pk"):
        found.setdefault(label.order_id, []).append(str(label.get_kind_display()))
    return found


def _lines(order: Order) -> list[tuple[str, int, str]]:
    rows = OrderLine.objects.filter(order=order).select_related("sku").order_by("position")[:20]
    return [(row.sku.code, row.ordered, admin_words.money(row.line_total, order.currency)) for row in rows]
