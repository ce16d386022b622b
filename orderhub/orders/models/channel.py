"""Where an order was sold."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant


class Channel(models.Model):
    """A shop or marketplace of one merchant (渠道 / 店铺)."""

    class RiskMode(models.TextChoices):
        OFF = "off", _("off")
        SHADOW = "shadow", _("shadow: counted, without effect")
        LIVE = "live", _("live")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    code = models.CharField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True)
    kind = models.CharField(_("kind"), max_length=40, default="api")
    time_zone = models.CharField(_("time zone"), max_length=40, default="Asia/Shanghai")
    merge_window_seconds = models.PositiveIntegerField(
        _("merge window in seconds"),
        default=0,
        help_text=_("How long new orders wait so that edits land first."),
    )
    risk_mode = models.CharField(
        _("risk check"), max_length=6, choices=RiskMode.choices, default=RiskMode.OFF, db_default=RiskMode.OFF
    )
    ships_from = models.CharField(
        _("ships from country"), max_length=2, default="CN", db_default="CN",
        help_text=_("Orders to any other country go through the cross-border checks."),
    )  # fmt: skip
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        constraints = [models.UniqueConstraint(fields=["merchant", "code"], name="orders_channel_code")]

    def __str__(self) -> str:
        return self.name
