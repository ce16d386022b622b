"""Connector tables; imported here so that Django finds them in one place."""

from orderhub.connectors.models.connection import Connection, InboxMessage
from orderhub.connectors.models.exchange import Alias, Call, PollMark, SyncMark, Traffic
from orderhub.connectors.models.imports import ImportBatch, ImportFile, RefusedRow
from orderhub.connectors.models.offers import ChannelPace, OfferChange, Published, StockRule
from orderhub.connectors.models.profile import Profile, ProfileVersion
from orderhub.connectors.models.reconciling import Difference, Reconciliation
from orderhub.connectors.models.simulation import SimulatedJob
from orderhub.connectors.models.ways import WayMark

__all__ = [
    "Alias",
    "Call",
    "ChannelPace",
    "Connection",
    "Difference",
    "ImportBatch",
    "ImportFile",
    "InboxMessage",
    "OfferChange",
    "PollMark",
    "Profile",
    "ProfileVersion",
    "Published",
    "Reconciliation",
    "RefusedRow",
    "SimulatedJob",
    "StockRule",
    "SyncMark",
    "Traffic",
    "WayMark",
]
