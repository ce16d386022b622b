"""Finding tampering: every hash of a merchant's chain, of its calculations and of its closings, compared with the rows.

`entry_faults` and `run_faults` look at rows only, so that any copy of the ledger can be checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from carbon.models import CalculationRun, CarbonHead, LedgerEntry, Period
from carbon.posting import GENESIS, entry_hash, seal
from carbon.restating import periods
from orderhub.kernel import canonical

MOST_FAULTS = 50


def faults(merchant_id: int) -> tuple[int, list[str]]:
    """How many entries were read, and what is wrong (at most 50 of it)."""
    entries = LedgerEntry.objects.filter(merchant_id=merchant_id).select_related("run").order_by("seq")
    head = CarbonHead.objects.filter(pk=merchant_id).first()
    found = list(entry_faults(entries.defer("run__case", "run__result").iterator(chunk_size=2000), head))
    runs = CalculationRun.objects.filter(merchant_id=merchant_id).order_by("pk")
    for fault in run_faults(runs.iterator(chunk_size=500)):
        found.append(fault)
        if len(found) >= MOST_FAULTS:
            break
    for period in Period.objects.filter(merchant_id=merchant_id).order_by("pk"):
        found += periods.faults(period)
    return (head.seq if head else 0), found[:MOST_FAULTS]


def entry_faults(entries: Iterable[LedgerEntry], head: CarbonHead | None) -> Iterator[str]:
    """The first fault of a chain read in its order; what follows it rests on it."""
    seq, last = 0, GENESIS
    for entry in entries:
        if entry.seq != seq + 1 or entry.prev_hash != last:
            yield f"the chain breaks before entry {entry.seq}"
            return
        if entry_hash(entry, run_hash=entry.run.output_hash) != entry.hash:
            yield f"entry {entry.seq} was changed"
            return
        seq, last = entry.seq, entry.hash
    if head is not None and (head.seq, head.hash) != (seq, last):
        yield f"the chain ends at entry {seq}, its head says {head.seq}"
    if head is None and seq:
        yield f"{seq} entries have no head"


def run_faults(runs: Iterable[CalculationRun]) -> Iterator[str]:
    """Calculations whose inputs, result or circumstances no longer fit their hashes."""
    for run in runs:
        fits = (
            canonical.digest(run.case) == run.input_hash and canonical.digest(run.result) == run.output_hash
        )
        # Runs from before seals were kept have none.
        if not fits or (run.seal and seal(run) != run.seal):
            yield f"calculation {run.pk} was changed"
