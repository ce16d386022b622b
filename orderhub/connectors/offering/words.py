"""Why a channel shows so many units and no more, in a sentence a merchant understands."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

#: By the code of a step: what happened to the units. Positive steps are written with +.
_STEPS = {
    "stock": _("%(units)s in its warehouses"),
    "presale": _("%(units)s sold ahead"),
    "waiting": _("%(units)s for orders that wait"),
    "safety": _("%(units)s safety units"),
    "share": _("%(units)s beyond its share"),
    "cap": _("%(units)s above its cap"),
    "threshold": _("%(units)s, too few to be shown"),
    "others": _("%(units)s for other channels"),
    "buffer": _("%(units)s kept for sales we may not have heard of"),
    "kept": _("%(units)s that it shows already; so small a change is not sent"),
}  # fmt: skip


def explain(steps: Iterable[tuple[str, int]], quantity: int) -> str:
    """The steps as one sentence, for example "7 = 10 in its warehouses, −1 for orders that wait, −2 …"."""
    parts = [
        str(_STEPS[code]) % {"units": _signed(units, is_first=n == 0)}
        for n, (code, units) in enumerate(steps)
    ]
    if not parts:
        return str(_("0: there is nothing in its warehouses."))
    return f"{quantity} = {str(_(', ')).join(parts)}"


def _signed(units: int, *, is_first: bool) -> str:
    if is_first and units >= 0:
        return str(units)
    return f"+{units}" if units >= 0 else f"−{-units}"
