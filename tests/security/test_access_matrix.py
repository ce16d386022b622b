"""Every URL the resolver knows, asked by everybody: 0 unexpected answers; others' things do not exist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from orderhub.access import services as access
from orderhub.access.models import ApiKey
from orderhub.connectors import imports
from orderhub.connectors.models import ImportBatch
from orderhub.fields.models import Field
from orderhub.fulfillment import accepting
from orderhub.fulfillment.models import IntakeMessage, Parcel
from orderhub.inventory.models import Bom, Stock
from orderhub.kernel import clock
from orderhub.orders import sharing
from orderhub.orders.models import Order
from tests import cast, make

pytestmark = pytest.mark.django_db

VERBS = ("get", "post", "put", "patch", "delete")
#: What anybody may read. Everything else needs somebody to be somebody.
PUBLIC = {
    "api:schema", "api:tracking", "api-docs", "api-problems", "tracking-page", "login", "healthz", "readyz",
    "door", "api:asyncapi", "tracking-find", "tracking-code", "tracking-notices", "tracking-embedded", "tracking-theme",
    "tracking-tag",
    "admin:login", "admin:jsi18n",
}  # fmt: skip
#: The API's routes that name one thing of a merchant.
DETAILS = {
    "api:order-detail", "api:order-events", "api:order-pay", "api:order-hold", "api:order-release",
    "api:order-reroute", "api:order-cancel", "api:order-split", "api:order-merge", "api:order-move",
    "api:order-cancel-units", "api:order-exchange", "api:order-resend", "api:order-undo", "api:order-preview",
    "api:order-address-changes", "api:order-decision", "api:order-carbon", "api:order-pricing",
    "api:order-flow", "api:order-acknowledgments",
    "api:import-detail",
    "api:import-errors", "api:sku-detail", "api:warehouse-detail", "api:stock-detail", "api:channel-detail",
    "api:rate-card-detail", "api:parcel-detail", "api:key-detail", "api:reservation-detail",
    "api:intake-order-detail", "api:order-custom", "api:parcel-custom", "api:field-detail", "api:field-restore",
    "api:field-uses", "api:bom-detail", "api:bom-needs", "api:order-media", "api:order-epcis",
}  # fmt: skip
LISTS = {
    "api:order-list", "api:sku-list", "api:warehouse-list", "api:stock-list", "api:import-list",
    "api:channel-list", "api:rate-card-list", "api:parcel-list", "api:key-list", "api:promisable-list",
    "api:reservation-list", "api:field-list", "api:bom-list",
}  # fmt: skip
#: Deeds on no one thing: they say themselves what they are about.
DEEDS = {
    "api:stock-counts", "api:key-rotate", "api:order-bulk", "api:intake-order-list", "api:promise",
    "api:promotions-try", "api:shopper-events", "api:carbon-activities",
    "api:event-feed", "api:epcis-capture",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Route:
    """One URL pattern: its full name and its path with the parameters still in it."""

    name: str
    pattern: str

    def path(self, values: dict[str, Any]) -> str:
        """The path with these values in place of the parameters."""
        found = self.pattern
        for key, value in values.items():
            for converter in ("int", "str", "slug", "path"):
                found = found.replace(f"<{converter}:{key}>", str(value))
        return "/" + found


def routes() -> list[Route]:
    """Everything the resolver knows; the router's format suffixes are the same views again."""
    return sorted(set(_walk(get_resolver(), "", "")), key=lambda route: (route.name, route.pattern))


def _walk(resolver: URLResolver, spaces: str, prefix: str) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        pattern = prefix + _plain(str(entry.pattern))
        if isinstance(entry, URLResolver):
            space = f"{spaces}{entry.namespace}:" if entry.namespace else spaces
            yield from _walk(entry, space, pattern)
        elif isinstance(entry, URLPattern) and entry.name and "format" not in pattern:
            yield Route(spaces + entry.name, pattern)


def _plain(pattern: str) -> str:
    """The pattern of a regular expression as a path; converters of plain paths stay."""
    for key in ("pk", "url", "object_id", "public_id"):
        for group in ("[^/.]+", ".*", ".+"):
            pattern = pattern.replace(f"(?P<{key}>{group})", f"<str:{key}>")
    for word in ("^", "$", "\\Z", "\\"):
        pattern = pattern.replace(word, "")
    return pattern


