"""What other systems' codes and texts mean, as rows of the admin; and those nobody has said anything about yet."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.connectors.models import Connection
from orderhub.orders.models import Order
from tracking.models import TimelineEntry


class Meaning(models.Model):
    """A code, a text pattern, or both, of one source or of all: the milestone it stands for."""

    merchant = models.ForeignKey(
        Merchant, verbose_name=_("merchant"), null=True, blank=True, on_delete=models.PROTECT,
        help_text=_("Empty: for every merchant."),
    )  # fmt: skip
    connection = models.ForeignKey(
        Connection, verbose_name=_("source"), null=True, blank=True, on_delete=models.CASCADE,
        help_text=_("Empty: for every source."),
    )  # fmt: skip
    carrier = models.CharField(
        _("carrier code"), max_length=40, blank=True, default="", db_default="",
        help_text=_("Only for this carrier, where a source tells of several."),
    )  # fmt: skip
    code = models.CharField(_("their code"), max_length=80, blank=True, default="", db_default="")
    pattern = models.CharField(
        _("their text"), max_length=200, blank=True, default="", db_default="",
        help_text=_("Words that must stand in the text; several are parted by |."),
    )  # fmt: skip
    milestone = models.CharField(_("milestone"), max_length=40, blank=True, default="", db_default="")
    reason = models.CharField(_("reason code"), max_length=40, blank=True, default="", db_default="")
    classifier = models.CharField(
        _("classifier"), max_length=9, choices=TimelineEntry.Classifier.choices,
        default=TimelineEntry.Classifier.ACTUAL, db_default="ACTUAL",
    )  # fmt: skip
    is_ignored = models.BooleanField(
        _("says nothing new"),
        default=False,
        db_default=False,
        help_text=_("Known, and not shown to anybody."),
    )
    priority = models.SmallIntegerField(_("priority"), default=0, db_default=0)
    is_active = models.BooleanField(_("active"), default=True, db_default=True)
    created_by = models.CharField(
        _("by"), max_length=80, blank=True, default="", db_default="", editable=False
    )
    created_at = models.DateTimeField(_("since"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("meaning of a code")
        verbose_name_plural = _("meanings of codes")

    def __str__(self) -> str:
        said = " ".join(part for part in (self.code, self.pattern) if part)
        return f"{said} = {self.milestone or '–'}"


class UnknownCode(models.Model):
    """A code or text of a source that no list knows; the messages with it are kept, and read again once it is mapped."""

    class State(models.TextChoices):
        OPEN = "open", _("to be mapped")
        MAPPED = "mapped", _("mapped")
        IGNORED = "ignored", _("says nothing")

    connection = models.ForeignKey(Connection, verbose_name=_("source"), on_delete=models.CASCADE)
    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    carrier = models.CharField(_("carrier code"), max_length=40, blank=True, default="", db_default="")
    code = models.CharField(_("their code"), max_length=80, blank=True, default="", db_default="")
    #: Without figures and contacts, so that texts which differ by a number or a name are one row.
    text = models.CharField(_("their text"), max_length=200, blank=True, default="", db_default="")
    events = models.PositiveIntegerField(_("events"), default=0, db_default=0)
    first_at = models.DateTimeField(_("first at"))
    last_at = models.DateTimeField(_("last at"))
    suggestion = models.CharField(_("suggestion"), max_length=40, blank=True, default="", db_default="")
    score = models.FloatField(_("how sure"), default=0.0, db_default=0.0)
    seen_by = models.CharField(_("seen by"), max_length=120, blank=True, default="", db_default="")
    state = models.CharField(
        _("state"), max_length=8, choices=State.choices, default=State.OPEN, db_default=State.OPEN.value
    )
    meaning = models.ForeignKey(
        Meaning, verbose_name=_("meaning of a code"), null=True, blank=True, on_delete=models.SET_NULL
    )

    class Meta:
        verbose_name = _("unknown code")
        verbose_name_plural = _("unknown codes")
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "carrier", "code", "text"], name="center_unknown_once"
            )
        ]
        indexes = [
            models.Index(fields=["merchant"], name="center_unknown_open", condition=models.Q(state="open"))
        ]

    def __str__(self) -> str:
        return " ".join(part for part in (self.code, self.text) if part) or "–"


class UnknownUse(models.Model):
    """A kept message that holds an unknown code; the message itself stands in the inbox as long as that keeps it."""

    unknown = models.ForeignKey(UnknownCode, on_delete=models.CASCADE, related_name="uses")
    message = models.PositiveBigIntegerField()

    class Meta:
        verbose_name = _("kept event")
        verbose_name_plural = _("kept events")
        constraints = [models.UniqueConstraint(fields=["unknown", "message"], name="center_unknown_use_once")]

    def __str__(self) -> str:
        return f"{self.unknown_id}/{self.message}"


class ToldEvent(models.Model):
    """The identity of a milestone that was told of an order: the same one is told once, in whatever order it comes."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="+")
    identity = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("told event")
        verbose_name_plural = _("told events")
        constraints = [models.UniqueConstraint(fields=["order", "identity"], name="center_told_once")]

    def __str__(self) -> str:
        return self.identity
