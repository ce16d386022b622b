"""What must always hold of orders."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from django.db.models import (
    CharField,
    DecimalField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    TextField,
    Value,
)
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, Concat, Round

from orderhub.events.invariants import invariant
from orderhub.events.models import Delivery, Event
from orderhub.kernel import clock
from orderhub.kernel.money import cents
from orderhub.orders.models import Hold, LineCredit, Order, OrderLine
from orderhub.orders.models.order import StepState

PATIENCE = timedelta(minutes=5)
# The lines of a merged order went elsewhere.
_NOTHING = Value(Decimal(0), output_field=DecimalField(max_digits=14, decimal_places=2))
_OPEN = [Delivery.State.READY, Delivery.State.LEASED, Delivery.State.DEAD]


@invariant("I3", zh="订单阶段等于其事件推得的阶段", en="An order's stage is the one its events lead to")
def stage_is_told() -> Iterable[str]:
    """I3: the last event that names a stage names the one that stands."""
    told = (
        Event.objects.filter(stream=OuterRef("stream_name"), payload__has_key="stage")
        .order_by("-seq")
        .annotate(stage=KT("payload__stage"))
        .values("stage")[:1]
    )
    rows = (
        _with_stream()
        .annotate(told=Coalesce(Subquery(told), Value(""), output_field=TextField()))
        .exclude(stage=F("told"))
    )
    for order in rows.iterator():
        yield f"order {order.pk} is {order.stage}, its events say {order.told or 'nothing'}"


@invariant("I3", zh="订单行数量账平衡", en="The quantity ledger of every order line adds up")
def ledgers_add_up() -> Iterable[str]:
    """I3: ordered = open + backordered + allocated + released + shipped + cancelled; the constraint says so
    too.
    """
    whole = F("open") + F("backordered") + F("allocated") + F("released") + F("shipped") + F("cancelled")
    for line in OrderLine.objects.exclude(ordered=whole).iterator():
        yield f"line {line}: {line.ordered} ordered, but its ledger says otherwise"
    for line in OrderLine.objects.filter(
        Q(delivered__gt=F("shipped")) | Q(returned__gt=F("shipped"))
    ).iterator():
        yield f"line {line}: more delivered or returned than the {line.shipped} shipped"


@invariant("I3", zh="等待中的订单都有原因", en="Every waiting order says what it waits for")
def waiting_has_a_reason() -> Iterable[str]:
    """I3: something is named, and an order that waits for a hold has an active one."""
    active = Hold.objects.filter(order=OuterRef("pk"), released_at__isnull=True)
    waiting = Order.objects.filter(step_state=StepState.WAITING).annotate(is_held=Exists(active))
    for order in waiting.filter(waiting_for="").iterator():
        yield f"order {order.pk} waits for nothing"
    for order in waiting.filter(waiting_for="hold", is_held=False).iterator():
        yield f"order {order.pk} waits for a hold that it does not have"


@invariant("I5", zh="待处理订单都有投递推动", en="Every order that is ready to go on is owed a delivery")
def ready_orders_move() -> Iterable[str]:
    """I5: ready for over five minutes without an open (or dead, so visible) delivery to `orders.advance`."""
    owed = Delivery.objects.filter(
        stream=OuterRef("stream_name"), subscriber="orders.advance", state__in=_OPEN
    )
    late = _with_stream().filter(step_state=StepState.READY, updated_at__lt=clock.now() - PATIENCE)
    for order in late.exclude(Exists(owed)).iterator():
        yield f"order {order.pk} has been ready at {order.step} since {order.updated_at:%H:%M}, no delivery"


@invariant(
    "I6",
    zh="金额守恒：行合计与优惠分摊等于订单",
    en="Money is conserved: line totals and discounts are the order's",
)
def money_is_conserved() -> Iterable[str]:
    """I6: goods total, discount and total of every order, to the cent."""
    rows = Order.objects.annotate(
        line_sum=Coalesce(Sum("lines__line_total"), _NOTHING),
        discount_sum=Coalesce(Sum("lines__discount"), _NOTHING),
    )
    # SQLite adds decimals as floating point: only the cents count.
    fits = Q(
        goods_total=Round("line_sum", 2),
        discount_total=Round("discount_sum", 2),
        total=Round(F("goods_total") - F("discount_total"), 2),
    )
    for order in rows.exclude(fits).iterator():
        lines, discounts = cents(order.line_sum or Decimal(0)), cents(order.discount_sum or Decimal(0))
        yield f"order {order.pk}: lines say {lines} − {discounts}, the order {order.total}"


def _with_stream() -> QuerySet[Order]:
    number = Cast("pk", CharField())
    return Order.objects.annotate(stream_name=Concat(Value("order:"), number, output_field=CharField()))


@invariant(
    "I6", zh="应退款不超过订单行实付金额", en="Nobody is credited more for a line than was paid for it"
)
def credits_are_covered() -> Iterable[str]:
    """I6: the standing credits of a line add up to no more than its price after the discount."""
    rows = LineCredit.objects.filter(voided_at=None).values("line", "line__line_total", "line__discount")
    for row in rows.annotate(sum=Sum("amount")).filter(sum__gt=F("line__line_total") - F("line__discount")):
        paid = row["line__line_total"] - row["line__discount"]
        yield f"line {row['line']} is credited with {row['sum']} of {paid}"


@invariant("I3", zh="每件已发出的商品最多换货或补发一次", en="Each unit that left is replaced once at most")
def units_are_replaced_once() -> Iterable[str]:
    """I3: exchanges and resends stand for no more units of a line than have left."""
    for line in OrderLine.objects.filter(replaced__gt=F("shipped")).iterator():
        yield f"line {line.pk}: {line.replaced} replaced of {line.shipped} shipped"
