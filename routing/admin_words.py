"""The figures of a strategy in sentences, and what changed between two versions, for operators' pages."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db.models import Field
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from routing import restoring, strategies
from routing.models import Strategy

Text = str | Promise
TEN = Decimal(10)


def meanings(values: Mapping[str, Any]) -> list[tuple[Text, str]]:
    """Each figure of a strategy with what it does, in a sentence with its own numbers."""
    amount = {name: Decimal(values[name]) for name in strategies.FIGURES if name != "max_parcels"}
    labels = {name: _label(name) for name in strategies.FIGURES}
    limit = values.get("max_parcels")
    words: dict[str, Text] = {
        "yuan_per_hour": _("To be 10 hours faster, up to ¥%(ten)s more is paid."),
        "yuan_per_hour_remote": _("The same for remote regions: up to ¥%(ten)s for 10 hours."),
        "yuan_per_kgco2e": _("To emit 1 kg CO2e less, up to ¥%(one)s more is paid."),
        "stock_price_factor": _(
            "A unit that will soon be scarce counts %(one)s times what running out costs."
        ),
        "yuan_per_extra_parcel": _("A second parcel must save more than ¥%(one)s elsewhere."),
        "forward_bonus": _("A forward warehouse may cost ¥%(one)s more per parcel and still win."),
    }
    found: list[tuple[Text, str]] = [
        (labels[name], str(text) % {"one": _short(amount[name]), "ten": _short(amount[name] * TEN)})
        for name, text in words.items()
    ]
    several = _("An order is never split into more than %(limit)s parcels.") % {"limit": limit}
    return [
        *found,
        (labels["max_parcels"], str(several if limit else _("No limit to how often an order is split."))),
    ]


def _label(name: str) -> Text:
    """The word of a figure."""
    field = Strategy._meta.get_field(name)
    assert isinstance(field, Field)
    label: Text = field.verbose_name
    return label


def _short(amount: Decimal) -> str:
    plain = f"{amount.normalize():f}"
    return f"{amount:.2f}" if "." in plain and len(plain.partition(".")[2]) < 2 else plain


def figure_list(values: Mapping[str, Any]) -> SafeString:
    """The meanings as a list."""
    rows = format_html_join("", "<dt>{}</dt><dd>{}</dd>", meanings(values))
    return format_html('<div class="oh"><dl class="oh-kv">{}</dl></div>', rows)


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> SafeString:
    """What changed from one version to the next: old struck through, new beside it."""
    if not old:
        return format_html("{}", _("first version"))
    rows = [(_label(one.name), _shown(one.old), _shown(one.new)) for one in restoring.changes(old, new)]
    if not rows:
        return format_html("{}", _("nothing changed"))
    return format_html_join("; ", '{} <del class="oh-del">{}</del> <ins class="oh-ins">{}</ins>', rows)


def _shown(value: Any) -> Any:
    return _("no limit") if value is None else value
