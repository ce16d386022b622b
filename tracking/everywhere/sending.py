"""Notices on their way: one message for all that was gathered, by e-mail or through a partner's connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orderhub.connectors import speaking
from orderhub.connectors.base import Push
from orderhub.connectors.models import Connection
from orderhub.connectors.settling import Spoken
from orderhub.events.models import Delivery
from orderhub.events.registry import GiveUp, Partly
from orderhub.kernel.secrets import token_hash
from orderhub.orders import sharing
from orderhub.orders.models import Order
from tracking import queries
from tracking.everywhere.models import Notice, NoticeRule, OptOut
from tracking.everywhere.owing import NAME
from tracking.masking import mask_phone

Way = NoticeRule.Way
#: As many news as one message lists.
MOST_NEWS = 6


def send(deliveries: Sequence[Delivery], *, now: datetime) -> None:
    """Send what is owed, one message per rule and order; raises Partly for what could not be sent."""
    numbers = {int(row.destination) for row in deliveries}
    chosen = NoticeRule.objects.select_related(
        "merchant", "connection__profile__in_force", "connection__merchant"
    )
    rules = chosen.in_bulk(numbers)
    told = set(
        Notice.objects.filter(key__in=[key_of(row) for row in deliveries]).values_list("key", flat=True)
    )
    groups: dict[tuple[int, int], list[Delivery]] = {}
    for row in deliveries:
        if key_of(row) not in told:
            groups.setdefault((int(row.destination), int(row.stream.removeprefix("order:"))), []).append(row)
    orders = Order.objects.select_related("person", "merchant", "channel").in_bulk(
        {pk for _rule, pk in groups}
    )
    failures: dict[int, Exception] = {}
    for (rule_id, order_id), rows in groups.items():
        rule, order = rules.get(rule_id), orders.get(order_id)
        try:
            if rule is None or order is None or not rule.is_active:
                raise GiveUp("the rule is gone or switched off")
            _send(rule, order, rows, now=now)
        except Exception as fault:  # whatever one message meets: the others go on
            failures |= dict.fromkeys((row.pk for row in rows), fault)
    if failures:
        raise Partly(failures)


def key_of(delivery: Delivery) -> str:
    """What makes a notice one: event and audience."""
    return f"{delivery.event_id}/{delivery.destination}"


def contact_of(order: Order, way: str) -> str:
    """Where the buyer is reached by this way; "" if not."""
    return order.person.email.strip() if way == Way.EMAIL else order.person.phone.strip()


def contact_hash(contact: str) -> str:
    """What an opt-out is kept as."""
    return token_hash(f"contact:{contact.strip().lower()}")


def has_opted_out(order: Order, way: str) -> bool:
    """Whether the buyer wants no messages of the merchant by this way."""
    contact = contact_of(order, way)
    rows = OptOut.objects.filter(merchant_id=order.merchant_id, way=way)
    return bool(contact) and rows.filter(contact_hash=contact_hash(contact)).exists()


def set_opt_out(order: Order, way: str, *, wants: bool, now: datetime) -> None:
    """Note what the buyer wants, for all orders of this contact."""
    contact = contact_of(order, way)
    if not contact:
        return
    key = {"merchant_id": order.merchant_id, "way": way, "contact_hash": contact_hash(contact)}
    if wants:
        OptOut.objects.filter(**key).delete()
    else:
        OptOut.objects.get_or_create(**key, defaults={"since": now})


def _send(rule: NoticeRule, order: Order, rows: Sequence[Delivery], *, now: datetime) -> None:
    reason, to, text = "", "", ""
    if rule.way != Way.WEBHOOK:
        to = contact_of(order, rule.way)
        reason = "no_contact" if not to else "opted_out" if has_opted_out(order, rule.way) else ""
    if not reason:
        with translation.override(rule.language):
            page = queries.page(order, language=rule.language, now=now)
            news = _news(page, {row.event.seq for row in rows})
            if not news:
                reason = "nothing_to_say"
            else:
                text = _WAYS[Way(rule.way)](rule, order, page, news, to, rows, now)
    state = Notice.State.SKIPPED if reason else Notice.State.SENT
    Notice.objects.bulk_create(
        [
            Notice(
                merchant_id=order.merchant_id, rule=rule, order=order, key=key_of(row), way=rule.way, state=state,
                reason=reason, to=_masked(rule.way, to), text=text, at=now,
            )
            for row in rows
        ],
        ignore_conflicts=True,
    )  # fmt: skip


def _news(page: Mapping[str, Any], seqs: set[int]) -> list[str]:
    """What these events say, oldest first, as the page says it."""
    steps = [step for step in reversed(page["timeline"]) if step["seq"] in seqs]
    return [str(step["text"]) for step in steps][-MOST_NEWS:]


def _by_email(
    rule: NoticeRule, order: Order, page: Mapping[str, Any], news: Sequence[str], to: str,
    rows: Sequence[Delivery], now: datetime,
) -> str:  # fmt: skip
    address = f"{settings.PUBLIC_URL}{sharing.tracking_path(order)}"
    title = ngettext(
        "%(count)d piece of news about your order %(number)s",
        "%(count)d pieces of news about your order %(number)s",
        len(news),
    )
    subject = title % {"number": order.number, "count": len(news)}
    parts = [
        str(page["headline"]["text"]), "\n".join(f"· {line}" for line in news),
        _("The whole way of your order: %(link)s") % {"link": f"{address}?lang={rule.language}"},
        _("Messages on or off: %(link)s") % {"link": f"{address}notices/?lang={rule.language}"},
    ]  # fmt: skip
    text = "\n\n".join(part for part in parts if part)
    stop = f"{address}notices/?way=email"
    message = EmailMessage(
        subject, text, settings.NOTICE_FROM, [to],
        headers={
            "List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated", "X-OrderHub-Notice": key_of(rows[0]),
        },
    )  # fmt: skip
    try:
        message.send()
    except (SMTPException, OSError) as fault:
        # Its text may name the receiver.
        raise ConnectionError(type(fault).__name__) from None
    return _without_link(text, order)


def _by_sms(
    rule: NoticeRule, order: Order, page: Mapping[str, Any], news: Sequence[str], to: str,
    rows: Sequence[Delivery], now: datetime,
) -> str:  # fmt: skip
    path = f"{settings.PUBLIC_URL}{sharing.tracking_path(order)}"
    name = str(page["merchant"]["name"])
    text = _("[%(shop)s] Order %(number)s: %(text)s %(link)s") % {
        "shop": name, "number": order.number, "text": news[-1], "link": path,
    }  # fmt: skip
    _through(rule, order, rows, {"to": to, "text": text, "language": rule.language}, "notice.sms", now)
    return _without_link(text, order)


def _by_webhook(
    rule: NoticeRule, order: Order, page: Mapping[str, Any], news: Sequence[str], to: str,
    rows: Sequence[Delivery], now: datetime,
) -> str:  # fmt: skip
    said = {
        "order_number": order.number, "external_id": order.external_id, "headline": page["headline"]["text"],
        "news": list(news), "eta": page["eta"], "language": rule.language,
    }  # fmt: skip
    _through(rule, order, rows, said, "notice", now)
    return "\n".join(news)


def _through(
    rule: NoticeRule,
    order: Order,
    rows: Sequence[Delivery],
    data: Mapping[str, Any],
    sort: str,
    now: datetime,
) -> None:
    """A CloudEvent through the rule's connection: signed, paced, and never into a private network."""
    connection = rule.connection
    if connection is None or not connection.is_active:
        raise GiveUp("the connection is gone or switched off")
    source = str(speaking.config_of(connection).get("source") or "/orderhub").rstrip("/")
    body = {
        "type": f"com.orderhub.{sort}.v1", "source": f"{source}/{rule.merchant.code}", "subject": order.number,
        "time": now.isoformat(), "sequence": str(max(row.event.seq for row in rows)), "data": dict(data),
    }  # fmt: skip
    push = Push(
        key=f"event:{rows[0].event_id}/{NAME}/{rule.pk}", operation="milestone", reference=order.number, body=body,
        order_id=order.pk,
    )  # fmt: skip
    failed = speaking.send(connection, [push], after=_nothing, now=now)
    if push.key in failed:
        raise failed[push.key]


def _nothing(connection: Connection, spoken: Sequence[Spoken], now: datetime) -> None:
    """The answer changes nothing here."""


def _masked(way: str, to: str) -> str:
    if way != Way.EMAIL or "@" not in to:
        return mask_phone(to)
    name, _at, host = to.partition("@")
    return f"{name[:1]}***@{host}"[:80]


def _without_link(text: str, order: Order) -> str:
    """What is kept: the link opens the page, so it is not."""
    return text.replace(sharing.token(order), "…")


_WAYS = {Way.EMAIL: _by_email, Way.SMS: _by_sms, Way.WEBHOOK: _by_webhook}
