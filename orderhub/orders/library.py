"""Puts the ready-made promotions and flows up in the starter library."""

from __future__ import annotations

from orderhub.orders.flows import library as flows
from orderhub.orders.promotions import library as promotions
from rules.library import shelves

shelves.register(promotions.SHELF)
shelves.register(flows.SHELF)
