"""What channels may show: the merchants' rules, what was sent to each channel, and how long channels take."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from orderhub.access.models import Merchant
from orderhub.inventory.models import Sku, Warehouse
from orderhub.orders.models import Channel


class StockRule(models.Model):
    """How much of the stock channels may show; the first rule that fits a SKU on a channel counts.

    First is the smallest priority, then the rule that says more (SKU before category, a channel before all), then the
    newer one. A channel that no rule fits is told nothing.
    """

    class Buffer(models.TextChoices):
        AUTO = "auto", _("automatic: measured sales × measured lag")
        FIXED = "fixed", _("fixed number of units")
        STRICT = "strict", _("strict: whatever could have been sold")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    channel = models.ForeignKey(
        Channel, verbose_name=_("channel"), null=True, blank=True, on_delete=models.PROTECT,
        help_text=_("Empty means every channel."),
    )  # fmt: skip
    category = models.CharField(
        _("category"), max_length=60, blank=True, help_text=_("Empty means every category.")
    )
    sku = models.ForeignKey(
        Sku, verbose_name=_("SKU"), null=True, blank=True, on_delete=models.PROTECT,
        help_text=_("Empty means every SKU."),
    )  # fmt: skip
    priority = models.PositiveSmallIntegerField(
        _("priority"), default=100, help_text=_("The smallest number that fits counts.")
    )
    share_percent = models.PositiveSmallIntegerField(
        _("share in percent"), default=100, validators=[MaxValueValidator(100)],
        help_text=_("Of what is there. If all shares come to more than 100, the units are split by shares."),
    )  # fmt: skip
    safety_units = models.PositiveIntegerField(
        _("safety units"), default=0, help_text=_("Kept back, beside the safety stock of the warehouses.")
    )
    threshold = models.PositiveIntegerField(
        _("show 0 below"), default=0, help_text=_("Fewer units than these are shown as sold out.")
    )
    cap = models.PositiveIntegerField(
        _("show at most"), null=True, blank=True, help_text=_("Empty means no limit.")
    )
    presale_units = models.PositiveIntegerField(
        _("presale units"),
        default=0,
        help_text=_("Sold ahead of their arrival; what is on hand is taken off."),
    )
    presale_until = models.DateTimeField(_("presale until"), null=True, blank=True)
    warehouses = models.ManyToManyField(
        Warehouse, verbose_name=_("warehouses"), blank=True, help_text=_("Empty means every warehouse.")
    )
    buffer = models.CharField(_("buffer"), max_length=6, choices=Buffer.choices, default=Buffer.AUTO)
    buffer_units = models.PositiveIntegerField(
        _("buffer units"), default=0, help_text=_("For a fixed buffer.")
    )
    is_active = models.BooleanField(_("active"), default=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    history = HistoricalRecords(m2m_fields=[warehouses])

    class Meta:
        verbose_name = _("stock rule")
        verbose_name_plural = _("stock rules")
        constraints = [
            models.CheckConstraint(condition=Q(share_percent__lte=100), name="connectors_rule_share"),
            models.CheckConstraint(condition=Q(sku__isnull=True) | Q(category=""), name="connectors_rule_scope"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.note or f"#{self.pk}"


class Published(models.Model):
    """What a channel was last told of a SKU, what it has confirmed, and what may still be sold under it."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    channel = models.ForeignKey(Channel, verbose_name=_("channel"), on_delete=models.PROTECT)
    sku = models.ForeignKey(Sku, verbose_name=_("SKU"), on_delete=models.PROTECT)
    quantity = models.PositiveIntegerField(_("published"))
    version = models.PositiveIntegerField(_("version"), default=1)
    first_at = models.DateTimeField(_("first sent at"))
    sent_at = models.DateTimeField(_("sent at"))
    acknowledged_quantity = models.PositiveIntegerField(_("confirmed"), null=True)
    acknowledged_version = models.PositiveIntegerField(_("confirmed version"), default=0)
    acknowledged_at = models.DateTimeField(_("confirmed at"), null=True)
    lag_seconds = models.FloatField(_("lag in seconds"), null=True)
    # What `orderhub.inventory.atp` keeps with a sent quantity.
    before = models.PositiveIntegerField(default=0, editable=False)
    carried = models.PositiveIntegerField(default=0, editable=False)
    #: From then on every sale before the confirmation is known, and the SKU is worth another look.
    settles_at = models.DateTimeField(null=True, editable=False)
    held_back = models.PositiveIntegerField(_("held back"), default=0)
    #: [[code, units], …]: why it is so many; they add up to the quantity that was computed last.
    steps = models.JSONField(_("why"), default=list)
    computed_at = models.DateTimeField(_("computed at"))

    class Meta:
        verbose_name = _("published quantity")
        verbose_name_plural = _("published quantities")
        constraints = [models.UniqueConstraint(fields=["sku", "channel"], name="connectors_published_once")]
        indexes = [
            models.Index(
                fields=["settles_at"], name="connectors_published_settles", condition=Q(settles_at__isnull=False)
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.channel_id}/{self.sku_id}: {self.quantity}"

    @property
    def held_back_worth(self) -> Decimal:
        """Price of the units that only the buffer keeps from being shown; the SKU must be loaded."""
        return self.sku.price * self.held_back


class ChannelPace(models.Model):
    """How long a channel takes, measured: to take a quantity, and to tell us of a sale."""

    channel = models.OneToOneField(
        Channel, verbose_name=_("channel"), on_delete=models.CASCADE, primary_key=True, related_name="pace"
    )
    reply_seconds = models.FloatField(_("seconds to confirm"), null=True)
    order_seconds = models.FloatField(_("seconds until orders are known"), null=True)
    order_worst_seconds = models.FloatField(_("longest of late"), null=True)
    updated_at = models.DateTimeField(_("updated at"))

    class Meta:
        verbose_name = _("pace of a channel")
        verbose_name_plural = _("pace of channels")

    def __str__(self) -> str:
        return str(self.channel_id)


class OfferChange(models.Model):
    """A SKU whose quantities have to be computed again, once, however often it changed."""

    sku = models.OneToOneField(Sku, on_delete=models.CASCADE, primary_key=True, related_name="offer_change")
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE)
    since = models.DateTimeField()
    touched_at = models.DateTimeField()
    #: Every channel is told again, to heal what drifted apart.
    is_heal = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["since"], name="connectors_change_since")]

    def __str__(self) -> str:
        return str(self.sku_id)
