"""What tracking listens to: the log, positions, and carbon figures that change a page without an event."""

from __future__ import annotations

from collections.abc import Sequence

from carbon import ledger
from orderhub.connectors.base import position_sink
from orderhub.events import registry
from orderhub.events.models import Delivery, Event
from orderhub.kernel import clock
from tracking import live, positions, projection
from tracking.everywhere import owing, sending
from tracking.everywhere.models import PageRequest
from tracking.live_position import fencing, retention, strays
from tracking.media import services as media
from tracking.partners import capturing

registry.projection("tracking.timeline", kinds=projection.told_kinds(), queue="low", batch=300)(
    projection.apply
)
position_sink(positions.store)
ledger.when_posted(live.touch)
registry.when_logged(live.logged)


@registry.every(6 * 3600, name="tracking.forget_positions", queue="low")
def forget_positions() -> int:
    """Positions are kept for a month after they were taken."""
    return positions.forget()


@registry.every(20, name="tracking.fences", queue="low")
def watch_fences() -> int:
    """Devices that fell silent within a fence have arrived, and crossings nobody told yet are told."""
    now = clock.now()
    return fencing.settle(now=now) + fencing.tell(now=now)


@registry.every(6 * 3600, name="tracking.keep_positions", queue="low")
def keep_positions() -> int:
    """Positions of vehicles are thinned after a week and dropped after a month."""
    now = clock.now()
    return retention.thin(now=now) + retention.forget(now=now) + strays.forget(now=now)


@registry.projection("tracking.owe_notices", kinds=projection.told_kinds(), queue="low")
def owe_notices(events: Sequence[Event]) -> None:
    """Find out which buyers are to be written to about these events."""
    owing.owe(events, now=clock.now())


@registry.on(name=owing.NAME, queue="outbox", batch=50, ordered=False, outside=True, max_attempts=8)
def send_notices(deliveries: Sequence[Delivery]) -> None:
    """Write to buyers."""
    sending.send(deliveries, now=clock.now())


@registry.every(3600, name="tracking.forget_media", queue="low")
def forget_media() -> int:
    """Photos and videos are kept as long as was said when they were added."""
    return media.forget(now=clock.now())


@registry.every(60, name="tracking.epcis", queue="low")
def retry_epcis() -> int:
    """What partners told of orders that were not here yet."""
    return capturing.retry(now=clock.now())


@registry.on("order.person_erased", name="tracking.erase_wishes", queue="low")
def erase_wishes(deliveries: Sequence[Delivery]) -> None:
    """What a person wrote on the page goes with the person."""
    order_ids = {int(delivery.stream.partition(":")[2]) for delivery in deliveries}
    PageRequest.objects.filter(order_id__in=order_ids).update(text="")
