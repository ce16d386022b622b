"""What the carbon ledger listens to."""

from __future__ import annotations

from carbon import ledger
from orderhub.events import registry

registry.projection("carbon.ledger", kinds=ledger.KINDS, queue="carbon", batch=200)(ledger.apply)
