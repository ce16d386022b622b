"""Where a field is used: the rules that name it, and the pages that show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from orderhub.fields import targets
from orderhub.fields.models import Field
from orderhub.fields.targets import Use
from orderhub.fields.vocabulary import names_of
from orderhub.fields.wording import is_chinese
from rules import queries as rule_rows
from rules.models import Flow, FlowVersion, RuleSet, RuleVersion


def of(field: Field) -> list[Use]:
    """Every use, those first that keep the field from being removed."""
    return of_many([field])[field.pk]


def of_many(fields: Sequence[Field]) -> dict[int, list[Use]]:
    """As `of` for several fields, by their ids; a constant number of queries."""
    found: dict[int, list[Use]] = {field.pk: [] for field in fields}
    named = {field.pk: names_of(field) for field in fields}
    for find in (_of_rules, _of_flows):
        for pk, use in find([field for field in fields if named[field.pk]], named):
            found[pk].append(use)
    for field in fields:
        found[field.pk] += _pages(field)
    for finder in targets.finders():
        for field in fields:
            found[field.pk] += finder(field)
    return {pk: sorted(rows, key=lambda use: not use.blocks) for pk, rows in found.items()}


def mentioned(content: Any, names: frozenset[str]) -> bool:
    """Whether any condition or node in a JSON document names one of these facts."""
    if isinstance(content, dict):
        # A condition asks for a `fact`; a node of a drawing fills a `field`.
        if any(isinstance(name := content.get(key), str) and name in names for key in ("fact", "field")):
            return True
        return any(mentioned(inner, names) for inner in content.values())
    return isinstance(content, list) and any(mentioned(inner, names) for inner in content)


def can_name(scope: str, field: Field) -> bool:
    """Whether rules of a scope can name the field: those of its merchant, or anybody's if it is for all merchants."""
    return field.merchant_id is None or scope == f"merchant:{field.merchant_id}"


def link(name: str, *args: object) -> str:
    """An admin address; empty where the page is not there."""
    try:
        return reverse(f"admin:{name}", args=args)
    except NoReverseMatch:
        return ""


def _of_rules(fields: Sequence[Field], named: Mapping[int, frozenset[str]]) -> Iterator[tuple[int, Use]]:
    if not fields:
        return
    now = timezone.now()
    for one in RuleSet.objects.prefetch_related("rules", "versions"):
        page = link("rules_ruleset_change", one.pk)
        title = one.name if is_chinese() else one.name_en or one.name
        versions = list(one.versions.all())
        current = rule_rows.current(versions, now=now) if one.is_active else None
        for field in fields:
            if can_name(one.scope, field):
                names = named[field.pk]
                for use in _of_versions(versions, current, names, title, page, now):
                    yield field.pk, use
                drafts = [x for x in one.rules.all() if mentioned(x.condition, names)]
                if drafts:
                    yield (
                        field.pk,
                        Use(_("draft of rules"), title, ", ".join(str(x) for x in drafts[:10]), page),
                    )


def _of_versions(
    versions: Sequence[RuleVersion], current: RuleVersion | None, names: frozenset[str], title: str, page: str,
    now: datetime,
) -> Iterator[Use]:  # fmt: skip
    waiting = [
        x for x in versions if x.withdrawn_at is None and x.effective_at is not None and x.effective_at > now
    ]
    for version in [*([current] if current else []), *waiting]:
        found = [
            str(x.get("name") or x["id"]) for x in version.content["rules"] if mentioned(x.get("when"), names)
        ]
        if found:
            kind = _("rules in force") if version is current else _("rules that come into force")
            detail = _("version %(number)d: %(rules)s") % {
                "number": version.number, "rules": ", ".join(found[:10]),
            }  # fmt: skip
            yield Use(kind, title, detail, page, blocks=True)


def _of_flows(fields: Sequence[Field], named: Mapping[int, frozenset[str]]) -> Iterator[tuple[int, Use]]:
    """Flows count until their last order is through, so every published version that was not withdrawn keeps a field."""
    if not fields:
        return
    rows = {flow.pk: flow for flow in Flow.objects.all()}
    versions = list(FlowVersion.objects.filter(withdrawn_at__isnull=True).order_by("flow", "-number"))
    for field in fields:
        names, told = named[field.pk], set[int]()
        for version in versions:
            flow = rows[version.flow_id]
            if flow.pk in told or not (flow.is_active and can_name(flow.scope, field)):
                continue
            if mentioned(version.content, names):
                told.add(flow.pk)
                detail = _("version %(number)d") % {"number": version.number}
                page = link("rules_flow_change", flow.pk)
                yield field.pk, Use(_("published order flow"), str(flow), detail, page, blocks=True)
        for flow in rows.values():
            if flow.pk not in told and can_name(flow.scope, field) and mentioned(flow.draft, names):
                page = link("rules_flow_change", flow.pk)
                yield field.pk, Use(_("draft of an order flow"), str(flow), "", page)


def _pages(field: Field) -> Iterator[Use]:
    if field.in_list:
        yield Use(_("list"), _("column"))
    if field.in_filter:
        yield Use(_("list"), _("filter"))
    if field.customer_sees:
        yield Use(_("tracking page"), _("shown to customers"))
    if field.merchant_may != Field.MerchantMay.NOTHING:
        yield Use(_("API and files"), f"custom.{field.code}", str(field.get_merchant_may_display()))
