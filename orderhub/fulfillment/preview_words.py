"""A preview in sentences, for the person who is about to do it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from orderhub.fulfillment.previewing import Preview, Standing, Told, Work
from orderhub.fulfillment.undoing import _UNDO
from orderhub.inventory.admin_base import is_chinese
from orderhub.orders import admin_words
from orderhub.orders.models.order import Stage
from orderhub.templatetags.desk import when

Text = str | Promise
#: What undoes a deed, as a sentence.
UNDO_WORDS: Mapping[str, Text] = {
    "release": gettext_lazy("Release the hold again"),
    "hold": gettext_lazy("Put it on hold again"),
    "rejoin": gettext_lazy("Join the parts again"),
    "part_again": gettext_lazy("Part the merged orders again"),
    "move_back": gettext_lazy("Move it back"),
    "restore_units": gettext_lazy("Restore the cancelled units"),
    "restore": gettext_lazy("Restore the order"),
    "cancel_new": gettext_lazy("Cancel the new order"),
}
WHEN: Mapping[str, Text] = {
    "now": gettext_lazy("at once"),
    "next": gettext_lazy("when the order goes on"),
    "if_agreed": gettext_lazy("once the warehouse has given it back"),
}


def sentences(found: Preview) -> list[str]:
    """What would come about: units, money, where it ships from and when, what is asked back."""
    said: list[str] = []
    for pk in sorted({*found.before, *found.after}):
        said += _of_order(found.before.get(pk), found.now.get(pk), found.after.get(pk))
    said += [
        _("The warehouse is asked to give %(number)s back. If it cannot, that part ships as it was.")
        % {"number": number}
        for number in found.recalled
    ]
    return [*said, *_money(found)] or [_("Nothing would change.")]


def undo(found: Preview) -> str:
    """How it can be undone; empty where nothing undoes it."""
    names = [_UNDO[event.kind][0] for event in found.events if event.kind in _UNDO]
    if not names:
        return ""
    text = _("Until something has left, this can be undone: %(how)s.")
    return text % {"how": UNDO_WORDS[names[0]]}


def told(one: Told) -> str:
    """One message to a system, in words."""
    words = {"system": one.asked.connection, "what": one.asked.text, "when": WHEN[one.when]}
    return _("%(system)s: %(what)s, %(when)s") % words


def _of_order(before: Standing | None, now: Standing | None, after: Standing | None) -> list[str]:
    if after is None or now is None:
        return []
    said = []
    names = {"number": after.number, "units": _units(after.units), "total": _sum(after.total, after)}
    if before is None:
        said.append(_("A new order %(number)s is made: %(units)s, %(total)s to pay.") % names)
    elif after.stage == Stage.CANCELLED != before.stage:
        said.append(_("Order %(number)s is cancelled.") % names)
    elif after.stage == Stage.MERGED != before.stage:
        said.append(_("Order %(number)s ends; another one ships for it.") % names)
    elif before.stage in (Stage.CANCELLED, Stage.MERGED) and after.stage not in (
        Stage.CANCELLED,
        Stage.MERGED,
    ):
        said.append(_("Order %(number)s stands again: %(units)s.") % names)
    elif before.units != after.units:
        said.append(
            _("Order %(number)s then has %(units)s instead of %(before)s.")
            % {**names, "before": before.units}
        )
    if after.holds and (before is None or list(before.holds) != list(after.holds)):
        reasons = ("、" if is_chinese() else ", ").join(after.holds)
        said.append(_("Order %(number)s waits: %(reasons)s.") % {**names, "reasons": reasons})
    elif before is not None and before.holds and not after.holds:
        said.append(_("Order %(number)s is on hold no more.") % names)
    known = {work.number for work in before.works} if before is not None else set()
    said += [_ships(after, work) for work in after.works if work.number not in known]
    if after.stage == Stage.BACKORDERED and (before is None or before.stage != Stage.BACKORDERED):
        said.append(_("Order %(number)s then waits for stock.") % names)
    return said


def _ships(standing: Standing, work: Work) -> str:
    words = {
        "number": standing.number, "units": _units(work.units), "carrier": work.carrier,
        "warehouse": work.warehouse if is_chinese() else work.warehouse_en,
        "when": when(work.eta_to_at) if work.eta_to_at else _("no date yet"), "kg": f"{work.kgco2e:.2f}",
    }  # fmt: skip
    return (
        _(
            "Order %(number)s: %(units)s from %(warehouse)s with %(carrier)s, there by %(when)s, %(kg)s kgCO2e."
        )
        % words
    )


def _money(found: Preview) -> list[str]:
    said = []
    due = Decimal(0)
    some: Standing | None = None
    for pk, after in found.after.items():
        before = found.before.get(pk)
        due += after.due_back - (before.due_back if before is not None else Decimal(0))
        some = some or after
        if before is None and after.total and not after.is_paid:
            text = _("The customer is asked for %(sum)s; the new order waits for it.")
            said.append(text % {"sum": _sum(after.total, after)})
    if some is not None and due > 0:
        said.append(_("%(sum)s are due back to the customer.") % {"sum": _sum(due, some)})
    elif some is not None and due < 0:
        said.append(_("%(sum)s are not due back to the customer any more.") % {"sum": _sum(-due, some)})
    return said


def _sum(amount: Decimal, standing: Standing) -> str:
    return str(admin_words.money(amount, standing.currency))


def _units(count: int) -> str:
    return ngettext("%(count)d unit", "%(count)d units", count) % {"count": count}


@dataclass(frozen=True, slots=True)
class Page:
    """A preview as a page shows it."""

    sentences: Sequence[str]
    systems: Sequence[str]
    undo: str


def page(found: Preview) -> Page:
    """All of it in words."""
    return Page(sentences(found), [told(one) for one in found.told], undo(found))
