"""Until when news is due: the most particular rule for where a part stands, its limit in working time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tracking.center import calendars, learning
from tracking.center.engine import lanes, working
from tracking.center.engine.working import Hours
from tracking.center.learning import Learned
from tracking.center.models import OrderPlan, StallRule, Standing

#: A learned limit is what this share of the parcels needed.
SHARE = 0.95


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The active rules with their calendars, what was learned, and the templates of the orders at hand."""

    rules: Sequence[StallRule]
    hours: Mapping[int | None, Hours]
    learned: Learned
    templates: Mapping[int, int]

    def due(self, row: Standing) -> tuple[StallRule, datetime] | None:
        """The rule that watches a part where it stands, and when it is over; None where nothing does."""
        rule = self.chosen(row, StallRule.Sort.STALL)
        if rule is None:
            return None
        limit = self.limit(rule, row)
        return rule, working.after(row.clock_at, limit, self.hours[rule.calendar_id])

    def limit(self, rule: StallRule, row: Standing) -> timedelta:
        """The rule's limit, or what 95 % of the lane's (else the carrier's) parcels needed, where that is known.

        What was learned is elapsed time of the lane, weekends among it, so it never falls below the fixed limit's half.
        """
        fixed = timedelta(hours=float(rule.hours))
        if not rule.is_learned or row.parcel_id is None:
            return fixed
        counts, _basis = self.learned.of(row, row.milestone)
        hours = lanes.quantile(counts, SHARE)
        return fixed if hours is None else max(fixed / 2, timedelta(hours=hours))

    def chosen(self, row: Standing, sort: str) -> StallRule | None:
        """The most particular rule of a sort for where the part stands."""
        fit = [rule for rule in self.rules if rule.sort == sort and self._fits(rule, row)]
        return max(fit, key=_particular, default=None)

    def _fits(self, rule: StallRule, row: Standing) -> bool:
        if rule.merchant_id not in (None, row.merchant_id):
            return False
        if rule.sort != StallRule.Sort.LATE and row.milestone not in codes_of(rule):
            return False
        said = ((rule.carrier, row.carrier), (rule.origin, row.origin), (rule.destination, row.destination))
        if any(wanted and wanted != found for wanted, found in said):
            return False
        if rule.template_id is not None and self.templates.get(row.order_id) != rule.template_id:
            return False
        day = row.clock_at.date()
        return (rule.season_from is None or rule.season_from <= day) and (
            rule.season_to is None or day <= rule.season_to
        )


def codes_of(rule: StallRule) -> frozenset[str]:
    """The milestones of a rule."""
    return frozenset(code.strip() for code in rule.milestones.split(",") if code.strip())


def rulebook(standings: Iterable[Standing], *, now: datetime) -> Rulebook:
    """What is needed to say until when news of these parts is due; three queries and one for what was learned."""
    held = list(standings)
    rules = list(StallRule.objects.filter(is_active=True).select_related("calendar"))
    plans = OrderPlan.objects.filter(order__in={row.order_id for row in held}) if _by_template(rules) else ()
    milestones = {row.milestone for row in held} & {
        code for rule in rules if rule.is_learned for code in codes_of(rule)
    }
    return Rulebook(
        rules=rules,
        hours=calendars.hours_of(rule.calendar for rule in rules),
        learned=learning.learned(held, learning.STEP, milestones, now=now),
        templates={plan.order_id: plan.template_id for plan in plans},
    )


def _by_template(rules: Iterable[StallRule]) -> bool:
    return any(rule.template_id is not None for rule in rules)


def _particular(rule: StallRule) -> tuple[int, bool, bool, int]:
    """A lane says more than a carrier, a season or a template adds to it; a merchant's own rule wins a tie."""
    said = (rule.carrier, rule.origin, rule.destination, rule.template_id, rule.season_from or rule.season_to)
    return sum(bool(one) for one in said), rule.merchant_id is not None, not rule.is_shipped, rule.pk
