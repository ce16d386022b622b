"""Reading what was published and what is in force."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import OuterRef, Q, QuerySet, Subquery

from rules.models import Flow, Rule, RuleSet, RuleVersion


def newest_versions(purpose: str, scopes: Iterable[str]) -> QuerySet[RuleVersion]:
    """The version in force of every active set of these scopes and of all merchants, general ones first."""
    newest = RuleVersion.objects.filter(ruleset=OuterRef("ruleset")).order_by("-number").values("pk")[:1]
    return (
        RuleVersion.objects.filter(
            Q(ruleset__scope="") | Q(ruleset__scope__in=set(scopes)),
            ruleset__purpose=purpose,
            ruleset__is_active=True,
            pk=Subquery(newest),
        )
        .select_related("ruleset")
        .order_by("ruleset__scope", "ruleset__code")
    )


def draft_rules(ruleset: RuleSet) -> QuerySet[Rule]:
    """The active rules of the draft in the order they run."""
    return ruleset.rules.filter(is_active=True).order_by("priority", "code")


def history(ruleset: RuleSet) -> QuerySet[RuleVersion]:
    """All published versions, newest first, with who published them."""
    return ruleset.versions.select_related("published_by").order_by("-number")


def active_flows(scopes: Iterable[str]) -> QuerySet[Flow]:
    """The flows drawn for these scopes, newest last."""
    return Flow.objects.filter(scope__in=set(scopes), is_active=True).order_by("pk")
