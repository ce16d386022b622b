"""Parcels on their way: one parcel, told by each carrier's interface in its own words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from orderhub.connectors.fakes.faults import Unknown
from orderhub.connectors.fakes.shelf import Shelf

#: The usual way of a parcel.
WAY = ("collected", "departed", "arrived", "departed", "arrived", "delivering", "signed")
ASIDE = ("problem", "refused", "returning", "returned", "intercepted", "customs")
ENDED = ("signed", "returned")
SCAN_LIMIT = 60


@dataclass(frozen=True)
class Scan:
    """One event of a parcel."""

    number: int
    kind: str
    at: datetime
    place: str
    remark: str


@dataclass
class Parcel:
    """A parcel, its scans (oldest first), and where it shall go."""

    number: str
    carrier: str
    created_at: datetime
    reference: str = ""
    origin: str = "杭州市"
    target: str = "上海市"
    step: int = 0
    scans: list[Scan] = field(default_factory=list)
    intercepted: bool = False
    new_address: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return bool(self.scans) and self.scans[-1].kind in ENDED

    def tell(self) -> dict[str, Any]:
        """The parcel in short."""
        return {
            "number": self.number, "carrier": self.carrier, "reference": self.reference,
            "scans": [scan.kind for scan in self.scans], "intercepted": self.intercepted,
            "new_address": self.new_address,
        }  # fmt: skip


class Parcels:
    """All parcels of a world; carriers listen to scans."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._all: Shelf[Parcel] = Shelf(50_000)
        self._scans = 0
        self.listeners: list[Callable[[Parcel, Scan], None]] = []
        self.on_new: list[Callable[[str], None]] = []

    def get(self, number: str) -> Parcel | None:
        """The parcel, if there is one."""
        return self._all.get(number)

    def known(self, number: str, carrier: str, *, reference: str = "", target: str = "上海市") -> Parcel:
        """The parcel with this number, made if need be: carriers know parcels before others ask."""
        parcel = self._all.get(number)
        if parcel is None:
            parcel = Parcel(number, carrier, self._now(), reference, target=target)
            self._all.put(number, parcel)
            for listener in self.on_new:
                listener(number)
        return parcel

    def find(self, number: str) -> Parcel:
        """The parcel; raises Unknown."""
        return self._all.find(number)

    def advance(self, number: str, steps: int = 1, to: str = "") -> Parcel:
        """Move a parcel on its way by some steps, or until a kind of scan, or aside (problem, refused, returned …)."""
        parcel = self.find(number)
        if to in ASIDE:
            self._scan(parcel, to)
            return parcel
        if to and to not in WAY:
            raise Unknown(f"Parcels do not go to {to!r}: use one of {', '.join((*WAY, *ASIDE))}.")
        for _step in range(len(WAY) if to else steps):
            if parcel.ended or parcel.step >= len(WAY):
                break
            kind = WAY[parcel.step]
            parcel.step += 1
            self._scan(parcel, kind)
            if kind == to:
                break
        return parcel

    def state(self) -> list[dict[str, Any]]:
        """All parcels in short."""
        return [parcel.tell() for parcel in self._all]

    def clear(self) -> None:
        """Forget all parcels."""
        self._all.clear()

    def _scan(self, parcel: Parcel, kind: str) -> None:
        self._scans += 1
        place = parcel.origin if parcel.step <= 2 else parcel.target
        # Scans of one parcel are at least a minute apart, whatever the clock: carriers sort by them.
        earliest = parcel.scans[-1].at + timedelta(minutes=1) if parcel.scans else parcel.created_at
        scan = Scan(self._scans, kind, max(self._now(), earliest), place, _remark(kind, place))
        parcel.scans.append(scan)
        if len(parcel.scans) > SCAN_LIMIT:
            del parcel.scans[0]
        for listener in self.listeners:
            listener(parcel, scan)


def _remark(kind: str, place: str) -> str:
    words = {
        "collected": "示例网点 已揽收", "departed": "快件离开 转运中心", "arrived": "快件到达 转运中心",
        "delivering": "示例网点 派件中，快递员电话 100****0009", "signed": "快件已签收，签收人：本人",
        "problem": "派送不成功：收件人不在，改日再派", "refused": "收件人拒收", "returning": "快件退回中",
        "returned": "退件已签收", "intercepted": "快件已拦截，按新要求处理", "customs": "快件清关中",
    }  # fmt: skip
    return f"【{place}】{words[kind]}"
