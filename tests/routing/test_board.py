"""The load board: what is used, what will come, when a warehouse is full, and levers that relieve it at once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from orderhub.inventory.models import Warehouse, WarehouseDay
from orderhub.kernel import clock
from routing import services
from routing.board import chart, pace, reading, words
from routing.board.pace import Pace
from routing.models import Decision
from routing.pricing.models import WarehouseLever
from tests import cast, make

pytestmark = pytest.mark.django_db
BOARD = "/admin/routing/board/"


@pytest.fixture(autouse=True)
def _at_ten_on_sunday(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: make.NOW)


def operator(*permissions: str, **fields: object) -> Client:
    """A browser of a member of staff with these permissions of the inventory."""
    user = get_user_model().objects.create_user(
        username=f"op{len(permissions)}{len(fields)}", password="irrelevant-here", is_staff=True, **fields
    )
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    browser = Client()
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def chief(**fields: object) -> Client:
    """One who may look and pull."""
    return operator("view_warehouse", "change_warehouse", "view_decision", **fields)


def busy(*, per_day: int, used: int, limit: int) -> Warehouse:
    """The warehouse of Hangzhou with two weeks of such days behind it, and a day begun."""
    make.network()
    house = Warehouse.objects.get(code="HGH")
    Warehouse.objects.filter(pk=house.pk).update(capacity_per_day=limit)
    today = date(2026, 11, 22)
    WarehouseDay.objects.bulk_create(
        WarehouseDay(warehouse=house, date=today - timedelta(days=n), parcels=per_day if n else used)
        for n in range(15)
    )
    house.refresh_from_db()
    return house


def one(code: str = "HGH") -> reading.House:
    """That warehouse on the board."""
    return next(h for h in reading.houses(merchant_id=None, now=make.NOW) if h.warehouse.code == code)


def test_expected_parcels_follow_the_hours_and_the_level() -> None:
    hours = tuple(0.5 if hour in (2, 5) else 0.0 for hour in range(24))
    steady = Pace({1: 100.0}, hours)
    start, end = datetime(2026, 11, 22, 2, 30, tzinfo=UTC), datetime(2026, 11, 22, 5, 30, tzinfo=UTC)

    assert steady.coming(1, start, end) == pytest.approx(50.0)
    assert Pace({1: 100.0}, hours, level=2.0).coming(1, start, end) == pytest.approx(100.0)
    assert steady.coming(9, start, end) == 0.0
    assert steady.full_at(1, 25, start, end) == datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
    assert steady.full_at(1, 51, start, end) is None
    assert steady.full_at(1, 0, start, end) == start


def test_little_history_says_little() -> None:
    assert pace.shares({3: 40}) == pace.EVEN
    assert sum(pace.shares({3: 40, 4: 60})) == pytest.approx(1.0)
    assert pace.level(0, 0) == 1.0
    assert pace.level(10_000, 1) == 3.0
    assert 0 < pace.level(0, 100) < 1


def test_a_warehouse_that_fills_up_is_warned_of_before_it_does() -> None:
    busy(per_day=240, used=60, limit=100)

    house = one()

    assert (house.used, house.limit, house.left, house.tone) == (60, 100, 40, "bad")
    assert house.coming == pytest.approx(240 * 6 / 24)  # ten to four, evenly spread
    assert house.full_at == make.NOW + timedelta(hours=4)
    assert words.warning(house) == "杭州市仓预计 14:00 满"
    page = chief(is_superuser=True).get("/admin/").content.decode()
    assert "杭州市仓预计 14:00 满" in page
    assert f"{BOARD}#w{house.warehouse.pk}" in page


def test_enough_slots_are_no_concern_and_no_limit_is_none() -> None:
    busy(per_day=24, used=10, limit=100)

    assert (one().tone, one().full_at, one().at_end) == ("ok", None, 16)
    assert (one("CAN").limit, one("CAN").share, one("CAN").tone) == (None, None, "ok")


def test_after_the_cut_off_the_next_day_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    house = busy(per_day=24, used=99, limit=100)
    later = make.NOW + timedelta(hours=7)

    [row] = [h for h in reading.houses(merchant_id=None, now=later) if h.warehouse == house]

    assert (row.day, row.used) == (date(2026, 11, 23), 0)
    assert row.cutoff_at == make.NOW + timedelta(hours=30)


def test_the_page_shows_map_bars_and_levers_and_refreshes_by_itself() -> None:
    busy(per_day=240, used=60, limit=100)
    browser = chief()

    page = browser.get(BOARD).content.decode()
    part = browser.get(BOARD, headers={"HX-Request": "true"}).content.decode()

    for shown in (page, part):
        assert shown.count('class="oh-map-day"') == 3
        assert "约 14:00 满" in shown
        assert "下调产能" in shown
    assert f'hx-get="{BOARD}" hx-trigger="every 5s"' in page
    assert "<html" in page
    assert "<html" not in part


def test_lowering_the_capacity_sends_the_next_order_elsewhere_and_undo_brings_it_back() -> None:
    house = busy(per_day=10, used=5, limit=100)
    browser = chief()
    orders = make.place(make.draft("A1"), make.draft("A2"), make.draft("A3"))
    services.route(orders[:1], now=make.NOW, actor="system")

    answer = browser.post(
        reverse("routing:board-lever", args=(house.pk, "capacity")),
        {"value": one().used, "until": "cutoff", "why": "传送带坏了"},
    )
    assert answer.status_code == 302, answer.content.decode()
    services.route(orders[1:2], now=make.NOW, actor="system")
    lever = WarehouseLever.objects.get()
    assert (lever.set_by[:5], lever.why, lever.until) == ("user:", "传送带坏了", one().cutoff_at)
    assert "传送带坏了" in browser.get(BOARD).content.decode()
    browser.post(reverse("routing:board-lift", args=(lever.pk,)))
    services.route(orders[2:], now=make.NOW, actor="system")

    plans = [row.plan or {} for row in Decision.objects.order_by("pk")]
    places = [(plan["parcels"][0]["code"], plan["parcels"][0]["capacity_date"]) for plan in plans]
    assert places[0] == places[2] == ("HGH", "2026-11-22")
    assert places[1] != places[0]


def test_a_raised_price_and_a_freeze_hold_from_the_next_decision_on() -> None:
    house = busy(per_day=10, used=0, limit=100)
    browser = chief()
    orders = make.place(make.draft("A1"), make.draft("A2"))

    browser.post(
        reverse("routing:board-lever", args=(house.pk, "price")),
        {"value": "50", "until": "open", "why": "加班"},
    )
    services.route(orders[:1], now=make.NOW, actor="system")
    browser.post(reverse("routing:board-lever", args=(house.pk, "freeze")), {"until": "day", "why": "盘点"})
    services.route(orders[1:], now=make.NOW, actor="system")

    plans = [row.plan or {} for row in Decision.objects.order_by("pk")]
    assert all(plan["parcels"][0]["code"] != "HGH" for plan in plans)
    assert Warehouse.objects.get(pk=house.pk).is_frozen
    assert one().tone == "hold"


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("capacity", {"value": "-1", "until": "cutoff", "why": "x"}),
        ("capacity", {"value": "100", "until": "cutoff", "why": "x"}),
        ("capacity", {"value": "5", "until": "never", "why": "x"}),
        ("capacity", {"value": "5", "until": "cutoff", "why": "  "}),
        ("price", {"value": "0", "until": "cutoff", "why": "x"}),
        ("price", {"value": "1e9", "until": "cutoff", "why": "x"}),
        ("freeze", {"until": "cutoff", "why": ""}),
    ],
)
def test_what_makes_no_sense_is_asked_again(kind: str, fields: dict[str, str]) -> None:
    house = busy(per_day=10, used=0, limit=100)

    answer = chief().post(reverse("routing:board-lever", args=(house.pk, kind)), fields)

    assert answer.status_code == 200
    assert "oh-err" in answer.content.decode()
    assert not WarehouseLever.objects.exists()


def test_who_may_only_look_cannot_pull() -> None:
    house = busy(per_day=10, used=0, limit=100)
    path = reverse("routing:board-lever", args=(house.pk, "freeze"))
    reader = operator("view_warehouse")

    page = reader.get(BOARD)
    assert page.status_code == 200
    assert "下调产能" not in page.content.decode()
    assert reader.get(path).status_code == 403
    assert reader.post(path, {"until": "open", "why": "x"}).status_code == 403
    assert operator().get(BOARD).status_code == 403
    assert Client().get(BOARD).status_code == 302
    assert not WarehouseLever.objects.exists()


def test_staff_of_one_merchant_see_and_move_only_its_warehouses() -> None:
    house = busy(per_day=10, used=0, limit=100)
    bobs = chief(merchant=make.merchant(cast.BOB))

    assert house.name not in bobs.get(BOARD).content.decode()
    answer = bobs.post(
        reverse("routing:board-lever", args=(house.pk, "freeze")), {"until": "open", "why": "x"}
    )
    assert answer.status_code == 404
    assert chief().get(reverse("routing:board-lever", args=(house.pk, "explode"))).status_code == 404
    assert not Warehouse.objects.get(pk=house.pk).is_frozen


def test_places_on_the_map_keep_their_order_and_stay_inside() -> None:
    box = chart.box_of([(30.25, 120.17), (23.13, 113.26)])
    north, south = box.at(30.25, 120.17), box.at(23.13, 113.26)

    assert north[0] > south[0]
    assert north[1] < south[1]
    for x, y in (north, south):
        assert 0 < x < chart.WIDTH
        assert 0 < y < box.height
    assert chart.box_of([]).holds(34.0, 106.0)
    names = [place["name"] for place in chart.provinces(box, ["CN"], is_chinese=True)]
    assert "浙江" in names
    assert Decimal(len(names)) < 34


def test_a_hundred_days_of_cover_are_said_as_such() -> None:
    make.network()
    house = one()

    assert words.cover(house) == "两周内没有出库"
