"""iLEAP, PACT, EPCIS and passports: valid by the published schemas, each merchant's own only, decimals as strings."""

from __future__ import annotations

import base64
import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft7Validator, FormatChecker

from carbon import queries
from carbon.interfaces import epcis, ileap, tokens
from carbon.interfaces.models import PactEvent, Passport, ProductFootprint, check_gtin
from carbon.models import CalculationRun
from orderhub.access import keys
from orderhub.access import services as access
from orderhub.access.models import ApiKey
from orderhub.fulfillment.models import Parcel
from orderhub.orders.models import Order
from tests import cast, make
from tests.admin import desk

pytestmark = pytest.mark.django_db
SCHEMAS = Path(__file__).parents[2] / "carbon/data/schemas/ileap"
GTIN = "09506000134352"
DECIMAL = re.compile(r"^-?\d+(\.\d+)?$")
#: What PACT v3 requires of a footprint, in our own words; its file has a license that does not let it travel here.
PACT_3 = {
    "type": "object",
    "required": [
        "id", "specVersion", "created", "status", "companyName", "companyIds", "productDescription", "productIds",
        "productNameCompany", "pcf",
    ],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "specVersion": {"type": "string", "pattern": r"^\d+\.\d+\.\d+(-\d{8})?$"},
        "created": {"type": "string", "format": "date-time"}, "status": {"enum": ["Active", "Deprecated"]},
        "companyIds": {"type": "array", "minItems": 1, "items": {"pattern": "^([uU][rR][nN]):"}},
        "productIds": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"pattern": "^([uU][rR][nN]):"}},
        "pcf": {
            "type": "object",
            "required": [
                "declaredUnitOfMeasurement", "declaredUnitAmount", "productMassPerDeclaredUnit", "referencePeriodStart",
                "referencePeriodEnd", "pcfExcludingBiogenicUptake", "pcfIncludingBiogenicUptake", "fossilGhgEmissions",
                "fossilCarbonContent", "ipccCharacterizationFactors", "crossSectoralStandards", "exemptedEmissionsPercent",
            ],
            "properties": {
                "declaredUnitOfMeasurement": {"enum": ["piece", "kilogram", "liter"]},
                "geographyCountry": {"pattern": "^[A-Z]{2}$"}, "packagingEmissionsIncluded": {"type": "boolean"},
                **{
                    name: {"type": "string", "pattern": DECIMAL.pattern}
                    for name in (
                        "declaredUnitAmount", "productMassPerDeclaredUnit", "pcfExcludingBiogenicUptake",
                        "pcfIncludingBiogenicUptake", "fossilGhgEmissions", "fossilCarbonContent",
                        "exemptedEmissionsPercent", "packagingGhgEmissions", "outboundLogisticsGhgEmissions",
                    )
                },
            },
        },
    },
}  # fmt: skip


def schema(name: str) -> Draft7Validator:
    return Draft7Validator(json.loads((SCHEMAS / f"{name}.json").read_text()), format_checker=FormatChecker())


@pytest.fixture
def shop(hub_clock: make.Clock) -> list[Order]:
    """Two orders that have arrived and one that is planned."""
    make.network()
    make.place(
        make.draft("A1", to=cast.LEI, lines={"QUILT": 1, "CUP": 2}), make.draft("A2", lines={"LAMP": 1})
    )
    make.play(hub_clock)
    make.place(make.draft("A3", lines={"CUP": 1}))
    make.run_until_idle()
    return list(Order.objects.order_by("pk"))


def bearer(merchant: Any = None, scopes: list[str] | None = None) -> Client:
    """A partner's client with a token of `/auth/token`."""
    owner = merchant or make.merchant()
    _row, key = access.issue_key(owner, name="partner", scopes=scopes or [])
    answer = Client().post(
        "/auth/token", {"grant_type": "client_credentials"},
        headers={"Authorization": "Basic " + base64.b64encode(f"{owner.code}:{key}".encode()).decode()},
    )  # fmt: skip
    assert answer.json()["token_type"] == "bearer"
    return Client(headers={"Authorization": f"Bearer {answer.json()['access_token']}"})


# ---- iLEAP ---------------------------------------------------------------------------------------


