"""What must always hold of the carbon ledger."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from django.db.models import Sum

from carbon import services
from carbon.models import CalculationRun, CarbonHead, LedgerEntry
from carbon.posting import GENESIS, entry_hash
from orderhub.events.invariants import invariant
from orderhub.kernel import canonical

#: The newest runs that are calculated afresh; all others are compared by their sums.
SAMPLE = 200


@invariant(
    "I7",
    zh="碳台账：分录合计等于计算结果",
    en="The carbon ledger reconciles: the entries of each run add up to its result",
)
def entries_add_up() -> Iterable[str]:
    """I7: the database adds up to the quantum; a run without entries counts as zero."""
    runs = CalculationRun.objects.annotate(posted=Sum("entries__total_kgco2e")).order_by("pk")
    for pk, result, posted in runs.values_list("pk", "result", "posted").iterator():
        said = Decimal(result["ledger_total"]["total_kg"])
        if said != (posted or 0):
            yield f"run {pk} says {said} kg, its entries add up to {posted} kg"


@invariant(
    "I7", zh="碳台账：哈希链完整", en="The carbon ledger is as it was written: every chain of hashes is whole"
)
def chains_are_whole() -> Iterable[str]:
    """I7: numbers without gaps, each entry's hash over the one before it, and the head at the end."""
    for head in CarbonHead.objects.order_by("pk"):
        yield from _broken(head)
    orphans = LedgerEntry.objects.exclude(merchant__in=CarbonHead.objects.values("merchant")).count()
    if orphans:
        yield f"{orphans} entries belong to no chain"


@invariant(
    "I7", zh="碳台账：重新计算得到相同结果", en="Stored carbon runs can be calculated again to the same bytes"
)
def runs_repeat() -> Iterable[str]:
    """I7: the newest runs, from their stored inputs; the hashes of inputs and outputs fit."""
    for run in CalculationRun.objects.order_by("-pk")[:SAMPLE]:
        if canonical.digest(run.case) != run.input_hash or canonical.digest(run.result) != run.output_hash:
            yield f"run {run.pk}: inputs or result were changed"
        elif canonical.digest(services.recompute(run)) != run.output_hash:
            yield f"run {run.pk} gives another result when calculated again"


def _broken(head: CarbonHead) -> Iterable[str]:
    """The first fault of one chain; what follows it is not looked at, since every later hash rests on it."""
    seq, last = 0, GENESIS
    entries = LedgerEntry.objects.filter(merchant_id=head.merchant_id).select_related("run").order_by("seq")
    for entry in entries.defer("run__case", "run__result").iterator(chunk_size=2000):
        if entry.seq != seq + 1 or entry.prev_hash != last:
            yield f"merchant {head.merchant_id}: the chain breaks before entry {entry.seq}"
            return
        if entry_hash(entry, run_hash=entry.run.output_hash) != entry.hash:
            yield f"merchant {head.merchant_id}: entry {entry.seq} was changed"
            return
        seq, last = entry.seq, entry.hash
    if (head.seq, head.hash) != (seq, last):
        yield f"merchant {head.merchant_id}: the chain ends at entry {seq}, its head says {head.seq}"
