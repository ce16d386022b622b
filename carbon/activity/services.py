"""Taking facts in, and bringing them into the ledger: a run whose facts got better is taken back and posted anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from carbon import kinds, posting
from carbon.activity import applying
from carbon.activity.facts import check, meter_quantity
from carbon.activity.models import ActivityParcel, ActivityRecord
from carbon.estimate import EstimateError
from carbon.models import CalculationRun
from orderhub.access.models import Merchant
from orderhub.events import log
from orderhub.fulfillment.models import Parcel, ReturnReceipt
from orderhub.inventory.models import Warehouse

Kind = ActivityRecord.Kind
Json = dict[str, Any]
KG = Decimal(1000)
MOST_RECORDS = 500


@dataclass(frozen=True, slots=True)
class Given:
    """One fact as it was sent; `key` makes it count once, `supersedes` names the key of the one it corrects."""

    kind: str
    key: str
    starts_at: datetime
    ends_at: datetime
    data: Mapping[str, Any]
    source: str
    evidence_sha256: str = ""
    supersedes: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one fact: the record, or everything wrong with it as (field, code)."""

    record: ActivityRecord | None
    faults: tuple[tuple[str, str], ...] = ()
    is_repeated: bool = False


@transaction.atomic
def take(merchant: Merchant, given: Sequence[Given], *, actor: str, now: datetime) -> list[Taken]:
    """Store sound facts, each once, and say of the others what is wrong; the ledger follows in `apply`."""
    Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)
    return [_take(merchant, one, actor=actor, now=now) for one in given[:MOST_RECORDS]]


def _take(merchant: Merchant, one: Given, *, actor: str, now: datetime) -> Taken:
    known = ActivityRecord.objects.filter(merchant=merchant, kind=one.kind, key=one.key).first()
    if known is not None:
        return Taken(known, is_repeated=True)
    checked = check(one.kind, one.data)
    faults = [*checked.faults]
    if one.ends_at < one.starts_at:
        faults.append(("ends_at", "before_start"))
    if one.starts_at > now or one.ends_at > now:
        faults.append(("ends_at", "in_the_future"))
    before = None
    if one.supersedes:
        before = ActivityRecord.objects.filter(merchant=merchant, kind=one.kind, key=one.supersedes).first()
        if before is None or ActivityRecord.objects.filter(supersedes=before).exists():
            faults.append(("supersedes", "unknown"))
    if not faults:
        faults += _against_the_rest(merchant, one, checked.data, checked.subject, before)
    if faults:
        return Taken(None, tuple(faults))
    record = ActivityRecord.objects.create(
        merchant=merchant, kind=one.kind, subject=checked.subject[:80], key=one.key, starts_at=one.starts_at,
        ends_at=one.ends_at, data=checked.data, flags=checked.flags, source=one.source[:80],
        evidence_sha256=one.evidence_sha256, actor=actor[:80], recorded_at=now, supersedes=before,
    )  # fmt: skip
    named = {record.data.get("tracking_number", ""), *record.data.get("parcels", ())} - {""}
    ActivityParcel.objects.bulk_create(
        [ActivityParcel(record=record, tracking_number=number[:60]) for number in sorted(named)]
    )
    stream = f"carbon:{merchant.pk}"
    fact = log.Fact(
        stream, kinds.ACTIVITY_TAKEN.name, {"record": record.pk, "kind": record.kind}, merchant.pk, now
    )
    log.record([fact], now=now, actor=actor)
    return Taken(record)


def _against_the_rest(
    merchant: Merchant, one: Given, data: Json, subject: str, before: ActivityRecord | None
) -> list[tuple[str, str]]:
    """What only the database knows: warehouses that are not there, meters that run backwards, windows that overlap."""
    warehouse = data.get("warehouse")
    if warehouse and not Warehouse.objects.filter(merchant=merchant, code=warehouse).exists():
        return [("warehouse", "unknown")]
    if one.kind != Kind.METER:
        return []
    if data.get("start_reading") is not None and data.get("reading") is not None:
        if Decimal(data["reading"]) < Decimal(data["start_reading"]) and not data.get("is_replaced"):
            return [("reading", "meter_backwards")]
    others = live(merchant.pk, Kind.METER).filter(subject=subject)
    others = others.exclude(pk=before.pk) if before is not None else others
    last = others.filter(ends_at__lte=one.starts_at).order_by("-ends_at").first()
    if others.filter(starts_at__lt=one.ends_at, ends_at__gt=one.starts_at).exists():
        return [("starts_at", "window_overlaps")]
    try:
        used = meter_quantity(data, _reading(last))
    except ValueError as fault:
        return [("reading", str(fault))]
    if used is not None:
        data["quantity"] = f"{used:f}"
    return []


def live(merchant_id: int, kind: str) -> Any:
    """The facts of a kind that no other one supersedes."""
    return ActivityRecord.objects.filter(merchant_id=merchant_id, kind=kind, superseded_by__isnull=True)


def _reading(record: ActivityRecord | None) -> Decimal | None:
    return None if record is None or "reading" not in record.data else Decimal(record.data["reading"])


# ---- into the ledger -----------------------------------------------------------------------------


