"""The fields that operators add to records; the values stand in the records' own `custom` column."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from orderhub.access.models import Merchant
from orderhub.fields.engine import Choice, Definition


class Field(models.Model):
    """One custom field of one kind of record, for one merchant or, without a merchant, for all."""

    class Target(models.TextChoices):
        ORDER = "order", _("order")
        LINE = "line", _("order line")
        SKU = "sku", _("SKU")
        WAREHOUSE = "warehouse", _("warehouse")
        PARCEL = "parcel", _("parcel")

    class Kind(models.TextChoices):
        TEXT = "text", _("text")
        INTEGER = "integer", _("whole number")
        DECIMAL = "decimal", _("decimal number")
        MONEY = "money", _("money, in the record's currency")
        BOOLEAN = "boolean", _("yes or no")
        DATE = "date", _("date")
        TIME = "time", _("time of day")
        CHOICE = "choice", _("one choice")
        CHOICES = "choices", _("several choices")
        LINK = "link", _("link")

    class MerchantMay(models.TextChoices):
        NOTHING = "none", _("not see it")
        READ = "read", _("see it")
        WRITE = "write", _("see and fill it")

    merchant = models.ForeignKey(
        Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT, null=True, blank=True,
        help_text=_("Empty means all merchants."),
    )  # fmt: skip
    target = models.CharField(_("belongs to"), max_length=10, choices=Target.choices)
    code = models.CharField(
        _("code"), max_length=40,
        help_text=_("Small letters, digits and _; files, API and rules use it. It is never changed."),
    )  # fmt: skip
    kind = models.CharField(_("type"), max_length=10, choices=Kind.choices, default=Kind.TEXT)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True)
    help = models.CharField(_("help text"), max_length=200, blank=True)
    help_en = models.CharField(_("English help text"), max_length=200, blank=True)
    unit = models.CharField(_("unit"), max_length=20, blank=True)
    choices = models.JSONField(_("choices"), default=list, blank=True)
    least = models.CharField(
        _("at least"), max_length=20, blank=True,
        help_text=_("Number, date or time; for a text its length, for several choices how many."),
    )  # fmt: skip
    most = models.CharField(_("at most"), max_length=20, blank=True)
    pattern = models.CharField(
        _("pattern"), max_length=200, blank=True,
        help_text=_("For texts, e.g. [A-Z]{2}\\d{6}: two capitals, then six digits."),
    )  # fmt: skip
    default = models.JSONField(_("default"), null=True, blank=True)
    is_required = models.BooleanField(_("required"), default=False)
    seen_by = models.JSONField(
        _("seen by"),
        default=list,
        blank=True,
        help_text=_("None chosen means everybody who sees the record."),
    )
    edited_by = models.JSONField(
        _("filled by"), default=list, blank=True,
        help_text=_("None chosen means everybody who may change the record."),
    )  # fmt: skip
    merchant_may = models.CharField(
        _("the merchant may"), max_length=5, choices=MerchantMay.choices, default=MerchantMay.WRITE,
        help_text=_("By API, in files, and on its own pages."),
    )  # fmt: skip
    customer_sees = models.BooleanField(
        _("shown to customers"),
        default=False,
        help_text=_("On the tracking page; for orders, lines and parcels."),
    )
    is_personal = models.BooleanField(
        _("personal"), default=False, db_default=False,
        help_text=_("Erased with the receiver; for orders, lines and parcels."),
    )  # fmt: skip
    in_list = models.BooleanField(_("column of the list"), default=False)
    in_filter = models.BooleanField(_("filter of the list"), default=True)
    position = models.PositiveIntegerField(_("position"), default=100)
    archived_at = models.DateTimeField(_("removed at"), null=True, blank=True, editable=False)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("custom field")
        verbose_name_plural = _("custom fields")
        ordering = ("target", "position", "pk")
        constraints = [
            models.UniqueConstraint(fields=["merchant", "target", "code"], name="fields_field_code"),
            models.UniqueConstraint(
                fields=["target", "code"], name="fields_field_code_all", condition=Q(merchant__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.name if (get_language() or "").startswith("zh") else self.name_en or self.name

    def definition(self) -> Definition:
        """The field as the engine knows it."""
        return Definition(
            target=self.target, code=self.code, kind=self.kind, zh=self.name, en=self.name_en, unit=self.unit,
            choices=tuple(_choice(row) for row in self.choices if isinstance(row, dict)), least=self.least,
            most=self.most, pattern=self.pattern, default=self.default, is_required=self.is_required,
            help_zh=self.help, help_en=self.help_en, pk=self.pk or 0, merchant_id=self.merchant_id,
            seen_by=frozenset(self.seen_by), edited_by=frozenset(self.edited_by), merchant_may=self.merchant_may,
            customer_sees=self.customer_sees, is_personal=self.is_personal, in_list=self.in_list,
            in_filter=self.in_filter, position=self.position,
            retired=self.archived_at is not None,
        )  # fmt: skip


def _choice(row: dict[str, Any]) -> Choice:
    name = str(row.get("name", "")).strip()
    return Choice(str(row.get("code", "")).strip(), name, str(row.get("name_en", "")).strip() or name)
