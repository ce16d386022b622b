"""How a factor is chosen among editions, and which rows of one edition are called otherwise in the next."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class FactorAlias(models.Model):
    """A row that a publisher renamed: `old_key` in the editions before, `new_key` from then on."""

    old_key = models.CharField(
        _("key before"), max_length=200, help_text=_("The part of the factor's id after the first slash.")
    )
    new_key = models.CharField(_("key after"), max_length=200)
    note = models.CharField(_("note"), max_length=200, blank=True, default="", db_default="")

    class Meta:
        app_label = "carbon"
        verbose_name = _("renamed factor")
        verbose_name_plural = _("renamed factors")
        constraints = [models.UniqueConstraint(fields=["old_key", "new_key"], name="carbon_alias_once")]

    def __str__(self) -> str:
        return f"{self.old_key} → {self.new_key}"


class ResolverPolicy(models.Model):
    """One version of the order in which candidates are preferred; the newest version counts, none is ever changed."""

    class Criterion(models.TextChoices):
        VALID = "valid", _("valid on the day")
        PUBLISHER = "publisher", _("preferred publisher")
        REGION = "region", _("preferred region")
        YEAR = "year", _("newest edition")

    first = models.CharField(_("first"), max_length=10, choices=Criterion.choices, default=Criterion.VALID)
    second = models.CharField(
        _("second"), max_length=10, choices=Criterion.choices, default=Criterion.PUBLISHER
    )
    third = models.CharField(_("third"), max_length=10, choices=Criterion.choices, default=Criterion.REGION)
    fourth = models.CharField(_("fourth"), max_length=10, choices=Criterion.choices, default=Criterion.YEAR)
    publishers = models.JSONField(
        _("preferred publishers"), default=list, blank=True, help_text=_("In this order.")
    )
    regions = models.JSONField(
        _("preferred regions"), default=list, blank=True, help_text=_("In this order.")
    )
    takes_expired = models.BooleanField(
        _("takes expired factors"),
        default=True,
        help_text=_("With the flag TEMPORAL_GAP, where none is valid."),
    )
    made_by = models.CharField(_("made by"), max_length=80, blank=True, default="", db_default="")
    made_at = models.DateTimeField(_("made at"), auto_now_add=True)

    class Meta:
        app_label = "carbon"
        verbose_name = _("choice of factors")
        verbose_name_plural = _("choices of factors")

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def order(self) -> tuple[str, ...]:
        """The criteria, the most important first."""
        return (self.first, self.second, self.third, self.fourth)


class FactorChoice(models.Model):
    """What was in force at a time: for each default the ranked candidates and why; calculations name it by its digest."""

    digest = models.CharField(_("digest"), max_length=64, unique=True)
    document = models.JSONField(_("candidates"))
    made_at = models.DateTimeField(_("made at"), auto_now_add=True)

    class Meta:
        app_label = "carbon"
        verbose_name = _("chosen factors")
        verbose_name_plural = _("chosen factors")

    def __str__(self) -> str:
        return self.digest[:12]
