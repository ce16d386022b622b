"""Files of an SFTP server: of the right host only, moved where that is allowed, taken once where it is not."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from orderhub.connectors.console import trying
from orderhub.connectors.models import Connection, InboxMessage
from orderhub.kernel import clock
from orderhub.orders.models import Order
from tests import make
from tests.connectors import systems
from tests.connectors.ways import cast, servers
from tests.connectors.ways.servers import FileServer
from tests.make import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def key() -> tuple[str, Any]:
    """A private key as a person pastes it, and the public one the server knows."""
    text = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    ).decode()  # fmt: skip
    return text, paramiko.Ed25519Key.from_private_key(io.StringIO(text))


@pytest.fixture
def server(tmp_path: Path, hub_clock: Clock, key: tuple[str, Any]) -> Iterator[FileServer]:
    make.network()
    root = tmp_path / "theirs"
    (root / "outbox").mkdir(parents=True)
    with servers.sftp_server(root, user_key=key[1]) as started:
        yield started


def _connect(server: FileServer, *, secrets: dict[str, str] | None = None, **config: Any) -> Connection:
    return cast.connect(
        cast.SHOP, secrets=secrets or {"sftp_password": servers.PASSWORD}, **{
            "files_place": "sftp", "files_folder": "/outbox", "sftp_host": "127.0.0.1", "sftp_port": server.port,
            "sftp_user": "hub", "sftp_host_key": server.fingerprint, **config},
    )  # fmt: skip


def _put(server: FileServer, name: str, *numbers: int) -> Path:
    text = json.dumps({"orders": [systems.order(id=number, msg=f"m{number}") for number in numbers]})
    return cast.put(server.root / "outbox", name, text)


def _names(server: FileServer) -> list[str]:
    root = server.root / "outbox"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_files_are_fetched_and_moved_away_there(server: FileServer, hub_clock: Clock) -> None:
    row = _connect(server)
    _put(server, "a.json", 1001)
    _put(server, "订单.json", 1002)
    (server.root / "outbox" / "bad.json").write_text("{")

    found = cast.look(hub_clock)
    make.run_until_idle()

    day = f"{clock.now():%Y-%m-%d}"
    assert cast.error(row) == ""
    assert found == 2  # the third is seen in the inbox as unreadable
    assert sorted(Order.objects.values_list("external_id", flat=True)) == ["1001", "1002"]
    assert _names(server) == [
        f"done/{day}/a.json", f"done/{day}/订单.json", f"refused/{day}/bad.json", f"refused/{day}/bad.json.reason.txt",
    ]  # fmt: skip


@pytest.mark.parametrize("between", ["\n", " ", ""])
def test_a_key_opens_too_also_one_whose_lines_a_form_made_one(
    server: FileServer, hub_clock: Clock, key: tuple[str, Any], between: str
) -> None:
    row = _connect(server, secrets={"sftp_key": between.join(key[0].split("\n"))})
    _put(server, "a.json", 1001)

    assert cast.look(hub_clock) == 1, cast.error(row)


def test_nothing_is_said_to_a_host_that_is_not_the_right_one_and_test_shows_its_fingerprint(
    server: FileServer, hub_clock: Clock
) -> None:
    row = _connect(server, sftp_host_key="SHA256:another")
    _put(server, "a.json", 1001)

    assert cast.look(hub_clock) == 0

    assert server.fingerprint in cast.error(row)
    said = trying.test(row, now=clock.now())
    assert said[-1].tone == "bad"
    assert server.fingerprint in said[-1].text
    assert _names(server) == ["a.json"]


def test_where_we_may_only_read_a_file_is_taken_once_and_left(server: FileServer, hub_clock: Clock) -> None:
    server.disk.is_read_only = True
    row = _connect(server)
    _put(server, "a.json", 1001)
    cast.look(hub_clock, times=4)
    _put(server, "b.json", 1002)
    cast.look(hub_clock, times=4)

    assert _names(server) == ["a.json", "b.json"]
    assert InboxMessage.objects.filter(connection=row).count() == 2
    assert not row.traffic.exists() or sum(row.traffic.values_list("repeated", flat=True)) == 0
    assert sorted(cast.mark(row).cursor["taken"]) == ["a.json", "b.json"]


def test_a_wrong_password_a_missing_folder_and_a_server_that_is_gone_are_told(
    server: FileServer, hub_clock: Clock
) -> None:
    row = _connect(server, secrets={"sftp_password": "wrong"})
    cast.look(hub_clock, times=1)
    assert "does not let us in" in cast.error(row)

    systems.secretbox.put(row, "sftp_password", servers.PASSWORD, now=clock.now())
    row.config = {**row.config, "files_folder": "/nowhere"}
    row.save()
    cast.look(hub_clock, times=1, seconds=4000)
    assert "/nowhere" in cast.error(row)

    row.config = {**row.config, "sftp_port": servers.free_port()}
    row.save()
    cast.look(hub_clock, times=1, seconds=4000)
    assert "No connection" in cast.error(row)


def test_a_private_address_is_not_called_unless_that_was_allowed(
    server: FileServer, hub_clock: Clock
) -> None:
    row = _connect(server)
    Connection.objects.filter(pk=row.pk).update(allows_private=False)

    cast.look(hub_clock, times=1)

    assert "private network" in cast.error(row)
