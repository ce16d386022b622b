"""Adding files to orders, links that expire, and forgetting what its time has come for."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from orderhub.fulfillment.models import Parcel
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order
from tracking import live
from tracking.everywhere.models import MediaFile, MediaView
from tracking.media import content

KEPT_FOR = timedelta(days=180)
LOOKS_KEPT_FOR = timedelta(days=365)
#: A link is good for at least this long, at most twice: it changes only every so often, so that pages stay the same.
LINK_SECONDS = 900
MOST_PER_ORDER = 60
_SALT = "tracking.media"
_CHUNK = 1024 * 1024


def folder() -> Path:
    """Where files lie; never served by the web server itself."""
    return Path(settings.MEDIA_ROOT) / "tracking"


def add(
    order: Order, file: IO[bytes], *, size: int, step: str, audience: str, now: datetime, actor: str,
    title: str = "", parcel: Parcel | None = None, taken_at: datetime | None = None, keep: timedelta = KEPT_FOR,
) -> MediaFile:  # fmt: skip
    """Keep a file for an order's step; the row there is if the same file stands there already.

    Raises Refused: "media_type", "media_too_large", "media_broken", "media_too_many".
    """
    if MediaFile.objects.filter(order=order).count() >= MOST_PER_ORDER:
        raise Refused("media_too_many", _("This order has as many files as it may have."))
    sort = content.checked(file, size)
    digest = _digest(file)
    known = MediaFile.objects.filter(order=order, sha256=digest, step=step).first()
    if known is not None:
        return known
    place = Path(str(order.merchant_id)) / f"{now:%Y%m}" / secrets.token_hex(16)
    thumb = ""
    if sort.kind == "image":
        picture = content.written_anew(file)
        sort, size = picture.sort, len(picture.data)
        thumb = f"{place}.thumb.jpg"
        _write(thumb, [picture.thumb])
        _write(f"{place}.{sort.ending}", [picture.data])
    else:
        _write(f"{place}.{sort.ending}", _chunks(file))
    try:
        with transaction.atomic():
            row = MediaFile.objects.create(
                merchant_id=order.merchant_id, order=order, parcel=parcel, step=step, audience=audience,
                title=title[:120], kind=sort.kind, content_type=sort.mime, bytes=size, sha256=digest,
                path=f"{place}.{sort.ending}", thumb_path=thumb, taken_at=taken_at, added_at=now,
                added_by=actor[:80], keep_until=now + keep,
            )  # fmt: skip
            live.touch([order.pk])
    except IntegrityError:
        _remove([f"{place}.{sort.ending}", thumb])
        return MediaFile.objects.get(order=order, sha256=digest, step=step)
    return row


# ---- links ---------------------------------------------------------------------------------------


def link(row: MediaFile, *, who: str, now: datetime, thumb: bool = False) -> str:
    """A path that shows the file to whoever has it, for 15 to 30 minutes; `who` is written into the log of looks."""
    window = int(now.timestamp()) // LINK_SECONDS
    ends = (window + 2) * LINK_SECONDS
    value = f"{row.pk}:{'t' if thumb else 'f'}:{ends}:{who}"
    return f"/m/{signing.Signer(salt=_SALT).sign_object([value]).replace(':', '~')}/"


def find(token: str, *, now: datetime) -> tuple[MediaFile, bool, str] | None:
    """The file behind a link, whether its small picture is meant, and who was given it; None once it has expired."""
    try:
        (value,) = signing.Signer(salt=_SALT).unsign_object(token.replace("~", ":"))
        number, form, ends, who = str(value).split(":", 3)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    if now.timestamp() >= int(ends):
        return None
    row = MediaFile.objects.filter(pk=int(number), keep_until__gt=now).first()
    return None if row is None else (row, form == "t", who)


def note_look(row: MediaFile, *, who: str, address: str, now: datetime) -> None:
    """Write down that somebody looked, once a minute for one reader and file."""
    lately = MediaView.objects.filter(media=row, who=who, at__gt=now - timedelta(minutes=1))
    if not lately.exists():
        MediaView.objects.create(media=row, at=now, who=who[:80], address=address[:64])
        MediaFile.objects.filter(pk=row.pk).update(views=F("views") + 1)


# ---- keeping -------------------------------------------------------------------------------------


def forget(*, now: datetime) -> int:
    """Delete files whose time has come, rows and all; how many."""
    gone = 0
    for row in MediaFile.objects.filter(keep_until__lte=now).order_by("keep_until")[:500]:
        delete(row)
        gone += 1
    MediaView.objects.filter(at__lt=now - LOOKS_KEPT_FOR).delete()
    return gone


def delete(row: MediaFile) -> None:
    """Delete a file and its row; the page forgets it."""
    order_id = row.order_id
    paths = [row.path, row.thumb_path]
    with transaction.atomic():
        row.delete()
        live.touch([order_id])
        transaction.on_commit(lambda: _remove(paths))


def _remove(paths: Iterable[str]) -> None:
    for path in paths:
        if path:
            (folder() / path).unlink(missing_ok=True)


def _digest(file: IO[bytes]) -> str:
    file.seek(0)
    found = hashlib.sha256()
    for part in iter(lambda: file.read(_CHUNK), b""):
        found.update(part)
    file.seek(0)
    return found.hexdigest()


def _chunks(file: IO[bytes]) -> Iterable[bytes]:
    file.seek(0)
    return iter(lambda: file.read(_CHUNK), b"")


def _write(path: str, parts: Iterable[bytes]) -> None:
    """Beside its place first: nobody is shown half a file."""
    whole = folder() / path
    whole.parent.mkdir(parents=True, exist_ok=True)
    beside = whole.with_suffix(".part")
    with beside.open("wb") as out:
        for part in parts:
            out.write(part)
    shutil.move(beside, whole)


def shown(rows: Iterable[MediaFile], *, who: str, now: datetime, tongue: str) -> list[dict[str, Any]]:
    """The files as pages list them, with links."""
    words = STEPS
    return [
        {
            "id": row.pk,
            "kind": row.kind,
            "step": row.step,
            "text": row.title or words[row.step][tongue],
            "type": row.content_type,
            "bytes": row.bytes,
            "url": link(row, who=who, now=now),
            "thumb": link(row, who=who, now=now, thumb=True) if row.thumb_path else "",
            "parcel_id": str(row.parcel_id) if row.parcel_id else None,
        }
        for row in rows
    ]


STEPS: dict[str, dict[str, str]] = {
    "production": {"zh": "生产", "en": "Production"},
    "quality": {"zh": "质检", "en": "Quality check"},
    "packing": {"zh": "打包", "en": "Packing"},
    "handover": {"zh": "交接", "en": "Handover"},
    "certificate": {"zh": "证书", "en": "Certificate"},
}
