"""Reading what was published and what is in force."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import connection
from django.db.models import F, Q, QuerySet
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


_NEWEST = f"""
SELECT v.id, v.number, v.digest, s.id, s.code, s.scope FROM {RuleSet._meta.db_table} s
JOIN {RuleVersion._meta.db_table} v ON v.id = (
    SELECT u.id FROM {RuleVersion._meta.db_table} u
    WHERE u.ruleset_id = s.id AND (u.effective_at IS NULL OR u.effective_at <= %s) AND u.withdrawn_at IS NULL
    ORDER BY COALESCE(u.effective_at, u.published_at) DESC, u.number DESC LIMIT 1)
WHERE s.purpose = %s AND s.is_active AND s.scope IN ({{marks}}) ORDER BY s.scope, s.code"""  # noqa: S608  (fixed words only)


def newest_versions(purpose: str, scopes: Iterable[str], *, now: datetime) -> list[RuleVersion]:
    """The version in force of every active set of these scopes and of all merchants, general ones first; number and
    digest only, with the set's code and scope. As `come_into_force`, written out: each batch of orders asks it twice.
    """
    wanted = sorted({"", *scopes})
    statement = _NEWEST.format(marks=", ".join(["%s"] * len(wanted)))
    with connection.cursor() as cursor:
        cursor.execute(statement, [connection.ops.adapt_datetimefield_value(now), purpose, *wanted])
        rows = cursor.fetchall()
    found = []
    for version_id, number, digest, set_id, code, scope in rows:
        # The values in the order of the model's fields, as `from_db` takes them.
        version = RuleVersion.from_db(
            connection.alias, ["id", "ruleset_id", "number", "digest"], [version_id, set_id, number, digest]
        )
        version.ruleset = RuleSet.from_db(
            connection.alias, ["id", "code", "purpose", "scope"], [set_id, code, purpose, scope]
        )
        found.append(version)
    return found


def draft_rules(ruleset: RuleSet) -> QuerySet[Rule]:
    """The active rules of the draft in the order they run."""
    return ruleset.rules.filter(is_active=True).order_by("priority", "code")


def history(ruleset: RuleSet) -> QuerySet[RuleVersion]:
    """All published versions, newest first, with who published them."""
    return ruleset.versions.select_related("published_by").order_by("-number")


def active_flows(scopes: Iterable[str]) -> QuerySet[Flow]:
    """The active flows of these scopes, newest last, without their drawings."""
    return Flow.objects.filter(scope__in=set(scopes), is_active=True).defer("draft").order_by("pk")
