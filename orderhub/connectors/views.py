"""Merchants' pages: thin views over `imports` (writes) and `pages` (reads)."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from orderhub.access.models import Merchant, User
from orderhub.connectors import imports, outcomes, pages, previews
from orderhub.connectors.forms import (
    DIALECT_NAMES,
    ImportFilter,
    OrderFilter,
    ReadingForm,
    StockFilter,
    UploadForm,
)
from orderhub.connectors.models import ImportBatch
from orderhub.inventory.models import Warehouse
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused

View = Callable[..., HttpResponse]


def merchant_page(view: View) -> View:
    """Log-in needed, and a person of an active merchant; everybody else is told who can let them in (403)."""

    @never_cache
    @login_required
    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        merchant = getattr(request.user, "merchant", None)
        if merchant is None or not merchant.is_active:
            return render(request, "merchant/no_merchant.html", status=403)
        return view(request, *args, **kwargs)

    return checked


def _merchant(request: HttpRequest) -> Merchant:
    assert isinstance(request.user, User)
    assert request.user.merchant is not None, "merchant_page has checked it"
    return request.user.merchant


def _language() -> str:
    return get_language() or "zh-hans"


def _actor(request: HttpRequest) -> str:
    return f"user:{request.user.get_username()}"


def _page(request: HttpRequest, name: str, here: str, status: int = 200, **context: Any) -> HttpResponse:
    context |= {"here": here, "merchant": _merchant(request)}
    return render(request, f"merchant/{name}.html", context, status=status)


def _batch(request: HttpRequest, pk: int) -> ImportBatch:
    rows = ImportBatch.objects.select_related("merchant").prefetch_related("files")
    return get_object_or_404(rows, pk=pk, merchant=_merchant(request))


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The front page of a merchant is the import page; staff, who have no merchant, go to their own."""
    is_operator = getattr(request.user, "merchant", None) is None and request.user.is_staff
    return redirect("admin:index" if is_operator else "merchant:import")


@merchant_page
@require_http_methods(["GET", "HEAD", "POST"])
def import_page(request: HttpRequest) -> HttpResponse:
    """Drop zone, known formats and earlier imports; an upload leads to its preview."""
    if request.method != "POST":
        return _import_page(request)
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _import_page(request, error=_("Choose what the file holds."), status=400)
    kind = form.cleaned_data["kind"]
    try:
        batch = imports.upload(
            [(file.name or "upload", file) for file in form.files_sent],
            merchant=_merchant(request),
            kind=kind,
            actor=_actor(request),
            now=clock.now(),
            language=_language(),
            confirmed=False,
            user=request.user if isinstance(request.user, User) else None,
        )
    except Refused as refused:
        return _import_page(request, kind=kind, error=str(refused), status=refused.status)
    return redirect("merchant:import-detail", batch.pk)


