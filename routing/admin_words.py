"""The figures of a strategy in sentences, and what changed between two versions, for operators' pages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from routing import figures, restoring
from routing.figures import CRITERION_WORDS

Text = str | Promise
_TIMES = re.compile(r"%\(x([\d.]+)\)s")


@dataclass(frozen=True, slots=True)
class Words:
    """A rate in words: its question, unit, what an amount means (`%(x24)s` = 24 times it), and what zero
    means."""

    label: Text
    unit: Text
    says: Text
    zero: Text


WORDS: Mapping[str, Words] = {
    "yuan_per_hour": Words(
        _("What an hour is worth"),
        _("¥/hour"),
        _("1 hour = ¥%(x1)s; 24 hours faster is worth ¥%(x24)s. Above that price the slower way is taken."),
        _("Hours do not count."),
    ),
    "yuan_per_hour_remote": Words(
        _("An hour to remote regions"),
        _("¥/hour"),
        _("1 hour = ¥%(x1)s where parcels take longest; 24 hours faster is worth ¥%(x24)s."),
        _("Hours to remote regions do not count."),
    ),
    "yuan_per_kgco2e": Words(
        _("What 1 kg CO2e is worth"),
        _("¥/kg"),
        _("1 kg CO2e = ¥%(x1)s; emitting 0.4 kg less is worth ¥%(x0.4)s."),
        _("Emissions do not count."),
    ),
    "stock_price_factor": Words(
        _("Price of scarce stock"),
        pgettext_lazy("of a price", "times"),
        _("A unit that will soon be scarce counts %(x1)s times what running out costs."),
        _("Scarce stock is taken like any other."),
    ),
    "yuan_per_extra_parcel": Words(
        _("One parcel more"),
        _("¥/parcel"),
        _(
            "A second parcel must save more than ¥%(x1)s elsewhere, a third one ¥%(x2)s: the buyer's "
            "trouble, beside the freight."
        ),
        _("Only freight and handling speak against splitting."),
    ),
    "forward_bonus": Words(
        _("Favor for forward warehouses"),
        _("¥/parcel"),
        _("A forward warehouse may cost ¥%(x1)s more per parcel and still win."),
        _("Forward warehouses win by price alone."),
    ),
    "capacity_price_factor": Words(
        _("Price of nearly full warehouses"),
        pgettext_lazy("of a price", "times"),
        _("A parcel slot of a warehouse that fills up counts %(x1)s times what it is worth later."),
        _("Warehouses are filled to their limit at no price."),
    ),
}
LABELS: Mapping[str, Any] = {
    **{name: words.label for name, words in WORDS.items()},
    "max_parcels": _("At most parcels"),
    "allow_partial": _("When not everything is there"),
    "order": _("How ways are compared"),
}
PARTIAL: Any = _("What is in stock goes out at once; the rest follows.")
WHOLE: Any = _("The order waits until all of it can be sent.")
WEIGHTED: Any = _("Everything is weighed in yuan.")


def meanings(values: Mapping[str, Any]) -> list[tuple[Text, str]]:
    """Each figure of a strategy with what it does, in a sentence with its own numbers."""
    told = figures.complete(values)
    found: list[tuple[Text, str]] = [(LABELS["order"], comparison(told["order"]))]
    found += [(LABELS[name], said(name, Decimal(told[name]))) for name in figures.RATES]
    limit = told["max_parcels"]
    several = _("An order is never split into more than %(limit)s parcels.") % {"limit": limit}
    never = _("No limit to how often an order is split.")
    found.append((LABELS["max_parcels"], str(several if limit else never)))
    return [*found, (LABELS["allow_partial"], str(PARTIAL if told["allow_partial"] else WHOLE))]


def comparison(order: Sequence[str]) -> str:
    """How ways are compared: in yuan, or by criteria in order."""
    if not order:
        return str(WEIGHTED)
    names = " → ".join(str(CRITERION_WORDS[code]) for code in order)
    return str(
        _("In this order, the next only where the ones before are equal: %(names)s.") % {"names": names}
    )


def said(name: str, amount: Decimal) -> str:
    """What an amount of a rate means."""
    if not amount:
        return str(WORDS[name].zero)
    write = times if is_factor(name) else short
    return _TIMES.sub(lambda found: write(amount * Decimal(found[1])), str(WORDS[name].says))


def pattern(name: str) -> str:
    """The sentence of a rate for the page's script: `{24}` stands for 24 times the amount."""
    return _TIMES.sub(r"{\1}", str(WORDS[name].says))


def is_factor(name: str) -> bool:
    """Whether a rate says how many times something counts, not yuan."""
    return name.endswith("_factor")


def short(amount: Decimal) -> str:
    """Yuan as a person writes them: two decimals, or as many as there are up to four."""
    plain = times(amount)
    return plain if len(plain.partition(".")[2]) > 2 else f"{amount:.2f}"


def times(amount: Decimal) -> str:
    """A factor with as many decimals as it has up to four."""
    return figures.plain(amount.quantize(Decimal("0.0001")))


def figure_list(values: Mapping[str, Any]) -> SafeString:
    """The meanings as a list."""
    rows = format_html_join("", "<dt>{}</dt><dd>{}</dd>", meanings(values))
    return format_html('<div class="oh"><dl class="oh-kv">{}</dl></div>', rows)


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[Text, Any, Any]]:
    """What changed from one to the other: the figure, and both values as they are shown."""
    return [
        (LABELS[one.name], shown(one.name, one.old), shown(one.name, one.new))
        for one in restoring.changes(old, new)
    ]


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> SafeString:
    """What changed from one version to the next: old struck through, new beside it."""
    if not old:
        return format_html("{}", _("first version"))
    rows = changes(old, new)
    if not rows:
        return format_html("{}", _("nothing changed"))
    return format_html_join("; ", '{} <del class="oh-del">{}</del> <ins class="oh-ins">{}</ins>', rows)


def shown(name: str, value: Any) -> Text:
    """One figure in short."""
    if name == "max_parcels":
        return _("no limit") if value is None else str(value)
    if name == "allow_partial":
        return _("send what is there") if value else _("wait for all")
    if name == "order":
        return " → ".join(str(CRITERION_WORDS.get(code, code)) for code in value) or _("in yuan")
    amount = Decimal(value)
    return f"×{times(amount)}" if is_factor(name) else f"¥{short(amount)}"
