"""What the editor draws from: every registered step with its parameters, the facts, the words of its texts."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from rules import flow, vocabulary
from rules.engine import described
from rules.flow import Param, Step
from rules.flows.graph import END, START
from rules.flows.publishing import PURPOSE

_GROUPS = ("check", "step", "decide", "wait", "act")


def steps(scope: str, *, zh: bool) -> list[dict[str, Any]]:
    """The steps by group, with start and end, as plain values in the reader's language."""
    found = [flow.get(name) for name in flow.names()]
    ordered = sorted(found, key=lambda step: (_GROUPS.index(step.group), not step.required, step.name))
    ends: list[dict[str, Any]] = [
        {
            "step": START,
            "name": "订单进入" if zh else "Order comes in",
            "group": "end",
            "icon": "orders",
            "params": [],
        },
        {"step": END, "name": "完成" if zh else "Done", "group": "end", "icon": "ok", "params": []},
    ]
    return [*(_step(step, scope, zh=zh) for step in ordered), *ends]


def facts(scope: str, *, zh: bool) -> list[dict[str, Any]]:
    """What decisions may ask for, by label."""
    language = "zh" if zh else "en"
    rows = described(vocabulary.words(PURPOSE, scope))["facts"]
    return sorted(
        (
            {
                "name": row["name"], "type": row["type"], "label": row[language], "unit": row["unit"],
                "example": "" if row["example"] is None else str(row["example"]), "choices": row["choices"],
                "ops": [op for op in _OPS if op in row["ops"]],
            }
            for row in rows
        ),
        key=lambda row: (row["name"].partition(".")[0] != "order", row["label"]),
    )  # fmt: skip


_OPS = (
    ">=",
    ">",
    "<=",
    "<",
    "==",
    "!=",
    "between",
    "in",
    "not_in",
    "contains",
    "starts_with",
    "within",
    "is_set",
)


def words() -> dict[str, str]:
    """The texts of the editor's script; keys are used there."""
    return {
        "unnamed": _("without a name"), "choose": _("choose…"), "none": _("nowhere yet"),
        "goes_to": _("leads to"), "exit_else": _("otherwise"), "exit_next": _("then"),
        "branch": _("Branch"), "add_branch": _("Add a branch"), "remove_branch": _("Remove this branch"),
        "add_row": _("Add a condition"), "add_group": _("Add a group"), "remove": _("Remove"),
        "all": _("all of these"), "any": _("one of these"), "name_zh": _("Chinese name"),
        "name_en": _("English name"), "fact": _("Fact"), "op": _("Comparison"), "value": _("Value"),
        "yes": _("yes"), "no": _("no"), "delete": _("Delete this node"), "node_deleted": _("Deleted: %s"),
        "connected": _("%s now leads to %s"), "moved": _("%s moved"), "added": _("Added: %s"),
        "connecting": _("Connect %s: Tab to a node, Enter to connect, Escape to leave it"),
        "sound": _("Nothing is missing: every way leads to the end."),
        "checking": _("Checking…"), "saved": _("Draft saved."), "saving": _("Saving…"),
        "stale": _(
            "Somebody else has saved this flow meanwhile. Your drawing is still here: load theirs, or save yours over it."
        ),
        "load_theirs": _("Load theirs"), "save_mine": _("Save mine over it"),
        "unsaved": _("not saved yet"), "fault": _("It did not work. Try again."),
        "edit": _("Edit"), "step_n": _("Step %s of %s: %s"), "condition_of": _("Condition of branch %s"),
        "group_end": _("Begin and end"), "group_check": _("Checks"), "group_step": _("Steps"),
        "group_decide": _("Branching"), "group_wait": _("Waits and holds"), "group_act": _("Deeds"),
        "no_end": _("does not come to the end"), "not_asked": _("not asked any more"), "holds": _("is so"),
        "holds_not": _("is not so"), "two_values": _("two values with a comma between"),
        "many_values": _("values with commas between"), "window": _("from–to, like 20:00–23:59"),
        "pick": _("Choose a node to see what it does."), "complex": _("This condition is nested; it is kept as it is."),
        "op_>=": "≥", "op_>": ">", "op_<=": "≤", "op_<": "<", "op_==": _("is"), "op_!=": _("is not"),
        "op_between": _("is between"), "op_in": _("is one of"), "op_not_in": _("is none of"),
        "op_contains": _("contains"), "op_starts_with": _("starts with"), "op_within": _("is within"),
        "op_is_set": _("is given"), "tried": _("Tried way: %s steps"),
    }  # fmt: skip


def _step(step: Step, scope: str, *, zh: bool) -> dict[str, Any]:
    return {
        "step": step.name, "name": step.zh if zh else step.en, "group": step.group, "icon": step.icon,
        "required": step.required, "params": [_param(param, scope, zh=zh) for param in step.params],
    }  # fmt: skip


def _param(param: Param, scope: str, *, zh: bool) -> dict[str, Any]:
    choices = param.among(scope) if param.among else param.choices
    return {
        "name": param.name, "kind": param.kind, "label": param.zh if zh else param.en,
        "required": param.required, "low": param.low, "high": param.high, "unit": param.unit[0 if zh else 1],
        "choices": [{"value": x.value, "name": x.zh if zh else x.en} for x in choices],
    }  # fmt: skip
