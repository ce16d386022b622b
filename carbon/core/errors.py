"""The one refusal of the carbon engine: a code of the case interface and the element it concerns."""

from __future__ import annotations

CODES = (
    "UNKNOWN_FACTOR",
    "DRAFT_FACTOR",
    "UNIT_MISMATCH",
    "INCOMPLETE_FACTOR",
    "NO_DAF",
    "CHARGEABLE_MASS_AS_TRANSPORT_MASS",
    "NEGATIVE_INPUT",
    "BAD_SHARE",
    "BAD_LOAD_MODEL",
    "ZERO_WEIGHTS",
    "FLOAT_INPUT",
    # Ours, beyond the case interface: a method lacks a figure it cannot do without; a case is not of its form.
    "MISSING_INPUT",
    "BAD_CASE",
)


class EstimateError(ValueError):
    """A calculation was refused: `code` is one of `CODES`, `element` the id it concerns or None for the
    case.
    """

    def __init__(self, code: str, element: str | None = None) -> None:
        super().__init__(f"{code} ({element})" if element else code)
        self.code = code
        self.element = element
