"""What the page of one cross-border check shows: what stops the order, who supplies what, names beside listed parties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from orderhub.inventory.admin_base import is_chinese
from orderhub.kernel import clock
from orderhub.orders import admin_words
from orderhub.orders.compliance import rulebook
from orderhub.orders.compliance.engine import said
from orderhub.orders.compliance.engine.language import RANK, Row
from orderhub.orders.compliance.models import Clearance, ComplianceCheck, ComplianceRule, Party

TONES = {"pass": "ok", "note": "wait", "hold": "warn", "block": "bad"}
_OUTCOMES = {"note": _("note"), "hold": _("to be supplied"), "block": _("may not be sent")}
_BY = {"merchant": _("the merchant"), "customer": _("the customer"), "compliance": _("a compliance officer")}


@dataclass(frozen=True, slots=True)
class Line:
    """One finding in words, with the rule that says so."""

    text: str
    tone: str
    outcome: str
    by: str
    rule: str
    rule_link: str
    asks: str
    source: str
    source_link: str


@dataclass(frozen=True, slots=True)
class Likeness:
    """A name of the order beside a listed party's."""

    name: str
    country: str
    listed: str
    list_name: str
    number: str
    program: str
    countries: str
    score: str
    facts: str


def context(request: HttpRequest, check: ComplianceCheck, *, may_decide: bool) -> dict[str, Any]:
    """Everything the page needs; five queries."""
    order = check.order
    versions = {
        (x.rule, x.version): x for x in ComplianceRule.objects.filter(rule__in={f["rule"] for f in check.findings})
    }  # fmt: skip
    found = sorted(check.findings, key=lambda x: -RANK[x["outcome"]])
    lines = [_line(x, versions) for x in found if x["outcome"] != "pass"]
    stops = check.outcome in (ComplianceCheck.Outcome.HOLD, ComplianceCheck.Outcome.BLOCK)
    return {
        "check": check, "order": order, "order_link": reverse("admin:orders_order_change", args=(order.pk,)),
        "tone": TONES[check.outcome], "lines": [x for x in lines if x.tone != "wait"],
        "notes": [x for x in lines if x.tone == "wait"], "passed": sum(x["outcome"] == "pass" for x in found),
        "near": _near(check), "rates": [(code, rate, day) for code, (rate, day) in check.rates.items()],
        "value": admin_words.money(order.total, order.currency), "receiver": admin_words.masked(order.person),
        "goes_to": admin_words.destination(order, zh=is_chinese()),
        "accepted": [(key, x.get("by", ""), x.get("reason", "")) for key, x in check.accepted.items()],
        "actions": _actions(check) if may_decide and stops else [],
        "clearances": Clearance.objects.filter(merchant=check.merchant_id).order_by("-pk")[:5] if _has_near(check) else [],
    }  # fmt: skip


def sentence(rule: ComplianceRule) -> str:
    """What a rule asks for, in the reader's language."""
    return _pick(said.says(_row(rule)))


def lane(rule: ComplianceRule) -> str:
    """From where to where, in the reader's language."""
    return _pick(said.lane(_row(rule)))


def _row(rule: ComplianceRule) -> Row:
    return rulebook.row_of(rule, now=clock.now())


def _pick(pair: tuple[str, str]) -> str:
    return pair[0] if is_chinese() else pair[1]


def _line(finding: Mapping[str, Any], versions: Mapping[tuple[str, int], ComplianceRule]) -> Line:
    rule = versions.get((finding["rule"], finding["version"]))
    link = reverse("admin:compliance_compliancerule_change", args=(rule.pk,)) if rule is not None else ""
    is_link = str(finding["source"]).startswith(("https://", "http://"))
    return Line(
        str(finding["zh"] if is_chinese() else finding["en"]), TONES[finding["outcome"]],
        str(_OUTCOMES.get(finding["outcome"], "")), str(_BY.get(finding["by"], "")),
        f"{finding['rule']} v{finding['version']}" if finding["rule"] else "", link,
        sentence(rule) if rule is not None else "", rule.source if rule is not None else str(finding["source"]),
        (rule.source_url if rule is not None else "") or (str(finding["source"]) if is_link else ""),
    )  # fmt: skip


def _has_near(check: ComplianceCheck) -> bool:
    return any(x["code"] == "party_near" for x in check.findings)


def _near(check: ComplianceCheck) -> list[Likeness]:
    """Names of the order that are near a listed party's, with what is known of both."""
    near = [x for x in check.findings if x["code"] == "party_near"]
    numbers = {x["inputs"].get("party", "") for x in near}
    parties = (
        {x.number: x for x in Party.objects.filter(number__in=numbers).select_related("source_list")}
        if near
        else {}
    )
    return [_likeness(x["inputs"], parties.get(x["inputs"].get("party", "")), check) for x in near]


def _likeness(inputs: Mapping[str, str], party: Party | None, check: ComplianceCheck) -> Likeness:
    return Likeness(
        inputs.get("name", ""), check.order.country, party.name if party else "", party.source_list.code if party else "",
        inputs.get("party", ""), party.program if party else "", ", ".join(party.countries) if party else "",
        inputs.get("score", ""), inputs.get("facts", ""),
    )  # fmt: skip


def _actions(check: ComplianceCheck) -> list[tuple[Any, str]]:
    """What a person may do about it, each a page that asks for a reason."""
    holding = [x for x in check.findings if x["outcome"] == "hold"]
    found: list[tuple[Any, str]] = []
    if any(x["code"] == "party_near" for x in holding):
        found.append(
            (
                _("Not the listed party…"),
                reverse("admin:compliance_compliancecheck_clear_name", args=(check.pk,)),
            )
        )
    if any("id_number" in x["supply"] for x in holding):
        found.append(
            (_("Identity number…"), reverse("admin:compliance_compliancecheck_identity", args=(check.pk,)))
        )
    if holding:
        found.append(
            (_("Accept findings…"), reverse("admin:compliance_compliancecheck_accept", args=(check.pk,)))
        )
    return found
