"""What a merchant's operators decide about risk: a draft of limits and signals, and the versions published of it."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from orderhub.access.models import Merchant

_POINTS = [MinValueValidator(1), MaxValueValidator(100)]


class RiskPolicy(models.Model):
    """The draft of one merchant's policy; what counts is the newest published version."""

    class OnFault(models.TextChoices):
        HOLD = "hold", _("hold from an amount on")
        PASS = "pass", _("let pass")

    class OnTimeout(models.TextChoices):
        KEEP = "keep", _("keep it held and tell somebody")
        RELEASE = "release", _("release it")

    merchant = models.OneToOneField(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    review_from = models.PositiveSmallIntegerField(_("review from"), default=40, validators=_POINTS)
    hold_from = models.PositiveSmallIntegerField(_("hold from"), default=70, validators=_POINTS)
    group_cap = models.PositiveSmallIntegerField(
        _("most points of one group"), default=45, validators=_POINTS,
        help_text=_("So that one story told by several signals does not hold an order by itself."),
    )  # fmt: skip
    review_minutes = models.PositiveIntegerField(_("minutes for a review"), default=120)
    on_timeout = models.CharField(
        _("review not done in time"), max_length=8, choices=OnTimeout.choices, default=OnTimeout.KEEP
    )
    on_fault = models.CharField(
        _("order cannot be scored"), max_length=8, choices=OnFault.choices, default=OnFault.HOLD
    )
    fault_amount = models.DecimalField(
        _("hold unscored orders from"), max_digits=14, decimal_places=2, default=Decimal(0)
    )
    four_eyes_from = models.DecimalField(
        _("two people release from"), max_digits=14, decimal_places=2, null=True, blank=True,
        help_text=_("Empty: one person is enough."),
    )  # fmt: skip
    holdout_percent = models.DecimalField(
        _("share let through to learn, in percent"), max_digits=4, decimal_places=2, default=Decimal(0),
        validators=[MinValueValidator(0), MaxValueValidator(10)],
        help_text=_("Of orders in the review band, at random; 0 is off."),
    )  # fmt: skip
    holdout_below = models.DecimalField(
        _("only orders below"), max_digits=14, decimal_places=2, default=Decimal(200)
    )
    label_days = models.PositiveSmallIntegerField(
        _("days until the truth is known"), default=30, help_text=_("Reports look at older orders only.")
    )
    promoted_skus = models.JSONField(_("promoted SKUs"), default=list, blank=True)
    forwarder_words = models.JSONField(_("words of forwarders' addresses"), default=list, blank=True)
    disposable_domains = models.JSONField(_("throw-away mail domains"), default=list, blank=True)
    safe_flags = models.JSONField(_("channel flags that mean no risk"), default=list, blank=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("risk policy")
        verbose_name_plural = _("risk policies")

    def __str__(self) -> str:
        return str(self.merchant)


class RiskSignal(models.Model):
    """One signal of the draft: when it fires, how many points it adds and what it says."""

    class Mode(models.TextChoices):
        OFF = "off", _("off")
        SHADOW = "shadow", _("shadow: counted, without effect")
        LIVE = "live", _("live")

    policy = models.ForeignKey(
        RiskPolicy, verbose_name=_("risk policy"), on_delete=models.CASCADE, related_name="signals"
    )
    code = models.CharField(_("code"), max_length=40)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    group = models.CharField(_("group"), max_length=12)
    window_hours = models.PositiveSmallIntegerField(
        _("window in hours"), default=0, help_text=_("0 for facts of the order itself.")
    )
    condition = models.JSONField(_("condition"))
    points = models.SmallIntegerField(_("points"), default=0)
    holds = models.BooleanField(_("holds at once"), default=False)
    mode = models.CharField(_("mode"), max_length=6, choices=Mode.choices, default=Mode.SHADOW)
    mode_since = models.DateTimeField(_("in this mode since"), null=True, editable=False)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True)
    says = models.CharField(_("sentence"), max_length=160, blank=True)
    says_en = models.CharField(_("English sentence"), max_length=160, blank=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("risk signal")
        verbose_name_plural = _("risk signals")
        constraints = [models.UniqueConstraint(fields=["policy", "code"], name="risk_signal_code")]

    def __str__(self) -> str:
        return self.name


class RiskPolicyVersion(models.Model):
    """What was published: an immutable copy; the newest one is in force."""

    policy = models.ForeignKey(
        RiskPolicy, verbose_name=_("risk policy"), on_delete=models.PROTECT, related_name="versions"
    )
    number = models.PositiveIntegerField(_("version"))
    content = models.JSONField(_("content"))
    published_at = models.DateTimeField(_("published at"))
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("published by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("version of a risk policy")
        verbose_name_plural = _("versions of risk policies")
        constraints = [models.UniqueConstraint(fields=["policy", "number"], name="risk_version_number")]

    def __str__(self) -> str:
        return f"{self.policy_id} v{self.number}"
