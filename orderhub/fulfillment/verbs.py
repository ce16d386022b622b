"""What operators may do to orders from their pages: each verb with its form, its effect and its service."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from orderhub.fulfillment import parting
from orderhub.fulfillment import services as fulfillment
from orderhub.kernel.errors import Refused
from orderhub.orders import services as orders
from orderhub.orders.models import Hold
from orderhub.orders.services import Outcome

Text = str | Promise
Run = Callable[[Sequence[int], Mapping[str, Any], str, datetime], list[Outcome]]

BATCH = 200
#: More than these orders at once are a job for the API or an import, not for a page that waits.
MOST = 2000
#: So many refused orders are named one by one.
MOST_NAMED = 12
#: Holds a person may place; the others belong to the machine.
PLACED_BY_HAND = (
    Hold.Reason.MANUAL, Hold.Reason.CUSTOMER, Hold.Reason.RISK, Hold.Reason.ADDRESS_CHANGE,
    Hold.Reason.ADDRESS_INVALID, Hold.Reason.COMPLIANCE, Hold.Reason.STOCK,
)  # fmt: skip


def text_input(**attrs: str) -> forms.TextInput:
    """A field in the hub's looks."""
    return forms.TextInput(attrs={"class": "oh-input", **attrs})


class NoteForm(forms.Form):
    """A remark that is kept with the event."""

    note = forms.CharField(label=_("Note"), max_length=300, required=False, widget=text_input())


class ReasonForm(forms.Form):
    """Why, in a few words; kept with the event."""

    reason = forms.CharField(label=_("Reason"), max_length=300, widget=text_input(autofocus="autofocus"))


