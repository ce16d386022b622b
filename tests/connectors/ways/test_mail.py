"""Attachments of mails, from a real IMAP server: of senders who may, once only, whatever becomes of worker or mailbox."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest

from orderhub.connectors.console import trying
from orderhub.connectors.models import Connection, InboxMessage
from orderhub.connectors.ways import imap, mail, turns
from orderhub.kernel import clock
from orderhub.orders.models import Order
from tests import make
from tests.connectors import systems
from tests.connectors.ways import cast, servers
from tests.connectors.ways.servers import MailServer
from tests.make import Clock

pytestmark = pytest.mark.django_db
State = InboxMessage.State


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with servers.mail_server(tmp_path_factory.mktemp("mail")) as started:
        yield started


@pytest.fixture(autouse=True)
def _trusted(server: MailServer, hub_clock: Clock, monkeypatch: Any) -> None:
    make.network()
    monkeypatch.setattr(imap, "tls", lambda: ssl.create_default_context(cafile=str(server.cert)))


@pytest.fixture
def box(server: MailServer, request: Any) -> str:
    """A folder of the test's own."""
    name = f"T{abs(hash(request.node.nodeid))}"
    client = server._client()
    client.create(name)
    client.logout()
    return name


def _connect(server: MailServer, box: str, **config: Any) -> Connection:
    return cast.connect(
        cast.SHOP, on="mail", secrets={"mail_password": servers.PASSWORD}, mail_host="localhost",
        **{"mail_port": server.tls_port, "mail_tls": "tls", "mail_user": servers.USER, "mail_folder": box,
           "mail_senders": "a@shop.example, @carrier.example", **config},
    )  # fmt: skip


def _mail(
    number: int, *, sender: str = "A <a@shop.example>", name: str = "orders.json", key: str = "", **heads: str
) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, "inbox@hub.example", f"orders {number}"
    made["Message-ID"] = f"<{key or number}@shop.example>"
    for head, value in heads.items():
        made[head.replace("_", "-")] = value
    made.set_content("Please find attached.")
    data = json.dumps({"orders": [systems.order(id=number, msg=f"m{number}")]}).encode()
    made.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return made


def _numbers() -> list[str]:
    make.run_until_idle()
    return sorted(Order.objects.values_list("external_id", flat=True))


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_attachments_are_taken_and_the_mails_stay_and_are_marked(
    server: MailServer, box: str, hub_clock: Clock, tls: str
) -> None:
    row = _connect(server, box, mail_tls=tls, mail_port=server.tls_port if tls == "tls" else server.port)
    server.put(_mail(1001), box)
    server.put(_mail(1002, sender="b@carrier.example", name="=?utf-8?B?6K6i5Y2VLmpzb24=?="), box)
    plain = EmailMessage()
    plain["From"] = "a@shop.example"
    plain.set_content("Hello")
    server.put(plain, box)

    found = cast.look(hub_clock, times=2, seconds=130)

    assert cast.error(row) == ""
    assert found == 2
    assert _numbers() == ["1001", "1002"]
    assert server.flags(box) == [r"\Seen", r"\Seen", ""]
    message = InboxMessage.objects.filter(envelope__door="mail").first()
    assert message is not None
    assert message.envelope["headers"]["mail-from"] == "a@shop.example"
    assert "orders 1001" not in json.dumps(message.envelope)  # subjects name people


def test_who_may_not_send_is_refused_and_seen(server: MailServer, box: str, hub_clock: Clock) -> None:
    _connect(server, box)
    server.put(_mail(1001, sender="a@shop.example.evil.example"), box)
    server.put(_mail(1002, sender="a@shop.example, b@evil.example"), box)
    server.put(_mail(1003), box)

    cast.look(hub_clock, times=1)

    assert _numbers() == ["1003"]
    refused = InboxMessage.objects.filter(state=State.QUARANTINED)
    assert {one.faults[0]["code"] for one in refused} == {"sender_unknown"}
    assert refused.count() == 2
    assert all(one.raw is None for one in refused)
    assert server.flags(box) == [r"\Flagged", r"\Flagged", r"\Seen"]


def test_only_what_the_own_mail_server_vouches_for_is_taken_where_that_is_asked(
    server: MailServer, box: str, hub_clock: Clock
) -> None:
    _connect(server, box, mail_checked_by="mx.hub.example")
    server.put(_mail(1, Authentication_Results="mx.hub.example; spf=pass; dmarc=fail"), box)
    server.put(_mail(2, Authentication_Results="mx.evil.example; dmarc=pass"), box)
    server.put(_mail(3, Authentication_Results="mx.hub.example; dkim=pass header.d=evil.example"), box)
    server.put(_mail(4), box)
    server.put(_mail(5, Authentication_Results="mx.hub.example; dkim=pass header.d=shop.example"), box)
    server.put(_mail(6, Authentication_Results="mx.hub.example; dmarc=pass header.from=shop.example"), box)

    cast.look(hub_clock, times=1)

    assert _numbers() == ["5", "6"]
    codes = InboxMessage.objects.filter(state=State.QUARANTINED).values_list("error", flat=True)
    assert list(codes) == ["sender_unchecked"] * 4


