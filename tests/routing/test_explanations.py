"""A decision explains itself on its page, by API and to customers, and replays at the press of a button."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from orderhub.inventory.models import Warehouse
from routing import queries, services
from routing.invariants import terms_add_up
from routing.models import Decision
from tests import cast, make

pytestmark = pytest.mark.django_db


def routed(**fields: Any) -> Decision:
    """The decision of one order of two lines, which any of three warehouses could ship."""
    make.network()
    [order] = make.place(make.draft("A1", lines={"LAMP": 2, "CUP": 1}))
    services.route([order], now=make.NOW, actor="system")
    return Decision.objects.get(**fields)


def staff(*permissions: str, **fields: Any) -> Client:
    """A browser of a member of staff."""
    user = get_user_model().objects.create_user(
        username=f"s{len(permissions)}{len(fields)}", password="irrelevant-here", is_staff=True, **fields
    )
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    browser = Client()
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def test_the_api_says_what_would_flip_it_and_what_a_customer_may_hear() -> None:
    decision = routed()

    document = make.client(language="en").get(f"/api/v1/orders/{decision.order_id}/decision/").json()

    flips = document["flips"]
    assert flips["weights"] or flips["text"] == "no change of a single weight flips it"
    for row in flips["weights"]:
        assert Decimal(row["then"]) != Decimal(row["now"])
        assert "is cheaper" in row["text"]
    said = document["customer_sentence"]
    assert said.startswith("Your order ships in one parcel")
    for house in Warehouse.objects.all():
        assert house.name_en not in said
    assert "¥" not in said
    assert document["can_replay"] is True
    assert len(document["alternatives"]) >= 1


def test_alternatives_add_up_like_the_winner_and_a_fault_is_found() -> None:
    decision = routed()
    assert list(terms_add_up()) == []

    other = decision.alternatives[0]
    other["terms"]["freight"] = str(Decimal(other["terms"]["freight"]) + 1)
    Decision.objects.filter(pk=decision.pk).update(alternatives=decision.alternatives)

    [found] = terms_add_up()
    assert "alternative 1" in found


def test_the_page_replays_the_decision() -> None:
    decision = routed()
    browser = staff("view_decision", "view_order")
    path = reverse("routing:replay", args=(decision.pk,))

    page = browser.get(reverse("admin:routing_decision_change", args=(decision.pk,))).content.decode()
    assert path in page
    assert "对客户可以说" in page
    assert "完全一致" in browser.get(path).content.decode()

    plan = decision.plan or {}
    plan["terms"]["freight"] = "0.5000"
    Decision.objects.filter(pk=decision.pk).update(plan=plan)
    told = browser.get(path).content.decode()
    assert "plans.0.terms.freight" in told
    assert "0.5000" in told


def test_only_who_may_see_decisions_replays_them() -> None:
    path = reverse("routing:replay", args=(routed().pk,))

    assert staff().get(path).status_code == 403
    assert Client().get(path).status_code == 302
    assert staff("view_decision", merchant=make.merchant(cast.BOB)).get(path).status_code == 404
    assert staff("view_decision", "view_order").get(path).status_code == 200


def test_a_decision_without_kept_inputs_has_no_button() -> None:
    decision = routed()
    Decision.objects.update(inputs=None)
    decision.refresh_from_db()

    assert queries.document(decision, language="en")["can_replay"] is False
    path = reverse("routing:replay", args=(decision.pk,))
    assert "无法单独重放" in staff("view_decision").get(path).content.decode()
