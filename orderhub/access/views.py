"""Log-in and log-out of merchants' people, and the page of the API's problems."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.contrib.auth import views
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from orderhub.access.deprecation import RETIRED


class LoginView(views.LoginView):
    """The merchant's log-in page; attempts are throttled by django-axes."""

    template_name = "merchant/login.html"
    redirect_authenticated_user = True


class LogoutView(views.LogoutView):
    """Ends the session (POST only)."""


@lru_cache(maxsize=1)
def problem_catalog() -> list[dict[str, Any]]:
    """Every code of a refusal, as `manage.py snapshots` found them in the source."""
    text = (Path(__file__).parent / "problem_catalog.json").read_text("utf-8")
    found: list[dict[str, Any]] = json.loads(text)
    return found


def problems(request: HttpRequest) -> HttpResponse:
    """The page that a problem's `type` names: every code with its remedy, in the reader's language."""
    rows = [
        {**row, "title": _said(row["title"]), "remedy": _said(row["remedy"])} for row in problem_catalog()
    ]
    return render(request, "access/problems.html", {"rows": rows, "retired": RETIRED})


def _said(text: str) -> str:
    """The translated sentence with its placeholders as names: `%(sku)s` becomes `‹sku›`."""
    return re.sub(r"%\((\w+)\)[sd]", r"‹\1›", gettext(text)) if text else ""
