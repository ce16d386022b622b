"""What the calls take and give.

Written from the OpenAPI document by `python manage.py snapshots`; do not edit.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class AcknowledgmentOut(TypedDict):
    """One message to one system, as it stands."""

    connection: str
    role: str
    operation: str
    reference: str
    state: AcknowledgmentOutStateEnum
    answer: str
    attempts: int
    asked_at: str
    sent_at: str | None
    answered_at: str | None
    next_at: str | None
    their_reference: str


AcknowledgmentOutStateEnum = Literal[
    "waiting", "sending", "acked", "refused", "unknown", "failed", "dead", "skipped"
]


class AcknowledgmentsOut(TypedDict):
    """All messages about an order, those of each address change together."""

    address_changes: list[ChangeAcknowledgmentsOut]
    others: list[AcknowledgmentOut]


class ActivitiesInRequest(TypedDict):
    """Up to 500 facts."""

    records: list[ActivityInRequest]


class ActivitiesOut(TypedDict):
    """One row per fact, in the order of the request."""

    results: list[ActivityOut]


class ActivityFault(TypedDict):
    """What is wrong with one field of a fact."""

    field: str
    code: str
    message: str


ActivityInKindEnum = Literal["meter", "temperature", "trip", "packaging", "rework"]


class ActivityInRequest(TypedDict):
    """One fact; what `data` holds depends on its kind."""

    kind: ActivityInKindEnum
    key: str
    starts_at: str
    ends_at: str
    data: dict[str, Any]
    source: str
    evidence_sha256: NotRequired[str]
    supersedes: NotRequired[str]


class ActivityOut(TypedDict):
    """What became of one fact: accepted, repeated or refused."""

    key: str
    status: ActivityOutStatusEnum
    flags: list[str]
    errors: list[ActivityFault]


ActivityOutStatusEnum = Literal["accepted", "repeated", "refused"]


class AddressChangeInRequest(TypedDict):
    """The whole new address, and who wants it."""

    destination: DestinationInRequest
    requested_by: NotRequired[RequestedByEnum]
    reason: NotRequired[str]


class AddressChangeOut(TypedDict):
    """A change of address as it stands; `destination` is the new one."""

    id: int
    state: NotRequired[AddressChangeOutStateEnum]
    text: str
    remedy: str
    requested_by: NotRequired[RequestedByEnum]
    reason: NotRequired[str]
    destination: dict[str, str]
    asked: NotRequired[Any]
    answer: NotRequired[str]
    requested_at: str
    settled_at: NotRequired[str | None]


class AddressChangeOutRows(TypedDict):
    """AddressChangeOutRows"""

    count: int
    results: list[AddressChangeOut]


AddressChangeOutStateEnum = Literal[
    "requested", "asking", "applied", "refused", "too_late", "deciding", "partly"
]


class AppliedOut(TypedDict):
    """A promotion that counted: what it took off which line (by position), and its gifts."""

    promotion: str
    name: str
    version: int
    off: str
    lines: dict[str, str]
    gifts: list[TriedGiftOut]
    missing_gifts: list[str]
    is_capped: bool
    free_shipping: bool
    text: str


class ArticleInRequest(TypedDict):
    """Units of an article to send; without a price as in the catalog, or as paid for one of the same list price."""

    sku: str
    quantity: int
    unit_price: NotRequired[str]


AudienceEnum = Literal["buyer", "board", "staff"]

BasisEnum = Literal["estimate", "actual"]

BlankEnum = Literal[""]


class Bom(TypedDict):
    """One version of what an article is made of."""

    id: int
    sku: str
    version: NotRequired[str]
    valid_from: NotRequired[str | None]
    valid_to: NotRequired[str | None]
    note: NotRequired[str]
    is_active: NotRequired[bool]
    lines: list[BomLine]


class BomAlternative(TypedDict):
    """A component that may be used instead."""

    sku: str
    ratio: NotRequired[str]
    priority: NotRequired[int]


class BomLine(TypedDict):
    """One component."""

    sku: str
    quantity: str
    unit: NotRequired[str]
    scrap_percent: NotRequired[str]
    alternatives: list[BomAlternative]


class BulkInRequest(TypedDict):
    """Up to 1,000 new orders."""

    orders: list[OrderInRequest]


class BulkOut(TypedDict):
    """What became of a call's orders."""

    created: int
    unchanged: int
    refused: int
    results: list[BulkResult]


class BulkResult(TypedDict):
    """What became of one order of the call; `error` is a problem document."""

    index: int
    status: BulkResultStatusEnum
    external_id: str | None
    id: int | None
    number: str | None
    error: Any


BulkResultStatusEnum = Literal["created", "unchanged", "refused"]


class CancelUnitsInRequest(TypedDict):
    """The units that are not wanted any more."""

    lines: list[PortionInRequest]
    reason: NotRequired[str]


class CaptureOut(TypedDict):
    """How a capture stands: events told before do not count again."""

    id: str
    events: list[CaptureRow]


class CaptureRow(TypedDict):
    """One event of a capture."""

    event_id: str
    state: NotRequired[CaptureRowStateEnum]
    reason: NotRequired[str]


CaptureRowStateEnum = Literal["waiting", "applied", "refused"]


class CarbonElement(TypedDict):
    """One element of a chain with the factors it used."""

    subject: str
    stage: str
    element: str
    factor: str
    factors: list[str]
    kg: str
    market_kg: str
    data_type: DataTypeEnum
    flags: list[str]


