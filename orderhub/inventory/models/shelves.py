"""Where goods are and how many: warehouses, SKUs, stock that is never oversold, and every movement of it."""

from __future__ import annotations

import uuid
from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from orderhub.access.models import Merchant


class Warehouse(models.Model):
    """A node that can ship: warehouse, forward warehouse (前置仓), store or factory."""

    class Kind(models.TextChoices):
        WAREHOUSE = "warehouse", _("warehouse")
        FORWARD = "forward", _("forward warehouse")
        STORE = "store", _("store")
        FACTORY = "factory", _("factory")
        DROPSHIP = "dropship", _("drop-ship supplier")

    class Energy(models.TextChoices):
        GRID = "grid", _("grid electricity")
        SOLAR = "solar", _("own solar power")
        MIXED = "mixed", _("grid and solar")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    code = models.CharField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices, default=Kind.WAREHOUSE)
    country = models.CharField(_("country"), max_length=2, default="CN")
    province = models.CharField(_("province"), max_length=40)
    city = models.CharField(_("city"), max_length=40)
    address = models.CharField(_("address"), max_length=200, blank=True)
    latitude = models.DecimalField(_("latitude"), max_digits=8, decimal_places=5)
    longitude = models.DecimalField(_("longitude"), max_digits=8, decimal_places=5)
    time_zone = models.CharField(_("time zone"), max_length=40, default="Asia/Shanghai")
    contact = models.CharField(_("contact"), max_length=80, blank=True, default="", db_default="")
    phone = models.CharField(_("telephone"), max_length=40, blank=True, default="", db_default="")
    cutoff_at = models.TimeField(_("cut-off time"), default="16:00")
    capacity_per_day = models.PositiveIntegerField(
        _("parcels per day"), null=True, blank=True, help_text=_("Empty means no limit.")
    )
    accepts = models.JSONField(_("goods it accepts"), default=list, blank=True, help_text=_('e.g. ["cold"]'))
    serves_provinces = models.JSONField(_("provinces it serves first"), default=list, blank=True)
    handling_per_parcel = models.DecimalField(
        _("handling per parcel"), max_digits=8, decimal_places=2, default=Decimal("1.20")
    )
    handling_per_line = models.DecimalField(
        _("handling per line"), max_digits=8, decimal_places=2, default=Decimal("0.30")
    )
    energy_source = models.CharField(
        _("energy source"), max_length=8, choices=Energy.choices, default=Energy.GRID
    )
    kwh_per_tonne = models.DecimalField(
        _("kWh per tonne handled"), max_digits=8, decimal_places=3, default=Decimal("18.000")
    )
    tolerance_units = models.PositiveIntegerField(
        _("tolerated difference in units"), default=0, db_default=0,
        help_text=_("Stock reports that differ by no more are booked by themselves; 0: a person decides."),
    )  # fmt: skip
    tolerance_percent = models.DecimalField(
        _("tolerated difference in percent"), max_digits=5, decimal_places=2, default=Decimal(0),
        db_default=Decimal(0), help_text=_("Of what is on hand; the larger of the two counts."),
    )  # fmt: skip
    is_frozen = models.BooleanField(_("frozen"), default=False, help_text=_("No new orders are routed here."))
    is_active = models.BooleanField(_("active"), default=True)
    custom = models.JSONField(_("custom fields"), default=dict, db_default={}, blank=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("warehouse")
        verbose_name_plural = _("warehouses")
        constraints = [models.UniqueConstraint(fields=["merchant", "code"], name="inventory_warehouse_code")]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


class Sku(models.Model):
    """A sellable item with the weights that freight and carbon need."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    code = models.CharField(_("SKU code"), max_length=80)
    name = models.CharField(_("name"), max_length=200)
    name_en = models.CharField(_("English name"), max_length=200, blank=True)
    category = models.CharField(_("category"), max_length=60, blank=True)
    price = models.DecimalField(_("price"), max_digits=12, decimal_places=2, default=Decimal(0))
    currency = models.CharField(_("currency"), max_length=3, default="CNY")
    grams = models.PositiveIntegerField(_("weight in grams"), default=500)
    volume_cm3 = models.PositiveIntegerField(_("volume in cm³"), default=0)
    traits = models.JSONField(
        _("handling needs"), default=list, blank=True, help_text=_('e.g. ["cold", "hazmat"]')
    )
    hs_code = models.CharField(_("HS code"), max_length=13, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    custom = models.JSONField(_("custom fields"), default=dict, db_default={}, blank=True)

    class Meta:
        verbose_name = _("SKU")
        verbose_name_plural = _("SKUs")
        constraints = [models.UniqueConstraint(fields=["merchant", "code"], name="inventory_sku_code")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Stock(models.Model):
    """Units of one SKU in one warehouse; the database itself refuses an oversale."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    warehouse = models.ForeignKey(Warehouse, verbose_name=_("warehouse"), on_delete=models.PROTECT)
    sku = models.ForeignKey(Sku, verbose_name=_("SKU"), on_delete=models.PROTECT)
    on_hand = models.PositiveIntegerField(_("on hand"), default=0)
    reserved = models.PositiveIntegerField(_("reserved"), default=0)
    safety = models.PositiveIntegerField(_("safety stock"), default=0)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)
    is_hot = models.BooleanField(
        _("hot"), default=False, help_text=_("Set by measurement; carts that want it are reserved together.")
    )
    hot_since = models.DateTimeField(_("hot since"), null=True, editable=False)
    takes_per_second = models.PositiveIntegerField(_("reservations per second"), default=0, editable=False)

    class Meta:
        verbose_name = _("stock")
        verbose_name_plural = _("stock")
        indexes = [models.Index(fields=["sku"], name="inventory_stock_hot", condition=Q(is_hot=True))]
        constraints = [
            models.UniqueConstraint(fields=["sku", "warehouse"], name="inventory_stock_once"),
            models.CheckConstraint(condition=Q(reserved__lte=F("on_hand")), name="inventory_never_oversold"),
        ]

    def __str__(self) -> str:
        return f"{self.warehouse_id}/{self.sku_id}: {self.on_hand}"


