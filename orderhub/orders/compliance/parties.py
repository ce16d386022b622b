"""Lists of denied parties: loading them whole, finding near names for a batch with two statements, own aliases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from orderhub.events import rows
from orderhub.kernel import canonical, regions
from orderhub.orders.compliance.engine import Near, names
from orderhub.orders.compliance.engine.lists import ListedParty
from orderhub.orders.compliance.models import Clearance, Party, PartyKey, PartyList, PartyName

_AT_ONCE = 500
#: A key that so many listed names share finds nothing by itself.
_TOO_MANY = 4000


@dataclass(frozen=True, slots=True)
class Asked:
    """A name to be screened: whose it is, and the country it is in."""

    merchant_id: int
    who: str
    name: str
    country: str


@transaction.atomic
def load(code: str, entries: Sequence[ListedParty], *, of: date, actor: str) -> PartyList:
    """Replace a list by what was read; entries that did not change are left alone, own aliases stay.

    What was new, changed and gone is kept on the list. Orders are checked again by the caller.
    """
    held, _made = PartyList.objects.get_or_create(code=code, defaults={"loaded_on": of, "entries": 0})
    known = dict(held.parties.values_list("number", "fingerprint"))
    coming = {entry.number: entry for entry in entries}
    prints = {number: fingerprint(entry) for number, entry in coming.items()}
    gone = known.keys() - coming.keys()
    changed = {number for number, said in prints.items() if known.get(number, said) != said}
    added = coming.keys() - known.keys()
    _drop(held, gone)
    PartyName.objects.filter(party__source_list=held, party__number__in=changed, merchant=None).delete()
    for number in changed:
        entry = coming[number]
        held.parties.filter(number=number).update(**_fields(entry, prints[number]))
    Party.objects.bulk_create(
        [
            Party(source_list=held, number=number, **_fields(coming[number], prints[number]))
            for number in sorted(added)
        ],
        batch_size=_AT_ONCE,
    )
    ids = dict(held.parties.filter(number__in=changed | added).values_list("number", "pk"))
    _add_names([(ids[number], text) for number in sorted(ids) for text in coming[number].names])
    held.loaded_on, held.loaded_by, held.entries = of, actor[:80], len(coming)
    held.added, held.changed, held.removed = len(added), len(changed), len(gone)
    held.save()
    return held


@transaction.atomic
def add_alias(party: Party, text: str, *, merchant_id: int) -> None:
    """A spelling the lists do not know, e.g. the Chinese name of a company listed by its translation."""
    _add_names([(party.pk, text)], merchant_id=merchant_id)


def near(asked: Collection[Asked], *, from_score: int) -> dict[Asked, list[Near]]:
    """The listed parties that names are near to, the nearest first, without those cleared; two statements."""
    by_key: dict[str, set[str]] = {}
    for one in asked:
        by_key.setdefault(one.name, set(names.keys(one.name)))
    wanted = set().union(*by_key.values()) if by_key else set()
    if not wanted:
        return {}
    found: dict[str, dict[int, PartyName]] = defaultdict(dict)
    hits = PartyKey.objects.filter(key__in=wanted).select_related("name__party__source_list")
    for hit in hits:
        found[hit.key][hit.name_id] = hit.name
    usable = {key: those for key, those in found.items() if len(those) <= _TOO_MANY}
    merchants = {one.merchant_id for one in asked}
    cleared = {
        (row.merchant_id, row.name_digest, row.list_code, row.number): row.fingerprint
        for row in Clearance.objects.filter(
            merchant__in=merchants, name_digest__in={digest(x) for x in asked}
        )
    }
    return {one: _near_to(one, by_key[one.name], usable, cleared, from_score) for one in asked}


def clear(asked: Asked, party: Party, *, reason: str, actor: str, now: datetime) -> None:
    """Remember that this name in this country is not that party, until either of the two changes."""
    Clearance.objects.update_or_create(
        merchant_id=asked.merchant_id, name_digest=digest(asked), list_code=party.source_list.code, number=party.number,
        defaults={
            "fingerprint": party.fingerprint, "reason": reason[:300], "actor": actor[:80], "decided_at": now,
        },
    )  # fmt: skip


def digest(asked: Asked) -> str:
    """What a cleared name is known by: its comparable form and its country."""
    return canonical.digest([sorted(names.forms(asked.name)), asked.country])


def fingerprint(entry: ListedParty) -> str:
    """Changes with the names or the countries of an entry."""
    return canonical.digest([sorted(entry.names), sorted(entry.countries)])


def _near_to(
    one: Asked, keys: set[str], found: Mapping[str, Mapping[int, PartyName]],
    cleared: Mapping[tuple[int, str, str, str], str], from_score: int,
) -> list[Near]:  # fmt: skip
    candidates = {pk: name for key in keys for pk, name in found.get(key, {}).items()}
    best: dict[int, Near] = {}
    for name in candidates.values():
        party = name.party
        if name.merchant_id not in (None, one.merchant_id):
            continue
        similar = names.similarity(one.name, name.text)
        if (
            similar < from_score
        ):  # only what the name says alone can bring a party up; country moves it a little
            continue
        if (
            cleared.get((one.merchant_id, digest(one), party.source_list.code, party.number))
            == party.fingerprint
        ):
            continue
        countries = {code for text in party.countries if (code := _country(text))}
        same = one.country in countries if countries else None
        score = names.adjusted(similar, same_country=same)
        facts = "" if same is None else f"{'=' if same else '≠'} {'/'.join(sorted(countries))}"
        told = Near(one.who, one.name, name.text, party.number, party.source_list.code, score, facts)
        if party.pk not in best or best[party.pk].score < score:
            best[party.pk] = told
    return sorted(best.values(), key=lambda x: (-x.score, x.list_name, x.party))


def _country(text: str) -> str:
    region = regions.find_country(text)
    return region.code if region is not None else ""


def _fields(entry: ListedParty, said: str) -> dict[str, object]:
    return {
        "name": entry.names[0][:400], "kind": entry.kind[:40], "program": entry.program[:200],
        "countries": sorted(entry.countries), "fingerprint": said,
    }  # fmt: skip


def _drop(held: PartyList, numbers: Collection[str]) -> None:
    ordered = sorted(numbers)
    for start in range(0, len(ordered), _AT_ONCE):
        held.parties.filter(number__in=ordered[start : start + _AT_ONCE]).delete()


def _add_names(pairs: Sequence[tuple[int, str]], *, merchant_id: int | None = None) -> None:
    unique = dict.fromkeys((party_id, text[:400]) for party_id, text in pairs if text.strip())
    made = rows.insert([PartyName(party_id=pk, text=text, merchant_id=merchant_id) for pk, text in unique])
    rows.insert([PartyKey(name=row, key=key) for row in made for key in sorted(names.keys(row.text))])
