"""Versioned prices of stock and capacity, the daily demand behind them, bans, and levers on a warehouse."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from orderhub.access.models import Merchant
from orderhub.inventory.models import Sku, Warehouse


class PriceSettings(models.Model):
    """How a merchant's prices are calculated and when they are not trusted; a missing row means the defaults."""

    merchant = models.OneToOneField(
        Merchant, verbose_name=_("merchant"), on_delete=models.CASCADE, related_name="price_settings"
    )
    is_on = models.BooleanField(_("prices on"), default=True)
    switched_by = models.CharField(_("switched by"), max_length=80, blank=True, editable=False)
    switched_at = models.DateTimeField(_("switched at"), null=True, editable=False)
    refresh_minutes = models.PositiveSmallIntegerField(
        _("minutes between two books"), default=30,
        validators=[MinValueValidator(15), MaxValueValidator(60)],
    )  # fmt: skip
    replenishment_days = models.PositiveSmallIntegerField(
        _("days between two receipts"), default=7, validators=[MinValueValidator(1), MaxValueValidator(90)],
        help_text=_("Assumed where no receipt is expected."),
    )  # fmt: skip
    stale_hours = models.PositiveSmallIntegerField(
        _("stock data older than so many hours is stale"), default=72, validators=[MinValueValidator(1)]
    )
    max_forecast_error = models.DecimalField(
        _("forecast error that switches prices off"), max_digits=6, decimal_places=3, default=Decimal("0.8"),
        help_text=_("Share of the units sold in the last cycle: 0.8 means wrong by 80%."),
    )  # fmt: skip
    max_dropship_share = models.DecimalField(
        _("drop-ship share that switches network prices off"), max_digits=5, decimal_places=3,
        default=Decimal("0.2"), help_text=_("Share of the parcels of the last 7 days."),
    )  # fmt: skip
    books_kept = models.PositiveSmallIntegerField(
        _("books kept"), default=48, validators=[MinValueValidator(2), MaxValueValidator(500)]
    )
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("price settings")
        verbose_name_plural = _("price settings")

    def __str__(self) -> str:
        return f"price settings {self.merchant_id}"


