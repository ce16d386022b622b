"""What connectors add to the Today page: messages, imports and connections that need a person."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Min, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from orderhub.access.models import ApiKey
from orderhub.connectors import matrix, silence
from orderhub.connectors.console import health
from orderhub.connectors.models import Call, Connection, ImportBatch, InboxMessage
from orderhub.connectors.operation_words import OPERATIONS
from orderhub.fulfillment.panels import Concern, Drawn, concern, panel
from orderhub.fulfillment.today import page_of
from orderhub.orders.models import AddressChange, Order
from orderhub.templatetags.ui import pill

DAY = timedelta(hours=24)
#: So many failures in a row are no hiccup.
FAILURES = 3
#: Keys that end within these days are told.
SOON = timedelta(days=14)


TONES = {
    "acked": "ok", "waiting": "wait", "sending": "warn", "failed": "warn", "unknown": "warn", "refused": "bad",
    "dead": "bad", "skipped": "wait",
}  # fmt: skip


@panel("acknowledgments", order=45, permission="connectors.view_call")
def acknowledgments(order: Order, request: HttpRequest) -> Drawn | None:
    """Which system has heard of what, by address change; nothing where no system is to hear of anything."""
    found = matrix.of_order(order)
    groups = [(change, [_cell(row) for row in rows]) for change, rows in reversed(found.changes) if rows]
    others = [_cell(row) for row in found.others]
    if not groups and not others:
        return None
    return Drawn("admin/panels/acknowledgments.html", {"changes": groups, "others": others})


def _cell(row: matrix.Row) -> dict[str, Any]:
    state = Call.State(row.state)
    return {
        "row": row, "pill": pill(TONES[row.state], str(state.label)),
        "what": OPERATIONS.get(row.operation, row.operation), "needs_person": row.state == "dead",
        "link": _call_page(row.call_id) if row.call_id else "",
    }  # fmt: skip


def _call_page(call_id: int) -> str:
    return reverse("admin:connectors_call_change", args=(call_id,))


@concern("addresses", permission="orders.change_order")
def addresses(request: HttpRequest, now: datetime) -> list[Concern]:
    """Address changes that wait for a person; one query."""
    State = AddressChange.State
    rows = (
        AddressChange.objects.filter(
            Q(state=State.DECIDING) | Q(state=State.ASKING, escalated_at__isnull=False)
        )
        .select_related("order")
        .order_by("requested_at")
    )
    return [
        Concern(
            "bad" if row.state == State.DECIDING else "warn",
            _("Order %(number)s: the new address is not settled") % {"number": row.order.number},
            _("A part came back, a part did not: decide what becomes of it.")
            if row.state == State.DECIDING else _("Somebody has not answered for half an hour."),
            "", reverse("admin:orders_order_change", args=(row.order_id,)), _("look"), 0,
        )
        for row in rows[:5]
    ]  # fmt: skip


@concern("inbox", permission="connectors.view_inboxmessage")
def quarantined(request: HttpRequest, now: datetime) -> list[Concern]:
    """Messages that could not be read, by connection; one query."""
    rows = _own(request, InboxMessage.objects.filter(state=InboxMessage.State.QUARANTINED))
    found = rows.values(name=F("connection__name"), key_of=F("connection_id")).annotate(count=Count("pk"))
    return [
        Concern(
            "bad",
            ngettext(
                "%(count)d message from %(name)s could not be read",
                "%(count)d messages from %(name)s could not be read", row["count"],
            ) % {"count": row["count"], "name": row["name"]},
            _("Kept as they came: correct the cause, then replay them."), "",
            page_of(
                "connectors_inboxmessage_changelist",
                f"state__exact=quarantined&connection__id__exact={row['key_of']}",
            ),
            _("look"), 1,
        )
        for row in found.order_by("-count")
    ]  # fmt: skip


@concern("imports", permission="connectors.view_importbatch")
def imports(request: HttpRequest, now: datetime) -> list[Concern]:
    """Imports of the last week that failed or left rows out; one query."""
    recent = ImportBatch.objects.filter(created_at__gt=now - 7 * DAY)
    failed = Q(status=ImportBatch.Status.FAILED)
    partly = Q(status=ImportBatch.Status.DONE, refused_rows__gt=0, created_at__gt=now - DAY)
    found = recent.aggregate(failed=Count("pk", filter=failed), partly=Count("pk", filter=partly))
    concerns = []
    if found["failed"]:
        text = ngettext("%(count)d import failed", "%(count)d imports failed", found["failed"])
        link = page_of("connectors_importbatch_changelist", "status__exact=failed")
        detail = _("The merchant sees why and what to do; nothing of these files was taken over.")
        concerns.append(Concern("warn", text % {"count": found["failed"]}, detail, "", link, _("look"), 2))
    if found["partly"]:
        text = ngettext(
            "%(count)d import left rows out in 24 h",
            "%(count)d imports left rows out in 24 h",
            found["partly"],
        )
        link = page_of("connectors_importbatch_changelist", "status__exact=done")
        detail = _("Each row left out is listed with its reason.")
        concerns.append(
            Concern("warn", text % {"count": found["partly"]}, detail, "", link, _("see rows"), 3)
        )
    return concerns


@concern("connections", permission="connectors.view_connection")
def failing(request: HttpRequest, now: datetime) -> list[Concern]:
    """Connections that keep failing, are paused, or are silent at an hour when they usually speak; two queries."""
    stopped = Q(failures_in_a_row__gte=FAILURES) | Q(paused_until__gt=now)
    rows = _own(request, Connection.objects.filter(stopped | silence.may_be_quiet(now), is_active=True))
    known = list(rows.order_by("-failures_in_a_row", "pk")[:200])
    out = [
        row
        for row in known
        if row.failures_in_a_row >= FAILURES or (row.paused_until and row.paused_until > now)
    ]
    silent = silence.quiet(now=now, known=[row for row in known if row not in out])
    return [*map(_out, out[:10]), *(_silent(one, now) for one in silent[:10])]


def _out(row: Connection) -> Concern:
    text = ngettext(
        "%(count)d failure in a row. What is owed to it waits in order; nothing is lost.",
        "%(count)d failures in a row. What is owed to it waits in order; nothing is lost.", row.failures_in_a_row,
    )  # fmt: skip
    return Concern(
        "warn", _("%(name)s does not answer") % {"name": row.name}, text % {"count": row.failures_in_a_row}, "",
        _page(row), _("look"), 0,
    )  # fmt: skip


def _silent(one: silence.Quiet, now: datetime) -> Concern:
    return Concern(
        "warn", _("No word from %(name)s") % {"name": one.connection.name},
        _("Ask the other side whether it still sends; what was missed is fetched where it can be asked."),
        health.span(now - one.since), _page(one.connection), _("look"), 1,
    )  # fmt: skip


def _page(row: Connection) -> str:
    return reverse("admin:connectors_connection_change", args=(row.pk,))


@concern("calls", permission="connectors.view_call")
def dead_calls(request: HttpRequest, now: datetime) -> list[Concern]:
    """Calls that were refused for good, by system; one query."""
    rows = _own(request, Call.objects.filter(state=Call.State.DEAD))
    found = rows.values("connection_id", name=F("connection__name")).annotate(
        count=Count("pk"), oldest=Min("created_at")
    )
    return [
        Concern(
            "bad",
            ngettext(
                "%(name)s refused %(count)d call", "%(name)s refused %(count)d calls", row["count"]
            ) % {"count": row["count"], "name": row["name"]},
            _("Correct what is said, send it again, or skip it; other orders go on."),
            health.span(now - row["oldest"]),
            page_of("connectors_call_changelist", f"state__exact=dead&connection__id__exact={row['connection_id']}"),
            _("look"), 1,
        )
        for row in found.order_by("-count")
    ]  # fmt: skip


def _own(request: HttpRequest, rows: Any) -> Any:
    """Staff of one merchant see only its rows."""
    merchant_id = getattr(request.user, "merchant_id", None)
    return rows if merchant_id is None else rows.filter(merchant_id=merchant_id)


@concern("keys", permission="access.view_apikey")
def expiring(request: HttpRequest, now: datetime) -> list[Concern]:
    """Keys in use that end within two weeks; one query."""
    rows = ApiKey.objects.filter(
        revoked_at=None, replaced_by=None, expires_at__gt=now, expires_at__lte=now + SOON,
        merchant__is_active=True, last_used_at__gt=now - SOON,
    )  # fmt: skip
    ends = list(rows.order_by("expires_at").values_list("name", "expires_at"))
    if not ends:
        return []
    name, moment = ends[0]
    text = ngettext(
        "%(count)d API key in use ends within two weeks", "%(count)d API keys in use end within two weeks", len(ends)
    ) % {"count": len(ends)}  # fmt: skip
    detail = _("First %(name)s: rotate it and give the partner its successor.") % {"name": name}
    due = localtime(moment).strftime("%m-%d %H:%M") if moment else ""
    return [Concern("warn", text, detail, due, page_of("access_apikey_changelist"), _("look"), 5)]
