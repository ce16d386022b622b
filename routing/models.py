"""Strategies operators tune, their immutable versions, and every decision made with them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from orderhub.access.models import Merchant
from orderhub.orders.models import Channel, Order


def _rate(label: object, default: str, **options: Any) -> models.DecimalField:  # type: ignore[type-arg]
    return models.DecimalField(
        label,  # type: ignore[arg-type]
        max_digits=9,
        decimal_places=4,
        default=Decimal(default),
        **options,
    )


def _named(zh: str, en: str) -> str:
    """The name in the reader's language, where it has one."""
    return en if en and (get_language() or "").startswith("en") else zh


class Strategy(models.Model):
    """A named set of exchange rates in yuan; its figures are those of the newest version, in force.

    Figures an operator is still trying stand in the `StrategyDraft`.
    """

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    code = models.SlugField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_default = models.BooleanField(_("default of the merchant"), default=False)
    channels = models.ManyToManyField(
        Channel, verbose_name=_("channels"), blank=True, help_text=_("Orders of these channels use it.")
    )
    for_green = models.BooleanField(_("for green delivery orders"), default=False)
    yuan_per_hour = _rate(_("¥ per hour"), "0.08")
    yuan_per_hour_remote = _rate(_("¥ per hour in remote regions"), "0.50")
    yuan_per_kgco2e = _rate(_("¥ per kg CO2e"), "0.50")
    stock_price_factor = _rate(_("× stock price"), "1")
    yuan_per_extra_parcel = _rate(_("¥ per extra parcel"), "2")
    forward_bonus = _rate(_("¥ bonus per parcel from a forward warehouse"), "0")
    max_parcels = models.PositiveSmallIntegerField(_("at most parcels"), null=True, blank=True)
    capacity_price_factor = _rate(_("× capacity price"), "1", db_default=Decimal(1))
    allow_partial = models.BooleanField(_("ship what is there"), default=True, db_default=True)
    # Ordered criteria, separated by commas; empty: everything is weighed in yuan.
    sequence = models.CharField(_("order of the criteria"), max_length=120, blank=True, db_default="")
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("strategy")
        verbose_name_plural = _("strategies")
        constraints = [
            models.UniqueConstraint(fields=["merchant", "code"], name="routing_strategy_code"),
            models.UniqueConstraint(
                fields=["merchant"], condition=models.Q(is_default=True), name="routing_strategy_one_default"
            ),
        ]

    def __str__(self) -> str:
        return _named(self.name, self.name_en)


