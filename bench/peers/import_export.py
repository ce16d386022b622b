"""The peers of the intake bench: django-import-export on our models, with nested lines, twice.

Both leave what our import leaves: person, order, lines, original, the event with its hash, the head of its stream
and the deliveries owed, for the same file. Neither validates more than its widgets do.

- *As documented* (`documented`): a resource of lines with ForeignKeyWidgets that look their rows up; the order is
  made in `before_import_row`, as the documentation makes relations that do not exist yet, and told to the log there;
  settings are the defaults, so each line is looked for by its keys, compared for the difference shown, and saved.
- *Tuned* (`tuned`): orders, persons, originals and events of the whole file are written in bulk in `before_import`,
  articles and orders are kept in memory, lines go in bulk of 1,000, without differences or reports.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import tablib
from django.db import transaction
from django.utils.dateparse import parse_datetime
from import_export import fields, resources, widgets

from orderhub.events import log
from orderhub.events.models import Event
from orderhub.inventory.models import Sku
from orderhub.kernel import clock, regions
from orderhub.orders import kinds
from orderhub.orders.models import Channel, Order, OrderLine, Original, Person

BULK = 1000
Make = Callable[[Any, Channel], resources.ModelResource]


class _Scoped(widgets.ForeignKeyWidget):
    """A foreign key looked up among one merchant's rows."""

    def __init__(self, model: Any, field: str, **scope: Any) -> None:
        super().__init__(model, field=field)
        self.scope = scope

    def get_queryset(self, value: Any, row: Any, *args: Any, **kwargs: Any) -> Any:
        """The way the documentation narrows a look-up."""
        return self.model.objects.filter(**self.scope)


class _Kept(widgets.Widget):
    """A foreign key whose rows are in memory."""

    def __init__(self, rows: dict[str, Any]) -> None:
        super().__init__()
        self.rows = rows

    def __deepcopy__(self, _memo: Any) -> _Kept:
        """Resources copy their fields; the rows stay the same."""
        return self

    def clean(self, value: Any, row: Any = None, **_options: Any) -> Any:
        """The row of that key; KeyError for an unknown one."""
        return self.rows[value]


class _Lines(resources.ModelResource):
    """What both resources of lines have in common."""

    position = fields.Field(column_name="line_no", attribute="position", widget=widgets.IntegerWidget())
    ordered = fields.Field(column_name="quantity", attribute="ordered", widget=widgets.IntegerWidget())
    unit_price = fields.Field(
        column_name="unit_price", attribute="unit_price", widget=widgets.DecimalWidget()
    )

    def before_save_instance(self, instance: OrderLine, row: Any, **_options: Any) -> None:
        """What a line has besides its cells."""
        instance.open = instance.ordered
        instance.name = instance.sku.name
        instance.line_total = instance.unit_price * instance.ordered


def documented(owner: Any, channel: Channel) -> resources.ModelResource:
    """The resource as one writes it by the documentation."""
    now = clock.now()

    class Lines(_Lines):
        """Lines; an order comes into being with its first one."""

        order = fields.Field(
            column_name="order_no", attribute="order", widget=_Scoped(Order, "external_id", channel=channel)
        )
        sku = fields.Field(column_name="sku", attribute="sku", widget=_Scoped(Sku, "code", merchant=owner))

        class Meta:
            model = OrderLine
            fields = ("order", "sku", "position", "ordered", "unit_price")
            import_id_fields = ("order", "position")

        def before_import_row(self, row: Any, **_options: Any) -> None:
            """Make the order that is not there yet."""
            if not Order.objects.filter(channel=channel, external_id=row["order_no"]).exists():
                person, order, original = _rows(row, owner, channel, now)
                person.save()
                order.save()
                original.save()
                log.record([_fact(order, 1)], now=now, actor="peer")

    return Lines()


