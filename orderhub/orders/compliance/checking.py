"""The cross-border check of a batch inside `order.screen`, and again whenever rules, lists or papers change."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from orderhub.events import rows
from orderhub.orders import holding
from orderhub.orders.compliance import parties, rulebook, shipments, usage
from orderhub.orders.compliance.engine import HOLD, Finding, Near, Rulebook, Shipment, Verdict, check
from orderhub.orders.compliance.engine.language import NOTE, RANK
from orderhub.orders.compliance.engine.regimes import QUANTITIES, kilograms
from orderhub.orders.compliance.models import ComplianceCheck, ComplianceRule
from orderhub.orders.holding import NewHold
from orderhub.orders.models import Hold, Order, OrderLine
from orderhub.orders.models.order import StepState

logger = logging.getLogger(__name__)
_REASON = Hold.Reason.COMPLIANCE.value
_STOPPING = frozenset({ComplianceCheck.Outcome.HOLD.value, ComplianceCheck.Outcome.BLOCK.value})
_FIELDS = [field.name for field in ComplianceCheck._meta.concrete_fields if field.name != "order"]
_AT_ONCE = 100
Lines = Mapping[int, Sequence[OrderLine]]


@dataclass(slots=True)
class Checked:
    """What came of a batch: the holds it asks for, and the orders whose names are near a listed party's."""

    holds: list[NewHold] = field(default_factory=list)
    near: set[int] = field(default_factory=set)
    checks: list[ComplianceCheck] = field(default_factory=list)


def assess(orders: Sequence[Order], lines: Lines, *, now: datetime) -> Checked:
    """Check the locked orders that leave their country and keep every finding; no statement where none does.

    Fifteen statements or fewer for any number of orders. An order that lacks something is held each time until it is
    supplied, or somebody accepts the finding; what is blocked nobody can accept.
    """
    leaving = [order for order in orders if shipments.is_cross_border(order)]
    if not leaving:
        return Checked()
    book = rulebook.load(now=now)
    before = ComplianceCheck.objects.in_bulk([order.pk for order in leaving])
    known = shipments.read(leaving, lines, now=now)
    near = _screened(leaving, book, lines, known)
    checked = _judged(leaving, lines, book, known, near, before, now=now)
    rows.insert(checked, update=_FIELDS)
    holds = [
        NewHold(x.order, _REASON, detail(x), detail_en=detail(x, "en"))
        for x in checked
        if x.outcome in _STOPPING
    ]
    return Checked(holds, {pk for pk, found in near.items() if found}, checked)


@transaction.atomic
def recheck(order_ids: Collection[int], *, now: datetime, actor: str) -> int:
    """Check orders again that still wait: hold those that fail now, release those that no longer do. How many changed."""
    found = (
        Order.objects.select_for_update(no_key=True)
        .filter(pk__in=order_ids)
        .exclude(step_state=StepState.DONE)
    )
    orders = list(found.prefetch_related("merchant", "channel", "person").order_by("pk"))
    lines = _lines(orders)
    checked = assess(orders, lines, now=now)
    held = {x.order_id for x in holding.active([order.pk for order in orders]) if x.reason == _REASON}
    new = [x for x in checked.holds if x.order.pk not in held and holding.can_hold(x.order)]
    holding.place(new, now=now, actor=actor)
    stopping = {x.order.pk for x in checked.holds}
    done = {x.order_id for x in checked.checks} - stopping
    freed = [order for order in orders if order.pk in done & held]
    holding.release(freed, lambda x: x.reason == _REASON, note="", now=now, actor=actor)
    return len(new) + len(freed)


def recheck_open(*, now: datetime, actor: str) -> int:
    """Check every open cross-border order again, 100 per transaction: after a rule, a rate or a list has changed."""
    open_ones = ComplianceCheck.objects.exclude(order__step_state=StepState.DONE).order_by("pk")
    ids = list(open_ones.values_list("pk", flat=True))
    return sum(recheck(ids[at : at + _AT_ONCE], now=now, actor=actor) for at in range(0, len(ids), _AT_ONCE))


