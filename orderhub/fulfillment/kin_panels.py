"""What the order page shows of an order's kin (split and merged orders) and of its address changes."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from orderhub.fulfillment import actions, order_page, parting
from orderhub.fulfillment.documents_verbs import REMEDIES
from orderhub.fulfillment.panels import Drawn, panel
from orderhub.inventory.admin_base import is_chinese
from orderhub.kernel import regions
from orderhub.orders import admin_words
from orderhub.orders.models import AddressChange, Order
from orderhub.templatetags.ui import pill

TONES = {
    "requested": "wait",
    "asking": "warn",
    "applied": "ok",
    "refused": "wait",
    "too_late": "bad",
    "deciding": "bad",
    "partly": "warn",
}


@panel("kin", order=5, aside=True)
def kin(order: Order, request: HttpRequest) -> Drawn | None:
    """The orders this one was split from or into or merged with, and others that go to the same address."""
    related = Q(split_from=order) | Q(merged_into=order)
    related |= Q(follows_up__order=order) | Q(follow_ups__new_order=order)
    related |= Q(pk__in=[pk for pk in (order.split_from_id, order.merged_into_id) if pk])
    rows = Order.objects.filter(related).select_related("follows_up").distinct().order_by("pk")
    found = [_related(order, other) for other in rows]
    offered = actions.of(order)
    alike = parting.candidates(order) if "merge" in offered else []
    if not found and not alike:
        return None
    return Drawn(
        "admin/panels/kin.html",
        {
            "related": found,
            "alike": [_row(other) for other in alike],
            "merge": reverse("admin:orders_order_merge_one", args=(order.pk,)) if alike else "",
            "undo": reverse("admin:orders_order_undo_one", args=(order.pk,)),
        },
    )


@panel("address_changes", order=6, aside=True)
def address_changes(order: Order, request: HttpRequest) -> Drawn | None:
    """The changes of the address, newest first; people stay masked."""
    rows = order.address_changes.select_related("new_person").order_by("-pk")
    shown = [_change(row) for row in rows]
    return Drawn("admin/panels/address_changes.html", {"changes": shown}) if shown else None


def _related(order: Order, other: Order) -> dict[str, Any]:
    words = {
        other.pk == order.split_from_id: _("split from"),
        other.split_from_id == order.pk: _("split off"),
        other.pk == order.merged_into_id: _("merged into"),
        other.merged_into_id == order.pk: _("merged into this order"),
    }
    follow_up = getattr(other, "follows_up", None)
    if follow_up is not None and follow_up.order_id == order.pk:
        words[True] = _("replaces units of this order")
    elif not words.get(True):
        words[True] = _("replaced by this order")
    return {**_row(other), "how": words[True], "is_merged_here": other.merged_into_id == order.pk}


def _row(order: Order) -> dict[str, Any]:
    return {
        "pk": order.pk, "number": order.number, "external_id": order.external_id,
        "total": admin_words.money(order.total, order.currency), "pill": order_page.stage_pill(order),
        "link": reverse("admin:orders_order_change", args=(order.pk,)),
    }  # fmt: skip


def _change(change: AddressChange) -> dict[str, Any]:
    state = AddressChange.State(change.state)
    return {
        "row": change, "pill": pill(TONES[change.state], str(state.label)),
        "from": _place(change.old_place), "to": _place(change.new_place),
        "person": admin_words.masked(change.new_person), "by": admin_words.actor(change.actor),
        "remedy": "" if state == AddressChange.State.APPLIED else REMEDIES.get(state, ""),
    }  # fmt: skip


def _place(place: dict[str, str]) -> str:
    """Province, city and district in the reader's language where the tables know them."""
    province = regions.find_province(place["country"], place["province"])
    city = regions.find_city(province.code, place["city"]) if province is not None else None
    if is_chinese():
        names = [
            province.zh if province else place["province"],
            city.zh if city else place["city"],
            place["district"],
        ]
        return " ".join(dict.fromkeys(filter(None, names)))
    names = [city.en if city else place["city"], province.en if province else place["province"]]
    return ", ".join(dict.fromkeys(filter(None, names)))
