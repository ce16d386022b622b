"""The verdict on each order, what people decided about it, and what turned out to be true."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orderhub.access.models import Merchant
from orderhub.orders.models import Order


class Action(models.TextChoices):
    """What a reviewer may do."""

    RELEASE = "release", _("release")
    CANCEL = "cancel", _("cancel the order")
    BLOCK = "block", _("cancel and put on the block list")
    TRUST = "trust", _("release and put on the trust list")
    ASK = "ask", _("ask the customer")


class Assessment(models.Model):
    """The newest score of an order with every reason; the row a reviewer works on."""

    class Band(models.TextChoices):
        PASS = "pass", pgettext_lazy("band of a risk score", "pass")
        REVIEW = "review", pgettext_lazy("band of a risk score", "review")
        HOLD = "hold", pgettext_lazy("band of a risk score", "hold")

    class State(models.TextChoices):
        NONE = "", _("nothing to do")
        OPEN = "open", _("waiting for review")
        SECOND = "second", _("waiting for a second person")
        ASKED = "asked", _("customer asked")
        DONE = "done", _("decided")

    order = models.OneToOneField(
        Order, verbose_name=_("order"), on_delete=models.CASCADE, primary_key=True, related_name="risk"
    )
    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.CASCADE)
    policy_number = models.PositiveIntegerField(_("policy version"))
    points = models.PositiveSmallIntegerField(_("score"))
    band = models.CharField(_("band"), max_length=6, choices=Band.choices)
    fired = models.JSONField(_("reasons"), default=list)
    shadow_points = models.PositiveSmallIntegerField(_("score with shadow signals"))
    shadow_band = models.CharField(_("band with shadow signals"), max_length=6, choices=Band.choices)
    shadow = models.JSONField(_("shadow signals"), default=list)
    is_shadow = models.BooleanField(_("shadow only"), default=False)
    is_holdout = models.BooleanField(_("let through to learn"), default=False)
    fault = models.CharField(_("fault"), max_length=200, blank=True, default="")
    seen = models.JSONField(_("reasons a person has seen"), default=list)
    state = models.CharField(_("state"), max_length=6, choices=State.choices, blank=True, default="")
    due_at = models.DateTimeField(_("review until"), null=True)
    escalated_at = models.DateTimeField(_("escalated at"), null=True)
    assessed_at = models.DateTimeField(_("scored at"))
    delivered_at = models.DateTimeField(_("delivered at"), null=True)
    refused_at = models.DateTimeField(_("refused at"), null=True)

    class Meta:
        verbose_name = _("risk review")
        verbose_name_plural = _("risk reviews")
        indexes = [
            models.Index(fields=["state", "due_at"], name="risk_assessment_queue", condition=~Q(state="")),
            models.Index(fields=["merchant", "assessed_at"], name="risk_assessment_report"),
        ]

    def __str__(self) -> str:
        return f"{self.order.number}"


class Review(models.Model):
    """One decision of a person about an order; never changed, an undo is a row of its own."""

    order = models.ForeignKey(
        Order, verbose_name=_("order"), on_delete=models.CASCADE, related_name="risk_reviews"
    )
    action = models.CharField(_("action"), max_length=8, choices=[*Action.choices, ("undo", _("undo"))])
    reason = models.CharField(_("reason"), max_length=300)
    actor = models.CharField(_("by"), max_length=80)
    is_final = models.BooleanField(_("took effect"), default=True)
    points = models.PositiveSmallIntegerField(_("score"))
    waited_seconds = models.PositiveIntegerField(_("seconds waited"))
    decided_at = models.DateTimeField(_("decided at"))

    class Meta:
        verbose_name = _("review decision")
        verbose_name_plural = _("review decisions")

    def __str__(self) -> str:
        return f"{self.order_id} {self.action}"


class Label(models.Model):
    """What turned out to be true of an order."""

    class Kind(models.TextChoices):
        FRAUD = "fraud", _("confirmed fraud")
        REFUSED = "refused", _("refused at the door")
        CHARGEBACK = "chargeback", _("chargeback")
        REVIEWED_BAD = "reviewed_bad", _("cancelled by review")
        GOOD = "good", _("delivered without claim")

    BAD = (Kind.FRAUD, Kind.REFUSED, Kind.CHARGEBACK)

    order = models.ForeignKey(
        Order, verbose_name=_("order"), on_delete=models.CASCADE, related_name="risk_labels"
    )
    kind = models.CharField(_("label"), max_length=12, choices=Kind.choices)
    source = models.CharField(_("source"), max_length=80)
    note = models.CharField(_("note"), max_length=200, blank=True, default="")
    labeled_at = models.DateTimeField(_("known since"))

    class Meta:
        verbose_name = _("risk label")
        verbose_name_plural = _("risk labels")
        constraints = [models.UniqueConstraint(fields=["order", "kind"], name="risk_label_once")]

    def __str__(self) -> str:
        return f"{self.order_id} {self.kind}"
