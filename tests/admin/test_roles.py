"""`manage.py setup_roles`: five groups with least rights."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client

from tests.admin import desk
from tests.fulfillment import builders as make
from tests.orders import builders as orders

pytestmark = pytest.mark.django_db

#: What each role may open of the lists, of all that are registered by the hub.
OPEN = {
    "operator": {
        "orders/order",
        "orders/hold",
        "inventory/stock",
        "routing/strategy",
        "rules/ruleset",
        "events/delivery",
        "connectors/connection",
        "connectors/call",
        "connectors/difference",
        "connectors/profile",
    },
    "integrator": {
        "connectors/connection",
        "connectors/profile",
        "connectors/inboxmessage",
        "connectors/alias",
        "connectors/difference",
        "connectors/reconciliation",
        "orders/channel",
    },
    "strategist": {
        "orders/order",
        "routing/strategy",
        "rules/ruleset",
        "rules/flow",
        "fulfillment/ratecard",
        "inventory/stock",
        "inventory/stockreport",
        "connectors/stockrule",
    },
    "carbon": {"orders/order", "carbon/factorset", "carbon/ledgerentry"},
    "support": {"orders/order", "orders/hold", "fulfillment/parcel"},
}
CLOSED = {
    "operator": {"access/apikey", "access/user"},
    "integrator": {"access/apikey", "access/user", "routing/strategy", "rules/ruleset", "inventory/stock"},
    "strategist": {"access/apikey", "access/user", "events/delivery", "connectors/connection"},
    "carbon": {"routing/strategy", "rules/ruleset", "access/user", "events/delivery"},
    "support": {"routing/strategy", "rules/ruleset", "inventory/stock", "access/user", "carbon/factorset"},
}


def test_running_it_again_repairs_the_groups_and_makes_no_others() -> None:
    call_command("setup_roles", verbosity=0)
    before = {
        group.name: set(group.permissions.values_list("pk", flat=True)) for group in Group.objects.all()
    }
    Group.objects.get(name__endswith=" support").permissions.set(Permission.objects.all()[:3])

    call_command("setup_roles", verbosity=0)

    assert before.keys() == {
        "履约运营 operator",
        "接入 integrator",
        "策略 strategist",
        "碳管理 carbon",
        "客服 support",
    }
    assert {g.name: set(g.permissions.values_list("pk", flat=True)) for g in Group.objects.all()} == before


def test_no_role_may_touch_people_keys_or_the_log() -> None:
    call_command("setup_roles", verbosity=0)

    for group in Group.objects.all():
        held = {
            f"{p.content_type.app_label}.{p.codename}"
            for p in group.permissions.select_related("content_type")
        }
        writing = {name for name in held if ".view_" not in name}
        assert not {
            name for name in held if name.startswith(("auth.", "access.")) and name != "access.view_merchant"
        }
        assert "orders.view_person" not in held
        assert not {name for name in writing if name.startswith("events.event") or "ledgerentry" in name}
        assert not {
            name for name in writing if name.startswith("orders.delete") or name.endswith("_movement")
        }


@pytest.mark.parametrize("role", sorted(OPEN))
def test_each_role_opens_its_lists_and_no_others(role: str) -> None:
    client = desk.member(role)

    opened = {path: client.get(f"/admin/{path}/").status_code for path in sorted(OPEN[role] | CLOSED[role])}

    assert opened == {path: 200 if path in OPEN[role] else 403 for path in sorted(OPEN[role] | CLOSED[role])}


def test_only_strategists_change_strategies_and_only_operators_freeze() -> None:
    place = make.warehouse()
    merchant = orders.merchant()
    operator, strategist = desk.member("operator"), desk.member("strategist")
    add, freeze = "/admin/routing/strategy/add/", f"/admin/inventory/warehouse/{place.pk}/freeze/"

    assert merchant.pk == place.merchant_id
    assert (operator.get(add).status_code, strategist.get(add).status_code) == (403, 200)
    assert (strategist.post(freeze).status_code, operator.post(freeze).status_code) == (403, 302)
    place.refresh_from_db()
    assert place.is_frozen


def test_strangers_are_asked_to_log_in() -> None:
    page = Client().get("/admin/orders/order/")

    assert page.status_code == 302
    assert page["Location"].startswith("/admin/login/")