def tuned(owner: Any, channel: Channel) -> resources.ModelResource:
    """The resource as one writes it who has measured."""
    skus = {sku.code: sku for sku in Sku.objects.filter(merchant=owner)}
    orders: dict[str, Order] = {}
    now = clock.now()

    class Lines(_Lines):
        """Lines of orders made before."""

        order = fields.Field(column_name="order_no", attribute="order", widget=_Kept(orders))
        sku = fields.Field(column_name="sku", attribute="sku", widget=_Kept(skus))

        class Meta:
            model = OrderLine
            fields = ("order", "sku", "position", "ordered", "unit_price")
            import_id_fields = ()
            use_bulk = True
            batch_size = BULK
            skip_diff = True
            report_skipped = False
            use_transactions = True
            force_init_instance = True

        def before_import(self, dataset: Any, **_options: Any) -> None:
            """Make all orders."""
            first: dict[str, Mapping[str, Any]] = {}
            counts: dict[str, int] = {}
            for row in dataset.dict:
                first.setdefault(row["order_no"], row)
                counts[row["order_no"]] = counts.get(row["order_no"], 0) + 1
            rows: Iterator[Any] = iter([_rows(row, owner, channel, now) for row in first.values()])
            while some := list(islice(rows, BULK)):
                Person.objects.bulk_create([person for person, _order, _original in some])
                made = Order.objects.bulk_create([order for _person, order, _original in some])
                Original.objects.bulk_create([original for _person, _order, original in some])
                facts = [_fact(order, counts[order.external_id]) for order in made]
                log.record(facts, now=now, actor="peer")
                orders.update((order.external_id, order) for order in made)

    return Lines()


def _rows(row: Mapping[str, Any], owner: Any, channel: Channel, now: Any) -> tuple[Person, Order, Original]:
    """Person, order and original of a first row, unsaved."""
    place = regions.locate(row["country"], row["province"], row["city"])
    person = Person(
        merchant=owner, name=row["recipient"], phone=row["phone"], address=row["address"], postcode=row["postcode"],
    )  # fmt: skip
    order = Order(
        merchant=owner, channel=channel, external_id=row["order_no"], person=person, share_hash=uuid.uuid4().hex * 2,
        content_hash=hashlib.sha256(row["order_no"].encode()).hexdigest(), source="peer", received_at=now, updated_at=now,
        placed_at=parse_datetime(row["placed_at"] + "+08:00"), payment="paid", paid_at=parse_datetime(row["paid_at"] + "+08:00"),
        currency=row["currency"], goods_total=row["order_total"], total=row["order_total"], country=place.country_code,
        province=row["province"], city=row["city"], district=row["district"], service=row["service"], step="order.screen",
        latitude=Decimal(f"{place.lat:.5f}"), longitude=Decimal(f"{place.lng:.5f}"),
    )  # fmt: skip
    return person, order, Original(order=order, payload={"row": row["order_no"]})


def _fact(order: Order, lines: int) -> log.Fact:
    payload = {
        "external_id": order.external_id, "channel": order.channel.code, "total": order.total,
        "currency": order.currency, "lines": lines, "paid": True, "stage": "received",
    }  # fmt: skip
    return log.Fact(order.stream, kinds.PLACED.name, payload, order.merchant_id)


def lines_per_second(make: Make, owner: Any, path: Path) -> float:
    """Import the file with that resource; how many lines a second of wall time."""
    channel, _created = Channel.objects.get_or_create(
        merchant=owner, code=make.__name__, defaults={"name": "peer"}
    )
    start = time.perf_counter()
    data = tablib.Dataset().load(path.read_text("utf-8"), format="csv")
    with transaction.atomic():
        result = make(owner, channel).import_data(data, raise_errors=True)
    seconds = time.perf_counter() - start
    lines = OrderLine.objects.filter(order__channel=channel).count()
    orders = Order.objects.filter(channel=channel).count()
    assert not result.has_errors()
    assert lines == len(data)
    assert Event.objects.filter(kind=kinds.PLACED.name, payload__channel=channel.code).count() == orders
    return lines / seconds
