"""Files for group reporting, CSRD reporters, parcel lines and analysts: CSV with decimals as plain text."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from carbon.cases import CaseReader
from carbon.core.gases import rebase
from carbon.estimate import STAGES, Factor
from carbon.models import CalculationRun
from carbon.reports import endings, reading, scope
from carbon.reports.models import ReportProfile
from carbon.reports.scope import Scope
from orderhub.fulfillment.models import Parcel
from orderhub.inventory.admin_base import neutral

ZERO = Decimal(0)
METHOD = "aligned with ISO 14083:2023"
GRAM = Decimal("0.000001")
Rows = Iterable[Sequence[Any]]


def csv_of(head: Sequence[str], rows: Rows) -> bytes:
    """A table as a spreadsheet opens it: UTF-8 with mark, and no cell that runs."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([neutral("" if cell is None else _cell(cell)) for cell in row] for row in rows)
    return ("\ufeff" + out.getvalue()).encode()


def _cell(value: Any) -> str:
    # A negative figure is a number and stays one; only texts are made harmless.
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


# ---- GHG Protocol --------------------------------------------------------------------------------

GHG_HEAD = (
    "scope", "category", "category_name", "kg_co2e_location_based", "kg_co2e_market_based", "ttw_kg_co2e",
    "wtt_kg_co2e", "primary_data_share", "orders", "method", "note",
)  # fmt: skip
_NAMES = {
    "": "Purchased electricity of own sites", "1": "Purchased goods and services",
    "4": "Upstream transportation and distribution", "9": "Downstream transportation and distribution",
    "12": "End-of-life treatment of sold products",
}  # fmt: skip


def ghg_protocol(wanted: Scope) -> bytes:
    """Categories 4, 9 and 12 with what stands beside them, by who pays; both electricity bases."""
    return csv_of(GHG_HEAD, ghg_rows(wanted))


def ghg_rows(wanted: Scope) -> list[list[Any]]:
    """The rows of that file; the figures of 1, 2, 4 and 9 add up to the report's total."""
    found: dict[tuple[str, str], reading.Sums] = {}
    splits: dict[tuple[str, str], list[Decimal | None]] = {}
    for merchant_id in _merchants(wanted):
        own = replace(wanted, merchant_id=merchant_id)
        profile = ReportProfile.objects.filter(pk=merchant_id).first()
        split, seen = _split_by_stage(own), dict[tuple[str, str], int]()
        for stage, sums in reading.by_stage(own).items():
            key = category(stage, profile)
            found.setdefault(key, reading.Sums()).add(sums)
            # The stages of a category are of the same orders.
            seen[key] = max(seen.get(key, 0), sums.orders)
            kept = splits.setdefault(key, [ZERO, ZERO])
            splits[key] = [_plus(one, two) for one, two in zip(kept, split[stage], strict=True)]
        for key, count in seen.items():
            found[key].orders += count
    rows: list[list[Any]] = []
    for (number, name), sums in sorted(found.items()):
        ttw, wtt = splits[number, name]
        rows.append([
            number, name, _NAMES.get(name, ""), sums.kg, sums.market_kg, None if name == "1" else ttw,
            None if name == "1" else wtt, sums.primary_share, sums.orders, METHOD, "",
        ])  # fmt: skip
    rows += [
        ["3", name, _NAMES[name], ZERO, ZERO, ZERO, ZERO, None, 0, METHOD, "nothing in this period"]
        for name in ("4", "9")
        if ("3", name) not in found
    ]
    rows.append(_end_of_life(wanted))
    return sorted(rows, key=lambda row: (row[0], int(row[1] or 0)))


def _end_of_life(wanted: Scope) -> list[Any]:
    """Category 12, which is no part of the ledger's total; unknown, not zero, where no material has a factor."""
    told = endings.ending(wanted)
    kg = None if told.unknown_mass_kg == told.mass_kg else told.kg
    note = f"default: {told.mass_kg:f} kg of packaging, all landfilled (upper bound), since its routes were not told"
    if told.unknown_mass_kg:
        note += f"; {told.unknown_mass_kg:f} kg have no factor and are not counted"
    return ["3", "12", _NAMES["12"], kg, kg, None, None, ZERO, None, METHOD, note]


