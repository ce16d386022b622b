"""Custom fields of the chosen warehouses in decisions of drawn flows, on the real journey."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.fields import services as fields
from orderhub.fields import uses
from orderhub.fields.models import Field
from orderhub.inventory.models import Warehouse
from orderhub.orders import journeys
from orderhub.orders.flows import facts
from orderhub.orders.models import Order
from rules import vocabulary
from rules.flows import publishing
from rules.models import Flow
from tests import make
from tests.rules.test_flow_checking import drawing

pytestmark = pytest.mark.django_db
BONDED = {"all": [{"fact": "warehouse.custom.bonded", "op": "==", "value": True}]}


def add(code: str, kind: str = "text", **told: Any) -> Field:
    row = Field(target="warehouse", code=code, kind=kind, merchant=make.merchant(), name=code, **told)
    return fields.save(row, actor="user:test")


def flow(when: dict[str, Any]) -> Flow:
    """The built-in way with a question behind routing: what comes from such a warehouse is tagged."""
    ask = ("flow.decide", {"branches": [{"exit": "yes", "name": "是", "name_en": "yes", "when": when}]})
    steps = {name.replace(".", "_"): name for name in journeys.built_in()}
    names = list(steps)
    at = names.index("routing_route")
    edges = ["start-" + names[0], *(f"{a}-{b}" for a, b in pairwise(names[: at + 1]))]
    edges += ["routing_route-ask", "ask:yes-tag", f"ask:else-{names[at + 1]}", f"tag-{names[at + 1]}"]
    edges += [f"{a}-{b}" for a, b in pairwise(names[at + 1 :])]
    edges.append(names[-1] + "-end")
    content = drawing(
        *edges, start="flow.start", **steps, ask=ask, tag=("flow.tag", {"tag": "bonded"}), end="flow.end"
    )
    row = Flow.objects.create(code="w", scope=f"merchant:{make.merchant().pk}", name="w", draft=content)
    journeys.forget()
    publishing.publish(row, None, now=make.NOW)
    return row


def test_what_comes_from_a_bonded_warehouse_goes_another_way(hub_clock: make.Clock) -> None:
    make.network()
    field = add("bonded", "boolean")
    flow(BONDED)
    Warehouse.objects.filter(code="HGH").update(custom={"bonded": True})
    make.stock({"HGH": {"CUP": 9, "LAMP": 0}, "CAN": {"CUP": 0, "LAMP": 9}, "CTU": {"CUP": 0, "LAMP": 0}})

    make.place(make.draft("A", lines={"CUP": 1}), make.draft("B", lines={"LAMP": 1}))
    make.run_until_idle()

    assert {x.external_id: (x.tags, x.stage) for x in Order.objects.all()} == {
        "A": (["bonded"], "released"), "B": ([], "released"),
    }  # fmt: skip
    assert [use.title for use in uses.of(field) if use.blocks] == ["w"]


def test_only_flows_know_warehouses_and_numbers_have_no_sum(hub_clock: make.Clock) -> None:
    make.network()
    add("floor", "integer")
    scope = f"merchant:{make.merchant().pk}"

    def words(purpose: str) -> set[str]:
        return {name for name in vocabulary.words(purpose, scope).facts if name.startswith("warehouse.")}

    assert words("flow") == {"warehouse.custom.floor.min", "warehouse.custom.floor.max"}
    assert words("screen") == words("price") == set()


def test_facts_are_looked_up_once_a_batch_and_only_where_a_decision_names_them(hub_clock: make.Clock) -> None:
    make.network()
    add("floor", "integer")
    Warehouse.objects.update(custom={"floor": 3})
    make.place(*(make.draft(f"Q{n}", lines={"CUP": 1}) for n in range(3)))
    make.run_until_idle()
    orders = list(Order.objects.select_related("merchant", "channel", "person"))
    lines = {x.pk: list(x.lines.select_related("sku")) for x in orders}

    def looked(*names: str) -> tuple[dict[int, dict[str, object]], int]:
        with CaptureQueriesContext(connection) as captured:
            found = facts.of(orders, lines, names, now=make.NOW)
        return found, sum("fulfillment_fulfillmentorder" in query["sql"] for query in captured)

    found, asked = looked("warehouse.custom.floor.max")
    assert ({values["warehouse.custom.floor.max"] for values in found.values()}, asked) == ({3}, 1)
    assert looked("order.total")[1] == 0
