"""The facts of a batch of orders: counted in, then read back; about ten statements whatever the size of the batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from orderhub.fields import queries as fields
from orderhub.fields import vocabulary as field_words
from orderhub.kernel import regions
from orderhub.orders.models import AddressChange, Order, OrderLine
from orderhub.orders.risk import counters, identity
from orderhub.orders.risk.counters import Counts, Sighting, Touched
from orderhub.orders.risk.engine import Facts
from orderhub.orders.risk.engine.addresses import is_forwarder, is_incomplete
from orderhub.orders.risk.engine.places import Seen, speed_kmh, usual
from orderhub.orders.risk.identity import Identity, KeyName
from orderhub.orders.risk.models import Baseline, Key

ACCOUNT, PHONE, DEVICE, ADDRESS, IP = (kind.value for kind in Key.Kind)
#: What tallies count.
ORDERS, UNITS, OFFERS, CHANGES, MOVES, FAILED, REFUSED, RETURNED, DELIVERED = (
    "order", "units", "offer", "phone_change", "address_change", "failed_payment", "refused", "returned", "delivered",
)  # fmt: skip
#: What an account is seen with beside phones, devices and addresses; the last two have no member.
LOGIN, SIGNUP, PAYMENT = "login", "signup", "payment"
NOTHING = "-"
#: A login told by the shop stands for the order's own for so long.
_LOGIN_FOR = timedelta(hours=72)
_NEW_DEVICE = timedelta(hours=24)
_TRAVEL = timedelta(hours=24)
_SHARED = (PHONE, DEVICE, ADDRESS, IP)


@dataclass(frozen=True, slots=True)
class Subject:
    """One order with what scoring it needs: its lines, its merchant's settings, whether a listed party is near."""

    order: Order
    lines: Sequence[OrderLine]
    settings: Mapping[str, Any]
    is_near: bool
    is_known: bool


@dataclass(slots=True)
class _Batch:
    """What is known of the batch while its facts are put together."""

    now: datetime
    who: dict[int, Identity] = field(default_factory=dict)
    rows: dict[KeyName, Touched] = field(default_factory=dict)
    seen: dict[int, list[Sighting]] = field(default_factory=lambda: defaultdict(list))
    members: Counts = field(default_factory=dict)
    totals: Counts = field(default_factory=dict)
    baselines: dict[int, Baseline] = field(default_factory=dict)
    changes: dict[int, list[AddressChange]] = field(default_factory=lambda: defaultdict(list))

    def key(self, order_id: int, kind: str) -> Touched | None:
        name = self.who[order_id].keys.get(kind)
        return self.rows[name] if name is not None else None


def gather(subjects: Sequence[Subject], windows: Sequence[int], *, now: datetime) -> dict[int, Facts]:
    """Count these orders in, each key once, and read their facts; inside the transaction that holds their rows."""
    batch = _Batch(now)
    batch.who = {x.order.pk: identity.of(x.order) for x in subjects}
    hints = {name: who.hints[kind] for who in batch.who.values() for kind, name in who.keys.items()}
    batch.rows = counters.touch(hints, now=now)
    accounts = {row.pk for (_m, kind, _d), row in batch.rows.items() if kind == ACCOUNT}
    for sighting in counters.sightings(accounts, now=now):
        batch.seen[sighting.key_id].append(sighting)
    _count_in(subjects, batch)
    shared = {row.pk for (_m, kind, _d), row in batch.rows.items() if kind in _SHARED}
    batch.members = counters.members(shared, windows, now=now)
    batch.totals = counters.totals({row.pk for row in batch.rows.values()}, windows, now=now)
    batch.baselines = {
        row.channel_id: row
        for row in Baseline.objects.filter(channel__in={x.order.channel_id for x in subjects})
    }
    known = [x.order.pk for x in subjects if x.is_known]
    if known:
        applied = AddressChange.objects.filter(order__in=known, state=AddressChange.State.APPLIED)
        for change in applied.select_related("old_person", "new_person"):
            batch.changes[change.order_id].append(change)
    return {x.order.pk: _facts(x, batch, windows) for x in subjects}


