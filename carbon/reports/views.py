"""The carbon reports of operators, beneath the admin, and of merchants, who see their own figures only."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from carbon import importer
from carbon.reports import auditbook, chart, exports, pdf, reading, statement
from carbon.reports.asked import Asked, asked, year_to
from carbon.reports.chart import tidy
from carbon.reports.models import Disclosure
from carbon.reports.scope import DIMENSIONS
from carbon.reports.words import DIMENSION_WORDS, STAGE_WORDS, TOLD
from orderhub.access.models import Merchant
from orderhub.connectors.views import merchant_page
from orderhub.inventory.admin_base import actor_of, named
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order

SEES = "carbon.view_ledgerentry"
View = Callable[..., HttpResponse]
PDF, XLSX, CSV = (
    "application/pdf", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "text/csv; charset=utf-8",
)  # fmt: skip
#: What a merchant's own page may be cut by.
OF_MERCHANT = tuple(name for name in DIMENSIONS if name != "merchant")


def _staff(view: View) -> View:
    """Logged-in staff that may see the ledger."""

    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.has_perm(SEES):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    checked.__doc__ = view.__doc__
    guarded: View = admin.site.admin_view(checked)
    return guarded


@_staff
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The report: total with its band, months, rows of a dimension, files."""
    found = _asked(request)
    context = {
        **admin.site.each_context(request), **_shown(found, "carbon:"), "title": _("Carbon report"),
        "links": _links(request),
    }  # fmt: skip
    return TemplateResponse(request, "admin/carbon/report.html", context)


@_staff
@require_safe
def order_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The statement of one order with every formula."""
    return _order(
        request, pk, getattr(request.user, "merchant_id", None), "admin/carbon/order.html", "carbon:"
    )


@_staff
@require_safe
def file(request: HttpRequest, name: str) -> HttpResponse:
    """A file of the report as it is cut."""
    return _file(request, _asked(request), name)


@_staff
@require_safe
def order_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The statement of one order as PDF."""
    return _order_pdf(request, pk, getattr(request.user, "merchant_id", None))


@merchant_page
@require_safe
def merchants_page(request: HttpRequest) -> HttpResponse:
    """The merchant's own report."""
    context = {
        **_shown(_of_merchant(request), "merchant:carbon-"),
        "here": "carbon",
        "merchant": _merchant(request),
    }
    return render(request, "merchant/carbon.html", context)


@merchant_page
@require_safe
def merchants_order(request: HttpRequest, pk: int) -> HttpResponse:
    """The statement of one of its orders."""
    return _order(request, pk, _merchant(request).pk, "merchant/carbon_order.html", "merchant:carbon-")


@merchant_page
@require_safe
def merchants_file(request: HttpRequest, name: str) -> HttpResponse:
    """A file of its own figures."""
    return _file(request, _of_merchant(request), name)


@merchant_page
@require_safe
def merchants_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The statement of one of its orders as PDF."""
    return _order_pdf(request, pk, _merchant(request).pk)


# ---- who asks for what ---------------------------------------------------------------------------


def _merchant(request: HttpRequest) -> Merchant:
    found = getattr(request.user, "merchant", None)
    assert isinstance(found, Merchant), "merchant_page has checked it"
    return found


def _asked(request: HttpRequest) -> Asked:
    merchant_id = getattr(request.user, "merchant_id", None)
    zone = timezone.get_current_timezone_name()
    return asked(request.GET.dict(), merchant_id=merchant_id, zone=zone, now=clock.now())


def _of_merchant(request: HttpRequest) -> Asked:
    own = _merchant(request)
    return asked(
        request.GET.dict(), merchant_id=own.pk, zone=own.time_zone, now=clock.now(), dimensions=OF_MERCHANT
    )


def _language() -> str:
    return get_language() or "zh-hans"


def _order_of(pk: int, merchant_id: int | None) -> Order:
    rows = Order.objects.select_related("merchant", "channel")
    if merchant_id is not None:
        rows = rows.filter(merchant_id=merchant_id)
    order = rows.filter(pk=pk).first()
    if order is None:
        raise Http404
    return order


def _order(request: HttpRequest, pk: int, merchant_id: int | None, template: str, names: str) -> HttpResponse:
    order = _order_of(pk, merchant_id)
    found = statement.of_order(order, language=_language(), now=clock.now())
    context = {
        "order": order, "statement": found, "names": names, "title": order.number, "here": "carbon",
        "merchant": order.merchant, "pdf_link": reverse(f"{names}order-pdf", args=[order.pk]),
        "report_link": reverse("carbon:reports" if names == "carbon:" else "merchant:carbon"),
    }  # fmt: skip
    if found is not None:
        context |= _statement(found)
    if names == "carbon:":
        context |= admin.site.each_context(request)
        context["entries"] = f"{reverse('admin:carbon_ledgerentry_changelist')}?order__id__exact={order.pk}"
    return TemplateResponse(request, template, context)


def _statement(found: statement.Statement) -> dict[str, Any]:
    return {
        "heads": pdf.heads(found.language),
        "rows": [(pdf.cells(leg, found.language), leg.formula) for leg in found.legs],
        "facts": [*found.facts, *pdf.totals(found)],
        "kg": tidy(found.kg), "low": tidy(found.low), "high": tidy(found.high),
    }  # fmt: skip


# ---- the report ----------------------------------------------------------------------------------


def _shown(found: Asked, names: str) -> dict[str, Any]:
    rows = reading.report(found.scope, found.by)
    is_market = found.basis == "market"
    most = max((row.sums.around.p95_kg for row in rows.rows), default=Decimal(1))
    total, around = rows.total, rows.total.around
    return {
        "asked": found, "names": names, "by": DIMENSION_WORDS[found.by], "left_out": rows.left_out,
        "rows": [_row(found, row, most, names, is_market) for row in rows.rows],
        "total": _figures(rows.total, is_market),
        "kg": tidy(total.market_kg if is_market else total.kg), "other_kg": tidy(total.kg if is_market else total.market_kg),
        "low": tidy(around.p5_kg), "high": tidy(around.p95_kg), "is_market": is_market,
        "chart": chart.months(reading.months(year_to(found))),
        "stages": [(STAGE_WORDS[stage], chart.COLORS[stage]) for stage in chart.ORDER],
        "dimensions": [
            (DIMENSION_WORDS[name], f"?{found.query(by=name)}", name == found.by)
            for name in (DIMENSIONS if names == "carbon:" else OF_MERCHANT)
        ],
        "cuts": [(DIMENSION_WORDS[name], value, f"?{found.query(**{name: ''})}") for name, value in found.scope.cuts.items()],
        "bases": (f"?{found.query(basis='location')}", f"?{found.query(basis='market')}"),
        "months": _neighbors(found),
        "files": [(text, _file_link(names, name, found)) for name, text in TOLD.items()],
        "attribution": importer.attribution(),
        "savings": [told for teller in _tellers if (told := teller(found.scope))],
    }  # fmt: skip


#: Asked for what stands beside the inventory and is never taken off it: savings of green delivery, say.
Teller = Callable[[Any], Any]
_tellers: list[Teller] = []


def beside(function: Teller) -> Teller:
    """Have what `function(scope)` says shown beside the report's total; nothing where it says None."""
    if function not in _tellers:
        _tellers.append(function)
    return function