def test_shipments_fit_the_published_schema_and_the_ledger(shop: list[Order]) -> None:
    body = bearer().get("/2/footprints").json()

    found = [one["extensions"][0]["data"] for one in body["data"]]
    assert len(found) >= 3
    for one in found:
        assert list(schema("shipment-footprint").iter_errors(one)) == []
    wtw = sum(Decimal(tce["co2eWTW"]) for one in found for tce in one["tces"])
    said = Decimal(0)
    for order in shop:
        for run in ileap.counting(order):
            said += Decimal(run.result["total"]["wtw_kg"])
    assert abs(wtw - said) < Decimal("1e-9") < said


def test_every_number_is_a_decimal_string_and_elements_are_chained(shop: list[Order]) -> None:
    for one in ileap.shipments(shop[0]):
        for before, tce in zip([None, *one["tces"]], one["tces"], strict=False):
            assert tce.get("prevTceIds") == (None if before is None else [before["tceId"]])
            assert all(
                DECIMAL.match(tce[name]) for name in ("mass", "transportActivity", "co2eWTW", "co2eTTW")
            )
            assert all(DECIMAL.match(km) for km in tce["distance"].values())
            assert ("hocId" in tce) is (tce["transportActivity"] == "0")


def test_activities_fit_the_published_schema(shop: list[Order]) -> None:
    body = bearer().get("/2/ileap/tad").json()

    assert len(body["data"]) == Parcel.objects.filter(fulfillment__delivered_at__isnull=False).count() > 0
    for one in body["data"]:
        assert list(schema("tad").iter_errors(one)) == []


def test_pages_are_linked_and_cover_everything_once(shop: list[Order]) -> None:
    client = bearer()
    whole = [one["id"] for one in client.get("/2/footprints").json()["data"]]
    found: list[str] = []
    address: str | None = "/2/footprints?limit=1"
    while address:
        answer = client.get(address)
        found += [one["id"] for one in answer.json()["data"]]
        link = re.match(r'<(http://testserver[^>]+)>; rel="next"', answer.headers.get("Link", ""))
        address = link[1].removeprefix("http://testserver") if link else None

    assert found == whole
    assert len(set(found)) == len(found)


def test_a_footprint_by_its_id_is_the_one_of_the_list(shop: list[Order]) -> None:
    client, bob = bearer(), bearer(make.merchant(cast.BOB))
    one = client.get("/2/footprints").json()["data"][0]

    assert client.get(f"/2/footprints/{one['id']}").json()["data"] == one
    assert bob.get(f"/2/footprints/{one['id']}").status_code == 404
    assert bob.get("/2/footprints").json() == {"data": []}
    assert bob.get("/2/ileap/tad").json() == {"data": []}
    assert client.get("/2/footprints?$filter=x").status_code == 501
    assert client.get("/2/footprints?limit=x").json()["code"] == "BadRequest"


# ---- tokens --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic %%%", "Basic " + base64.b64encode(b"alice:no").decode(), "Bearer x"]
)
def test_strangers_get_no_token(header: str) -> None:
    make.merchant()
    answer = Client().post(
        "/auth/token", {"grant_type": "client_credentials"}, headers={"Authorization": header}
    )

    assert answer.status_code == 401
    assert answer.json() == {"error": "invalid_client"}


def test_a_token_ends_with_its_key_and_in_an_hour(shop: list[Order], monkeypatch: pytest.MonkeyPatch) -> None:
    client = bearer()
    assert client.get("/3/footprints").status_code == 200
    monkeypatch.setattr(tokens, "LIVES_SECONDS", -1)
    assert client.get("/3/footprints").json()["code"] == "TokenExpired"
    monkeypatch.undo()

    ApiKey.objects.update(revoked_at=make.NOW)
    keys.forget()
    late = client.get("/3/footprints")
    assert (late.status_code, late.json()["code"]) == (401, "AccessDenied")


def test_scopes_and_strangers(shop: list[Order]) -> None:
    for path in ("/2/footprints", "/2/ileap/tad", "/3/footprints"):
        assert Client().get(path).status_code == 401
        assert Client(headers={"Authorization": "Bearer x"}).get(path).status_code == 401
        assert bearer(scopes=["orders:read"]).get(path).status_code == 403
        assert make.client(scopes=["footprints:read"]).get(path).status_code == 200
    event = {"id": "1"}
    reader = bearer(scopes=["footprints:read"])
    assert reader.post("/3/events", event, content_type="application/json").status_code == 403


# ---- PACT v3 -------------------------------------------------------------------------------------


