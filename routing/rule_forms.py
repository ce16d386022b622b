"""The forms of strategy rules: a rule's conditions as fields, and an order to try rules on."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from orderhub.inventory.admin_base import is_chinese, named
from orderhub.kernel import regions
from orderhub.orders.models import Channel
from routing import choosing, rule_checks
from routing.models import Strategy, StrategyRule

_FLAG_CHOICES = [("", _("either")), ("yes", _("yes")), ("no", _("no"))]
_FLAG_OF = {"yes": True, "no": False}


class _Named(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return named(obj)


def _label(name: str) -> Any:
    return capfirst(rule_checks.LABELS[name])


def _flag(name: str) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=_label(name), choices=_FLAG_CHOICES, required=False, widget=UnfoldAdminSelectWidget
    )


def _texts(name: str, help_text: Any) -> forms.CharField:
    return forms.CharField(
        label=_label(name),
        required=False,
        max_length=500,
        help_text=help_text,
        widget=UnfoldAdminTextInputWidget,
    )


def _province_choices() -> list[tuple[str, str]]:
    return [(row.code, row.zh if is_chinese() else row.en) for row in regions.provinces("CN").values()]


class StrategyRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A rule; what it asks of an order as fields, all of which must hold."""

    channels = _Named(
        label=_label("channels"),
        queryset=Channel.objects.none(),
        required=False,
        widget=UnfoldAdminSelectMultipleWidget,
    )
    provinces = forms.MultipleChoiceField(
        label=_label("provinces"),
        choices=_province_choices,
        required=False,
        widget=UnfoldAdminSelectMultipleWidget,
    )
    countries = _texts("countries", _("Two-letter codes, separated by commas, e.g. US, DE."))
    is_remote = _flag("is_remote")
    services = forms.MultipleChoiceField(
        label=_label("services"),
        choices=list(rule_checks.SERVICES.items()),
        required=False,
        widget=UnfoldAdminSelectMultipleWidget,
    )
    is_green = _flag("is_green")
    categories = _texts("categories", _("SKU categories, separated by commas; one line of them is enough."))
    customer_levels = _texts(
        "customer_levels", _("Values of the order's custom field customer_level, separated by commas.")
    )

    class Meta:
        model = StrategyRule
        fields = (
            "merchant", "name", "name_en", "priority", "strategy", "is_active", "valid_from", "valid_until",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        merchant, strategy = self.fields.get("merchant"), self.fields.get("strategy")
        rows = Channel.objects.order_by("merchant_id", "code")
        if isinstance(merchant, forms.ModelChoiceField) and merchant.queryset is not None:
            rows = rows.filter(merchant__in=merchant.queryset)
        if isinstance(strategy, forms.ModelChoiceField):
            setattr(strategy, "label_from_instance", named)  # noqa: B010  (Django's own way to name choices)
        self.fields["channels"].queryset = rows  # type: ignore[attr-defined]
        self.initial = {**_initial(self.instance.conditions), **self.initial}

    def clean(self) -> dict[str, Any]:
        """Refuse times that never come, conditions nothing fulfills, and the open contradiction of another
        rule."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        self.instance.conditions = _conditions(given)
        since, until = given.get("valid_from"), given.get("valid_until")
        if since and until and until <= since:
            self.add_error("valid_until", _("The end must be after the beginning."))
        self._check_owner(given)
        reason = rule_checks.impossible(rule_checks.wanted(self.instance))
        if reason:
            self.add_error("provinces", reason)
        if not self.errors and given.get("is_active"):
            self._check_clash(given)
        return given

    def _check_owner(self, given: dict[str, Any]) -> None:
        merchant, strategy = given.get("merchant"), given.get("strategy")
        if merchant and isinstance(strategy, Strategy) and strategy.merchant_id != merchant.pk:
            self.add_error("strategy", _("This strategy belongs to another merchant."))
        if merchant and any(row.merchant_id != merchant.pk for row in given.get("channels") or ()):
            self.add_error("channels", _("A channel belongs to another merchant."))
        unknown = [
            code for code in _listed(given.get("countries")) if code.upper() not in regions.countries()
        ]
        if unknown:
            self.add_error("countries", _("Unknown countries: %(codes)s.") % {"codes": ", ".join(unknown)})

    def _check_clash(self, given: dict[str, Any]) -> None:
        asked = StrategyRule(
            pk=self.instance.pk,
            priority=given["priority"],
            strategy=given["strategy"],
            conditions=self.instance.conditions,
            valid_from=given.get("valid_from"),
            valid_until=given.get("valid_until"),
            is_active=True,
        )
        other = rule_checks.clash(asked, list(StrategyRule.objects.filter(merchant=given["merchant"])))
        if other is not None:
            text = _(
                "“%(other)s” asks exactly the same with the same priority but gives another strategy. Change "
                "the priority or the conditions, or switch one of them off."
            )
            self.add_error("priority", text % {"other": named(other)})


class TryForm(forms.Form):
    """An order that exists, or one described, and the moment it is routed at."""

    number = forms.CharField(label=_("Order number"), required=False, max_length=100)
    channel = forms.ModelChoiceField(
        label=capfirst(_("channel")), queryset=Channel.objects.none(), required=False
    )
    province = forms.ChoiceField(
        label=capfirst(_("province")), choices=lambda: [("", "–"), *_province_choices()], required=False
    )
    service = forms.ChoiceField(
        label=capfirst(_("service")),
        choices=list(rule_checks.SERVICES.items()),
        initial="standard",
        required=False,
    )
    is_green = forms.BooleanField(label=capfirst(_("green delivery")), required=False)
    category = forms.CharField(label=capfirst(_("category of a line")), required=False, max_length=60)
    customer_level = forms.CharField(label=capfirst(_("customer level")), required=False, max_length=60)
    at = forms.DateTimeField(
        label=capfirst(_("at")),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def __init__(self, *args: Any, channels: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["channel"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = channels
            setattr(field, "label_from_instance", named)  # noqa: B010  (as above)
        for one in self.fields.values():
            if not isinstance(one, forms.BooleanField):
                one.widget.attrs.setdefault("class", "oh-input")

    def clean(self) -> dict[str, Any]:
        """A described order needs a channel: it tells whose rules count."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if not given.get("number") and not given.get("channel"):
            self.add_error("channel", _("Choose a channel, or give the number of an order."))
        return given


def _listed(text: str | None) -> list[str]:
    plain = (text or "").replace("，", ",").replace("、", ",")
    return list(dict.fromkeys(part.strip() for part in plain.split(",") if part.strip()))


def _initial(conditions: dict[str, Any]) -> dict[str, Any]:
    """Conditions as JSON as what the fields hold."""
    found: dict[str, Any] = {
        name: conditions[name] for name in ("channels", "provinces", "services") if conditions.get(name)
    }
    for name in ("countries", "categories", "customer_levels"):
        found[name] = ", ".join(conditions.get(name) or ())
    for name in choosing.FLAGS:
        found[name] = {True: "yes", False: "no", None: ""}[conditions.get(name)]
    return found


def _conditions(given: dict[str, Any]) -> dict[str, Any]:
    """What the fields hold as conditions; those left open are left out."""
    found: dict[str, Any] = {
        "channels": [row.pk for row in given.get("channels") or ()],
        "provinces": list(given.get("provinces") or ()),
        "countries": [code.upper() for code in _listed(given.get("countries"))],
        "services": list(given.get("services") or ()),
        "categories": _listed(given.get("categories")),
        "customer_levels": _listed(given.get("customer_levels")),
        **{name: _FLAG_OF.get(given.get(name) or "") for name in choosing.FLAGS},
    }
    return {name: value for name, value in found.items() if value not in (None, [])}
