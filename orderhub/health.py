"""Is it alive, is it ready, and the front door."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views import defaults

from orderhub.access import problems
from orderhub.observe import readiness
from orderhub.observe.views import is_insider


def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:
    """200 while requests can be answered, 503 with the reason when not; `?strict` also answers 503 when
    something else is amiss, for monitors. Each dependency is told to staff and monitors only.
    """
    found = readiness.ask()
    amiss = [each for each in found if not each.is_well]
    is_ready = not any(each.fatal for each in amiss)
    word = "not ready" if not is_ready else "degraded" if amiss else "ready"
    body: dict[str, object] = {"status": word}
    if amiss:
        body["reasons"] = [each.name for each in amiss]
    if is_ready and is_insider(request):  # who is asking is kept in the database too
        body["dependencies"] = {each.name: {"well": each.is_well, "says": each.says} for each in found}
    fails = not is_ready or (bool(amiss) and "strict" in request.GET)
    return JsonResponse(body, status=503 if fails else 200)


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No such address: a problem document under /api/, a page elsewhere."""
    if request.path.startswith("/api/"):
        return problems.bare("not_found", 404)
    return defaults.page_not_found(request, exception)


def broken(request: HttpRequest) -> HttpResponse:
    """Our own fault: a problem document under /api/, a page elsewhere."""
    if request.path.startswith("/api/"):
        return problems.bare("server_error", 500)
    return defaults.server_error(request)


def home(request: HttpRequest) -> HttpResponse:
    """Staff go to the admin, merchants to their pages, everyone else to the log-in."""
    user = request.user
    if user.is_authenticated and user.is_staff:
        return redirect("admin:index")
    return redirect("/merchant/" if user.is_authenticated else "/login/")