class CarbonFigure(TypedDict):
    """The figure of one basis: kg CO2e by location basis, its p5–p95 band, and by market basis."""

    kg: str
    low: str
    high: str
    market_kg: str
    primary_share: str
    by_stage: dict[str, str]
    is_whole: bool


class CarbonLine(TypedDict):
    """One order line's part of the headline figure."""

    position: int
    sku: str
    kg: str
    by_stage: dict[str, str]


class CartLineInRequest(TypedDict):
    """Units of one SKU in the cart."""

    sku: str
    quantity: int


class CartPlaceInRequest(TypedDict):
    """Where the cart goes: the address of an order, or only its region or Chinese postcode."""

    country: NotRequired[str]
    province: NotRequired[str]
    city: NotRequired[str]
    district: NotRequired[str]
    address: NotRequired[str]
    name: NotRequired[str]
    phone: NotRequired[str]
    postcode: NotRequired[str]
    email: NotRequired[str]


class ChangeAcknowledgmentsOut(TypedDict):
    """The messages of one address change."""

    change: int
    state: str
    systems: list[AcknowledgmentOut]


class Channel(TypedDict):
    """A shop or marketplace."""

    id: int
    code: str
    name: str
    name_en: NotRequired[str]
    kind: NotRequired[str]
    time_zone: NotRequired[str]
    merge_window_seconds: NotRequired[int]
    is_active: NotRequired[bool]


class Choice(TypedDict):
    """One thing to choose."""

    code: str
    name: str
    name_en: NotRequired[str]


class ChoiceRequest(TypedDict):
    """One thing to choose."""

    code: str
    name: str
    name_en: NotRequired[str]


ClassifierEnum = Literal["PLANNED", "ESTIMATED", "ACTUAL"]


class CloudEvent(TypedDict):
    """CloudEvents 1.0, as webhooks carry it."""

    specversion: str
    id: str
    type: str
    subject: str
    time: str
    sequence: str
    datacontenttype: str
    source: str
    data: dict[str, Any]


class CountInRequest(TypedDict):
    """Units counted of one SKU in one warehouse."""

    sku: str
    warehouse: str
    on_hand: int


class CountOut(TypedDict):
    """What a place holds after the count; `limited` when orders reserve more than was counted."""

    sku: str
    warehouse: str
    on_hand: int
    limited: bool


class CountsInRequest(TypedDict):
    """A stock count."""

    counts: list[CountInRequest]


class CountsOut(TypedDict):
    """One row per counted place, in the order of the request."""

    results: list[CountOut]


DataTypeEnum = Literal["primary", "modelled", "default"]


class DestinationInRequest(TypedDict):
    """Where it goes; `country` is ISO 3166 alpha-2."""

    country: NotRequired[str]
    province: str
    city: str
    district: NotRequired[str]
    address: str
    name: str
    phone: str
    postcode: NotRequired[str]
    email: NotRequired[str]


DialectEnum = Literal["generic", "shopify", "taobao", "amazon"]

EnergySourceEnum = Literal["grid", "solar", "mixed"]


class EventOut(TypedDict):
    """One fact of the order's log, with its words."""

    seq: int
    kind: str
    text: str
    occurred_at: str
    recorded_at: str
    actor: NotRequired[str]
    payload: NotRequired[Any]
    hash: str


class EventOutRows(TypedDict):
    """EventOutRows"""

    count: int
    results: list[EventOut]


class EventPage(TypedDict):
    """Events in the order they were committed; `after` is where to go on."""

    events: list[CloudEvent]
    after: str
    has_more: bool


class ExchangeInRequest(TypedDict):
    """What the customer sends back (`lines`), and what they get for it (`goods`)."""

    lines: list[PortionInRequest]
    goods: list[ArticleInRequest]
    reason: NotRequired[FollowUpReasonEnum]
    detail: NotRequired[str]
    waive: NotRequired[bool]
    return_expected: NotRequired[bool]


class Field(TypedDict):
    """One custom field; `is_own` is false for those that count for all merchants."""

    id: int
    target: TargetEnum
    code: str
    kind: NotRequired[FieldKindEnum]
    name: str
    name_en: NotRequired[str]
    help: NotRequired[str]
    help_en: NotRequired[str]
    unit: NotRequired[str]
    choices: NotRequired[list[Choice]]
    least: NotRequired[str]
    most: NotRequired[str]
    pattern: NotRequired[str]
    default: NotRequired[Any]
    is_required: NotRequired[bool]
    merchant_may: MerchantMayEnum
    customer_sees: NotRequired[bool]
    is_personal: NotRequired[bool]
    in_list: NotRequired[bool]
    in_filter: NotRequired[bool]
    position: NotRequired[int]
    archived_at: str | None
    is_own: bool


FieldKindEnum = Literal[
    "text", "integer", "decimal", "money", "boolean", "date", "time", "choice", "choices", "link"
]


class FieldRequest(TypedDict):
    """One custom field; `is_own` is false for those that count for all merchants."""

    target: TargetEnum
    code: str
    kind: NotRequired[FieldKindEnum]
    name: str
    name_en: NotRequired[str]
    help: NotRequired[str]
    help_en: NotRequired[str]
    unit: NotRequired[str]
    choices: NotRequired[list[ChoiceRequest]]
    least: NotRequired[str]
    most: NotRequired[str]
    pattern: NotRequired[str]
    default: NotRequired[Any]
    is_required: NotRequired[bool]
    customer_sees: NotRequired[bool]
    is_personal: NotRequired[bool]
    in_list: NotRequired[bool]
    in_filter: NotRequired[bool]
    position: NotRequired[int]


