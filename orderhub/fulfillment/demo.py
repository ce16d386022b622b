"""The demo shop's carriers; names and tariffs are invented."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from orderhub.access.models import Merchant
from orderhub.fulfillment.models import RateCard, RateZone

#: code, carrier, zh, en, service, mode, zones: (name, countries, remote, max km, first g, fee, step g, fee, base h, h/100 km)
CARDS: tuple[tuple[str, str, str, str, str, str, tuple[tuple[Any, ...], ...]], ...] = (
    ("SWIFT-EXP", "swift", "迅达特快", "Swift Express", "express", "air", (
        ("同城", [], False, 150, 1000, "10", 1000, "2", "8", "4"),
        ("省内", [], False, 500, 1000, "14", 1000, "4", "12", "2"),
        ("全国", [], False, 2500, 1000, "20", 1000, "9", "20", "0.6"),
        ("偏远", [], False, None, 1000, "24", 1000, "16", "30", "0.5"),
    )),
    ("TONGDA-STD", "tongda", "通达快递", "Tongda Parcel", "standard", "road", (
        ("同城", [], False, 150, 1000, "5", 1000, "1", "16", "6"),
        ("省内", [], False, 500, 1000, "6", 1000, "1.5", "20", "3"),
        ("全国", [], False, 2500, 1000, "8.5", 1000, "4", "26", "1.8"),
        ("偏远", [], False, None, 1000, "15", 1000, "11", "40", "1.7"),
    )),
    ("LVTU-ECO", "lvtu", "绿途经济", "Greenway Economy", "economy", "rail", (
        ("省内", [], False, 500, 1000, "5", 1000, "1", "36", "4"),
        ("全国", [], False, 2500, 1000, "7", 1000, "2.6", "52", "2.4"),
        ("偏远", [], False, None, 1000, "12", 1000, "7", "70", "2.2"),
    )),
    ("GLOBAL-AIR", "global", "环球专线", "Global Line", "standard", "air", (
        ("亚洲", ["JP", "KR", "SG", "MY", "TH", "VN"], False, None, 500, "42", 500, "14", "60", "0.5"),
        ("欧美", ["*"], False, None, 500, "78", 500, "26", "96", "0.6"),
    )),
)  # fmt: skip


def seed(merchant: Merchant, *, now: datetime) -> None:
    """Make the rate cards once; later edits in the admin stay."""
    for code, carrier, name, name_en, service, mode, zones in CARDS:
        card, created = RateCard.objects.get_or_create(
            merchant=merchant, code=code,
            defaults={"carrier": carrier, "name": name, "name_en": name_en, "service": service, "mode": mode},
        )  # fmt: skip
        if created:
            RateZone.objects.bulk_create(_zone(card, zone) for zone in zones)


def _zone(card: RateCard, zone: tuple[Any, ...]) -> RateZone:
    name, countries, remote, max_km, first_grams, first_fee, step_grams, step_fee, base, per_100 = zone
    return RateZone(
        card=card, name=name, countries=countries, remote_only=remote, max_km=max_km, first_grams=first_grams,
        first_fee=Decimal(str(first_fee)), step_grams=step_grams, step_fee=Decimal(str(step_fee)),
        base_hours=Decimal(str(base)), hours_per_100km=Decimal(str(per_100)),
    )  # fmt: skip
