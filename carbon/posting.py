"""Writing the ledger: runs with all their inputs, and entries chained by hash, one chain per merchant."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from carbon.casing import case_of, computed, finished
from carbon.consignments import Contents
from carbon.core import library
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
class Row:
    """A ledger entry as its columns; a calculation has a dozen of them, and a model instance of each is dear."""

    merchant_id: int
    order_id: int
    order_line_id: int
    basis: str
    stage: str
    element: str
    factor_id: str
    ttw_kgco2e: Decimal | None
    wtt_kgco2e: Decimal | None
    non_transport_kgco2e: Decimal
    total_kgco2e: Decimal
    data_type: str
    flags: list[str]
    posted_at: datetime
    run_id: int = 0
    seq: int = 0
    prev_hash: str = ""
    hash: str = ""


_COLUMNS = (
    "merchant_id", "order_id", "order_line_id", "basis", "stage", "element", "factor_id", *FIGURES, "data_type",
    "flags", "posted_at", "run_id",
)  # fmt: skip


@dataclass(slots=True)
class Draft:
    """A run that is not written yet, with its entries, and its inputs and result in canonical JSON."""

    run: CalculationRun
    entries: list[Row]
    case_text: str
    result_text: str


def entries_of(run_ids: Collection[int]) -> dict[int, list[Row]]:
    """The entries of these runs in ledger order; one query."""
    found: dict[int, list[Row]] = {}
    rows = LedgerEntry.objects.filter(run_id__in=run_ids).order_by("seq")
    for row in rows.values_list(*_COLUMNS):
        found.setdefault(row[-1], []).append(Row(*row))
    return found


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
    unknown: Sequence[str] = (),
) -> Draft | None:
    """The run of one consignment; None where the engine refuses it (a place without any grid factor, say).

    `unknown` names what belongs to it and has no figure; it is stored, shown and never counted as zero.
    """
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
    if chosen := library.current().digest:
        case["library"] = chosen
    if unknown:
        case["unknown"] = body["unknown"] = list(unknown)
    run = CalculationRun(
        merchant_id=merchant_id,
        order_id=order_id,
        basis=basis,
        subject=subject,
        event_id=event_id,
        reverses_id=None,
        engine_version=ENGINE_VERSION,
        activity_date=activity_date,
        case=case,
        result=body,
        calculated_at=now,
    )
    return _drafted(run, _entries(run, result, now=now))


def again(
    run: CalculationRun, case: Mapping[str, Any], *, reason: str, generation: int, now: datetime
) -> Draft:
    """A stored run with other inputs, as a new run for the same consignment; raises `EstimateError`.

    It has no event of its own: the negative id of the run it follows stands for one, since a run is followed only
    once. `generation` is the recalculation or the record that caused it.
    """
    result, body = computed(case)
    new = CalculationRun(
        merchant_id=run.merchant_id,
        order_id=run.order_id,
        basis=run.basis,
        subject=run.subject,
        event_id=-run.pk,
        engine_version=ENGINE_VERSION,
        reason=reason,
        cause=reason,
        generation=generation,
        activity_date=run.activity_date,
        reverses_id=None,
        case=dict(case),
        result=body,
        calculated_at=now,
    )
    return _drafted(new, _entries(new, result, now=now))


def reversal(
    run: CalculationRun,
    entries: Iterable[Row],
    *,
    event_id: int,
    now: datetime,
    cause: str = CalculationRun.Reason.ACTIVITY_CORRECTION,
    generation: int = 0,
) -> Draft:
    """The run that takes another one back: the same entries with the opposite sign; `cause` is why.

    A run loaded without its result brings its total as `ledger_total`.
    """
    case = {"reverses": {"subject": run.subject, "event": run.event_id, "output_hash": run.output_hash}}
    said = getattr(run, "ledger_total", None) or run.result["ledger_total"]
    sums = {name: _negated(said[name]) for name in _SUMS}
    result = {"status": "ok", "ledger_total": sums, "elements": []}
    back = CalculationRun(
        merchant_id=run.merchant_id,
        order_id=run.order_id,
        basis=run.basis,
        subject=run.subject,
        event_id=event_id,
        engine_version=ENGINE_VERSION,
        reason=CalculationRun.Reason.REVERSAL,
        cause=cause,
        generation=generation,
        activity_date=run.activity_date,
        reverses_id=run.pk,
        case=case,
        result=result,
        calculated_at=now,
    )
    return _drafted(back, [_opposite(entry, now=now) for entry in entries])


def _drafted(run: CalculationRun, entries: Iterable[Row]) -> Draft:
    """The draft of a run; what is hashed and what is stored is made into text once."""
    texts = canonical.dumps(run.case), canonical.dumps(run.result)
    run.input_hash, run.output_hash = (hashlib.sha256(text.encode()).hexdigest() for text in texts)
    return Draft(run, list(entries), *texts)


def post(drafts: Sequence[Draft]) -> int:
    """Write runs and append their entries to the merchants' chains; five queries for any number. Returns
    the entries.

    Must run in a transaction: the heads of the chains stay locked until it ends.
    """
    if not drafts:
        return 0
    merchants = sorted({draft.run.merchant_id for draft in drafts})
    heads = locked_heads(merchants)
    _insert_runs(drafts)
    rows: list[Row] = []
    for draft in drafts:
        head, run = heads[draft.run.merchant_id], draft.run
        for entry in draft.entries:
            entry.run_id = run.pk
            _chain(entry, head, run_hash=run.output_hash)
        rows += draft.entries
    row_writer.insert_bare(LedgerEntry, rows)
    row_writer.save(heads.values(), ["seq", "hash"])
    return len(rows)


def _insert_runs(drafts: Sequence[Draft]) -> None:
    """Write the runs with the texts they were hashed by, and leave them as they were."""
    kept = [(draft.run.case, draft.run.result) for draft in drafts]
    for draft in drafts:
        draft.run.seal = seal(draft.run)
        draft.run.case = row_writer.Encoded(draft.case_text)
        draft.run.result = row_writer.Encoded(draft.result_text)
    row_writer.insert(draft.run for draft in drafts)
    for draft, (case, result) in zip(drafts, kept, strict=True):
        draft.run.case, draft.run.result = case, result


def seal(run: CalculationRun) -> str:
    """SHA-256 over everything a run says, its inputs and result by their own hashes."""
    return canonical.digest(
        {
            "merchant": run.merchant_id,
            "order": run.order_id,
            "basis": run.basis,
            "subject": run.subject,
            "event": run.event_id,
            "engine": run.engine_version,
            "reason": run.reason,
            "cause": run.cause,
            "generation": run.generation,
            "activity_date": run.activity_date,
            "reverses": run.reverses_id,
            "input": run.input_hash,
            "output": run.output_hash,
            "calculated_at": run.calculated_at,
        }
    )


def entry_hash(entry: LedgerEntry | Row, *, run_hash: str) -> str:
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


def _entries(run: CalculationRun, result: Result, *, now: datetime) -> Iterable[Row]:
    about = {element.id: element for element in result.elements}
    merchant_id, order_id, basis = run.merchant_id, run.order_id, run.basis
    for name, line, ttw, wtt, _wtw, other, total in result.entries:
        element = about[name]
        factor = element.factor_ids[0] if element.factor_ids else ""
        yield Row(
            merchant_id, order_id, int(line), basis, element.stage, name, factor, ttw, wtt, other, total,
            element.data_type, list(element.flags), now,
        )  # fmt: skip


def _opposite(entry: Row, *, now: datetime) -> Row:
    ttw, wtt = entry.ttw_kgco2e, entry.wtt_kgco2e
    return replace(
        entry, ttw_kgco2e=None if ttw is None else -ttw, wtt_kgco2e=None if wtt is None else -wtt,
        non_transport_kgco2e=-entry.non_transport_kgco2e, total_kgco2e=-entry.total_kgco2e, posted_at=now,
    )  # fmt: skip


def locked_heads(merchant_ids: Sequence[int]) -> Mapping[int, CarbonHead]:
    """The ends of these chains, locked in order; a merchant's first entry makes its head."""
    new = [CarbonHead(merchant_id=merchant_id, hash=GENESIS) for merchant_id in merchant_ids]
    CarbonHead.objects.bulk_create(new, ignore_conflicts=True)
    rows = CarbonHead.objects.select_for_update().filter(pk__in=merchant_ids).order_by("pk")
    return {row.merchant_id: row for row in rows}


def _chain(entry: Row, head: CarbonHead, *, run_hash: str) -> None:
    entry.seq, entry.prev_hash = head.seq + 1, head.hash
    entry.hash = entry_hash(entry, run_hash=run_hash)
    head.seq, head.hash = entry.seq, entry.hash


def _plain(kg: Decimal | None) -> str | None:
    return None if kg is None else f"{kg.quantize(TWELVE):f}"


def _negated(kg: Any) -> str | None:
    return None if kg is None else f"{-Decimal(kg):f}"
