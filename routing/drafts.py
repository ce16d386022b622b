"""Drafts of strategies: kept aside, published as a new version in force at once, or thrown away.

Whoever changes something names the token of the stand that was read; if somebody else saved, published or
rolled back since, the change is refused and nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import User
from orderhub.kernel.errors import Refused
from routing import figures, strategies
from routing.models import Strategy, StrategyDraft, StrategyVersion


@dataclass(frozen=True, slots=True)
class Stand:
    """How a strategy stands: what is in force (None before the first publishing) and what is being tried."""

    live: StrategyVersion | None
    draft: StrategyDraft | None

    @property
    def token(self) -> str:
        """Names this stand; any saving, publishing, rollback or throwing away makes another."""
        live = self.live.number if self.live else 0
        return f"v{live}-d{self.draft.pk}.{self.draft.revision}" if self.draft else f"v{live}"

    @property
    def live_values(self) -> dict[str, Any]:
        """The figures in force; the defaults before the first publishing."""
        return figures.complete(self.live.values if self.live else {})

    @property
    def values(self) -> dict[str, Any]:
        """The figures of the draft, or without one those in force."""
        return figures.complete(self.draft.values) if self.draft else self.live_values

    @property
    def next_number(self) -> int:
        """The number the draft gets when it is published."""
        return self.live.number + 1 if self.live else 1


def stand(strategy: Strategy) -> Stand:
    """How the strategy stands now; two queries."""
    draft = StrategyDraft.objects.filter(strategy=strategy).select_related("updated_by").first()
    newest = strategy.versions.select_related("created_by").order_by("-number").first()
    return Stand(newest, draft)


@transaction.atomic
def save(
    strategy: Strategy, values: Mapping[str, Any], *, token: str | None, actor: User | None, now: datetime
) -> Stand:
    """Keep figures as the strategy's draft; figures equal to those in force take the draft away.

    Raises Refused: `strategy_figures` (facts: field → faults), `strategy_conflict` if `token` is not the
    present stand's (None: whatever stands there).
    """
    found = _locked(strategy, token)
    kept = figures.complete(values)
    faults = figures.check(kept)
    if faults:
        raise Refused(
            "strategy_figures",
            faults[0].message,
            remedy=faults[0].remedy,
            status=422,
            field=faults[0].field,
            facts={fault.field: str(fault) for fault in faults},
        )
    if found.live is not None and not figures.changed(found.live.values, kept):
        if found.draft is not None:
            found.draft.delete()
        return Stand(found.live, None)
    draft = found.draft or StrategyDraft(strategy=strategy, revision=0)
    draft.base_number = found.live.number if found.live else 0
    draft.values = kept
    draft.revision += 1
    draft.updated_at = now
    draft.updated_by = actor
    draft.save()
    return Stand(found.live, draft)


@transaction.atomic
def discard(strategy: Strategy, *, token: str | None) -> Stand:
    """Throw the draft away; raises Refused (`strategy_conflict`)."""
    found = _locked(strategy, token)
    if found.draft is not None:
        found.draft.delete()
    return Stand(found.live, None)


@transaction.atomic
def publish(
    strategy: Strategy,
    *,
    token: str | None,
    actor: User | None,
    now: datetime,
    replay: Mapping[str, Any] | None,
    without_replay: bool = False,
    note: str = "",
) -> StrategyVersion:
    """Put the draft in force as a new version that never changes; it routes the very next order.

    `replay` is what the what-if said of these figures. Without one, `without_replay` must say so, and the
    version keeps that it was. Raises Refused: `strategy_conflict`, `strategy_no_draft`, `strategy_no_replay`.
    """
    found = _locked(strategy, token)
    if found.draft is None:
        raise Refused(
            "strategy_no_draft",
            _("There is no draft to publish."),
            remedy=_("Change a figure and save first."),
        )
    if replay is None and not without_replay:
        raise Refused(
            "strategy_no_replay",
            _("Nobody has tried these figures on past orders."),
            remedy=_("Run the what-if, or confirm that you publish without it."),
        )
    held = Strategy.objects.get(pk=strategy.pk)
    strategies.take_over(held, found.draft.values)
    held.save()
    found.draft.delete()
    return strategies.save_version(
        held,
        actor=actor,
        now=now,
        origin=StrategyVersion.Origin.PUBLISHED,
        replay=dict(replay) if replay is not None else None,
        is_unreplayed=replay is None,
        note=note.strip()[:200],
    )


def _locked(strategy: Strategy, token: str | None) -> Stand:
    """The stand, locked against all others who change it; raises Refused if it is not the token's."""
    Strategy.objects.select_for_update().get(pk=strategy.pk)
    found = stand(strategy)
    if token is not None and token != found.token:
        raise conflict(found)
    return found


def conflict(found: Stand) -> Refused:
    """What somebody is told whose stand is not this one any more."""
    last = found.draft or found.live
    by = None
    if isinstance(last, StrategyDraft):
        by, text = last.updated_by, _("%(who)s saved a draft of this strategy while you were editing.")
    else:
        by = last.created_by if last else None
        text = _("%(who)s published, rolled back or discarded while you were editing.")
    return Refused(
        "strategy_conflict",
        text % {"who": by.get_username() if by else _("Somebody")},
        remedy=_("Nothing of yours was saved. Compare with what stands there now, then save again."),
    )
