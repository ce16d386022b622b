"""Merchant files: the batch, its files, and every row that was refused."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import ApiKey, Merchant
from orderhub.orders.models import Channel


class ImportBatch(models.Model):
    """One upload: recognized, read in chunks, resumable; the same file twice changes nothing."""

    class Kind(models.TextChoices):
        ORDERS = "orders", _("orders")
        SKUS = "skus", _("SKUs")
        STOCK = "stock", _("stock")

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    #: Statuses of imports that workers take up.
    OPEN = (Status.QUEUED, Status.RUNNING)

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    channel = models.ForeignKey(
        Channel, verbose_name=_("channel"), null=True, blank=True, on_delete=models.PROTECT
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.ORDERS)
    status = models.CharField(_("status"), max_length=8, choices=Status.choices, default=Status.QUEUED)
    dialect = models.CharField(_("dialect"), max_length=40, blank=True)
    encoding = models.CharField(_("encoding"), max_length=20, blank=True)
    chosen_encoding = models.CharField(
        _("encoding chosen by hand"),
        max_length=20,
        blank=True,
        help_text=_("Empty: found out from the file."),
    )
    language = models.CharField(_("language"), max_length=10, default="zh-hans")
    rows = models.PositiveIntegerField(_("rows"), default=0)
    orders_total = models.PositiveIntegerField(_("orders in the file"), default=0)
    done = models.PositiveIntegerField(
        _("done"), default=0, help_text=_("How many of its orders were looked at.")
    )
    # Where the next chunk starts: after a crash the file is read again, and rows keep their numbers
    # whatever else has changed.
    resume_row = models.PositiveIntegerField(default=0, editable=False)
    accepted_orders = models.PositiveIntegerField(_("accepted"), default=0)
    unchanged_orders = models.PositiveIntegerField(_("unchanged"), default=0)
    refused_rows = models.PositiveIntegerField(_("refused rows"), default=0)
    warnings = models.JSONField(_("warnings"), default=list, blank=True)
    failure_kind = models.CharField(_("why it failed"), max_length=40, blank=True)
    failure_facts = models.JSONField(default=dict, blank=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("uploaded by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )
    uploaded_key = models.ForeignKey(
        ApiKey, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"))
    confirmed_at = models.DateTimeField(
        _("confirmed at"),
        null=True,
        blank=True,
        help_text=_("Until then it is only a preview and nothing runs."),
    )
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        indexes = [models.Index(fields=["merchant", "-id"], name="connectors_import_list")]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether it still has work before it."""
        return self.status in self.OPEN

    @property
    def stream(self) -> str:
        """The import's stream in the event log."""
        return f"import:{self.pk}"


class ImportFile(models.Model):
    """One uploaded file, kept as it came."""

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="files")
    position = models.PositiveSmallIntegerField(_("position"))
    name = models.CharField(_("file name"), max_length=200)
    content = models.FileField(_("file"), upload_to="imports/%Y/%m/", max_length=300)
    size_bytes = models.PositiveBigIntegerField(_("size in bytes"))
    sha256 = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("imported file")
        verbose_name_plural = _("imported files")

    def __str__(self) -> str:
        return self.name


class RefusedRow(models.Model):
    """A row that was left out, with the place and the reason; words are made from `kind` and `facts`."""

    batch = models.ForeignKey(
        ImportBatch, verbose_name=_("import"), on_delete=models.CASCADE, related_name="refused"
    )
    file = models.CharField(_("file"), max_length=200)
    row = models.PositiveIntegerField(_("row"))
    order_no = models.CharField(_("order number"), max_length=120, blank=True)
    column = models.CharField(_("column"), max_length=120, blank=True)
    kind = models.CharField(_("kind"), max_length=40)
    value = models.CharField(_("value"), max_length=200, blank=True)
    facts = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("refused row")
        verbose_name_plural = _("refused rows")
        indexes = [models.Index(fields=["batch", "file", "row"], name="connectors_refused_row")]

    def __str__(self) -> str:
        return f"{self.file}:{self.row} {self.kind}"
