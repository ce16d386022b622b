"""How parcels are drawn on the public page: status, contents, rounded places, a thinned track."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any

from orderhub.fulfillment.models import FulfillmentLine, FulfillmentOrder, Parcel
from orderhub.kernel import geo, regions
from orderhub.orders.models import Order, OrderLine
from tracking.center.book import Book
from tracking.center.engine import bands
from tracking.live_position.aboard import Point
from tracking.masking import mask_address
from tracking.models import Position
from tracking.narrate import eta_band, eta_text
from tracking.page_words import (
    BECAUSE,
    MADE,
    PARCEL_LABEL,
    PARCELS,
    PARTS,
    POSITION,
    TO_GO,
    UPDATING,
    WHERE_IT_IS,
)

#: A position is shown only while the parcel is in a carrier's hands and on its way.
MOVING = frozenset(
    {
        Parcel.Status.PICKED_UP,
        Parcel.Status.IN_TRANSIT,
        Parcel.Status.OUT_FOR_DELIVERY,
        Parcel.Status.DELIVERY_DELAYED,
    }
)
TRACK_POINTS = 40
Place = Position | Point
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: language, time zone and the present moment."""

    language: str
    zone: tzinfo
    now: datetime

    @property
    def tongue(self) -> str:
        """The key of our word tables."""
        return "zh" if self.language.startswith("zh") else "en"

    def pick(self, zh: str, en: str) -> str:
        """The name in the reader's language; the Chinese one where there is no English one."""
        return zh if self.tongue == "zh" else en or zh

    def item(self, line: OrderLine) -> str:
        """What the line is called."""
        return self.pick(line.name, line.sku.name_en)

    def arrival(self, earliest: datetime, latest: datetime, *, promise: datetime | None = None) -> str:
        """When something comes, in words; a promise is mentioned where one is given and missed."""
        return eta_text(
            earliest, latest, now=self.now, promise=promise, language=self.language, zone=self.zone
        )

    def band(self, earliest: datetime, latest: datetime) -> str:
        """The band alone, short enough to stand beneath a bar; that it is worked out anew once it is over."""
        if latest < self.now:
            return UPDATING[self.tongue]
        return eta_band(earliest, latest, now=self.now, language=self.language, zone=self.zone)

    def iso(self, at: datetime) -> str:
        """A moment in the reader's zone."""
        return at.astimezone(self.zone).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class Box:
    """A parcel, or a part of the order that is none yet (`parcel` None), with its units and newest
    positions first; `goal` is where it goes, degrees.
    """

    row: FulfillmentOrder
    parcel: Parcel | None
    items: Sequence[tuple[FulfillmentLine, int]]
    track: Sequence[Place]
    goal: tuple[float, float] | None = None

    @property
    def id(self) -> str:
        """The id on the page."""
        return f"f{self.row.pk}" if self.parcel is None else str(self.parcel.pk)

    @property
    def has_left(self) -> bool:
        """Whether it left the warehouse."""
        return self.parcel is not None and self.parcel.shipped_at is not None

    @property
    def is_delivered(self) -> bool:
        """Whether it arrived."""
        return self.parcel is not None and self.parcel.delivered_at is not None

    @property
    def band(self) -> tuple[datetime, datetime] | None:
        """When it is expected: what was reckoned, narrowed by where its vehicle is."""
        reckoned = self._reckoned
        if reckoned is None or not self.track or self.goal is None or self.parcel is None:
            return reckoned
        here = self.track[0]
        away = geo.road_km(float(here.latitude), float(here.longitude), *self.goal)
        is_out = self.parcel.status == Parcel.Status.OUT_FOR_DELIVERY
        return bands.located(*reckoned, at=here.occurred_at, road_km=away, is_out=is_out)

    @property
    def is_located(self) -> bool:
        """Whether the place of its vehicle moved what is expected."""
        return self.band != self._reckoned

    @property
    def _reckoned(self) -> tuple[datetime, datetime] | None:
        """As its lane and its milestones say, else the carrier's band, else the plan's."""
        expected = getattr(self.parcel, "expectation", None)
        if expected is not None:
            return expected.earliest_at, expected.latest_at
        source = self.parcel if self.parcel is not None and self.parcel.eta_from_at else self.row
        if source.eta_from_at is None or source.eta_to_at is None:
            return None
        return source.eta_from_at, source.eta_to_at


def drawn(box: Box, number: int, order: Order, reader: Reader, *, moving: bool, book: Book) -> Json:
    """One parcel of the page; the arrival is told only while the order moves."""
    tone, word = _status(box)
    warehouse = box.row.warehouse
    return {
        "id": box.id,
        "label": PARCEL_LABEL[reader.tongue].format(n=number),
        "status": {"tone": tone, "text": word[reader.tongue]},
        "eta": _eta(box, order, reader, book) if moving else None,
        "carrier": _carrier(box, reader),
        "tracking_number": masked(box.parcel.tracking_number) if box.parcel else "",
        "items": [{"name": _name(part, reader), "quantity": quantity} for part, quantity in box.items],
        "origin": {
            "name": reader.pick(warehouse.name, warehouse.name_en),
            **_point(warehouse.latitude, warehouse.longitude),
        },
        "destination": _point(order.latitude, order.longitude),
        **_whereabouts(box, order, reader),
    }


