"""A report by e-mail: the sentence, the figures, the advice, with PDF and CSV as the subscription wants them."""

from __future__ import annotations

from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from orderhub.events.registry import GiveUp
from orderhub.inventory.admin_base import named
from routing.reports import exports, pdf, sentences, showing
from routing.reports.models import ReportSubscription, RoutingReport


def send(report_id: int, subscription_id: int, *, key: str) -> None:
    """Send it; GiveUp where report or subscription are gone, ConnectionError to try again."""
    subscription = ReportSubscription.objects.filter(pk=subscription_id, is_active=True).first()
    report = (
        RoutingReport.objects.select_related("merchant").filter(pk=report_id, result__isnull=False).first()
    )
    if subscription is None or report is None or report.merchant_id != subscription.merchant_id:
        raise GiveUp("the report or the subscription is gone")
    with override(subscription.language):
        message = _message(report, subscription, key)
    try:
        message.send()
    except (SMTPException, OSError) as fault:
        # Its text may name the receiver.
        raise ConnectionError(type(fault).__name__) from None


def _message(report: RoutingReport, subscription: ReportSubscription, key: str) -> EmailMessage:
    result = report.result or {}
    span = f"{report.since} – {report.until}" if report.since != report.until else str(report.since)
    subject = _("Routing report %(kind)s: %(name)s, %(span)s") % {
        "kind": report.get_kind_display(), "name": named(report.merchant), "span": span,
    }  # fmt: skip
    tiles = "\n".join(f"· {tile.label}: {tile.value} ({tile.change})" for tile in showing.tiles(result))
    advised = "\n".join(f"· {one['value']} {one['text']}" for one in showing.advices(report))
    link = f"{settings.PUBLIC_URL}{reverse('reports:report', args=[report.pk])}"
    text = "\n\n".join(part for part in (sentences.summary(result), tiles, advised, link) if part)
    message = EmailMessage(
        subject, text, settings.NOTICE_FROM, [subscription.email],
        headers={"Auto-Submitted": "auto-generated", "X-OrderHub-Notice": key},
    )  # fmt: skip
    name = file_name(report)
    if subscription.with_pdf:
        message.attach(f"{name}.pdf", pdf.of(report), "application/pdf")
    if subscription.with_csv:
        message.attach(f"{name}.csv", exports.report(report), "text/csv")
    return message


def file_name(report: RoutingReport) -> str:
    """Of a report's files, without the ending."""
    return f"routing-{report.merchant.code}-{report.kind}-{report.since}-{report.until}"
