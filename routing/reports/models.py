"""Reports of routing as they were made, what they recommend, and who gets them by e-mail."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from orderhub.access.models import Merchant


class RoutingReport(models.Model):
    """One making of a report on the local days `since` … `until`; the newest that is done is in force.

    A making that fails leaves the one before in force. `total` counts the orders to read, `done` those read.
    """

    class Kind(models.TextChoices):
        DAILY = "daily", _("daily")
        WEEKLY = "weekly", _("weekly")
        PERIOD = "period", _("chosen period")

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting for a worker")
        RUNNING = "running", _("being made")
        DONE = "done", _("finished")
        FAILED = "failed", _("not finished")

    OPEN = (State.QUEUED, State.RUNNING)

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    kind = models.CharField(_("kind"), max_length=6, choices=Kind.choices)
    since = models.DateField(_("from"))
    until = models.DateField(_("until"))
    state = models.CharField(_("state"), max_length=7, choices=State.choices, default=State.QUEUED)
    done = models.PositiveIntegerField(_("done"), default=0)
    total = models.PositiveIntegerField(_("of"), default=0)
    #: Figures of the period and of the one before, the decomposition; `routing.reports.making` writes it.
    result = models.JSONField(_("result"), null=True)
    error = models.CharField(_("error"), max_length=40, blank=True)
    error_facts = models.JSONField(default=dict, blank=True)
    asked_by = models.CharField(_("asked by"), max_length=80)
    asked_at = models.DateTimeField(_("asked at"))
    #: The moment lateness was judged at.
    as_of = models.DateTimeField(_("as of"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    lease_token = models.CharField(max_length=32, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("routing report")
        verbose_name_plural = _("routing reports")
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "kind", "since", "until"],
                condition=Q(state__in=("queued", "running")),
                name="routing_report_one_open",
            )
        ]
        indexes = [
            models.Index(fields=["merchant", "kind", "-since", "-id"], name="routing_report_found"),
            models.Index(
                fields=["asked_at"], name="routing_report_open", condition=Q(state__in=("queued", "running"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.since} – {self.until}"

    @property
    def is_open(self) -> bool:
        """Whether somebody still works on it, or will."""
        return self.state in self.OPEN

    @property
    def stream(self) -> str:
        """Its stream in the log."""
        return f"routing-report:{self.pk}"


class Recommendation(models.Model):
    """One thing a report advises, with its value in yuan; it may be replayed on the twin."""

    class Kind(models.TextChoices):
        TRANSFER = "transfer", _("stock transfer")
        SAFETY = "safety", _("safety stock")
        FORWARD = "forward", _("forward warehouse")
        CARRIER = "carrier", _("change of carrier")

    class Replay(models.TextChoices):
        NONE = "", _("not replayed")
        QUEUED = "queued", _("waiting for a worker")
        RUNNING = "running", _("replaying")
        DONE = "done", _("replayed")
        FAILED = "failed", _("not finished")

    report = models.ForeignKey(
        RoutingReport, verbose_name=_("report"), on_delete=models.CASCADE, related_name="recommendations"
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    rank = models.PositiveSmallIntegerField(_("rank"))
    #: Yuan saved in the period ahead, as long as the report's, by the evidence of the report.
    value_yuan = models.DecimalField(_("value in ¥"), max_digits=14, decimal_places=2)
    #: What it rests on; `routing.reports.sentences` puts it into words.
    facts = models.JSONField(_("facts"), default=dict)
    #: Stock to be moved: [{"from", "to", "sku", "units"}] by id; `from` None: from the supplier.
    moves = models.JSONField(_("moves"), default=list, blank=True)
    replay = models.CharField(_("replay"), max_length=7, choices=Replay.choices, blank=True, default="")
    replay_done = models.PositiveIntegerField(default=0, editable=False)
    replay_total = models.PositiveIntegerField(default=0, editable=False)
    replay_result = models.JSONField(_("result of the replay"), null=True)
    replay_error = models.CharField(max_length=40, blank=True)
    asked_at = models.DateTimeField(_("asked at"), null=True)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    lease_token = models.CharField(max_length=32, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("recommendation")
        verbose_name_plural = _("recommendations")
        constraints = [models.UniqueConstraint(fields=["report", "rank"], name="routing_advice_rank")]
        indexes = [
            models.Index(
                fields=["asked_at"], name="routing_advice_open", condition=Q(replay__in=("queued", "running"))
            )
        ]

    def __str__(self) -> str:
        return f"{self.report_id}/{self.rank} {self.kind}"

    @property
    def is_open(self) -> bool:
        """Whether its replay waits or is under way."""
        return self.replay in (self.Replay.QUEUED, self.Replay.RUNNING)


class ReportSubscription(models.Model):
    """Who is sent a merchant's reports by e-mail when they are made."""

    class Language(models.TextChoices):
        ZH = "zh-hans", _("Chinese")
        EN = "en", _("English")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.CASCADE)
    kind = models.CharField(
        _("kind"), max_length=6, choices=[(k.value, k.label) for k in list(RoutingReport.Kind)[:2]]
    )
    email = models.EmailField(_("e-mail"))
    language = models.CharField(_("language"), max_length=7, choices=Language.choices, default=Language.ZH)
    with_pdf = models.BooleanField(_("with PDF"), default=True)
    with_csv = models.BooleanField(_("with CSV"), default=True)
    is_active = models.BooleanField(_("active"), default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("created by"), null=True, blank=True, editable=False,
        on_delete=models.SET_NULL,
    )  # fmt: skip
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("report subscription")
        verbose_name_plural = _("report subscriptions")
        constraints = [
            models.UniqueConstraint(fields=["merchant", "kind", "email"], name="routing_subscription_once")
        ]

    def __str__(self) -> str:
        return f"{self.email}: {self.kind}"
