"""A warehouse has less than it promised: which orders go elsewhere, and what a person does on the pages of reports."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME

from orderhub.fulfillment import shortages
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.inventory import invariants, reports
from orderhub.inventory.models import Movement, StockReportLine
from orderhub.inventory.reports import Said
from tests.admin import desk
from tests.fulfillment import builders as make
from tests.orders import builders as orders

pytestmark = pytest.mark.django_db
LINES = "/admin/inventory/stockreportline/"
State = StockReportLine.State


def report(*said: Said, key: str = "r1", **more: Any) -> list[StockReportLine]:
    given = {
        "kind": "count",
        "reported_at": make.at(1),
        "key": key,
        "actor": "wms",
        "now": make.at(1),
        **more,
    }
    return list(reports.take(orders.merchant(), "SHA", said, **given).lines)


def waiting(missing: int = 3) -> tuple[StockReportLine, list[Any]]:
    """Two orders hold 2 units each of the 6 in Shanghai (more lie in Guangzhou); only some are really there."""
    make.network(units=6)
    found = make.released(1)
    later = make.placed(1)
    make.run_steps(later, until="fulfillment.reserve")
    [line] = report(Said("TEA", 4 - missing))
    assert make.counts() == (6, 4)
    return line, [*found, *later]


def test_what_nobody_has_begun_is_proposed_first() -> None:
    line, (released, reserved) = waiting()
    assert (line.difference, line.short, line.state) == (-5, 3, State.WAITING)

    found = shortages.propose(line)

    assert [(x.order_id, x.units, x.at_once) for x in found] == [
        (reserved.pk, 2, True),
        (released.pk, 2, False),
    ]


def test_rerouting_and_booking_go_together() -> None:
    line, (released, reserved) = waiting()

    outcomes, after = shortages.reroute_and_book(
        line, reason="count", note="", actor="user:li", now=make.at(2)
    )

    assert [(x.order_id, x.done) for x in outcomes] == [(reserved.pk, True), (released.pk, False)]
    # The first order's units were free and gone at once; the second warehouse has to answer first.
    assert make.counts() == (2, 2)
    assert (after.state, after.booked, after.short) == (State.WAITING, -4, 1)
    assert FulfillmentOrder.objects.get(order=released).state == "cancel_requested"
    assert list(invariants.movements_add_up()) == []


def test_a_person_books_with_a_reason_and_sees_what_is_short() -> None:
    line, (_released, reserved) = waiting()
    client = desk.boss("en")
    path = f"{LINES}{line.pk}/"

    shown = client.get(f"{path}change/").content.decode()
    assert "3 units promised to orders are not there" in shown
    assert reserved.number in shown
    asked = client.get(f"{path}book/").content.decode()
    assert "never taken away" in asked
    done = client.post(f"{path}book/", {"reason": "theft", "note": "seal broken"}, follow=True)

    line.refresh_from_db()
    assert make.counts() == (4, 4)
    assert (line.reason, line.note, line.decided_by, line.booked, line.short) == (
        "theft", "seal broken", "user:boss", -2, 3,
    )  # fmt: skip
    assert desk.messages_of(done)[0] == "0 differences booked."
    assert "See which orders to re-route" in desk.messages_of(done)[1]
    assert Movement.objects.latest("pk").reference == f"report:{line.report_id}:theft"


def test_many_are_dismissed_with_one_note_and_refused_lines_tried_again() -> None:
    make.network(units=6)
    first, second, unknown = report(Said("TEA", 1), Said("CUP", 5), Said("NEW", 2))
    assert unknown.state == second.state == State.REFUSED
    client = desk.boss("en")
    chosen = {ACTION_CHECKBOX_NAME: [first.pk, unknown.pk], "action": "dismiss"}

    assert "needs a person" in client.get(LINES).content.decode()
    asked = client.post(LINES, chosen)
    assert "The stock stays as it is" in asked.content.decode()
    done = client.post(LINES, {**chosen, "confirmed": "1", "note": "wrong shelf"}, follow=True)

    assert desk.messages_of(done) == ["1 difference dismissed."]
    assert make.counts() == (6, 0)
    orders.sku("CUP")
    again = client.post(f"{LINES}{second.pk}/again/", follow=True)
    assert desk.messages_of(again) == ["1 line taken after all."]
    second.refresh_from_db()
    assert (second.state, second.difference) == (State.WAITING, 5)


def test_only_operators_decide_and_only_about_their_merchant() -> None:
    make.network(units=6)
    [line] = report(Said("TEA", 1))

    support = desk.member("support")
    assert support.get(f"{LINES}{line.pk}/book/").status_code == 403
    elsewhere = desk.member("operator", merchant=orders.merchant("other"))
    assert elsewhere.post(f"{LINES}{line.pk}/book/", {"reason": "count"}).status_code == 404
    line.refresh_from_db()
    assert line.state == State.WAITING


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_reports_list_their_lines(language: str) -> None:
    make.network(units=6)
    report(Said("TEA", 1), Said("NEW", 2))
    client = desk.boss(language)

    today = client.get("/admin/").content.decode()
    assert {"en": "1 stock difference waits", "zh-hans": "1 条库存差异待处理"}[language] in today
    page = client.get("/admin/inventory/stockreport/").content.decode()

    assert "report__id__exact=" in page
    assert {"en": "needs a person", "zh-hans": "需要人工处理"}[language] in client.get(LINES).content.decode()