@transaction.atomic
def apply(record: ActivityRecord, *, now: datetime) -> int:
    """Take back the runs this fact concerns and post them with it; how many changed. A second time changes nothing."""
    reader = _APPLY.get(record.kind)
    runs, new_cases = reader(record) if reader is not None else ([], {})
    drafts: list[posting.Draft] = []
    changed = [run for run in runs if new_cases.get(run.pk) not in (None, run.case)]
    entries = posting.entries_of([run.pk for run in changed])
    for run in changed:
        try:
            draft = posting.again(
                run, new_cases[run.pk], reason=CalculationRun.Reason.ACTIVITY_CORRECTION, generation=record.pk,
                now=now,
            )  # fmt: skip
        except EstimateError:
            continue
        back = posting.reversal(run, entries.get(run.pk, ()), event_id=-run.pk, now=now, generation=record.pk)
        drafts += [back, draft]
    posting.post(drafts)
    return len(drafts) // 2


Found = tuple[list[CalculationRun], dict[int, Json]]


def _of_meter(record: ActivityRecord) -> Found:
    """Every parcel that left the warehouse within the window shares what the meter counted, by outbound mass."""
    if "quantity" not in record.data:
        return [], {}
    left = Parcel.objects.filter(
        merchant_id=record.merchant_id, fulfillment__warehouse__code=record.data["warehouse"],
        shipped_at__gte=record.starts_at, shipped_at__lt=record.ends_at,
    )  # fmt: skip
    runs = [run for run in _standing(record.merchant_id, parcels(left)) if _has(run, "hub")]
    masses = {run.pk: _mass(run, "hub") for run in runs}
    total = sum(masses.values(), Decimal(0))
    quantity = Decimal(record.data["quantity"])
    found = {
        run.pk: applying.metered(
            run.case, quantity=quantity, carrier=record.data["carrier"], own_kg=masses[run.pk], total_kg=total
        )
        for run in runs
    }
    return runs, {pk: case for pk, case in found.items() if case is not None}


def _of_trip(record: ActivityRecord) -> Found:
    """The parcels of a round: a van's by parcels, a main leg's by what it carried over its way."""
    data = record.data
    carried = Parcel.objects.filter(merchant_id=record.merchant_id, tracking_number__in=data["parcels"])
    runs = [run for run in _standing(record.merchant_id, parcels(carried)) if _has(run, data["leg"])]
    count = Decimal(data.get("parcels_total") or len(data["parcels"]))
    masses = {run.pk: _mass(run, data["leg"]) for run in runs}
    whole = sum(masses.values(), Decimal(0))
    # By mass only where all of it is known: parcels of others in the round weigh something too.
    by_mass = data["leg"] == "line_haul" and whole > 0 and len(runs) == count
    found = {
        run.pk: applying.driven(
            run.case, data, own=masses[run.pk] if by_mass else Decimal(1), total=whole if by_mass else count,
            basis="mass_kg" if by_mass else "parcels",
        )
        for run in runs
    }  # fmt: skip
    return runs, {pk: case for pk, case in found.items() if case is not None}


def _of_packaging(record: ActivityRecord) -> Found:
    packed = Parcel.objects.filter(
        merchant_id=record.merchant_id, tracking_number=record.data["tracking_number"]
    )
    runs = [run for run in _standing(record.merchant_id, parcels(packed)) if _has(run, "packaging")]
    found = {run.pk: applying.packed(run.case, record.data) for run in runs}
    return runs, {pk: case for pk, case in found.items() if case is not None}


def _of_rework(record: ActivityRecord) -> Found:
    reference = record.data["reference"]
    back = ReturnReceipt.objects.filter(merchant_id=record.merchant_id, reference=reference)
    subjects = [f"return:{pk}" for pk in back.values_list("pk", flat=True)[:20]]
    runs = [run for run in _standing(record.merchant_id, subjects) if _has(run, "rework")]
    found = {run.pk: applying.reworked(run.case, record.data) for run in runs}
    return runs, {pk: case for pk, case in found.items() if case is not None}


_APPLY: Mapping[str, Callable[[ActivityRecord], Found]] = {
    Kind.METER: _of_meter,
    Kind.TRIP: _of_trip,
    Kind.PACKAGING: _of_packaging,
    Kind.REWORK: _of_rework,
}


def parcels(rows: Any) -> list[str]:
    """The subjects of these parcels."""
    return [f"parcel:{pk}" for pk in rows.order_by("pk").values_list("pk", flat=True)]


def _standing(merchant_id: int, subjects: Iterable[str]) -> list[CalculationRun]:
    rows = CalculationRun.objects.filter(
        merchant_id=merchant_id, basis=CalculationRun.Basis.ACTUAL, subject__in=list(subjects),
        reverses__isnull=True, reversal__isnull=True,
    )  # fmt: skip
    return list(rows.order_by("pk"))


def _has(run: CalculationRun, name: str) -> bool:
    return any(one["id"] == name for one in run.case["elements"])


def _mass(run: CalculationRun, name: str) -> Decimal:
    return sum(
        (Decimal(one.get("mass_kg") or 0) for one in run.case["elements"] if one["id"] == name), Decimal(0)
    )


def is_used(merchant_ids: Iterable[int]) -> bool:
    """Whether one of these merchants sends facts about parcels at all; one query."""
    return ActivityParcel.objects.filter(record__merchant_id__in=list(merchant_ids)).exists()


def of_parcels(tracking_numbers: Iterable[str], merchant_ids: Iterable[int]) -> list[ActivityRecord]:
    """The trips and packing lists that name one of these parcels and that nothing supersedes; one query."""
    rows = ActivityRecord.objects.filter(
        merchant_id__in=list(merchant_ids), parcels__tracking_number__in=list(tracking_numbers),
        superseded_by__isnull=True,
    )  # fmt: skip
    return list(rows.distinct().order_by("pk"))
