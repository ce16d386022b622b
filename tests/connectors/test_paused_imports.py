"""Imports that stop half-way: a full disk and a revoked key keep what came in, and the rest goes on afterwards."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from django.db import OperationalError

from orderhub.access.models import ApiKey
from orderhub.connectors import imports, orderfiles, outcomes, pages, pausing, uploads
from orderhub.connectors.models import ImportBatch
from orderhub.events.models import Delivery, Event
from orderhub.kernel import clock
from orderhub.orders.models import Order
from tests.connectors import files_cast as cast
from tests.connectors import import_cast as make

pytestmark = pytest.mark.django_db
FAULTS = {
    "SQLite": OperationalError("database or disk is full"),
    "a file": OSError(errno.ENOSPC, "No space left on device"),
}


def uploaded(count: int = 35, **options: Any) -> ImportBatch:
    return uploads.upload(
        [("many.csv", make.many(count).data())], merchant=make.merchant(), kind="orders", actor="t",
        now=clock.now(), user=None, **options,
    )  # fmt: skip


def failing_in_the_third(monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    """Chunks of ten; the third fails after its orders were written, within its transaction."""
    place, calls = orderfiles.orders.place_many, []

    def place_many(*args: Any, **options: Any) -> Any:
        calls.append(1)
        placed = place(*args, **options)
        if len(calls) == 3:
            raise fault
        return placed

    monkeypatch.setattr(orderfiles, "CHUNK_ORDERS", 10)
    monkeypatch.setattr(orderfiles.orders, "place_many", place_many)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_full_disk_pauses_the_import_and_the_clock_goes_on_with_it(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    failing_in_the_third(monkeypatch, FAULTS[name])
    batch = uploaded()

    imports.run(batch.pk)

    batch.refresh_from_db()
    assert (batch.status, batch.failure_kind, batch.accepted_orders) == ("paused", "disk_full", 20)
    assert Order.objects.count() == Event.objects.filter(kind="order.placed").count() == 20
    shown = pages.progress(batch, language="zh-hans", now=clock.now())
    assert (shown["title"], shown["is_open"]) == ("已暂停：磁盘已满", False)
    assert outcomes.failure(batch, language="en")["title"] == "Paused: the disk is full"

    imports.run(batch.pk)  # a late delivery of the same job leaves a paused import alone
    assert Order.objects.count() == 20

    assert pausing.resume_all(now=clock.now()) == 1
    imports.run(batch.pk)

    batch.refresh_from_db()
    assert make.counts(batch) == ("done", 35, 0, 0)
    assert batch.failure_kind == ""
    assert make.numbers(make.merchant()) == [f"N{number:05d}" for number in range(1, 36)]
    assert Delivery.objects.filter(subscriber="connectors.imports", stream=batch.stream).count() == 2


def test_any_other_fault_is_not_hidden_behind_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    failing_in_the_third(monkeypatch, OperationalError("the connection is lost"))
    batch = uploaded()

    with pytest.raises(OperationalError, match="lost"):
        imports.run(batch.pk)

    batch.refresh_from_db()
    assert (batch.status, batch.accepted_orders) == ("running", 20)


def test_a_key_revoked_in_mid_import_stops_it_until_somebody_vouches_for_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(orderfiles, "CHUNK_ORDERS", 10)
    monkeypatch.setattr(imports, "BUDGET_SECONDS", -1.0)
    owner = make.merchant()
    make.caller(owner)
    key = ApiKey.objects.get()
    batch = uploaded(key=key)
    imports.run(batch.pk)
    ApiKey.objects.update(revoked_at=clock.now())
    monkeypatch.setattr(imports, "BUDGET_SECONDS", 60.0)

    imports.run(batch.pk)

    batch.refresh_from_db()
    assert (batch.status, batch.failure_kind, batch.accepted_orders) == ("paused", "key_revoked", 10)
    assert len(make.numbers(owner)) == 10
    assert pausing.resume_all(now=clock.now()) == 0

    page = make.browser(owner)
    assert "继续导入" in page.get(f"/merchant/import/{batch.pk}/").content.decode()
    page.post(f"/merchant/import/{batch.pk}/start/")
    imports.run(batch.pk)

    batch.refresh_from_db()
    assert make.counts(batch) == ("done", 35, 0, 0)
    assert Order.objects.count() == 35


def test_the_key_of_an_upload_by_api_is_remembered() -> None:
    owner = make.merchant()
    caller = make.caller(owner)

    answer = caller.post(
        "/api/v1/imports/", {"file": make.sent(make.files_of(cast.generic()))[0]}, format="multipart"
    )

    assert answer.status_code == 202
    assert ImportBatch.objects.get(pk=answer.json()["id"]).uploaded_key == ApiKey.objects.get()