@dataclass(frozen=True, slots=True)
class House:
    """What Alice has, and the callers."""

    order: Order
    batch: ImportBatch
    reservation: str

    def path(self, route: Route) -> str:
        """The route's path to Alice's thing."""
        thing = self.batch.pk if "import" in route.name else self.order.pk
        part = self.order.fulfillments.get()
        merchant = self.order.merchant_id
        found = {
            "api:sku-detail": lambda: part.lines.get().sku_id,
            "api:warehouse-detail": lambda: part.warehouse_id,
            "api:stock-detail": lambda: Stock.objects.filter(merchant=merchant).earliest("pk").pk,
            "api:channel-detail": lambda: self.order.channel_id,
            "api:rate-card-detail": lambda: part.rate_card_id,
            "api:parcel-detail": lambda: part.parcels.get(tracking_number="T1").pk,
            "api:parcel-custom": lambda: part.parcels.get(tracking_number="T1").pk,
            **dict.fromkeys(
                ("api:field-detail", "api:field-restore", "api:field-uses"), lambda: Field.objects.get().pk
            ),
            **dict.fromkeys(("api:bom-detail", "api:bom-needs"), lambda: Bom.objects.get().pk),
            "api:key-detail": lambda: ApiKey.objects.filter(merchant=merchant).earliest("pk").pk,
            "api:reservation-detail": lambda: self.reservation,
            "api:intake-order-detail": lambda: IntakeMessage.objects.get().public_id,
        }.get(route.name)
        thing = found() if found else thing
        values = {
            "pk": thing, "public_id": thing, "token": sharing.token(self.order), "object_id": 1, "url": "x", "kind": "orders",
            "number": 1, "code": "standard",
        }  # fmt: skip
        return route.path(values)


@pytest.fixture
def alices(settings: Any, tmp_path: Any) -> House:
    """Alice's shop with an order and an import; Bob has nothing yet."""
    settings.MEDIA_ROOT = tmp_path
    alice = make.network()
    make.merchant(cast.BOB)
    (order,) = make.place()
    content = make.csv_file([("W1", cast.LEI, {"CUP": 1})])
    uploaded = imports.upload(
        [("orders.csv", content)], merchant=alice, kind="orders", actor="user:a", now=clock.now(), user=None
    )
    accepting.accept(b"junk", key="", merchant=alice, actor="api:a", language="en", now=clock.now())
    make.run_until_idle()
    Field.objects.create(merchant=alice, target="order", code="mine", name="mine")
    Bom.objects.create(merchant=alice, sku=make.goods(alice)["LAMP"])
    part = order.fulfillments.get()
    Parcel.objects.create(
        merchant=alice, fulfillment=part, carrier="tongda", tracking_number="T1", grams=100
    )  # fmt: skip
    kept = make.client(alice).post("/api/v1/stock/reservations/", {"lines": [{"sku": "CUP", "quantity": 1}]})
    return House(order, uploaded, kept.json()["id"])


def api_routes() -> list[Route]:
    """The routes of the API."""
    return [route for route in routes() if route.name.startswith("api:")]


def person(name: str, **fields: Any) -> Client:
    """A browser in which that person is logged in."""
    user = get_user_model().objects.create_user(username=name, password="irrelevant-here", **fields)
    browser = Client()
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def test_every_api_route_is_in_the_matrix() -> None:
    """A new route must be placed: public, a list, or the detail of one thing."""
    assert {route.name for route in api_routes()} == LISTS | DETAILS | DEEDS | {
        name for name in PUBLIC if name[:4] == "api:"
    }


def test_nobody_gets_nothing(alices: House) -> None:
    open_doors = [
        (route.name, verb)
        for route in routes()
        for verb in VERBS
        if route.name not in PUBLIC
        and 200 <= getattr(APIClient(), verb)(alices.path(route), {}).status_code < 300
    ]

    assert open_doors == []


@pytest.mark.parametrize("verb", VERBS)
def test_anonymous_calls_of_the_api_are_401(alices: House, verb: str) -> None:
    answers = {
        route.name: getattr(APIClient(), verb)(alices.path(route), {}).status_code
        for route in api_routes()
        if route.name not in PUBLIC
    }

    assert set(answers.values()) == {401}


def test_alice_reads_what_is_hers(alices: House) -> None:
    api = make.client(alices.order.merchant)
    readable = {
        "api:order-detail",
        "api:order-events",
        "api:order-decision",
        "api:order-carbon",
        "api:order-pricing",
        "api:order-flow",
        "api:order-acknowledgments",
    }
    readable |= {"api:import-detail", "api:import-errors", "api:sku-detail", "api:warehouse-detail", *LISTS}
    readable |= {"api:stock-detail", "api:channel-detail", "api:rate-card-detail", "api:parcel-detail"}
    readable |= {"api:key-detail", "api:reservation-detail", "api:order-address-changes"}
    readable |= {
        "api:intake-order-detail",
        "api:field-detail",
        "api:field-uses",
        "api:bom-detail",
        "api:bom-needs",
        "api:order-media",
        "api:order-epcis",
        "api:event-feed",
    }

    answers = {route.name: api.get(alices.path(route)).status_code for route in api_routes()}

    assert {name for name, status in answers.items() if status == 200} == readable | {
        name for name in PUBLIC if name.startswith("api:")
    }


