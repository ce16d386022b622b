"""A chair that no shelf has: a factory takes the work order, fails one inspection, needs longer, and ships it after all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from orderhub.connectors.models import Call, InboxMessage
from orderhub.events.models import Event
from orderhub.fulfillment import production
from orderhub.fulfillment import services as fulfillment
from orderhub.fulfillment.models import ComponentHold, FulfillmentOrder, WorkOrder
from orderhub.inventory import services as inventory
from orderhub.inventory.models import Bom, BomLine, ExpectedReceipt, Sku, Stock, Warehouse, Workshop
from orderhub.kernel import clock
from orderhub.orders import sharing
from orderhub.orders.models import Order, OrderLine
from tests import make
from tests.connectors import wired
from tests.connectors.wired import Wired
from tests.journeys.invariants import assert_all_hold

pytestmark = pytest.mark.django_db
CHINA = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def hub_clock() -> None:
    """Signatures are made at the machine's time, so the hub keeps it too."""


def sku(code: str, name: str = "") -> Sku:
    found, _made = Sku.objects.get_or_create(
        merchant=make.merchant(),
        code=code,
        defaults={"name": name or code, "name_en": code.title(), "grams": 4000},
    )
    return found


@pytest.fixture
def factory() -> Iterator[Wired]:
    """A factory in Hangzhou that makes chairs of cloth, legs and screws; it keeps cloth and legs itself."""
    make.channel()
    make.rate_card()
    house = make.warehouse("HGH", kind=Warehouse.Kind.FACTORY)
    Warehouse.objects.filter(pk=house.pk).update(kind=Warehouse.Kind.FACTORY)
    house.refresh_from_db()
    chair, cloth, leg = sku("CHAIR", "扶手椅"), sku("CLOTH", "羊毛布"), sku("LEG", "榉木腿")
    shop = Workshop.objects.create(
        merchant=make.merchant(), warehouse=house, units_per_day=5, hours=Decimal(48)
    )
    shop.skus.set([chair])
    bill = Bom.objects.create(merchant=make.merchant(), sku=chair)
    for component, quantity, scrap, unit in (
        (cloth, "0.75", "10", "m"),
        (leg, "4", "0", ""),
        (sku("SCREW"), "8", "0", ""),
    ):
        BomLine.objects.create(
            bom=bill, component=component, quantity=Decimal(quantity), scrap_percent=Decimal(scrap), unit=unit
        )
    inventory.set_counts([(house, cloth, 10), (house, leg, 6)], actor="user:test", now=clock.now())
    with wired.wired() as wires:
        wires.connect("mes", profile="generic_mes")
        yield wires


def ordered(factory: Wired, units: int = 1, number: str = "A1") -> Order:
    [order] = make.place(make.draft(number, lines={"CHAIR": units}))
    factory.pump()
    return make.fresh(order)


def work() -> WorkOrder:
    return WorkOrder.objects.select_related("fulfillment").get()


def job(factory: Wired) -> dict[str, Any]:
    (found,) = factory.world.do("mes", "jobs")
    return dict(found)


def does(factory: Wired, action: str, **args: Any) -> None:
    """The factory does something and tells it."""
    factory.world.do("mes", action, number=work().fulfillment.number, **args)
    factory.pump()


def page(order: Order, language: str = "en") -> str:
    answer: Any = make.client(order.merchant).get(f"/t/{sharing.token(order)}/?lang={language}")
    return str(answer.content.decode())


