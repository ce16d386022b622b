"""Boards: which orders are on one, and what it says of each; one token a board, found by its hash."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q, QuerySet

from orderhub.kernel.secrets import derived_token, token_hash
from orderhub.orders.models import Order
from tracking import live, narrate, queries
from tracking.everywhere.models import Board, MediaFile
from tracking.media import services as media
from tracking.models import Journey, TimelineEntry
from tracking.page_words import STAGES
from tracking.parcels import Reader

MOST_ORDERS = 30
_DEFAULTS = {
    Board.Kind.VIP: ("now", "production", "parcels", "media", "steps"),
    Board.Kind.B2B: ("now", "production", "parcels", "media"),
}
_PRODUCTION = frozenset({"production"})


def token(board: Board) -> str:
    """The token behind the board's link, found again after a rotation of keys."""
    tokens = [derived_token(key=key, subject=_subject(board)) for key in settings.SECRET_KEYS]
    return next((text for text in tokens if token_hash(text) == board.token_hash), tokens[0])


def stamp(board: Board) -> None:
    """Set the hash the link is found by; the board must be saved before, the caller saves again."""
    board.token_hash = token_hash(derived_token(key=settings.SECRET_KEYS[0], subject=_subject(board)))


def withdraw(board: Board) -> None:
    """Make every link shown so far useless; the next one is new."""
    board.nonce += 1
    stamp(board)
    board.save(update_fields=["nonce", "token_hash"])


def find(text: str, *, now: datetime) -> Board | None:
    """The active board of that link; None for an unknown, withdrawn or expired one."""
    board = (
        Board.objects.select_related("merchant").filter(token_hash=token_hash(text), is_active=True).first()
    )
    if board is None or (board.expires_at is not None and board.expires_at <= now):
        return None
    return board


def orders_of(board: Board, *, now: datetime) -> QuerySet[Order]:
    """Its orders, newest first."""
    chosen = Q(pk__in=board.orders.values("pk"))
    if board.phone:
        chosen |= Q(person__phone=board.phone)
    if board.channel_id:
        chosen |= Q(channel_id=board.channel_id)
    since = now - timedelta(days=board.days)
    rows = Order.objects.filter(chosen, merchant_id=board.merchant_id, received_at__gte=since)
    return rows.exclude(stage="merged").select_related("merchant", "channel").order_by("-received_at", "-pk")


def page(board: Board, *, language: str, now: datetime) -> dict[str, Any]:
    """The board as data: each order with the blocks that were chosen; each block says its source and age.

    Some 17 queries an order, at most 30 orders.
    """
    reader = Reader(language, ZoneInfo(board.merchant.time_zone), now)
    blocks = [str(one) for one in board.blocks] or list(_DEFAULTS[Board.Kind(board.kind)])
    orders = [_order(order, blocks, reader, board) for order in orders_of(board, now=now)[:MOST_ORDERS]]
    return {
        "name": board.name, "kind": board.kind, "language": language, "updated_at": reader.iso(now),
        "merchant": {"name": reader.pick(board.merchant.name, board.merchant.name_en)}, "orders": orders,
        "seq": sum(order["seq"] for order in orders),
    }  # fmt: skip


def revisions(board: Board, *, now: datetime) -> dict[int, int]:
    """The present revision of each order's page."""
    return live.revisions(list(orders_of(board, now=now).values_list("pk", flat=True)[:MOST_ORDERS]))


def _order(order: Order, blocks: list[str], reader: Reader, board: Board) -> dict[str, Any]:
    track = queries.page(order, language=reader.language, now=reader.now)
    drawn = [found for name in blocks if (found := _block(name, order, track, reader, board)) is not None]
    tone, words = STAGES.get(order.stage, STAGES["received"])
    return {
        "number": order.number, "external_id": order.external_id, "seq": track["seq"],
        "stage": {"tone": tone, "text": words[reader.tongue]}, "headline": track["headline"], "eta": track["eta"],
        "blocks": drawn,
    }  # fmt: skip


def _block(
    name: str, order: Order, track: dict[str, Any], reader: Reader, board: Board
) -> dict[str, Any] | None:
    rows: list[dict[str, Any]] = []
    at = track["updated_at"]
    if name == "production":
        rows = _production(order, reader)
        at = rows[0]["at"] if rows else at
    elif name == "steps":
        rows = [{"text": step["text"], "at": step["at"], "at_text": step["at_text"], "planned_text": ""}
                for step in track["timeline"]]  # fmt: skip
    elif name == "parcels":
        rows = [
            {"text": f"{parcel['carrier']} {parcel['tracking_number']}".strip(), "at": at, "planned_text": "",
             "at_text": parcel["status"]["text"]}
            for parcel in track["parcels"] if parcel["tracking_number"]
        ]  # fmt: skip
    elif name == "media":
        files = MediaFile.objects.filter(order=order, keep_until__gt=reader.now).exclude(audience="staff")
        found = media.shown(
            files.order_by("-pk"), who=f"board:{board.pk}", now=reader.now, tongue=reader.tongue
        )
        return (
            {"name": name, "title": _TITLES[name][reader.tongue], "rows": [], "media": found, "at": at}
            if found
            else None
        )
    elif name == "now":
        rows = [{"text": track["headline"]["detail"], "at": at, "at_text": "", "planned_text": ""}]
    rows = [row for row in rows if row["text"]]
    return (
        {"name": name, "title": _TITLES[name][reader.tongue], "rows": rows, "media": [], "at": at}
        if rows
        else None
    )


def _production(order: Order, reader: Reader) -> list[dict[str, Any]]:
    """Milestones of production and quality, which the buyer's own page leaves out; planned beside actual."""
    codes = [code for code, one in narrate.milestones().items() if one.group in _PRODUCTION]
    journey = Journey.objects.filter(order=order).first()
    entries = TimelineEntry.objects.filter(journey=journey, milestone__in=codes).order_by(
        "-occurred_at", "-seq"
    )
    found = []
    for entry in entries:
        text = narrate.sentence(
            entry.milestone,
            facts={**entry.facts, "place": entry.place},
            language=reader.language,
            audience="partner",
        )
        when = narrate.relative_time(
            entry.occurred_at, now=reader.now, language=reader.language, zone=reader.zone
        )
        is_done = entry.classifier == TimelineEntry.Classifier.ACTUAL
        found.append({
            "text": text, "at": reader.iso(entry.occurred_at), "at_text": when if is_done else "",
            "planned_text": "" if is_done else when,
        })  # fmt: skip
    return found


_TITLES = {
    "now": {"zh": "当前状态", "en": "Now"},
    "production": {"zh": "生产与质检", "en": "Production and quality"},
    "steps": {"zh": "全部进展", "en": "All steps"},
    "parcels": {"zh": "包裹", "en": "Parcels"},
    "media": {"zh": "照片、视频与证书", "en": "Photos, videos, certificates"},
}


def _subject(board: Board) -> str:
    return f"board:{board.pk}:{board.nonce}"
