"""Reading what was published and what is in force."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from rules.models import Flow, Rule, RuleSet, RuleVersion


def come_into_force(versions: QuerySet[RuleVersion], *, now: datetime) -> QuerySet[RuleVersion]:
    """Those whose time has come, the one in force first: the latest start counts, then the higher number."""
    has_begun = Q(effective_at__isnull=True) | Q(effective_at__lte=now)
    begun = versions.filter(has_begun, withdrawn_at__isnull=True)
    return begun.order_by(Coalesce("effective_at", "published_at").desc(), F("number").desc())


def current(versions: Iterable[RuleVersion], *, now: datetime) -> RuleVersion | None:
    """Of loaded versions of one set, the one in force; as `come_into_force` without a query."""
    begun = [
        x for x in versions if x.withdrawn_at is None and (x.effective_at is None or x.effective_at <= now)
    ]
    return max(begun, key=lambda x: (x.effective_at or x.published_at, x.number), default=None)


def newest_versions(purpose: str, scopes: Iterable[str], *, now: datetime) -> QuerySet[RuleVersion]:
    """The version in force of every active set of these scopes and of all merchants, general ones first; without
    its content.
    """
    newest = come_into_force(RuleVersion.objects.filter(ruleset=OuterRef("ruleset")), now=now).values("pk")[
        :1
    ]
    return (
        RuleVersion.objects.filter(
            Q(ruleset__scope="") | Q(ruleset__scope__in=set(scopes)),
            ruleset__purpose=purpose,
            ruleset__is_active=True,
            pk=Subquery(newest),
        )
        .select_related("ruleset")
        .defer("content", "note")
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