def _row(found: Asked, row: reading.Row, most: Decimal, names: str, is_market: bool) -> dict[str, Any]:
    cut = {found.by: row.value, "by": "order"}
    link = f"?{found.query(**cut)}" if row.value else ""
    if found.by == "order":
        link = reverse(f"{names}order", args=[row.value])
    elif found.by == "line":
        link = ""
    drawn = chart.on_axis(row.sums.around, row.sums.kg, most)
    return {
        "label": row.label,
        "note": row.note,
        "link": link,
        "axis": drawn,
        **_figures(row.sums, is_market),
    }


def _figures(sums: reading.Sums, is_market: bool) -> dict[str, Any]:
    around, per = sums.around, sums.per_order
    return {
        "orders": sums.orders, "kg": tidy(sums.market_kg if is_market else sums.kg),
        "band": f"{tidy(around.p5_kg)}–{tidy(around.p95_kg)}", "per_order": "–" if per is None else tidy(per),
        "primary": f"{sums.primary_share * 100:.0f} %",
    }  # fmt: skip


def _neighbors(found: Asked) -> dict[str, str]:
    """The months before and after."""
    first = found.scope.since.replace(day=1)
    before = (first - timedelta(days=1)).replace(day=1)
    after = (first + timedelta(days=32)).replace(day=1)
    return {
        "before": f"?{found.query(**{'from': before.isoformat(), 'to': ''})}",
        "after": f"?{found.query(**{'from': after.isoformat(), 'to': ''})}",
    }


def _links(request: HttpRequest) -> list[tuple[str, str]]:
    """Pages near this one that the reader may see."""
    found = [
        (_("Offsets"), "admin:carbon_offsetorder_changelist", "carbon.view_offsetorder"),
        (_("Claim checks"), "admin:carbon_claimcheck_changelist", "carbon.view_claimcheck"),
        (_("Green delivery"), "carbon:green", SEES),
    ]
    return [(text, reverse(name)) for text, name, right in found if request.user.has_perm(right)]


# ---- files ---------------------------------------------------------------------------------------


def _file_link(names: str, name: str, found: Asked) -> str:
    return f"{reverse(f'{names}file', args=[name])}?{found.query()}"


def _file(request: HttpRequest, found: Asked, name: str) -> HttpResponse:
    """Make the file and keep a record of it; 404 for a name that is none."""
    now = clock.now()
    if name == "statement":
        made = statement.of_period(found.scope, name=_party(found), language=_language(), now=now)
        return _kept(request, found, name, pdf.of(made), PDF, "pdf")
    if name == "audit-book":
        try:
            return _kept(request, found, name, auditbook.book(found.scope), XLSX, "xlsx")
        except Refused as refusal:
            return HttpResponse(
                f"{refusal} {refusal.remedy}", status=413, content_type="text/plain; charset=utf-8"
            )
    maker = exports.FILES.get(name)
    if maker is None:
        raise Http404
    return _kept(request, found, name, maker(found.scope), CSV, "csv")


def _kept(
    request: HttpRequest, found: Asked, name: str, content: bytes, kind: str, ending: str
) -> HttpResponse:
    total = reading.report(found.scope, "merchant").total
    Disclosure.objects.create(
        merchant_id=found.scope.merchant_id, kind=name, scope=found.scope.as_json(), kg=total.kg,
        orders=total.orders, sha256=hashlib.sha256(content).hexdigest(), made_by=actor_of(request)[:80],
        made_at=clock.now(),
    )  # fmt: skip
    return _download(content, kind, f"carbon-{name}-{found.scope.since}-{found.scope.until}.{ending}")


def _download(content: bytes, kind: str, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def _order_pdf(request: HttpRequest, pk: int, merchant_id: int | None) -> HttpResponse:
    order = _order_of(pk, merchant_id)
    found = statement.of_order(order, language=_language(), now=clock.now())
    if found is None:
        raise Http404
    return _download(pdf.of(found), PDF, f"carbon-{order.number}.pdf")


def _party(found: Asked) -> str:
    merchant = Merchant.objects.filter(pk=found.scope.merchant_id or 0).first()
    return named(merchant) if merchant is not None else _("all merchants")
