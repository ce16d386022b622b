"""`ETag`, `If-None-Match` and `If-Match` (RFC 9110): read only what changed, act only on what you have seen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from orderhub.access.problems import FRAME
from orderhub.kernel import canonical
from orderhub.kernel.errors import Refused

_TAG = re.compile(r'(W/)?"([^"]*)"')
_VERSION = re.compile(r"v(\d+)-")


class Stale(Refused):
    """412: the thing is no longer what the caller saw; the answer carries its present tag."""

    def __init__(self, tag: str) -> None:
        _status, title, remedy = FRAME["precondition_failed"]
        super().__init__("precondition_failed", title, remedy=remedy, status=412, facts={"etag": tag})
        self.headers = {"ETag": tag}


def tag_of(document: Any, *, version: int | None = None) -> str:
    """A strong tag of these very words; with a version, `If-Match` compares that part alone."""
    digest = canonical.digest(document)[:24]
    return f'"{digest}"' if version is None else f'"v{version}-{digest}"'


def known_to(request: Request, tag: str) -> bool:
    """Whether `If-None-Match` says that the caller has this already (weak comparison)."""
    given = request.headers.get("If-None-Match", "")
    return given.strip() == "*" or tag.strip('"') in [word for _weak, word in _TAG.findall(given)]


def check_version(request: Request, version: int) -> None:
    """Raises Stale when `If-Match` names other versions than this one; without the header anything goes."""
    given = request.headers.get("If-Match", "").strip()
    if not given or given == "*":
        return
    seen = [_VERSION.match(word) for weak, word in _TAG.findall(given) if not weak]
    if str(version) not in [found[1] for found in seen if found]:
        raise Stale(f'"v{version}-"')


@contextmanager
def guarded(request: Request, row: Any) -> Iterator[None]:
    """Do something to a versioned row only while it is as the caller saw it: with `If-Match` the row stays locked.

    Raises Stale; without the header nothing is locked or asked.
    """
    if not request.headers.get("If-Match"):
        yield
        return
    with transaction.atomic():
        rows = type(row)._default_manager.select_for_update()
        check_version(request, rows.values_list("version", flat=True).get(pk=row.pk))
        yield


def check_tag(request: Request, tag: str) -> None:
    """Raises Stale when `If-Match` does not name this tag."""
    given = request.headers.get("If-Match", "").strip()
    if given and given != "*" and tag.strip('"') not in [w for weak, w in _TAG.findall(given) if not weak]:
        raise Stale(tag)


def tagged(request: Request, response: Response, *, version: int | None = None) -> Response:
    """The answer with its tag, or 304 without a body for a caller who has it."""
    tag = tag_of(response.data, version=version)
    if known_to(request, tag):
        response = Response(status=304)
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    return response


class TaggedDetail:
    """Mixed into a view set before its generic base: details carry a tag and answer 304."""

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One of them, with its ETag; 304 when `If-None-Match` names it."""
        view: Any = self
        found = view.get_object()
        response = Response(view.get_serializer(found).data)
        return tagged(request, response, version=getattr(found, "version", None))
