"""A report in sentences: what happened, why, and what each recommendation means, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orderhub.inventory.admin_base import is_chinese
from routing.reports import words

Json = Mapping[str, Any]


def name(names: Json, kind: str, key: object) -> str:
    """What a thing of a report is called; one that is gone is called by its key."""
    pair = names.get(kind, {}).get(str(key))
    return str(pair[0 if is_chinese() else 1]) if pair else str(key)


def signed(amount: Decimal, digits: int) -> str:
    """With a true minus, a plus, or neither at nought."""
    text = f"{abs(amount):,.{digits}f}"
    if not Decimal(text.replace(",", "")):
        return text
    return f"{'+' if amount > 0 else '−'}{text}"


def summary(result: Json) -> str:
    """What an order cost and why that changed."""
    total = result["now"]["total"]
    sent = total["orders"] - total["unsent"]
    if not sent:
        return _("No order of this period could be sent.")
    cost = Decimal(total["cost"]) / sent
    why = result["why"]
    if not why:
        return _("An order cost ¥%(cost)s; there is no earlier period to compare with.") % {
            "cost": f"{cost:.2f}"
        }
    change = Decimal(why["cost"]["change"])
    if abs(change) < Decimal("0.005"):
        return _("An order cost ¥%(cost)s, as much as in the period before.") % {"cost": f"{cost:.2f}"}
    facts = {"cost": f"{cost:.2f}", "change": f"{abs(change):.2f}", **parts(why["cost"])}
    if change > 0:
        return (
            _(
                "An order cost ¥%(cost)s, ¥%(change)s more than before: mix %(mix)s, price %(price)s, stock position %(stock)s."
            )
            % facts
        )
    return (
        _(
            "An order cost ¥%(cost)s, ¥%(change)s less than before: mix %(mix)s, price %(price)s, stock position %(stock)s."
        )
        % facts
    )


def parts(found: Json) -> dict[str, str]:
    """The parts of a change of cost, rounded to cents so that they still add up to its cents."""
    cents = Decimal("0.01")
    whole = Decimal(found["change"]).quantize(cents)
    told = {part: Decimal(amount).quantize(cents) for part, amount in found["parts"].items()}
    largest = max(told, key=lambda part: abs(told[part]))
    told[largest] += whole - sum(told.values(), Decimal(0))
    return {part: signed(amount, 2) for part, amount in told.items()}


def driver(who: list[str], names: Json) -> str:
    """Whom a part is due to: a region, or a region and the way its orders went."""
    region = name(names, "region", who[0])
    if len(who) == 1:
        return region
    ways = []
    for one in who[1:]:
        house, _slash, card = one.partition("/")
        ways.append(f"{name(names, 'warehouse', house)} · {name(names, 'card', card)}")
    return f"{region} ← {' + '.join(ways)}"


def advice(kind: str, facts: Json, names: Json) -> str:
    """A recommendation as one sentence of what to do."""
    house = name(names, "warehouse", facts.get("to", facts.get("warehouse", "")))
    region = name(names, "region", facts.get("region", ""))
    if kind == "transfer":
        told = ngettext(
            "Move %(units)s units of %(skus)s SKU from %(start)s to %(house)s.",
            "Move %(units)s units of %(skus)s SKUs from %(start)s to %(house)s.",
            facts["skus"],
        )
        start = name(names, "warehouse", facts["from"])
        return told % {"units": f"{facts['units']:,}", "skus": facts["skus"], "start": start, "house": house}
    if kind == "safety":
        told = ngettext(
            "Keep more of %(skus)s SKU in %(house)s: %(units)s units are missing to its safety stock.",
            "Keep more of %(skus)s SKUs in %(house)s: %(units)s units are missing to their safety stocks.",
            facts["skus"],
        )
        return told % {"units": f"{facts['units']:,}", "skus": facts["skus"], "house": house}
    if kind == "forward":
        return _("Open a forward warehouse for %(region)s with %(skus)s SKUs.") % {
            "region": region, "skus": facts["skus"],
        }  # fmt: skip
    return _("From %(house)s to %(region)s, send by %(other)s instead of %(card)s.") % {
        "house": house, "region": region, "other": name(names, "card", facts["other"]),
        "card": name(names, "card", facts["card"]),
    }  # fmt: skip


def ground(kind: str, facts: Json) -> str:
    """What a recommendation rests on, and what its value counts."""
    days = facts["days"]
    if kind == "transfer":
        return _(
            "The receiver lacked them, so they came from farther away. Until the next receipt (%(days)d days) they "
            "save this much, the freight of the transfer taken off."
        ) % {"days": days}
    if kind == "safety":
        return _(
            "Mean demand of %(days)d days and 1.65 standard deviations of it; the value is what the units missing "
            "until then would cost from farther away. Capital and storage are not counted."
        ) % {"days": days}
    if kind == "forward":
        return _(
            "%(parcels)s parcels in %(days)d days, each %(hours)s h slower than parcels that stay in a region; freight "
            "alone ¥%(money)s. Rent and stock are not counted."
        ) % {
            "parcels": f"{facts['parcels']:,}", "days": days, "hours": facts["hours"], "money": facts["money"],
        }  # fmt: skip
    late = [f"{share * 100:.0f}" for share in facts["late"]]
    return _(
        "%(parcels)s parcels in %(days)d days: ¥%(money)s of freight, %(mine)s h against %(theirs)s h to the door as "
        "measured, late %(late)s%% against %(other)s%%; hours count at the default strategy's rate."
    ) % {
        "parcels": f"{facts['parcels']:,}", "days": days, "money": facts["money"], "mine": facts["hours"][0],
        "theirs": facts["hours"][1], "late": late[0], "other": late[1],
    }  # fmt: skip


def replay(found: Json) -> str:
    """What the twin says of a recommendation."""
    facts = {
        "paired": f"{found['paired']:,}", "changed": f"{found['changed']:,}",
        "saved": signed(Decimal(str(-found["saved"])), 2), "worth": signed(Decimal(str(-found["worth"])), 2),
        "hours": signed(Decimal(str(found["figures"]["hours"]["difference"])), 2),
    }  # fmt: skip
    return (
        _(
            "Twin: over %(paired)s orders cost ¥%(saved)s, with time, carbon and splits ¥%(worth)s; %(hours)s h each; "
            "%(changed)s orders go another way."
        )
        % facts
    )


def late_word(share: Decimal | None) -> str:
    """A share as percent; a dash where nothing can be judged."""
    return "–" if share is None else f"{share * 100:.1f}%"


def measure(code: str) -> str:
    """What a measure is called."""
    return str(words.MEASURE_WORDS[code])
