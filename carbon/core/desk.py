"""The desk where an element fetches its factors: checked, rebased if asked, noted and flagged."""

from __future__ import annotations

from decimal import Decimal

from carbon.core.errors import EstimateError
from carbon.core.gases import gwp_table, rebase
from carbon.core.model import Factor, Options, Rates

NOT_ENERGY = frozenset({"tkm", "vkm", "t", "usd2022"})


class Desk:
    """Serves one element and remembers the factors it used and the flags they raised."""

    __slots__ = ("element", "factor_ids", "flags", "options")

    def __init__(self, element: str, options: Options) -> None:
        self.element = element
        self.options = options
        self.factor_ids: list[str] = []
        self.flags: set[str] = set()

    def rates(self, factor: Factor, *, unit: str, split: bool = True) -> Rates:
        """The factor per `unit` ("energy" accepts any energy unit); `split` False skips SPLIT_UNKNOWN.

        Raises UNKNOWN_FACTOR, DRAFT_FACTOR, UNIT_MISMATCH, INCOMPLETE_FACTOR in this order.
        """
        if factor.status != "active":
            self._check_status(factor)
        if factor.unit != unit and (unit != "energy" or factor.unit in NOT_ENERGY):
            raise EstimateError("UNIT_MISMATCH", self.element)
        self.factor_ids.append(factor.id)
        if factor.marks:
            self.flags.update(factor.marks)
        options = self.options
        if factor.valid_to is not None and options.activity_date is not None:
            if options.activity_date > factor.valid_to:
                self.flags.add("TEMPORAL_GAP")
        if options.gwp == "AR6":
            factor, whole = rebase(factor)
            if not whole:
                self.flags.add("GWP_NOT_REBASED")
        rates = factor.rates
        if rates is None:
            raise EstimateError("INCOMPLETE_FACTOR", self.element)
        if split and rates.ttw is None:
            self.flags.add("SPLIT_UNKNOWN")
        return rates

    def gwp(self, gas: str) -> Decimal:
        """GWP100 of a refrigerant by AR5, or by AR6 when chosen; raises UNKNOWN_FACTOR for a gas not
        listed.
        """
        value = gwp_table()["AR6" if self.options.gwp == "AR6" else "AR5"].get(gas)
        if value is None:
            raise EstimateError("UNKNOWN_FACTOR", self.element)
        return value

    def _check_status(self, factor: Factor) -> None:
        if factor.status == "unknown":
            raise EstimateError("UNKNOWN_FACTOR", self.element)
        if factor.status == "draft" and not self.options.allow_draft:
            raise EstimateError("DRAFT_FACTOR", self.element)
