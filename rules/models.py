"""What operators write: rule sets with immutable published versions, and the flow an order walks through."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords


class RuleSet(models.Model):
    """A named set of rules for one purpose; `scope` is empty for all merchants or `merchant:<id>`."""

    class Purpose(models.TextChoices):
        SCREEN = "screen", _("screening: hold or let pass")
        PRICE = "price", _("promotions")

    code = models.SlugField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True)
    purpose = models.CharField(_("purpose"), max_length=12, choices=Purpose.choices)
    scope = models.CharField(_("scope"), max_length=40, blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("rule set")
        verbose_name_plural = _("rule sets")
        constraints = [models.UniqueConstraint(fields=["scope", "code"], name="rules_ruleset_code")]

    def __str__(self) -> str:
        return self.name


class Rule(models.Model):
    """One rule of the draft: a condition tree and the actions it fires; published together with its set."""

    ruleset = models.ForeignKey(
        RuleSet, verbose_name=_("rule set"), on_delete=models.CASCADE, related_name="rules"
    )
    code = models.SlugField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=120)
    name_en = models.CharField(_("English name"), max_length=120, blank=True)
    priority = models.IntegerField(_("priority"), default=100, help_text=_("Smaller numbers come first."))
    condition = models.JSONField(_("condition"), default=dict)
    actions = models.JSONField(_("actions"), default=list)
    group = models.CharField(_("exclusive group"), max_length=40, blank=True)
    stops = models.BooleanField(_("stops later rules"), default=False)
    valid_from = models.DateTimeField(_("valid from"), null=True, blank=True)
    valid_to = models.DateTimeField(_("valid to"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        constraints = [models.UniqueConstraint(fields=["ruleset", "code"], name="rules_rule_code")]

    def __str__(self) -> str:
        return self.name


class RuleVersion(models.Model):
    """What was published: an immutable copy of a set's rules. The newest one whose time has come is in force."""

    ruleset = models.ForeignKey(
        RuleSet, verbose_name=_("rule set"), on_delete=models.PROTECT, related_name="versions"
    )
    number = models.PositiveIntegerField(_("version"))
    content = models.JSONField(_("rules"))
    published_at = models.DateTimeField(_("published at"))
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("published by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )
    note = models.CharField(_("note"), max_length=200, blank=True)
    effective_at = models.DateTimeField(
        _("in force from"), null=True, blank=True, help_text=_("Empty means from when it was published.")
    )
    withdrawn_at = models.DateTimeField(
        _("withdrawn at"), null=True, blank=True, help_text=_("Taken back before it came into force.")
    )
    # What `content` says, so that processes that have it compiled need not read it again.
    digest = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)

    class Meta:
        verbose_name = _("rule version")
        verbose_name_plural = _("rule versions")
        constraints = [models.UniqueConstraint(fields=["ruleset", "number"], name="rules_version_number")]

    def __str__(self) -> str:
        return f"{self.ruleset_id} v{self.number}"


class Flow(models.Model):
    """The way orders walk, for one merchant (`scope` is `merchant:<id>`) or, with an empty scope, for all that have none
    of their own: a flat list of steps, or a drawn draft whose published versions count. Without any, the built-in
    journey counts.
    """

    code = models.SlugField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True, default="", db_default="")
    scope = models.CharField(_("scope"), max_length=40, blank=True)
    steps = models.JSONField(_("steps"), default=list, blank=True)
    draft = models.JSONField(_("drawing"), default=dict, db_default={}, blank=True)
    # Counts every save of the drawing, so that of two people who draw at once the later one is told.
    revision = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("flow")
        verbose_name_plural = _("flows")
        constraints = [models.UniqueConstraint(fields=["scope", "code"], name="rules_flow_code")]

    def __str__(self) -> str:
        return self.name


class FlowVersion(models.Model):
    """A drawing as it was published; never changed. Orders that began with it finish with it."""

    flow = models.ForeignKey(Flow, verbose_name=_("flow"), on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    content = models.JSONField(_("drawing"))
    digest = models.CharField(max_length=64, editable=False)
    published_at = models.DateTimeField(_("published at"))
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("published by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )
    note = models.CharField(_("note"), max_length=200, blank=True)
    effective_at = models.DateTimeField(
        _("in force from"), null=True, blank=True, help_text=_("Empty means from when it was published.")
    )
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True)

    class Meta:
        verbose_name = _("flow version")
        verbose_name_plural = _("flow versions")
        constraints = [models.UniqueConstraint(fields=["flow", "number"], name="rules_flowversion_number")]

    def __str__(self) -> str:
        return f"{self.flow_id} v{self.number}"
