"""A result as the JSON object of the case interface: decimals as strings, unknown figures as null."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from carbon.core.rounding import exact
from carbon.estimate import ElementResult, Figures, LedgerSum, Result

SCHEMA = "orderhub.carbon.result/1"


def result_json(result: Result, *, case_id: object, quantum: Decimal) -> dict[str, Any]:
    """A result as the JSON object of the interface; `quantum` fixes the decimals of the ledger figures."""
    return {
        "schema": SCHEMA,
        "id": case_id,
        "status": "ok",
        "total": _figures(result.total),
        "ledger_total": _sums(result.ledger_total, quantum),
        "lines": [{"id": line.id, **_sums(line, quantum)} for line in result.lines],
        "by_stage": {stage: f"{kg:f}" for stage, kg in result.by_stage.items()},
        "primary_data_share": f"{result.primary_data_share:f}",
        "flags": list(result.flags),
        "errors": [],
        "factor_ids": list(result.factor_ids),
        "elements": [_element(element) for element in result.elements],
    }


def _element(element: ElementResult) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": element.id,
        "kind": element.kind,
        "stage": element.stage,
        "data_type": element.data_type,
        "tkm": _text(None if element.tkm is None else exact(element.tkm)),
        **_figures(element.figures),
        "factors": list(element.factor_ids),
        "flags": list(element.flags),
    }
    if element.gsd95 is not None:
        body["gsd95"] = f"{element.gsd95:f}"
    return body


def _figures(figures: Figures) -> dict[str, str | None]:
    return {
        "ttw_kg": _text(figures.ttw_kg),
        "wtt_kg": _text(figures.wtt_kg),
        "wtw_kg": _text(figures.wtw_kg),
        "non_transport_kg": _text(figures.non_transport_kg),
        "total_kg": _text(figures.total_kg),
        "location_total_kg": _text(figures.location_total_kg),
        "market_total_kg": _text(figures.market_total_kg),
    }


def _sums(sums: LedgerSum, quantum: Decimal) -> dict[str, str | None]:
    def text(kg: Decimal | None) -> str | None:
        return None if kg is None else f"{kg.quantize(quantum):f}"

    return {
        "ttw_kg": text(sums.ttw_kg),
        "wtt_kg": text(sums.wtt_kg),
        "wtw_kg": text(sums.wtw_kg),
        "non_transport_kg": text(sums.non_transport_kg),
        "total_kg": text(sums.total_kg),
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"
