"""Writing the ledger: runs with all their inputs, and entries chained by hash, one chain per merchant."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from carbon.casing import case_of, finished
from carbon.consignments import Contents
from carbon.estimate import Element, EstimateError, Options, Result
from carbon.models import CalculationRun, CarbonHead, LedgerEntry
from orderhub.events import rows as row_writer
from orderhub.kernel import canonical

logger = logging.getLogger(__name__)

ENGINE_VERSION = "1"
GENESIS = "0" * 64
FIGURES = ("ttw_kgco2e", "wtt_kgco2e", "non_transport_kgco2e", "total_kgco2e")
TWELVE = Decimal("0.000000000001")
_SUMS = ("ttw_kg", "wtt_kg", "wtw_kg", "non_transport_kg", "total_kg")


@dataclass(slots=True)
class Draft:
    """A run that is not written yet, with its entries."""

    run: CalculationRun
    entries: list[LedgerEntry]


def calculated(
    subject: str,
    chain: Callable[[], Sequence[Element]],
    contents: Contents,
    *,
    basis: str,
    order_id: int,
    merchant_id: int,
    event_id: int,
    activity_date: date,
    now: datetime,
) -> Draft | None:
    """The run of one consignment; None where the engine refuses it (a place without any grid factor, say)."""
    options = Options(activity_date=activity_date)
    try:
        elements = chain()
        result, body = finished(
            elements, contents.lines, subject=subject, options=options, allocation=contents.allocation
        )
    except EstimateError as fault:
        logger.warning("no %s figure for %s of order %d: %s", basis, subject, order_id, fault)
        return None
    case = case_of(
        subject, elements, contents.lines, allocation=contents.allocation, activity_date=activity_date
    )
    run = CalculationRun(
        merchant_id=merchant_id,
        order_id=order_id,
        basis=basis,
        subject=subject,
        event_id=event_id,
        engine_version=ENGINE_VERSION,
        case=case,
        result=body,
        input_hash=canonical.digest(case),
        output_hash=canonical.digest(body),
        calculated_at=now,
    )
    return Draft(run, list(_entries(run, result, now=now)))


def reversal(run: CalculationRun, entries: Iterable[LedgerEntry], *, event_id: int, now: datetime) -> Draft:
    """The run that takes another one back: the same entries with the opposite sign."""
    case = {"reverses": {"subject": run.subject, "event": run.event_id, "output_hash": run.output_hash}}
    sums = {name: _negated(run.result["ledger_total"][name]) for name in _SUMS}
    result = {"status": "ok", "ledger_total": sums, "elements": []}
    back = CalculationRun(
        merchant_id=run.merchant_id,
        order_id=run.order_id,
        basis=run.basis,
        subject=run.subject,
        event_id=event_id,
        engine_version=ENGINE_VERSION,
        reason=CalculationRun.Reason.REVERSAL,
        reverses=run,
        case=case,
        result=result,
        input_hash=canonical.digest(case),
        output_hash=canonical.digest(result),
        calculated_at=now,
    )
    return Draft(back, [_opposite(entry, back, now=now) for entry in entries])


def post(drafts: Sequence[Draft]) -> int:
    """Write runs and append their entries to the merchants' chains; five queries for any number. Returns
    the entries.

    Must run in a transaction: the heads of the chains stay locked until it ends.
    """
    if not drafts:
        return 0
    merchants = sorted({draft.run.merchant_id for draft in drafts})
    heads = _locked_heads(merchants)
    row_writer.insert(draft.run for draft in drafts)
    rows: list[LedgerEntry] = []
    for draft in drafts:
        head = heads[draft.run.merchant_id]
        for entry in draft.entries:
            entry.run = draft.run
            _chain(entry, head)
            rows.append(entry)
    row_writer.insert(rows)
    row_writer.save(heads.values(), ["seq", "hash"])
    return len(rows)


def entry_hash(entry: LedgerEntry, *, run_hash: str) -> str:
    """SHA-256 over the previous hash, the run's output and everything the entry says."""
    return canonical.digest(
        {
            "prev": entry.prev_hash,
            "merchant": entry.merchant_id,
            "seq": entry.seq,
            "run": run_hash,
            "order": entry.order_id,
            "line": entry.order_line_id,
            "basis": entry.basis,
            "stage": entry.stage,
            "element": entry.element,
            "factor": entry.factor_id,
            "data_type": entry.data_type,
            "flags": list(entry.flags),
            "posted_at": entry.posted_at,
            **{name: _plain(getattr(entry, name)) for name in FIGURES},
        }
    )


def _entries(run: CalculationRun, result: Result, *, now: datetime) -> Iterable[LedgerEntry]:
    about = {element.id: element for element in result.elements}
    for entry in result.entries:
        element = about[entry.element_id]
        yield LedgerEntry(
            merchant_id=run.merchant_id,
            order_id=run.order_id,
            order_line_id=int(entry.line_id),
            basis=run.basis,
            stage=element.stage,
            element=element.id,
            factor_id=next(iter(element.factor_ids), ""),
            ttw_kgco2e=entry.ttw_kg,
            wtt_kgco2e=entry.wtt_kg,
            non_transport_kgco2e=entry.non_transport_kg,
            total_kgco2e=entry.total_kg,
            data_type=element.data_type,
            flags=list(element.flags),
            posted_at=now,
        )


def _opposite(entry: LedgerEntry, run: CalculationRun, *, now: datetime) -> LedgerEntry:
    figures = {name: None if (kg := getattr(entry, name)) is None else -kg for name in FIGURES}
    return LedgerEntry(
        merchant_id=run.merchant_id,
        order_id=entry.order_id,
        order_line_id=entry.order_line_id,
        basis=entry.basis,
        stage=entry.stage,
        element=entry.element,
        factor_id=entry.factor_id,
        data_type=entry.data_type,
        flags=entry.flags,
        posted_at=now,
        **figures,
    )


def _locked_heads(merchant_ids: Sequence[int]) -> Mapping[int, CarbonHead]:
    """The ends of these chains, locked in order; a merchant's first entry makes its head."""
    new = [CarbonHead(merchant_id=merchant_id, hash=GENESIS) for merchant_id in merchant_ids]
    CarbonHead.objects.bulk_create(new, ignore_conflicts=True)
    rows = CarbonHead.objects.select_for_update().filter(pk__in=merchant_ids).order_by("pk")
    return {row.merchant_id: row for row in rows}


def _chain(entry: LedgerEntry, head: CarbonHead) -> None:
    entry.seq, entry.prev_hash = head.seq + 1, head.hash
    entry.hash = entry_hash(entry, run_hash=entry.run.output_hash)
    head.seq, head.hash = entry.seq, entry.hash


def _plain(kg: Decimal | None) -> str | None:
    return None if kg is None else f"{kg.quantize(TWELVE):f}"


def _negated(kg: Any) -> str | None:
    return None if kg is None else f"{-Decimal(kg):f}"
