"""Connector tables; imported here so that Django finds them in one place."""

from orderhub.connectors.models.connection import Connection, InboxMessage
from orderhub.connectors.models.imports import ImportBatch, ImportFile, RefusedRow
from orderhub.connectors.models.simulation import SimulatedJob

__all__ = ["Connection", "ImportBatch", "ImportFile", "InboxMessage", "RefusedRow", "SimulatedJob"]
