"""Imports by API: 202 and progress, errors as CSV, nobody else's, and no upload makes a 500."""

from __future__ import annotations

from typing import Any

import pytest

from orderhub.connectors import imports, uploads
from orderhub.connectors.models import ImportBatch
from orderhub.events import relay
from orderhub.events.models import Delivery
from orderhub.kernel import clock
from tests.connectors import files_cast as cast
from tests.connectors import import_cast as make

pytestmark = pytest.mark.django_db
URL = "/api/v1/imports/"


def _post(client: Any, files: make.Files, **fields: str) -> Any:
    return client.post(URL, {"file": make.sent(files), **fields}, format="multipart")


@pytest.mark.parametrize("dialect", sorted(cast.CAST))
def test_an_upload_is_accepted_queued_and_worked_off_by_the_log(dialect: str) -> None:
    owner = make.merchant()
    client = make.caller(owner)

    answer = _post(client, make.files_of(cast.CAST[dialect]()), dialect=dialect)
    assert answer.status_code == 202, answer.content
    assert answer.json()["status"] == "queued"
    relay.run_queue("import", budget_seconds=20)

    body = client.get(f"{URL}{answer.json()['id']}/").json()
    assert (body["status"], body["accepted_orders"], body["refused_rows"]) == ("done", 4, 0)
    assert body["dialect"] == dialect
    assert body["failure"] is None
    assert body["errors_url"].endswith(f"{URL}{body['id']}/errors/")


def test_refused_rows_come_as_csv_in_the_language_asked_for() -> None:
    owner = make.merchant()
    client = make.caller(owner)
    sheet = cast.generic()[0]
    sheet.put(4, "quantity", "-1")
    batch = make.imported(owner, [("orders.csv", sheet.data())])

    zh = client.get(f"{URL}{batch.pk}/errors/", headers={"Accept-Language": "zh-hans"})
    en = client.get(f"{URL}{batch.pk}/errors/", headers={"Accept-Language": "en"})

    assert zh.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert (
        zh.content.decode("utf-8-sig")
        .splitlines()[1]
        .startswith("orders.csv,4,1002,quantity,bad_quantity,'-1,")
    )
    assert zh.content != en.content
    assert len(en.content.decode("utf-8-sig").splitlines()) == 2


def test_another_merchants_import_is_not_there() -> None:
    batch = make.imported(make.merchant("one"), make.files_of(cast.generic()))
    client = make.caller(make.merchant("two"))

    assert client.get(f"{URL}{batch.pk}/").status_code == 404
    assert client.get(f"{URL}{batch.pk}/errors/").status_code == 404
    assert client.get(URL).json()["count"] == 0


def test_a_preview_that_nobody_confirmed_is_not_an_import_of_the_api() -> None:
    owner = make.merchant()
    batch = uploads.upload(
        make.files_of(cast.generic()),
        merchant=owner,
        kind="orders",
        actor="t",
        now=clock.now(),
        user=None,
        confirmed=False,
    )
    client = make.caller(owner)

    assert client.get(f"{URL}{batch.pk}/").status_code == 404
    assert Delivery.objects.count() == 0


def test_a_file_refused_as_a_whole_is_told_in_its_import() -> None:
    owner = make.merchant()
    client = make.caller(owner)

    answer = _post(client, [("a.csv", b"PK\x03\x04" + bytes(50))])
    assert answer.status_code == 202
    imports.run(answer.json()["id"])

    body = client.get(f"{URL}{answer.json()['id']}/").json()
    assert body["status"] == "failed"
    assert body["failure"]["kind"] == "archive_file"
    assert all(body["failure"][part] for part in ("title", "reason", "remedy"))


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"kind": "cats"}, 400), ({"dialect": "ebay"}, 400), ({"kind": "stock", "dialect": "shopify"}, 202)],
)
def test_choices_that_do_not_exist_are_refused_by_name(fields: dict[str, str], status: int) -> None:
    client = make.caller(make.merchant())

    answer = _post(client, [("stock.csv", b"warehouse,sku,on_hand\nW1,SKU-1,3\n")], **fields)

    assert answer.status_code == status
    if status == 400:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["errors"][0]["field"] in fields
        assert ImportBatch.objects.count() == 0
    else:
        imports.run(answer.json()["id"])
        assert ImportBatch.objects.get().status == "done"


def test_without_a_file_or_a_key_nothing_is_kept() -> None:
    client = make.caller(make.merchant())

    assert client.post(URL, {"kind": "orders"}, format="multipart").status_code == 400
    client.credentials()
    assert _post(client, [("a.csv", b"x")]).status_code in {401, 403}
    assert ImportBatch.objects.count() == 0
