"""Values on their way into records: what callers give becomes what is stored, or one fault per field."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orderhub.fields.engine import Definition, Fault, parse

#: All values of one record together, as JSON.
MOST_CHARACTERS = 32_000
Reader = Callable[[Definition, Any], Any]
May = Callable[[Definition], bool]


@dataclass(frozen=True, slots=True)
class Filled:
    """The record's values as they would be stored, and what was wrong, by field code; empty for the whole."""

    values: dict[str, Any]
    faults: dict[str, Fault] = field(default_factory=dict)


def merchant_may_write(definition: Definition) -> bool:
    """Whether callers of the merchant may fill the field."""
    return definition.merchant_may == "write"


def merchant_may_read(definition: Definition) -> bool:
    """Whether callers of the merchant may see the field."""
    return definition.merchant_may != "none"


def fill(
    definitions: Mapping[str, Definition],
    given: Mapping[str, Any],
    *,
    standing: Mapping[str, Any] | None = None,
    may: May = merchant_may_write,
    read: Reader = parse,
) -> Filled:
    """Put what is given over what stands; for a new record (`standing` None) defaults and required fields count.

    Unknown fields, and those the caller may not fill, are faults; a field the caller may not see is unknown to it.
    """
    values, faults = dict(standing or {}), dict[str, Fault]()
    for code, value in given.items():
        definition = definitions.get(code)
        if definition is None or not (may(definition) or merchant_may_read(definition)):
            faults[str(code)[:40] or " "] = Fault("field_unknown")
            continue
        try:
            if not may(definition):
                raise Fault("field_read_only")
            found = read(definition, value)
        except Fault as fault:
            faults[code] = fault
            continue
        if found is not None:
            values[code] = found
        elif definition.default is not None and (standing is None or definition.is_required):
            values[code] = definition.default
        else:
            values.pop(code, None)
    if standing is None:
        _complete(definitions, values, faults)
    if len(json.dumps(values, ensure_ascii=False)) > MOST_CHARACTERS:
        faults[""] = Fault("fields_large", most=MOST_CHARACTERS)
    return Filled(values, faults)


def _complete(
    definitions: Mapping[str, Definition], values: dict[str, Any], faults: dict[str, Fault]
) -> None:
    for code, definition in definitions.items():
        if code in values or code in faults:
            continue
        if definition.default is not None:
            values[code] = definition.default
        elif definition.is_required:
            faults[code] = Fault("field_required")


def visible(
    definitions: Mapping[str, Definition], values: Mapping[str, Any], *, may: May = merchant_may_read
) -> dict[str, Any]:
    """The values of active fields that the reader may see, in the order they are shown."""
    return {code: values[code] for code, one in definitions.items() if code in values and may(one)}
