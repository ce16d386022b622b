"""The what-if beside a strategy's form: start it with the figures on the page, watch it, read what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from orderhub.kernel.errors import Refused
from routing import drafts, strategy_forms
from routing.models import Strategy
from routing.twin import service, showing
from routing.twin.models import TwinRun

PANEL = "admin/routing/whatif_panel.html"
#: Told to the page when a run has come to its end, so that it may unlock what waited for it.
OVER = "whatif-over"


class WhatIf:
    """Adds `<pk>/what-if/` (GET the panel, POST a run of the posted figures) and its cancellation to an admin
    of strategies; the change form includes `admin/routing/whatif.html`.
    """

    admin_site: Any
    has_view_permission: Any
    has_change_permission: Any

    def get_urls(self) -> list[Any]:
        """The two addresses before the admin's own."""
        wrap = self.admin_site.admin_view
        own = [
            path("<int:pk>/what-if/", wrap(self.what_if), name="routing_strategy_whatif"),
            path(
                "<int:pk>/what-if/cancel/", wrap(self.cancel_what_if), name="routing_strategy_whatif_cancel"
            ),
        ]
        return own + list(super().get_urls())  # type: ignore[misc]

    def what_if(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The panel; a POST starts a run of the figures on the page, or of the draft where none are posted."""
        strategy = self._strategy(request, pk)
        refused: Refused | None = None
        run = service.newest(strategy)
        if request.method == "POST":
            if not self.has_change_permission(request, strategy):
                raise PermissionDenied
            try:
                run = service.start(
                    strategy,
                    _values(request, strategy),
                    _days(request),
                    actor=request.user,  # type: ignore[arg-type]
                )
            except Refused as found:
                refused = found
        return self._answer(request, strategy, run, refused)

    def cancel_what_if(self, request: HttpRequest, pk: int) -> HttpResponse:
        """End the run that is under way."""
        strategy = self._strategy(request, pk)
        if request.method != "POST":
            raise Http404
        if not self.has_change_permission(request, strategy):
            raise PermissionDenied
        run = service.newest(strategy)
        if run is not None:
            service.cancel(run)
            run.refresh_from_db()
        return self._answer(request, strategy, run, None)

    def _answer(
        self, request: HttpRequest, strategy: Strategy, run: TwinRun | None, refused: Refused | None
    ) -> HttpResponse:
        if request.headers.get("HX-Request") != "true":
            back = reverse("admin:routing_strategy_change", args=(strategy.pk,))
            return HttpResponseRedirect(f"{back}#whatif")
        context = showing.panel(run, strategy, drafts.stand(strategy).values)
        context |= {
            "refused": refused,
            "may_run": self.has_change_permission(request, strategy),
            "cancel_url": reverse("admin:routing_strategy_whatif_cancel", args=(strategy.pk,)),
        }
        answer = TemplateResponse(request, PANEL, context)
        if run is not None and not run.is_open:
            answer.headers["HX-Trigger-After-Settle"] = OVER
        return answer

    def _strategy(self, request: HttpRequest, pk: int) -> Strategy:
        found: Strategy | None = self.get_queryset(request).filter(pk=pk).first()  # type: ignore[attr-defined]
        if found is None:
            raise Http404
        if not self.has_view_permission(request, found):
            raise PermissionDenied
        return found


def _values(request: HttpRequest, strategy: Strategy) -> Mapping[str, Any]:
    if "yuan_per_hour" in request.POST:
        return strategy_forms.posted(request.POST)
    return drafts.stand(strategy).values


def _days(request: HttpRequest) -> int:
    asked = request.POST.get("whatif_days", "")
    return int(asked) if asked.isdecimal() and len(asked) < 5 else service.DEFAULT_DAYS