class FlowAtOut(TypedDict):
    """Where the order stands; `waits` names what for, empty while it goes on."""

    node: str
    step: str
    name: str
    waits: str


class FlowRefOut(TypedDict):
    """A drawn flow and its version."""

    id: int
    code: str
    name: str
    version: int


class FlowStopOut(TypedDict):
    """A node that was left: by which exit, on which condition, on which facts."""

    at: str
    by: str
    node: str
    step: str
    name: str
    exit: str
    exit_name: str
    why: str
    told: list[FlowToldOut]


class FlowToldOut(TypedDict):
    """A fact that a decision looked at, and its value then."""

    fact: str
    name: str
    value: str


FollowUpReasonEnum = Literal["lost", "damaged", "missing", "wrong", "choice"]


class FulfillmentLineOut(TypedDict):
    """Units of one SKU."""

    sku: str
    quantity: int
    reserved: NotRequired[int]
    shipped: NotRequired[int]
    made_on: NotRequired[str | None]


class FulfillmentOut(TypedDict):
    """What one warehouse ships."""

    id: int
    number: str
    warehouse: str
    carrier: str
    state: NotRequired[FulfillmentOutStateEnum]
    grams: int
    distance_km: str
    freight: NotRequired[str]
    eta_from_at: NotRequired[str | None]
    eta_to_at: NotRequired[str | None]
    refusal: NotRequired[str]
    created_at: str
    released_at: NotRequired[str | None]
    shipped_at: NotRequired[str | None]
    delivered_at: NotRequired[str | None]
    lines: list[FulfillmentLineOut]
    parcels: list[ParcelOut]


FulfillmentOutStateEnum = Literal[
    "planned",
    "reserved",
    "released",
    "acknowledged",
    "in_progress",
    "shipped",
    "delivered",
    "rejected",
    "cancel_requested",
    "cancelled",
]


class GoalPoint(TypedDict):
    """The destination, never nearer than its district."""

    lat: float
    lng: float
    text: str


class HeadlineText(TypedDict):
    """What the reader should know first."""

    text: str
    detail: str


class HoldInRequest(TypedDict):
    """A hold to place."""

    reason: NotRequired[HoldReasonEnum]
    detail: NotRequired[str]
    until: NotRequired[str | None]


class HoldOut(TypedDict):
    """A hold, active or released."""

    reason: HoldReasonEnum
    text: str
    detail: NotRequired[str]
    scope: NotRequired[ScopeEnum]
    until: NotRequired[str | None]
    placed_at: str
    released_at: NotRequired[str | None]
    active: bool


HoldReasonEnum = Literal[
    "awaiting_payment",
    "risk",
    "address_change",
    "address_invalid",
    "stock",
    "compliance",
    "merge_window",
    "customer",
    "flow",
    "manual",
]


class ImportInRequest(TypedDict):
    """An upload: one file, or two for dialects that come in two files."""

    file: str
    kind: NotRequired[ImportKindEnum]
    dialect: NotRequired[DialectEnum | BlankEnum]


ImportKindEnum = Literal["orders", "skus", "stock"]


class ImportOut(TypedDict):
    """How an import stands."""

    id: int
    kind: NotRequired[ImportKindEnum]
    status: NotRequired[ImportOutStatusEnum]
    dialect: NotRequired[str]
    encoding: NotRequired[str]
    rows: NotRequired[int]
    orders_total: NotRequired[int]
    done: NotRequired[int]
    accepted_orders: NotRequired[int]
    unchanged_orders: NotRequired[int]
    refused_rows: NotRequired[int]
    errors_url: str
    failure: dict[str, str] | None
    warnings: NotRequired[Any]
    created_at: str
    started_at: NotRequired[str | None]
    finished_at: NotRequired[str | None]


ImportOutStatusEnum = Literal["queued", "running", "paused", "done", "failed"]


class IntakeOut(TypedDict):
    """How an accepted body stands; `problem` is a problem document."""

    id: str
    status: IntakeOutStatusEnum
    status_url: str
    order: int | None
    order_number: str | None
    problem: NotRequired[Any]
    attempts: NotRequired[int]
    received_at: str
    done_at: NotRequired[str | None]


IntakeOutStatusEnum = Literal["received", "placed", "refused", "unreadable"]


class Key(TypedDict):
    """A key without its clear text; no scopes means every scope."""

    id: int
    name: str
    prefix: str
    scopes: list[ScopesEnum]
    rate_per_second: NotRequired[int | None]
    created_at: str
    expires_at: NotRequired[str | None]
    revoked_at: NotRequired[str | None]
    last_used_at: str | None
    replaced_by: int | None


class LastPosition(TypedDict):
    """Where the parcel was last seen."""

    lat: float
    lng: float
    at: str
    text: str


class LineCustomInRequest(TypedDict):
    """New values of one line, by its position."""

    position: int
    custom: dict[str, str | int | bool | list[str] | None]


class LineInRequest(TypedDict):
    """One line of a new order."""

    sku: str
    quantity: int
    unit_price: str
    custom: NotRequired[dict[str, str | int | bool | list[str] | None]]


class LineOut(TypedDict):
    """A line with its quantity ledger."""

    position: int
    sku: str
    name: str
    unit_price: str
    line_total: str
    discount: NotRequired[str]
    ordered: int
    open: int
    backordered: NotRequired[int]
    allocated: NotRequired[int]
    released: NotRequired[int]
    shipped: NotRequired[int]
    cancelled: NotRequired[int]
    delivered: NotRequired[int]
    returned: NotRequired[int]
    custom: dict[str, Any]