def category(stage: str, profile: ReportProfile | None) -> tuple[str, str]:
    """Scope and category of a stage: freight by who pays it, own sites' electricity scope 2, packaging category 1."""
    paid_by_customer = profile is not None and profile.freight_paid_by == ReportProfile.PaidBy.CUSTOMER
    if stage == "packaging":
        return "3", "1"
    if stage == "warehouse" and profile is not None and profile.owns_warehouses:
        return "2", ""
    if stage == "return":  # returns we pay, whoever paid the way there
        return "3", "4"
    return "3", "9" if paid_by_customer else "4"


def _merchants(wanted: Scope) -> list[int]:
    if wanted.merchant_id is not None:
        return [wanted.merchant_id]
    return sorted(set(scope.entries(wanted).values_list("merchant_id", flat=True)))


def _split_by_stage(wanted: Scope) -> Mapping[str, Sequence[Decimal | None]]:
    """TTW and WTT by stage; None where an entry does not know them apart."""
    found: dict[str, Sequence[Decimal | None]] = dict.fromkeys(STAGES, (ZERO, ZERO))
    rows = scope.entries(wanted)
    unknown = set(rows.filter(ttw_kgco2e=None).values_list("stage", flat=True))
    for row in rows.values("stage").annotate(ttw=Sum("ttw_kgco2e"), wtt=Sum("wtt_kgco2e")):
        known = row["stage"] not in unknown
        pair = (row["ttw"], row["wtt"])
        found[row["stage"]] = [Decimal(x).quantize(GRAM) if known and x is not None else None for x in pair]
    return found


def _plus(one: Decimal | None, two: Decimal | None) -> Decimal | None:
    return None if one is None or two is None else one + two


# ---- ESRS E1-6 -----------------------------------------------------------------------------------

ESRS_HEAD = (
    "datapoint", "stage", "gross_kg_co2e_as_published", "gross_kg_co2e_ar6", "not_rebased_kg_co2e", "factor",
    "gwp_basis", "note",
)  # fmt: skip


def esrs(wanted: Scope) -> bytes:
    """Gross emissions before offsets on the values of AR6; parts that cannot be rebased are named with their kg."""
    return csv_of(ESRS_HEAD, esrs_rows(wanted))


def esrs_rows(wanted: Scope) -> list[list[Any]]:
    """A row a stage and factor, and the sum; what has no gas split stays as published and is told."""
    rows: list[list[Any]] = []
    whole = new = stuck = ZERO
    factors = _factors(wanted)
    summed = scope.entries(wanted).values("stage", "factor_id").annotate(
        kg=Sum("total_kgco2e"), ttw=Sum("ttw_kgco2e"), wtt=Sum("wtt_kgco2e")
    )  # fmt: skip
    for row in sorted(summed, key=lambda one: (one["stage"], one["factor_id"])):
        kg = Decimal(row["kg"]).quantize(GRAM)
        ttw = Decimal(row["ttw"]) if row["ttw"] is not None else None
        factor = factors.get(row["factor_id"])
        after, left = _on_ar6(kg, ttw, factor)
        basis = factor.gwp_basis if factor else ""
        note = "GWP_NOT_REBASED" if left else ""
        rows.append(["E1-6 gross Scope 3", row["stage"], kg, after, left, row["factor_id"], basis, note])
        whole, new, stuck = whole + kg, new + after, stuck + left
    rows.append(
        ["E1-6 gross Scope 3", "total", whole, new, stuck, "", "AR6", "before offsets; location-based"]
    )
    return rows


def _on_ar6(kg: Decimal, ttw: Decimal | None, factor: Factor | None) -> tuple[Decimal, Decimal]:
    """The figure on AR6, and how much of it could not be put there."""
    if factor is None or ttw is None or not factor.ttw:
        return kg, ZERO if factor is not None and factor.gwp_basis.startswith("AR6") else kg
    moved, whole = rebase(factor)
    if moved is factor and not whole:
        return kg, kg
    assert moved.ttw is not None
    after = (ttw * moved.ttw / factor.ttw).quantize(GRAM)
    rest = kg - ttw.quantize(GRAM)
    return after + rest, ZERO if whole else rest


