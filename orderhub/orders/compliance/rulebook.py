"""The rows in force as the engine reads them; loading the starter rows, confirming and activating."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub.kernel.errors import Refused
from orderhub.orders.compliance.engine import Row, RowError, Rulebook, compile_rows
from orderhub.orders.compliance.models import ComplianceRule

STARTER = Path(__file__).resolve().parent / "data" / "rules.csv"
#: A confirmation counts so long; then the row asks again.
CONFIRMED_FOR = timedelta(days=90)


def load(*, now: datetime) -> Rulebook:
    """All active rows; one query."""
    return compiled(row_of(x, now=now) for x in ComplianceRule.objects.filter(activated_at__isnull=False))


def compiled(rows: Iterable[Row]) -> Rulebook:
    """Rows ready to check with; raises RowError."""
    return compile_rows(rows)


def row_of(rule: ComplianceRule, *, now: datetime) -> Row:
    """One stored row as the engine reads it; a confirmation older than 90 days counts no more."""
    is_confirmed = rule.confirmed_at is not None and now - rule.confirmed_at <= CONFIRMED_FOR
    return Row(
        rule.rule, rule.version, rule.origin, rule.destination, rule.kind, rule.params, rule.valid_from, rule.valid_to,
        rule.status, is_confirmed, rule.source or rule.source_url, rule.doubt,
    )  # fmt: skip


def read_starter(path: Path = STARTER) -> list[ComplianceRule]:
    """The starter rows, unsaved; raises RowError for a row that cannot be used."""
    with path.open(encoding="utf-8", newline="") as file:
        return [_read(row) for row in csv.DictReader(file)]


@transaction.atomic
def start(*, now: datetime, actor: str = "system") -> int:
    """Add the starter rules that are not there yet, active; how many. Edited or ended rules stay as they are."""
    known = set(ComplianceRule.objects.values_list("rule", flat=True))
    new = [row for row in read_starter() if row.rule not in known]
    for row in new:
        row.created_by = row.activated_by = actor
        row.activated_at = now
    ComplianceRule.objects.bulk_create(new)
    return len(new)


@transaction.atomic
def activate(pk: int, *, actor: str, now: datetime) -> ComplianceRule:
    """Let a version count; the one before ends on its first day. Raises Refused("own_rule" | "already_active" | "bad_rule").

    The caller has the orders checked again afterwards (`checking.recheck_open`).
    """
    rule = ComplianceRule.objects.select_for_update().get(pk=pk)
    if rule.activated_at is not None:
        raise Refused("already_active", _("This version is active already."))
    if rule.created_by == actor:
        raise Refused(
            "own_rule", _("A second person has to activate this rule."), remedy=_("Ask a colleague.")
        )
    older = ComplianceRule.objects.filter(rule=rule.rule, activated_at__isnull=False).exclude(pk=pk)
    if (
        older.filter(version__gte=rule.version).exists()
        or older.filter(valid_from__gte=rule.valid_from).exists()
    ):
        raise Refused(
            "not_newer", _("A newer version of this rule is active."),
            remedy=_("Enter a new version with a later first day."),
        )  # fmt: skip
    try:
        compiled([row_of(rule, now=now)])
    except RowError as fault:
        raise Refused(
            "bad_rule", _("This rule cannot be used: %(fault)s.") % {"fault": fault.en}, status=400
        ) from fault
    older.filter(Q(valid_to=None) | Q(valid_to__gt=rule.valid_from)).update(valid_to=rule.valid_from)
    rule.activated_by, rule.activated_at = actor[:80], now
    rule.save(update_fields=["activated_by", "activated_at"])
    return rule


@transaction.atomic
def confirm(pk: int, *, source: str, actor: str, now: datetime) -> ComplianceRule:
    """Note that somebody compared the row with a source; it counts for 90 days. Raises Refused("source_missing")."""
    if not source.strip():
        raise Refused(
            "source_missing", _("Name the source you compared the rule with."), status=400, field="source"
        )
    rule = ComplianceRule.objects.select_for_update().get(pk=pk)
    rule.confirmed_by, rule.confirmed_at, rule.confirmed_source = actor[:80], now, source.strip()[:300]
    rule.save(update_fields=["confirmed_by", "confirmed_at", "confirmed_source"])
    return rule


def next_version(rule: str) -> int:
    """The number a new version of this rule gets."""
    newest = (
        ComplianceRule.objects.filter(rule=rule)
        .order_by("-version")
        .values_list("version", flat=True)
        .first()
    )
    return (newest or 0) + 1


def with_one_more(book: Rulebook, rule: ComplianceRule, *, now: datetime) -> Rulebook:
    """The rulebook as it would be with this version active."""
    new = row_of(rule, now=now)
    kept = [
        replace(row, valid_to=new.valid_from)
        if row.rule == new.rule and _reaches(row, new.valid_from)
        else row
        for row in book.rows
    ]
    return compiled([*kept, new])


def _reaches(row: Row, day: date) -> bool:
    return row.valid_from < day and (row.valid_to is None or row.valid_to > day)


def _read(row: dict[str, str]) -> ComplianceRule:
    origin, _sign, destination = row["lane"].partition(">")
    try:
        params = json.loads(row["params"] or "{}")
    except ValueError:
        raise RowError(row["rule_id"], "params", zh="不是 JSON", en="is no JSON") from None
    rule = ComplianceRule(
        rule=row["rule_id"], version=1, origin=origin, destination=destination, kind=row["kind"], params=params,
        valid_from=date.fromisoformat(row["valid_from"]),
        valid_to=date.fromisoformat(row["valid_to"]) if row["valid_to"] else None, status=row["status"],
        source=row["source"], source_url=row["source_url"], confidence=row["confidence"], doubt=row["doubt"],
    )  # fmt: skip
    compiled(
        [
            Row(
                rule.rule,
                1,
                origin,
                destination,
                rule.kind,
                params,
                rule.valid_from,
                rule.valid_to,
                rule.status,
            )
        ]
    )
    return rule
