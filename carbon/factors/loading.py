"""Bringing what is in force in the database into the pure engine of this process.

The bundled factors hold until a set is activated, retired or another order of preference is written; then each bundled
id is resolved among all editions, and what differs is installed (`carbon.core.library`). Processes hear of it by a word
in the cache, and the ledger looks at every batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from time import monotonic
from typing import Any

from django.core.cache import cache
from django.db.models import Q, Subquery

from carbon.core import library
from carbon.core.bundle import bundled_factors
from carbon.core.model import Factor as EngineFactor
from carbon.defaults import FACTOR_IDS
from carbon.factors.resolving import Candidate, Policy, Verdict, resolve
from carbon.factors.sheet import key_of
from carbon.models import Factor, FactorAlias, FactorChoice, FactorSet, ResolverPolicy
from orderhub.kernel import canonical, clock

CACHE_KEY = "carbon.library"
LOOK_SECONDS = 2.0


@dataclass(slots=True)
class _Seen:
    """What this process knows: the stamp of the sets it read, when it looked at the cache, the word it found there."""

    stamp: object = None
    looked: float = 0.0
    word: str | None = None


_seen = _Seen()


def refresh() -> bool:
    """Install what the database says is in force, if it is not; one query where nothing changed.

    False where there is no factor set at all yet.
    """
    newest = ResolverPolicy.objects.order_by("-pk").values("pk")[:1]
    rows = list(
        FactorSet.objects.order_by("pk")
        .annotate(policy=Subquery(newest))
        .values_list("pk", "status", "policy")
    )
    day = clock.now().date()
    stamp = (day, tuple(rows))
    if not rows or stamp == _seen.stamp:
        return bool(rows)
    found, choices = _library(day)
    if found.digest:  # calculations will name it
        FactorChoice.objects.get_or_create(digest=found.digest, defaults={"document": choices})
    library.install(found)
    _seen.stamp = stamp
    word = found.digest or "bundled"
    if word != _seen.word and (found.digest or cache.get(CACHE_KEY)):
        cache.set(CACHE_KEY, word, timeout=None)
    _seen.word = word
    return True


def soon() -> None:
    """As `refresh`, but the database is asked only where another process has told of a change; for hot paths."""
    now = monotonic()
    if now - _seen.looked < LOOK_SECONDS:
        return
    _seen.looked = now
    word = cache.get(CACHE_KEY)
    if word is not None and word != _seen.word:
        _seen.stamp = None
        refresh()


def forget() -> None:
    """Begin again with the bundled factors, as a new process does."""
    _seen.stamp, _seen.looked, _seen.word = None, 0.0, None
    library.install()


def policy() -> Policy:
    """The newest version of the order of preference."""
    row = ResolverPolicy.objects.order_by("-pk").first()
    if row is None:
        return Policy()
    return Policy(row.pk, row.order, tuple(row.publishers), tuple(row.regions), row.takes_expired)


def ranked(factor_id: str, *, day: date) -> tuple[Verdict, ...]:
    """Every edition's factor for what a bundled id stands for, ranked, with reasons; three queries."""
    return resolve(_candidates({key_of(factor_id)}).get(key_of(factor_id), ()), policy(), day=day)


def engine_factor(row: Factor) -> EngineFactor:
    """A stored factor as the engine takes it; a bundled one as the bundle has it."""
    bundled = bundled_factors().get(row.factor_id)
    if bundled is not None and row.factor_set.status != FactorSet.Status.ACTIVE:
        return bundled
    if bundled is not None and bundled.status == "active":
        return bundled
    return EngineFactor(
        id=row.factor_id, unit=row.unit, ttw=row.ttw, wtt=row.wtt, total=row.total,
        distance_kind=row.distance_kind or None, valid_to=row.valid_to, boundary=row.boundary, region=row.region,
        gwp_basis=row.factor_set.gwp_basis, set_id=row.factor_set.code, co2_kg=row.co2_kg,
        ch4_kgco2e=row.ch4_kgco2e, n2o_kgco2e=row.n2o_kgco2e, gas_scope=row.gas_scope, status="active",
    )  # fmt: skip


def choices_of(digest: str) -> dict[str, list[list[Any]]]:
    """Bundled id → its candidates as [factor, rank, reason], as they stood when this digest was made; {} if unknown."""
    row = FactorChoice.objects.filter(digest=digest).first()
    return {} if row is None else dict(row.document["candidates"])


def _library(day: date) -> tuple[library.Library, dict[str, Any]]:
    """What differs from the bundle, with every candidate; nothing while only bundled sets are active and no order was
    written."""
    bundled = bundled_factors()
    order = policy()
    own = Factor.objects.filter(~Q(factor_set__status=FactorSet.Status.DRAFT)).values_list(
        "factor_id", "factor_set__status"
    )
    status = dict(own)
    strange = {key_of(name) for name, state in status.items() if name not in bundled and state == "active"}
    retired = {name for name, state in status.items() if name in bundled and state == "retired"}
    activated = {
        key_of(name)
        for name, state in status.items()
        if state == "active" and name in bundled and bundled[name].status != "active"
    }
    touched = strange | activated | {key_of(name) for name in retired}
    if order.number:
        touched |= {key_of(name) for name in bundled}
    if not touched:
        return library.Library(), {}
    wanted = _with_names_before(touched)
    candidates = _candidates(wanted)
    instead: dict[str, str] = {}
    told: dict[str, list[list[Any]]] = {}
    asked = set(FACTOR_IDS.values())
    for factor_id in bundled:
        key = key_of(factor_id)
        if key not in wanted:
            continue
        verdicts = resolve(candidates.get(key, ()), order, day=day)
        if factor_id in asked:
            told[factor_id] = [[one.candidate.factor_id, one.rank, one.reason] for one in verdicts]
        if verdicts and verdicts[0].rank == 1 and verdicts[0].candidate.factor_id != factor_id:
            instead[factor_id] = verdicts[0].candidate.factor_id
    active = Factor.objects.filter(factor_set__status=FactorSet.Status.ACTIVE).select_related("factor_set")
    factors = {row.factor_id: engine_factor(row) for row in active}
    more = {name: factor for name, factor in factors.items() if name not in bundled}
    document = {"policy": order.number, "candidates": told}
    digest = canonical.digest(
        {**document, "instead": instead, "more": sorted(more), "retired": sorted(retired)}
    )
    found = library.Library(
        {old: factors[new] for old, new in instead.items()}, more, frozenset(retired), digest
    )
    return found, document


def _with_names_before(keys: Iterable[str]) -> set[str]:
    """These keys and those they had in editions before."""
    wanted = set(keys)
    for new_key, old_key in FactorAlias.objects.values_list("new_key", "old_key"):
        if new_key in wanted:
            wanted.add(old_key)
    return wanted


def _candidates(keys: set[str]) -> Mapping[str, list[Candidate]]:
    """Every stored factor of these keys; a renamed one stands under its name before too."""
    names = {new: old for new, old in FactorAlias.objects.values_list("new_key", "old_key") if old in keys}
    found: dict[str, list[Candidate]] = {}
    fields = (
        "factor_id", "factor_set__code", "factor_set__publisher", "factor_set__version", "factor_set__status",
        "factor_set__licence", "region", "valid_from", "valid_to",
    )  # fmt: skip
    for row in Factor.objects.values_list(*fields):
        key = key_of(row[0])
        for name in {key, names.get(key, key)} & keys:
            found.setdefault(name, []).append(Candidate(*row))
    return found