def destination(order: Order, reader: Reader) -> Json:
    """Where it goes, never nearer than the district."""
    text = mask_address(province=order.province, city=order.city, district=order.district)
    if reader.tongue == "en":
        text = english_place(order.country, order.province, order.city) or text
    return {"text": text, **_point(order.latitude, order.longitude)}


@lru_cache(maxsize=4096)
def english_place(country: str, province: str, city: str) -> str:
    """The English name of a place of our tables; "" for one they do not know that closely."""
    place = regions.locate(country, province, city)
    return place.name_en if place is not None and place.precision == "city" else ""


def masked(number: str) -> str:
    """A tracking number with its middle hidden: enough to recognize, too little to ask the carrier with."""
    if len(number) <= 8:
        return f"{'*' * max(len(number) - 2, 0)}{number[-2:]}"
    return f"{number[:4]}{'*' * (len(number) - 8)}{number[-4:]}"


def _status(box: Box) -> tuple[str, Any]:
    if box.parcel is None:
        is_made = any(part.made_on is not None for part, _units in box.items)
        usual = PARTS.get(box.row.state, PARTS["planned"])
        return MADE.get(box.row.state, usual) if is_made else usual
    if box.parcel.shipped_at is None and box.parcel.status == Parcel.Status.PENDING:
        return PARCELS["packed"]
    return PARCELS.get(box.parcel.status, PARCELS["unknown"])


def _eta(box: Box, order: Order, reader: Reader, book: Book) -> Json | None:
    if box.is_delivered or box.band is None:
        return None
    first, last = box.band
    late = is_late(first, last, promise=order.promised_at, now=reader.now)
    text = reader.arrival(first, last, promise=order.promised_at if late else None)
    return {
        "from": reader.iso(first),
        "to": reader.iso(last),
        "text": text,
        "because": _because(box, reader, book),
    }


def _because(box: Box, reader: Reader, book: Book) -> str:
    """Why the arrival was last reckoned anew, once more than leaving the warehouse is known."""
    if box.is_located:
        return BECAUSE[reader.tongue].format(text=WHERE_IT_IS[reader.tongue])
    known = getattr(box.parcel, "expectation", None)
    if known is None or known.because in ("", "SHIPPED") or not book.is_shown(known.because):
        return ""
    said = book.sentence(known.because, facts={"place": known.place}, language=reader.language)
    return BECAUSE[reader.tongue].format(text=said)


def is_late(earliest: datetime, latest: datetime, *, promise: datetime | None, now: datetime) -> bool:
    """Whether a band is over, or what is left of it lies past the promise; the page's bar shows a partly
    missed one.
    """
    return latest < now or (promise is not None and max(earliest, now) > promise)


def _carrier(box: Box, reader: Reader) -> str:
    card = box.row.rate_card
    if box.parcel is not None and box.parcel.carrier != card.carrier:
        return box.parcel.carrier
    return reader.pick(card.name, card.name_en)


def _name(part: FulfillmentLine, reader: Reader) -> str:
    return reader.pick(part.order_line.name, part.sku.name_en)


def _whereabouts(box: Box, order: Order, reader: Reader) -> Json:
    """Position and track while the parcel moves, on a grid of 200 m."""
    if box.parcel is None or box.parcel.status not in MOVING or not box.track:
        return {"position": None, "track": []}
    newest = box.track[0]
    here = _point(newest.latitude, newest.longitude)
    way = [_pair(position) for position in thinned(box.track)]
    text = _position_text(box.parcel, here, order, reader)
    return {"position": {**here, "at": reader.iso(newest.occurred_at), "text": text}, "track": way}


def thinned(track: Sequence[Place]) -> list[Place]:
    """At most 40 points from old to new, evenly picked, the oldest and the newest among them."""
    points = list(reversed(track))
    if len(points) <= TRACK_POINTS:
        return points
    step = (len(points) - 1) / (TRACK_POINTS - 1)
    return [points[round(n * step)] for n in range(TRACK_POINTS)]


def _position_text(parcel: Parcel, here: Json, order: Order, reader: Reader) -> str:
    is_out = parcel.status == Parcel.Status.OUT_FOR_DELIVERY
    text = POSITION["out_for_delivery" if is_out else "other"][reader.tongue]
    km = geo.road_km(here["lat"], here["lng"], float(order.latitude), float(order.longitude))
    return TO_GO[reader.tongue].format(text=text, km=f"{km:.0f}") if km >= 1 else text


def _pair(position: Place) -> list[float]:
    point = _point(position.latitude, position.longitude)
    return [point["lat"], point["lng"]]


def _point(latitude: object, longitude: object) -> Json:
    lat, lng = geo.round_position(float(str(latitude)), float(str(longitude)))
    return {"lat": lat, "lng": lng}