class HoldForm(forms.Form):
    """Which hold, why, and until when."""

    reason = forms.ChoiceField(
        label=_("Kind of hold"),
        choices=[(reason.value, reason.label) for reason in PLACED_BY_HAND],
        widget=forms.Select(attrs={"class": "oh-input"}),
    )
    detail = forms.CharField(label=_("Reason"), max_length=300, widget=text_input(autofocus="autofocus"))
    until = forms.DateTimeField(
        label=_("Until"),
        required=False,
        help_text=_("Released by itself then. Empty: until somebody releases it."),
        widget=forms.DateTimeInput(
            attrs={"class": "oh-input", "type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
        ),
    )


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing to do to orders. `effect` and `done` word a number of them; `actions` says when it applies."""

    name: str
    title: Text
    button: Text
    icon: str
    permission: str
    form: type[forms.Form]
    effect: Callable[[int], str]
    done: Callable[[int], str]
    idle: Text
    run: Run
    is_final: bool = False

    def on(
        self, order_ids: Sequence[int], given: Mapping[str, Any], *, actor: str, now: datetime
    ) -> list[Outcome]:
        """Run it in batches, so that no transaction holds many locks; one outcome per order."""
        batches = (order_ids[start : start + BATCH] for start in range(0, len(order_ids), BATCH))
        return [outcome for batch in batches for outcome in self.run(batch, given, actor, now)]


def tell(request: HttpRequest, verb: Verb, outcomes: Sequence[Outcome], numbers: Mapping[int, str]) -> None:
    """Say what became of the orders: how many were done, how many had nothing to do, each refusal by name."""
    done = sum(outcome.done for outcome in outcomes)
    refused = [(outcome.order_id, outcome.refused) for outcome in outcomes if outcome.refused is not None]
    idle = len(outcomes) - done - len(refused)
    if done:
        messages.success(request, verb.done(done))
    if idle:
        messages.info(request, _("%(text)s (%(count)d)") % {"text": verb.idle, "count": idle})
    for order_id, why in refused[:MOST_NAMED]:
        messages.warning(request, _refusal(numbers.get(order_id, f"#{order_id}"), why))
    if len(refused) > MOST_NAMED:
        left = len(refused) - MOST_NAMED
        text = ngettext("%(count)d more order was refused.", "%(count)d more orders were refused.", left)
        messages.warning(request, text % {"count": left})


def _refusal(number: str, why: Refused | None) -> str:
    text = str(why)
    return text if number in text else f"{number}: {text}"


def _hold(ids: Sequence[int], given: Mapping[str, Any], actor: str, now: datetime) -> list[Outcome]:
    detail, until = given["detail"], given["until"]
    return orders.hold(ids, reason=given["reason"], detail=detail, until=until, actor=actor, now=now)


def _release(ids: Sequence[int], given: Mapping[str, Any], actor: str, now: datetime) -> list[Outcome]:
    return orders.release_holds(ids, note=given["note"], actor=actor, now=now)


def _pay(ids: Sequence[int], given: Mapping[str, Any], actor: str, now: datetime) -> list[Outcome]:
    return orders.pay(ids, actor=actor, now=now)


def _reroute(ids: Sequence[int], given: Mapping[str, Any], actor: str, now: datetime) -> list[Outcome]:
    return fulfillment.reroute(ids, reason=given["reason"], actor=actor, now=now)


def _cancel(ids: Sequence[int], given: Mapping[str, Any], actor: str, now: datetime) -> list[Outcome]:
    return fulfillment.cancel(ids, reason=given["reason"], actor=actor, now=now)


def _merge(ids: Sequence[int], given: Mapping[str, Any], actor: str, now: datetime) -> list[Outcome]:
    return parting.merge_alike(ids, reason=given["reason"], actor=actor, now=now)


VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb(
            "hold",
            _("Put on hold"),
            _("Put on hold"),
            "pause_circle",
            "orders.add_hold",
            HoldForm,
            lambda n: (
                ngettext(
                    "%(count)d order will stop at its present step until the hold is released.",
                    "%(count)d orders will stop at their present step until the hold is released.",
                    n,
                )
                % {"count": n}
            ),
            lambda n: (
                ngettext("%(count)d order put on hold.", "%(count)d orders put on hold.", n) % {"count": n}
            ),
            _("On hold for this reason already"),
            _hold,
        ),
        Verb(
            "release",
            _("Release holds"),
            _("Release"),
            "play_circle",
            "orders.change_hold",
            NoteForm,
            lambda n: (
                ngettext(
                    "All holds of %(count)d order will end; it goes on at the step it stopped at.",
                    "All holds of %(count)d orders will end; they go on at the step they stopped at.",
                    n,
                )
                % {"count": n}
            ),
            lambda n: ngettext("%(count)d order released.", "%(count)d orders released.", n) % {"count": n},
            _("Without a hold"),
            _release,
        ),
        Verb(
            "pay",
            _("Mark as paid"),
            _("Mark as paid"),
            "payments",
            "orders.change_order",
            forms.Form,
            lambda n: (
                ngettext(
                    "%(count)d order will count as paid now, and a hold that waited for the payment ends.",
                    "%(count)d orders will count as paid now, and holds that waited for the payment end.",
                    n,
                )
                % {"count": n}
            ),
            lambda n: (
                ngettext("%(count)d order marked as paid.", "%(count)d orders marked as paid.", n)
                % {"count": n}
            ),
            _("Paid already"),
            _pay,
            True,
        ),
        Verb(
            "reroute",
            _("Re-route"),
            _("Re-route"),
            "alt_route",
            "orders.change_order",
            ReasonForm,
            lambda n: (
                ngettext(
                    "What has not shipped of %(count)d order goes back to routing. "
                    "Warehouses that have it already are asked to give it back first.",
                    "What has not shipped of %(count)d orders goes back to routing. "
                    "Warehouses that have them already are asked to give them back first.",
                    n,
                )
                % {"count": n}
            ),
            lambda n: (
                ngettext("%(count)d order sent back to routing.", "%(count)d orders sent back to routing.", n)
                % {"count": n}
            ),
            _("The warehouse was asked to give it back"),
            _reroute,
        ),
        Verb(
            "merge",
            _("Merge alike orders"),
            _("Merge orders"),
            "call_merge",
            "orders.change_order",
            ReasonForm,
            lambda n: (
                ngettext(
                    "%(count)d order: those with the same channel, receiver, address and service ship as one.",
                    "%(count)d orders: those with the same channel, receiver, address and service ship as one.",
                    n,
                )
                % {"count": n}
            ),
            lambda n: (
                ngettext("%(count)d order put together.", "%(count)d orders put together.", n) % {"count": n}
            ),
            _("Without another order to the same address"),
            _merge,
        ),
        Verb(
            "cancel",
            _("Cancel"),
            _("Cancel the order"),
            "cancel",
            "orders.change_order",
            ReasonForm,
            lambda n: (
                ngettext(
                    "%(count)d order will be cancelled and its stock freed. "
                    "Warehouses that have it already are asked to stop. It can be undone until a refund is sent.",
                    "%(count)d orders will be cancelled and their stock freed. "
                    "Warehouses that have them already are asked to stop. It can be undone until a refund is sent.",
                    n,
                )
                % {"count": n}
            ),
            lambda n: ngettext("%(count)d order cancelled.", "%(count)d orders cancelled.", n) % {"count": n},
            _("The warehouse was asked to stop, or it is cancelled already"),
            _cancel,
            True,
        ),
    )
}
