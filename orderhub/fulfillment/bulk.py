"""Many orders in one call: each judged by itself, the good ones placed, chunk by chunk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import DataError, transaction
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ErrorDetail, ValidationError

from orderhub.access import answers, problems
from orderhub.access.models import Merchant
from orderhub.fulfillment import intake, wire_orders
from orderhub.fulfillment.intake import Answer
from orderhub.kernel import canonical
from orderhub.kernel.errors import Refused
from orderhub.orders import services
from orderhub.orders.drafts import OrderDraft

MOST = 1000
#: Orders per transaction: a fault takes back no more than these, and locks are short.
CHUNK = 200


def place_bulk(body: Any, *, key: str, merchant: Merchant, actor: str, now: datetime) -> Answer:
    """Place up to 1,000 orders, a result each; raises only for what is wrong with the call as a whole.

    An interrupted call has placed whole chunks; sent again, those are `unchanged` and the rest is placed.
    """
    answers.check(key)
    items = _items(body)
    body_hash = canonical.digest(body) if key else ""
    found = answers.earlier(merchant, key=key, body_hash=body_hash) if key else None
    if found:
        return Answer(*found, replayed=True)
    document = _document(judge(items, merchant=merchant, actor=actor, now=now, source="api"))
    if not key:
        return Answer(200, document)
    document = answers.in_order(document)
    try:
        with transaction.atomic():
            answers.keep(merchant, key=key, body_hash=body_hash, status=200, answer=document)
    except answers.KeyTaken:  # the same call, twice at once
        found = answers.earlier(merchant, key=key, body_hash=body_hash)
        if found:
            return Answer(*found, replayed=True)
    return Answer(200, document)


def judge(
    bodies: Sequence[Any], *, merchant: Merchant, actor: str, now: datetime, source: str
) -> list[dict[str, Any]]:
    """What became of each body: {index, status, external_id, id, number, error}, in their order."""
    results: list[dict[str, Any]] = []
    good: list[tuple[int, dict[str, Any]]] = []
    for index, body in enumerate(bodies):
        results.append({
            "index": index, "status": "refused", "external_id": _number(body), "id": None, "number": None,
            "error": None,
        })  # fmt: skip
        try:
            good.append((index, wire_orders.validated(body)))
        except ValidationError as fault:
            results[index]["error"] = problem(fault)
    drafts = intake.drafts_of(
        [data for _index, data in good], originals=[bodies[index] for index, _data in good], merchant=merchant, now=now
    )  # fmt: skip
    placeable: list[tuple[int, OrderDraft]] = []
    for (index, _data), draft in zip(good, drafts, strict=True):
        if isinstance(draft, Exception):
            results[index]["error"] = problem(draft)
        else:
            placeable.append((index, draft))
    for start in range(0, len(placeable), CHUNK):
        _place(
            placeable[start : start + CHUNK], results, merchant=merchant, actor=actor, now=now, source=source
        )
    return results


def problem(fault: Exception) -> dict[str, Any]:
    """The problem document of a refusal, in the language of the moment."""
    answer = problems.handle(fault, {})
    assert answer is not None, "only refusals come here"
    found: dict[str, Any] = answers.in_order(answer.data)
    return found


def _place(
    chunk: Sequence[tuple[int, OrderDraft]], results: list[dict[str, Any]], *, merchant: Merchant, actor: str,
    now: datetime, source: str,
) -> None:  # fmt: skip
    try:
        placements = services.place(
            [draft for _index, draft in chunk], merchant=merchant, actor=actor, now=now, source=source
        )
    except (DataError, Refused) as fault:
        if len(chunk) > 1:  # one spoils the chunk: find it, keep the others
            for pair in chunk:
                _place([pair], results, merchant=merchant, actor=actor, now=now, source=source)
            return
        results[chunk[0][0]]["error"] = problem(fault if isinstance(fault, Refused) else _unstorable())
        return
    for (index, draft), placement in zip(chunk, placements, strict=True):
        result = results[index]
        if placement.outcome == "conflict" or placement.order is None:
            result["error"] = problem(intake.order_exists(draft.external_id))
        else:
            result["status"] = placement.outcome
            result["id"], result["number"] = placement.order.pk, placement.order.number


def _unstorable() -> Refused:
    return Refused(
        "unstorable", _("The database does not take a value of this order."),
        remedy=_("Check its texts and numbers."), status=400,
    )  # fmt: skip


def _items(body: Any) -> list[Any]:
    items = body.get("orders") if isinstance(body, dict) else None
    if not isinstance(items, list) or set(body) != {"orders"}:
        raise _no(_("Send one object with a list named orders, nothing else."), "invalid")
    if not items:
        raise _no(_("The list is empty."), "empty")
    if len(items) > MOST:
        raise Refused(
            "too_many_orders", _("One call takes at most %(most)d orders.") % {"most": MOST},
            remedy=_("Send them in several calls, or import a file."), status=413, field="orders",
        )  # fmt: skip
    return items


def _no(message: object, code: str) -> ValidationError:
    return ValidationError({"orders": [ErrorDetail(str(message), code=code)]})


def _number(body: Any) -> str | None:
    found = body.get("external_id") if isinstance(body, dict) else None
    return found[:100] if isinstance(found, str) else None


def _document(results: list[dict[str, Any]]) -> dict[str, Any]:
    counts = dict.fromkeys(("created", "unchanged", "refused"), 0)
    for result in results:
        counts[result["status"]] += 1
    return {**counts, "results": results}