class PriceBook(models.Model):
    """One calculation of all prices of a merchant; routing reads the one in force, whole."""

    class Reason(models.TextChoices):
        CLOCK = "clock", _("by the clock")
        RECEIPT = "receipt", _("stock received")
        HAND = "hand", _("by hand")

    class Status(models.TextChoices):
        IN_FORCE = "in_force", _("in force")
        REPLACED = "replaced", _("replaced")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.CASCADE)
    number = models.PositiveIntegerField(_("number"))
    made_at = models.DateTimeField(_("calculated at"))
    made_by = models.CharField(_("calculated by"), max_length=80, blank=True)
    reason = models.CharField(_("why"), max_length=8, choices=Reason.choices)
    status = models.CharField(_("status"), max_length=8, choices=Status.choices)
    #: Prices are 0 for all while this is set; `guards` say why.
    is_off = models.BooleanField(_("prices off"), default=False)
    #: [{"code": …, "facts": {…}}]; the sentences are in `pricing.sentences`.
    guards = models.JSONField(_("guards"), default=list)
    #: Share of the units sold since the last book that was forecast wrong; none on the first one.
    forecast_error = models.DecimalField(_("forecast error"), max_digits=8, decimal_places=3, null=True)
    #: Stock came in after it was calculated: a new book is due.
    outdated_at = models.DateTimeField(_("outdated since"), null=True, editable=False)
    parameters = models.JSONField(_("parameters"), default=dict)
    #: What parcel slots are worth: `pricing.slots.Slots` as JSON.
    slots = models.JSONField(_("slot prices"), default=dict)
    cells = models.PositiveIntegerField(_("priced cells"), default=0)
    skus = models.PositiveIntegerField(_("priced SKUs"), default=0)
    milliseconds = models.PositiveIntegerField(_("milliseconds"), default=0)

    class Meta:
        verbose_name = _("price book")
        verbose_name_plural = _("price books")
        constraints = [
            models.UniqueConstraint(fields=["merchant", "number"], name="routing_book_number"),
            models.UniqueConstraint(
                fields=["merchant"], condition=Q(status="in_force"), name="routing_book_in_force"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.number}"


class PriceRun(models.Model):
    """A book somebody asked for by hand: waiting, under way, or what came of it; at most one per merchant is open.

    `total` counts the SKUs to price, `done` those priced. A worker that dies leaves a lease that runs out.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting for a worker")
        RUNNING = "running", _("calculating")
        DONE = "done", _("finished")
        FAILED = "failed", _("not finished")

    OPEN = (State.QUEUED, State.RUNNING)

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.CASCADE)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.QUEUED)
    done = models.PositiveIntegerField(_("done"), default=0)
    total = models.PositiveIntegerField(_("of"), default=0)
    book = models.ForeignKey(
        PriceBook, verbose_name=_("book"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    asked_by = models.CharField(_("asked by"), max_length=80)
    asked_at = models.DateTimeField(_("asked at"))
    started_at = models.DateTimeField(_("started at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    lease_token = models.CharField(max_length=32, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("calculation of prices")
        verbose_name_plural = _("calculations of prices")
        constraints = [
            models.UniqueConstraint(
                fields=["merchant"], condition=Q(state__in=("queued", "running")), name="routing_run_one_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.merchant_id}: {self.state}"

    @property
    def is_open(self) -> bool:
        """Whether somebody still works on it, or will."""
        return self.state in self.OPEN


class PriceRow(models.Model):
    """The prices of one SKU in one book: by warehouse and in the whole network, only where above zero."""

    book = models.ForeignKey(PriceBook, verbose_name=_("book"), on_delete=models.CASCADE, related_name="rows")
    sku = models.ForeignKey(Sku, verbose_name=_("SKU"), on_delete=models.CASCADE)
    #: Warehouse id → {"p": curve, "x": units, "m": units wanted until "r", the next receipt, "d": units a day}.
    cells = models.JSONField(_("cells"), default=dict)
    #: The same of all warehouses together.
    network = models.JSONField(_("network"), default=dict)
    top_price = models.DecimalField(_("highest price"), max_digits=12, decimal_places=4)
    top_warehouse = models.ForeignKey(
        Warehouse, verbose_name=_("warehouse"), on_delete=models.CASCADE, null=True, related_name="+"
    )

    class Meta:
        verbose_name = _("stock price")
        verbose_name_plural = _("stock prices")
        constraints = [models.UniqueConstraint(fields=["book", "sku"], name="routing_price_once")]
        indexes = [models.Index(fields=["book", "-top_price"], name="routing_price_top")]

    def __str__(self) -> str:
        return str(self.sku)


class DailyDemand(models.Model):
    """Units of a SKU asked for on one day (UTC, by when they came in) in one region, kept by a projection."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.CASCADE)
    sku = models.ForeignKey(Sku, verbose_name=_("SKU"), on_delete=models.CASCADE)
    #: Country and province code, as "CN-ZJ"; the country alone where the province is not known.
    region = models.CharField(_("region"), max_length=48)
    day = models.DateField(_("day"))
    units = models.PositiveIntegerField(_("units"), default=0)
    lines = models.PositiveIntegerField(_("order lines"), default=0)

    class Meta:
        verbose_name = _("daily demand")
        verbose_name_plural = _("daily demand")
        constraints = [
            models.UniqueConstraint(fields=["merchant", "day", "sku", "region"], name="routing_demand_once")
        ]

    def __str__(self) -> str:
        return f"{self.sku_id} {self.region} {self.day}: {self.units}"


class HourlyOrders(models.Model):
    """Orders of a merchant that came in within one hour (UTC) from one region, kept by a projection."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.CASCADE)
    region = models.CharField(_("region"), max_length=48)
    hour_at = models.DateTimeField(_("hour"))
    orders = models.PositiveIntegerField(_("orders"), default=0)

    class Meta:
        verbose_name = _("hourly orders")
        verbose_name_plural = _("hourly orders")
        constraints = [
            models.UniqueConstraint(fields=["merchant", "hour_at", "region"], name="routing_hourly_once")
        ]

    def __str__(self) -> str:
        return f"{self.region} {self.hour_at}: {self.orders}"


class CountedOrder(models.Model):
    """An order whose demand is counted, so that reading the log again counts nothing twice."""

    order_id = models.BigIntegerField(primary_key=True)
    day = models.DateField(_("day"), db_index=True)

    class Meta:
        verbose_name = _("counted order")
        verbose_name_plural = _("counted orders")

    def __str__(self) -> str:
        return str(self.order_id)


class SkuBan(models.Model):
    """A SKU that a warehouse must not ship, for a time or for good."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.CASCADE)
    warehouse = models.ForeignKey(Warehouse, verbose_name=_("warehouse"), on_delete=models.CASCADE)
    sku = models.ForeignKey(Sku, verbose_name=_("SKU"), on_delete=models.CASCADE)
    reason = models.CharField(_("reason"), max_length=200)
    valid_from = models.DateTimeField(_("from"), null=True, blank=True, help_text=_("Empty: at once."))
    valid_until = models.DateTimeField(_("until"), null=True, blank=True, help_text=_("Empty: for good."))
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("SKU ban")
        verbose_name_plural = _("SKU bans")
        constraints = [models.UniqueConstraint(fields=["sku", "warehouse"], name="routing_ban_once")]

    def __str__(self) -> str:
        return f"{self.warehouse_id} ≠ {self.sku_id}"


class WarehouseLever(models.Model):
    """What a person did to relieve a warehouse: who, why, until when; rows are ended, never changed."""

    class Kind(models.TextChoices):
        CAPACITY = "capacity", _("lower capacity")
        PRICE = "price", _("dearer parcels")
        FREEZE = "freeze", _("freeze")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.CASCADE)
    warehouse = models.ForeignKey(
        Warehouse, verbose_name=_("warehouse"), on_delete=models.CASCADE, related_name="levers"
    )
    kind = models.CharField(_("lever"), max_length=8, choices=Kind.choices)
    #: Parcels a day (capacity) or yuan per parcel (price); nothing for a freeze.
    value = models.DecimalField(_("value"), max_digits=12, decimal_places=2, null=True)
    why = models.CharField(_("why"), max_length=200)
    set_by = models.CharField(_("set by"), max_length=80)
    set_at = models.DateTimeField(_("set at"))
    until = models.DateTimeField(_("until"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    ended_by = models.CharField(_("ended by"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("warehouse lever")
        verbose_name_plural = _("warehouse levers")
        constraints = [
            models.UniqueConstraint(
                fields=["warehouse", "kind"], condition=Q(ended_at__isnull=True), name="routing_lever_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.warehouse_id} {self.kind} {self.value or ''}"
