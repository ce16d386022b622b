"""Files in a folder: taken once when nobody writes them any more, put away, and refused with a reason beside them."""

from __future__ import annotations

import csv
import io
import json
import os
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

from orderhub.connectors import inbox
from orderhub.connectors.models import Connection, ImportBatch, InboxMessage, WayMark
from orderhub.connectors.ways import folders, keeping, turns
from orderhub.kernel import clock
from orderhub.orders.models import Order
from tests import make
from tests.admin import desk
from tests.connectors import systems
from tests.connectors.ways import cast
from tests.make import Clock

pytestmark = pytest.mark.django_db
State = InboxMessage.State


@pytest.fixture(autouse=True)
def drop(settings: Any, tmp_path: Path, hub_clock: Clock) -> Path:
    make.network()
    settings.DROP_DIR = tmp_path / "drop"
    settings.DROP_DIR.mkdir()
    return Path(settings.DROP_DIR)


def _orders(*numbers: int, rev: int = 1) -> str:
    orders = [systems.order(id=number, msg=f"m{number}.{rev}", rev=rev) for number in numbers]
    return json.dumps({"orders": orders}, ensure_ascii=False)


def _names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_file_becomes_a_message_a_part_and_is_moved_to_done(drop: Path, hub_clock: Clock) -> None:
    row = cast.connect(cast.SHOP)
    here = cast.folder(drop, row)
    cast.put(here, "a.json", _orders(1001, 1002))

    found = cast.look(hub_clock)
    make.run_until_idle()

    assert found == 1
    assert sorted(Order.objects.values_list("external_id", flat=True)) == ["1001", "1002"]
    assert _names(here) == [f"done/{clock.now():%Y-%m-%d}/a.json"]
    kept = InboxMessage.objects.exclude(reference="2")
    assert {one.state for one in kept} == {State.APPLIED}
    row.refresh_from_db()
    assert row.last_message_at is not None


def test_a_file_that_still_grows_is_left_until_it_is_still(drop: Path, hub_clock: Clock) -> None:
    here = cast.folder(drop, cast.connect(cast.SHOP))
    whole = _orders(1001)
    cast.put(here, "a.json", whole[:40])
    assert cast.look(hub_clock, times=1) == 0

    cast.put(here, "a.json", whole)
    assert cast.look(hub_clock, times=1) == 0

    assert cast.look(hub_clock, times=1) == 1
    make.run_until_idle()
    assert Order.objects.count() == 1


def test_a_file_that_changes_while_it_is_read_is_left_alone(drop: Path, hub_clock: Clock) -> None:
    row = cast.connect(cast.SHOP)
    here = cast.folder(drop, row)
    cast.put(here, "a.json", _orders(1001))
    with_folder = folders.Folder(row)
    (seen,) = with_folder.look()
    cast.put(here, "a.json", _orders(1001, 1002))

    with pytest.raises(folders.Changed):
        with_folder.read(seen)
    with_folder.close()


@pytest.mark.parametrize(
    "name", [".a.json", "a.json.part", "a.json.filepart", "~a.json", "a.json.tmp", "a.txt"]
)
def test_names_of_half_written_and_of_other_files_are_left_alone(
    drop: Path, hub_clock: Clock, name: str
) -> None:
    here = cast.folder(drop, cast.connect(cast.SHOP))
    cast.put(here, name, _orders(1001))

    assert cast.look(hub_clock, times=3) == 0
    assert _names(here) == [name]


def test_with_a_marker_a_file_is_taken_at_once_and_never_before(drop: Path, hub_clock: Clock) -> None:
    document = {
        **cast.SHOP,
        "code": "marked",
        "doors": {"files": {**cast.SHOP["doors"]["files"], "ready": ".done"}},
    }
    here = cast.folder(drop, cast.connect(document))
    cast.put(here, "a.json", _orders(1001))
    assert cast.look(hub_clock, times=3) == 0

    cast.put(here, "a.json.done", "")

    assert cast.look(hub_clock, times=1) == 1
    assert _names(here) == [f"done/{clock.now():%Y-%m-%d}/a.json"]


def test_the_same_file_again_changes_nothing_and_a_file_of_the_same_name_is_another(
    drop: Path, hub_clock: Clock
) -> None:
    row = cast.connect(cast.SHOP)
    here = cast.folder(drop, row)
    for text in (_orders(1001), _orders(1001), _orders(1002)):
        cast.put(here, "a.json", text)
        cast.look(hub_clock)
    make.run_until_idle()

    assert Order.objects.count() == 2
    assert len(_names(here)) == 3
    assert sum(row.traffic.values_list("repeated", flat=True)) == 1


