"""The routing reports of operators, beneath the admin: read one, have one made, replay and export its advice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from orderhub.access.models import Merchant
from orderhub.inventory.admin_base import actor_of, named
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from routing.reports import chart, exports, mail, pdf, replays, sentences, service, showing, words
from routing.reports.asked import Asked, asked
from routing.reports.models import Recommendation, RoutingReport
from routing.reports.sums import DIMENSIONS

SEES, MAKES, TRIES = (
    "routing.view_routingreport",
    "routing.add_routingreport",
    "routing.change_recommendation",
)
SUBSCRIBES = "routing.view_reportsubscription"
PDF, CSV = "application/pdf", "text/csv; charset=utf-8"
View = Callable[..., HttpResponse]


def _staff(view: View) -> View:
    """Logged-in staff that may see reports."""

    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _require(request, SEES)
        return view(request, *args, **kwargs)

    checked.__doc__ = view.__doc__
    guarded: View = admin.site.admin_view(checked)
    return guarded


def _require(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


@_staff
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The report in force of a period, with how its newest making stands."""
    merchant = _merchant(request, request.GET.get("merchant", ""))
    context = {**admin.site.each_context(request), "title": _("Routing report"), "merchant": merchant}
    if merchant is not None:
        found = asked(request.GET.dict(), merchant, now=clock.now())
        context |= _shown(request, found)
    return TemplateResponse(request, "admin/routing/report.html", context)