@pytest.mark.parametrize("verb", VERBS)
def test_to_bob_alices_things_do_not_exist(alices: House, verb: str) -> None:
    bob = make.merchant(cast.BOB)
    callers: list[Any] = [make.client(bob), person("bob", merchant=bob)]
    before = make.kinds_of(alices.order)

    answers = {
        (route.name, number): getattr(caller, verb)(
            alices.path(route), {}, content_type="application/json"
        ).status_code
        if number
        else getattr(caller, verb)(alices.path(route), {}).status_code
        for route in api_routes()
        if route.name in DETAILS
        for number, caller in enumerate(callers)
    }

    assert set(answers.values()) <= {404, 405}
    assert 404 in answers.values() or verb in ("put", "patch", "delete")
    assert make.kinds_of(alices.order) == before


def test_bobs_lists_hold_nothing_of_alice(alices: House) -> None:
    alice, bob = make.client(alices.order.merchant), make.client(make.merchant(cast.BOB))

    for route in api_routes():
        if route.name == "api:key-list":
            mine = {row["prefix"] for row in bob.get(alices.path(route)).json()["results"]}
            assert mine == set(ApiKey.objects.filter(merchant__code="bob").values_list("prefix", flat=True))
        elif route.name in LISTS:
            path = alices.path(route)
            assert alice.get(path).json()["count"] > 0
            assert bob.get(path).json() == {**bob.get(path).json(), "count": 0, "results": []}


@pytest.mark.parametrize("verb", VERBS)
def test_a_key_without_the_scope_is_403(alices: House, verb: str) -> None:
    row, key = access.issue_key(alices.order.merchant, name="scoped")
    ApiKey.objects.filter(pk=row.pk).update(scopes=["other:read", "other:write"])
    scoped = APIClient(headers={"Authorization": f"Api-Key {key}"})

    answers = {
        route.name: getattr(scoped, verb)(alices.path(route), {}).status_code
        for route in api_routes()
        if route.name not in PUBLIC
    }

    assert set(answers.values()) == {403}


def test_a_reading_key_does_not_write(alices: House) -> None:
    reader = make.client(alices.order.merchant, scopes=["orders:read", "imports:read", "stock:read"])
    before = Order.objects.count()

    assert reader.get("/api/v1/orders/").status_code == 200
    assert reader.post("/api/v1/orders/", make.order_json("N1")).status_code == 403
    assert reader.post(f"/api/v1/orders/{alices.order.pk}/cancel/", {}).status_code == 403
    assert Order.objects.count() == before


@pytest.mark.parametrize("fault", ["revoked", "expired", "inactive", "unknown"])
def test_a_key_that_no_longer_counts_is_401(alices: House, fault: str) -> None:
    merchant = alices.order.merchant
    row, key = access.issue_key(merchant, name="old")
    now = clock.now()
    if fault == "revoked":
        ApiKey.objects.filter(pk=row.pk).update(revoked_at=now)
    elif fault == "expired":
        ApiKey.objects.filter(pk=row.pk).update(expires_at=now - timedelta(seconds=1))
    elif fault == "inactive":
        type(merchant).objects.filter(pk=merchant.pk).update(is_active=False)
    else:
        key += "x"

    answer = APIClient(headers={"Authorization": f"Api-Key {key}"}).get("/api/v1/orders/")

    assert answer.status_code == 401


def test_merchants_do_not_enter_the_admin(alices: House) -> None:
    browser = person("alice", merchant=alices.order.merchant)

    entered = [
        route.name
        for route in routes()
        if route.name.startswith("admin:") and route.name not in PUBLIC
        and 200 <= browser.get(alices.path(route)).status_code < 300
    ]  # fmt: skip

    assert entered == []


def test_on_the_merchant_pages_too_alices_imports_are_not_bobs(alices: House) -> None:
    browser = person("bob", merchant=make.merchant(cast.BOB))
    named = [
        route for route in routes() if route.name.startswith("merchant:") and "<int:pk>" in route.pattern
    ]

    answers = {
        (route.name, verb): getattr(browser, verb)(alices.path(route)).status_code
        for route in named
        for verb in ("get", "post")
    }

    assert len(named) >= 4
    assert set(answers.values()) <= {404, 405}
