"""The shelf of ready-made flows in the starter library: a copy is a drawing that nobody walks before it is published."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.inventory.admin_base import named
from rules.flows import checking, starters
from rules.flows.graph import read
from rules.library.shelves import Copy, Entry, Shelf, Target, Words
from rules.models import Flow

#: Stands for "all merchants without a flow of their own" in the list of targets, where nothing may be empty.
_GENERAL = "-"


def entries() -> list[Entry]:
    """Each drawing with the labels of its nodes, in order, as its sentence."""
    return [_entry(starter) for starter in starters.all_()]


def targets(user: Any) -> list[Target]:
    """The merchants this person may draw flows for; staff of the hub may also draw the general one."""
    merchants = Merchant.objects.order_by("code")
    merchant_id = getattr(user, "merchant_id", None)
    if merchant_id is not None:
        merchants = merchants.filter(pk=merchant_id)
    found = [Target(f"merchant:{row.pk}", named(row)) for row in merchants]
    general = Target(_GENERAL, _now("all merchants without a flow of their own"))
    return found if merchant_id is not None else [*found, general]


def copy(asked: Copy) -> str:
    """Make a draft of the flow; the address of its drawing. Raises ValidationError where the merchant is not theirs."""
    if asked.target not in {target.value for target in targets(asked.user)}:
        raise ValidationError(_("Choose a merchant."))
    scope = "" if asked.target == _GENERAL else asked.target
    starter = starters.get(asked.entry.code)
    taken = set(Flow.objects.filter(scope=scope).values_list("code", flat=True))
    numbers = (n for n in range(1, len(taken) + 2))
    number = next(n for n in numbers if (starter.code if n == 1 else f"{starter.code}-{n}") not in taken)
    tail = "" if number == 1 else f" {number}"
    flow = Flow.objects.create(
        code=starter.code if number == 1 else f"{starter.code}-{number}", name=f"{starter.name}{tail}",
        name_en=f"{starter.name_en}{tail}", scope=scope, draft=starter.content, revision=1,
    )  # fmt: skip
    return reverse("flows:draw", args=(flow.pk,))


def _entry(starter: starters.Starter) -> Entry:
    labels = [checking.label(node) for node in read(starter.content).nodes.values()]
    return Entry(
        starter.code, Words(starter.name, starter.name_en),
        Words(" → ".join(zh for zh, _en in labels), " → ".join(en for _zh, en in labels)),
        Words(starter.about, starter.about_en),
    )  # fmt: skip


SHELF = Shelf(
    code="flows", name=_("Flows"), icon="flow", sees="rules.view_flow", copies="rules.add_flow",
    target_label=_("merchant"), entries=entries, targets=targets, copy=copy, position=40,
)  # fmt: skip