class MadeWish(TypedDict):
    """What a buyer asked for, and what became of it."""

    kind: str
    title: str
    text: str
    tone: str
    outcome: str
    answer: str
    at: str


class MediaInRequest(TypedDict):
    """A file: JPEG, PNG, WebP (up to 20 MB, written anew), PDF (20 MB), MP4, MOV, WebM (the hub's upload limit)."""

    file: str
    step: NotRequired[StepEnum]
    audience: NotRequired[AudienceEnum]
    title: NotRequired[str]
    tracking_number: NotRequired[str]
    taken_at: NotRequired[str | None]
    keep_days: NotRequired[int]


class MediaOut(TypedDict):
    """A kept file; `url` is good for 15 to 30 minutes."""

    id: int
    kind: MediaOutKindEnum
    step: NotRequired[StepEnum]
    audience: NotRequired[AudienceEnum]
    title: NotRequired[str]
    content_type: str
    bytes: int
    taken_at: NotRequired[str | None]
    added_at: str
    keep_until: str
    views: NotRequired[int]
    url: str


MediaOutKindEnum = Literal["image", "video", "document"]

MerchantMayEnum = Literal["none", "read", "write"]


class MergeInRequest(TypedDict):
    """The other orders, by id."""

    orders: list[int]
    reason: NotRequired[str]


ModeEnum = Literal["road", "air", "rail", "sea"]


class MoveInRequest(TypedDict):
    """The warehouse, by code, that is to ship what has not left."""

    warehouse: str
    reason: NotRequired[str]


class Named(TypedDict):
    """Something with a name."""

    name: str


class NamedPoint(TypedDict):
    """A place with its name."""

    lat: float
    lng: float
    name: str


class NeedOut(TypedDict):
    """How much of a component is needed, exactly, and in whole units off a shelf."""

    sku: str
    quantity: str
    units: int
    unit: str
    path: list[str]


class NeedsOut(TypedDict):
    """Everything some units of an article are made of."""

    sku: str
    units: int
    needs: list[NeedOut]


class NewKey(TypedDict):
    """The successor; `key` is shown this once."""

    id: int
    name: str
    prefix: str
    scopes: list[ScopesEnum]
    rate_per_second: NotRequired[int | None]
    created_at: str
    expires_at: NotRequired[str | None]
    revoked_at: NotRequired[str | None]
    last_used_at: str | None
    replaced_by: int | None
    key: str
    old_key_expires_at: str


class OfferedWish(TypedDict):
    """What a buyer may ask for now: preference, address, return or complaint."""

    kind: str
    title: str
    choices: list[WishChoice]


class OrderBrief(TypedDict):
    """An order in a list."""

    id: int
    number: str
    external_id: str
    channel: str
    source: NotRequired[str]
    stage: NotRequired[StageEnum]
    paid: bool
    currency: str
    goods_total: str
    discount_total: NotRequired[str]
    total: str
    placed_at: str
    received_at: str
    promised_at: NotRequired[str | None]
    green: NotRequired[bool]
    service: NotRequired[str]
    waiting_for: NotRequired[str]
    tracking_url: str
    version: NotRequired[int]
    custom: dict[str, Any]


class OrderCarbon(TypedDict):
    """An order's carbon figures; all kg are decimal strings in kg CO2e, and the lines add up to `kg`
    exactly.
    """

    basis: BasisEnum
    kg: str
    low: str
    high: str
    lines: list[CarbonLine]
    estimate: CarbonFigure | None
    actual: CarbonFigure | None
    elements: list[CarbonElement]
    method: str
    year: str
    primary_share: str
    explanation: str


OrderEta = TypedDict(
    "OrderEta",
    {"text": "str", "to": "str", "promise": "str | None", "late": "bool", "from": "str", "label": "str"},
)


class OrderFlowOut(TypedDict):
    """The flow of an order; `flow` is null for orders on the built-in journey or a flat list of steps."""

    flow: FlowRefOut | None
    at: FlowAtOut | None
    way: list[FlowStopOut]
    tags: list[str]


class OrderInRequest(TypedDict):
    """A new order."""

    external_id: str
    channel: NotRequired[str]
    currency: NotRequired[str]
    paid: NotRequired[bool]
    placed_at: NotRequired[str]
    destination: DestinationInRequest
    lines: list[LineInRequest]
    service: NotRequired[ServiceEnum]
    green: NotRequired[bool]
    note: NotRequired[str]
    extra: NotRequired[Any]
    custom: NotRequired[dict[str, str | int | bool | list[str] | None]]


class OrderOut(TypedDict):
    """An order whole."""

    id: int
    number: str
    external_id: str
    channel: str
    source: NotRequired[str]
    stage: NotRequired[StageEnum]
    paid: bool
    currency: str
    goods_total: str
    discount_total: NotRequired[str]
    total: str
    placed_at: str
    received_at: str
    promised_at: NotRequired[str | None]
    green: NotRequired[bool]
    service: NotRequired[str]
    waiting_for: NotRequired[str]
    tracking_url: str
    version: NotRequired[int]
    custom: dict[str, Any]
    note: NotRequired[str]
    extra: NotRequired[Any]
    destination: dict[str, str]
    lines: list[LineOut]
    holds: list[HoldOut]
    fulfillment_orders: list[FulfillmentOut]
    split_from: NotRequired[int | None]
    merged_into: NotRequired[int | None]
    supported_actions: list[str]