@pytest.fixture
def declared(shop: list[Order]) -> ProductFootprint:
    """The lamp's footprint, of which one was delivered, and its passport."""
    sku = make.goods()["LAMP"]
    Passport.objects.create(merchant=make.merchant(), sku=sku, gtin=GTIN, is_published=True, facts=[
        {"zh": "材料", "en": "Material", "value": "<b>steel</b>"}
    ])  # fmt: skip
    return ProductFootprint.objects.create(
        merchant=make.merchant(), sku=sku, created_at=make.NOW, mass_kg=Decimal("1.5"), excluding_biogenic=Decimal("4.2"),
        including_biogenic=Decimal("4.1"), fossil=Decimal("4.2"), fossil_carbon_kg=Decimal(0),
        period_from=date(2025, 1, 1), period_to=date(2026, 1, 1), country="CN", primary_share=Decimal(40),
    )  # fmt: skip


def test_a_product_footprint_has_what_is_required_and_our_part(
    shop: list[Order], declared: ProductFootprint
) -> None:
    client = bearer()
    (one,) = client.get("/3/footprints").json()["data"]

    assert list(Draft7Validator(PACT_3, format_checker=FormatChecker()).iter_errors(one)) == []
    assert client.get(f"/3/footprints/{declared.public_id}").json() == {"data": one}
    document = queries.of_order(shop[1])
    assert document is not None
    line = document["lines"][0]["by_stage"]
    way = Decimal(line["transport"]) + Decimal(line["warehouse"])
    assert abs(Decimal(one["pcf"]["outboundLogisticsGhgEmissions"]) - way) < Decimal("0.00001")
    assert abs(Decimal(one["pcf"]["packagingGhgEmissions"]) - Decimal(line["packaging"])) < Decimal("0.00001")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("productId=urn:gtin:9506000134352", 1), ("productId=urn:pact:orderhub:product-id:alice:LAMP", 1),
        ("productId=urn:x:CUP", 0), ("companyId=urn:orderhub:merchant:alice", 1), ("companyId=urn:x", 0),
        ("geography=CN", 1), ("geography=DE", 0), ("status=Active", 1), ("status=Deprecated", 0),
        ("validOn=2026-06-01T00:00:00Z", 1), ("validOn=2031-01-01T00:00:00Z", 0), ("validAfter=2026-06-01T00:00:00Z", 0),
        ("classification=urn:x", 0),
    ],
)  # fmt: skip
def test_filters(declared: ProductFootprint, query: str, count: int) -> None:
    assert len(bearer().get(f"/3/footprints?{query}").json()["data"]) == count


def test_other_merchants_and_bad_filters(declared: ProductFootprint) -> None:
    bob = bearer(make.merchant(cast.BOB))

    assert bob.get("/3/footprints").json() == {"data": []}
    assert bob.get(f"/3/footprints/{declared.public_id}").json()["code"] == "NotFound"
    for bad in ("status=x", "validOn=yesterday", "limit=-1"):
        assert bearer().get(f"/3/footprints?{bad}").json()["code"] == "BadRequest"


def test_events_are_kept_once_and_checked() -> None:
    client = bearer()
    event = {
        "type": "org.wbcsd.pact.ProductFootprint.RequestCreatedEvent.3", "specversion": "1.0", "id": "e1",
        "source": "//partner.example/3/events", "data": {"productId": ["urn:gtin:1"]},
    }  # fmt: skip

    def send(body: Any) -> Any:
        return client.post("/3/events", json.dumps(body), content_type="application/cloudevents+json")

    assert [send(event).status_code, send(event).status_code] == [200, 200]
    assert PactEvent.objects.count() == 1
    for bad in ({**event, "type": "x"}, {**event, "id": ""}, {**event, "data": None}, [], "x"):
        assert send(bad).status_code == 400
    assert client.post("/3/events", b"{", content_type="application/cloudevents+json").status_code == 400


def test_a_new_footprint_ends_the_old_one(declared: ProductFootprint) -> None:
    client = desk.boss("en")
    form = {
        "merchant": declared.merchant_id, "sku": declared.sku_id, "unit": "piece", "amount": "1", "mass_kg": "1.5",
        "excluding_biogenic": "4", "including_biogenic": "4", "fossil": "4", "fossil_carbon_kg": "0",
        "period_from": "2026-01-01", "period_to": "2026-07-01", "country": "CN", "ipcc": "AR6", "exempted_percent": "0",
    }  # fmt: skip

    client.post("/admin/carbon/productfootprint/add/", form)

    assert list(ProductFootprint.objects.order_by("pk").values_list("is_active", flat=True)) == [False, True]


