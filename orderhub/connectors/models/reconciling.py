"""The daily comparison of what other systems have with what we have: its runs, and the differences it found."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.connectors.models.connection import Connection


class Reconciliation(models.Model):
    """One comparison with one system; it is worked off in turns and goes on where the last one stopped."""

    connection = models.ForeignKey(
        Connection, verbose_name=_("connection"), on_delete=models.CASCADE, related_name="reconciliations"
    )
    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    began_at = models.DateTimeField(_("began"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    since = models.DateTimeField(_("compared from"))
    until = models.DateTimeField(_("compared until"))
    #: The part that is being compared, and how far it came.
    stage = models.CharField(max_length=20, blank=True, editable=False)
    after = models.CharField(max_length=80, blank=True, editable=False)
    asked = models.PositiveIntegerField(_("compared by asking"), default=0)
    told = models.PositiveIntegerField(_("compared by what was told"), default=0)
    found = models.PositiveIntegerField(_("differences"), default=0)
    explained = models.PositiveIntegerField(
        _("explained"), default=0,
        help_text=_("Different, and known why: an address change or a cancellation that came too late."),
    )  # fmt: skip
    fetched = models.PositiveIntegerField(_("asked for again"), default=0)
    settled = models.PositiveIntegerField(_("settled since"), default=0)
    failures = models.PositiveSmallIntegerField(default=0, editable=False)
    is_complete = models.BooleanField(_("complete"), default=False)
    error = models.CharField(_("last error"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("comparison")
        verbose_name_plural = _("comparisons")
        indexes = [
            models.Index(fields=["connection", "-began_at"], name="connectors_reconciled"),
            models.Index(
                fields=["id"], name="connectors_reconciling", condition=models.Q(ended_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.connection_id} {self.began_at:%Y-%m-%d}"


class Difference(models.Model):
    """One thing that another system has otherwise than we do; a row as long as it lasts, however often it is found."""

    class Sort(models.TextChoices):
        MISSING_HERE = "missing_here", _("missing here")
        MISSING_THERE = "missing_there", _("missing there")
        OLDER_HERE = "older_here", _("newer there")
        CANCELLED_THERE = "cancelled_there", _("cancelled there, not here")
        CANCELLED_HERE = "cancelled_here", _("cancelled here, not there")
        SHIPPED_THERE = "shipped_there", _("shipped there, not here")
        SHIPPED_HERE = "shipped_here", _("shipped here, not there")
        LINES = "lines", _("other lines")
        TOTAL = "total", _("other amount")
        ADDRESS = "address", _("other address")
        TRACK = "track", _("other state of the parcel")
        STOCK = "stock", _("other stock")
        UNANSWERED = "unanswered", _("a call without acknowledgment")
        APART = "apart", _("messages that need a person")

    class Evidence(models.TextChoices):
        ASKED = "asked", _("they were asked")
        TOLD = "told", _("from what was told so far")

    class State(models.TextChoices):
        OPEN = "open", _("open")
        FETCHING = "fetching", _("asked for again")
        SETTLED = "settled", _("settled")
        DISMISSED = "dismissed", _("let be")

    connection = models.ForeignKey(
        Connection, verbose_name=_("connection"), on_delete=models.CASCADE, related_name="differences"
    )
    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    sort = models.CharField(_("sort"), max_length=16, choices=Sort.choices)
    evidence = models.CharField(_("evidence"), max_length=8, choices=Evidence.choices)
    subject = models.CharField(_("about"), max_length=120)
    order_id = models.BigIntegerField(_("order"), null=True, blank=True)
    call_id = models.BigIntegerField(_("call"), null=True, blank=True)
    ours = models.CharField(_("here"), max_length=200, blank=True)
    theirs = models.CharField(_("there"), max_length=200, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    tries = models.PositiveSmallIntegerField(_("asked for again, times"), default=0)
    first_at = models.DateTimeField(_("found first"))
    last_at = models.DateTimeField(_("found last"))
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=80, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("difference")
        verbose_name_plural = _("differences")
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "sort", "subject"], name="connectors_difference_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["connection", "id"],
                name="connectors_difference_open",
                condition=models.Q(state__in=["open", "fetching"]),
            ),
            models.Index(
                fields=["order_id"],
                name="connectors_difference_order",
                condition=models.Q(order_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sort} {self.subject}"