class Movement(models.Model):
    """One change of a stock row, with what caused it; movements add up to the row."""

    class Kind(models.TextChoices):
        COUNT = "count", _("count")
        RECEIPT = "receipt", _("receipt")
        RESERVE = "reserve", _("reservation")
        FREE = "free", _("reservation freed")
        SHIP = "ship", _("shipped")
        RETURN = "return", _("return")
        SAFETY = "safety", _("safety stock changed")
        ADJUST = "adjust", _("change told by the warehouse")

    stock = models.ForeignKey(
        Stock, verbose_name=_("stock"), on_delete=models.PROTECT, related_name="movements"
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    on_hand_change = models.IntegerField(_("change on hand"), default=0)
    reserved_change = models.IntegerField(_("change reserved"), default=0)
    reference = models.CharField(_("reference"), max_length=80, blank=True)
    actor = models.CharField(_("actor"), max_length=80, blank=True)
    moved_at = models.DateTimeField(_("moved at"))

    class Meta:
        verbose_name = _("stock movement")
        verbose_name_plural = _("stock movements")
        indexes = [
            models.Index(fields=["stock", "id"], name="inventory_movement_stock"),
            # What shipped lately is summed up for every decision, from the index alone.
            models.Index(
                fields=["stock", "moved_at", "on_hand_change"],
                name="inventory_movement_shipped",
                condition=models.Q(kind="ship"),
            ),
            # What else came or left since a report's moment; orders write none of these.
            models.Index(
                fields=["stock", "moved_at", "on_hand_change"],
                name="inventory_movement_moving",
                condition=models.Q(kind__in=["receipt", "return", "adjust"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.on_hand_change:+d}/{self.reserved_change:+d}"


class Reservation(models.Model):
    """Units kept for a cart or an unpaid order until `expires_at`; whoever changes it holds its row lock."""

    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        FREED = "freed", _("freed")
        EXPIRED = "expired", _("expired")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.ACTIVE)
    actor = models.CharField(_("actor"), max_length=80, blank=True)
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"))
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")
        indexes = [
            models.Index(
                fields=["expires_at"], name="inventory_reservation_due", condition=Q(state="active")
            ),
            models.Index(fields=["merchant", "-created_at"], name="inventory_reservation_new"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.state}"

    @property
    def stream(self) -> str:
        """Its stream in the log."""
        return f"reservation:{self.pk}"


class ReservationLine(models.Model):
    """Units of one SKU in one warehouse that a reservation keeps."""

    reservation = models.ForeignKey(
        Reservation, verbose_name=_("reservation"), on_delete=models.CASCADE, related_name="lines"
    )
    sku = models.ForeignKey(Sku, verbose_name=_("SKU"), on_delete=models.PROTECT)
    warehouse = models.ForeignKey(Warehouse, verbose_name=_("warehouse"), on_delete=models.PROTECT)
    quantity = models.PositiveIntegerField(_("quantity"))

    class Meta:
        verbose_name = _("reserved units")
        verbose_name_plural = _("reserved units")

    def __str__(self) -> str:
        return f"{self.sku_id} × {self.quantity}"


class Promisable(models.Model):
    """The read model of what can be promised of a SKU: free units by warehouse, kept by the movements."""

    sku = models.OneToOneField(
        Sku, verbose_name=_("SKU"), on_delete=models.CASCADE, primary_key=True, related_name="promisable"
    )
    #: Warehouse id (as text) to units, rows without any left out.
    units = models.JSONField(_("free units by warehouse"), default=dict)
    as_of = models.DateTimeField(_("as of"), null=True)

    class Meta:
        verbose_name = _("promisable units")
        verbose_name_plural = _("promisable units")

    def __str__(self) -> str:
        return f"{self.sku_id}: {self.units}"


class MovementCursor(models.Model):
    """How far a reader of the movements has come, in the order of (transaction, id)."""

    name = models.CharField(max_length=40, primary_key=True)
    tx = models.BigIntegerField(default=0)
    movement_id = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} @ {self.movement_id}"


class Workshop(models.Model):
    """What a factory makes to order: which SKUs, how many units a day over all of them, and how long it takes."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    warehouse = models.OneToOneField(
        Warehouse, verbose_name=_("factory"), on_delete=models.PROTECT, related_name="workshop"
    )
    skus = models.ManyToManyField(Sku, verbose_name=_("SKUs it makes"), related_name="workshops")
    units_per_day = models.PositiveIntegerField(
        _("units per day"), null=True, blank=True, help_text=_("Over all its SKUs. Empty means no limit.")
    )
    hours = models.DecimalField(
        _("hours to make"), max_digits=6, decimal_places=2, default=Decimal(24),
        validators=[MinValueValidator(Decimal(0))],
        help_text=_("Until the goods can be packed; promises count them."),
    )  # fmt: skip
    is_active = models.BooleanField(_("active"), default=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("make to order")
        verbose_name_plural = _("make to order")
        constraints = [
            models.CheckConstraint(condition=Q(hours__gte=0), name="inventory_workshop_hours"),
        ]

    def __str__(self) -> str:
        return str(self.warehouse)


class CustomsLane(models.Model):
    """Whether parcels from one country may be sent into another; no row: wherever a rate card goes."""

    ANY = "*"

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    from_country = models.CharField(_("from country"), max_length=2, help_text=_('e.g. "CN"'))
    to_country = models.CharField(
        _("to country"), max_length=2, help_text=_('e.g. "DE"; "*" is every other country without a row.')
    )
    is_open = models.BooleanField(_("open for parcels"), default=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("customs lane")
        verbose_name_plural = _("customs lanes")
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "from_country", "to_country"], name="inventory_customs_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_country} → {self.to_country}"


class WarehouseDay(models.Model):
    """Parcels, and units to be made to order, promised to a warehouse for one local day, against its capacity."""

    warehouse = models.ForeignKey(Warehouse, verbose_name=_("warehouse"), on_delete=models.CASCADE)
    date = models.DateField(_("date"))
    parcels = models.PositiveIntegerField(_("parcels"), default=0)
    made = models.PositiveIntegerField(_("units made to order"), default=0, db_default=0)

    class Meta:
        verbose_name = _("warehouse load")
        verbose_name_plural = _("warehouse loads")
        constraints = [models.UniqueConstraint(fields=["warehouse", "date"], name="inventory_day_once")]

    def __str__(self) -> str:
        return f"{self.warehouse_id} {self.date}: {self.parcels}"


class ExpectedReceipt(models.Model):
    """Units of one SKU that are on their way to a warehouse; `arrived_at` is set once they are on the shelf."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.CASCADE)
    warehouse = models.ForeignKey(Warehouse, verbose_name=_("warehouse"), on_delete=models.CASCADE)
    sku = models.ForeignKey(Sku, verbose_name=_("SKU"), on_delete=models.CASCADE)
    units = models.PositiveIntegerField(_("units"))
    expected_at = models.DateTimeField(_("expected at"))
    reference = models.CharField(_("reference"), max_length=80, blank=True)
    arrived_at = models.DateTimeField(_("arrived at"), null=True, blank=True)
    came = models.PositiveIntegerField(
        _("units that came"),
        default=0,
        db_default=0,
        help_text=_("As the warehouse confirmed them, damaged ones too."),
    )

    class Meta:
        verbose_name = _("expected receipt")
        verbose_name_plural = _("expected receipts")
        constraints = [
            models.UniqueConstraint(
                fields=["warehouse", "sku", "expected_at"], name="inventory_expected_once"
            ),
            models.CheckConstraint(condition=Q(units__gt=0), name="inventory_expected_some"),
        ]
        indexes = [
            models.Index(
                fields=["merchant", "expected_at"], name="inventory_expected_open",
                condition=Q(arrived_at__isnull=True),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.warehouse_id}/{self.sku_id}: {self.units} @ {self.expected_at}"
