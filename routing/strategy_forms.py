"""The form of a strategy: its figures as fields, which become a draft, and where it is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import log
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from orderhub.inventory.admin_base import named
from orderhub.kernel.errors import Refused
from routing import admin_words, drafts, figures
from routing.figures import CRITERIA, RATES, SCALES, Scale
from routing.models import Strategy

#: The share of a slider's way that its "off" end takes before the scale begins.
OFF_SHARE = 4.0
_RANKS = [("", "–"), *((str(n), str(n)) for n in range(1, len(CRITERIA) + 1))]


def _rate(name: str) -> forms.DecimalField:
    box = forms.NumberInput(attrs={"class": "oh-input oh-box oh-n", "step": "any", "inputmode": "decimal"})
    return forms.DecimalField(
        label=admin_words.LABELS[name], max_digits=9, decimal_places=4, widget=box, localize=False
    )


class FigureForm(forms.Form):
    """The figures of a strategy as fields; `figures` is what they say as JSON once they are valid."""

    yuan_per_hour = _rate("yuan_per_hour")
    yuan_per_hour_remote = _rate("yuan_per_hour_remote")
    yuan_per_kgco2e = _rate("yuan_per_kgco2e")
    stock_price_factor = _rate("stock_price_factor")
    yuan_per_extra_parcel = _rate("yuan_per_extra_parcel")
    forward_bonus = _rate("forward_bonus")
    capacity_price_factor = _rate("capacity_price_factor")
    max_parcels = forms.IntegerField(
        label=admin_words.LABELS["max_parcels"],
        required=False,
        widget=forms.NumberInput(attrs={"class": "oh-input oh-box oh-n", "inputmode": "numeric"}),
    )
    allow_partial = forms.TypedChoiceField(
        label=admin_words.LABELS["allow_partial"],
        choices=[("True", admin_words.PARTIAL), ("False", admin_words.WHOLE)],
        coerce=lambda text: text == "True",
        widget=forms.RadioSelect,
        required=False,
    )
    mode = forms.ChoiceField(
        label=admin_words.LABELS["order"],
        choices=[
            ("weighted", admin_words.WEIGHTED),
            ("sequential", _("By criteria in order, without weighing.")),
        ],
        widget=forms.RadioSelect,
        required=False,
    )
    order_parcels = forms.ChoiceField(choices=_RANKS, required=False)
    order_hours = forms.ChoiceField(choices=_RANKS, required=False)
    order_money = forms.ChoiceField(choices=_RANKS, required=False)
    order_kgco2e = forms.ChoiceField(choices=_RANKS, required=False)
    order_forward = forms.ChoiceField(choices=_RANKS, required=False)
    order_distance = forms.ChoiceField(choices=_RANKS, required=False)

    def clean(self) -> dict[str, Any]:
        """Refuse figures that would pay for being slow or dirty, or that contradict each other."""
        super().clean()
        self.check_figures()
        return self.cleaned_data

    @property
    def figures(self) -> dict[str, Any]:
        """The figures as JSON; of a valid form only."""
        given = self.cleaned_data
        return {
            **{name: figures.plain(given[name]) for name in RATES},
            "max_parcels": given.get("max_parcels"),
            "allow_partial": given.get("allow_partial") is not False,
            "order": self._order(),
        }

    def check_figures(self) -> None:
        """Tie every fault to its field."""
        given = self.cleaned_data
        values: dict[str, Any] = {name: str(given[name]) for name in RATES if given.get(name) is not None}
        for fault in figures.check({**values, "max_parcels": given.get("max_parcels")}):
            self.add_error(fault.field, str(fault))
        if given.get("mode") != "sequential":
            return
        ranks = [given[f"order_{code}"] for code in CRITERIA if given.get(f"order_{code}")]
        if not ranks:
            text = _("No criterion is chosen. Give at least one a place, or weigh everything in yuan.")
            self.add_error("mode", text)
        elif len(set(ranks)) != len(ranks):
            self.add_error("mode", _("Two criteria hold the same place. Give each its own."))

    def _order(self) -> list[str]:
        given = self.cleaned_data
        if given.get("mode") != "sequential":
            return []
        placed = [code for code in CRITERIA if given.get(f"order_{code}")]
        return sorted(placed, key=lambda code: int(given[f"order_{code}"]))


def initial(values: Mapping[str, Any]) -> dict[str, Any]:
    """Figures as JSON as what the form's fields hold."""
    told = figures.complete(values)
    order = told["order"]
    ranks = {f"order_{code}": str(order.index(code) + 1) if code in order else "" for code in CRITERIA}
    own = {name: Decimal(told[name]) for name in RATES}
    return {
        **own,
        **ranks,
        "max_parcels": told["max_parcels"],
        "allow_partial": str(told["allow_partial"]),
        "mode": "sequential" if order else "weighted",
    }


