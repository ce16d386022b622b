"""What warehouses and carriers tell us, in our own words; connectors translate into these, services apply
them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

UpdateKind = Literal[
    "acknowledge",
    "pick",
    "pack",
    "ship",
    "reject",
    "short",
    "cancelled",
    "cancel_refused",
    "scan",
    "deliver",
    "redirected",
    "intercept_refused",
    "make",
]
#: What a factory tells of a work order.
MakeEvent = Literal[
    "accepted",
    "planned",
    "material",
    "started",
    "step",
    "qc_passed",
    "qc_failed",
    "rework",
    "finished",
    "changed",
]
Status = Literal["applied", "ignored", "refused"]


@dataclass(frozen=True, slots=True)
class Count:
    """Units of one SKU (its code)."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Update:
    """One message about one fulfillment order; only the fields of its kind are read.

    - pack: `tracking_number`, `carrier`, `grams`, `carton_grams`, all optional.
    - ship: `tracking_number` (empty: our own number stands in), `lines` (empty: everything left), weights;
    fewer units than are left is a short pick unless `more_to_come`.
    - short: `lines` are the units that cannot be shipped. reject, cancelled, cancel_refused: `reason`.
    - redirected, intercept_refused: what a carrier that was asked to take a parcel elsewhere says; `reason`.
    - scan: `status` (Parcel.Status), `milestone` (code of milestones.csv), `place`, `text`, position, `classifier`
    (empty: it happened; else PLANNED or ESTIMATED, which moves no status), `identity` (what the source knows it by) and
    `corrects` (the identity of what it takes the place of).
    - deliver: `place`, `distance_km` driven.
    - make: `event` of a factory, with `step` (its name), `good` and `scrap` units, `planned_at` (the finish it plans),
    `key` (once; else what it says), `reason`.
    Scans and deliveries find their parcel by `tracking_number`; empty means the only parcel there is.
    """

    kind: UpdateKind
    fulfillment_number: str
    occurred_at: datetime
    source: str = ""
    reason: str = ""
    lines: tuple[Count, ...] = ()
    more_to_come: bool = False
    carrier: str = ""
    tracking_number: str = ""
    grams: int | None = None
    carton_grams: int | None = None
    status: str = ""
    milestone: str = ""
    place: str = ""
    text: str = ""
    classifier: str = ""
    identity: str = ""
    corrects: str = ""
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    distance_km: Decimal | None = None
    event: MakeEvent | Literal[""] = ""
    step: str = ""
    good: int | None = None
    scrap: int | None = None
    planned_at: datetime | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of an update: applied; ignored (late or told before); refused, with a code of what to
    look at."""

    update: Update
    status: Status
    reason: str = ""