class OrderPricingOut(TypedDict):
    """How an order was priced: by which versions, with which gifts (by position), and why not otherwise."""

    currency: str
    goods: str
    discount: str
    lines: list[TriedLineOut]
    applied: list[AppliedOut]
    skipped: list[SkippedOut]
    order: int
    versions: dict[str, int]
    free_shipping: bool
    gifts: list[dict[str, Any]]
    priced_at: str | None
    skipped_more: int


class PageCarbon(TypedDict):
    """kg CO2e of the order as people see it, with the p5–p95 band."""

    basis: BasisEnum
    kg: float
    low: float
    high: float
    text: str
    method: str
    year: str
    primary_share: float


class PageDetail(TypedDict):
    """A custom field that the merchant shows to customers; `link` is set where the value is one."""

    name: str
    text: str
    link: str


class PageEvent(TypedDict):
    """A step of the order; expected ones (`ESTIMATED`) have a negative `seq`."""

    seq: int
    text: str
    at: str
    at_text: str
    place: str
    tone: str
    classifier: ClassifierEnum
    parcel_id: str | None
    is_now: bool
    source: str


class PageItem(TypedDict):
    """Units of one product."""

    name: str
    quantity: int


class PageMedia(TypedDict):
    """A photo, video or document; `url` and `thumb` are good for 15 to 30 minutes."""

    id: int
    kind: PageMediaKindEnum
    step: str
    text: str
    type: str
    bytes: int
    url: str
    thumb: str
    parcel_id: str | None


PageMediaKindEnum = Literal["image", "video", "document"]


class PageParcel(TypedDict):
    """A parcel, or a part of the order that is none yet (its id begins with f)."""

    id: str
    status: Pill
    eta: ReckonedEta | None
    carrier: str
    tracking_number: str
    items: list[PageItem]
    origin: NamedPoint
    destination: Point
    position: LastPosition | None
    track: list[list[float]]
    label: str


class PageWishes(TypedDict):
    """What may be asked for, and what was."""

    offered: list[OfferedWish]
    made: list[MadeWish]


class PaginatedBomList(TypedDict):
    """PaginatedBomList"""

    count: int | None
    next: str | None
    previous: str | None
    results: list[Bom]


class PaginatedChannelList(TypedDict):
    """PaginatedChannelList"""

    count: int | None
    next: str | None
    previous: str | None
    results: list[Channel]


class PaginatedFieldList(TypedDict):
    """PaginatedFieldList"""

    count: int | None
    next: str | None
    previous: str | None
    results: list[Field]


class PaginatedImportOutList(TypedDict):
    """PaginatedImportOutList"""

    count: int | None
    next: str | None
    previous: str | None
    results: list[ImportOut]


class PaginatedKeyList(TypedDict):
    """PaginatedKeyList"""

    count: int | None
    next: str | None
    previous: str | None
    results: list[Key]


class PaginatedOrderBriefList(TypedDict):
    """PaginatedOrderBriefList"""

    count: int | None
    next: str | None
    previous: str | None
    results: list[OrderBrief]


class PaginatedParcelList(TypedDict):
    """PaginatedParcelList"""

    count: int | None
    next: str | None
    previous: str | None
    results: list[Parcel]


class PaginatedPromisableList(TypedDict):
    """PaginatedPromisableList"""

    count: int | None
    next: str | None
    previous: str | None
    results: list[Promisable]


class PaginatedRateCardList(TypedDict):
    """PaginatedRateCardList"""

    count: int | None
    next: str | None
    previous: str | None
    results: list[RateCard]


class PaginatedReservationList(TypedDict):
    """PaginatedReservationList"""

    count: int | None
    next: str | None
    previous: str | None
    results: list[Reservation]


class PaginatedSkuList(TypedDict):
    """PaginatedSkuList"""

    count: int | None
    next: str | None
    previous: str | None
    results: list[Sku]


class PaginatedStockList(TypedDict):
    """PaginatedStockList"""

    count: int | None
    next: str | None
    previous: str | None
    results: list[Stock]


class PaginatedWarehouseList(TypedDict):
    """PaginatedWarehouseList"""

    count: int | None
    next: str | None
    previous: str | None
    results: list[Warehouse]


class Parcel(TypedDict):
    """A parcel with its order and what is in it."""

    id: int
    order: int
    external_id: str
    fulfillment_order: str
    carrier: str
    tracking_number: str
    status: NotRequired[ParcelStatusEnum]
    status_at: NotRequired[str | None]
    grams: int
    shipped_at: NotRequired[str | None]
    delivered_at: NotRequired[str | None]
    eta_from_at: NotRequired[str | None]
    eta_to_at: NotRequired[str | None]
    lines: list[ParcelLine]
    custom: dict[str, str | int | bool | list[str] | None]


class ParcelLine(TypedDict):
    """Units of one SKU in a parcel."""

    sku: str
    quantity: int


class ParcelOut(TypedDict):
    """A parcel."""

    id: int
    carrier: str
    tracking_number: str
    status: NotRequired[ParcelStatusEnum]
    status_at: NotRequired[str | None]
    grams: int
    shipped_at: NotRequired[str | None]
    delivered_at: NotRequired[str | None]
    eta_from_at: NotRequired[str | None]
    eta_to_at: NotRequired[str | None]
    custom: dict[str, Any]