def posted(data: QueryDict) -> dict[str, Any]:
    """The figures of a posted page as JSON; raises Refused (`strategy_figures`) with the first fault."""
    form = FigureForm(data)
    if not form.is_valid():
        name, faults = next(iter(form.errors.items()))
        label = admin_words.LABELS.get(name, name)
        raise Refused(
            "strategy_figures",
            _("%(label)s: %(fault)s") % {"label": label, "fault": faults[0]},
            status=422,
            field=name,
        )
    return form.figures


class StrategyForm(forms.ModelForm, FigureForm):  # type: ignore[type-arg]
    """A strategy with its figures as they are being tried; a stand that has moved on is a conflict."""

    token = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Strategy
        fields = ("merchant", "code", "name", "name_en", "is_active", "is_default", "for_green", "channels")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = self.instance if self.instance.pk else None
        self.stand = drafts.stand(found) if found else drafts.Stand(None, None)
        given = {**initial(self.stand.values), "token": self.stand.token}
        self.initial = {**given, **self.initial}

    def clean(self) -> dict[str, Any]:
        """Figures and fields as such, then whether somebody else was quicker."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        self.check_figures()
        token = given.get("token")
        if self.instance.pk and token and token != self.stand.token:
            refused = drafts.conflict(self.stand)
            self.add_error(None, f"{refused}")
        self._check_default(given)
        return given

    def validate_constraints(self) -> None:
        """Nothing more: one default for each merchant is asked for here, in words a reader knows."""

    def _check_default(self, given: dict[str, Any]) -> None:
        if not given.get("is_default") or not given.get("merchant"):
            return
        others = Strategy.objects.filter(merchant=given["merchant"], is_default=True)
        other = others.exclude(pk=self.instance.pk).first()
        if other is not None:
            text = _("“%(other)s” is the default already: take the mark off there first.")
            self.add_error("is_default", text % {"other": named(other)})

    @property
    def sliders(self) -> list[Slider]:
        """A row for each rate, in order."""
        live = self.stand.live_values
        return [_slider(self[name], name, Decimal(live[name])) for name in RATES]

    @property
    def criteria(self) -> list[dict[str, Any]]:
        """The criteria as they stand in order, those left out last."""
        rows = [
            {"code": code, "label": figures.CRITERION_WORDS[code], "field": self[f"order_{code}"]}
            for code in CRITERIA
        ]
        return sorted(rows, key=lambda row: int(row["field"].value() or len(CRITERIA) + 1))


@dataclass(frozen=True, slots=True)
class Slider:
    """One rate as it is drawn: its field, words, scale, and where the figure in force stands in percent."""

    field: forms.BoundField
    name: str
    words: admin_words.Words
    pattern: str
    says: str
    scale: Scale
    live: str
    live_at: float
    ends: tuple[str, str]
    sign: str
    is_changed: bool


def _slider(field: forms.BoundField, name: str, live: Decimal) -> Slider:
    scale = SCALES[name]
    write = admin_words.times if admin_words.is_factor(name) else admin_words.short
    try:
        amount = Decimal(str(field.value()))
        says = admin_words.said(name, amount) if amount.is_finite() and amount >= 0 else ""
    except ArithmeticError:
        amount, says = live, ""
    return Slider(
        field=field,
        name=name,
        words=admin_words.WORDS[name],
        pattern=admin_words.pattern(name),
        says=says,
        scale=scale,
        live=write(live),
        live_at=position(scale, live),
        ends=(write(Decimal(scale.low)), write(Decimal(scale.high))),
        sign="×" if admin_words.is_factor(name) else "¥",
        is_changed=amount != live,
    )


def position(scale: Scale, amount: Decimal) -> float:
    """Where an amount stands on the slider, 0 to 100; beyond the ends, at the end."""
    low, high, value = float(scale.low), float(scale.high), float(amount)
    if scale.kind == "linear":
        share = (value - low) / (high - low)
        return round(min(max(share, 0.0), 1.0) * 100, 1)
    start = OFF_SHARE if scale.off else 0.0
    if value <= 0:
        return 0.0
    share = log(value / low) / log(high / low)
    return round(start + min(max(share, 0.0), 1.0) * (100 - start), 1)
