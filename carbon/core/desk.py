"""The desk where an element fetches its factors: checked, rebased if asked, noted and flagged."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from carbon.core.errors import EstimateError
from carbon.core.gases import gwp_table, rebase
from carbon.core.model import Factor, Options

NOT_ENERGY = frozenset({"tkm", "vkm", "t"})


class Rates(NamedTuple):
    """kg CO2e per unit; ttw and wtt are None together when only the sum is known."""

    ttw: Decimal | None
    wtt: Decimal | None
    total: Decimal


class Desk:
    """Serves one element and remembers the factors it used and the flags they raised."""

    def __init__(self, *, element: str, options: Options) -> None:
        self.element = element
        self.options = options
        self.factor_ids: list[str] = []
        self.flags: set[str] = set()

    def rates(self, factor: Factor, *, unit: str, split: bool = True) -> Rates:
        """The factor per `unit` ("energy" accepts any energy unit); `split` False skips SPLIT_UNKNOWN.

        Raises UNKNOWN_FACTOR, DRAFT_FACTOR, UNIT_MISMATCH, INCOMPLETE_FACTOR in this order.
        """
        self._check(factor, unit=unit)
        self._note(factor)
        if self.options.gwp == "AR6":
            factor, whole = rebase(factor)
            if not whole:
                self.flags.add("GWP_NOT_REBASED")
        if factor.ttw is not None and factor.wtt is not None:
            return Rates(factor.ttw, factor.wtt, factor.ttw + factor.wtt)
        if factor.total is None:
            raise EstimateError("INCOMPLETE_FACTOR", self.element)
        if split:
            self.flags.add("SPLIT_UNKNOWN")
        return Rates(None, None, factor.total)

    def gwp(self, gas: str) -> Decimal:
        """GWP100 of a refrigerant by AR5, or by AR6 when chosen; raises UNKNOWN_FACTOR for a gas not
        listed.
        """
        value = gwp_table()["AR6" if self.options.gwp == "AR6" else "AR5"].get(gas)
        if value is None:
            raise EstimateError("UNKNOWN_FACTOR", self.element)
        return value

    def _check(self, factor: Factor, *, unit: str) -> None:
        if factor.status == "unknown":
            raise EstimateError("UNKNOWN_FACTOR", self.element)
        if factor.status == "draft" and not self.options.allow_draft:
            raise EstimateError("DRAFT_FACTOR", self.element)
        fits = factor.unit not in NOT_ENERGY if unit == "energy" else factor.unit == unit
        if not fits:
            raise EstimateError("UNIT_MISMATCH", self.element)

    def _note(self, factor: Factor) -> None:
        self.factor_ids.append(factor.id)
        if factor.status == "draft":
            self.flags.add("DRAFT_FACTOR")
        day = self.options.activity_date
        if day is not None and factor.valid_to is not None and day > factor.valid_to:
            self.flags.add("TEMPORAL_GAP")
        boundary = factor.boundary
        if boundary.startswith("GENERATION") and boundary != "GENERATION+TD+WTT":
            self.flags.add("BOUNDARY_GENERATION_ONLY")
        elif boundary == "TRANSPORT_TO_FACILITY_ONLY":
            self.flags.add("EOL_TRANSPORT_ONLY")