def _import_page(request: HttpRequest, *, kind: str = "", error: str = "", status: int = 200) -> HttpResponse:
    form = ImportFilter(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    rows, more = pages.imports_of(_merchant(request), before=wanted.get("before"))
    return _page(
        request,
        "import",
        "import",
        status,
        error=error,
        kind=kind or wanted.get("kind") or ImportBatch.Kind.ORDERS,
        kinds=ImportBatch.Kind.choices,
        imports=[(row, *pages.status_pill(row)) for row in rows],
        more=more,
        is_first=wanted.get("before") is None,
        limit_bytes=settings.UPLOAD_LIMIT_BYTES,
    )


@merchant_page
@require_GET
def import_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The preview of an upload until it is confirmed, its progress and outcome afterwards."""
    batch = _batch(request, pk)
    language = _language()
    if batch.confirmed_at is None:
        form = ReadingForm(
            initial={"encoding": batch.chosen_encoding, "dialect": batch.dialect}, label_suffix=""
        )
        look = previews.preview(batch, language=language)
        return _page(
            request,
            "preview",
            "import",
            batch=batch,
            look=look,
            reading=form,
            size=_size(batch),
            dialect_name=DIALECT_NAMES.get(look.dialect, look.dialect),
        )
    return _page(
        request,
        "progress",
        "import",
        batch=batch,
        size=_size(batch),
        dialect_name=DIALECT_NAMES.get(batch.dialect, batch.dialect),
        state=pages.progress(batch, language=language, now=clock.now()),
        causes=outcomes.causes(batch, language=language),
        cautions=outcomes.cautions(batch, language=language),
        failure=outcomes.failure(batch, language=language),
        pill=pages.status_pill(batch),
    )


def _size(batch: ImportBatch) -> int:
    return sum(file.size_bytes for file in batch.files.all())


@merchant_page
@require_POST
def import_start(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm a preview: from here on the import runs by itself."""
    batch = _batch(request, pk)
    imports.confirm(batch.pk, merchant=_merchant(request), now=clock.now(), actor=_actor(request))
    return redirect("merchant:import-detail", pk)


@merchant_page
@require_POST
def import_reading(request: HttpRequest, pk: int) -> HttpResponse:
    """Read the files of a preview in another encoding or as another format."""
    batch = _batch(request, pk)
    form = ReadingForm(request.POST)
    if form.is_valid():
        imports.choose(batch.pk, merchant=_merchant(request), **form.cleaned_data)
    else:
        messages.error(request, _("This encoding or format does not exist. Choose one from the list."))
    return redirect("merchant:import-detail", pk)


@merchant_page
@require_POST
def import_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw a preview away; an import that runs is not stopped by it."""
    batch = _batch(request, pk)
    if imports.discard(batch.pk, merchant=_merchant(request)):
        messages.success(request, _("The upload was thrown away; nothing was imported."))
        return redirect("merchant:import")
    messages.error(request, _("This import was started already and cannot be thrown away."))
    return redirect("merchant:import-detail", pk)


@merchant_page
@require_GET
def import_status(request: HttpRequest, pk: int) -> HttpResponse:
    """The progress as JSON, asked every second by the page."""
    batch = _batch(request, pk)
    return JsonResponse(pages.progress(batch, language=_language(), now=clock.now()))


@merchant_page
@require_GET
def import_errors(request: HttpRequest, pk: int) -> HttpResponse:
    """The refused rows with their reasons as CSV, in the reader's language."""
    batch = _batch(request, pk)
    handle = io.StringIO(newline="")
    outcomes.write_errors(handle, batch, language=_language())
    return _download(handle.getvalue().encode(), f"import-{batch.pk}-errors.csv")


@merchant_page
@require_GET
def sample_file(request: HttpRequest, kind: str) -> HttpResponse:
    """A file to start from, with the merchant's own SKUs in it."""
    if kind not in ImportBatch.Kind.values:
        raise Http404
    content = pages.sample(
        _merchant(request), kind=kind, chinese=_language().startswith("zh"), now=clock.now()
    )
    return _download(content, f"orderhub-{kind}.csv")


def _download(content: bytes, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@merchant_page
@require_GET
def orders_page(request: HttpRequest) -> HttpResponse:
    """The merchant's orders, newest first."""
    form = OrderFilter(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    rows, more = pages.orders_of(
        _merchant(request),
        number=wanted.get("q") or "",
        stage=wanted.get("stage") or "",
        batch=wanted.get("batch"),
        before=wanted.get("before"),
    )
    keep = request.GET.copy()
    keep.pop("before", None)
    return _page(
        request,
        "orders",
        "orders",
        form=form,
        rows=rows,
        more=more,
        batch=wanted.get("batch"),
        query=keep.urlencode(),
        is_filtered=any(wanted.get(name) for name in ("q", "stage", "batch", "before")),
    )


@merchant_page
@require_GET
def stock_page(request: HttpRequest) -> HttpResponse:
    """The merchant's stock by SKU and warehouse."""
    form = StockFilter(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    text, warehouse = wanted.get("q") or "", wanted.get("warehouse") or ""
    page = Paginator(
        pages.stock_of(_merchant(request), text=text, warehouse=warehouse), pages.ROWS_SHOWN
    ).get_page(wanted.get("page") or 1)
    keep = request.GET.copy()
    keep.pop("page", None)
    return _page(
        request,
        "stock",
        "stock",
        page=page,
        text=text,
        warehouse=warehouse,
        query=keep.urlencode(),
        warehouses=Warehouse.objects.filter(merchant=_merchant(request)).order_by("code"),
        is_filtered=bool(text or warehouse),
    )
