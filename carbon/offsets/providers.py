"""Where support is bought: one small face for all providers. Repeating a call with its key buys nothing twice."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

MICROGRAM = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Quote:
    """kg CO2e for an amount of money, at the project's price."""

    kg: Decimal
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Placed:
    """What a provider answered: its number, and whether the units are retired already."""

    reference: str
    is_retired: bool


@dataclass(frozen=True, slots=True)
class Certificate:
    """The retirement as the registry tells it."""

    registry: str
    serials: str
    vintage: int
    kg: Decimal
    retired_on: date
    address: str


class Provider(Protocol):
    """Quote, order, status and certificate of a provider."""

    def quote(self, *, amount: Decimal, currency: str, price_per_kg: Decimal) -> Quote:
        """How many kg an amount buys."""

    def order(self, *, key: str, kg: Decimal, project: str) -> Placed:
        """Order; the same key gets the same answer."""

    def status(self, *, reference: str) -> Placed:
        """How an order stands."""

    def certificate(self, *, reference: str, kg: Decimal, today: date) -> Certificate | None:
        """The retirement once there is one."""


class Manual:
    """People buy elsewhere and enter the serials; nothing is called."""

    def quote(self, *, amount: Decimal, currency: str, price_per_kg: Decimal) -> Quote:
        """By the price people maintain; kg are rounded down to the milligram."""
        return Quote((amount / price_per_kg).quantize(MICROGRAM, "ROUND_DOWN"), amount, currency)

    def order(self, *, key: str, kg: Decimal, project: str) -> Placed:
        """Noted, for a person to buy."""
        return Placed("", is_retired=False)

    def status(self, *, reference: str) -> Placed:
        """As people record it."""
        return Placed(reference, is_retired=False)

    def certificate(self, *, reference: str, kg: Decimal, today: date) -> Certificate | None:
        """None: a person enters it."""
        return None


class Sandbox(Manual):
    """For trying out: answers at once, buys nothing, and says so in every number."""

    def order(self, *, key: str, kg: Decimal, project: str) -> Placed:
        """A number made of the key, so that a repeated call is the same order."""
        return Placed(f"SANDBOX-{hashlib.sha256(key.encode()).hexdigest()[:16]}", is_retired=True)

    def status(self, *, reference: str) -> Placed:
        """Retired at once."""
        return Placed(reference, is_retired=True)

    def certificate(self, *, reference: str, kg: Decimal, today: date) -> Certificate | None:
        """Serials that no registry has."""
        return Certificate("SANDBOX", f"{reference}-0001", today.year, kg, today, "")


PROVIDERS: dict[str, Provider] = {"manual": Manual(), "sandbox": Sandbox()}