def local(at: Any) -> str:
    return str(at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S"))


def held() -> dict[str, tuple[int, int, int]]:
    """Reserved, used and short units by component."""
    rows = ComponentHold.objects.select_related("sku")
    return {one.sku.code: (one.reserved, one.used, one.short) for one in rows}


def on_shelf(code: str) -> tuple[int, int]:
    row = Stock.objects.get(sku__code=code)
    return row.on_hand, row.reserved


def test_a_chair_is_made_fails_one_inspection_takes_longer_and_arrives(factory: Wired) -> None:
    order = ordered(factory)
    # The factory is told what to make, of what, and until when.
    assert order.stage == "released"
    told = job(factory)
    assert [(line["sku"], line["qty"]) for line in told["lines"]] == [("CHAIR", 1)]
    assert [(one["sku"], one["qty"], one.get("unit", "")) for one in told["components"]] == [
        ("CLOTH", "0.825", "m"), ("LEG", "4", ""), ("SCREW", "8", ""),
    ]  # fmt: skip
    assert told["due_at"]
    assert told["planned_finish_at"]
    assert work().state == "accepted"
    assert held() == {
        "CLOTH": (1, 0, 0),
        "LEG": (4, 0, 0),
        "SCREW": (0, 0, 0),
    }  # screws are none of the hub's business
    assert_all_hold()

    does(factory, "material")
    does(factory, "start")
    does(factory, "step", name="裁剪", good=1)
    assert work().state == "started"
    assert (on_shelf("CLOTH"), on_shelf("LEG")) == ((9, 0), (2, 0))
    assert FulfillmentOrder.objects.get().state == "in_progress"
    assert "dates have changed" not in page(order)
    assert "Being made" in page(order)
    assert_all_hold()

    # It does not pass, and the factory plans two days more.
    before, eta = work().finish_at, FulfillmentOrder.objects.get().eta_to_at
    later = before + timedelta(days=2)
    does(factory, "inspect", passed=False, planned_at=local(later), reason="缝线不齐")
    assert (work().quality, work().told_finish_at) == ("failed", later.replace(microsecond=0))
    moved = FulfillmentOrder.objects.get().eta_to_at
    assert eta is not None
    assert moved is not None
    assert timedelta(days=2) - timedelta(seconds=1) <= moved - eta <= timedelta(days=2)
    assert "Production dates have changed. Now expected" in page(order)
    assert "制作时间有调整，预计" in page(order, "zh-hans")
    assert "缝线不齐" not in page(order, "zh-hans")  # why it failed is between us and the factory

    does(factory, "rework")
    does(factory, "inspect", passed=True)
    does(factory, "finish")
    assert (work().state, work().quality, work().good) == ("finished", "passed", 1)
    does(factory, "pack")
    does(factory, "ship")

    order = make.fresh(order)
    assert order.stage == "shipped"
    assert OrderLine.objects.get().shipped == 1
    assert [kind for kind in make.kinds_of(order) if kind.startswith("production.")] == [
        "production.accepted", "production.material_received", "production.started", "production.step_done",
        "production.qc_failed", "production.rescheduled", "production.rework_started", "production.qc_passed",
        "production.finished",
    ]  # fmt: skip
    assert not InboxMessage.objects.filter(state="quarantined").exists()
    assert_all_hold()


def test_everything_twice_and_out_of_order_comes_to_the_same(factory: Wired) -> None:
    order = ordered(factory)
    for kind in ("duplicate", "shuffle"):
        factory.world.fault(kind, "mes", times=0, **({"count": 3} if kind == "shuffle" else {"copies": 2}))
    for action, args in (
        ("start", {}), ("step", {"name": "a", "good": 1}), ("step", {"name": "b", "good": 1}), ("inspect", {}),
        ("finish", {}), ("pack", {}), ("ship", {}),
    ):  # fmt: skip
        factory.world.do("mes", action, number=work().fulfillment.number, **args)
    factory.pump()

    assert make.fresh(order).stage == "shipped"
    assert (work().state, work().good) == ("finished", 1)
    kinds = make.kinds_of(order)
    assert kinds.count("production.step_done") == 2
    assert kinds.count("production.finished") == kinds.count("production.started") == 1
    assert on_shelf("LEG") == (2, 0)
    assert_all_hold()


def test_what_the_factory_says_while_it_cannot_be_reached_is_settled_afterwards(factory: Wired) -> None:
    factory.world.fault("hang_after", "mes", "jobs.create", seconds=1, times=1)
    factory.world.fault("error_500", "mes", "jobs.create", times=1, after=1)
    order = ordered(factory)

    assert job(factory)["creates"] == 1
    assert work().state == "accepted"
    assert make.fresh(order).stage == "released"


def test_a_component_that_is_short_is_said_by_name_with_its_date_and_taken_when_it_comes(
    factory: Wired,
) -> None:
    coming = clock.now() + timedelta(days=3)
    house = Warehouse.objects.get(code="HGH")
    expected = ExpectedReceipt.objects.create(
        merchant=house.merchant,
        warehouse=house,
        sku=sku("LEG"),
        units=20,
        expected_at=coming,
        reference="PO-9",
    )
    order = ordered(factory, units=2)

    assert held() == {"CLOTH": (2, 0, 0), "LEG": (6, 0, 2), "SCREW": (0, 0, 0)}
    (said,) = Event.objects.filter(kind="production.components_short").values_list("payload", flat=True)
    assert [(one["sku"], one["name"], one["missing"]) for one in said["components"]] == [("LEG", "榉木腿", 2)]
    assert f"LEG 榉木腿 −2 → {coming.astimezone(CHINA):%Y-%m-%d}" in said["detail"]
    assert work().planned_start_at == expected.expected_at
    assert "Production dates have changed. Now expected" in page(order)

    inventory.receive([(house, sku("LEG"), 20)], reference="PO-9", actor="user:test", now=clock.now())
    factory.pump()

    assert held()["LEG"] == (8, 0, 0)
    assert "production.components_complete" in make.kinds_of(order)
    assert_all_hold()


def test_a_cancelled_order_gives_the_components_back_once_the_factory_agrees(factory: Wired) -> None:
    factory.world.settings("mes", later=True)
    order = ordered(factory)
    fulfillment.cancel([order.pk], reason="customer", actor="user:li", now=clock.now())
    factory.pump()

    asked = Call.objects.get(operation="cancel")
    assert (asked.state, make.fresh(order).stage) == ("later", "released")
    assert on_shelf("LEG") == (6, 4)

    does(factory, "reply", operation="cancel", ok=True)

    asked.refresh_from_db()
    assert (asked.state, make.fresh(order).stage) == ("acked", "cancelled")
    assert (work().state, on_shelf("LEG")) == ("cancelled", (6, 0))
    assert_all_hold()


def test_a_factory_that_has_begun_goes_on(factory: Wired) -> None:
    order = ordered(factory)
    does(factory, "start")
    fulfillment.cancel([order.pk], reason="customer", actor="user:li", now=clock.now())
    factory.pump()

    assert "fulfillment.cancel_refused" in make.kinds_of(order)
    does(factory, "finish")
    does(factory, "ship")
    assert make.fresh(order).stage == "shipped"
    assert_all_hold()


def test_fewer_good_ones_than_ordered_and_the_rest_is_made_again(factory: Wired) -> None:
    order = ordered(factory, units=2)
    does(factory, "finish", good=1, scrap=1)

    first, second = WorkOrder.objects.order_by("pk")
    assert (first.good, first.scrap, first.quantity) == (1, 1, 1)
    assert (second.quantity, second.state) == (1, "accepted")
    factory.world.do("mes", "ship", number=first.fulfillment.number)
    factory.world.do("mes", "finish", number=second.fulfillment.number)
    factory.world.do("mes", "ship", number=second.fulfillment.number)
    factory.pump()

    assert make.fresh(order).stage == "shipped"
    assert OrderLine.objects.get().shipped == 2
    assert_all_hold()


def test_a_factory_that_refuses_sends_the_order_back_to_routing(factory: Wired) -> None:
    order = ordered(factory)
    does(factory, "reject", reason="机器停修")

    assert "fulfillment.rejected" in make.kinds_of(order)
    assert WorkOrder.objects.order_by("pk")[0].state == "cancelled"
    assert_all_hold()


def test_an_operator_asks_for_another_date_and_the_factory_answers_with_its_plan(factory: Wired) -> None:
    order = ordered(factory)
    wanted = clock.now() + timedelta(days=1)
    production.request_change(work().pk, due_at=wanted, reason="展会", actor="user:li", now=clock.now())
    factory.pump()

    assert job(factory)["due_at"] == wanted.isoformat()
    assert Call.objects.get(operation="change").state == "acked"
    does(factory, "plan", planned_at=local(wanted), reason="加班")
    assert work().finish_at == wanted.replace(microsecond=0)
    assert "production.rescheduled" in make.kinds_of(order)


def test_past_its_planned_finish_without_a_word_a_person_is_called_once_until_it_speaks(
    factory: Wired,
) -> None:
    order = ordered(factory)
    does(factory, "start")
    late = work().finish_at + timedelta(hours=2)
    assert production.call_stalls(now=work().finish_at + timedelta(minutes=30)) == 0

    assert production.call_stalls(now=late) == 1
    assert production.call_stalls(now=late) == 0
    assert "production.stalled" in make.kinds_of(order)
    assert work().stalled_at == late

    does(factory, "step", name="打磨", good=1)
    assert work().stalled_at is None
