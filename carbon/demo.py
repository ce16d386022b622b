"""The demo's carbon data: the bundled factors, once per database, and a few facts a warehouse tells."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from carbon import services
from carbon.activity import services as activity
from carbon.claims.models import ClaimText
from carbon.claims.services import ensure_words, neutral
from carbon.green.models import GreenSetting
from carbon.interfaces.models import Passport, ProductFootprint
from carbon.offsets.models import OffsetPlan, OffsetProject
from carbon.reports.models import ReportProfile
from orderhub.access.models import Merchant
from orderhub.inventory.models import Sku, Warehouse

#: A made-up number of a prefix that GS1 keeps for examples.
GTIN = "09506000134352"


def seed(merchant: Merchant, *, now: datetime) -> None:
    """The open factors that travel with the product, and a row of each part of the carbon pages to look at."""
    services.ensure_factors(now=now)
    ensure_words()
    ReportProfile.objects.get_or_create(merchant=merchant, defaults={"markets": "CN, EU"})
    GreenSetting.objects.get_or_create(merchant=merchant)
    ClaimText.objects.get_or_create(
        merchant=merchant, place=ClaimText.Place.TRACKING, market="*", language="zh",
        defaults={"text": neutral("zh-hans")},
    )  # fmt: skip
    project, _made = OffsetProject.objects.get_or_create(
        code="demo-trees",
        defaults={
            "name": "示例：沙盒植树项目", "name_en": "Sample: tree project of the sandbox", "provider": "sandbox",
            "registry": "SANDBOX", "price_per_kg": Decimal("0.08"),
        },
    )  # fmt: skip
    OffsetPlan.objects.get_or_create(
        merchant=merchant, defaults={"project": project, "profit_percent": Decimal(1), "since": now}
    )
    _passport(merchant, now=now)
    site = Warehouse.objects.filter(merchant=merchant).order_by("pk").first()
    if site is not None:
        activity.take(merchant, _facts(site.code, now), actor="demo", now=now)


def _passport(merchant: Merchant, *, now: datetime) -> None:
    """A passport of the first article, with a footprint that is marked as made up."""
    sku = Sku.objects.filter(merchant=merchant).order_by("pk").first()
    if sku is None:
        return
    facts = [
        {"zh": "材料", "en": "Material", "value": "DEMO"},
        {"zh": "维修", "en": "Repair", "value": "DEMO"},
    ]
    Passport.objects.get_or_create(
        gtin=GTIN, serial="", lot="",
        defaults={"merchant": merchant, "sku": sku, "facts": facts, "is_published": True},
    )  # fmt: skip
    if not ProductFootprint.objects.filter(sku=sku).exists():
        year = now.year - 1
        ProductFootprint.objects.create(
            merchant=merchant, sku=sku, created_at=now, mass_kg=Decimal(sku.grams) / 1000,
            excluding_biogenic=Decimal("4.2"), including_biogenic=Decimal("4.2"), fossil=Decimal("4.2"),
            fossil_carbon_kg=Decimal(0), period_from=date(year, 1, 1), period_to=date(year + 1, 1, 1), country="CN",
            comment="Made up for the demo.",
        )  # fmt: skip


def _facts(warehouse: str, now: datetime) -> list[activity.Given]:
    week = timedelta(days=7)
    start, middle, end = now - 2 * week, now - week, now - timedelta(hours=1)
    meter = {"warehouse": warehouse, "meter": "E1"}
    cold = {
        "warehouse": warehouse,
        "zone": "cold",
        "lowest_celsius": "1.5",
        "highest_celsius": "8.6",
        "limit_celsius": "8",
    }
    source = "demo"
    return [
        activity.Given(
            "meter", "demo-1", start, middle, {**meter, "start_reading": "48200", "reading": "51650"}, source
        ),
        activity.Given("meter", "demo-2", middle, end, {**meter, "reading": "55010"}, source),
        activity.Given("temperature", "demo-3", middle, end, cold, source),
    ]