@_staff
@require_safe
def report(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of the period of one making, which e-mails point to."""
    return HttpResponseRedirect(f"{reverse('reports:page')}?{_query(_report(request, pk))}")


@_staff
@require_POST
def make(request: HttpRequest) -> HttpResponse:
    """Have the report of a period made, in Celery."""
    _require(request, MAKES)
    merchant = _merchant(request, request.POST.get("merchant", ""))
    if merchant is None:
        raise Http404
    found = asked(request.POST.dict(), merchant, now=clock.now())
    try:
        service.ask(merchant, found.kind, found.since, found.until, actor=actor_of(request))
    except Refused as refused:
        messages.error(request, str(refused))
    return HttpResponseRedirect(f"{reverse('reports:page')}?{found.query()}")


@_staff
@require_safe
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far a making is; once it is over, the page is asked to load anew."""
    found = _report(request, pk)
    answer = TemplateResponse(request, "admin/routing/report_progress.html", _state(found))
    if not found.is_open:
        answer.headers["HX-Refresh"] = "true"
    return answer


@_staff
@require_safe
def file(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """A file of a report that is done; 404 for a name that is none."""
    found = _report(request, pk)
    if found.result is None:
        raise Http404
    title = mail.file_name(found)
    if name == "pdf":
        return _download(pdf.of(found), PDF, f"{title}.pdf")
    if name == "csv":
        return _download(exports.report(found), CSV, f"{title}.csv")
    if name == "transfers":
        rows = found.recommendations.order_by("rank")
        return _download(exports.transfers(found, rows), CSV, f"{title}-transfers.csv")
    raise Http404


@_staff
def replay(request: HttpRequest, pk: int) -> HttpResponse:
    """How the replay of a recommendation stands; a POST has it made."""
    row = _advice(request, pk)
    if request.method == "POST":
        _require(request, TRIES)
        replays.ask(row)
        row.refresh_from_db()
    if request.headers.get("HX-Request") != "true":
        return HttpResponseRedirect(f"{reverse('reports:page')}?{_query(row.report)}#a{row.rank}")
    return TemplateResponse(
        request,
        "admin/routing/report_replay.html",
        {"one": _told(row), "may_try": request.user.has_perm(TRIES)},
    )


@_staff
@require_safe
def transfer_file(request: HttpRequest, pk: int) -> HttpResponse:
    """The transfer orders of one recommendation."""
    row = _advice(request, pk)
    title = f"{mail.file_name(row.report)}-{row.rank}-transfers.csv"
    return _download(exports.transfers(row.report, [row]), CSV, title)


# ---- who asks for what ---------------------------------------------------------------------------


def _own(request: HttpRequest) -> int | None:
    found: int | None = getattr(request.user, "merchant_id", None)
    return found


def _merchant(request: HttpRequest, chosen: str) -> Merchant | None:
    """The person's own merchant; staff of none choose one, at first one that has reports."""
    rows = Merchant.objects.filter(is_active=True).order_by("pk")
    own = _own(request)
    if own is not None:
        return rows.filter(pk=own).first()
    if chosen.isdigit() and len(chosen) < 18:
        return rows.filter(pk=int(chosen)).first()
    newest = RoutingReport.objects.order_by("-pk").values_list("merchant_id", flat=True).first()
    return rows.filter(pk=newest or 0).first() or rows.first()


def _report(request: HttpRequest, pk: int) -> RoutingReport:
    rows = RoutingReport.objects.select_related("merchant").filter(pk=pk)
    own = _own(request)
    if own is not None:
        rows = rows.filter(merchant_id=own)
    found = rows.first()
    if found is None:
        raise Http404
    return found


def _advice(request: HttpRequest, pk: int) -> Recommendation:
    rows = Recommendation.objects.select_related("report__merchant").filter(pk=pk)
    own = _own(request)
    if own is not None:
        rows = rows.filter(report__merchant_id=own)
    found = rows.first()
    if found is None:
        raise Http404
    return found


def _query(found: RoutingReport) -> str:
    return Asked(found.merchant, found.kind, found.since, found.until, "").query()


def _told(row: Recommendation) -> dict[str, Any]:
    assert row.report.result is not None
    return showing.advice(row, row.report.result["names"])


# ---- what the templates are filled with ----------------------------------------------------------


def _shown(request: HttpRequest, found: Asked) -> dict[str, Any]:
    key = (found.merchant.pk, found.kind, found.since, found.until)
    current, newest = service.in_force(*key), service.newest(*key)
    context: dict[str, Any] = {
        "asked": found, "newest": newest, "current": current, "merchant_name": named(found.merchant),
        "kinds": [
            (kind.label, f"?{found.query(kind=kind.value, to='')}", kind.value == found.kind)
            for kind in RoutingReport.Kind
        ],
        "before": f"?{found.moved(-1)}", "after": f"?{found.moved(1)}",
        "merchants": _choices(request, found), "may_make": request.user.has_perm(MAKES),
        "may_try": request.user.has_perm(TRIES), "may_subscribe": request.user.has_perm(SUBSCRIBES),
    }  # fmt: skip
    if newest is not None and newest is not current:
        context |= _state(newest)
    if current is not None and current.result is not None:
        context |= _filled(found, current, current.result)
    return context


def _choices(request: HttpRequest, found: Asked) -> list[tuple[str, int, bool]]:
    if _own(request) is not None:
        return []
    rows = Merchant.objects.filter(is_active=True).order_by("pk")
    return [(named(row), row.pk, row.pk == found.merchant.pk) for row in rows]


def _state(found: RoutingReport) -> dict[str, Any]:
    happened, remedy = words.error(found.error, found.error_facts) if found.error else ("", "")
    return {
        "newest": found,
        "happened": happened,
        "remedy": remedy,
        "link": reverse("reports:progress", args=[found.pk]),
    }


def _filled(found: Asked, current: RoutingReport, result: Any) -> dict[str, Any]:
    label = str(words.DIMENSION_WORDS[found.by])
    rows = showing.rows(result, found.by)
    return {
        "summary": sentences.summary(result), "tiles": showing.tiles(result), "why": showing.why(result),
        "days": chart.days(result), "bridge": chart.bridge(result["why"]["cost"]) if result["why"] else None,
        "heads": showing.heads(label), "rows": rows[: showing.MOST_ROWS],
        "left_out": max(0, len(rows) - showing.MOST_ROWS),
        "whole": showing.cells(_("Total"), result["now"]["total"]), "notes": showing.notes(result),
        "terms": showing.terms(result), "advices": showing.advices(current), "day_rows": showing.days(result),
        "dimensions": [
            (str(words.DIMENSION_WORDS[name]), f"?{found.query(by=name)}#rows", name == found.by) for name in DIMENSIONS
        ],
        "files": [
            (_("Report (PDF)"), reverse("reports:file", args=[current.pk, "pdf"])),
            (_("All figures (CSV)"), reverse("reports:file", args=[current.pk, "csv"])),
            (_("Transfer orders (CSV)"), reverse("reports:file", args=[current.pk, "transfers"])),
        ],
    }  # fmt: skip


def _download(content: bytes, kind: str, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "private, no-store"
    return answer
