"""What the carbon ledger listens to, and what the clock does for green delivery and for supported projects."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from carbon import kinds, ledger
from carbon.activity import services as activity
from carbon.claims import reviewing
from carbon.green import pool
from carbon.green import reports as green_reports
from carbon.green import services as green
from carbon.models import ActivityRecord
from carbon.offsets import services as offsets
from carbon.reports import views
from carbon.restating import jobs as jobs
from orderhub.events import registry
from orderhub.events.models import Delivery
from orderhub.events.registry import every
from orderhub.kernel import clock

registry.projection("carbon.ledger", kinds=ledger.KINDS, queue="carbon", batch=200)(ledger.apply)
reviewing.teach()
views.beside(green_reports.beside)


@registry.on(kinds.ACTIVITY_TAKEN.name, name="carbon.activity", queue="carbon", batch=20)
def bring_in(deliveries: Sequence[Delivery]) -> None:
    """Bring facts that came in into the figures they concern; a second time changes nothing."""
    wanted = [int(delivery.event.payload["record"]) for delivery in deliveries]
    for record in ActivityRecord.objects.filter(pk__in=wanted).order_by("pk"):
        activity.apply(record, now=clock.now())


@ledger.when_posted
def keep_promises(order_ids: Collection[int]) -> None:
    """Keep what was promised to orders that were placed with green delivery."""
    green.note(order_ids, now=clock.now())


@every(300.0, name="carbon.offsets", queue="carbon")
def support_projects() -> int:
    """Give the part of the profit that is promised to projects."""
    return offsets.tick(now=clock.now())


@every(30.0, name="carbon.green_pool", queue="carbon")
def let_pools_go() -> int:
    """Let pools of waiting orders go that are full or whose time is up."""
    return pool.tick(now=clock.now())


@every(300.0, name="carbon.green_kept", queue="carbon")
def measure_promises() -> int:
    """Measure what green choices really saved, once everything has arrived."""
    return green.measure(now=clock.now())
