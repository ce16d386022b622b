"""Facts replace estimates: meters, trips, packing lists, returns; wrong ones are named, missing ones never count as zero."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from carbon import invariants
from carbon.activity import facts, gaps, services
from carbon.models import ActivityRecord, CalculationRun, LedgerEntry
from orderhub.fulfillment import returns
from orderhub.fulfillment.models import Parcel
from orderhub.inventory.models import Sku
from orderhub.orders.models import Order
from tests import cast, make
from tests.admin import desk as pages

pytestmark = pytest.mark.django_db
PATH = "/api/v1/carbon/activities/"


def record(
    kind: str, key: str = "k1", *, hours: float = -240, span: float = 240, **data: Any
) -> dict[str, Any]:
    start = make.NOW + timedelta(days=10, hours=hours)
    return {
        "kind": kind, "key": key, "starts_at": start.isoformat(),
        "ends_at": (start + timedelta(hours=span)).isoformat(), "data": data, "source": "test",
    }  # fmt: skip


def meter(key: str = "k1", **data: Any) -> dict[str, Any]:
    hours = {name: data.pop(name) for name in ("hours", "span") if name in data}
    return record("meter", key, **hours, **{"warehouse": "HGH", "meter": "E1", **data})


def send(*records: dict[str, Any]) -> list[dict[str, Any]]:
    answer = make.client(language="en").post(PATH, {"records": list(records)}, format="json")
    assert answer.status_code == 200, answer.content
    make.run_until_idle()
    return list(answer.json()["results"])


def codes(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(error["field"], error["code"]) for error in result["errors"]]


@pytest.fixture
def delivered(hub_clock: make.Clock) -> Order:
    """An order from Hangzhou that arrived; ten days later."""
    make.network()
    (order,) = make.place(make.draft("A1", lines={"CUP": 2, "LAMP": 1}))
    make.play(hub_clock)
    hub_clock.moment = make.NOW + timedelta(days=10)
    return Order.objects.get(pk=order.pk)


def element(name: str, stage: str = "") -> dict[str, Any]:
    """The element of that name in the actual run that counts."""
    rows = CalculationRun.objects.filter(basis="actual", reversal__isnull=True, reverses__isnull=True)
    found = [one for run in rows for one in run.result["elements"] if one["id"] == name]
    assert len(found) == 1, found
    return dict(found[0])


def assert_sound() -> None:
    for check in (invariants.entries_add_up, invariants.chains_are_whole, invariants.runs_repeat):
        assert list(check()) == []


def test_a_meter_gives_the_hub_its_real_energy(delivered: Order) -> None:
    site = Parcel.objects.get().fulfillment.warehouse.code
    before = D(element("hub")["total_kg"])

    (told,) = send(meter(warehouse=site, quantity="12.5"))

    assert told["status"] == "accepted"
    hub = element("hub")
    assert hub["data_type"] == "primary"
    grid = D("0.4974") if site == "HGH" else None
    assert grid is None or D(hub["total_kg"]) == D("12.5") * grid
    assert D(hub["total_kg"]) != before
    assert_sound()
    entries = LedgerEntry.objects.count()
    services.apply(ActivityRecord.objects.get(), now=make.NOW)
    assert LedgerEntry.objects.count() == entries, "a second time changes nothing"


def test_readings_are_differences_and_a_meter_that_runs_backwards_is_refused(delivered: Order) -> None:
    first = meter("r1", reading="1000", hours=-500, span=100)
    second = meter("r2", reading="1100", hours=-400, span=100)

    assert [one["status"] for one in send(first, second)] == ["accepted", "accepted"]
    assert ActivityRecord.objects.get(key="r2").data["quantity"] == "100"
    (back,) = send(meter("r3", reading="900", hours=-300, span=100))
    assert (back["status"], codes(back)) == ("refused", [("reading", "meter_backwards")])
    assert "runs backwards" in back["errors"][0]["message"]
    (new,) = send(meter("r3", reading="40", hours=-300, span=100, is_replaced=True))
    assert new["status"] == "accepted"
    assert ActivityRecord.objects.get(key="r3").data["quantity"] == "40"
    (twice,) = send(meter("r4", reading="2000", hours=-250, span=100))
    assert codes(twice) == [("starts_at", "window_overlaps")]
    (same,) = send(second)
    assert same["status"] == "repeated"


@pytest.mark.parametrize(
    ("kind", "data", "fault"),
    [
        ("meter", {"warehouse": "NOWHERE", "meter": "E1", "quantity": "1"}, ("warehouse", "unknown")),
        ("meter", {"warehouse": "HGH", "meter": "E1", "quantity": "-1"}, ("quantity", "negative")),
        ("meter", {"warehouse": "HGH", "meter": "E1", "quantity": 1.5}, ("quantity", "float")),
        ("meter", {"warehouse": "HGH", "meter": "E1"}, ("reading", "missing")),
        ("trip", {"trip": "T", "leg": "last_mile", "parcels": ["a"]}, ("distance_km", "missing")),
        ("trip", {"trip": "T", "leg": "moon", "parcels": ["a"], "distance_km": "1"}, ("leg", "unknown")),
        ("trip", {"trip": "T", "leg": "last_mile", "parcels": [], "distance_km": "1"}, ("parcels", "missing")),
        ("trip", {"trip": "T", "leg": "last_mile", "parcels": ["a"], "distance_km": "0"}, ("distance_km", "zero")),
        ("trip", {"trip": "T", "leg": "last_mile", "parcels": ["a"], "distance_km": "1", "empty_km": "2"},
         ("empty_km", "too_large")),
        ("trip", {"trip": "T", "leg": "last_mile", "parcels": ["a"], "fuel": [{"carrier": "hay", "quantity": "1"}]},
         ("carrier", "unknown")),
        ("packaging", {"tracking_number": "T1", "items": []}, ("items", "missing")),
        ("packaging", {"tracking_number": "T1", "items": [{"material": "carton", "mass_kg": "x"}]},
         ("mass_kg", "not_a_number")),
        ("temperature", {"warehouse": "HGH", "zone": "cold", "lowest_celsius": "9", "highest_celsius": "2"},
         ("highest_celsius", "below_lowest")),
        ("rework", {"reference": "R1"}, ("kwh", "missing")),
    ],
)  # fmt: skip
def test_a_wrong_fact_is_refused_with_its_field(
    hub_clock: make.Clock, kind: str, data: dict[str, Any], fault: tuple[str, str]
) -> None:
    make.network()
    hub_clock.moment = make.NOW + timedelta(days=10)

    (told,) = send(record(kind, **data))

    assert told["status"] == "refused"
    assert fault in codes(told)
    assert ActivityRecord.objects.count() == 0


def test_time_runs_forward_and_ends_now(hub_clock: make.Clock) -> None:
    make.network()
    hub_clock.moment = make.NOW + timedelta(days=10)

    backwards, future = send(meter("a", quantity="1", span=-1), meter("b", quantity="1", hours=1, span=1))

    assert codes(backwards) == [("ends_at", "before_start")]
    assert codes(future) == [("ends_at", "in_the_future")]


def test_a_warm_cold_room_is_flagged(hub_clock: make.Clock) -> None:
    make.network()
    hub_clock.moment = make.NOW + timedelta(days=10)

    (told,) = send(
        record(
            "temperature",
            warehouse="HGH",
            zone="cold",
            lowest_celsius="-2",
            highest_celsius="9",
            limit_celsius="8",
        )
    )

    assert (told["status"], told["flags"]) == ("accepted", ["TEMPERATURE_ABOVE_LIMIT"])


def test_a_round_gives_the_last_mile_its_fuel_by_parcels(delivered: Order) -> None:
    number = Parcel.objects.get().tracking_number

    send(
        record("trip", trip="T1", leg="last_mile", parcels=[number], parcels_total="40", distance_km="52",
               fuel=[{"carrier": "diesel", "quantity": "6"}])
    )  # fmt: skip

    leg = element("last_mile")
    diesel = next(one for one in _factors() if one.endswith("diesel-average-biofuel-blend/litre"))
    rate = next(f for f in _case("last_mile")["factors"] if f["id"] == diesel)
    assert leg["data_type"] == "primary"
    assert D(leg["total_kg"]) == ((D(rate["ttw"]) + D(rate["wtt"])) * 6 / 40).quantize(D("1e-12"))
    assert_sound()


def _case(name: str) -> dict[str, Any]:
    rows = CalculationRun.objects.filter(basis="actual", reversal__isnull=True, reverses__isnull=True)
    return next(run.case for run in rows if any(one["id"] == name for one in run.case["elements"]))


def _factors() -> list[str]:
    return [one["id"] for one in _case("last_mile")["factors"]]


def test_kilometres_without_fuel_are_modelled_by_the_vehicle(delivered: Order) -> None:
    number = Parcel.objects.get().tracking_number

    send(record("trip", trip="T1", leg="last_mile", parcels=[number], parcels_total="10", distance_km="30"))

    assert element("last_mile")["data_type"] == "modelled"
    assert _case("last_mile")["elements"][-1]["share"] == {"own": "1", "total": "10", "basis": "parcels"}


def test_a_packing_list_replaces_the_packaging_and_its_cycles(delivered: Order) -> None:
    box = {"material": "carton", "mass_kg": "0.2", "cycles": "10"}

    send(record("packaging", tracking_number=Parcel.objects.get().tracking_number, items=[box]))

    packaging = element("packaging")
    assert packaging["data_type"] == "primary"
    carton = next(f for f in _case("packaging")["factors"] if "board" in f["id"])
    assert D(packaging["total_kg"]) == (D(carton["total"]) * D("0.2") / 10).quantize(D("1e-12"))
    assert_sound()


def test_a_trip_that_came_before_its_parcel_arrived_counts_when_it_does(hub_clock: make.Clock) -> None:
    make.network()
    make.place(make.draft("A1"))
    make.play(hub_clock, until="ship")
    hub_clock.moment = max(hub_clock.moment, make.NOW + timedelta(days=10))
    number = Parcel.objects.get().tracking_number
    fuel = [{"carrier": "diesel", "quantity": "6"}]

    send(record("trip", trip="T1", leg="last_mile", parcels=[number], parcels_total="40", fuel=fuel))
    make.play(hub_clock)

    assert element("last_mile")["data_type"] == "primary"
    assert_sound()


def give_back(order: Order, *, damaged: int) -> None:
    said = returns.Said(
        order.number, "r1", make.NOW + timedelta(days=9),
        (returns.Back("CUP", 2 - damaged), returns.Back("CUP", damaged, is_damaged=True)),
    )  # fmt: skip
    returns.take(make.merchant(), said, actor="user:test", now=make.NOW + timedelta(days=10))
    make.run_until_idle()


def test_a_return_has_its_own_way_work_and_lost_goods(delivered: Order) -> None:
    Sku.objects.filter(code="CUP").update(custom={"pcf_kg": "1.25"})
    outward = LedgerEntry.objects.filter(basis="actual").count()

    give_back(delivered, damaged=1)

    run = CalculationRun.objects.get(subject__startswith="return:")
    assert LedgerEntry.objects.filter(basis="actual").count() > outward
    parts = {one["id"].partition("_")[0]: D(one["total_kg"]) for one in run.result["elements"]}
    assert parts["goods"] == D("1.25")
    assert parts["way"] > 0
    assert parts["rework"] > 0
    assert {one["stage"] for one in run.result["elements"]} == {"return"}
    assert "unknown" not in run.result
    send(record("rework", reference=delivered.number, kwh="0.42"))
    assert element("rework")["data_type"] == "primary"
    assert_sound()


def test_lost_goods_without_a_footprint_are_unknown_and_not_zero(delivered: Order) -> None:
    give_back(delivered, damaged=2)

    run = CalculationRun.objects.get(subject__startswith="return:")
    assert run.result["unknown"] == ["goods"]
    assert not any(one["id"].startswith("goods") for one in run.result["elements"])
    body = make.client().get(f"/api/v1/orders/{delivered.pk}/carbon/").json()
    assert body["basis"] == "actual"
    assert D(body["actual"]["by_stage"]["return"]) > 0


def test_gaps_name_the_share_on_defaults_and_the_cheapest_datum(delivered: Order) -> None:
    found = gaps.find(make.merchant().pk)

    assert found.runs > 0
    assert 0 < found.share <= 100
    (site,) = found.sites
    assert site.default_kg <= site.kg
    assert found.best
    assert found.best[0].narrower > 0
    number = Parcel.objects.get().tracking_number
    send(record("trip", trip="T", leg="last_mile", parcels=[number], parcels_total="80", distance_km="60",
                fuel=[{"carrier": "diesel", "quantity": "5"}]))  # fmt: skip
    assert gaps.find(make.merchant().pk).share < found.share
    for language, word in (("en", "What to get first"), ("zh-hans", "数据缺口")):
        assert word in pages.boss(language).get(reverse("admin:carbon_gaps")).content.decode()


def test_facts_are_of_one_merchant_only(delivered: Order) -> None:
    number = Parcel.objects.get().tracking_number
    before = LedgerEntry.objects.count()
    make.network(make.merchant(cast.BOB))
    body = {"records": [record("trip", trip="T", leg="last_mile", parcels=[number], distance_km="5")]}

    answer = make.client(make.merchant(cast.BOB)).post(PATH, body, format="json")
    make.run_until_idle()

    assert answer.json()["results"][0]["status"] == "accepted"
    assert LedgerEntry.objects.count() == before
    assert make.client(scopes=["orders:read"]).post(PATH, body, format="json").status_code == 403


def test_a_correction_supersedes_once(delivered: Order) -> None:
    site = Parcel.objects.get().fulfillment.warehouse.code
    send(meter("m1", warehouse=site, quantity="10"))

    better = {**meter("m2", warehouse=site, quantity="8"), "supersedes": "m1"}
    (told,) = send(better)
    (again,) = send({**better, "key": "m3"})

    assert told["status"] == "accepted"
    assert codes(again) == [("supersedes", "unknown")]
    uses = _case("hub")["elements"][0]["energy"]
    assert uses[0]["quantity"] == "8"


def test_meter_quantities_are_pure_arithmetic() -> None:
    assert facts.meter_quantity({"reading": "15", "start_reading": "5"}, None) == 10
    assert facts.meter_quantity({"reading": "15"}, D(12)) == 3
    assert facts.meter_quantity({"reading": "15"}, None) is None
    assert facts.meter_quantity({"quantity": "7"}, None) == 7
    assert facts.check("nothing", {}).faults == [("kind", "unknown")]


# ---- by file -------------------------------------------------------------------------------------


def test_a_file_of_readings_is_taken_once_and_its_bad_rows_are_named(
    tmp_path: Any, capsys: pytest.CaptureFixture[str], hub_clock: make.Clock
) -> None:
    make.network()
    hub_clock.moment = make.NOW + timedelta(days=30)
    file = tmp_path / "meters.csv"
    file.write_text(
        "kind,key,starts_at,ends_at,source,warehouse,meter,reading\n"
        "meter,r1,2026-11-01T00:00+08:00,2026-11-08T00:00+08:00,wms,HGH,E1,1000\n"
        "meter,r2,2026-11-08T00:00+08:00,2026-11-15T00:00+08:00,wms,HGH,E1,1100\n"
        "meter,r3,2026-11-15T00:00+08:00,2026-11-22T00:00+08:00,wms,HGH,E1,900\n"
        "meter,r4,2026-11-15,2026-11-22,wms,HGH,E1,1200\n"
        "meter,r5,2026-11-15T00:00+08:00,2026-11-22T00:00+08:00,wms,NOWHERE,E1,1\n",
        encoding="utf-8",
    )
    command = ["carbon_activities", str(file), "--merchant", make.merchant().code]

    for options, told in (
        (["--dry-run"], "2 accepted, 0 known"),
        ([], "2 accepted, 0 known"),
        ([], "0 accepted, 2 known"),
    ):
        with pytest.raises(CommandError, match="Correct the rows"):
            call_command(*command, *options)
        out, err = capsys.readouterr()
        assert told in out
        assert "3 refused" in out
        assert [line.split(":")[0] for line in err.splitlines()] == [
            "row 4, reading", "row 5, ends_at", "row 5, starts_at", "row 6, warehouse",
        ]  # fmt: skip
    assert ActivityRecord.objects.get(key="r2").data["quantity"] == "100"
