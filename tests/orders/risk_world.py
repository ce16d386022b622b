"""A make-believe shop with known truth: ordinary buyers, fraud of several kinds, and innocents who look like fraud.

At least half of the hard cases are innocent. The same seed gives the same world. What it knows of an order is what a
channel could tell; it never looks at the detector's points or limits.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

PROVINCES = ("浙江", "广东", "四川", "江苏", "山东", "湖北", "福建", "河南", "陕西", "辽宁")
BAD_KINDS = ("stolen", "farm", "refuser", "flagged")
HARD_GOOD = ("reseller", "dormitory", "traveller", "new_phone", "newcomer", "rush", "forwarded", "expat")


@dataclass(frozen=True, slots=True)
class Placed:
    """One order of the world: when, whose, what the channel tells, and whether it is fraud.

    `is_first` marks fraud of which nothing can be known yet: the first accounts of a farm look like anybody's.
    """

    at: datetime
    kind: str
    is_bad: bool
    phone: str
    province: str
    address: str
    lines: dict[str, int]
    extra: dict[str, Any] = field(default_factory=dict)
    refused_before: int = 0
    is_first: bool = False


class World:
    """The orders of some weeks, in the order they come in."""

    def __init__(
        self, seed: int, *, start: datetime, days: int = 28, ordinary: int = 700, each: int = 6
    ) -> None:
        self.chance = random.Random(seed)
        self.start, self.days, self.ordinary, self.each = start, days, ordinary, each
        self._serial = seed * 100_000

    def orders(self) -> list[Placed]:
        """Everything, oldest first."""
        found = [order for _n in range(self.ordinary) for order in self._ordinary()]
        for _n in range(self.each):
            for kind in (*BAD_KINDS, *HARD_GOOD):
                found += getattr(self, f"_{kind}")()
        return sorted(found, key=lambda x: x.at)

    # ---- innocents -------------------------------------------------------------------------------

    def _ordinary(self) -> Iterator[Placed]:
        who, home = self._name(), self._province()
        yield self._order("ordinary", False, who, home, extra={"login_province": home})

    def _reseller(self) -> Iterator[Placed]:
        """Buys much, and sends it to many addresses."""
        who, home, day = self._name(), self._province(), self._day(8)
        for n in range(8):
            yield self._order("reseller", False, who, self._province(), at=day + timedelta(hours=9 * n), lines={"CUP": 6},
                              address=self._address(), extra={"login_province": home, "usual_provinces": [home]})  # fmt: skip

    def _dormitory(self) -> Iterator[Placed]:
        """Twelve students at one address within two weeks, each with a phone and a device of their own."""
        house, home = self._address(), self._province()
        for _n in range(12):
            yield self._order("dormitory", False, self._name(), home, at=self._day(2), address=house,
                              extra={"login_province": home, "new_customer_offer": self.chance.random() < 0.2})  # fmt: skip

    def _traveller(self) -> Iterator[Placed]:
        """At home for weeks, then a trip; orders to the hotel or to home."""
        who, home, away = self._name(), self._province(), self._province()
        begin = self._day(12)
        for day in (0, 5):
            yield self._order(
                "traveller", False, who, home, at=begin + timedelta(days=day), extra={"login_province": home}
            )
        yield self._order("traveller", False, who, self.chance.choice((home, away)), at=begin + timedelta(days=11),
                          extra={"login_province": away})  # fmt: skip

    def _new_phone(self) -> Iterator[Placed]:
        """Changes the number once or twice, the second time with a new telephone."""
        who, home, begin = self._name(), self._province(), self._day(14)
        for n in range(3):
            device = f"new-phone-of-{who}" if n == 2 else ""
            yield self._order("new_phone", False, who, home, at=begin + timedelta(days=4 * n), phone=self._phone(),
                              device=device, extra={"login_province": home})  # fmt: skip

    def _newcomer(self) -> Iterator[Placed]:
        """Signs up and buys something dear, with a card just added."""
        home, at = self._province(), self._day(1)
        registered = at - timedelta(hours=self.chance.randint(1, 70))
        yield self._order("newcomer", False, self._name(), home, at=at, lines={"QUILT": 3}, extra={
            "login_province": home, "buyer_registered_at": registered.isoformat(), "payment_added_at": registered.isoformat(),
        })  # fmt: skip

    def _rush(self) -> Iterator[Placed]:
        """A peak day: one household orders four times in an hour, from one phone."""
        who, home, at = self._name(), self._province(), self._day(1)
        for n in range(4):
            yield self._order(
                "rush", False, who, home, at=at + timedelta(minutes=9 * n), extra={"login_province": home}
            )

    def _forwarded(self) -> Iterator[Placed]:
        """Lives abroad and has things sent through a forwarder."""
        home = self._province()
        yield self._order(
            "forwarded",
            False,
            self._name(),
            home,
            address=f"{self._address()} 集运仓",
            extra={"ip_province": home},
        )

    def _expat(self) -> Iterator[Placed]:
        """Moved lately: logs in from the new place, pays with a new card, has it sent on by a forwarder."""
        home, away, at = self._province(), self._province(), self._day(1)
        yield self._order("expat", False, self._name(), self._province(), at=at, address=f"{self._address()} 集运", extra={
            "login_province": away, "usual_provinces": [home], "payment_added_at": (at - timedelta(hours=9)).isoformat(),
        })  # fmt: skip

    # ---- fraud -----------------------------------------------------------------------------------

    def _stolen(self) -> Iterator[Placed]:
        """An account with a quiet past is taken over: login from elsewhere on another device, other phones, an address
        far away.
        """
        who, home, begin = self._name(), self._province(), self._day(20)
        for day in (0, 6):
            yield self._order(
                "stolen", False, who, home, at=begin + timedelta(days=day), extra={"login_province": home}
            )
        away, house = self._province(), f"{self._address()} 转运"
        at = begin + timedelta(days=14)
        for n in range(self.chance.randint(1, 3)):
            yield self._order("stolen", True, who, self._province(), at=at + timedelta(minutes=20 * n), phone=self._phone(),
                              address=house, lines={"QUILT": 2}, device=f"thief-{begin.timestamp()}", extra={
                "login_province": away, "usual_provinces": [home], "phone_changes_30d": self.chance.choice((2, 3, 4)),
                "failed_payments_24h": self.chance.choice((0, 4, 6)), "payment_added_at": (at - timedelta(hours=2)).isoformat(),
            })  # fmt: skip

    def _farm(self) -> Iterator[Placed]:
        """Nine accounts of one person take the new-customer offer from one device and one or two phones."""
        device, phones, home = f"farm-{self._next()}", [self._phone(), self._phone()], self._province()
        at = self._day(2)
        for n in range(9):
            moment = at + timedelta(minutes=25 * n)
            registered = moment - timedelta(seconds=self.chance.randint(20, 400))
            told = {
                "new_customer_offer": True,
                "login_province": home,
                "buyer_registered_at": registered.isoformat(),
            }
            yield self._order("farm", True, self._name(), home, at=moment, phone=phones[n % 2], device=device,
                              is_first=n < 4, extra=told)  # fmt: skip

    def _refuser(self) -> Iterator[Placed]:
        """Orders cash on delivery and refuses at the door, with throw-away data."""
        home = self._province()
        yield self._order("refuser", True, self._name(), home, address="某路", refused=self.chance.randint(2, 4), extra={
            "payment_method": "cod", "email_hint": "x", "risk_flag": self.chance.choice(("", "high")),
        })  # fmt: skip

    def _flagged(self) -> Iterator[Placed]:
        """The channel itself warns, and the account is minutes old."""
        at, home = self._day(1), self._province()
        yield self._order("flagged", True, self._name(), home, at=at, lines={"QUILT": 2}, extra={
            "risk_flag": "1", "buyer_registered_at": (at - timedelta(seconds=45)).isoformat(), "login_province": home,
        })  # fmt: skip

    # ---- making them -------------------------------------------------------------------------------

    def _order(
        self, kind: str, is_bad: bool, who: str, province: str, *, at: datetime | None = None, phone: str = "",
        address: str = "", device: str = "", lines: dict[str, int] | None = None, refused: int = 0, is_first: bool = False,
        extra: dict[str, Any],
    ) -> Placed:  # fmt: skip
        told = {"buyer_id": who, "device_id": device or f"device-of-{who}", **extra}
        goods = lines or {self.chance.choice(("LAMP", "CUP")): self.chance.randint(1, 2)}
        return Placed(
            at or self._day(1), kind, is_bad, phone or _phone_of(who), f"{province}省", address or f"人民路 {who[1:]} 号", goods,
            told, refused, is_first,
        )  # fmt: skip

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    def _name(self) -> str:
        return f"u{self._next()}"

    def _phone(self) -> str:
        return f"139{self._next():08}"

    def _address(self) -> str:
        return f"解放路 {self._next()} 号"

    def _province(self) -> str:
        return self.chance.choice(PROVINCES)

    def _day(self, spare: int) -> datetime:
        """A moment that leaves some days until the end."""
        minutes = self.chance.randrange((self.days - spare) * 24 * 60)
        return self.start + timedelta(minutes=minutes)


def _phone_of(who: str) -> str:
    return f"137{int(who[1:]):08}"
