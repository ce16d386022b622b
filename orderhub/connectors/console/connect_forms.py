"""The forms that connect a system: what every connection has, and what its profile asks for."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any, cast

from django import forms
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant, User
from orderhub.connectors import partners, polling, secretbox, shelf, speaking, wishes
from orderhub.connectors.console import way_forms
from orderhub.connectors.models import Alias, Connection, Profile
from orderhub.connectors.speech.profile import Ask
from orderhub.connectors.speech.profile import Profile as Spec
from orderhub.connectors.ways import turns
from orderhub.inventory.admin_base import is_chinese
from orderhub.inventory.models import Sku, Warehouse
from orderhub.orders.models import Channel

_INPUT = {"class": "oh-input"}
_ASKED = "ask_"
NEW = "new"
#: Roles that sell: orders that come in need a channel.
_SELLING = ("channel", "partner", "file")
_STORING = ("warehouse", "mes")
_CARRYING = ("carrier", "tms")
_TOLD = ("partner",)


class SystemForm(forms.Form):
    """One connection that a profile describes: new, or its settings changed."""

    name = forms.CharField(label=_("Name"), max_length=80, widget=forms.TextInput(attrs=_INPUT))
    code = forms.SlugField(
        label=_("Code"), max_length=40, widget=forms.TextInput(attrs=_INPUT),
        help_text=_("Short, for lists and the log; cannot be changed later."),
    )  # fmt: skip
    merchant = forms.ModelChoiceField(
        label=_("Merchant"), queryset=Merchant.objects.none(), widget=forms.Select(attrs=_INPUT)
    )

    def __init__(
        self,
        *args: Any,
        spec: Spec,
        profile: Profile,
        user: User,
        row: Connection | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.spec, self.profile, self.row = spec, profile, row
        self._own = {"pk": user.merchant_id} if user.merchant_id is not None else {}
        self._choose_merchant()
        if spec.role in _SELLING and (spec.door is not None or spec.schedules or spec.ways):
            self._ask_channel()
        if spec.role in _STORING:
            self._ask_warehouses()
        if spec.role in _CARRYING:
            self._ask_carriers()
        if spec.role in _TOLD:
            self._ask_kinds()
        for ask in asks_of(spec):
            self.fields[_ASKED + ask.name] = _asked(ask, row)
        for ask in way_forms.asks(spec):
            self.fields[_ASKED + ask.name] = field = _asked(ask, row)
            way_forms.soften(field, ask, only=row is None and way_forms.is_only_way(spec))
        self._ask_details()

    # ---- fields ------------------------------------------------------------------------------------

    def _choose_merchant(self) -> None:
        choice = cast("forms.ModelChoiceField[Merchant]", self.fields["merchant"])
        if self.row is not None:
            del self.fields["merchant"], self.fields["code"]
            self.fields["name"].initial = self.row.name
            return
        rows = Merchant.objects.filter(is_active=True, **self._own).order_by("code")
        choice.queryset = rows
        choice.initial = rows.first()
        choice.empty_label = None
        self.fields["name"].initial = self.spec.zh if is_chinese() else self.spec.en
        self.fields["code"].initial = self.profile.code.replace("_", "-")

    def _merchants(self) -> dict[str, Any]:
        if self.row is not None:
            return {"merchant_id": self.row.merchant_id}
        return {"merchant_id": self._own["pk"]} if self._own else {}

    def _ask_channel(self) -> None:
        channels = Channel.objects.filter(is_active=True, **self._merchants()).order_by("merchant_id", "code")
        choices: list[tuple[str, Any]] = [(str(one.pk), one.name) for one in channels]
        choices.insert(0, (NEW, _("a new channel with this name and code")))
        initial = str(self.row.channel_id) if self.row is not None and self.row.channel_id else NEW
        self.fields["channel"] = forms.ChoiceField(
            label=_("Channel"), choices=choices, initial=initial, widget=forms.Select(attrs=_INPUT),
            help_text=_("Where its orders belong: flows, promotions and risk rules go by channel."),
        )  # fmt: skip

    def _ask_warehouses(self) -> None:
        rows = Warehouse.objects.filter(**self._merchants()).order_by("code")
        self.fields["warehouses"] = forms.ModelMultipleChoiceField(
            label=_("Warehouses it serves"), queryset=rows, required=False,
            initial=self.row.warehouses.all() if self.row is not None else None,
            widget=forms.CheckboxSelectMultiple,
            help_text=_(
                "Their releases and cancellations go to this system. None chosen: every warehouse no other system is "
                "chosen for."
            ),
        )  # fmt: skip

    def _ask_carriers(self) -> None:
        known = self.row.config.get("carriers", "") if self.row is not None else ""
        self.fields["carriers"] = forms.CharField(
            label=_("Our carrier codes"), required=False,
            initial=known if isinstance(known, str) else ", ".join(known), widget=forms.TextInput(attrs=_INPUT),
            help_text=_("Codes of our rate cards it answers for, with commas. Empty: every carrier."),
        )  # fmt: skip

    def _ask_kinds(self) -> None:
        zh = is_chinese()
        self.fields[partners.KINDS] = forms.MultipleChoiceField(
            label=_("Events it is told"), required=False,
            choices=[(kind.name, f"{kind.zh if zh else kind.en} ({kind.name})") for kind in partners.offered()],
            initial=self.row.config.get(partners.KINDS, []) if self.row is not None else [],
            widget=forms.CheckboxSelectMultiple,
            help_text=_("None chosen: all of them. It is told what happens from now on, in the order it happens to an order."),
        )  # fmt: skip

    def _ask_details(self) -> None:
        row = self.row
        if row is not None:
            rows = Profile.objects.filter(in_force__isnull=False, role=self.profile.role)
            rows = rows.filter(merchant=row.merchant_id) | rows.filter(merchant=None)
            self.fields["profile"] = forms.ModelChoiceField(
                label=_("Profile"), queryset=rows.order_by("name"), initial=row.profile_id, empty_label=None,
                widget=forms.Select(attrs=_INPUT),
                help_text=_("The language it speaks: a shipped profile, or a copy of your own."),
            )  # fmt: skip
        self.fields["calls_per_second"] = forms.DecimalField(
            label=_("Calls a second"), required=False, min_value=0, max_digits=7, decimal_places=2,
            initial=row.calls_per_second if row else None, widget=forms.NumberInput(attrs=_INPUT),
            help_text=_("Empty: as the profile says. What comes faster waits its turn; nothing is refused."),
        )  # fmt: skip
        self.fields["silent_minutes"] = forms.IntegerField(
            label=_("Alarm after minutes of silence"), required=False, min_value=1,
            initial=row.silent_minutes if row else None, widget=forms.NumberInput(attrs=_INPUT),
            help_text=_("Empty: three times the usual gap of that hour."),
        )  # fmt: skip
        self.fields["allows_private"] = forms.BooleanField(
            label=_("It is in our own network"), required=False, initial=row.allows_private if row else False,
            help_text=_("Only for systems of your own beside OrderHub; otherwise such addresses are refused."),
        )  # fmt: skip

    @property
    def first_fields(self) -> list[Any]:
        """Name, place in the hub, and what the profile asks for."""
        ways = {_ASKED + ask.name for ask in way_forms.asks(self.spec)}
        return [self[name] for name in self.fields if name not in _LATER and name not in ways]

    @property
    def ways(self) -> list[way_forms.Group]:
        """Folders, mailboxes and tables the profile can be read from."""
        return way_forms.groups(self, self.spec, _ASKED)

    @property
    def later_fields(self) -> list[Any]:
        """What few need."""
        return [self[name] for name in _LATER if name in self.fields]

    # ---- checks and writing ------------------------------------------------------------------------

    def clean(self) -> dict[str, Any]:
        """The code is free, the channel is the merchant's."""
        given = super().clean() or {}
        merchant = self.row.merchant if self.row is not None else given.get("merchant")
        if merchant is None:
            return given
        if self.row is None and Connection.objects.filter(merchant=merchant, code=given.get("code")).exists():
            self.add_error("code", gettext("There is a connection with this code already; choose another."))
        channel = given.get("channel")
        if channel == NEW and Channel.objects.filter(merchant=merchant, code=self._code(given)).exists():
            self.add_error(
                "channel", gettext("There is a channel with this code already: choose it from the list.")
            )
        if channel not in (None, NEW) and not Channel.objects.filter(merchant=merchant, pk=channel).exists():
            self.add_error("channel", gettext("This channel belongs to another merchant."))
        places = given.get("warehouses")
        if places is not None and any(place.merchant_id != merchant.pk for place in places):
            self.add_error("warehouses", gettext("A chosen warehouse belongs to another merchant."))
        way_forms.check(self.spec, given, self.row, prefix=_ASKED, tell=self.add_error)
        return given

    def _code(self, given: dict[str, Any]) -> str:
        return self.row.code if self.row is not None else str(given.get("code", ""))

    @transaction.atomic
    def keep(self, *, now: datetime) -> Connection:
        """Write the connection, its channel, secrets and pollers; a new one has a door and is switched off until it is tested."""
        given = self.cleaned_data
        row = self.row or Connection(
            merchant=given["merchant"], code=given["code"], kind=wishes.KIND, profile=self.profile,
            is_active=False,
        )  # fmt: skip
        row.name = given["name"]
        row.profile = given.get("profile") or row.profile
        if row.profile is not None and row.profile.in_force is not None and not row.door_key:
            row.door_key = secrets.token_urlsafe(18) if shelf.spec(row.profile.in_force).door else None
        if "channel" in given:
            row.channel = self._channel(row, given)
        if "carriers" in given:
            row.config = {**row.config, "carriers": _words(given["carriers"])}
        if partners.KINDS in given:
            since = row.config.get(partners.SINCE) or now.isoformat()
            row.config = {**row.config, partners.KINDS: given[partners.KINDS], partners.SINCE: since}
        for name in ("calls_per_second", "silent_minutes", "allows_private"):
            setattr(row, name, given[name])
        for ask in (*asks_of(self.spec), *way_forms.asks(self.spec)):
            value = given[_ASKED + ask.name]
            if ask.kind != "secret":
                row.config = {**row.config, ask.name: _plain(value)}
            elif value:
                secretbox.put(row, ask.name, value, now=now)
        row.save()
        if "warehouses" in given:
            row.warehouses.set(given["warehouses"])
        polling.prepare(row, now=now)
        turns.prepare(row, now=now)
        return row

    def _channel(self, row: Connection, given: dict[str, Any]) -> Channel:
        if given["channel"] != NEW:
            return Channel.objects.get(pk=given["channel"], merchant_id=row.merchant_id)
        return Channel.objects.create(
            merchant_id=row.merchant_id, code=row.code, name=row.name, kind=self.profile.code[:40],
            time_zone=self.spec.zone, ships_from=self.spec.country or "CN",
        )  # fmt: skip


