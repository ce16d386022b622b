"""The log's own housekeeping by the clock."""

from __future__ import annotations

import logging

from orderhub.events import partitions, registry, retention
from orderhub.kernel import clock

logger = logging.getLogger(__name__)


@registry.every(3600, name="events.partitions", queue="low")
def make_partitions() -> int:
    """Partitions stand ready for the coming months; rows outside of all of them are told aloud."""
    for table, rows in partitions.strays().items():
        logger.error("%d rows of %s lie in its default partition: see docs/operations.md", rows, table)
    return len(partitions.ensure(now=clock.now()))


@registry.every(6 * 3600, name="events.forget_deliveries", queue="low")
def forget_deliveries() -> int:
    """Done deliveries are kept for a month."""
    return retention.forget(now=clock.now())