ParcelStatusEnum = Literal[
    "pending",
    "picked_up",
    "in_transit",
    "out_for_delivery",
    "ready_for_pickup",
    "delivered",
    "delivery_failed",
    "delivery_delayed",
    "on_hold",
    "return_to_sender",
    "cancelled",
    "unknown",
]


class PatchedFieldRequest(TypedDict):
    """One custom field; `is_own` is false for those that count for all merchants."""

    target: NotRequired[TargetEnum]
    code: NotRequired[str]
    kind: NotRequired[FieldKindEnum]
    name: NotRequired[str]
    name_en: NotRequired[str]
    help: NotRequired[str]
    help_en: NotRequired[str]
    unit: NotRequired[str]
    choices: NotRequired[list[ChoiceRequest]]
    least: NotRequired[str]
    most: NotRequired[str]
    pattern: NotRequired[str]
    default: NotRequired[Any]
    is_required: NotRequired[bool]
    customer_sees: NotRequired[bool]
    is_personal: NotRequired[bool]
    in_list: NotRequired[bool]
    in_filter: NotRequired[bool]
    position: NotRequired[int]


class PatchedOrderCustomInRequest(TypedDict):
    """New values of an order and of some of its lines; fields that are not named stay, null empties one."""

    custom: NotRequired[dict[str, str | int | bool | list[str] | None]]
    lines: NotRequired[list[LineCustomInRequest]]


class PatchedParcelCustomInRequest(TypedDict):
    """New values of a parcel; fields that are not named stay, null empties one."""

    custom: NotRequired[dict[str, str | int | bool | list[str] | None]]


class PatchedSkuRequest(TypedDict):
    """One SKU."""

    sku: NotRequired[str]
    name: NotRequired[str]
    name_en: NotRequired[str]
    category: NotRequired[str]
    price: NotRequired[str]
    currency: NotRequired[str]
    grams: NotRequired[int]
    volume_cm3: NotRequired[int]
    traits: NotRequired[list[str]]
    hs_code: NotRequired[str]
    is_active: NotRequired[bool]
    custom: NotRequired[dict[str, str | int | bool | list[str] | None]]


class PatchedWarehouseRequest(TypedDict):
    """One warehouse."""

    code: NotRequired[str]
    name: NotRequired[str]
    name_en: NotRequired[str]
    kind: NotRequired[WarehouseKindEnum]
    country: NotRequired[str]
    province: NotRequired[str]
    city: NotRequired[str]
    latitude: NotRequired[str]
    longitude: NotRequired[str]
    cutoff_at: NotRequired[str]
    capacity_per_day: NotRequired[int | None]
    serves_provinces: NotRequired[list[str]]
    energy_source: NotRequired[EnergySourceEnum]
    is_frozen: NotRequired[bool]
    is_active: NotRequired[bool]
    custom: NotRequired[dict[str, str | int | bool | list[str] | None]]


class PickUpOut(TypedDict):
    """The store to fetch the goods from."""

    city: str
    address: str
    distance_km: str


class Pill(TypedDict):
    """A state in a word; `tone` is wait, go, ok, warn, bad or hold."""

    text: str
    tone: str


class Point(TypedDict):
    """A place in WGS-84 degrees, on a grid of 200 m."""

    lat: float
    lng: float


class PortionInRequest(TypedDict):
    """Units of one line, by its position."""

    position: int
    quantity: int


class PreviewInRequest(TypedDict):
    """A verb by name, and the body it would be asked with."""

    verb: VerbEnum
    given: NotRequired[dict[str, Any]]


class PreviewOrder(TypedDict):
    """What becomes of one order; a new one has no `id` and no `before` yet, and its number may turn out another."""

    id: int | None
    number: str
    is_new: bool
    before: StandingOut | None
    after: StandingOut | None


class PreviewOut(TypedDict):
    """What a verb would do; nothing was done. `undo` says how it could be undone, empty where it cannot."""

    verb: str
    sentences: list[str]
    undo: str
    orders: list[PreviewOrder]
    recalled: list[str]
    systems: list[PreviewSystem]


class PreviewSystem(TypedDict):
    """A message that a connected system would get; `because` is the event that asks for it."""

    connection: str
    role: str
    operation: str
    text: str
    because: str
    when: WhenEnum


class Promisable(TypedDict):
    """Units of one SKU that can be promised now."""

    sku: str
    units: int
    serving: int
    elsewhere: int
    as_of: str | None


class PromiseInRequest(TypedDict):
    """A cart and where it goes."""

    lines: list[CartLineInRequest]
    destination: CartPlaceInRequest
    options: NotRequired[list[PromiseOptionEnum]]
    channel: NotRequired[str]


PromiseOptionEnum = Literal["standard", "express", "green", "pick_up"]


class PromiseOptionOut(TypedDict):
    """One way of delivery; without `available` the reason says why and dates, price and carbon are null."""

    option: PromiseOptionEnum
    available: bool
    reason: str
    reason_text: str
    arrives_from: str | None
    arrives_to: str | None
    price: str | None
    currency: str
    kgco2e: str | None
    saving: SavingOut | None
    parcels: int
    expires_at: str
    short: list[ShortOut]
    earliest: str | None
    pick_up_at: PickUpOut | None


class PromiseOut(TypedDict):
    """What can be promised, in the order standard, express, green, pick-up."""

    quoted_at: str
    options: list[PromiseOptionOut]


