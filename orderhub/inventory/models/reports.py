"""What warehouses say they have: each report is kept line by line with what was made of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.inventory.models.shelves import Sku, Warehouse


class StockReport(models.Model):
    """One report of a warehouse, taken once by its key: counted units, or changes of them."""

    class Kind(models.TextChoices):
        COUNT = "count", _("count")
        CHANGE = "change", _("change")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    warehouse = models.ForeignKey(Warehouse, verbose_name=_("warehouse"), on_delete=models.PROTECT)
    key = models.CharField(_("key"), max_length=120, help_text=_("Taken once for each warehouse."))
    kind = models.CharField(_("kind"), max_length=6, choices=Kind.choices)
    reported_at = models.DateTimeField(_("as of"))
    received_at = models.DateTimeField(_("received at"))
    actor = models.CharField(_("actor"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("stock report")
        verbose_name_plural = _("stock reports")
        constraints = [models.UniqueConstraint(fields=["warehouse", "key"], name="inventory_report_once")]
        indexes = [models.Index(fields=["merchant", "-id"], name="inventory_report_list")]

    def __str__(self) -> str:
        return f"{self.warehouse_id}/{self.key}"


class StockReportLine(models.Model):
    """One SKU of a report: what was said, what we believed at that moment, and what became of the difference.

    `expected` is what was on hand at `reported_at`: movements since then are taken off again, so that what was shipped
    after a count is not undone by it. `short` are units by which a booking would have gone below what is promised.
    """

    class Reason(models.TextChoices):
        COUNT = "count", _("counted")
        DAMAGE = "damage", _("damaged")
        THEFT = "theft", _("stolen")
        FOUND = "found", _("found")
        TRANSIT = "transit", _("in transit")
        UNKNOWN = "unknown", _("not known")

    class State(models.TextChoices):
        SAME = "same", _("agrees")
        BOOKED = "booked", _("booked")
        WAITING = "waiting", _("needs a person")
        DISMISSED = "dismissed", _("dismissed")
        OUTDATED = "outdated", _("outdated by a later count")
        REFUSED = "refused", _("unknown SKU")

    report = models.ForeignKey(
        StockReport, verbose_name=_("stock report"), on_delete=models.CASCADE, related_name="lines"
    )
    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    warehouse = models.ForeignKey(Warehouse, verbose_name=_("warehouse"), on_delete=models.PROTECT)
    code = models.CharField(_("SKU code"), max_length=80)
    sku = models.ForeignKey(Sku, verbose_name=_("SKU"), on_delete=models.PROTECT, null=True)
    reported = models.IntegerField(_("reported"))
    reported_at = models.DateTimeField(_("as of"))
    expected = models.IntegerField(_("on hand then"), null=True)
    difference = models.IntegerField(_("difference"), default=0)
    booked = models.IntegerField(_("booked"), default=0)
    short = models.PositiveIntegerField(_("promised but missing"), default=0)
    reason = models.CharField(_("reason"), max_length=8, choices=Reason.choices, default=Reason.UNKNOWN)
    state = models.CharField(_("state"), max_length=9, choices=State.choices)
    note = models.CharField(_("note"), max_length=200, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=80, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True)

    class Meta:
        verbose_name = _("stock difference")
        verbose_name_plural = _("stock differences")
        indexes = [
            models.Index(fields=["report"], name="inventory_line_open", condition=Q(state__in=["waiting", "refused"])),
            models.Index(fields=["merchant", "code"], name="inventory_line_refused", condition=Q(state="refused")),
            models.Index(fields=["sku", "warehouse", "-reported_at"], name="inventory_line_place"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.code}: {self.difference:+d}"
