"""Reading decisions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from orderhub.access.models import Merchant
from routing import record, strategies
from routing.engine import criteria, explain, flips, model
from routing.engine.model import ZERO
from routing.models import Decision
from routing.replaying import JOINT
from routing.vocabulary import METHODS, NOTES, STATUSES, TERMS, Language, pick, word

PLANNED_TOGETHER = (
    "与其他订单一起规划，单项权重不能说明结果",
    "planned together with other orders: no weight of its own explains it",
)


def current(order_id: int) -> Decision | None:
    """The decision in force for an order, with its strategy."""
    return history(order_id).filter(superseded_at__isnull=True).first()


def history(order_id: int) -> QuerySet[Decision]:
    """All decisions about an order, newest first."""
    return (
        Decision.objects.filter(order_id=order_id)
        .select_related("strategy__strategy", "order")
        .order_by("-pk")
    )


def decision_document(
    order_id: int, *, merchant: Merchant | None = None, language: str = "zh-hans"
) -> dict[str, Any] | None:
    """The current decision of an order as it is shown: one sentence, terms in ¥, alternatives, what was
    removed.

    None if the order has none, or belongs to another merchant than `merchant`.
    """
    decision = current(order_id)
    if decision is None or (merchant is not None and decision.merchant_id != merchant.pk):
        return None
    return document(decision, language="en" if language.startswith("en") else "zh")


def document(decision: Decision, *, language: Language) -> dict[str, Any]:
    """One decision as it is shown."""
    told = record.engine_decision(decision, language=language)
    winner: dict[str, Any] | None = decision.plan
    return {
        "id": decision.pk,
        "order": decision.order_id,
        "number": decision.order.number,
        "status": decision.status,
        "status_text": word(STATUSES, decision.status, language),
        "sentence": explain.sentence(told, language),
        "customer_sentence": explain.customer_sentence(told, language),
        "decided_at": decision.decided_at,
        "superseded_at": decision.superseded_at,
        "method": decision.method,
        "method_text": word(METHODS, decision.method, language),
        "elapsed_ms": decision.elapsed_ms,
        "strategy": _strategy(decision, language),
        "total": decision.total,
        "winner": winner,
        "runner_up": decision.alternatives[0] if decision.alternatives else None,
        "terms": _breakdown(told, language),
        "criteria": _criteria(told, language),
        "flips": _flips(decision, told, language),
        "can_replay": bool(decision.inputs) and decision.method not in JOINT,
        "rounding_error": _rounding_error(told.plan) if told.plan else None,
        "alternatives": decision.alternatives,
        "removed": [{**row, "text": record.removal_text(row, language=language)} for row in decision.removed],
        "shortages": decision.shortages,
        "notes": [
            {"code": code, "text": word(NOTES, code, language)} for code in (winner or {}).get("notes", [])
        ],
    }


def _strategy(decision: Decision, language: Language) -> dict[str, Any]:
    strategy = decision.strategy.strategy
    return {
        "code": strategy.code,
        "name": (strategy.name_en or strategy.name) if language == "en" else strategy.name,
        "version": decision.strategy.number,
        "figures": decision.strategy.values,
    }


def _breakdown(told: model.Decision, language: Language) -> list[dict[str, Any]]:
    """One row a term in yuan: the winner's, the runner-up's and the difference; minus is in the winner's
    favor."""
    if told.plan is None:
        return []
    terms, other = told.plan.terms, told.alternatives[0].terms if told.alternatives else None
    cents = explain.in_cents(told.plan, told.alternatives[0]) if told.alternatives else {}
    return [
        {
            "code": code,
            "label": word(TERMS, code, language),
            "winner": terms.get(code, ZERO),
            "runner_up": other.get(code, ZERO) if other else None,
            "difference": terms.get(code, ZERO) - other.get(code, ZERO) if other else None,
            "cents": cents.get(code, ZERO) if other else None,
        }
        for code in TERMS
    ]


def _criteria(told: model.Decision, language: Language) -> list[dict[str, Any]]:
    """Of a sequential strategy, one row a criterion in order, with both figures and which of them decides."""
    if told.plan is None or not told.alternatives or not told.order:
        return []
    rows = criteria.compared(told.plan, told.alternatives[0], told.order)
    place = criteria.deciding(rows)
    found = []
    for n, row in enumerate(rows):
        winner, runner_up = criteria.shown(row, language)
        label = criteria.label(row.code, language)
        found.append(
            {
                "code": row.code,
                "label": label,
                "winner": winner,
                "runner_up": runner_up,
                "decides": n == place,
            }
        )
    return found


def _flips(decision: Decision, told: model.Decision, language: Language) -> dict[str, Any]:
    """What change of a single weight makes a kept alternative cheaper; or the sentence that none does."""
    if told.plan is None or not told.alternatives:
        return {"weights": [], "text": ""}
    if decision.method in JOINT:
        return {"weights": [], "text": pick(PLANNED_TOGETHER, language)}
    rates = strategies.rates(decision.strategy)
    found = flips.flips(told, rates, remote=decision.order.is_remote)
    rows = [
        {
            "weight": flip.weight, "now": flip.now, "then": flip.then, "alternative": flip.alternative,
            "text": flips.flip_sentence(flip, told, language),
        }
        for flip in found
    ]  # fmt: skip
    return {"weights": rows, "text": "" if rows else flips.no_flip_sentence(rates, language)}


def _rounding_error(plan: model.Plan) -> Decimal:
    """The total less the sum of its terms; zero but for faults."""
    return plan.total - sum(plan.terms.values(), Decimal(0))
