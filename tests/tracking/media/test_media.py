"""Photos, videos and certificates: told by content, written anew, shown by links that end, in ranges, for a time."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from orderhub.kernel.errors import Refused
from orderhub.orders import sharing
from orderhub.orders.models import Order
from tests import make
from tracking import queries
from tracking.everywhere.models import MediaFile, MediaView
from tracking.media import content, services

pytestmark = pytest.mark.django_db
MP4 = struct.pack(">I", 24) + b"ftypisom" + bytes(12) + bytes(range(256)) * 40


@pytest.fixture
def order(hub_clock: make.Clock, settings: Any, tmp_path: Path) -> Order:
    settings.MEDIA_ROOT = tmp_path
    make.network()
    (placed,) = make.place()
    make.run_until_idle()
    return make.fresh(placed)


def photo(kind: str = "JPEG", size: tuple[int, int] = (3000, 1000)) -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    Image.new("RGB", size, "red").save(out, kind, exif=exif)
    return out.getvalue()


def add(order: Order, data: bytes, time: make.Clock, **fields: Any) -> MediaFile:
    values = {"step": "packing", "audience": "buyer", "actor": "api:test", **fields}
    return services.add(order, io.BytesIO(data), size=len(data), now=time.now(), **values)


def test_a_photo_is_written_anew_small_and_without_its_camera(order: Order, hub_clock: make.Clock) -> None:
    row = add(order, photo(), hub_clock)
    data = (services.folder() / row.path).read_bytes()
    thumb = Image.open(io.BytesIO((services.folder() / row.thumb_path).read_bytes()))

    assert b"SecretCamera" not in data
    assert max(Image.open(io.BytesIO(data)).size) == content.LONGEST_SIDE
    assert max(thumb.size) == content.THUMB_SIDE
    assert add(order, photo(), hub_clock).pk == row.pk
    assert len(list(services.folder().rglob("*.*"))) == 2


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"<svg xmlns='x'/>", "media_type"), (b"MZ" + bytes(99), "media_type"), (b"", "media_type"),
     (b"\xff\xd8\xff" + bytes(500), "media_broken"), (b"<html>", "media_type")],
)  # fmt: skip
def test_what_it_is_called_does_not_help(order: Order, hub_clock: make.Clock, data: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        add(order, data, hub_clock)
    assert refused.value.code == code
    assert not MediaFile.objects.exists()


def test_a_picture_that_claims_too_many_pixels_is_refused(
    order: Order, hub_clock: make.Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content, "MOST_PIXELS", 1000)
    with pytest.raises(Refused):
        add(order, photo(size=(100, 100)), hub_clock)


def test_a_video_of_two_gigabytes_is_refused_before_it_is_read(order: Order, hub_clock: make.Clock) -> None:
    class Unread(io.BytesIO):
        """A file that must not be read beyond its head."""

        def read(self, size: int | None = -1) -> bytes:
            assert size is not None
            assert 0 < size <= 64
            return super().read(size)

    with pytest.raises(Refused) as refused:
        services.add(
            order,
            Unread(MP4),
            size=2 * 2**30,
            step="packing",
            audience="buyer",
            now=hub_clock.now(),
            actor="x",
        )
    assert refused.value.code == "media_too_large"


def test_links_show_the_file_whole_and_in_parts_and_end(order: Order, hub_clock: make.Clock) -> None:
    row = add(order, MP4, hub_clock)
    link = services.link(row, who="buyer:1", now=hub_clock.now())
    client = Client()
    whole = client.get(link)
    assert b"".join(whole) == MP4  # type: ignore[arg-type]
    assert (whole.status_code, whole["Accept-Ranges"], whole["X-Content-Type-Options"]) == (
        200,
        "bytes",
        "nosniff",
    )
    assert "sandbox" in whole["Content-Security-Policy"]

    part = client.get(link, headers={"Range": "bytes=10-19"})
    assert (part.status_code, b"".join(part), part["Content-Range"]) == (  # type: ignore[arg-type]
        206, MP4[10:20], f"bytes 10-19/{len(MP4)}",
    )  # fmt: skip
    assert b"".join(client.get(link, headers={"Range": "bytes=-5"})) == MP4[-5:]  # type: ignore[arg-type]
    assert client.get(link, headers={"Range": f"bytes={len(MP4)}-"}).status_code == 416
    assert client.get(f"{link[:-4]}AAA/").status_code == 404
    assert client.get("/m/nonsense/").status_code == 404
    hub_clock.advance(minutes=31)
    assert client.get(link).status_code == 404
    assert MediaView.objects.count() == 1
    assert MediaFile.objects.get().views == 1


def test_the_page_shows_what_is_for_buyers_and_its_tag_stays(order: Order, hub_clock: make.Clock) -> None:
    add(order, photo(), hub_clock, title="打包照片")
    add(order, MP4, hub_clock, audience="staff")
    path = f"/api/v1/tracking/{sharing.token(order)}/"

    page = queries.page(order, language="zh-hans", now=hub_clock.now())
    assert [one["text"] for one in page["media"]] == ["打包照片"]
    first = Client().get(path)
    assert Client().get(path, headers={"If-None-Match": first["ETag"]}).status_code == 304
    assert "打包照片" in Client().get(f"/t/{sharing.token(order)}/").content.decode()


def test_files_go_when_their_time_has_come(order: Order, hub_clock: make.Clock) -> None:
    row = add(order, photo(), hub_clock)
    assert services.forget(now=hub_clock.now()) == 0
    hub_clock.advance(days=181)
    assert services.forget(now=hub_clock.now()) == 1
    assert not MediaFile.objects.filter(pk=row.pk).exists()


def test_a_merchant_adds_files_by_api_to_its_own_orders_only(order: Order) -> None:
    path = f"/api/v1/orders/{order.pk}/media/"
    file = SimpleUploadedFile("x.exe", photo())
    made = make.client().post(path, {"file": file, "step": "quality"}, format="multipart")
    assert made.status_code == 201, made.content
    assert made.json()["kind"] == "image"
    assert [one["step"] for one in make.client().get(path).json()] == ["quality"]
    assert (
        make.client().post(path, {"file": SimpleUploadedFile("a.jpg", b"no")}, format="multipart").status_code
        == 400
    )
