"""A planned date that moves is told to the shop and the ERP whose profile can hear it, and to no other system."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from orderhub.connectors import secretbox, speaking
from orderhub.connectors.models import Call
from orderhub.events import log
from orderhub.fulfillment import production_kinds
from orderhub.kernel import clock
from tests import make
from tests.connectors import saying

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hub_clock")]
PLAN = {
    "fulfillment": "OH-1-1", "warehouse": "HGH", "planned_before": "2026-11-24T10:00:00+00:00",
    "planned_finish_at": "2026-11-26T10:00:00+00:00", "reason": "缝线不齐", "eta_from": "2026-11-27T00:00:00+00:00",
    "eta_to": "2026-11-28T00:00:00+00:00",
}  # fmt: skip


def test_shop_and_erp_hear_of_another_planned_date(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[str, dict[str, Any]]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        said.append((request.url.path, json.loads(request.content)))
        return httpx.Response(200, json={"ok": True, "reference": "R-1"})

    client = httpx.Client(transport=httpx.MockTransport(answer))
    monkeypatch.setattr(speaking, "_client", lambda connection: client)
    make.network()
    make.Connection.objects.update(is_active=False)
    shop = make.channel("shop")
    for code, channel in (("generic_channel", shop), ("generic_erp", None), ("generic_warehouse", None)):
        row = saying.connect(
            code, channel=channel, config={"base_url": f"https://{code.replace('_', '-')}.example"}
        )
        secretbox.put(row, "secret", "s", now=clock.now())
        row.save()
    other = saying.connect("generic_channel", as_code="other", channel=make.channel("other"))
    assert other.is_active
    [order] = make.place(make.draft("A1", channel=shop))
    make.run_until_idle()
    said.clear()

    fact = log.Fact(order.stream, production_kinds.RESCHEDULED.name, PLAN, order.merchant_id)
    log.record([fact], now=clock.now(), actor="connection:mes")
    make.run_until_idle()

    assert sorted(path for path, _body in said) == [f"/orders/{order.number}/planned-dates", "/planned-dates"]
    body = next(body for path, body in said if path == "/planned-dates")
    assert (body["order_id"], body["planned_finish_at"], body["expected_to"]) == (
        "A1", PLAN["planned_finish_at"], PLAN["eta_to"],
    )  # fmt: skip
    assert set(Call.objects.filter(operation="plan_notice").values_list("state", flat=True)) == {"acked"}