def preview(rule: ComplianceRule, *, now: datetime, most: int = 500) -> list[tuple[Order, str, str]]:
    """The open orders whose outcome this version would change: order, outcome now, outcome then. Writes nothing."""
    open_ones = ComplianceCheck.objects.exclude(order__step_state=StepState.DONE).order_by("-pk")[:most]
    checks = {x.pk: x for x in open_ones}
    orders = list(
        Order.objects.filter(pk__in=checks).prefetch_related("merchant", "channel", "person").order_by("pk")
    )
    if not orders:
        return []
    lines = _lines(orders)
    book = rulebook.load(now=now)
    then = rulebook.with_one_more(book, rule, now=now)
    known = shipments.read(orders, lines, now=now)
    changed: list[tuple[Order, str, str]] = []
    for order in orders:
        seen = shipments.shipment(order, lines[order.pk], known)
        outcomes = [_softened(check(x, seen), checks[order.pk].accepted).outcome for x in (book, then)]
        if outcomes[0] != outcomes[1]:
            changed.append((order, outcomes[0], outcomes[1]))
    return changed


def detail(row: ComplianceCheck, tongue: str = "zh") -> str:
    """What is wrong, for the hold: the gravest first; `tongue` is zh or en."""
    grave = sorted((x for x in row.findings if x["outcome"] in _STOPPING), key=lambda x: -RANK[x["outcome"]])
    return ("; " if tongue == "en" else "；").join(str(x.get(tongue) or x["zh"]) for x in grave)[:300]


# ---- a batch ---------------------------------------------------------------------------------------


def _screened(
    orders: Sequence[Order], book: Rulebook, lines: Lines, known: shipments.Known
) -> dict[int, list[Near]]:
    """Per order the listed parties its names are near to, where a row of the lane asks for screening."""
    asked: dict[parties.Asked, list[int]] = defaultdict(list)
    limits: list[int] = []
    for order in orders:
        wanted = book.in_force("screening", shipments.shipment(order, lines[order.pk], known))
        if not wanted:
            continue
        limits += [int(Decimal(row.params["review_from"])) for row in wanted]
        for who, name in shipments.names_of(order):
            asked[parties.Asked(order.merchant_id, who, name, order.country)].append(order.pk)
    found: dict[int, list[Near]] = defaultdict(list)
    if asked:
        for one, near in parties.near(list(asked), from_score=min(limits)).items():
            for pk in asked[one]:
                found[pk] += near
    return found


def _judged(
    orders: Sequence[Order], lines: Lines, book: Rulebook, known: shipments.Known, near: Mapping[int, list[Near]],
    before: Mapping[int, ComplianceCheck], *, now: datetime,
) -> list[ComplianceCheck]:  # fmt: skip
    seen = {
        order.pk: shipments.shipment(order, lines[order.pk], known, near=near.get(order.pk, ()))
        for order in orders
    }
    own = {order.pk: _own(order, seen[order.pk], book) for order in orders}
    counted = {pk: _counted(row) for pk, row in before.items()}
    wanted = {name for those in (*own.values(), *counted.values()) for name in those}
    stands = usage.lock(wanted) if wanted else {}
    changes: dict[usage.Name, int] = defaultdict(int)
    checked = []
    for order in sorted(orders, key=lambda x: (x.placed_at, x.pk)):
        for name, amount in counted.get(order.pk, {}).items():  # an order does not stand in its own way
            changes[name] -= amount
        used = {name[3]: _from_units(name[3], stands[name] + changes[name]) for name in own[order.pk]}
        old = before.get(order.pk)
        verdict = _softened(
            check(book, replace(seen[order.pk], year_before=used)), old.accepted if old else {}
        )
        takes = own[order.pk] if verdict.outcome != "block" else {}
        for name, amount in takes.items():
            changes[name] += amount
        checked.append(_row(order, seen[order.pk], verdict, takes, old, now=now))
    usage.add(changes)
    return checked


