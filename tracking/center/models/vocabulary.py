"""Milestones and their sentences as rows: what a merchant adds, words, hides; the product's own stand in its data."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.fulfillment.models import Parcel


class MilestoneKind(models.Model):
    """One step of an order's life; without a merchant it is everybody's."""

    class Group(models.TextChoices):
        ORDER = "order", _("order")
        PRODUCTION = "production", _("production")
        WAREHOUSE = "warehouse", _("warehouse")
        TRANSPORT = "transport", _("transport")
        CUSTOMS = "customs", _("customs")
        DELIVERY = "delivery", _("delivery")
        EXCEPTION = "exception", _("trouble")
        RETURN = "return", _("return")

    class Public(models.TextChoices):
        YES = "yes", _("every customer")
        MASKED = "masked", _("every customer, without the reason")
        BY_SETTING = "by_setting", _("where the merchant shows warehouses")
        BY_BOARD = "by_board", _("only on boards opened for the customer")
        INTERNAL = "internal", _("staff only")

    merchant = models.ForeignKey(
        Merchant, verbose_name=_("merchant"), null=True, blank=True, on_delete=models.PROTECT,
        help_text=_("Empty: for every merchant."),
    )  # fmt: skip
    code = models.CharField(
        _("code"), max_length=40,
        validators=[RegexValidator(r"^[A-Z][A-Z0-9_]*$", _("Capital letters, digits and underscores."))],
    )  # fmt: skip
    group = models.CharField(_("group"), max_length=12, choices=Group.choices)
    zh = models.CharField(_("sentence in Chinese"), max_length=200)
    en = models.CharField(_("sentence in English"), max_length=200)
    public = models.CharField(
        _("who sees it"),
        max_length=10,
        choices=Public.choices,
        default=Public.YES,
        db_default=Public.YES.value,
    )
    is_terminal = models.BooleanField(_("ends the journey"), default=False, db_default=False)
    position = models.PositiveIntegerField(_("place in the order of things"), default=1000, db_default=1000)
    status = models.CharField(
        _("parcel's status"), max_length=20, choices=Parcel.Status.choices, blank=True, default="", db_default="",
        help_text=_("What the parcel's status becomes when a carrier tells it; empty leaves it."),
    )  # fmt: skip
    is_hidden = models.BooleanField(
        _("hidden"), default=False, db_default=False, help_text=_("Nobody but staff sees it.")
    )
    is_shipped = models.BooleanField(
        _("comes with OrderHub"), default=False, db_default=False, editable=False
    )
    is_changed = models.BooleanField(default=False, db_default=False, editable=False)

    class Meta:
        verbose_name = _("milestone")
        verbose_name_plural = _("milestones")
        ordering = ("position", "code")
        constraints = [
            models.UniqueConstraint(fields=["merchant", "code"], name="center_milestone_code"),
            models.UniqueConstraint(
                fields=["code"], condition=models.Q(merchant__isnull=True), name="center_milestone_shared"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Sentence(models.Model):
    """One version of what an audience reads for a milestone; the newest in force counts, older ones stay."""

    class Audience(models.TextChoices):
        CUSTOMER = "customer", _("customer")
        MERCHANT = "merchant", _("merchant")
        OPERATOR = "operator", _("operator")
        B2B = "b2b", _("business partner")

    merchant = models.ForeignKey(
        Merchant, verbose_name=_("merchant"), null=True, blank=True, on_delete=models.PROTECT,
        help_text=_("Empty: for every merchant."),
    )  # fmt: skip
    milestone = models.CharField(_("milestone"), max_length=40)
    audience = models.CharField(_("audience"), max_length=10, choices=Audience.choices)
    number = models.PositiveIntegerField(_("version"))
    zh = models.CharField(_("sentence in Chinese"), max_length=200)
    en = models.CharField(_("sentence in English"), max_length=200)
    is_in_force = models.BooleanField(_("in force"), default=True, db_default=True)
    note = models.CharField(_("note"), max_length=200, blank=True, default="", db_default="")
    created_by = models.CharField(_("by"), max_length=80, blank=True, default="", db_default="")
    created_at = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("sentence")
        verbose_name_plural = _("sentences")
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "milestone", "audience", "number"], name="center_sentence_number"
            ),
            models.UniqueConstraint(
                fields=["milestone", "audience", "number"], condition=models.Q(merchant__isnull=True),
                name="center_sentence_shared",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.milestone} {self.audience} v{self.number}"
