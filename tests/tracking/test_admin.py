"""Operators' pages of tracking and carbon open, stay read-only, and cost no query per row."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from carbon.models import CalculationRun, FactorSet
from orderhub.access.models import User
from tests import cast, make
from tracking.models import Journey

pytestmark = pytest.mark.django_db

LISTS = (
    "carbon/factorset", "carbon/factor", "carbon/calculationrun", "carbon/ledgerentry", "tracking/journey",
    "tracking/timelineentry", "tracking/position",
)  # fmt: skip


@pytest.fixture
def operator(hub_clock: make.Clock) -> Client:
    make.network()
    make.place(make.draft("A1"), make.draft("A2", to=cast.LEI))
    make.play(hub_clock)
    client = Client()
    client.force_login(User.objects.create_superuser("ops", password="a-long-password"))
    return client


def test_every_list_opens_in_both_languages_and_can_be_searched(operator: Client) -> None:
    for name in LISTS:
        for language in ("zh-hans", "en"):
            page = operator.get(f"/admin/{name}/", headers={"Accept-Language": language})
            assert page.status_code == 200, name
        assert operator.get(f"/admin/{name}/?q=A1").status_code == 200, name
        assert operator.get(f"/admin/{name}/add/").status_code == 403, name


def test_single_pages_open_and_change_nothing(operator: Client) -> None:
    run, page = CalculationRun.objects.all()[0], Journey.objects.all()[0]

    shown = operator.get(f"/admin/carbon/calculationrun/{run.pk}/change/")
    journey = operator.get(f"/admin/tracking/journey/{page.pk}/change/")

    assert (shown.status_code, journey.status_code) == (200, 200)
    assert run.case["elements"][0]["id"] in shown.content.decode()
    assert "订单已提交" in journey.content.decode()
    refused = operator.post(f"/admin/carbon/calculationrun/{run.pk}/change/", {"subject": "x"})
    assert refused.status_code == 403


def test_lists_cost_no_query_per_row(operator: Client, hub_clock: make.Clock) -> None:
    counts: dict[str, list[int]] = {name: [] for name in LISTS}
    for round_number in range(2):
        for name in LISTS:
            operator.get(f"/admin/{name}/")
            with CaptureQueriesContext(connection) as seen:
                operator.get(f"/admin/{name}/")
            counts[name].append(len(seen))
        make.place(*(make.draft(f"B{round_number}{n}") for n in range(4)))
        make.run_until_idle()

    assert {name: few == many for name, (few, many) in counts.items()} == dict.fromkeys(LISTS, True), counts


def test_a_draft_is_activated_by_a_person(operator: Client) -> None:
    draft = FactorSet.objects.filter(status="draft")[0]

    operator.post(f"/admin/carbon/factorset/{draft.pk}/activate/")

    assert FactorSet.objects.get(pk=draft.pk).status == "active"