def _row(
    order: Order, seen: Shipment, verdict: Verdict, takes: Mapping[usage.Name, int], old: ComplianceCheck | None, *,
    now: datetime,
) -> ComplianceCheck:  # fmt: skip
    used = {
        code: [str(rate), day.isoformat()]
        for code, (rate, day) in seen.rates.items()
        if code == seen.currency
    }
    return ComplianceCheck(
        order=order, merchant_id=order.merchant_id, lane=f"{seen.origin}>{seen.destination}", outcome=verdict.outcome,
        findings=[{**asdict(x), "key": x.key} for x in verdict.findings], accepted=old.accepted if old else {},
        counted={"|".join(map(str, name)): amount for name, amount in takes.items()}, rates=used, checked_at=now,
    )  # fmt: skip


def _own(order: Order, seen: Shipment, book: Rulebook) -> dict[usage.Name, int]:
    """What the order takes of yearly limits on its lane, by the name of each limit."""
    if not seen.buyer_key:
        return {}
    year = seen.ordered_on.year
    found: dict[usage.Name, int] = {}
    for row in book.in_force("value_limit_year", seen):
        rates = {"CNY": (Decimal(1), seen.ordered_on), **seen.rates}
        wanted = str(row.params["currency"])
        if row.params.get("regime") in (None, seen.regime) and {wanted, seen.currency} <= rates.keys():
            value = seen.value * rates[seen.currency][0] / rates[wanted][0]
            found[order.merchant_id, seen.buyer_key, year, wanted] = int((value * 100).to_integral_value())
    for row in book.in_force("quantity_limit_year", seen):
        for name, (trait, _zh, _en) in QUANTITIES.items():
            if (
                name in row.params
                and row.params.get("regime") in (None, seen.regime)
                and kilograms(seen, trait)
            ):
                found[order.merchant_id, seen.buyer_key, year, name] = int(kilograms(seen, trait) * 1000)
    return found


def _counted(row: ComplianceCheck) -> dict[usage.Name, int]:
    found: dict[usage.Name, int] = {}
    for text, amount in row.counted.items():
        merchant, buyer, year, measure = text.split("|")
        found[int(merchant), buyer, int(year), measure] = int(amount)
    return found


def give_back(order_ids: Collection[int]) -> int:
    """Take cancelled orders out of what their buyers used this year; how many had used something."""
    found = list(ComplianceCheck.objects.filter(pk__in=order_ids).exclude(counted={}).order_by("pk"))
    changes: dict[usage.Name, int] = defaultdict(int)
    for row in found:
        for name, amount in _counted(row).items():
            changes[name] -= amount
        row.counted = {}
    usage.add(changes)
    rows.save(found, ["counted"])
    return len(found)


def _softened(verdict: Verdict, accepted: Mapping[str, Any]) -> Verdict:
    """Findings that somebody accepted hold no more; a block is never accepted."""
    return Verdict(
        tuple(
            _note(x, accepted[x.key]) if x.outcome == HOLD and x.key in accepted else x
            for x in verdict.findings
        )
    )


def _note(finding: Finding, accepted: Mapping[str, str]) -> Finding:
    by = accepted.get("by", "")
    return replace(
        finding, outcome=NOTE, zh=f"{finding.zh}（{by} 已接受）", en=f"{finding.en} (accepted by {by})"
    )


def _from_units(measure: str, amount: int) -> Decimal:
    return Decimal(amount) / (1000 if measure in QUANTITIES else 100)


def _lines(orders: Sequence[Order]) -> dict[int, list[OrderLine]]:
    found: dict[int, list[OrderLine]] = {order.pk: [] for order in orders}
    wanted = OrderLine.objects.filter(order__in=orders).select_related("sku").order_by("order_id", "position")
    for line in wanted:
        found[line.order_id].append(line)
    return found
