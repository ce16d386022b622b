"""Lists of denied parties with every spelling, and the decisions that somebody is not the listed one."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant


class PartyList(models.Model):
    """A published list as it was loaded last."""

    code = models.CharField(_("list"), max_length=40, unique=True)
    loaded_on = models.DateField(_("of the day"))
    loaded_by = models.CharField(_("loaded by"), max_length=80, blank=True)
    entries = models.PositiveIntegerField(_("entries"))
    added = models.PositiveIntegerField(_("new"), default=0)
    changed = models.PositiveIntegerField(_("changed"), default=0)
    removed = models.PositiveIntegerField(_("gone"), default=0)

    class Meta:
        verbose_name = _("denied-party list")
        verbose_name_plural = _("denied-party lists")

    def __str__(self) -> str:
        return self.code


class Party(models.Model):
    """One entry of a list; the fingerprint changes with its names and countries."""

    source_list = models.ForeignKey(
        PartyList, verbose_name=_("list"), on_delete=models.CASCADE, related_name="parties"
    )
    number = models.CharField(_("entry"), max_length=60)
    name = models.CharField(_("name"), max_length=400)
    kind = models.CharField(_("kind"), max_length=40, blank=True)
    program = models.CharField(_("program"), max_length=200, blank=True)
    countries = models.JSONField(_("countries"), default=list)
    fingerprint = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("listed party")
        verbose_name_plural = _("listed parties")
        constraints = [
            models.UniqueConstraint(fields=["source_list", "number"], name="compliance_party_once")
        ]

    def __str__(self) -> str:
        return self.name


class PartyName(models.Model):
    """One spelling of a listed party: from the list, or an alias a merchant entered by hand."""

    party = models.ForeignKey(
        Party, verbose_name=_("listed party"), on_delete=models.CASCADE, related_name="names"
    )
    text = models.CharField(_("name"), max_length=400)
    merchant = models.ForeignKey(
        Merchant, verbose_name=_("own alias of"), on_delete=models.CASCADE, null=True, blank=True
    )

    class Meta:
        verbose_name = _("name of a listed party")
        verbose_name_plural = _("names of listed parties")

    def __str__(self) -> str:
        return self.text


class PartyKey(models.Model):
    """What a name is found by before it is compared."""

    name = models.ForeignKey(PartyName, on_delete=models.CASCADE, related_name="keys")
    key = models.CharField(max_length=8)

    class Meta:
        indexes = [models.Index(fields=["key"], name="compliance_party_key")]

    def __str__(self) -> str:
        return self.key


class Clearance(models.Model):
    """That a name in a country is not a listed party; it ends when either of the two changes."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.CASCADE)
    name_digest = models.CharField(max_length=64)
    list_code = models.CharField(_("list"), max_length=40)
    number = models.CharField(_("entry"), max_length=60)
    fingerprint = models.CharField(max_length=64)
    reason = models.CharField(_("reason"), max_length=300)
    actor = models.CharField(_("by"), max_length=80)
    decided_at = models.DateTimeField(_("decided at"))

    class Meta:
        verbose_name = _("cleared name")
        verbose_name_plural = _("cleared names")
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "name_digest", "list_code", "number"], name="compliance_cleared_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.list_code} {self.number}"