def test_equal_rows_of_two_files_are_two_messages(drop: Path, hub_clock: Clock) -> None:
    """Monday five, Tuesday seven, Wednesday five again: the third row is no repeat of the first."""
    row = cast.connect(cast.COUNTS)
    here = cast.folder(drop, row)
    for number, count in enumerate((5, 7, 5)):
        line = f"LAMP,{count},SH1,2026-11-11 08:00:00\n"
        cast.put(here, f"{number}.csv", f"sku,qty,warehouse,at\n{line}MUG,{number},SH1,2026-11-11 08:00:00\n")
        cast.look(hub_clock)
    make.run_until_idle()

    parts = InboxMessage.objects.filter(envelope__part=True)
    assert parts.count() == 6


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty.json", b"  \n", "file_empty"),
        ("picture.json", b"\x89PNG\r\n\x1a\n....", "not_text"),
        ("other.json", b"<html>no</html>", "not_json"),
        ("latin.json", "{\"orders\": \"\xe9\"}".encode("latin-1"), "charset"),
        ("large.json", b'{"orders": "' + b"x" * 2_100_000 + b'"}', "file_too_large"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_a_reason_beside_it_and_seen_in_the_inbox(
    drop: Path, hub_clock: Clock, name: str, data: bytes, reason: str
) -> None:
    row = cast.connect(cast.SHOP)
    here = cast.folder(drop, row)
    cast.put(here, name, data)

    cast.look(hub_clock)
    make.run_until_idle()

    day = f"{clock.now():%Y-%m-%d}"
    assert _names(here) == [f"refused/{day}/{name}", f"refused/{day}/{name}.reason.txt"]
    said = (here / "refused" / day / f"{name}.reason.txt").read_text()
    assert len(said.strip().splitlines()) == 2
    (message,) = InboxMessage.objects.all()
    assert (message.state, message.reference) == (State.QUARANTINED, name)
    assert reason in {fault["code"] for fault in message.faults}
    assert cast.mark(row).last_refused == 1
    assert cast.look(hub_clock) == 0


def test_a_file_of_a_hundred_megabytes_is_refused_unread(drop: Path, hub_clock: Clock) -> None:
    here = cast.folder(drop, cast.connect(cast.SHOP))
    with (here / "huge.json").open("wb") as file:
        file.truncate(104_000_000)

    cast.look(hub_clock)
    make.run_until_idle()

    (said,) = here.glob("refused/*/huge.json.reason.txt")
    assert "104.0 MB" in said.read_text()
    assert InboxMessage.objects.get().faults[0]["code"] == "file_too_large"


def _zip(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("_", "."), data)
    return made.getvalue()


def _lying(data: bytes) -> bytes:
    """The same archive, whose directory says that its file is small."""
    at = data.index(b"PK\x01\x02") + 24
    return data[:at] + struct.pack("<I", 10) + data[at + 4 :]


def test_a_zip_brings_its_files_and_a_bomb_is_refused(drop: Path, hub_clock: Clock) -> None:
    here = cast.folder(drop, cast.connect(cast.SHOP))
    cast.put(here, "a.zip", _zip(a_json=_orders(1001).encode(), b_json=_orders(1002).encode(), read_me=b"x"))
    cast.put(here, "bomb.zip", _zip(b_json=b"0" * 60_000_000))
    cast.put(here, "liar.zip", _lying(_zip(b_json=os.urandom(30_000) * 2500)))
    cast.put(here, "many.zip", _zip(**{f"f{number}_json": b"{}" for number in range(201)}))
    cast.put(here, "strange.zip", _zip(a_exe=b"x"))

    cast.look(hub_clock)
    make.run_until_idle()

    assert Order.objects.count() == 2
    assert sorted(path.name for path in here.glob("refused/*/*.zip")) == [
        "bomb.zip",
        "liar.zip",
        "many.zip",
        "strange.zip",
    ]
    codes = (
        InboxMessage.objects.filter(state=State.QUARANTINED).order_by("key").values_list("error", flat=True)
    )
    assert sorted(codes) == ["zip_bomb", "zip_bomb", "zip_broken", "zip_strange"]


def test_a_bad_part_keeps_no_other_from_being_applied(drop: Path, hub_clock: Clock) -> None:
    here = cast.folder(drop, cast.connect(cast.SHOP))
    bad = {**systems.order(id=7, msg="bad"), "state": "dancing"}
    cast.put(here, "a.json", json.dumps({"orders": [systems.order(id=1001, msg="x"), bad]}))

    cast.look(hub_clock)
    make.run_until_idle()

    assert Order.objects.get().external_id == "1001"
    assert InboxMessage.objects.get(state=State.QUARANTINED).faults[0]["code"] == "unknown_value"


def test_a_large_file_of_rows_is_cut_between_rows_whatever_its_charset(drop: Path, hub_clock: Clock) -> None:
    """GB18030, quoted cells with line ends: every row is a message, once, and its cells are as they were."""
    made = io.StringIO(newline="")
    writer = csv.writer(made)
    writer.writerow(["sku", "qty", "warehouse", "at", "note"])
    for number in range(9000):
        writer.writerow(
            [
                f"SKU-{number}",
                number,
                "SH1",
                "2026-11-11 08:00:00",
                f'第 {number} 行，"引号"\n续行 ' + "备" * 30,
            ]
        )
    data = made.getvalue().encode("gb18030")
    row = cast.connect(cast.COUNTS)
    here = cast.folder(drop, row)
    cast.put(here, "rows.csv", data)
    assert len(data) > 2 * keeping.WHOLE_BYTES

    assert cast.look(hub_clock) == 9000

    messages = InboxMessage.objects.filter(connection=row)
    assert messages.count() == 9000
    assert _names(here) == [f"done/{clock.now():%Y-%m-%d}/rows.csv"]
    (here / "rows.csv").write_bytes(data)
    os.utime(here / "rows.csv", (1, 1))
    assert cast.look(hub_clock) == 0


def test_a_large_file_with_strange_bytes_is_refused_before_any_row_is_kept(
    drop: Path, hub_clock: Clock
) -> None:
    here = cast.folder(drop, cast.connect(cast.COUNTS))
    rows = b"LAMP,1,SH1,2026-11-11 08:00:00\n" * 30_000
    cast.put(here, "a.csv", b"sku,qty,warehouse,at\n" + rows + b"\xff\xff,1,SH1,2026-11-11 08:00:00\n")

    cast.look(hub_clock)

    (message,) = InboxMessage.objects.all()
    assert message.envelope["refused"] == "charset"


def test_a_file_of_orders_goes_to_the_import_once_into_the_channel_of_the_connection(
    drop: Path, hub_clock: Clock
) -> None:
    row = cast.connect(cast.IMPORTED)
    here = cast.folder(drop, row)
    head = "order_no,placed_at,sku,quantity,unit_price,recipient,phone,province,city,district,address"
    text = f"{head}\nA-1,2026-11-11 08:00,LAMP,1,120.00,王芳,13800000001,浙江省,杭州市,西湖区,文三路 90 号\n"
    cast.put(here, "a.csv", text)
    cast.look(hub_clock)
    cast.put(here, "b.csv", text)
    cast.look(hub_clock)
    make.run_until_idle()

    batch = ImportBatch.objects.get()
    assert batch.channel == row.channel
    assert (batch.status, Order.objects.count()) == (ImportBatch.Status.DONE, 1), batch.failure_kind
    message = InboxMessage.objects.get()
    assert (message.state, message.reference) == (State.APPLIED, f"import {batch.pk}")
    row.refresh_from_db()
    assert row.last_message_at is not None  # silence sees it
    page = desk.boss("en").get(f"/admin/connectors/inboxmessage/{message.pk}/change/")
    assert "a.csv" in page.content.decode()


# ---- nothing is lost and nothing is done twice ------------------------------------------------------


@pytest.mark.parametrize("where", ["before", "kept", "moved"])
def test_a_kill_at_any_moment_loses_nothing_and_applies_nothing_twice(
    drop: Path, hub_clock: Clock, monkeypatch: Any, where: str
) -> None:
    row = cast.connect(cast.SHOP)
    here = cast.folder(drop, row)
    cast.put(here, "a.json", _orders(1001, 1002))
    cast.look(hub_clock, times=1)

    class Killed(BaseException):
        """What no handler catches."""

    def killed(*_args: Any, **_options: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patch:
        if where == "before":
            patch.setattr(inbox, "receive", killed)
        elif where == "kept":
            patch.setattr(folders.Folder, "put_away", killed)
        else:
            patch.setattr(turns.Turn, "move", killed)
        hub_clock.advance(seconds=40)
        with pytest.raises(Killed):
            turns.run_due(now=clock.now())
    make.run_until_idle()
    assert turns.run_due(now=clock.now()) == 0  # still leased
    cast.abandon(row)
    cast.look(hub_clock)
    make.run_until_idle()

    assert sorted(Order.objects.values_list("external_id", flat=True)) == ["1001", "1002"]
    assert InboxMessage.objects.filter(envelope__part=True).count() == 2
    assert _names(here) == [f"done/{clock.now():%Y-%m-%d}/a.json"]


def test_two_workers_never_take_the_same_turn_and_one_that_lost_its_lease_moves_nothing(
    drop: Path, hub_clock: Clock
) -> None:
    row = cast.connect(cast.SHOP)
    here = cast.folder(drop, row)
    cast.put(here, "a.json", _orders(1001))
    cast.look(hub_clock, times=1)
    hub_clock.advance(seconds=40)
    first, second = (
        WayMark.objects.select_related("connection__profile__in_force", "connection__merchant").get()
        for _ in "ab"
    )
    WayMark.objects.update(token="another", leased_until=clock.now() + turns.LEASE)
    assert turns.run(second, now=clock.now()) == 0
    assert _names(here) == ["a.json"]

    hub_clock.advance(seconds=400)
    assert turns.run(first, now=clock.now()) == 1
    second.token = "another"
    stale = turns.Turn(
        second, row.profile and turns.shelf.spec_of(row).ways["files"], turns.shelf.spec_of(row), 0.0
    )  # type: ignore[arg-type]
    with pytest.raises(turns.Lost):
        stale.move({})


def test_where_nothing_may_be_moved_a_file_is_taken_once_and_left(
    drop: Path, hub_clock: Clock, monkeypatch: Any
) -> None:
    row = cast.connect(cast.SHOP)
    here = cast.folder(drop, row)
    cast.put(here, "a.json", _orders(1001))
    monkeypatch.setattr(folders.Folder, "put_away", lambda *_args, **_options: False)
    reads: list[str] = []
    own = folders.Folder.read
    monkeypatch.setattr(
        folders.Folder, "read", lambda self, seen: (reads.append(seen.name), own(self, seen))[1]
    )

    cast.look(hub_clock, times=5)

    assert reads == ["a.json"]
    cast.put(here, "a.json", _orders(1002))
    cast.look(hub_clock, times=2)
    assert reads == ["a.json", "a.json"]


# ---- nobody gets anywhere else ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "entered",
    ["../other", "a/../../other", "/etc", "~root", ".hidden", "a/./b", "done", "x\x00y", "a\\..\\b"],
)
def test_no_name_of_a_folder_leads_out_of_the_merchants_own(
    drop: Path, hub_clock: Clock, entered: str
) -> None:
    row = cast.connect(cast.SHOP, files_folder=entered)

    assert cast.look(hub_clock, times=1) == 0

    assert "folder" in cast.error(row)
    assert list(drop.iterdir()) == []


def test_links_are_never_followed(drop: Path, hub_clock: Clock, tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere"
    secret.mkdir()
    cast.put(secret, "s.json", _orders(1001))
    row = cast.connect(cast.SHOP)
    here = cast.folder(drop, row)
    (here / "a.json").symlink_to(secret / "s.json")
    os.mkfifo(here / "pipe.json")
    assert cast.look(hub_clock, times=3) == 0

    (here / "a.json").unlink()
    (here / "pipe.json").unlink()
    here.rmdir()
    here.symlink_to(secret)
    assert cast.look(hub_clock, times=2) == 0
    assert "cannot be opened" in cast.error(row)
    assert _names(secret) == ["s.json"]


def test_a_drop_folder_that_is_not_mounted_is_told_and_not_made(
    drop: Path, hub_clock: Clock, settings: Any
) -> None:
    row = cast.connect(cast.SHOP)
    settings.DROP_DIR = drop / "gone"

    cast.look(hub_clock)

    assert "HUB_DROP_DIR" in cast.error(row)
    row.refresh_from_db()
    assert row.failures_in_a_row >= 1
    assert not (drop / "gone").exists()


def test_what_was_put_away_is_deleted_after_the_days_that_were_set(
    drop: Path, hub_clock: Clock, settings: Any
) -> None:
    settings.DROP_KEEP_DAYS = 3
    here = cast.folder(drop, cast.connect(cast.SHOP))
    cast.put(here, "a.json", _orders(1001))
    cast.put(here, "b.json", "")
    cast.look(hub_clock)
    assert len(_names(here)) == 3

    hub_clock.advance(days=3)
    cast.look(hub_clock, times=1)
    assert len(_names(here)) == 3
    hub_clock.advance(days=1)
    cast.look(hub_clock, times=1)

    assert _names(here) == []


def test_a_connection_that_is_off_or_paused_is_left_alone(drop: Path, hub_clock: Clock) -> None:
    row = cast.connect(cast.SHOP)
    here = cast.folder(drop, row)
    cast.put(here, "a.json", _orders(1001))
    Connection.objects.filter(pk=row.pk).update(is_active=False)
    assert cast.look(hub_clock, times=3) == 0
    Connection.objects.filter(pk=row.pk).update(is_active=True, paused_until=clock.now() + turns.LEASE * 2)
    assert cast.look(hub_clock, times=3) == 0

    hub_clock.advance(seconds=1000)
    assert cast.look(hub_clock) == 1