def _factors(wanted: Scope) -> Mapping[str, Factor]:
    """The factors of these entries as their calculations stored them; one run a factor is read."""
    found: dict[str, Factor] = {}
    names = (
        scope.entries(wanted).values_list("factor_id", "run_id").distinct().order_by("factor_id", "run_id")
    )
    first: dict[str, int] = {}
    for name, run_id in names.iterator(chunk_size=2000):
        first.setdefault(name, run_id)
    for case in CalculationRun.objects.filter(pk__in=set(first.values())).values_list("case", flat=True):
        if "elements" in case:
            found |= CaseReader(case).factors
    return found


# ---- EN 17837 ------------------------------------------------------------------------------------

PARCEL_HEAD = (
    "standard", "parcel", "order", "carrier", "shipped_on", "origin_country", "origin", "destination_country",
    "destination", "parcel_mass_kg", "transport_activity_tkm", "ghg_ttw_kg_co2e", "ghg_wtw_kg_co2e",
    "allocation", "data", "method",
)  # fmt: skip


def parcels(wanted: Scope) -> bytes:
    """A line a parcel that arrived: warehouse and way of that parcel, the last mile shared by parcels."""
    return csv_of(PARCEL_HEAD, parcel_rows(wanted))


def parcel_rows(wanted: Scope) -> Iterable[list[Any]]:
    """The rows of that file, by parcel; packaging is no part of them."""
    merged: dict[str, list[CalculationRun]] = {}
    for run in scope.runs(wanted).filter(subject__startswith="parcel:").iterator(chunk_size=500):
        merged.setdefault(run.subject, []).append(run)
    ids = [int(subject.partition(":")[2]) for subject in merged]
    rows = Parcel.objects.filter(pk__in=ids).select_related("fulfillment__order", "fulfillment__warehouse")
    for parcel in rows.order_by("pk"):
        yield _parcel_row(parcel, merged[f"parcel:{parcel.pk}"])


def _parcel_row(parcel: Parcel, runs: Sequence[CalculationRun]) -> list[Any]:
    order, house = parcel.fulfillment.order, parcel.fulfillment.warehouse
    items = [item for run in runs for item in run.result["elements"] if item["stage"] != "packaging"]
    ttw = [item["ttw_kg"] for item in items]
    kinds = sorted({item["data_type"] for item in items}, key=("default", "modelled", "primary").index)
    tkm = sum((Decimal(item["tkm"]) for item in items if item["tkm"] is not None), ZERO)
    return [
        "EN 17837", parcel.tracking_number, order.number, parcel.carrier,
        f"{runs[0].calculated_at:%Y-%m-%d}", house.country, house.city, order.country, order.city,
        Decimal(parcel.grams) / 1000 if parcel.grams else None, tkm,
        None if None in ttw else sum((Decimal(x) for x in ttw), ZERO),
        sum((Decimal(item["wtw_kg"]) for item in items), ZERO), "last mile by parcel, main leg by mass",
        kinds[0] if kinds else "", METHOD,
    ]  # fmt: skip


# ---- the ledger ----------------------------------------------------------------------------------

LEDGER_HEAD = (
    "seq", "merchant", "order", "channel_order", "line", "sku", "basis", "stage", "element", "factor_id",
    "ttw_kg_co2e", "wtt_kg_co2e", "other_kg_co2e", "total_kg_co2e", "data_type", "flags", "run", "reason",
    "posted_at", "hash",
)  # fmt: skip


def ledger(wanted: Scope) -> bytes:
    """The entries that count, exactly as they stand, with their hashes."""
    rows = scope.entries(wanted).select_related("merchant", "order", "order_line__sku", "run")
    rows = rows.defer("run__case", "run__result").order_by("merchant_id", "seq")
    return csv_of(LEDGER_HEAD, (_entry(row) for row in rows.iterator(chunk_size=2000)))


def _entry(row: Any) -> list[Any]:
    return [
        row.seq, row.merchant.code, row.order.number, row.order.external_id, row.order_line.position,
        row.order_line.sku.code, row.basis, row.stage, row.element, row.factor_id, row.ttw_kgco2e, row.wtt_kgco2e,
        row.non_transport_kgco2e, row.total_kgco2e, row.data_type, " ".join(row.flags), row.run_id, row.run.reason,
        row.posted_at.isoformat(), row.hash,
    ]  # fmt: skip


#: Name of the file → how it is made.
FILES: Mapping[str, Callable[[Scope], bytes]] = {
    "ghg-protocol": ghg_protocol, "esrs-e1-6": esrs, "en17837-parcels": parcels, "ledger": ledger,
}  # fmt: skip
