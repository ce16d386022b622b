"""Rules of strategies in words, and what is wrong with them: contradictions, rules that nothing reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orderhub.inventory.admin_base import is_chinese, named
from orderhub.kernel import regions
from orderhub.orders.models import Channel
from orderhub.templatetags.desk import when
from routing.choosing import FLAGS, LISTS
from routing.models import StrategyRule, StrategyVersion

Text = str | Promise

LABELS: Mapping[str, Any] = {
    "channels": _("channel"),
    "provinces": _("province"),
    "countries": _("country"),
    "is_remote": _("remote region"),
    "services": _("service"),
    "is_green": _("green delivery"),
    "categories": _("category of a line"),
    "customer_levels": _("customer level"),
}
SERVICES: Mapping[str, Text] = {
    "economy": _("economy"),
    "standard": _("standard"),
    "express": _("express"),
    "next_day": _("next day"),
    "same_day": _("same day"),
}


@dataclass(frozen=True, slots=True)
class RuleWarning:
    """Something about a rule that its maker will not have meant."""

    rule: StrategyRule
    code: str
    text: Text


def wanted(rule: StrategyRule) -> dict[str, Any]:
    """The conditions that ask for something."""
    return {name: value for name, value in rule.conditions.items() if value not in (None, [])}


# ---- words -----------------------------------------------------------------------------------------


def in_words(rule: StrategyRule, channels: Mapping[int, str] | None = None) -> list[str]:
    """Each condition of a rule in words, then its time; an empty rule takes every order."""
    found = [condition(name, value, channels) for name, value in wanted(rule).items()]
    time = time_words(rule)
    return ([*found, time] if time else found) or [str(_("every order"))]


def time_words(rule: StrategyRule) -> str:
    """When the rule is valid; empty for always."""
    if not (rule.valid_from or rule.valid_until):
        return ""
    since = when(rule.valid_from) if rule.valid_from else "…"
    until = when(rule.valid_until) if rule.valid_until else "…"
    return f"{since} – {until}"


def condition(name: str, value: Any, channels: Mapping[int, str] | None = None) -> str:
    """One condition in words."""
    label = str(LABELS.get(name, name))
    if name in FLAGS:
        return f"{label}: {_('yes') if value else _('no')}"
    if name == "channels":
        names = channels if channels is not None else channel_names(value)
        texts = [names.get(pk, f"#{pk}") for pk in value]
    elif name == "provinces":
        texts = [province_name(code) for code in value]
    elif name == "services":
        texts = [str(SERVICES.get(code, code)) for code in value]
    else:
        texts = [str(one) for one in value]
    return f"{label}: {' / '.join(texts)}"


def channel_names(ids: Sequence[int]) -> dict[int, str]:
    """The names of channels in the reader's language; one query."""
    return {row.pk: named(row) for row in Channel.objects.filter(pk__in=ids)}


def province_name(code: str) -> str:
    """A Chinese province by its code in the reader's language."""
    found = regions.find_province("CN", code)
    if found is None:
        return code
    return found.zh if is_chinese() else found.en


# ---- what is wrong ---------------------------------------------------------------------------------


def warnings(rules: Sequence[StrategyRule], *, now: datetime) -> list[RuleWarning]:
    """What is wrong with the active rules of one merchant, in their order; one query."""
    active = sorted((rule for rule in rules if rule.is_active), key=lambda rule: (rule.priority, rule.pk))
    published = set(
        StrategyVersion.objects.filter(strategy__in={rule.strategy_id for rule in active}).values_list(
            "strategy_id", flat=True
        )
    )
    found: list[RuleWarning] = []
    for position, rule in enumerate(active):
        text = idle(rule, published, now) or impossible(wanted(rule))
        if text:
            found.append(RuleWarning(rule, "idle", text))
            continue
        found += _beside(rule, [one for one in active[:position] if not idle(one, published, now)])
    return found


