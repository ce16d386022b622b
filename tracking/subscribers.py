"""What tracking listens to: the log, positions, and carbon figures that change a page without an event."""

from __future__ import annotations

from carbon import ledger
from orderhub.connectors.base import position_sink
from orderhub.events import registry
from tracking import live, positions, projection

registry.projection("tracking.timeline", kinds=projection.told_kinds(), queue="low", batch=300)(
    projection.apply
)
position_sink(positions.store)
ledger.when_posted(live.touch)


@registry.every(6 * 3600, name="tracking.forget_positions", queue="low")
def forget_positions() -> int:
    """Positions are kept for a month after they were taken."""
    return positions.forget()
