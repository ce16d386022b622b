"""Factor sets: every fault by row, what an edition changes, activation for good, and which factor is chosen and why."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import Workbook

from carbon import services as carbon
from carbon.core import library
from carbon.core.bundle import bundled_factors
from carbon.defaults import FACTOR_IDS, chain_for, default_factor, lane_for
from carbon.estimate import chain_total_kg
from carbon.factors import loading, services
from carbon.factors.resolving import Candidate, Policy, resolve
from carbon.factors.sheet import Fault, read
from carbon.factors.words import REASONS, SENTENCES
from carbon.models import Factor, FactorAlias, FactorSet, ResolverPolicy
from orderhub.kernel.errors import Refused
from tests import make
from tests.admin import desk as pages

pytestmark = pytest.mark.django_db


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(Refused) as told:
        yield
    assert told.value.code == code


KEY = "freight/road_hgv/all-hgvs/average-laden/tkm"
ABOUT = services.About("uk-2026", "UK DESNZ/Defra", "2026", "OGL-UK-3.0", "(c) Crown", redistributable=True)
ROW = {
    "factor_id": f"uk-2026/{KEY}", "kind": "freight", "mode": "road_hgv", "item": "All HGVs",
    "activity_unit": "tonne.km", "ttw_kgco2e": "0.1", "wtt_kgco2e": "0.02", "total_kgco2e": "0.12",
    "distance_kind": "actual", "region": "GB", "valid_from": "2026-01-01", "valid_to": "2026-12-31",
}  # fmt: skip


def row(**cells: object) -> dict[str, object]:
    return {**ROW, **cells}


def store(*rows: dict[str, object], about: services.About = ABOUT) -> FactorSet:
    found, faults = read(rows or [ROW])
    assert faults == []
    return services.store(found, about, b"file", actor="user:test", now=make.NOW)


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"activity_unit": "kWh"}, "activity_unit", "unit_wrong"),
        ({"activity_unit": "furlong"}, "activity_unit", "unit_wrong"),
        ({"kind": "magic"}, "kind", "kind_unknown"),
        ({"ttw_kgco2e": "-0.1", "total_kgco2e": ""}, "ttw_kgco2e", "negative"),
        ({"wtt_kgco2e": "n/a"}, "wtt_kgco2e", "not_a_number"),
        ({"total_kgco2e": "NaN"}, "total_kgco2e", "not_a_number"),
        ({"ttw_kgco2e": "", "total_kgco2e": ""}, "total_kgco2e", "incomplete"),
        ({"total_kgco2e": "0.5"}, "total_kgco2e", "sum_differs"),
        ({"valid_to": "2025-01-01"}, "valid_to", "ends_before_it_begins"),
        ({"valid_from": "next year"}, "valid_from", "not_a_date"),
        ({"distance_kind": "crow"}, "distance_kind", "distance_kind_unknown"),
        ({"factor_id": ""}, "factor_id", "missing"),
    ],
)
def test_a_wrong_row_is_named_with_its_column(cells: dict[str, object], column: str, code: str) -> None:
    found, faults = read([ROW, row(factor_id="d/other", **{k: v for k, v in cells.items() if k != "factor_id"})
                          | ({"factor_id": cells["factor_id"]} if "factor_id" in cells else {})])  # fmt: skip

    assert [(fault.row, fault.column, fault.code) for fault in faults] == [(3, column, code)]
    assert [one.row for one in found] == [2]


def test_overlapping_validity_and_missing_columns_are_faults() -> None:
    later = row(valid_from="2026-06-01", valid_to="")
    assert read([ROW, later])[1] == [Fault(3, "valid_from", "validity_overlaps", KEY)]
    assert read([ROW, row(valid_from="2027-01-01", valid_to="")])[1] == []
    assert read([{"factor_id": "x/y"}])[1] == [
        Fault(0, "kind", "column_missing"), Fault(0, "activity_unit", "column_missing"),
    ]  # fmt: skip
    assert read([])[1] == [Fault(0, "", "empty")]


def test_every_code_has_a_sentence() -> None:
    source = Path(services.__file__).with_name("sheet.py").read_text("utf-8")

    assert all(f'"{code}"' in source or code == "unreadable" for code in SENTENCES)
    assert set(REASONS) >= {
        "only",
        "valid",
        "publisher",
        "region",
        "year",
        "order",
        "draft",
        "retired",
        "expired",
    }


def test_a_vanished_region_is_a_fault_until_a_person_accepts_it() -> None:
    carbon.ensure_factors(now=make.NOW)
    keys = [name for name in bundled_factors() if name.startswith("cn-mee-2023/electricity/cn-")][:5]
    grid = {"kind": "electricity", "activity_unit": "kWh", "distance_kind": "", "ttw_kgco2e": "0",
            "wtt_kgco2e": "0.5", "total_kgco2e": "0.5"}  # fmt: skip
    rows = [row(**grid, factor_id=name, region=bundled_factors()[name].region) for name in keys]
    publisher = FactorSet.objects.get(code__startswith="cn-mee-nbs-2023", status="active").publisher
    about = services.About("cn-2024", publisher, "2024", "public", "MEE", redistributable=True)

    _found, faults = services.check(rows, about, accepts_vanished=False)

    assert {fault.code for fault in faults} == {"region_vanished"}
    assert "electricity: CN-ZJ" in {fault.value for fault in faults}
    assert services.check(rows, about, accepts_vanished=True)[1] == []


def test_the_difference_names_changed_new_gone_and_renamed_rows() -> None:
    carbon.ensure_factors(now=make.NOW)
    FactorAlias.objects.create(old_key=KEY, new_key="freight/road_hgv/non-refrigerated/average-laden/tkm")
    made = store(
        row(factor_id="d/freight/road_hgv/non-refrigerated/average-laden/tkm"),
        row(factor_id="d/freight/road_drone/average/tkm"),
    )

    found = services.difference(made)

    assert found.base is not None
    assert found.base.version == "UK-DESNZ 2025"
    (changed,) = found.changed
    assert (changed.renamed_from, changed.before, changed.after) == (KEY, D("0.12522"), D("0.12"))
    assert changed.percent == D("-4.17")
    assert [one.key for one in found.added] == ["freight/road_drone/average/tkm"]
    assert len(found.gone) > 100
    assert KEY not in {one.key for one in found.gone}


def test_a_draft_changes_nothing_and_an_active_set_is_chosen() -> None:
    carbon.ensure_factors(now=make.NOW)
    before = default_factor("road_line_haul").id
    lane = lane_for(distance_km=D(500), province="zj")
    made = store()
    loading.refresh()
    assert default_factor("road_line_haul").id == before == f"desnz-2025/{KEY}"

    services.activate(made, actor="user:test", now=make.NOW)
    loading.refresh()

    chosen = default_factor("road_line_haul")
    assert (chosen.id, chosen.ttw) == (f"uk-2026/{KEY}", D("0.1"))
    new_lane = lane_for(distance_km=D(500), province="zj")
    assert new_lane.kgco2e_per_kg < lane.kgco2e_per_kg
    chain = chain_for(mass_kg=D(3), distance_km=D(500), province="zj")
    assert abs(new_lane.kgco2e_per_kg * 3 + new_lane.kgco2e_per_parcel - chain_total_kg(chain)) < D("1e-12")
    assert library.current().digest

    services.retire(made)
    loading.refresh()
    assert default_factor("road_line_haul").id == before
    assert library.current().digest == ""


def test_an_active_set_never_changes() -> None:
    made = store()
    services.activate(made, actor="user:test", now=make.NOW)

    with pytest.raises(Refused):
        services.activate(made, actor="user:test", now=make.NOW)
    with pytest.raises(Refused):
        Factor.objects.get(factor_set=made).save()
    with pytest.raises(Refused):
        made.delete()
    assert Factor.objects.get(factor_set=made).total == D("0.12")


def test_licensed_books_are_imported_but_never_passed_on() -> None:
    glec = services.About("glec", "Smart Freight Centre GLEC", "v3", "licensed", "SFC", redistributable=True)

    with refused("factor_set_restricted"):
        store(about=glec)
    kept = services.About("glec", "Smart Freight Centre GLEC", "v3", "licensed", "SFC", redistributable=False)
    store(about=kept)

    page = pages.boss("en").post(reverse("admin:carbon_factor_export"), {"format": "0", "resource": "0"})
    assert b"glec/" not in page.content


def test_the_code_of_a_set_is_taken_once() -> None:
    store()
    with refused("factor_set_exists"):
        store()


# ---- choosing ------------------------------------------------------------------------------------


def candidate(name: str, **fields: Any) -> Candidate:
    given = {
        "factor_id": f"{name}/k", "set_code": name, "publisher": name, "version": "1", "status": "active",
        "licence": "open", "region": "GB", "valid_from": date(2025, 1, 1), "valid_to": date(2025, 12, 31),
    }  # fmt: skip
    return Candidate(**(given | fields))


DAY = date(2026, 6, 1)


def test_a_valid_edition_goes_before_a_newer_expired_one_and_reasons_are_given() -> None:
    old = candidate("old", valid_from=date(2020, 1, 1), valid_to=None)
    found = resolve(
        [candidate("new"), old, candidate("draft", status="draft"), candidate("bare", licence=""),
         candidate("future", valid_from=date(2027, 1, 1), valid_to=None)],
        Policy(), day=DAY,
    )  # fmt: skip

    assert [(one.candidate.set_code, one.rank, one.reason) for one in found] == [
        ("old", 1, "valid"), ("new", 2, "valid"), ("bare", 0, "no_licence"), ("draft", 0, "draft"),
        ("future", 0, "not_yet_valid"),
    ]  # fmt: skip


def test_the_order_of_preference_decides_and_the_same_input_gives_the_same_choice() -> None:
    rows = [candidate("a"), candidate("b", region="CN"), candidate("c", valid_from=date(2025, 6, 1))]

    assert resolve(rows, Policy(), day=DAY)[0].candidate.set_code == "c"
    assert resolve(rows, Policy(regions=("CN", "GB")), day=DAY)[0].candidate.set_code == "b"
    assert resolve(rows, Policy(publishers=("A",)), day=DAY)[0].candidate.set_code == "a"
    assert resolve(rows, Policy(takes_expired=False), day=DAY)[0].rank == 0
    assert resolve(rows, Policy(), day=DAY) == resolve(rows[::-1], Policy(), day=DAY)
    assert resolve([], Policy(), day=DAY) == ()


def test_a_person_writes_the_order_and_the_next_figure_follows_it() -> None:
    carbon.ensure_factors(now=make.NOW)
    desk = pages.boss("en")
    name = FACTOR_IDS["road_line_haul"]
    wanted = name.replace("2025", "2022")
    form = {"first": "publisher", "second": "valid", "third": "region", "fourth": "year", "publishers": "",
            "regions": ""}  # fmt: skip

    desk.post(reverse("admin:carbon_resolverpolicy_add"), {**form, "takes_expired": "on"})
    again = desk.post(reverse("admin:carbon_resolverpolicy_add"), {**form, "second": "publisher"})

    assert ResolverPolicy.objects.count() == 1
    assert "Name each criterion once." in again.content.decode()
    assert loading.ranked(name, day=make.NOW.date())[0].candidate.factor_id == name
    assert wanted in {one.candidate.factor_id for one in loading.ranked(name, day=make.NOW.date())}


# ---- pages ---------------------------------------------------------------------------------------


def sheet(*rows: dict[str, object]) -> SimpleUploadedFile:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(ROW))
    writer.writeheader()
    writer.writerows(rows)
    return SimpleUploadedFile("factors.csv", out.getvalue().encode())


def form(file: SimpleUploadedFile, **fields: str) -> dict[str, Any]:
    return {
        "file": file, "code": "uk-2026", "publisher": "UK DESNZ/Defra", "version": "2026", "licence": "OGL",
        "attribution": "(c) Crown", "redistributable": "on", **fields,
    }  # fmt: skip


@pytest.mark.parametrize(("language", "words"), [("en", "This unit does not fit"), ("zh-hans", "单位")])
def test_the_import_page_lists_faults_by_row_and_stores_nothing(language: str, words: str) -> None:
    page = pages.boss(language).post(
        reverse("admin:carbon_factorset_bring_in"),
        form(sheet(ROW, row(activity_unit="kWh", factor_id="d/o"))),
    )

    assert page.status_code == 400
    assert words in page.content.decode()
    assert not FactorSet.objects.filter(code="uk-2026").exists()


def test_an_operator_imports_looks_and_activates() -> None:
    carbon.ensure_factors(now=make.NOW)
    desk = pages.boss("en")

    page = desk.post(reverse("admin:carbon_factorset_bring_in"), form(sheet(ROW)), follow=True)
    assert "What it changes against" in page.content.decode()
    assert "-4.17" in page.content.decode()
    made = FactorSet.objects.get(code="uk-2026")
    assert (made.status, len(made.file_sha256), made.valid_to) == ("draft", 64, date(2026, 12, 31))

    desk.post(reverse("admin:carbon_factorset_activate", args=[made.pk]))
    made.refresh_from_db()
    assert (made.status, made.activated_by) == ("active", "user:boss")
    choices = desk.get(reverse("admin:carbon_factorset_choices")).content.decode()
    assert "<b>uk-2026</b>" in choices


def test_a_workbook_is_read_as_well_and_rubbish_is_refused() -> None:
    book = Workbook()
    sheet_ = book.active
    assert sheet_ is not None
    sheet_.append(list(ROW))
    sheet_.append([*list(ROW.values())[:-2], date(2026, 1, 1), None])
    out = io.BytesIO()
    book.save(out)

    found, faults = read(services.rows_of(out.getvalue(), "factors.xlsx"))

    assert faults == []
    assert (found[0].valid_from, found[0].valid_to, found[0].unit) == (date(2026, 1, 1), None, "tkm")
    with pytest.raises(Refused):
        services.rows_of(b"\xff\xfe\x00", "factors.csv")
    with pytest.raises(Refused):
        services.rows_of(b"no workbook", "factors.xlsx")


def test_staff_of_one_merchant_neither_import_nor_activate() -> None:
    made = store()
    mine = pages.member("carbon", merchant=make.merchant())

    assert mine.get(reverse("admin:carbon_factorset_bring_in")).status_code == 403
    assert mine.post(reverse("admin:carbon_factorset_activate", args=[made.pk])).status_code == 403
    assert mine.get(reverse("admin:carbon_factorset_change", args=[made.pk])).status_code == 200
