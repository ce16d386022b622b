"""Administering connections, imports, merchants and keys: both languages, constant in queries."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orderhub.access.authentication import digest
from orderhub.access.models import ApiKey, User
from orderhub.connectors.models import Connection, InboxMessage
from orderhub.kernel import clock
from tests.connectors import files_cast as cast
from tests.connectors import import_cast as make

pytestmark = pytest.mark.django_db
LISTS = [
    "connectors/connection",
    "connectors/inboxmessage",
    "connectors/importbatch",
    "connectors/refusedrow",
    "access/merchant",
    "access/apikey",
    "access/user",
    "access/idempotencykey",
    "auth/group",
]


def _admin(language: str = "zh-hans") -> Client:
    client = Client(headers={"Accept-Language": language})
    client.force_login(
        User.objects.create_superuser("root", password="a-long-password"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


def _message(key: str, state: str) -> InboxMessage:
    link, _made = Connection.objects.get_or_create(
        merchant=make.merchant(), code="sim", defaults={"name": "Sim", "kind": "simulator"}
    )
    return InboxMessage.objects.create(
        connection=link,
        merchant=link.merchant,
        key=key,
        body={"kind": "?"},
        sha256="0" * 64,
        state=state,
        received_at=clock.now(),
    )


def _fill(count: int) -> None:
    sheet = make.many(count)
    for row in range(2, count + 2):
        sheet.put(row, "quantity", "-1")
    for number in range(count):
        _message(f"{count}-{number}", "applied")
        make.imported(make.merchant(), [("orders.csv", sheet.data())])
        make.person(make.merchant(f"m{count}{number}"), f"p{count}{number}")
        make.caller(make.merchant(f"m{count}{number}"))


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_list_and_form_opens_in_both_languages(language: str) -> None:
    _fill(1)
    client = _admin(language)

    for name in LISTS:
        answer = client.get(f"/admin/{name}/")
        assert answer.status_code == 200, name
    for model in (InboxMessage, Connection, ApiKey, User):
        label = f"{model._meta.app_label}/{model._meta.model_name}"
        assert (
            client.get(f"/admin/{label}/{model.objects.order_by('pk')[0].pk}/change/").status_code == 200
        ), label
    for name in ("connectors/connection", "access/apikey", "access/user", "access/merchant"):
        assert client.get(f"/admin/{name}/add/").status_code == 200, name


def test_lists_cost_the_same_queries_for_any_number_of_rows() -> None:
    client = _admin()
    _fill(1)

    def queries(name: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            client.get(f"/admin/{name}/")
        return len(seen)

    [queries(name) for name in LISTS]
    before = {name: queries(name) for name in LISTS}
    _fill(4)

    assert {name: queries(name) for name in LISTS} == before
    assert max(before.values()) <= 25


def test_a_new_key_is_shown_once_and_kept_only_as_a_fingerprint() -> None:
    client = _admin()
    owner = make.merchant()

    answer = client.post(
        "/admin/access/apikey/add/", {"merchant": owner.pk, "name": "ERP", "scopes": ["orders:read"]}
    )

    page = answer.content.decode()
    (key,) = ApiKey.objects.all()
    clear = page.partition('id="clear-key">')[2].partition("<")[0]
    assert answer.status_code == 200
    assert digest(clear) == key.digest
    assert (key.merchant, key.scopes, key.prefix) == (owner, ["orders:read"], clear[:8])
    for address in ("/admin/access/apikey/", f"/admin/access/apikey/{key.pk}/change/"):
        again = client.get(address).content.decode()
        assert clear not in again
        assert key.digest not in again


def test_a_revoked_key_opens_nothing() -> None:
    owner = make.merchant()
    caller = make.caller(owner)
    key = ApiKey.objects.get()
    assert caller.get("/api/v1/imports/").status_code == 200

    _admin().post("/admin/access/apikey/", {"action": "revoke", "_selected_action": [key.pk]})

    key.refresh_from_db()
    assert key.revoked_at is not None
    assert caller.get("/api/v1/imports/").status_code == 401


def test_only_quarantined_messages_are_replayed() -> None:
    bad, done = _message("bad", "quarantined"), _message("done", "applied")

    _admin().post(
        "/admin/connectors/inboxmessage/", {"action": "replay", "_selected_action": [bad.pk, done.pk]}
    )

    bad.refresh_from_db()
    done.refresh_from_db()
    assert (bad.state, done.state) == ("quarantined", "applied")
    assert "kind" in bad.error
    assert done.attempts == 0


def test_rows_that_services_write_are_not_made_or_deleted_by_hand() -> None:
    client = _admin()
    batch = make.imported(make.merchant(), make.files_of(cast.generic()))

    for name in (
        "connectors/importbatch",
        "connectors/refusedrow",
        "connectors/inboxmessage",
        "access/idempotencykey",
    ):
        assert client.get(f"/admin/{name}/add/").status_code == 403
    assert (
        client.post(f"/admin/connectors/importbatch/{batch.pk}/delete/", {"post": "yes"}).status_code == 403
    )
    assert client.get(f"/admin/connectors/importbatch/{batch.pk}/change/").status_code == 200