def _count_in(subjects: Sequence[Subject], batch: _Batch) -> None:
    pairs = {(pk, batch.rows[name].pk) for pk, who in batch.who.items() for name in who.keys.values()}
    new = counters.mark(pairs)
    tallies: dict[tuple[int, str, datetime], int] = defaultdict(int)
    links: list[tuple[int, str, str, datetime]] = []
    for subject in sorted(subjects, key=lambda x: (x.order.placed_at, x.order.pk)):
        at = min(subject.order.placed_at, batch.now)
        links += _links(subject, batch, at)
        for kind, name in batch.who[subject.order.pk].keys.items():
            key = batch.rows[name].pk
            if (subject.order.pk, key) in new:
                for what, count in _events(subject, kind, batch).items():
                    tallies[key, what, at] += count
        _changed_phone(subject, batch, at, tallies)
    counters.count(tallies)
    counters.link(links)


def _events(subject: Subject, kind: str, batch: _Batch) -> dict[str, int]:
    """What the order adds to one of its keys."""
    found = {ORDERS: 1}
    promoted = set(subject.settings.get("promoted_skus", ()))
    if kind in (ACCOUNT, ADDRESS):
        found[UNITS] = sum(line.ordered for line in subject.lines if line.sku.code in promoted)
    if kind in (DEVICE, ADDRESS, PHONE) and batch.who[subject.order.pk].takes_offer:
        found[OFFERS] = 1
    return found


def _links(subject: Subject, batch: _Batch, at: datetime) -> list[tuple[int, str, str, datetime]]:
    who = batch.who[subject.order.pk]
    account = who.keys.get(ACCOUNT)
    if account is None:
        return []
    shared = [
        (batch.rows[who.keys[kind]].pk, ACCOUNT, account[2], at) for kind in _SHARED if kind in who.keys
    ]
    own = [(kind, who.keys[kind][2], at) for kind in (PHONE, ADDRESS, DEVICE) if kind in who.keys]
    if who.login_province:
        own.append((LOGIN, who.login_province[:32], min(who.login_at or at, batch.now)))
    return shared + [(batch.rows[account].pk, *row) for row in own]


def _changed_phone(
    subject: Subject, batch: _Batch, at: datetime, tallies: dict[tuple[int, str, datetime], int]
) -> None:
    """Note a phone that is not the one the account had last, and what the account is seen with from now on."""
    account = batch.key(subject.order.pk, ACCOUNT)
    if account is None:
        return
    seen = batch.seen[account.pk]
    phone = batch.who[subject.order.pk].keys.get(PHONE)
    before = max((x for x in seen if x.what == PHONE), key=lambda x: x.last_at, default=None)
    if phone is not None and before is not None and before.member != phone[2] and before.last_at <= at:
        tallies[account.pk, CHANGES, at] += 1
    for key, what, member, moment in _links(subject, batch, at):
        if key == account.pk:
            old = next((x for x in seen if (x.what, x.member) == (what, member)), None)
            if old is not None:
                seen.remove(old)
            first = min(old.first_at, moment) if old else moment
            last = max(old.last_at, moment) if old else moment
            seen.append(Sighting(key, what, member, first, last))


# ---- putting them together -----------------------------------------------------------------------


def _facts(subject: Subject, batch: _Batch, windows: Sequence[int]) -> Facts:
    plain = {
        **_of_account(subject, batch), **_of_places(subject, batch), **_of_order(subject, batch),
        **_of_address(subject), **_of_lists(subject, batch), **_custom(subject),
    }  # fmt: skip
    return Facts(
        {name: value for name, value in plain.items() if value is not None},
        {hours: _counted(subject, batch, hours) for hours in windows},
    )


