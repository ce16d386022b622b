"""What shops saw of their customers between orders: logins, changes, failures; counted once, clear values forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from orderhub.kernel import secrets
from orderhub.kernel.errors import Refused
from orderhub.orders.risk import counters, facts, identity
from orderhub.orders.risk.identity import KeyName
from orderhub.orders.risk.models import Key

What = Literal[
    "login", "signup", "payment_added", "phone_change", "address_change", "failed_payment", "returned", "refused"
]  # fmt: skip
WHATS: tuple[str, ...] = get_args(What)
_COUNTED = {
    "phone_change": facts.CHANGES, "address_change": facts.MOVES, "failed_payment": facts.FAILED,
    "returned": facts.RETURNED, "refused": facts.REFUSED,
}  # fmt: skip
_SEEN = {"signup": facts.SIGNUP, "payment_added": facts.PAYMENT}
_SHORTEST_PHONE = 6


@dataclass(frozen=True, slots=True)
class Observation:
    """Something a shop saw of an account. `event` is the shop's own number of it: the same one counts once.

    Province, phone, device and IP address are optional; the last three are only ever kept as fingerprints.
    """

    account: str
    what: What
    at: datetime
    province: str = ""
    country: str = "CN"
    event: str = ""
    phone: str = ""
    device: str = ""
    ip: str = ""


@dataclass(slots=True)
class _Counts:
    """What is written together at the end."""

    tallies: dict[tuple[int, str, datetime], int]
    links: list[tuple[int, str, str, datetime]]


@transaction.atomic
def observe(merchant_id: int, seen: Sequence[Observation], *, now: datetime) -> int:
    """Count what was seen of accounts; how many of these were new. Four statements for any number.

    What is older than the longest window, or was told before under the same `event`, counts nothing. Moments to come
    count as now. Raises Refused("unknown_observation") before anything is counted.
    """
    if not set(WHATS).issuperset(one.what for one in seen):
        raise Refused("unknown_observation", _("There is no such observation."), status=400, field="what")
    fresh = _fresh(merchant_id, [x for x in seen if x.at > now - counters.LONGEST], now=now)
    keys = [_keys(merchant_id, one) for one in fresh]
    hints = {name: identity.hint(kind, clear) for by_kind in keys for kind, (name, clear) in by_kind.items()}
    rows = counters.touch(hints, now=now)
    counts = _Counts({}, [])
    for one, by_kind in zip(fresh, keys, strict=True):
        _add(one, {kind: name for kind, (name, _clear) in by_kind.items()}, rows, counts, at=min(one.at, now))
    counters.count(counts.tallies)
    counters.link(counts.links)
    return len(fresh)


def _fresh(merchant_id: int, seen: Sequence[Observation], *, now: datetime) -> list[Observation]:
    """Those that were not counted before; an observation without a number of its own always counts."""
    digests = {one: _digest(merchant_id, one) for one in seen if one.event}
    moments: dict[str, datetime] = {}
    first: dict[str, Observation] = {}
    for one, digest in digests.items():
        moments.setdefault(digest, min(one.at, now))
        first.setdefault(digest, one)
    new = counters.observed(merchant_id, moments)
    return [one for one in seen if not one.event or (digests[one] in new and first[digests[one]] is one)]


def _digest(merchant_id: int, one: Observation) -> str:
    return secrets.derived_token(key=settings.SECRET_KEYS[0], subject=f"risk:{merchant_id}:event:{one.event}")


def _keys(merchant_id: int, one: Observation) -> dict[str, tuple[KeyName, str]]:
    """The keys an observation is about, with their clear values for the hints."""
    phone = identity.normalized(Key.Kind.PHONE, one.phone)
    clear: Mapping[str, str] = {
        facts.ACCOUNT: one.account.strip(), facts.PHONE: phone if len(phone) >= _SHORTEST_PHONE else "",
        facts.DEVICE: one.device.strip(), facts.IP: one.ip.strip(),
    }  # fmt: skip
    return {kind: (identity.key(merchant_id, kind, value), value) for kind, value in clear.items() if value}


def _add(
    one: Observation, names: Mapping[str, KeyName], rows: Mapping[KeyName, counters.Touched], counts: _Counts,
    *, at: datetime,
) -> None:  # fmt: skip
    account = rows[names[facts.ACCOUNT]].pk
    if one.what in _COUNTED:
        place = (account, _COUNTED[one.what], at)
        counts.tallies[place] = counts.tallies.get(place, 0) + 1
    elif one.what in _SEEN:
        counts.links.append((account, _SEEN[one.what], facts.NOTHING, at))
    province = identity.province(one.country, one.province)
    if one.what == "login" and province:
        counts.links.append((account, facts.LOGIN, province[:32], at))
    for kind in (facts.PHONE, facts.DEVICE, facts.IP):
        if kind in names:
            counts.links.append((rows[names[kind]].pk, facts.ACCOUNT, names[facts.ACCOUNT][2], at))
    for kind in (facts.PHONE, facts.DEVICE):
        if kind in names:
            counts.links.append((account, kind, names[kind][2], at))
