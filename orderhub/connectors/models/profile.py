"""Profiles: all that is particular about another system, as data; a version that is in force never changes."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant


class Profile(models.Model):
    """A sort of system (Shopify, a Qimen warehouse …) that connections speak with; without a merchant it is everybody's."""

    class Role(models.TextChoices):
        CHANNEL = "channel", _("sales channel")
        WAREHOUSE = "warehouse", _("warehouse system")
        ERP = "erp", _("ERP")
        CARRIER = "carrier", _("carrier")
        TMS = "tms", _("transport system")
        MES = "mes", _("factory system")
        PARTNER = "partner", _("partner")
        FILE = "file", _("files")
        POSITION = "position", _("positions")

    merchant = models.ForeignKey(
        Merchant, verbose_name=_("merchant"), null=True, blank=True, on_delete=models.PROTECT
    )
    code = models.SlugField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True)
    role = models.CharField(_("sort of system"), max_length=10, choices=Role.choices)
    is_shipped = models.BooleanField(_("comes with OrderHub"), default=False, editable=False)
    in_force = models.ForeignKey(
        "ProfileVersion", verbose_name=_("version in force"), null=True, blank=True, editable=False,
        on_delete=models.PROTECT, related_name="+",
    )  # fmt: skip
    draft = models.JSONField(_("draft"), default=dict, blank=True, editable=False)
    changed_at = models.DateTimeField(_("changed at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")
        constraints = [
            models.UniqueConstraint(fields=["merchant", "code"], name="connectors_profile_code"),
            models.UniqueConstraint(
                fields=["code"], condition=models.Q(merchant__isnull=True), name="connectors_profile_shared"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ProfileVersion(models.Model):
    """One document of a profile, with the tests it passed before it came into force; never changed afterwards."""

    profile = models.ForeignKey(
        Profile, verbose_name=_("profile"), on_delete=models.CASCADE, related_name="versions"
    )
    number = models.PositiveIntegerField(_("version"))
    document = models.JSONField(_("document"))
    digest = models.CharField(max_length=64)
    tests_passed = models.PositiveIntegerField(_("tests passed"), default=0)
    note = models.CharField(_("note"), max_length=200, blank=True)
    created_by = models.CharField(_("by"), max_length=80, blank=True)
    created_at = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("version of a profile")
        verbose_name_plural = _("versions of profiles")
        constraints = [
            models.UniqueConstraint(fields=["profile", "number"], name="connectors_profileversion_number")
        ]

    def __str__(self) -> str:
        return f"{self.profile_id} v{self.number}"