def test_a_folder_that_was_made_anew_is_read_again_and_nothing_applied_twice(
    server: MailServer, box: str, hub_clock: Clock
) -> None:
    row = _connect(server, box)
    server.put(_mail(1001), box)
    server.put(_mail(1002), box)
    cast.look(hub_clock, times=1)
    before = cast.mark(row).cursor

    server.make_anew(box)
    server.put(_mail(1002), box)
    server.put(_mail(1003), box)
    found = cast.look(hub_clock, times=1, seconds=130)

    assert found == 1
    assert cast.mark(row).cursor["life"] != before["life"]
    assert _numbers() == ["1001", "1002", "1003"]


def test_the_same_mail_twice_is_one_and_the_same_file_in_another_mail_is_told_apart_by_its_parts(
    server: MailServer, box: str, hub_clock: Clock
) -> None:
    row = _connect(server, box)
    for key in ("one", "one", "two"):
        server.put(_mail(1001, key=key), box)

    found = cast.look(hub_clock, times=1)

    assert found == 2
    assert _numbers() == ["1001"]
    assert sum(row.traffic.values_list("repeated", flat=True)) == 2  # a mail, and a part of the third


@pytest.mark.parametrize("where", ["kept", "moved"])
def test_a_kill_between_keeping_and_moving_on_loses_and_repeats_nothing(
    server: MailServer, box: str, hub_clock: Clock, monkeypatch: Any, where: str
) -> None:
    row = _connect(server, box)
    server.put(_mail(1001), box)
    server.put(_mail(1002), box)

    class Killed(BaseException):
        """What no handler catches."""

    def killed(*_args: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(*((turns.Turn, "move") if where == "kept" else (imap.Mailbox, "flag")), killed)
        hub_clock.advance(seconds=1)
        with pytest.raises(Killed):
            turns.run_due(now=clock.now())
    cast.abandon(row)
    cast.look(hub_clock, times=1)

    assert _numbers() == ["1001", "1002"]
    assert InboxMessage.objects.filter(envelope__part=True).count() == 2


def test_a_mail_nobody_can_read_keeps_no_other_from_being_read(
    server: MailServer, box: str, hub_clock: Clock, monkeypatch: Any
) -> None:
    _connect(server, box)
    server.put(_mail(1), box)
    server.put(_mail(1002), box)
    own = mail.attachments

    def broken(message: Any) -> Any:
        if "<1@" in str(message["message-id"]):
            raise LookupError("unknown encoding")
        return own(message)

    monkeypatch.setattr(mail, "attachments", broken)
    cast.look(hub_clock, times=1)

    assert _numbers() == ["1002"]
    assert InboxMessage.objects.get(state=State.QUARANTINED).faults[0]["code"] == "mail_unreadable"


def test_a_mail_that_is_too_large_is_refused_unread(
    server: MailServer, box: str, hub_clock: Clock, monkeypatch: Any
) -> None:
    monkeypatch.setattr(imap, "MOST_MAIL_BYTES", 3000)
    _connect(server, box)
    large = _mail(1)
    large.add_attachment(b"x" * 5000, maintype="text", subtype="csv", filename="x.csv")
    server.put(large, box)

    cast.look(hub_clock, times=1)

    assert _numbers() == []
    assert InboxMessage.objects.get().faults[0]["code"] == "mail_too_large"


def test_a_wrong_password_or_certificate_is_told_and_nobody_logs_in_before_the_host_is_known(
    server: MailServer, box: str, hub_clock: Clock, monkeypatch: Any
) -> None:
    row = _connect(server, box)
    monkeypatch.setattr(imap, "tls", ssl.create_default_context)
    cast.look(hub_clock, times=1)
    assert "certificate" in cast.error(row)

    monkeypatch.setattr(imap, "tls", lambda: ssl.create_default_context(cafile=str(server.cert)))
    row.config = {**row.config, "mail_user": "nobody"}
    row.save()
    cast.look(hub_clock, times=1, seconds=4000)
    assert "does not let us in" in cast.error(row)
    assert servers.PASSWORD not in cast.error(row)


def test_a_private_address_is_not_called_unless_that_was_allowed(
    server: MailServer, box: str, hub_clock: Clock
) -> None:
    row = _connect(server, box)
    Connection.objects.filter(pk=row.pk).update(allows_private=False)

    cast.look(hub_clock, times=1)

    assert "private network" in cast.error(row)


def test_the_test_button_tells_how_many_mails_there_are_and_takes_none(
    server: MailServer, box: str, hub_clock: Clock
) -> None:
    row = _connect(server, box)
    server.put(_mail(1001), box)

    said = [one.text for one in trying.test(row, now=clock.now())]

    assert any("1" in text and ("mail" in text or "邮件" in text) for text in said)
    assert InboxMessage.objects.count() == 0
    assert server.flags(box) == [""]
