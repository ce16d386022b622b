"""What the page of stock prices shows above its list: the books in force, and runs asked for by hand."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import ngettext

from orderhub.access.models import Merchant
from orderhub.inventory.admin_base import named
from orderhub.kernel import clock
from routing.pricing import calculating, sentences
from routing.pricing.models import PriceBook, PriceRun

MOST_MERCHANTS = 20


def books(merchants: Any) -> dict[str, Any]:
    """A row for each merchant with a book or a run; `is_watched` while a run is open. Three queries."""
    found = {merchant.pk: merchant for merchant in merchants[:MOST_MERCHANTS]}
    rows = PriceBook.objects.filter(merchant_id__in=found, status=PriceBook.Status.IN_FORCE).defer("slots")
    in_force = {book.merchant_id: book for book in rows}
    runs = calculating.newest(found)
    shown = [
        _row(merchant, in_force.get(pk), runs.get(pk))
        for pk, merchant in found.items()
        if pk in in_force or pk in runs
    ]
    return {
        "price_books": shown,
        "runs_link": reverse("admin:routing_pricerow_runs"),
        "is_watched": any(row["run"] is not None and row["run"].is_open for row in shown),
    }


def _row(merchant: Merchant, book: PriceBook | None, run: PriceRun | None) -> dict[str, Any]:
    return {
        "merchant": named(merchant),
        "book": book,
        "guards": [sentences.guard(held) for held in book.guards] if book else [],
        "link": reverse("admin:routing_pricebook_change", args=(book.pk,)) if book else "",
        "run": run if run is not None and (run.is_open or _is_news(run, book)) else None,
        "left": _left(run) if run is not None else "",
    }


def _is_news(run: PriceRun, book: PriceBook | None) -> bool:
    """Whether an ended run still says something: it failed and no book came since, or its book is in force."""
    if run.state == PriceRun.State.FAILED:
        return book is None or run.finished_at is None or book.made_at < run.finished_at
    return book is not None and run.book_id == book.pk


def _left(run: PriceRun) -> str:
    """About how long a run still takes, from how long its part took so far."""
    if run.state != PriceRun.State.RUNNING or not run.started_at or not 0 < run.done < run.total:
        return ""
    spent = (clock.now() - run.started_at).total_seconds()
    left = max(1, round(spent / run.done * (run.total - run.done)))
    return ngettext("about %(n)d second left", "about %(n)d seconds left", left) % {"n": left}
