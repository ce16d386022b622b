"""Files behind signed links, whole or in ranges, as browsers ask for videos."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from orderhub.access.limits import address_of
from orderhub.kernel import clock
from tracking.media import services

_CHUNK = 256 * 1024
_RANGE = re.compile(r"^bytes=(\d*)-(\d*)$")


@require_safe
def show(request: HttpRequest, token: str) -> HttpResponseBase:
    """200 with the file, 206 with a part of it, 416 for a part it has not; 404 once the link has expired."""
    now = clock.now()
    found = services.find(token, now=now)
    if found is None:
        return _plain(HttpResponse(status=404))
    row, is_thumb, who = found
    path = services.folder() / (row.thumb_path if is_thumb else row.path)
    if not path.is_file():
        return _plain(HttpResponse(status=404))
    size = path.stat().st_size
    asked = _asked(request.headers.get("Range", ""), size)
    if asked is None:
        return _plain(HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"}))
    start, end = asked
    if not is_thumb and start == 0:
        services.note_look(row, who=who, address=address_of(request), now=now)
    is_part = (start, end) != (0, size - 1) or "Range" in request.headers
    response = StreamingHttpResponse(
        _parts(path, start, end) if request.method == "GET" else iter(()),
        status=206 if is_part else 200,
        content_type="image/jpeg" if is_thumb else row.content_type,
    )
    response["Content-Length"] = str(end - start + 1)
    response["Accept-Ranges"] = "bytes"
    if is_part:
        response["Content-Range"] = f"bytes {start}-{end}/{size}"
    if row.kind == "document":
        response["Content-Disposition"] = f'attachment; filename="document-{row.pk}.pdf"'
    return _plain(response)


def _plain(response: HttpResponseBase) -> HttpResponseBase:
    """Whatever is in a file, it is never a page of ours."""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, max-age=600"
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _asked(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte; the whole for no range or one we do not know; None for one beyond the end."""
    found = _RANGE.match(header.strip())
    if found is None or (not found[1] and not found[2]):
        return 0, max(size - 1, 0)
    if not found[1]:
        start, end = max(size - int(found[2]), 0), size - 1
    else:
        start, end = int(found[1]), min(int(found[2]) if found[2] else size - 1, size - 1)
    return (start, end) if start <= end and start < size else None


def _parts(path: Path, start: int, end: int) -> Iterator[bytes]:
    left = end - start + 1
    with path.open("rb") as source:
        source.seek(start)
        while left > 0 and (part := source.read(min(_CHUNK, left))):
            left -= len(part)
            yield part
