"""Keys: found without a query, limited in calls, followed by a successor, ended within a second."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
import redis
from django.conf import settings as hub
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from orderhub.access import keys, limits, services
from orderhub.access.models import ApiKey, Merchant
from orderhub.access.scopes import SCOPES
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from tests import make

pytestmark = pytest.mark.django_db
ORDERS = "/api/v1/orders/"


def caller(key: str) -> APIClient:
    """A client with this key."""
    return APIClient(headers={"Authorization": f"Api-Key {key}"})


@pytest.fixture
def issued() -> tuple[ApiKey, str]:
    """A key of Alice's."""
    return services.issue_key(make.merchant(), name="erp")


@pytest.fixture
def stopwatch(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that the test moves, for what processes remember and for the limits."""
    now = [1000.0]
    monkeypatch.setattr(keys, "monotonic", lambda: now[0])
    monkeypatch.setattr(limits, "monotonic", lambda: now[0])
    return now


def key_queries(api: APIClient) -> int:
    """How often one call asks the database about keys."""
    with CaptureQueriesContext(connection) as seen:
        assert api.get("/api/v1/channels/").status_code == 200
    return sum("access_apikey" in row["sql"] for row in seen.captured_queries)


def test_a_key_known_for_less_than_a_second_costs_no_query(
    issued: tuple[ApiKey, str], stopwatch: list[float]
) -> None:
    api = caller(issued[1])

    counts = [key_queries(api), key_queries(api)]
    stopwatch[0] += 0.99
    counts.append(key_queries(api))
    stopwatch[0] += 0.02
    counts.append(key_queries(api))

    assert counts == [2, 0, 0, 1]  # the first call also writes last_used_at


@pytest.mark.parametrize("change", [{"revoked_at": "now"}, {"scopes": ["stock:read"]}])
def test_what_another_process_changes_is_known_within_a_second(
    change: dict[str, Any], issued: tuple[ApiKey, str], stopwatch: list[float]
) -> None:
    row, key = issued
    api = caller(key)
    assert api.get(ORDERS).status_code == 200
    fields = {name: clock.now() if value == "now" else value for name, value in change.items()}
    ApiKey.objects.filter(pk=row.pk).update(**fields)  # as another process would, unknown to this one

    before = api.get(ORDERS).status_code
    stopwatch[0] += 1.0

    assert before == 200
    assert api.get(ORDERS).status_code == (401 if "revoked_at" in change else 403)


def test_a_key_revoked_here_ends_at_once(issued: tuple[ApiKey, str], stopwatch: list[float]) -> None:
    row, key = issued
    assert caller(key).get(ORDERS).status_code == 200

    assert services.revoke_keys(ApiKey.objects.filter(pk=row.pk), now=clock.now()) == 1

    assert caller(key).get(ORDERS).status_code == 401


def test_a_key_expires_to_the_moment_though_it_is_remembered(
    issued: tuple[ApiKey, str], hub_clock: make.Clock
) -> None:
    row, key = issued
    ApiKey.objects.filter(pk=row.pk).update(expires_at=hub_clock.now() + timedelta(seconds=10))
    keys.forget()

    lives = caller(key).get(ORDERS)
    hub_clock.advance(seconds=10)

    assert lives.status_code == 200
    assert datetime.fromisoformat(lives["X-Api-Key-Expires"]) == hub_clock.now()
    assert caller(key).get(ORDERS).status_code == 401


def test_the_last_use_is_written_once_a_minute(
    issued: tuple[ApiKey, str], stopwatch: list[float], hub_clock: make.Clock
) -> None:
    row, key = issued
    seen = []

    for _second in range(4):
        caller(key).get(ORDERS)
        row.refresh_from_db()
        seen.append(row.last_used_at)
        stopwatch[0] += 2
        hub_clock.advance(seconds=20)

    start = seen[0]
    assert seen == [start, start, start, start + timedelta(seconds=60)]


def test_rotation_issues_a_successor_and_leaves_the_old_key_its_grace(hub_clock: make.Clock) -> None:
    term = timedelta(days=90)
    row, key = services.issue_key(
        make.merchant(), name="erp", scopes=["keys:write", "orders:read"], expires_at=hub_clock.now() + term
    )
    ApiKey.objects.filter(pk=row.pk).update(rate_per_second=7, created_at=hub_clock.now())

    answer = caller(key).post("/api/v1/keys/rotate/", {"grace_hours": 24})

    told = answer.json()
    successor = ApiKey.objects.get(pk=told["id"])
    assert answer.status_code == 201
    assert keys.digest(told["key"]) == successor.digest
    assert (successor.scopes, successor.rate_per_second) == (row.scopes, 7)
    assert successor.expires_at == hub_clock.now() + term
    row.refresh_from_db()
    assert (row.replaced_by, row.expires_at) == (successor, hub_clock.now() + timedelta(hours=24))
    assert [caller(each).get(ORDERS).status_code for each in (key, told["key"])] == [200, 200]
    hub_clock.advance(hours=24)
    assert [caller(each).get(ORDERS).status_code for each in (key, told["key"])] == [401, 200]


def test_a_key_is_rotated_once_and_only_while_it_counts(issued: tuple[ApiKey, str]) -> None:
    row, key = issued
    services.rotate_key(row, now=clock.now())
    dead, _clear = services.issue_key(make.merchant(), name="dead")
    services.revoke_keys(ApiKey.objects.filter(pk=dead.pk), now=clock.now())

    again = caller(key).post("/api/v1/keys/rotate/", {})
    with pytest.raises(Refused) as refused:
        services.rotate_key(dead, now=clock.now())

    assert (again.status_code, again.json()["code"]) == (409, "key_rotated")
    assert refused.value.code == "key_not_valid"
    assert ApiKey.objects.count() == 3


def test_only_a_key_with_the_scope_rotates_and_a_person_does_not() -> None:
    _row, reader = services.issue_key(make.merchant(), name="reader", scopes=["keys:read"])
    browser = Client()
    user = get_user_model().objects.create_user("alice", password="x" * 12, merchant=make.merchant())
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    answers = [
        caller(reader).post("/api/v1/keys/rotate/", {}),
        browser.post("/api/v1/keys/rotate/", "{}", content_type="application/json"),
    ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[1].json()["code"] == "only_keys_rotate"
    assert ApiKey.objects.count() == 1


def test_scopes_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValidationError, match="orders:eat"):
        services.issue_key(make.merchant(), name="bad", scopes=["orders:eat"])

    assert ApiKey.objects.count() == 0


def test_every_scope_a_view_asks_for_is_declared() -> None:
    from django.urls import resolve

    from tests.security.test_access_matrix import api_routes

    areas = set()
    for route in api_routes():
        view = resolve(route.path({"pk": 1, "token": "t"})).func
        areas.add(getattr(getattr(view, "cls", None), "scope", ""))

    assert {area for area in areas if area} <= {name.partition(":")[0] for name in SCOPES}


# ---- limits ----------------------------------------------------------------------------------------


def test_calls_beyond_the_burst_wait_as_long_as_told(
    issued: tuple[ApiKey, str], stopwatch: list[float], settings: Any
) -> None:
    row, key = issued
    ApiKey.objects.filter(pk=row.pk).update(rate_per_second=2)
    api = caller(key)

    answers = [api.get(ORDERS) for _n in range(5)]
    stopwatch[0] += 0.5
    after = [api.get(ORDERS).status_code for _n in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    assert [answer["RateLimit-Remaining"] for answer in answers] == ["3", "2", "1", "0", "0"]
    assert {answer["RateLimit-Limit"] for answer in answers} == {"4"}
    assert (answers[3]["RateLimit-Reset"], answers[4]["Retry-After"]) == ("2", "1")
    assert (answers[4].json()["code"], answers[4].json()["title"]) == ("throttled", "此密钥的请求过多。")
    assert after == [200, 429]


def test_each_key_has_its_own_bucket(stopwatch: list[float], settings: Any) -> None:
    settings.API_RATES = {"default": 1, "bulk": 1, "promise": 1}
    first, second = make.client(), make.client()

    assert [first.get(ORDERS).status_code for _n in range(3)] == [200, 200, 429]
    assert second.get(ORDERS).status_code == 200


def _thousand_at_once(name: str) -> int:
    passed: list[bool] = []
    together = threading.Barrier(10)

    def work() -> None:
        together.wait()
        passed.extend(limits.take(name, rate=1, burst=250).passes for _n in range(100))

    threads = [threading.Thread(target=work) for _n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(passed)


def test_of_a_thousand_calls_at_once_exactly_the_burst_passes(stopwatch: list[float]) -> None:
    assert _thousand_at_once("here") == 250


@pytest.mark.services
def test_of_a_thousand_calls_at_once_exactly_the_burst_passes_in_redis() -> None:
    name = f"test:{clock.now().timestamp()}"

    passed = _thousand_at_once(name)

    assert 250 <= passed <= 255  # the bucket refills with one a second meanwhile
    assert redis.Redis.from_url(hub.REDIS_URL).pttl(f"orderhub:rate:{name}") > 0


def test_without_its_redis_nobody_is_refused_and_it_is_said_once(
    settings: Any, caplog: pytest.LogCaptureFixture, stopwatch: list[float]
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    limits._script.cache_clear()

    passed = [limits.take("x", rate=1, burst=1).passes for _n in range(5)]
    limits._script.cache_clear()

    assert passed == [True] * 5
    assert caplog.text.count("not limited") == 1


# ---- the admin -------------------------------------------------------------------------------------


def admin() -> Client:
    """A browser of the administrator."""
    user, _made = get_user_model().objects.get_or_create(username="root", is_staff=True, is_superuser=True)
    browser = Client(headers={"Accept-Language": "en"})
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def test_the_admin_rotates_one_key_and_shows_its_successor_once(issued: tuple[ApiKey, str]) -> None:
    row, _key = issued
    other, _clear = services.issue_key(make.merchant(), name="other")
    page = "/admin/access/apikey/"

    both = admin().post(page, {"action": "rotate", "_selected_action": [row.pk, other.pk]}, follow=True)
    one = admin().post(page, {"action": "rotate", "_selected_action": [row.pk]})

    assert "Choose one key" in both.content.decode()
    clear = one.content.decode().partition('id="clear-key">')[2].partition("<")[0]
    row.refresh_from_db()
    assert row.replaced_by is not None
    assert keys.digest(clear) == row.replaced_by.digest
    assert clear not in admin().get(page).content.decode()


def test_keys_that_end_soon_are_told_on_the_list_and_today(
    issued: tuple[ApiKey, str], hub_clock: make.Clock
) -> None:
    row, key = issued
    ApiKey.objects.filter(pk=row.pk).update(expires_at=hub_clock.now() + timedelta(days=3, hours=1))
    caller(key).get(ORDERS)

    keys_page = admin().get("/admin/access/apikey/").content.decode()
    today = admin().get("/admin/").content.decode()

    assert "3 days left" in keys_page
    assert "1 API key in use ends within two weeks" in today


def test_a_merchant_switched_off_in_the_admin_is_out_at_once(issued: tuple[ApiKey, str]) -> None:
    merchant = make.merchant()
    assert caller(issued[1]).get(ORDERS).status_code == 200
    fields = {"code": merchant.code, "name": merchant.name, "name_en": "", "currency": "CNY"}

    admin().post(f"/admin/access/merchant/{merchant.pk}/change/", {**fields, "time_zone": "Asia/Shanghai"})

    assert Merchant.objects.get(pk=merchant.pk).is_active is False
    assert caller(issued[1]).get(ORDERS).status_code == 401
