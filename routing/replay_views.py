"""Making a decision again at the press of a button: identical, or where it first differs."""

from __future__ import annotations

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from orderhub.kernel.errors import Refused
from orderhub.templatetags.ui import pill
from routing import replaying
from routing.models import Decision


@require_GET
def replay(request: HttpRequest, pk: int) -> HttpResponse:
    """The outcome in one line, for the page of the decision."""
    if not request.user.has_perm("routing.view_decision"):
        raise PermissionDenied
    rows = Decision.objects.all()
    merchant_id = getattr(request.user, "merchant_id", None)
    decision = (rows.filter(merchant_id=merchant_id) if merchant_id else rows).filter(pk=pk).first()
    if decision is None:
        raise Http404
    try:
        again = replaying.compare(decision)
    except Refused as refusal:
        return HttpResponse(pill("wait", str(refusal)))
    if again.is_identical:
        size = len(replaying.kept_bytes(decision).encode())
        return HttpResponse(pill("ok", _("identical, %(size)d bytes") % {"size": size}))
    text = _("differs first at %(path)s: kept %(kept)s, made %(made)s") % {
        "path": again.path, "kept": again.kept, "made": again.made,
    }  # fmt: skip
    return HttpResponse(format_html("{}", pill("bad", text)))


page = admin.site.admin_view(replay)
