"""What an operator types in when a system is connected: defaults, and everything that is wrong with it at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from orderhub.connectors.speech import addresses
from orderhub.connectors.speech.flaws import Flaw
from orderhub.connectors.speech.profile import Ask, Profile

_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,6})?")
_TRUTHS = ("true", "false")
LONGEST = 2000


def filled(profile: Profile, values: Mapping[str, Any]) -> dict[str, str]:
    """The settings calls and maps read: what was typed in, else the profile's default; a truth is "true" or "false"."""
    found = {ask.name: _text(values.get(ask.name)) or ask.default for ask in profile.asks}
    # Besides what is asked for, a connection may live in another zone or currency than its system usually does.
    found |= {name: _text(values[name]) for name in ("zone", "currency") if values.get(name)}
    return found


def flaws(profile: Profile, values: Mapping[str, Any]) -> tuple[Flaw, ...]:
    """Everything that is wrong with the values (by name), for `words.flaw`."""
    asked = {ask.name for ask in profile.asks} | {"zone", "currency"}
    unknown = [Flaw(name, "unknown_setting", {"name": name}) for name in values if name not in asked]
    wrong = [_flaw(ask, _text(values.get(ask.name)) or ask.default) for ask in profile.asks]
    return tuple(unknown) + tuple(flaw for flaw in wrong if flaw)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value).strip()


def _flaw(ask: Ask, text: str) -> Flaw | None:
    if not text:
        return Flaw(ask.name, "missing") if ask.required else None
    if len(text) > LONGEST or any(ord(sign) < 32 for sign in text):
        return Flaw(ask.name, "bad_setting", {"most": LONGEST})
    if ask.kind == "url" and not addresses.is_address(text):
        return Flaw(ask.name, "bad_url", {"value": text[:60]})
    if ask.kind == "number" and not _NUMBER.fullmatch(text):
        return Flaw(ask.name, "not_number", {"value": text[:60]})
    choices = ask.choices if ask.kind == "choice" else _TRUTHS if ask.kind == "bool" else ()
    if choices and text not in choices:
        return Flaw(ask.name, "not_a_choice", {"value": text[:60], "choices": ", ".join(choices)})
    return None


def shown(profile: Profile, values: Mapping[str, str]) -> dict[str, str]:
    """The settings that maps of incoming messages may read: all but the secret ones, so that no map copies a secret."""
    return {name: value for name, value in values.items() if name not in profile.secrets}
