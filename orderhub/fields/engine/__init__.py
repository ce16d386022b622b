"""Custom fields without a database: what a field is, what a value of it may be, and how values become others."""

from orderhub.fields.engine.model import (
    CHOICE_KINDS,
    KINDS,
    MOST_CHOICES,
    MOST_FIELDS,
    NUMBER_KINDS,
    TARGETS,
    Choice,
    Definition,
    Fault,
)
from orderhub.fields.engine.patterns import Pattern, PatternError
from orderhub.fields.engine.values import check_definition, from_text, parse, shown, to_text

__all__ = [
    "CHOICE_KINDS", "KINDS", "MOST_CHOICES", "MOST_FIELDS", "NUMBER_KINDS", "TARGETS", "Choice", "Definition", "Fault",
    "Pattern", "PatternError", "check_definition", "from_text", "parse", "shown", "to_text",
]  # fmt: skip