class RateCard(TypedDict):
    """A carrier's prices."""

    id: int
    zones: list[Zone]
    warehouses: list[str]
    code: str
    carrier: str
    name: str
    name_en: NotRequired[str]
    service: NotRequired[str]
    mode: NotRequired[ModeEnum]
    currency: NotRequired[str]
    max_grams: NotRequired[int | None]
    is_active: NotRequired[bool]


class ReasonInRequest(TypedDict):
    """Why somebody does it."""

    reason: NotRequired[str]


ReckonedEta = TypedDict("ReckonedEta", {"text": "str", "to": "str", "because": "str", "from": "str"})


class RelatedOrder(TypedDict):
    """Another part of an order that was split, with the path of its own page."""

    number: str
    path: str
    text: str


RequestedByEnum = Literal["customer", "channel", "staff"]

ResendInReasonEnum = Literal["lost", "damaged", "missing", "wrong"]


class ResendInRequest(TypedDict):
    """What is sent once more, and why; `parcel` is the tracking number of the one that went wrong."""

    lines: list[PortionInRequest]
    reason: ResendInReasonEnum
    detail: NotRequired[str]
    parcel: NotRequired[str]


class Reservation(TypedDict):
    """Units kept until `expires_at`."""

    id: str
    state: NotRequired[ReservationStateEnum]
    created_at: str
    expires_at: str
    ended_at: NotRequired[str | None]
    lines: list[ReservedUnits]


class ReservationInRequest(TypedDict):
    """What to keep, and for how long."""

    lines: list[ReservationLineInRequest]
    minutes: NotRequired[int]
    province: NotRequired[str]


class ReservationLineInRequest(TypedDict):
    """Units of one SKU; without a warehouse the hub chooses."""

    sku: str
    quantity: int
    warehouse: NotRequired[str]


ReservationStateEnum = Literal["active", "freed", "expired"]


class ReservedUnits(TypedDict):
    """Units kept in one warehouse."""

    sku: str
    warehouse: str
    quantity: int


class RotateInRequest(TypedDict):
    """How long the old key still works beside its successor."""

    grace_hours: NotRequired[int]


class SavingOut(TypedDict):
    """What green delivery saves against the named baseline; kept as told once such an order is planned."""

    average_kgco2e: str
    marginal_kgco2e: str | None
    baseline: str
    baseline_kgco2e: str
    method: str


ScopeEnum = Literal["order", "line", "fulfillment"]

ScopesEnum = Literal[
    "orders:read",
    "orders:write",
    "imports:read",
    "imports:write",
    "stock:read",
    "stock:write",
    "promises:read",
    "promotions:read",
    "shoppers:write",
    "carbon:write",
    "channels:read",
    "fields:read",
    "fields:write",
    "rates:read",
    "footprints:read",
    "footprints:write",
    "keys:read",
    "keys:write",
]

ServiceEnum = Literal["standard", "express", "economy"]


class ShopperEventInRequest(TypedDict):
    """Something seen of one customer. Phone, device and IP address are kept as keyed fingerprints only."""

    id: str
    shopper: str
    what: WhatEnum
    at: str
    country: NotRequired[str]
    province: NotRequired[str]
    phone: NotRequired[str]
    device_id: NotRequired[str]
    ip: NotRequired[str]


class ShopperEventsInRequest(TypedDict):
    """Up to 500 events, of any customers of the merchant."""

    events: list[ShopperEventInRequest]


class ShopperEventsOut(TypedDict):
    """How many events were counted, and how many were left out: told before, or older than 180 days."""

    counted: int
    left_out: int


class ShortOut(TypedDict):
    """Units that are missing of one SKU."""

    sku: str
    quantity: int


class SkippedOut(TypedDict):
    """A promotion that did not count, and why."""

    promotion: str
    name: str
    version: int
    code: str
    text: str


class Sku(TypedDict):
    """One SKU."""

    id: int
    sku: str
    name: str
    name_en: NotRequired[str]
    category: NotRequired[str]
    price: NotRequired[str]
    currency: NotRequired[str]
    grams: NotRequired[int]
    volume_cm3: NotRequired[int]
    traits: NotRequired[list[str]]
    hs_code: NotRequired[str]
    is_active: NotRequired[bool]
    custom: NotRequired[dict[str, str | int | bool | list[str] | None]]


class SkuRequest(TypedDict):
    """One SKU."""

    sku: str
    name: str
    name_en: NotRequired[str]
    category: NotRequired[str]
    price: NotRequired[str]
    currency: NotRequired[str]
    grams: NotRequired[int]
    volume_cm3: NotRequired[int]
    traits: NotRequired[list[str]]
    hs_code: NotRequired[str]
    is_active: NotRequired[bool]
    custom: NotRequired[dict[str, str | int | bool | list[str] | None]]


class SplitInRequest(TypedDict):
    """What moves into an order of its own."""

    lines: list[PortionInRequest]
    reason: NotRequired[str]


StageEnum = Literal[
    "received",
    "reviewing",
    "routed",
    "backordered",
    "released",
    "partially_shipped",
    "shipped",
    "partially_delivered",
    "delivered",
    "completed",
    "partially_returned",
    "returned",
    "cancelled",
    "merged",
]


class StagePill(TypedDict):
    """The order's state."""

    text: str
    tone: str
    code: str


class StandingOut(TypedDict):
    """An order as it stands before or after."""

    stage: str
    currency: str
    total: str
    due_back: str
    holds: list[str]
    lines: list[dict[str, Any]]
    fulfillment_orders: list[dict[str, Any]]


StepEnum = Literal["production", "quality", "packing", "handover", "certificate"]


