"""Builders that whole-hub tests share: a merchant with a network, orders, and time that a test moves."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Min
from rest_framework.test import APIClient

from orderhub.access import services as access
from orderhub.access.models import Merchant
from orderhub.celery import QUEUES
from orderhub.connectors import inbox
from orderhub.connectors.base import Incoming
from orderhub.connectors.models import Connection, InboxMessage, SimulatedJob
from orderhub.events import registry, relay
from orderhub.events.models import Event
from orderhub.fulfillment.models import FulfillmentOrder, RateCard, RateZone
from orderhub.inventory import services as inventory
from orderhub.inventory.models import Sku, Stock, Warehouse
from orderhub.kernel import canonical, clock
from orderhub.orders import services as orders
from orderhub.orders.drafts import LineDraft, OrderDraft
from orderhub.orders.models import Channel, Order
from tests import cast

#: A Sunday morning in China, 10:00: before every cut-off.
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
CSV_HEADER = (
    "order_no", "line_no", "channel", "placed_at", "paid_at", "currency", "sku", "quantity", "unit_price",
    "order_total", "recipient", "phone", "country", "province", "city", "district", "address", "postcode",
    "service", "green_delivery", "note",
)  # fmt: skip
_MOST_ROUNDS = 200
_OFTEN_SECONDS = 60.0
_STRIDE = timedelta(hours=1)


class Clock:
    """Time that stands still until the test moves it; the fixture `hub_clock` makes it the hub's."""

    def __init__(self, moment: datetime = NOW) -> None:
        self.moment = moment

    def now(self) -> datetime:
        """The moment the test has come to."""
        return self.moment

    def advance(self, **span: float) -> datetime:
        """Let `timedelta(**span)` pass."""
        self.moment += timedelta(**span)
        return self.moment


# ---- the shop ------------------------------------------------------------------------------------


def merchant(shop: cast.Shop = cast.ALICE) -> Merchant:
    """The merchant of that shop, made once."""
    found, _made = Merchant.objects.get_or_create(
        code=shop.code, defaults={"name": shop.name, "name_en": shop.name_en}
    )
    return found


def channel(code: str = "api", *, owner: Merchant | None = None, **fields: Any) -> Channel:
    """A channel of the merchant, made once."""
    found, _made = Channel.objects.get_or_create(
        merchant=owner or merchant(), code=code, defaults={"name": code, **fields}
    )
    return found


def goods(owner: Merchant | None = None) -> dict[str, Sku]:
    """QUILT, LAMP and CUP of the merchant, by code."""
    house = owner or merchant()
    for code, name, name_en, grams, price in cast.GOODS:
        Sku.objects.get_or_create(
            merchant=house, code=code,
            defaults={"name": name, "name_en": name_en, "grams": grams, "price": Decimal(price)},
        )  # fmt: skip
    return {sku.code: sku for sku in Sku.objects.filter(merchant=house)}


def warehouse(code: str = "HGH", *, owner: Merchant | None = None, **fields: Any) -> Warehouse:
    """One of the sites of the cast as a warehouse, made once."""
    province, city, latitude, longitude = next(site[1:] for site in cast.SITES if site[0] == code)
    found, _made = Warehouse.objects.get_or_create(
        merchant=owner or merchant(), code=code,
        defaults={
            "name": f"{city}仓", "name_en": code, "province": province, "city": city,
            "serves_provinces": [province], "latitude": Decimal(latitude), "longitude": Decimal(longitude),
            **fields,
        },
    )  # fmt: skip
    return found


def rate_card(code: str = "TONGDA", *, owner: Merchant | None = None, service: str = "standard") -> RateCard:
    """A road card of two zones: near (up to 150 km) for 5 + 1 per kg, and far for 9 + 4 per kg."""
    house = owner or merchant()
    card, made = RateCard.objects.get_or_create(
        merchant=house, code=code,
        defaults={"carrier": code.lower(), "name": "通达", "name_en": "Tongda", "service": service},
    )  # fmt: skip
    if made:
        near = {"name": "同城", "max_km": 150, "first_fee": "5", "step_fee": "1", "base_hours": "16"}
        far = {"name": "全国", "first_fee": "9", "step_fee": "4", "base_hours": "26"}
        RateZone.objects.bulk_create(RateZone(card=card, **zone) for zone in (near, far))
    return card


def connection(*, owner: Merchant | None = None, code: str = "sim", trouble: float = 0.0) -> Connection:
    """The make-believe warehouse and carrier, without mishaps unless asked."""
    found, _made = Connection.objects.get_or_create(
        merchant=owner or merchant(), code=code,
        defaults={"name": "模拟仓配", "kind": "simulator", "config": {"trouble": trouble}},
    )  # fmt: skip
    return found


def stock(
    units: Mapping[str, Mapping[str, int]], *, owner: Merchant | None = None, now: datetime | None = None
) -> None:
    """Count stock: `{"HGH": {"LAMP": 10}}`; warehouses and goods are made where missing."""
    house = owner or merchant()
    skus = goods(house)
    rows = [
        (warehouse(site, owner=house), skus[code], count)
        for site, counts in units.items()
        for code, count in counts.items()
    ]
    inventory.set_counts(rows, actor="user:test", now=now or clock.now())


def network(owner: Merchant | None = None, *, units: int = 100) -> Merchant:
    """A merchant ready to ship: goods, three warehouses with `units` of each, channel, card, connection."""
    house = owner or merchant()
    channel(owner=house)
    rate_card(owner=house)
    connection(owner=house)
    everything = {code: units for code, *_rest in cast.GOODS}
    stock({site: everything for site, *_rest in cast.SITES}, owner=house)
    return house


# ---- orders --------------------------------------------------------------------------------------


