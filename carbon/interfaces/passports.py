"""The Digital Product Passport behind a GS1 Digital Link: a page for people, JSON-LD for machines, a QR code for both."""

from __future__ import annotations

import io
from typing import Any

import segno
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_safe

from carbon.interfaces import pact
from carbon.interfaces.models import Passport, ProductFootprint
from carbon.queries import shown
from carbon.wording import say
from orderhub.access import limits
from orderhub.access.limits import address_of
from orderhub.kernel import clock

TRIES_PER_MINUTE = 60
JSON_LD = "application/ld+json"
Json = dict[str, Any]


@require_safe
def page(request: HttpRequest, gtin: str, serial: str = "", lot: str = "") -> HttpResponse:
    """The passport; JSON-LD for `Accept: application/ld+json` or `?format=jsonld`; 404 where none is published."""
    language = _language(request)
    with translation.override(language):
        request.LANGUAGE_CODE = language
        row = _found(request, gtin, serial, lot)
        if row is None:
            return render(request, "carbon/passport_missing.html", status=404)
        told = about(row, language=language)
        if _wants_json(request):
            answer: HttpResponse = JsonResponse(json_ld(row, told), content_type=JSON_LD)
        else:
            answer = render(request, "carbon/passport.html", {"passport": row, "told": told})
    answer["Vary"] = "Accept, Accept-Language"
    answer["Content-Language"] = language
    answer["Link"] = f'<{settings.PUBLIC_URL}{row.path}>; rel="canonical"'
    return answer


@require_safe
def code(request: HttpRequest, gtin: str, serial: str = "", lot: str = "") -> HttpResponse:
    """The QR code of the passport's address, as SVG."""
    row = _found(request, gtin, serial, lot)
    if row is None:
        raise Http404
    answer = HttpResponse(qr(row), content_type="image/svg+xml")
    answer["Cache-Control"] = "public, max-age=3600"
    return answer


def qr(row: Passport) -> bytes:
    """The QR code of a passport's Digital Link as SVG; error correction M, which survives a scratched label."""
    out = io.BytesIO()
    made = segno.make(f"{settings.PUBLIC_URL}{row.path}", error="m", micro=False)
    made.save(out, kind="svg", scale=4, border=3, light="white", xmldecl=False)
    return out.getvalue()


def about(row: Passport, *, language: str) -> Json:
    """What the page says, figures as people see them; None for what is not known."""
    footprint = ProductFootprint.objects.filter(
        sku=row.sku_id, merchant=row.merchant_id, is_active=True
    ).first()
    way = pact.delivered(row.merchant_id, row.sku_id, now=clock.now())
    return {
        "name": say(row.sku.name, row.sku.name_en or row.sku.name, language),
        "merchant": say(row.merchant.name, row.merchant.name_en or row.merchant.name, language),
        "facts": [{"name": say(one["zh"], one["en"], language), "value": one["value"]} for one in row.facts],
        "footprint": footprint,
        "footprint_kg": None if footprint is None else shown(footprint.excluding_biogenic / footprint.amount),
        "unit": None if footprint is None else footprint.get_unit_display(),
        "delivery_kg": None if way is None else shown(way.delivery_kg),
        "low": None if way is None else shown(way.low_kg), "high": None if way is None else shown(way.high_kg),
        "packaging_kg": None if way is None else shown(way.packaging_kg),
        "primary_share": None if way is None else float(way.primary_share),
        "way": way, "address": f"{settings.PUBLIC_URL}{row.path}",
    }  # fmt: skip


def json_ld(row: Passport, told: Json) -> Json:
    """The passport as linked data: schema.org for the product, GS1's vocabulary for its keys, ours for the figures."""
    found: Json = {
        "@context": ["https://schema.org/", {"gs1": "https://ref.gs1.org/voc/", "orderhub": "https://orderhub.example/ns#"}],
        "@id": told["address"], "@type": ["Product", "gs1:Product"], "gtin": row.gtin, "gs1:gtin": row.gtin,
        "name": [
            {"@value": row.sku.name, "@language": "zh"},
            *([{"@value": row.sku.name_en, "@language": "en"}] if row.sku.name_en else []),
        ],
        "sku": row.sku.code, "brand": {"@type": "Organization", "name": told["merchant"]},
        "dateModified": row.updated_at.isoformat(),
        "additionalProperty": [
            {"@type": "PropertyValue", "name": one["en"], "value": one["value"]} for one in row.facts
        ],
    }  # fmt: skip
    for name, value in (
        ("serialNumber", row.serial),
        ("gs1:hasBatchLotNumber", row.lot),
        ("category", row.group),
    ):
        if value:
            found[name] = value
    footprint, way = told["footprint"], told["way"]
    if footprint is not None:
        found["orderhub:productCarbonFootprint"] = {
            "orderhub:kgCO2e": f"{footprint.excluding_biogenic:f}", "orderhub:declaredUnit": footprint.unit,
            "orderhub:declaredUnitAmount": f"{footprint.amount:f}", "orderhub:id": str(footprint.public_id),
        }  # fmt: skip
    if way is not None:
        found["orderhub:deliveryPerUnit"] = {
            "orderhub:kgCO2e": f"{way.delivery_kg:f}", "orderhub:p5": f"{way.low_kg:f}", "orderhub:p95": f"{way.high_kg:f}",
            "orderhub:packagingKgCO2e": f"{way.packaging_kg:f}", "orderhub:units": way.units,
            "orderhub:method": "aligned with ISO 14083:2023",
        }  # fmt: skip
    return found


def _found(request: HttpRequest, gtin: str, serial: str, lot: str) -> Passport | None:
    """The published passport of exactly this key, else the one of its product; misses count against the address."""
    rows = Passport.objects.filter(gtin=gtin.zfill(14), is_published=True).select_related("sku", "merchant")
    row = rows.filter(serial=serial, lot=lot).first() or rows.filter(serial="", lot="").first()
    if row is None and limits.too_many(f"passport:{address_of(request)}", limit=TRIES_PER_MINUTE):
        raise Http404
    return row


def _wants_json(request: HttpRequest) -> bool:
    if request.GET.get("format") == "jsonld":
        return True
    accepted = request.headers.get("Accept", "")
    return "text/html" not in accepted and ("ld+json" in accepted or "application/json" in accepted)


def _language(request: HttpRequest) -> str:
    asked = request.GET.get("lang") or getattr(request, "LANGUAGE_CODE", "") or ""
    return "en" if asked.lower().startswith("en") else "zh-hans"
