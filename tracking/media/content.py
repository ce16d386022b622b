"""What a file is, by its first bytes and never by its name; pictures are written anew, without what cameras add."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import IO

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps, UnidentifiedImageError

from orderhub.kernel.errors import Refused

#: Bytes a picture or document may have; a video may have what any upload may.
MOST_BYTES = 20 * 1024 * 1024
MOST_PIXELS = 50_000_000
LONGEST_SIDE, THUMB_SIDE = 2560, 480
_JPEG_QUALITY = 85
_HEAD = 32
_PICTURES = {"JPEG": ("image/jpeg", "jpg"), "PNG": ("image/png", "png"), "WEBP": ("image/webp", "webp")}


@dataclass(frozen=True, slots=True)
class Sort:
    """A type we take: kind ("image", "video", "document"), MIME type, and ending of the kept file."""

    kind: str
    mime: str
    ending: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture written anew and its small one."""

    sort: Sort
    data: bytes
    thumb: bytes


def sort_of(head: bytes) -> Sort:
    """The type by magic bytes; Refused("media_type") for every other."""
    if head.startswith(b"\xff\xd8\xff"):
        return Sort("image", "image/jpeg", "jpg")
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Sort("image", "image/png", "png")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Sort("image", "image/webp", "webp")
    if head[4:8] == b"ftyp" and head[8:12] != b"heic":
        return Sort("video", "video/quicktime" if head[8:12] == b"qt  " else "video/mp4", "mp4")
    if head.startswith(b"\x1aE\xdf\xa3"):
        return Sort("video", "video/webm", "webm")
    if head.startswith(b"%PDF-"):
        return Sort("document", "application/pdf", "pdf")
    raise Refused(
        "media_type", _("This is no photo, video or PDF."), status=400, field="file",
        remedy=_("JPEG, PNG, WebP, MP4, MOV, WebM and PDF are taken."),
    )  # fmt: skip


def checked(file: IO[bytes], size: int) -> Sort:
    """What the file is, if it is not too large for that; Refused("media_type", "media_too_large")."""
    file.seek(0)
    sort = sort_of(file.read(_HEAD))
    file.seek(0)
    most = settings.UPLOAD_LIMIT_BYTES if sort.kind == "video" else MOST_BYTES
    if size > most:
        raise Refused(
            "media_too_large", _("The file is larger than %(megabytes)d MB.") % {"megabytes": most // 2**20},
            status=413, field="file", remedy=_("Send a shorter video or a smaller picture."),
        )  # fmt: skip
    return sort


def written_anew(file: IO[bytes]) -> Picture:
    """The picture decoded and encoded again, upright, at most 2560 pixels wide or high; without place and camera.

    Refused("media_broken") for what does not decode or claims more than 50 million pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=list(_PICTURES)) as opened:
                if opened.width * opened.height > MOST_PIXELS:
                    raise Image.DecompressionBombError
                kind = str(opened.format)
                upright = ImageOps.exif_transpose(opened)
                upright.load()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError,
            Image.DecompressionBombWarning) as fault:  # fmt: skip
        raise Refused(
            "media_broken", _("The picture cannot be read."), status=400, field="file",
            remedy=_("Open it on your computer and save it again."),
        ) from fault  # fmt: skip
    mime, ending = _PICTURES[kind]
    plain = upright if upright.mode in ("RGB", "L") else upright.convert("RGBA" if kind == "PNG" else "RGB")
    plain.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    data = _encoded(plain, kind)
    small = plain.convert("RGB")
    small.thumbnail((THUMB_SIDE, THUMB_SIDE))
    return Picture(Sort("image", mime, ending), data, _encoded(small, "JPEG"))


def _encoded(picture: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    options = {"quality": _JPEG_QUALITY} if kind != "PNG" else {"optimize": True}
    # A fresh picture: nothing of the old file's notes comes along.
    fresh = Image.new(picture.mode, picture.size)
    fresh.paste(picture)
    fresh.save(out, kind, **options)
    return out.getvalue()