def _counted(subject: Subject, batch: _Batch, hours: int) -> dict[str, object]:
    who, order = batch.who[subject.order.pk], subject.order

    def total(kind: str, what: str) -> int | None:
        row = batch.key(order.pk, kind)
        return None if row is None else batch.totals.get((row.pk, what), {}).get(hours, 0)

    def accounts(kind: str) -> int | None:
        row = batch.key(order.pk, kind)
        return None if row is None else batch.members.get((row.pk, ACCOUNT), {}).get(hours, 0)

    def own(what: str) -> int | None:
        row = batch.key(order.pk, ACCOUNT)
        since = batch.now - timedelta(hours=hours)
        return None if row is None else sum(x.what == what and x.last_at > since for x in batch.seen[row.pk])

    # What a channel counted itself is taken where it knows more than we do, over its own window only.
    told_changes = who.phone_changes if hours >= 720 else 0
    told_failures = who.failed_payments if hours >= 24 else 0
    orders, returned = total(ACCOUNT, ORDERS), total(ACCOUNT, RETURNED)
    found: dict[str, object] = {
        "account.phone_changes": max(total(ACCOUNT, CHANGES) or 0, told_changes),
        "account.address_changes": total(ACCOUNT, MOVES), "account.devices": own(DEVICE),
        "account.phones": own(PHONE), "account.addresses": own(ADDRESS), "account.orders": orders,
        "account.failed_payments": max(total(ACCOUNT, FAILED) or 0, told_failures),
        "account.refused": total(ACCOUNT, REFUSED), "account.delivered": total(ACCOUNT, DELIVERED),
        "account.refund_share": (Decimal(returned or 0) / orders).quantize(Decimal("0.01")) if orders else None,
        "phone.accounts": accounts(PHONE), "device.accounts": accounts(DEVICE),
        "address.accounts": accounts(ADDRESS), "ip.accounts": accounts(IP),
        "phone.orders": total(PHONE, ORDERS), "device.orders": total(DEVICE, ORDERS),
        "promo.units": max(total(ACCOUNT, UNITS) or 0, total(ADDRESS, UNITS) or 0),
        "promo.benefits": max(total(kind, OFFERS) or 0 for kind in (DEVICE, ADDRESS, PHONE)),
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}