#: Every rule of signing takes the secret of this name, whether or not the profile asks for it in words of its own.
_SECRET = Ask(
    name=speaking.SECRET_NAME, zh="密钥", en="Secret", kind="secret", required=True,
    help_zh="与对方约定的签名密钥；说明里写着它在对方后台叫什么。",
    help_en="What signatures are made with; the notes of the profile say what the other side calls it.",
)  # fmt: skip


def asks_of(spec: Spec) -> tuple[Ask, ...]:
    """What is asked for a connection: as the profile says, and the secret where it signs and does not ask for one."""
    signs = bool(spec.door and spec.door.signature) or any(one.signature for one in spec.operations.values())
    if signs and all(ask.name != speaking.SECRET_NAME for ask in spec.asks):
        return (*spec.asks, _SECRET)
    return spec.asks


_LATER = ("profile", "calls_per_second", "silent_minutes", "allows_private")


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.replace("，", ",").split(",") if word.strip()]


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | str | int) else "" if value is None else str(value)


def _asked(ask: Ask, row: Connection | None) -> forms.Field:
    """A form field for one thing a profile asks for."""
    zh = is_chinese()
    known = row.config.get(ask.name, ask.default) if row is not None else ask.default
    options: dict[str, Any] = {
        "label": ask.zh if zh else ask.en, "help_text": ask.help_zh if zh else ask.help_en,
        "required": ask.required, "initial": known,
    }  # fmt: skip
    if ask.kind == "secret":
        has = row is not None and bool(secretbox.current(row, ask.name))
        options |= {"required": ask.required and not has, "initial": None, "strip": True, "max_length": 4000}
        if has:
            options["help_text"] = _("Leave empty to keep the one in use. It is never shown.")
        return forms.CharField(
            **options, widget=forms.PasswordInput(attrs={**_INPUT, "autocomplete": "new-password"})
        )
    if ask.kind == "url":
        return forms.URLField(
            **options,
            assume_scheme="https",
            widget=forms.URLInput(attrs={**_INPUT, "placeholder": "https://"}),
        )
    if ask.kind == "number":
        return forms.DecimalField(**options, widget=forms.NumberInput(attrs={**_INPUT, "step": "any"}))
    if ask.kind == "choice":
        return forms.ChoiceField(
            **options, choices=[(one, one) for one in ask.choices], widget=forms.Select(attrs=_INPUT)
        )
    if ask.kind == "bool":
        return forms.BooleanField(**{**options, "required": False, "initial": known in (True, "true", "1")})
    return forms.CharField(**options, max_length=400, widget=forms.TextInput(attrs=_INPUT))