class StrategyVersion(models.Model):
    """The figures of a strategy at one moment, never changed; decisions point here and can be replayed."""

    class Origin(models.TextChoices):
        """How a version came to be; empty for those before drafts existed."""

        PRESET = "preset", _("ready-made")
        PUBLISHED = "published", _("published")
        ROLLED_BACK = "rolled_back", _("rolled back")

    strategy = models.ForeignKey(
        Strategy, verbose_name=_("strategy"), on_delete=models.PROTECT, related_name="versions"
    )
    number = models.PositiveIntegerField(_("version"))
    values = models.JSONField(_("figures"))
    created_at = models.DateTimeField(_("created at"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("created by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )
    origin = models.CharField(
        _("origin"), max_length=12, choices=Origin.choices, blank=True, db_default="", default=""
    )
    restored_number = models.PositiveIntegerField(_("figures of version"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True, db_default="", default="")
    # What the replay said that stood beside it when it was published.
    replay = models.JSONField(_("what-if"), null=True, blank=True)
    is_unreplayed = models.BooleanField(
        _("published without what-if, knowingly"), default=False, db_default=False
    )

    class Meta:
        verbose_name = _("strategy version")
        verbose_name_plural = _("strategy versions")
        constraints = [models.UniqueConstraint(fields=["strategy", "number"], name="routing_version_number")]

    def __str__(self) -> str:
        return f"{self.strategy_id} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write a new version; an older one is never written again (raises ValueError)."""
        if not self._state.adding:
            raise ValueError("a version of a strategy never changes")
        super().save(*args, **kwargs)


class StrategyDraft(models.Model):
    """Figures being tried, apart from the version in force; every saving counts its revision up."""

    strategy = models.OneToOneField(
        Strategy, verbose_name=_("strategy"), on_delete=models.CASCADE, related_name="draft"
    )
    values = models.JSONField(_("figures"))
    base_number = models.PositiveIntegerField(_("based on version"), default=0)
    revision = models.PositiveIntegerField(_("revision"), default=1)
    updated_at = models.DateTimeField(_("updated at"))
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("updated by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )

    class Meta:
        verbose_name = _("strategy draft")
        verbose_name_plural = _("strategy drafts")

    def __str__(self) -> str:
        return f"{self.strategy_id} draft {self.revision}"


class StrategyRule(models.Model):
    """Which orders get which strategy: the first active rule by priority whose conditions all hold."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True)
    priority = models.PositiveSmallIntegerField(
        _("priority"), default=100, help_text=_("Small numbers are asked first.")
    )
    strategy = models.ForeignKey(
        Strategy, verbose_name=_("strategy"), on_delete=models.PROTECT, related_name="rules"
    )
    conditions = models.JSONField(_("conditions"), default=dict, blank=True)
    valid_from = models.DateTimeField(_("valid from"), null=True, blank=True)
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("strategy rule")
        verbose_name_plural = _("strategy rules")
        ordering = ("priority", "pk")

    def __str__(self) -> str:
        return _named(self.name, self.name_en)


_OUTCOMES = {"routed": _("routed"), "partial": _("partly sent"), "unroutable": _("without a warehouse")}


class Decision(models.Model):
    """Why an order ships from where it ships: every candidate, what removed it, winner and runner-up in ¥."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    order = models.ForeignKey(
        Order, verbose_name=_("order"), on_delete=models.CASCADE, related_name="decisions"
    )
    strategy = models.ForeignKey(StrategyVersion, verbose_name=_("strategy"), on_delete=models.PROTECT)
    status = models.CharField(_("outcome"), max_length=12)
    method = models.CharField(_("method"), max_length=12)
    total = models.DecimalField(_("cost in ¥"), max_digits=14, decimal_places=4, null=True)
    plan = models.JSONField(_("plan"), null=True)
    alternatives = models.JSONField(_("alternatives"), default=list)
    removed = models.JSONField(_("removed"), default=list)
    shortages = models.JSONField(_("shortages"), default=list)
    # What it was made from, as `routing.inputs` writes it; None for decisions older than that.
    inputs = models.TextField(_("inputs"), null=True, editable=False)
    # Something else than missing stock keeps units from going: it is tried again when that may have changed.
    is_mendable = models.BooleanField(
        _("waits for something to be put right"), default=False, db_default=False
    )
    elapsed_ms = models.DecimalField(_("milliseconds"), max_digits=9, decimal_places=3)
    decided_at = models.DateTimeField(_("decided at"))
    superseded_at = models.DateTimeField(_("superseded at"), null=True, blank=True)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        constraints = [
            models.UniqueConstraint(
                fields=["order"],
                condition=models.Q(superseded_at__isnull=True),
                name="routing_decision_current",
            )
        ]
        indexes = [
            models.Index(fields=["decided_at"], name="routing_decision_decided"),
            models.Index(
                fields=["order"],
                name="routing_decision_unroutable",
                condition=models.Q(superseded_at__isnull=True, status="unroutable"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {_OUTCOMES.get(self.status, self.status)}"


from routing.pricing import models as pricing_models  # noqa: E402, F401  (so that Django finds them)
from routing.reports import models as reports_models  # noqa: E402, F401
from routing.returns import models as returns_models  # noqa: E402, F401
from routing.twin import models as twin_models  # noqa: E402, F401
from routing.waves import models as waves_models  # noqa: E402, F401  (likewise)
