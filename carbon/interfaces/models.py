"""Product footprints their owners declare, what partners ask and tell of footprints, and product passports."""

from __future__ import annotations

import re
import uuid
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from orderhub.access.models import Merchant
from orderhub.inventory.models import Sku

ZERO = Decimal(0)
#: Characters that GS1 allows in a serial or lot, without those an address would have to escape.
_SERIAL = RegexValidator(re.compile(r"^[A-Za-z0-9._-]{1,20}$"), _("Up to 20 letters, digits, dots, dashes."))


def check_gtin(value: str) -> None:
    """Raises ValidationError unless it is a GTIN of 8, 12, 13 or 14 digits whose last digit fits."""
    if not value.isascii() or not value.isdigit() or len(value) not in (8, 12, 13, 14):
        raise ValidationError(_("A GTIN has 8, 12, 13 or 14 digits."), code="gtin")
    digits = [int(digit) for digit in value.zfill(14)]
    total = sum(digit * (3 if place % 2 == 0 else 1) for place, digit in enumerate(digits[:13]))
    if (10 - total % 10) % 10 != digits[13]:
        raise ValidationError(_("The last digit of this GTIN does not fit; check the number."), code="gtin")


def _kg(label: object, **options: object) -> models.DecimalField:  # type: ignore[type-arg]
    return models.DecimalField(label, max_digits=18, decimal_places=6, **options)  # type: ignore[arg-type]


class ProductFootprint(models.Model):
    """The footprint of a product as its owner declares it (PACT v3); a change makes a new one and ends the old."""

    class Unit(models.TextChoices):
        PIECE = "piece", _("piece")
        KILOGRAM = "kilogram", _("kilogram")
        LITER = "liter", _("liter")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    sku = models.ForeignKey(Sku, verbose_name=_("SKU"), on_delete=models.PROTECT, related_name="+")
    is_active = models.BooleanField(_("active"), default=True, db_default=True)
    created_at = models.DateTimeField(_("created at"), editable=False)
    unit = models.CharField(_("declared unit"), max_length=10, choices=Unit.choices, default=Unit.PIECE)
    amount = _kg(
        _("amount of that unit"), default=Decimal(1), validators=[MinValueValidator(Decimal("0.000001"))]
    )
    mass_kg = _kg(_("mass without packaging, kg"), validators=[MinValueValidator(ZERO)])
    excluding_biogenic = _kg(_("footprint without biogenic uptake, kg CO2e"))
    including_biogenic = _kg(_("footprint with biogenic uptake, kg CO2e"))
    fossil = _kg(_("fossil emissions, kg CO2e"), validators=[MinValueValidator(ZERO)])
    fossil_carbon_kg = _kg(_("fossil carbon content, kg"), validators=[MinValueValidator(ZERO)])
    biogenic_carbon_kg = _kg(_("biogenic carbon content, kg"), null=True, blank=True)
    period_from = models.DateField(_("reference period from"))
    period_to = models.DateField(_("reference period to, excluded"))
    country = models.CharField(_("country"), max_length=2, blank=True, default="", db_default="")
    ipcc = models.CharField(_("IPCC report"), max_length=4, default="AR6", db_default="AR6")
    exempted_percent = models.DecimalField(
        _("left out, percent"), max_digits=5, decimal_places=2, default=ZERO, db_default=ZERO,
        validators=[MinValueValidator(ZERO), MaxValueValidator(Decimal(5))],
    )  # fmt: skip
    boundary = models.TextField(_("what is counted"), blank=True, default="", db_default="")
    primary_share = models.DecimalField(
        _("primary data, percent"), max_digits=5, decimal_places=2, null=True, blank=True,
        validators=[MinValueValidator(ZERO), MaxValueValidator(Decimal(100))],
    )  # fmt: skip
    verified_by = models.CharField(_("verified by"), max_length=120, blank=True, default="", db_default="")
    comment = models.TextField(_("remark"), blank=True, default="", db_default="")

    class Meta:
        app_label = "carbon"
        verbose_name = _("product footprint")
        verbose_name_plural = _("product footprints")
        constraints = [
            models.UniqueConstraint(fields=["sku"], condition=Q(is_active=True), name="carbon_footprint_one")
        ]

    def __str__(self) -> str:
        return f"{self.sku}: {self.excluding_biogenic.normalize():f} kg"


class PactEvent(models.Model):
    """What a partner asks or tells of footprints (CloudEvents); the same event twice is one."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    event_id = models.CharField(_("event"), max_length=120)
    source = models.CharField(_("from"), max_length=300)
    type = models.CharField(_("type"), max_length=80)
    data = models.JSONField(_("content"), default=dict)
    received_at = models.DateTimeField(_("received at"))

    class Meta:
        app_label = "carbon"
        verbose_name = _("footprint event")
        verbose_name_plural = _("footprint events")
        constraints = [
            models.UniqueConstraint(fields=["merchant", "source", "event_id"], name="carbon_pact_event_once")
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"


class Passport(models.Model):
    """The passport of a product, of one piece (serial) or of a lot, behind a GS1 Digital Link."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    sku = models.ForeignKey(Sku, verbose_name=_("SKU"), on_delete=models.PROTECT, related_name="+")
    gtin = models.CharField("GTIN", max_length=14, validators=[check_gtin])
    serial = models.CharField(
        _("serial number"), max_length=20, blank=True, default="", db_default="", validators=[_SERIAL]
    )
    lot = models.CharField(
        _("lot"), max_length=20, blank=True, default="", db_default="", validators=[_SERIAL]
    )
    group = models.CharField(
        _("product group"), max_length=60, blank=True, default="", db_default="",
        help_text=_("Passports come per product group: batteries from February 2027, textiles later."),
    )  # fmt: skip
    facts = models.JSONField(
        _("facts"), default=list, blank=True,
        help_text=_('Rows of name and value in both languages: [{"zh": "材料", "en": "Material", "value": "100 % cotton"}]'),
    )  # fmt: skip
    is_published = models.BooleanField(_("published"), default=False, db_default=False)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)
    history = HistoricalRecords()

    class Meta:
        app_label = "carbon"
        verbose_name = _("product passport")
        verbose_name_plural = _("product passports")
        constraints = [
            models.UniqueConstraint(fields=["gtin", "serial", "lot"], name="carbon_passport_once"),
            models.CheckConstraint(condition=Q(serial="") | Q(lot=""), name="carbon_passport_serial_or_lot"),
        ]

    def __str__(self) -> str:
        return self.path

    @property
    def path(self) -> str:
        """The path of its Digital Link; the GTIN always with 14 digits."""
        tail = f"21/{self.serial}/" if self.serial else f"10/{self.lot}/" if self.lot else ""
        return f"/01/{self.gtin.zfill(14)}/{tail}"

    def clean(self) -> None:
        """Raises ValidationError for facts that no page could show, and for a SKU of another merchant."""
        super().clean()
        if self.sku_id and self.merchant_id and self.sku.merchant_id != self.merchant_id:
            raise ValidationError({"sku": _("This SKU belongs to another merchant.")})
        if not isinstance(self.facts, list) or not all(_is_fact(one) for one in self.facts):
            raise ValidationError({"facts": _("A list of rows, each with zh, en and value as texts.")})

    def save(self, *args: Any, **options: Any) -> None:
        """Write it with the GTIN in its one spelling."""
        self.gtin = self.gtin.zfill(14)
        super().save(*args, **options)


def _is_fact(one: object) -> bool:
    names = ("zh", "en", "value")
    return isinstance(one, dict) and all(
        isinstance(one.get(name), str) and len(one[name]) <= 500 for name in names
    )
