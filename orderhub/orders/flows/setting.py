"""The step of drawn flows that fills a custom field of the order, checked, told and stored as a person's change is."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import translation

from orderhub.events import log
from orderhub.fields import filling as fields
from orderhub.fields import queries, vocabulary
from orderhub.fields.engine import Definition, Fault, from_text
from orderhub.fields.wording import sentence
from orderhub.orders import kinds, lifecycle
from orderhub.orders.filling import differing
from orderhub.orders.flows import nodes
from orderhub.orders.models import Order
from rules.flow import Choice, Context, Param, Verdict, step

logger = logging.getLogger(__name__)
NAME = "flow.set_field"
_PREFIX = f"order{vocabulary.MARK}"


def _fields(scope: str) -> list[Choice]:
    """The order's fields that a flow of this scope may fill, named as rules name them."""
    return [Choice(_PREFIX + x.code, x.zh, x.en or x.zh) for x in _definitions(scope).values()]


def _definitions(scope: str) -> dict[str, Definition]:
    """The active fields of orders that a scope knows, by code; one query."""
    rows = queries.of_scope(scope).filter(target="order", archived_at__isnull=True)
    return {row.code: row.definition() for row in rows}


def _fault(given: Mapping[str, Any], scope: str) -> tuple[str, str] | None:
    """Why the value is none of the field's, in zh and en."""
    definition = _definitions(scope).get(str(given.get("field", "")).removeprefix(_PREFIX))
    if definition is None:
        return None
    try:
        value = from_text(definition, str(given.get("value") or ""))
        if value is None and definition.is_required:
            raise Fault("field_required")
    except Fault as fault:
        said = []
        for language in ("zh-hans", "en"):
            with translation.override(language):
                said.append(sentence(fault))
        return f"{definition.label(zh=True)}：{said[0]}", f"{definition.label(zh=False)}: {said[1]}"
    return None


def value_of(given: Mapping[str, Any], order: Order) -> tuple[Definition, Any] | None:
    """The field a node fills and the value it gives, as stored; None where the order's merchant has none such (any more),
    or the value is none of it.
    """
    code = str(given.get("field") or "").removeprefix(_PREFIX)
    definition = queries.book(order.merchant).of("order").get(code)
    if definition is None:
        return None
    try:
        return definition, from_text(definition, str(given.get("value") or ""))
    except Fault:
        return None


@step(
    NAME, zh="填写自定义字段", en="Fill a custom field", group="act", icon="edit", check=_fault,
    params=(
        Param("field", "choice", "字段", "field", among=_fields),
        Param("value", "text", "内容（空：清除）", "value (empty: none)", required=False),
    ),
)  # fmt: skip
def set_field(orders: Sequence[Order], context: Context) -> Mapping[int, Verdict]:
    """Fill the field as the node says; later decisions see it. A field that is gone, or whose type changed since the
    flow was published so that the value fits no more, is left as it is.
    """
    queries.books({order.merchant_id: order.merchant for order in orders}.values())
    changed: list[Order] = []
    facts: list[log.Fact] = []
    for order in orders:
        node = context.places[order.pk]
        found = value_of(node.given, order)
        if found is None:
            logger.warning(
                "node %s of order %d fills no field: %s", node.id, order.pk, node.given.get("field")
            )
            continue
        definition, value = found
        filled = fields.fill(
            {definition.code: definition}, {definition.code: value}, standing=order.custom, may=_anybody
        )
        codes = [] if filled.faults else differing(order.custom, filled.values)
        if codes:
            order.custom = filled.values
            changed.append(order)
            told = {"fields": codes, "node": node.id}
            facts.append(log.Fact(order.stream, kinds.FIELDS_CHANGED.name, told, order.merchant_id))
    lifecycle.save(changed, ["custom"], now=context.now)
    log.record(facts, now=context.now, actor=context.actor)
    return nodes.all_on(orders)


def _anybody(_definition: Definition) -> bool:
    """Operators who publish flows may fill every field, as they may in the admin."""
    return True
