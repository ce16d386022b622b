"""Operators read the log and decide on deliveries."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from orderhub.access.models import User
from orderhub.events import relay
from orderhub.events.models import Delivery, Event
from orderhub.events.registry import GiveUp

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ann", password="long-enough-1"))
    return client


@pytest.fixture
def dead(write: Any, job: Any) -> Delivery:
    def refuse(rows: Any) -> None:
        raise GiveUp("no such warehouse")

    job(refuse)
    write("order:1")
    relay.run_queue("low")
    return Delivery.objects.get()


@pytest.mark.parametrize("model", ["event", "delivery", "cursor", "parkedevent", "workerbeat"])
def test_every_list_opens(admin: Client, dead: Delivery, model: str) -> None:
    assert admin.get(reverse(f"admin:events_{model}_changelist")).status_code == 200


def test_the_list_of_deliveries_costs_the_same_whatever_its_length(
    admin: Client, write: Any, job: Any, django_assert_max_num_queries: Any
) -> None:
    job(lambda rows: None)
    write(*(f"order:{number}" for number in range(40)))

    with django_assert_max_num_queries(12):
        page = admin.get(reverse("admin:events_delivery_changelist"))

    assert "order:39" in page.content.decode()


def test_events_cannot_be_changed_or_deleted(admin: Client, dead: Delivery) -> None:
    event = Event.objects.get()

    changed = admin.post(reverse("admin:events_event_change", args=[event.pk]), {"kind": "forged"})
    deleted = admin.post(reverse("admin:events_event_delete", args=[event.pk]), {"post": "yes"})

    assert (changed.status_code, deleted.status_code) == (403, 403)
    assert Event.objects.get().kind == "test.happened"


def test_replaying_from_the_list(admin: Client, dead: Delivery) -> None:
    choice = {"action": "replay_chosen", "_selected_action": [dead.pk], "note": "warehouse made", "index": 0}

    admin.post(reverse("admin:events_delivery_changelist"), choice)

    dead.refresh_from_db()
    assert (dead.state, dead.attempts, dead.note) == ("ready", 0, "user:ann: warehouse made")


def test_skipping_without_a_note_changes_nothing(admin: Client, dead: Delivery) -> None:
    choice = {"action": "skip_chosen", "_selected_action": [dead.pk], "note": "", "index": 0}

    page = admin.post(reverse("admin:events_delivery_changelist"), choice, follow=True)

    dead.refresh_from_db()
    assert dead.state == "dead"
    assert page.context is not None
    assert len(list(page.context["messages"])) == 1


def test_verifying_the_chain_from_the_list(admin: Client, dead: Delivery) -> None:
    choice = {"action": "verify_chain", "_selected_action": [Event.objects.get().pk], "index": 0}

    page = admin.post(reverse("admin:events_event_changelist"), choice, follow=True)

    assert [message.level_tag for message in page.context["messages"]] == ["success"]