def _of_account(subject: Subject, batch: _Batch) -> dict[str, object]:
    who, placed = batch.who[subject.order.pk], subject.order.placed_at
    row = batch.key(subject.order.pk, ACCOUNT)
    seen = batch.seen[row.pk] if row else []
    found: dict[str, object] = {}
    registered_at = who.registered_at or _first(seen, SIGNUP)
    payment_added_at = who.payment_added_at or _last(seen, PAYMENT)
    if registered_at is not None and registered_at <= placed:
        age = placed - registered_at
        found["account.signup_seconds"] = int(age.total_seconds())
        found["account.age_days"] = Decimal(int(age.total_seconds() // 3600)) / 24
    if payment_added_at is not None and payment_added_at <= placed:
        found["account.payment_age_hours"] = (
            Decimal(int((placed - payment_added_at).total_seconds() // 60)) / 60
        )
    if DEVICE in who.keys:
        found["device.is_new"] = _is_new_device(seen, who.keys[DEVICE][2])
    return found


def _first(seen: Sequence[Sighting], what: str) -> datetime | None:
    return min((x.first_at for x in seen if x.what == what), default=None)


def _last(seen: Sequence[Sighting], what: str) -> datetime | None:
    return max((x.last_at for x in seen if x.what == what), default=None)


def _is_new_device(seen: Sequence[Sighting], device: str) -> bool:
    """Whether an account that was seen on another device a day earlier or more has only now come to this one."""
    devices = {x.member: x.first_at for x in seen if x.what == DEVICE}
    here = devices.pop(device, None)
    return here is not None and any(here - at >= _NEW_DEVICE for at in devices.values())


def _of_places(subject: Subject, batch: _Batch) -> dict[str, object]:
    who, order = batch.who[subject.order.pk], subject.order
    row = batch.key(order.pk, ACCOUNT)
    seen = _provinces(order.country, batch.seen[row.pk] if row else ())
    login_province = who.login_province or _latest(seen, order.placed_at)
    ship_to = identity.province(order.country, order.province)
    known = usual(seen, who.usual_provinces, now=batch.now)
    found: dict[str, object] = {}
    for word, here in (("login", login_province), ("ip", who.ip_province)):
        if here:
            found[f"{word}.place"] = _name(order.country, here)
            if known:
                found[f"{word}.differs_from_all"] = (
                    here not in known and here != ship_to and ship_to not in known
                )
    if login_province:
        if known:
            found["login.is_unusual"] = login_province not in known
        last = next((x for x in seen if x.province == login_province), None)
        if last is not None:
            found["login.travel_kmh"] = Decimal(round(speed_kmh(seen, last, within=_TRAVEL)))
    return found


def _of_order(subject: Subject, batch: _Batch) -> dict[str, object]:
    order = subject.order
    base = batch.baselines.get(order.channel_id)
    moved = changed = False
    for change in batch.changes[order.pk]:
        if order.paid_at is not None and change.requested_at > order.paid_at:
            moved = moved or change.old_place.get("province") != change.new_place.get("province")
            changed = changed or change.old_person.phone != change.new_person.phone
    return {
        "order.total": order.total, "order.units": sum(line.ordered for line in subject.lines),
        "order.hour": order.placed_at.astimezone(ZoneInfo(order.channel.time_zone)).hour,
        "order.over_p90": order.total > base.p90 if base else None,
        "order.over_p95": order.total > base.p95 if base else None,
        "order.is_cod": batch.who[order.pk].is_cod,
        "order.phone_changed_after_pay": changed, "order.moved_after_pay": moved,
    }  # fmt: skip


def _custom(subject: Subject) -> dict[str, object]:
    """The custom fields of the order, its lines and their SKUs."""
    order, book = subject.order, fields.book(subject.order.merchant)
    if not book:
        return {}
    lines = [(line.custom, line.sku.custom, line.ordered) for line in subject.lines]
    return field_words.values(
        book, order.custom, lines, placed_at=order.placed_at, time_zone=order.channel.time_zone
    )


def _of_address(subject: Subject) -> dict[str, object]:
    order, settings = subject.order, subject.settings
    text, domain = order.person.address, order.person.email.rpartition("@")[2].strip().casefold()
    found: dict[str, object] = {
        "mail.is_disposable": domain in settings.get("disposable_domains", ()) if domain else None
    }
    if text:  # nothing at all is data still to come, or erased: no sign of anything
        here = regions.find_province(order.country, order.province)
        others = [region.zh for region in regions.provinces(order.country).values()]
        found["address.is_forwarder"] = is_forwarder(text, settings.get("forwarder_words", ()))
        found["address.is_incomplete"] = is_incomplete(
            text, province=here.zh if here else order.province, others=others, country=order.country
        )
    return found


def _of_lists(subject: Subject, batch: _Batch) -> dict[str, object]:
    who = batch.who[subject.order.pk]
    listed = {batch.rows[name].listed for name in who.keys.values()}
    safe = subject.settings.get("safe_flags", ())
    return {
        "list.blocked": Key.Listed.BLOCK.value in listed, "list.trusted": Key.Listed.TRUST.value in listed,
        "platform.flag": bool(who.flag) and who.flag not in safe, "parties.near": subject.is_near,
    }  # fmt: skip


def _latest(seen: Sequence[Seen], placed_at: datetime) -> str:
    """The province of the last login before the order, if it is not long ago; what a shop told, not the order."""
    recent = [x for x in seen if placed_at - _LOGIN_FOR <= x.last_at <= placed_at]
    return max(recent, key=lambda x: x.last_at).province if recent else ""


def _provinces(country: str, seen: Sequence[Sighting]) -> list[Seen]:
    known = regions.provinces(country)
    return [
        Seen(x.member, x.first_at, x.last_at, known[x.member].lat, known[x.member].lng)
        for x in seen
        if x.what == LOGIN and x.member in known
    ]


def _name(country: str, code: str) -> str:
    found = regions.provinces(country).get(code)
    return found.zh if found is not None else code
