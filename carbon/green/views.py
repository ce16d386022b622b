"""The page 承诺与实际: who chose consolidated delivery, what was promised and what was kept."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from carbon.green import reports
from carbon.reports.asked import asked
from carbon.reports.chart import tidy
from orderhub.kernel import clock

SEES = "carbon.view_ledgerentry"
ROWS = 100


@require_safe
def _page(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm(SEES):
        raise PermissionDenied
    merchant_id = getattr(request.user, "merchant_id", None)
    zone = timezone.get_current_timezone_name()
    found = asked(request.GET.dict(), merchant_id=merchant_id, zone=zone, now=clock.now())
    rows = reports.choices(found.scope).select_related("order", "pool__warehouse").order_by("-pk")[:ROWS]
    sums = reports.kept(found.scope)
    context: dict[str, Any] = {
        **admin.site.each_context(request), "title": _("Promised and kept"), "asked": found, "sums": sums,
        "figures": {
            "promised": tidy(sums.promised_kg), "promised_measured": tidy(sums.promised_measured_kg),
            "kept": tidy(sums.kept_kg), "marginal": tidy(sums.marginal_promised_kg), "marginal_kept": tidy(sums.marginal_kept_kg),
        },
        "uptake": [_uptake(one) for one in reports.uptake(found.scope)],
        "rows": [_row(one) for one in rows],
        "pools": [(pool, _tidy(pool.saved_kg)) for pool in reports.pools(found.scope.merchant_id)[:20]],
    }  # fmt: skip
    return TemplateResponse(request, "admin/carbon/green.html", context)


page = admin.site.admin_view(_page)


def _tidy(kg: Decimal | None) -> str | None:
    return None if kg is None else tidy(kg)


def _uptake(one: reports.Uptake) -> dict[str, Any]:
    low, high = one.interval
    return {
        "arm": one.arm, "seen": one.seen, "chosen": one.chosen, "share": f"{one.share * 100:.1f} %",
        "interval": f"{low * 100:.1f}–{high * 100:.1f} %",
    }  # fmt: skip


def _row(one: Any) -> dict[str, Any]:
    return {
        "choice": one, "promised": tidy(one.average_kg), "marginal": tidy(one.marginal_kg),
        "kept": _tidy(one.kept_average_kg),
        "marginal_kept": _tidy(one.kept_marginal_kg),
    }  # fmt: skip
