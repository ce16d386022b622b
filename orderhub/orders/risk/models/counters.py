"""What is counted: keyed hashes of phones, devices, addresses and accounts; no clear value of any person."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.orders.models import Channel, Order


class Key(models.Model):
    """Something orders share, as a keyed hash. Its row is what two orders at once wait for, one after the other."""

    class Kind(models.TextChoices):
        ACCOUNT = "account", _("account")
        PHONE = "phone", _("phone")
        DEVICE = "device", _("device")
        ADDRESS = "address", _("address")
        IP = "ip", _("IP address")

    class Listed(models.TextChoices):
        NO = "", _("not listed")
        BLOCK = "block", _("block list")
        TRUST = "trust", _("trust list")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.CASCADE)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    digest = models.CharField(_("fingerprint"), max_length=32)
    hint = models.CharField(
        _("hint"), max_length=20, blank=True, help_text=_("A few signs, never the whole.")
    )
    listed = models.CharField(_("list"), max_length=5, choices=Listed.choices, blank=True, default="")
    listed_reason = models.CharField(_("reason"), max_length=200, blank=True, default="")
    listed_by = models.CharField(_("by"), max_length=80, blank=True, default="")
    listed_at = models.DateTimeField(_("since"), null=True)
    last_at = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("shared key")
        verbose_name_plural = _("shared keys")
        constraints = [models.UniqueConstraint(fields=["merchant", "kind", "digest"], name="risk_key_once")]
        indexes = [
            models.Index(fields=["merchant", "listed"], name="risk_key_listed", condition=~Q(listed="")),
            models.Index(fields=["last_at"], name="risk_key_last"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.hint or self.digest[:8]}"


class Tally(models.Model):
    """How often something happened to a key within one hour."""

    key = models.ForeignKey(Key, on_delete=models.CASCADE, db_index=False)
    what = models.CharField(max_length=14)
    hour = models.DateTimeField()
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "what", "hour"], name="risk_tally_once")]

    def __str__(self) -> str:
        return f"{self.key_id} {self.what} {self.hour:%Y-%m-%d %H}: {self.count}"


class Link(models.Model):
    """That a key was seen together with something: an account with a phone, a device with an account."""

    key = models.ForeignKey(Key, on_delete=models.CASCADE, db_index=False)
    what = models.CharField(max_length=8)
    member = models.CharField(max_length=32)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "what", "member"], name="risk_link_once")]

    def __str__(self) -> str:
        return f"{self.key_id} {self.what} {self.member}"


class OrderKey(models.Model):
    """That an order has been counted for a key, once."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, db_index=False, related_name="risk_keys")
    key = models.ForeignKey(Key, on_delete=models.CASCADE, related_name="orders")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "key"], name="risk_order_key_once")]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.key_id}"


class Observed(models.Model):
    """That an event told by a shop has been counted, so that telling it again counts nothing."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, db_index=False)
    digest = models.CharField(max_length=32)
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["merchant", "digest"], name="risk_observed_once")]

    def __str__(self) -> str:
        return self.digest


class Baseline(models.Model):
    """What orders of a shop usually come to, worked out anew every few hours."""

    channel = models.OneToOneField(Channel, on_delete=models.CASCADE)
    p90 = models.DecimalField(max_digits=14, decimal_places=2)
    p95 = models.DecimalField(max_digits=14, decimal_places=2)
    orders = models.PositiveIntegerField()
    computed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.channel_id}: {self.p95}"