def idle(rule: StrategyRule, published: set[int], now: datetime) -> Text:
    """Why a rule does nothing at all; empty if it may."""
    if rule.valid_until is not None and rule.valid_until <= now:
        return _("Its time is over: it does nothing any more.")
    if not rule.strategy.is_active:
        return _("Its strategy is switched off: the rule is passed over.")
    if rule.strategy_id not in published:
        return _("Its strategy was never published: the rule is passed over.")
    return ""


def impossible(conditions: Mapping[str, Any]) -> Any:
    """Why no order can fulfill these conditions; empty if one can."""
    provinces, countries = conditions.get("provinces"), conditions.get("countries")
    if provinces and countries and "CN" not in countries:
        return _("No order goes to a Chinese province and to another country at once.")
    remote = conditions.get("is_remote")
    if provinces and remote is not None:
        known = [place for code in provinces if (place := regions.find_province("CN", code))]
        if known and all(place.remote is not remote for place in known):
            return _("None of these provinces is remote.") if remote else _("All these provinces are remote.")
    return ""


def clash(rule: StrategyRule, others: Sequence[StrategyRule]) -> StrategyRule | None:
    """An active rule of the same priority that asks the same at the same time but gives another strategy."""
    return next(
        (
            other
            for other in others
            if other.pk != rule.pk
            and other.is_active
            and other.priority == rule.priority
            and other.strategy_id != rule.strategy_id
            and _same(wanted(rule), wanted(other))
            and _meet(rule, other)
        ),
        None,
    )


def _beside(rule: StrategyRule, earlier: Sequence[StrategyRule]) -> list[RuleWarning]:
    for other in earlier:
        if _covers(other, rule):
            if other.strategy_id == rule.strategy_id:
                text = _("Never reached: “%(other)s” comes first and takes all its orders (same strategy).")
            else:
                text = _("Never reached: “%(other)s” comes first and takes all its orders.")
            return [RuleWarning(rule, "unreachable", text % {"other": named(other)})]
    for other in earlier:
        is_close = other.priority == rule.priority and other.strategy_id != rule.strategy_id
        if is_close and _meet(rule, other) and _overlap(wanted(rule), wanted(other)):
            text = _(
                "Contradicts “%(other)s”: same priority, and some orders fit both. The older rule wins; give "
                "them different priorities."
            )
            return [RuleWarning(rule, "contradiction", text % {"other": named(other)})]
    return []


def _covers(first: StrategyRule, second: StrategyRule) -> bool:
    """Whether every order of the second rule, at every moment of it, fits the first."""
    starts = first.valid_from is None or (
        second.valid_from is not None and first.valid_from <= second.valid_from
    )
    ends = first.valid_until is None or (
        second.valid_until is not None and first.valid_until >= second.valid_until
    )
    if not (starts and ends):
        return False
    narrow = wanted(second)
    return all(_implies(name, narrow.get(name), value) for name, value in wanted(first).items())


def _implies(name: str, narrow: Any, broad: Any) -> bool:
    if narrow is None:
        return False
    return narrow is broad if name in FLAGS else set(narrow) <= set(broad)


def _overlap(one: Mapping[str, Any], two: Mapping[str, Any]) -> bool:
    """Whether an order may fulfill both; categories may, since an order has several."""
    for name in one.keys() & two.keys():
        if name in FLAGS and one[name] is not two[name]:
            return False
        if name in LISTS and name != "categories" and set(one[name]).isdisjoint(two[name]):
            return False
    return True


def _same(one: Mapping[str, Any], two: Mapping[str, Any]) -> bool:
    def plain(value: Any) -> Any:
        return frozenset(value) if isinstance(value, list) else value

    return {k: plain(v) for k, v in one.items()} == {k: plain(v) for k, v in two.items()}


def _meet(one: StrategyRule, two: StrategyRule) -> bool:
    """Whether there is a moment at which both are valid."""
    return (one.valid_until is None or two.valid_from is None or two.valid_from < one.valid_until) and (
        two.valid_until is None or one.valid_from is None or one.valid_from < two.valid_until
    )