class Stock(TypedDict):
    """Units of one SKU in one warehouse."""

    id: int
    sku: str
    warehouse: str
    on_hand: NotRequired[int]
    reserved: NotRequired[int]
    safety: NotRequired[int]
    available: int
    updated_at: str


TargetEnum = Literal["order", "line", "sku", "warehouse", "parcel"]


class TrackingPage(TypedDict):
    """The public page of an order; no names, phones or addresses. `seq` grows with every change."""

    order_number: str
    merchant: Named
    language: str
    seq: int
    updated_at: str
    stage: StagePill
    headline: HeadlineText
    eta: OrderEta | None
    destination: GoalPoint
    parcels: list[PageParcel]
    timeline: list[PageEvent]
    waiting: list[WaitingItem]
    carbon: PageCarbon | None
    related: list[RelatedOrder]
    details: list[PageDetail]
    notice: str
    datum: str
    wishes: PageWishes
    media: list[PageMedia]


class TriedGiftOut(TypedDict):
    """A gift; `instead_of` names the SKU it replaces."""

    sku: str
    units: int
    instead_of: str


class TriedLineOut(TypedDict):
    """What comes off a line."""

    position: int
    sku: str
    units: int
    total: str
    off: str


class TryCartInRequest(TypedDict):
    """A cart, where and by whom it is bought."""

    lines: list[TryLineInRequest]
    channel: str
    currency: NotRequired[str]
    country: NotRequired[str]
    province: NotRequired[str]
    city: NotRequired[str]
    coupons: NotRequired[list[str]]
    member_level: NotRequired[str]
    buyer: NotRequired[str]
    at: NotRequired[str]
    draft: NotRequired[str]


class TryCartOut(TypedDict):
    """What the cart costs, line by line and promotion by promotion."""

    currency: str
    goods: str
    discount: str
    lines: list[TriedLineOut]
    applied: list[AppliedOut]
    skipped: list[SkippedOut]


class TryLineInRequest(TypedDict):
    """Units of one SKU, at its list price unless another is given."""

    sku: str
    quantity: int
    unit_price: NotRequired[str]


class UndoInRequest(TypedDict):
    """`seq` of the event to undo, so that nothing newer is undone by mistake."""

    seq: NotRequired[int]


class Use(TypedDict):
    """One place where a field is used; what `blocks` keeps it from being removed."""

    kind: str
    title: str
    detail: str
    blocks: bool


class Uses(TypedDict):
    """All uses of a field."""

    uses: list[Use]


VerbEnum = Literal[
    "cancel",
    "cancel_units",
    "change_address",
    "exchange",
    "hold",
    "merge",
    "move",
    "pay",
    "release",
    "reroute",
    "resend",
    "split",
    "undo",
]


class WaitingItem(TypedDict):
    """Units that have not left, and why."""

    name: str
    quantity: int
    text: str


class Warehouse(TypedDict):
    """One warehouse."""

    id: int
    code: str
    name: str
    name_en: NotRequired[str]
    kind: NotRequired[WarehouseKindEnum]
    country: NotRequired[str]
    province: str
    city: str
    latitude: str
    longitude: str
    cutoff_at: NotRequired[str]
    capacity_per_day: NotRequired[int | None]
    serves_provinces: NotRequired[list[str]]
    energy_source: NotRequired[EnergySourceEnum]
    is_frozen: NotRequired[bool]
    is_active: NotRequired[bool]
    custom: NotRequired[dict[str, str | int | bool | list[str] | None]]


WarehouseKindEnum = Literal["warehouse", "forward", "store", "factory", "dropship"]


class WarehouseRequest(TypedDict):
    """One warehouse."""

    code: str
    name: str
    name_en: NotRequired[str]
    kind: NotRequired[WarehouseKindEnum]
    country: NotRequired[str]
    province: str
    city: str
    latitude: str
    longitude: str
    cutoff_at: NotRequired[str]
    capacity_per_day: NotRequired[int | None]
    serves_provinces: NotRequired[list[str]]
    energy_source: NotRequired[EnergySourceEnum]
    is_frozen: NotRequired[bool]
    is_active: NotRequired[bool]
    custom: NotRequired[dict[str, str | int | bool | list[str] | None]]


WhatEnum = Literal[
    "login",
    "signup",
    "payment_added",
    "phone_change",
    "address_change",
    "failed_payment",
    "returned",
    "refused",
]

WhenEnum = Literal["now", "next", "if_agreed"]


class WishChoice(TypedDict):
    """One thing to choose."""

    code: str
    text: str


class Zone(TypedDict):
    """What a card asks for in one zone, and how long it takes."""

    id: int
    name: str
    countries: NotRequired[Any]
    remote_only: NotRequired[bool]
    max_km: NotRequired[int | None]
    first_grams: NotRequired[int]
    first_fee: str
    step_grams: NotRequired[int]
    step_fee: str
    base_hours: NotRequired[str]
    hours_per_100km: NotRequired[str]


class Problem(TypedDict):
    """A refusal (RFC 9457); the codes are listed in docs/problems.md."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    remedy: str
    request_id: NotRequired[str]
    field: NotRequired[str]
    errors: NotRequired[list[ProblemError]]
    errors_left_out: NotRequired[int]
    facts: NotRequired[dict[str, str]]


class ProblemError(TypedDict):
    """One wrong field: `field` as people write it, `pointer` as a JSON pointer."""

    field: str
    pointer: str
    code: str
    message: str
