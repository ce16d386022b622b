"""Reading orders for lists, pages and the API, always with what is shown and nothing per row."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Case, CharField, Count, Exists, OuterRef, Prefetch, Q, QuerySet, Value, When

from orderhub.events.models import Event
from orderhub.orders.models import Hold, Order, OrderLine
from orderhub.orders.models.order import Stage, StepState


class Age(NamedTuple):
    """An age bucket: its code and the hours since receipt it starts and ends at (None: no end)."""

    code: str
    from_hours: int
    to_hours: int | None


AGES = (Age("new", 0, 1), Age("hours", 1, 4), Age("day", 4, 24), Age("days", 24, 72), Age("old", 72, None))
#: Stages that still need somebody or something of ours.
OPEN_STAGES = (
    Stage.RECEIVED,
    Stage.REVIEWING,
    Stage.ROUTED,
    Stage.BACKORDERED,
    Stage.RELEASED,
    Stage.PARTIALLY_SHIPPED,
)
_ACTIVE_HOLDS = Hold.objects.filter(released_at__isnull=True).order_by("pk")


def pool(
    *, merchant_id: int | None = None, stage: str = "", reason: str = "", waiting_for: str = "",
    age: str = "", now: datetime,
) -> QuerySet[Order]:  # fmt: skip
    """The order pool, oldest first, with channel, merchant, receiver and active holds (`active_holds`); three
    queries.

    `reason`: orders with such an active hold. `age`: a code of AGES; raises KeyError for another one.
    """
    rows = Order.objects.select_related("channel", "merchant", "person").prefetch_related(
        Prefetch("holds", queryset=_ACTIVE_HOLDS, to_attr="active_holds")
    )
    if merchant_id is not None:
        rows = rows.filter(merchant_id=merchant_id)
    rows = rows.filter(stage=stage) if stage else rows.filter(stage__in=OPEN_STAGES)
    if reason:
        rows = rows.filter(Exists(_ACTIVE_HOLDS.filter(order=OuterRef("pk"), reason=reason).order_by()))
    if waiting_for:
        rows = rows.filter(step_state=StepState.WAITING, waiting_for=waiting_for)
    if age:
        rows = rows.filter(_within({bucket.code: bucket for bucket in AGES}[age], now))
    return rows.order_by("received_at", "pk")


def pool_counts(*, merchant_id: int | None = None, now: datetime) -> dict[str, dict[str, int]]:
    """How many open orders by stage and age bucket, both complete with zeros; one query."""
    rows = Order.objects.filter(stage__in=OPEN_STAGES)
    if merchant_id is not None:
        rows = rows.filter(merchant_id=merchant_id)
    bucket = Case(
        *[When(_within(age, now), then=Value(age.code)) for age in AGES],
        default=Value("new"),
        output_field=CharField(),
    )
    found = {stage.value: dict.fromkeys((age.code for age in AGES), 0) for stage in OPEN_STAGES}
    for stage, age, count in (
        rows.annotate(age=bucket).values_list("stage", "age").annotate(count=Count("pk"))
    ):
        found[stage][age] = count
    return found


def hold_counts(*, merchant_id: int | None = None) -> dict[str, int]:
    """How many orders each reason holds right now; reasons without any are missing; one query."""
    rows = Hold.objects.filter(released_at__isnull=True)
    if merchant_id is not None:
        rows = rows.filter(order__merchant_id=merchant_id)
    return dict(rows.values_list("reason").annotate(count=Count("order", distinct=True)))


def whole(*, merchant_id: int | None = None) -> QuerySet[Order]:
    """Orders with everything of their own at hand: lines with SKUs, all holds, receiver, channel document."""
    rows = Order.objects.select_related("channel", "merchant", "person__sealed", "original").prefetch_related(
        Prefetch("lines", queryset=OrderLine.objects.select_related("sku").order_by("position")),
        Prefetch("holds", queryset=Hold.objects.order_by("pk")),
    )
    return rows if merchant_id is None else rows.filter(merchant_id=merchant_id)


def history(order: Order) -> QuerySet[Event]:
    """Everything that happened to the order, first to last."""
    return Event.objects.filter(stream=order.stream).order_by("seq")


def _within(age: Age, now: datetime) -> Q:
    newest = Q(received_at__lte=now - timedelta(hours=age.from_hours)) if age.from_hours else Q()
    oldest = Q(received_at__gt=now - timedelta(hours=age.to_hours)) if age.to_hours is not None else Q()
    return newest & oldest