def draft(
    number: str = "A1", *, to: cast.Buyer = cast.FANG, lines: Mapping[str, int] | None = None,
    owner: Merchant | None = None, **fields: Any,
) -> OrderDraft:  # fmt: skip
    """An order draft, paid unless told otherwise; `lines` are units by SKU code."""
    house = owner or merchant()
    skus = goods(house)
    held = tuple(
        LineDraft(skus[code], units, skus[code].price, skus[code].price * units, skus[code].name)
        for code, units in (lines or {"LAMP": 1}).items()
    )
    values: dict[str, Any] = {
        **to.destination, "external_id": number, "placed_at": NOW, "paid": True, "paid_at": NOW,
        "currency": "CNY", "email": "", "original": {"number": number}, **fields,
    }  # fmt: skip
    said = {key: value for key, value in values.items() if key not in {"original", "channel"}}
    content = canonical.digest([said, [[line.sku.code, line.quantity] for line in held]])
    return OrderDraft(**{"channel": channel(owner=house), "lines": held, "content_hash": content, **values})


def place(*drafts: OrderDraft, owner: Merchant | None = None) -> list[Order]:
    """Place the drafts as the API would; the orders that stand then."""
    placed = orders.place(
        drafts or [draft()], merchant=owner or merchant(), actor="api:test", now=clock.now(), source="api"
    )
    return [found.order for found in placed if found.order is not None]


def order_json(
    number: str = "A1", *, to: cast.Buyer = cast.FANG, lines: Mapping[str, int] | None = None, **fields: Any
) -> dict[str, Any]:
    """The same order as a body for the API."""
    prices = {code: price for code, _zh, _en, _grams, price in cast.GOODS}
    rows = [
        {"sku": code, "quantity": units, "unit_price": prices[code]}
        for code, units in (lines or {"LAMP": 1}).items()
    ]
    return {"external_id": number, "paid": True, "destination": to.destination, "lines": rows, **fields}


def csv_file(orders_: Iterable[tuple[str, cast.Buyer, Mapping[str, int]]], **fields: str) -> bytes:
    """A file of paid orders, generic dialect: number, buyer, units by SKU code; `fields` fill columns."""
    prices = {code: Decimal(price) for code, _zh, _en, _grams, price in cast.GOODS}
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, CSV_HEADER, restval="")
    writer.writeheader()
    for number, buyer, lines in orders_:
        total = sum(prices[code] * units for code, units in lines.items())
        address = {key: value for key, value in buyer.destination.items() if key in CSV_HEADER}
        for position, (code, units) in enumerate(lines.items(), 1):
            writer.writerow({
                **address, "order_no": number, "line_no": position, "channel": "web", "currency": "CNY",
                "sku": code, "placed_at": NOW.isoformat(), "paid_at": NOW.isoformat(), "quantity": units,
                "unit_price": prices[code], "order_total": total, "recipient": buyer.name,
                "service": "standard", "green_delivery": "no", **fields,
            })  # fmt: skip
    return out.getvalue().encode()


def client(owner: Merchant | None = None, *, scopes: Sequence[str] = (), language: str = "") -> APIClient:
    """An API client with a fresh key of the merchant."""
    _row, key = access.issue_key(owner or merchant(), name="test", scopes=list(scopes))
    headers = {"Authorization": f"Api-Key {key}", **({"Accept-Language": language} if language else {})}
    return APIClient(headers=headers)


# ---- looking -------------------------------------------------------------------------------------


def fresh(order: Order) -> Order:
    """The order as it stands now (its stage may not be set on an instance)."""
    return Order.objects.get(pk=order.pk)


def kinds_of(order: Order) -> list[str]:
    """What happened to the order, in order."""
    return list(Event.objects.filter(stream=order.stream).order_by("seq").values_list("kind", flat=True))


def shelf(site: str, code: str, *, owner: Merchant | None = None) -> tuple[int, int]:
    """On hand and reserved."""
    row = Stock.objects.get(merchant=owner or merchant(), warehouse__code=site, sku__code=code)
    return row.on_hand, row.reserved


# ---- letting the hub work ------------------------------------------------------------------------


def run_until_idle() -> int:
    """Run every queue, projection and frequent periodic job here until nothing is left; how much was done."""
    done = 0
    for _round in range(_MOST_ROUNDS):
        now = sum(relay.run_queue(queue) for queue in QUEUES)
        now += sum(job.run() for job in registry.periodics.values() if job.seconds < _OFTEN_SECONDS)
        if not now:
            return done
        done += now
    raise AssertionError("the hub never comes to rest")


def play(time: Clock, *, until: str = "") -> None:
    """Let time pass until the make-believe world has nothing left to do, or has played such a step."""
    run_until_idle()
    while (due := SimulatedJob.objects.aggregate(at=Min("due_at"))["at"]) is not None:
        time.moment = max(time.moment, due + _STRIDE)
        run_until_idle()
        if until and any(_has_played(job, until) for job in SimulatedJob.objects.all()):
            return


def _has_played(job: SimulatedJob, kind: str) -> bool:
    return any(step["kind"] == kind for step in job.plan[: job.position])


def tell(row: FulfillmentOrder, kind: str, **facts: object) -> None:
    """Let the warehouse say something of its own accord; the make-believe plan for it is dropped."""
    SimulatedJob.objects.filter(reference=row.number).update(due_at=None)
    body = {
        "kind": kind, "reference": row.number, "occurred_at": clock.now().isoformat(), "facts": facts,
    }  # fmt: skip
    key = f"told:{row.number}:{kind}:{InboxMessage.objects.count()}"
    inbox.receive(connection(owner=row.merchant), [Incoming(key=key, body=body)], now=clock.now())
    run_until_idle()
