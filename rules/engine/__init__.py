"""The language operators write in: typed JSON trees compiled to closures, decimal arithmetic, no eval.

A condition is ``{"all": [...]}``, ``{"any": [...]}``, ``{"not": {...}}`` or ``{"fact", "op", "value"}``;
``{"all": []}`` is always true. An action is ``{"do": name, "with": {param: value}}``. A rule is
``{"id", "name", "priority", "when", "then", "stop", "group"}``. Numbers are integers or strings, never
JSON floats. A missing fact makes its comparison false (``is_set`` false excepted), whatever the operator.
"""

from __future__ import annotations

from rules.engine.analysis import implies, never
from rules.engine.compile import compile_condition, compile_rule
from rules.engine.described import described
from rules.engine.evaluate import evaluate
from rules.engine.language import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_NODES,
    MAX_RULES,
    OPS,
    Action,
    Compiled,
    CompiledRule,
    Fact,
    Failure,
    FiredAction,
    Outcome,
    RuleError,
    Trace,
    Vocabulary,
)
from rules.engine.reading import read
from rules.engine.sentence import sentence
from rules.engine.table import Table

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_NODES",
    "MAX_RULES",
    "OPS",
    "Action",
    "Compiled",
    "CompiledRule",
    "Fact",
    "Failure",
    "FiredAction",
    "Outcome",
    "RuleError",
    "Table",
    "Trace",
    "Vocabulary",
    "compile_condition",
    "compile_rule",
    "described",
    "evaluate",
    "implies",
    "never",
    "read",
    "sentence",
]
