"""The forms and the page of connections that are fetched from: what is asked, what is missing, where files are put."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from orderhub.connectors import secretbox
from orderhub.connectors.models import Connection, InboxMessage, WayMark
from orderhub.events.registry import periodics
from tests import make
from tests.admin import desk
from tests.connectors import systems
from tests.connectors.ways import cast
from tests.make import Clock

pytestmark = pytest.mark.django_db
_PAGE = "/admin/connectors/connection/"
LANGUAGES = pytest.mark.parametrize("language", ["zh-hans", "en"])


@pytest.fixture(autouse=True)
def drop(settings: Any, tmp_path: Path, hub_clock: Clock) -> Path:
    make.network()
    settings.DROP_DIR = tmp_path / "drop"
    settings.DROP_DIR.mkdir()
    return Path(settings.DROP_DIR)


def _text(answer: Any) -> str:
    assert answer.status_code == 200, answer
    return str(answer.content.decode())


def _post(client: Client, document: dict[str, Any], **entered: Any) -> Any:
    profile = systems.profile(document)
    form = {"name": "Theirs", "code": "theirs", "merchant": make.merchant().pk, "channel": "new"}
    form |= {name if name in form else f"ask_{name}": value for name, value in entered.items()}
    return client.post(f"{_PAGE}connect/{profile.pk}/", form)


@LANGUAGES
def test_a_folder_is_connected_tested_and_switched_on(drop: Path, hub_clock: Clock, language: str) -> None:
    client = desk.boss(language)
    empty = _text(client.get(f"{_PAGE}connect/{systems.profile(cast.COUNTS).pk}/"))
    assert "ask_files_folder" in empty
    assert "ask_files_on" in empty
    assert empty.count("checked") >= 1  # the only way in is on

    answer = _post(client, cast.COUNTS, files_on="on", files_place="here", files_folder="carrier/in")

    row = Connection.objects.get(code="theirs")
    assert answer["Location"].endswith(f"{_PAGE}{row.pk}/change/")
    assert (row.door_key, WayMark.objects.get().kind) == (None, "files")
    page = _text(client.get(f"{_PAGE}{row.pk}/change/"))
    assert str(drop / row.merchant.code / "carrier" / "in") in page
    assert "SFTP" not in page
    client.post(f"{_PAGE}{row.pk}/do/test/")
    tested = _text(client.get(f"{_PAGE}{row.pk}/change/"))
    assert ("folder can be read" if language == "en" else "文件夹可以读取") in tested
    client.post(f"{_PAGE}{row.pk}/do/switch/", {"on": "1"})
    here = drop / row.merchant.code / "carrier" / "in"
    cast.put(here, "a.csv", "sku,qty,warehouse,at\nLAMP,5,SH1,2026-11-11 08:00:00\n")
    assert cast.look(hub_clock) == 1
    assert ("1 message" if language == "en" else "1 条消息") in _text(client.get(f"{_PAGE}{row.pk}/change/"))


def test_what_is_missing_is_told_at_its_field_and_nothing_is_written() -> None:
    client = desk.boss("en")
    places = ({"mail_on": "on", "mail_senders": "nobody"}, {"files_on": "on", "files_place": "here", "files_folder": "../other"},
              {"files_on": "on", "files_place": "sftp", "sftp_host_key": "aa:bb", "sftp_host": "h"})  # fmt: skip
    said = [_text(_post(client, cast.SHOP, **entered)) for entered in places]

    assert said[0].count("Needed for this way in.") == 3  # host, user, password
    assert "Write addresses" in said[0]
    assert "Write a folder below" in said[1]
    assert "SHA256" in said[2]
    assert not Connection.objects.filter(code="theirs").exists()
    table = _text(_post(client, cast.TABLE, table_on="on", table_name="a.b.c", table_moved_by=""))
    assert "schema.name" in table


def test_two_connections_do_not_share_a_folder() -> None:
    client = desk.boss("en")
    _post(client, cast.COUNTS, files_on="on", files_place="here", files_folder="carrier/in")
    row = Connection.objects.get(code="theirs")

    shared = _post(
        client,
        cast.SHOP,
        code="other",
        files_on="on",
        files_place="here",
        files_folder="carrier/in/",
        mail_tls="tls",
    )
    form = {"name": "Renamed", "channel": row.channel_id, "profile": row.profile_id, "ask_files_on": "on",
            "ask_files_place": "here", "ask_files_folder": "carrier/in"}  # fmt: skip
    client.post(f"{_PAGE}{row.pk}/settings/", form)

    assert "Another connection takes the files" in _text(shared)
    row.refresh_from_db()
    assert row.name == "Renamed"


def test_secrets_are_sealed_never_shown_and_kept_where_nothing_new_is_entered() -> None:
    client = desk.boss("en")
    _post(client, cast.SHOP, mail_on="on", mail_host="imap.example", mail_user="u", mail_password="s3cret-word",
          mail_senders="a@b.example", mail_tls="tls", files_place="here")  # fmt: skip
    row = Connection.objects.get(code="theirs")
    assert secretbox.current(row, "mail_password") == "s3cret-word"
    assert "s3cret-word" not in str(row.config)

    page = _text(client.get(f"{_PAGE}{row.pk}/change/"))
    assert "Password of the mailbox" in page
    assert "SFTP" not in page  # only of the ways that are used
    again = _text(client.get(f"{_PAGE}{row.pk}/settings/"))
    assert "s3cret-word" not in page + again
    form = {
        "name": "Renamed", "channel": row.channel_id, "profile": row.profile_id, "ask_mail_on": "on",
        "ask_mail_host": "imap.example", "ask_mail_user": "u", "ask_mail_senders": "a@b.example", "ask_mail_tls": "tls",
        "ask_files_place": "here",
    }  # fmt: skip
    client.post(f"{_PAGE}{row.pk}/settings/", form)
    row.refresh_from_db()
    assert (row.name, secretbox.current(row, "mail_password")) == ("Renamed", "s3cret-word")

    del form["ask_mail_on"]
    client.post(f"{_PAGE}{row.pk}/settings/", form)
    assert WayMark.objects.count() == 0


@LANGUAGES
def test_troubles_and_refused_files_are_told_in_the_readers_language(
    drop: Path, hub_clock: Clock, language: str
) -> None:
    row = cast.connect(cast.SHOP)
    here = cast.folder(drop, row)
    cast.put(here, "a.json", b"\x89PNG")
    cast.look(hub_clock)
    make.run_until_idle()
    client = desk.boss(language)
    message = InboxMessage.objects.get()

    shown = _text(client.get(f"/admin/connectors/inboxmessage/{message.pk}/change/"))
    assert ("not a text" if language == "en" else "不是可读取的文本") in shown
    here.rename(here.with_name("gone"))
    drop.rename(drop.with_name("away"))
    cast.look(hub_clock, times=1)
    assert ("must mount it" if language == "en" else "挂载") in _text(client.get(f"{_PAGE}{row.pk}/change/"))


def test_a_shipped_profile_of_files_shows_on_its_card_that_it_is_fetched(hub_clock: Clock) -> None:
    systems.profile(cast.SHOP)

    assert "is fetched by us" in _text(desk.boss("en").get(f"{_PAGE}connect/"))


def test_the_clock_looks_into_folders_by_itself(drop: Path, hub_clock: Clock) -> None:
    row = cast.connect(cast.SHOP)
    cast.put(cast.folder(drop, row), "a.json", '{"orders": []}')
    for _turn in range(2):
        hub_clock.advance(seconds=40)
        periodics["connectors.ways"].run()

    assert InboxMessage.objects.filter(connection=row).count() == 1
