"""What connectors add to the Today page: messages, imports and connections that need a person."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Count, F, Q
from django.http import HttpRequest
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from orderhub.access.models import ApiKey
from orderhub.connectors.models import Connection, ImportBatch, InboxMessage
from orderhub.fulfillment.panels import Concern, concern
from orderhub.fulfillment.today import page_of

DAY = timedelta(hours=24)
#: So many failures in a row are no hiccup.
FAILURES = 3
#: Keys that end within these days are told.
SOON = timedelta(days=14)


@concern("inbox", permission="connectors.view_inboxmessage")
def quarantined(request: HttpRequest, now: datetime) -> list[Concern]:
    """Messages that could not be read, by connection; one query."""
    rows = InboxMessage.objects.filter(state=InboxMessage.State.QUARANTINED)
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
    """Connections that keep failing or are paused; one query."""
    rows = Connection.objects.filter(is_active=True)
    rows = rows.filter(Q(failures_in_a_row__gte=FAILURES) | Q(paused_until__gt=now)).order_by(
        "-failures_in_a_row"
    )
    return [
        Concern(
            "warn",
            _("%(name)s does not answer") % {"name": row.name},
            ngettext(
                "%(count)d failure in a row. What is owed to it waits in order; nothing is lost.",
                "%(count)d failures in a row. What is owed to it waits in order; nothing is lost.",
                row.failures_in_a_row,
            )
            % {"count": row.failures_in_a_row},
            "",
            page_of("connectors_connection_changelist"),
            _("look"),
            0,
        )
        for row in rows[:10]
    ]


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
