"""The explanation of a price in words: what each promotion did, and why others did not count."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from orderhub.orders.promotions.carts import PURPOSE
from rules import vocabulary
from rules.engine import Fact


def told(document: Mapping[str, Any]) -> dict[str, Any]:
    """An explanation as `recording.document` keeps it, with a sentence (`text`) for every promotion, in the reader's
    language.
    """
    currency = str(document.get("currency", ""))
    return {
        **document,
        "applied": [{**one, "text": applied(one, currency)} for one in document.get("applied", ())],
        "skipped": [{**one, "text": skipped(one, currency)} for one in document.get("skipped", ())],
    }


def applied(one: Mapping[str, Any], currency: str) -> str:
    """What a promotion that counted did."""
    parts: list[str] = []
    if Decimal(one["off"]):
        parts.append(_("%(off)s %(currency)s off") % {"off": one["off"], "currency": currency})
    for gift in one["gifts"]:
        facts = {"sku": gift["sku"], "units": gift["units"], "instead_of": gift["instead_of"]}
        if gift["instead_of"]:
            parts.append(_("gift %(sku)s ×%(units)s, as %(instead_of)s is out of stock") % facts)
        else:
            parts.append(_("gift %(sku)s ×%(units)s") % facts)
    parts += [_("gift %(sku)s is out of stock") % {"sku": sku} for sku in one["missing_gifts"]]
    if one["free_shipping"]:
        parts.append(_("free shipping"))
    if one["is_capped"]:
        parts.append(_("limited to its maximum"))
    return _("%(name)s: %(text)s") % {"name": name(one), "text": _(", ").join(parts)}


def skipped(one: Mapping[str, Any], currency: str) -> str:
    """Why a promotion did not count."""
    word = _WORDS.get(one["code"])
    facts = one.get("facts", {})
    text = word(facts, currency) if word is not None else _unmatched(one)
    return _("%(name)s: %(text)s") % {"name": name(one), "text": text}


def name(one: Mapping[str, Any]) -> str:
    """Its name in the reader's language."""
    zh = (get_language() or "").startswith("zh")
    return str((one["name"] if zh else one["name_en"] or one["name"]) or one["promotion"])


def _money(cents: Any, currency: str) -> str:
    return f"{Decimal(int(cents)) / 100:.2f} {currency}"


def _unmatched(one: Mapping[str, Any]) -> str:
    """The comparisons that failed, each with what the order has."""
    known = vocabulary.words(PURPOSE).facts
    reasons = [_failure(failure, known) for failure in one.get("failures", ())]
    return _("; or ").join(reasons) or _("its condition is not met")


def _failure(failure: Mapping[str, Any], known: Mapping[str, Fact]) -> str:
    zh = (get_language() or "").startswith("zh")
    fact = known.get(failure["fact"])
    # A custom field goes by its code here: whose field it is, the explanation does not keep.
    own = str(failure["fact"]).rpartition(".custom.")[2]
    label = own if fact is None else fact.zh if zh else fact.en
    said = {
        "fact": label,
        "op": _OPS.get(failure["op"], str)(failure["op"]),
        "expected": _shown(failure["expected"]),
        "actual": _shown(failure["actual"]),
    }
    if failure["code"] == "negated":
        return _("what it excludes is the case")
    if failure["code"] == "missing":
        return _("%(fact)s is not known") % said
    return _("%(fact)s is %(actual)s, it needs %(op)s %(expected)s") % said


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return _(", ").join(map(str, value)) or "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, Mapping):
        return "–".join(map(str, value.values()))
    return "–" if value is None else str(value)


_SIGNS = {"==": "=", "!=": "≠", "<=": "≤", ">=": "≥"}
_OPS: dict[str, Callable[[str], str]] = {
    **dict.fromkeys(_SIGNS, lambda op: _SIGNS[op]),
    "in": lambda _op: _("one of"), "not_in": lambda _op: _("none of"), "contains": lambda _op: _("to contain"),
    "starts_with": lambda _op: _("to start with"), "between": lambda _op: _("between"),
    "within": lambda _op: _("within"), "is_set": lambda _op: _("to be set:"),
}  # fmt: skip
_WORDS: dict[str, Callable[[Mapping[str, Any], str], str]] = {
    "not_yet": lambda facts, _c: _("begins at %(since)s") % facts,
    "expired": lambda facts, _c: _("ended at %(until)s") % facts,
    "currency": lambda facts, _c: _("is in %(needs)s, the order in %(has)s") % facts,
    "group": lambda facts, _c: _("%(by)s of the same group counts already") % facts,
    "stopped": lambda facts, _c: _("%(by)s lets no later promotion count") % facts,
    "alone": lambda facts, _c: _("counts alone only, and %(by)s counts already") % facts,
    "after_alone": lambda facts, _c: _("%(by)s goes with no other promotion") % facts,
    "used_up": lambda facts, _c: _("all its %(limit)s uses are taken") % facts,
    "customer_used_up": lambda facts, _c: _("the customer has used it %(limit)s times, which is the limit") % facts,
    "unknown_customer": lambda _f, _c: _("its uses are limited per customer, and the customer is not known"),
    "no_goods": lambda _f, _c: _("none of its goods are in the cart"),
    "below_threshold": lambda facts, currency: _("needs %(needs)s of its goods, there is %(has)s")
    % {"needs": _money(facts["needs"], currency), "has": _money(facts["has"], currency)},
    "too_few_units": lambda facts, _c: _("needs %(needs)s units, there are %(has)s") % facts,
    "incomplete_bundle": lambda facts, _c: _("the bundle lacks %(skus)s") % {"skus": ", ".join(facts["skus"])},
    "nothing_left": lambda _f, _c: _("nothing is left to take off"),
    "no_gift": lambda facts, _c: _("its gift is out of stock: %(skus)s") % {"skus": ", ".join(facts["skus"])},
}  # fmt: skip
