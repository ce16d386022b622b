"""The shelf of cross-border rules: a copy is a new version for the rulebook, which a second person activates."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from orderhub.kernel import clock
from orderhub.orders.compliance import rulebook
from orderhub.orders.compliance.engine import said
from orderhub.orders.compliance.models import ComplianceRule
from rules.library import shelves
from rules.library.shelves import Copy, Entry, Shelf, Target, Words

_BOOK = "all"


def entries() -> list[Entry]:
    """Each starter row in words, with its lane, days, source and doubt."""
    return [_entry(rule) for rule in rulebook.read_starter()]


def targets(user: Any) -> list[Target]:
    """The one rulebook; staff of one merchant have none of their own."""
    return (
        []
        if getattr(user, "merchant_id", None) is not None
        else [Target(_BOOK, _now("the rulebook of all merchants"))]
    )


@transaction.atomic
def copy(asked: Copy) -> str:
    """Make a new version of the rule, not active yet; the address of its page. Raises ValidationError."""
    if not targets(asked.user):
        raise ValidationError(_("The rulebook is not yours to change."))
    row = next(x for x in rulebook.read_starter() if x.rule == asked.entry.code)
    row.version = rulebook.next_version(row.rule)
    row.created_by = f"user:{asked.user.get_username()}"[:80]
    row.save()
    return reverse("admin:compliance_compliancerule_change", args=(row.pk,))


def _entry(rule: ComplianceRule) -> Entry:
    row = rulebook.row_of(rule, now=clock.now())
    (zh, en), (lane_zh, lane_en), (days_zh, days_en) = said.says(row), said.lane(row), said.days(row)
    source = " · ".join(filter(None, (rule.source, rule.source_url, rule.doubt)))
    return Entry(
        rule.rule, Words(f"{lane_zh} · {rule.rule}", f"{lane_en} · {rule.rule}"), Words(zh, en),
        Words(days_zh, days_en), (rule.kind,), source=source,
    )  # fmt: skip


shelves.register(
    Shelf(
        code="compliance", name=_("Cross-border rules"), icon="globe", sees="compliance.view_compliancerule",
        copies="compliance.add_compliancerule", target_label=_("rulebook"), entries=entries, targets=targets, copy=copy,
        position=30,
    )
)  # fmt: skip
