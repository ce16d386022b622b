"""Making a kept decision again from its own inputs, and saying where the record differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from orderhub.kernel import canonical
from orderhub.kernel.errors import Refused
from routing import inputs
from routing.engine import model
from routing.engine.decide import decide
from routing.models import Decision

Json = dict[str, Any]
#: What only the engine says of a parcel; rate cards and the inputs of its carbon stand beside it in the record.
_PARCEL = (
    "warehouse_id", "code", "name", "card", "service", "zone", "grams", "hours", "distance_km", "kgco2e", "terms",
    "lines",
)  # fmt: skip
#: Decisions made with others at once are not the cheapest plan of each order by itself.
JOINT = frozenset({"wave"})


@dataclass(frozen=True, slots=True)
class Replayed:
    """A decision made again: where it first differs from the record ("" if nowhere), and both values there."""

    decision: model.Decision
    path: str = ""
    kept: Any = None
    made: Any = None

    @property
    def is_identical(self) -> bool:
        """Whether both are the same to the last byte."""
        return not self.path


def replay(decision: Decision) -> model.Decision:
    """The engine's decision on the inputs that were kept; Refused `not_replayable` where there are none."""
    if not decision.inputs or decision.method in JOINT:
        raise Refused(
            "not_replayable",
            _("This decision cannot be made again by itself."),
            remedy=_("It is older than the record of its inputs, or was made together with other orders."),
        )
    return decide(*inputs.load(decision.inputs))


def compare(decision: Decision) -> Replayed:
    """The decision made again beside its record; Refused as `replay`."""
    again = replay(decision)
    if kept_bytes(decision) == made_bytes(again, decision):
        return Replayed(again)
    made = canonical.plain(_engine(again, is_cut=_is_cut(decision)))
    found = _first_difference(canonical.plain(_stored(decision)), made, "")
    return Replayed(again, *found)


def kept_bytes(decision: Decision) -> str:
    """What the engine said then, in canonical JSON."""
    return canonical.dumps(_stored(decision))


def made_bytes(again: model.Decision, decision: Decision) -> str:
    """What the engine says now, in canonical JSON of the same form as `kept_bytes` of that record."""
    return canonical.dumps(_engine(again, is_cut=_is_cut(decision)))


def _stored(decision: Decision) -> Json:
    plans = [*([decision.plan] if decision.plan else []), *decision.alternatives]
    removed = [_stored_removal(row) for row in decision.removed if row["reason"] != "refused_before"]
    return {
        "status": decision.status,
        "method": decision.method,
        "plans": [_stored_plan(plan) for plan in plans],
        "removed": _counted(removed) if _is_cut(decision) else sorted(removed, key=canonical.dumps),
        "shortages": [[row["line_id"], row["quantity"]] for row in decision.shortages],
    }


def _stored_plan(plan: Mapping[str, Any]) -> Json:
    parcels = [
        {
            **{name: parcel[name] for name in _PARCEL},
            "terms": _terms(parcel["terms"]),
            **({"pieces": [list(piece.values()) for piece in _pieces(parcel)]} if "pieces" in parcel else {}),
        }
        for parcel in plan["parcels"]
    ]
    return {
        **{name: plan[name] for name in ("total", "hours", "kgco2e")},
        "terms": _terms(plan["terms"]),
        "parcels": parcels,
    }


def _terms(terms: Mapping[str, Any]) -> Json:
    """Without a duty of zero: decisions from before that term have none."""
    return {name: amount for name, amount in terms.items() if name != "duty" or Decimal(amount)}


def _pieces(parcel: Mapping[str, Any]) -> list[Json]:
    return [{name: piece[name] for name in ("line_id", "quantity")} for piece in parcel["pieces"]]


def _is_cut(decision: Decision) -> bool:
    """Whether a long list of removals was kept as its first ones and counts."""
    return any("count" in row for row in decision.removed)


def _stored_removal(row: Mapping[str, Any]) -> list[Any]:
    if "count" in row:
        return [None, None, row["reason"], row["count"]]
    return [row["warehouse_id"], row["line_id"], row["reason"], row["facts"]]


def _counted(rows: Sequence[Sequence[Any]]) -> dict[str, int]:
    """Removals by reason."""
    found: dict[str, int] = {}
    for node_id, _line, reason, facts in rows:
        found[reason] = found.get(reason, 0) + (facts if node_id is None else 1)
    return found


def _engine(again: model.Decision, *, is_cut: bool) -> Json:
    plans = [*([again.plan] if again.plan else []), *again.alternatives]
    removed = [[row.node_id, row.line_id, row.code, dict(row.facts)] for row in again.removed]
    return {
        "status": again.status,
        "method": again.method,
        "plans": [_engine_plan(plan, is_winner=plan is again.plan) for plan in plans],
        "removed": _counted(removed) if is_cut else sorted(removed, key=canonical.dumps),
        "shortages": [[row.line_id, row.quantity] for row in again.shortages],
    }


def _engine_plan(plan: model.Plan, *, is_winner: bool) -> Json:
    parcels = [
        {
            "warehouse_id": parcel.node_id, "code": parcel.node_code, "name": parcel.node_name,
            "card": parcel.carrier, "service": parcel.service, "zone": parcel.zone, "grams": parcel.grams,
            "hours": parcel.hours, "distance_km": parcel.distance_km, "kgco2e": parcel.kgco2e,
            "terms": _terms(parcel.terms), "lines": len(parcel.pieces),
            **({"pieces": [[piece.line_id, piece.quantity] for piece in parcel.pieces]} if is_winner else {}),
        }
        for parcel in plan.parcels
    ]  # fmt: skip
    return {
        "terms": _terms(plan.terms), "total": plan.total, "hours": plan.hours, "kgco2e": plan.kgco2e,
        "parcels": parcels,
    }  # fmt: skip


def _first_difference(kept: Any, made: Any, path: str) -> tuple[str, Any, Any]:
    """Where two documents first differ, as a dotted path, with both values; an empty path where they are equal."""
    if isinstance(kept, dict) and isinstance(made, dict):
        pairs: Sequence[tuple[Any, Any, Any]] = [
            (name, kept.get(name), made.get(name)) for name in sorted({*kept, *made})
        ]
    elif isinstance(kept, list) and isinstance(made, list) and len(kept) == len(made):
        pairs = [(at, *both) for at, both in enumerate(zip(kept, made, strict=True))]
    else:
        return ("", None, None) if kept == made else (path or "decision", kept, made)
    for name, one, two in pairs:
        found = _first_difference(one, two, f"{path}.{name}" if path else str(name))
        if found[0]:
            return found
    return "", None, None