class AliasForm(forms.Form):
    """What the other system calls something, and which of ours it is."""

    sort = forms.ChoiceField(label=_("sort"), choices=Alias.Sort.choices, widget=forms.Select(attrs=_INPUT))
    theirs = forms.CharField(label=_("their name"), max_length=120, widget=forms.TextInput(attrs=_INPUT))
    ours = forms.CharField(label=_("our code"), max_length=80, widget=forms.TextInput(attrs=_INPUT))

    def __init__(self, *args: Any, connection: Connection, **options: Any) -> None:
        super().__init__(*args, **options)
        self.connection = connection

    def clean(self) -> dict[str, Any]:
        """Our code is one there is."""
        given = super().clean() or {}
        sort, ours = given.get("sort"), given.get("ours")
        if sort and ours and not _is_ours(self.connection, sort, ours):
            self.add_error("ours", _no_such(sort) % {"code": ours})
        return given

    def keep(self) -> Alias:
        """Write it; the same name again gets the new meaning."""
        given = self.cleaned_data
        row, _made = Alias.objects.update_or_create(
            connection=self.connection,
            sort=given["sort"],
            theirs=given["theirs"],
            defaults={"ours": given["ours"]},
        )
        return row


def _is_ours(connection: Connection, sort: str, code: str) -> bool:
    if sort == Alias.Sort.SKU:
        return Sku.objects.filter(merchant_id=connection.merchant_id, code=code, is_active=True).exists()
    if sort == Alias.Sort.WAREHOUSE:
        return Warehouse.objects.filter(merchant_id=connection.merchant_id, code=code).exists()
    return True


def _no_such(sort: str) -> str | Promise:
    if sort == Alias.Sort.SKU:
        return _("We have no active article “%(code)s”; see the list of SKUs.")
    return _("We have no warehouse “%(code)s”; see the list of warehouses.")
