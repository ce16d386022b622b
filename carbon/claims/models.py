"""The lists of words, merchants' own texts about climate, and every check of a text with what came of it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from orderhub.access.models import Merchant


class Language(models.TextChoices):
    """Languages that texts are checked in."""

    ANY = "*", _("any")
    ZH = "zh", "中文"
    EN = "en", "English"
    DE = "de", "Deutsch"
    FR = "fr", "Français"


class ClaimWord(models.Model):
    """A phrase that a market does not allow, why, and what may be said instead."""

    text = models.CharField(_("phrase"), max_length=120)
    market = models.CharField(
        _("market"), max_length=2, default="*", db_default="*",
        help_text=_("EU, a country's two letters, or * for any."),
    )  # fmt: skip
    language = models.CharField(
        _("language"), max_length=2, choices=Language.choices, default=Language.ANY, db_default=Language.ANY
    )
    why_zh = models.CharField(_("why, in Chinese"), max_length=300)
    why_en = models.CharField(_("why, in English"), max_length=300)
    instead_zh = models.CharField(
        _("instead, in Chinese"), max_length=300, blank=True, default="", db_default=""
    )
    instead_en = models.CharField(
        _("instead, in English"), max_length=300, blank=True, default="", db_default=""
    )
    is_active = models.BooleanField(_("active"), default=True, db_default=True)
    history = HistoricalRecords()

    class Meta:
        app_label = "carbon"
        verbose_name = _("claim word")
        verbose_name_plural = _("claim words")
        constraints = [
            models.UniqueConstraint(fields=["text", "market", "language"], name="carbon_claim_word_once")
        ]

    def __str__(self) -> str:
        return self.text


class ClaimText(models.Model):
    """A merchant's own sentence beside its carbon figures; only what is published is shown."""

    class Place(models.TextChoices):
        TRACKING = "tracking", _("tracking page")
        EMAIL = "email", _("e-mail")
        INVOICE = "invoice", _("invoice")
        PASSPORT = "passport", _("product passport")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    place = models.CharField(_("place"), max_length=8, choices=Place.choices)
    market = models.CharField(
        _("market"), max_length=2, help_text=_("EU, a country's two letters, or * for any.")
    )
    language = models.CharField(_("language"), max_length=2, choices=Language.choices, default=Language.ZH)
    text = models.TextField(
        _("text"), max_length=1000,
        help_text=_("May have {kg}, {low}, {high}, {year}, {share} and {method}, which are filled in."),
    )  # fmt: skip
    override_reason = models.CharField(
        _("reason to publish all the same"), max_length=300, blank=True, default="", db_default=""
    )
    published_text = models.TextField(blank=True, default="", db_default="", editable=False)
    published_at = models.DateTimeField(_("published at"), null=True, blank=True, editable=False)
    published_by = models.CharField(max_length=80, blank=True, default="", db_default="", editable=False)
    history = HistoricalRecords()

    class Meta:
        app_label = "carbon"
        verbose_name = _("climate text")
        verbose_name_plural = _("climate texts")
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "place", "market", "language"], name="carbon_claim_text_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_place_display()} · {self.market} · {self.language}"


class ClaimCheck(models.Model):
    """One check of a text: where it stands, what was found, and whether it passed, warned, was blocked or overridden."""

    class Verdict(models.TextChoices):
        PASSED = "passed", _("passed")
        WARNED = "warned", _("warned")
        BLOCKED = "blocked", _("blocked")
        OVERRIDDEN = "overridden", _("published all the same")

    merchant = models.ForeignKey(
        Merchant,
        verbose_name=_("merchant"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    place = models.CharField(_("place"), max_length=120)
    market = models.CharField(_("market"), max_length=2)
    language = models.CharField(_("language"), max_length=8)
    text = models.TextField(_("text"))
    verdict = models.CharField(_("outcome"), max_length=10, choices=Verdict.choices)
    findings = models.JSONField(_("findings"), default=list)
    reason = models.CharField(_("reason"), max_length=300, blank=True, default="", db_default="")
    checked_by = models.CharField(_("checked by"), max_length=80)
    checked_at = models.DateTimeField(_("checked at"))

    class Meta:
        app_label = "carbon"
        verbose_name = _("claim check")
        verbose_name_plural = _("claim checks")
        indexes = [models.Index(fields=["-checked_at"], name="carbon_claim_check_newest")]
        permissions = [("override_claimcheck", "Can publish a text that the claim check blocks")]

    def __str__(self) -> str:
        return f"{self.place}: {self.verdict}"