# ---- EPCIS ---------------------------------------------------------------------------------------


def test_footprints_stand_on_shipping_and_receiving_events_only(shop: list[Order]) -> None:
    parcel = Parcel.objects.filter(fulfillment__order=shop[0]).first()
    assert parcel is not None
    events = [
        {
            "type": "ObjectEvent", "eventID": f"urn:e:{step}", "action": "OBSERVE", "bizStep": step, "epcList": [],
            "eventTime": "2026-11-22T09:31:22+08:00", "eventTimeZoneOffset": "+08:00",
        }
        for step in ("shipping", "receiving", "storing")
    ]  # fmt: skip
    body = {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"], "type": "EPCISDocument",
        "schemaVersion": "2.0", "creationDate": "2026-11-22T09:00:00Z", "epcisBody": {"eventList": events},
    }  # fmt: skip
    names = {
        "urn:e:shipping": f"fulfillment:{parcel.fulfillment_id}", "urn:e:receiving": f"parcel:{parcel.pk}",
        "urn:e:storing": f"parcel:{parcel.pk}",
    }  # fmt: skip

    made = epcis.document(body, names)

    shipped, received, stored = made["epcisBody"]["eventList"]
    assert {"orderhub": epcis.NAMESPACE} in made["@context"]
    # Every word of the extension has our prefix, as the standard asks of extensions.
    for event in (shipped, received):
        extra = {name for name in event if name not in events[0]}
        assert extra == {"orderhub:carbonFootprint"}
        assert all(name.startswith("orderhub:") for name in event["orderhub:carbonFootprint"])
    assert stored == events[2]
    runs = CalculationRun.objects.filter(subject=f"parcel:{parcel.pk}", basis="actual")
    said = sum(Decimal(run.result["ledger_total"]["total_kg"]) for run in runs)
    assert Decimal(received["orderhub:carbonFootprint"]["orderhub:totalKgCO2e"]) == said
    assert shipped["orderhub:carbonFootprint"]["orderhub:basis"] == "estimate"


# ---- passports -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", [f"/01/{GTIN}/", "/01/9506000134352/", f"/01/{GTIN}/21/S-1/", f"/01/{GTIN}/10/L1/"]
)
def test_a_passport_opens_by_its_digital_link(declared: ProductFootprint, path: str) -> None:
    page = Client(headers={"Accept-Language": "en"}).get(path)
    text = page.content.decode()

    assert page.status_code == 200
    assert "Desk lamp" in text
    assert "4.2" in text
    assert "&lt;b&gt;steel" in text
    assert "台灯" in Client(headers={"Accept-Language": "zh-hans"}).get(path).content.decode()


def test_machines_read_json_ld(declared: ProductFootprint) -> None:
    body = Client(headers={"Accept": "application/ld+json"}).get(f"/01/{GTIN}/").json()

    assert body["gtin"] == GTIN
    assert body["orderhub:productCarbonFootprint"]["orderhub:kgCO2e"] == "4.200000"
    assert Decimal(body["orderhub:deliveryPerUnit"]["orderhub:kgCO2e"]) > 0
    assert body["@id"].endswith(f"/01/{GTIN}/")
    assert Client().get(f"/01/{GTIN}/?format=jsonld").json()["gtin"] == GTIN


def test_serials_and_lots_have_pages_of_their_own(declared: ProductFootprint) -> None:
    own = Passport.objects.create(
        merchant=make.merchant(), sku=declared.sku, gtin=GTIN, serial="A.1", is_published=True
    )
    assert own.path == f"/01/{GTIN}/21/A.1/"
    assert "A.1" in Client().get(own.path).content.decode()
    code = Client().get(f"{own.path}qr.svg")
    assert code.content.startswith(b"<svg")


def test_what_is_not_published_is_not_there(declared: ProductFootprint) -> None:
    Passport.objects.update(is_published=False)

    assert Client().get(f"/01/{GTIN}/").status_code == 404
    assert Client().get(f"/01/{GTIN}/qr.svg").status_code == 404
    assert Client().get("/01/1234/").status_code == 404


@pytest.mark.parametrize(
    ("gtin", "good"),
    [("9506000134352", True), (GTIN, True), ("9506000134351", False), ("12", False), ("１" * 8, False)],
)
def test_gtins_are_checked(gtin: str, good: bool) -> None:
    try:
        check_gtin(gtin)
    except Exception:
        assert not good
    else:
        assert good
