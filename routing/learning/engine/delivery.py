"""How long parcels take, as quantiles: a table by lane, a model beside it, and bands that roll with what is delivered.

scikit-learn is looked for only when a model is made; without it, or with too few data, the lane table stands alone.
Every feature of a parcel is known when it is sent: what a lane did is counted from parcels *delivered* by then.
"""

from __future__ import annotations

import importlib
import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
QUANTILES = (0.5, 0.8, 0.9, 0.95)
#: Parcels of a lane before its own table counts; below, that of the destination, then of all.
LEAST_LANE = 30
#: Delivered parcels that a model needs, and that the bands roll over.
LEAST_MODEL = 500
WINDOW = 450
LEAST_WINDOW = 50
_SEED = 11


class TooFew(ValueError):
    """Not enough delivered parcels to learn from: ``given`` of ``needed``."""

    def __init__(self, given: int, needed: int) -> None:
        super().__init__(f"{given} delivered parcels are too few; {needed} are needed")
        self.given, self.needed = given, needed


class Missing(RuntimeError):
    """scikit-learn is not installed: the lane table is used."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A parcel as it was known when it was sent; ``delivered_at`` None: not there yet."""

    origin: str
    destination: str
    sent_at: datetime
    delivered_at: datetime | None
    km: float = 0.0
    grams: float = 0.0
    promised_hours: float = 0.0

    @property
    def hours(self) -> float:
        """From sending to delivery; raises ValueError while it is on its way."""
        if self.delivered_at is None:
            raise ValueError("not delivered yet")
        return (self.delivered_at - self.sent_at).total_seconds() / 3600


@dataclass(slots=True)
class LaneTable:
    """Quantiles of the hours by lane, pooled to the destination and to all where a lane has too few."""

    lanes: dict[tuple[str, str], Floats] = field(default_factory=dict)
    destinations: dict[str, Floats] = field(default_factory=dict)
    all: Floats = field(default_factory=lambda: np.zeros(len(QUANTILES)))

    @classmethod
    def of(cls, parcels: Sequence[Parcel]) -> LaneTable:
        """From delivered parcels; raises TooFew below thirty."""
        if len(parcels) < LEAST_LANE:
            raise TooFew(len(parcels), LEAST_LANE)
        lanes: dict[tuple[str, str], list[float]] = {}
        destinations: dict[str, list[float]] = {}
        for one in parcels:
            lanes.setdefault((one.origin, one.destination), []).append(one.hours)
            destinations.setdefault(one.destination, []).append(one.hours)
        return cls(
            {key: _quantiles(hours) for key, hours in lanes.items() if len(hours) >= LEAST_LANE},
            {key: _quantiles(hours) for key, hours in destinations.items() if len(hours) >= LEAST_LANE},
            _quantiles([one.hours for one in parcels]),
        )

    def predict(self, parcels: Sequence[Parcel]) -> Floats:
        """Hours [parcel, quantile]."""
        return np.array([
            self.lanes.get((one.origin, one.destination), self.destinations.get(one.destination, self.all))
            for one in parcels
        ]).reshape(len(parcels), len(QUANTILES))  # fmt: skip


def _quantiles(hours: Sequence[float]) -> Floats:
    return np.quantile(np.asarray(hours, dtype=np.float64), QUANTILES)


class Features:
    """Turns parcels into numbers, one after the other in order of time, with what had been delivered by then."""

    def __init__(self) -> None:
        self.recent: dict[str, deque[float]] = {}
        self.codes: dict[str, int] = {}

    def learn(self, parcel: Parcel) -> None:
        """A parcel was delivered."""
        for key in self._keys(parcel):
            self.recent.setdefault(key, deque(maxlen=60)).append(parcel.hours)

    def row(self, parcel: Parcel) -> list[float]:
        """The numbers of a parcel; what is not known yet is not a number."""
        means = []
        for key in self._keys(parcel):
            seen = self.recent.get(key, ())
            means.append(float(np.median(list(seen))) if len(seen) >= 5 else math.nan)
        codes = [
            float(self.codes.setdefault(key, len(self.codes))) for key in (parcel.origin, parcel.destination)
        ]
        when = parcel.sent_at
        return [
            *means, *codes, parcel.km, math.log1p(max(parcel.grams, 0.0)), parcel.promised_hours,
            float(when.weekday()), float(when.hour),
        ]  # fmt: skip

    @staticmethod
    def _keys(parcel: Parcel) -> tuple[str, ...]:
        lane = f"{parcel.origin}>{parcel.destination}"
        return lane, f"to {parcel.destination}", f"from {parcel.origin}", "all"


def rows(parcels: Sequence[Parcel], features: Features) -> Floats:
    """Features of parcels in order of sending; deliveries count from the moment they happened."""
    waiting = sorted(
        (one for one in parcels if one.delivered_at is not None),
        key=lambda one: (one.delivered_at, one.sent_at),
    )
    at, found = 0, []
    for parcel in sorted(parcels, key=lambda one: one.sent_at):
        while at < len(waiting) and (waiting[at].delivered_at or parcel.sent_at) < parcel.sent_at:
            features.learn(waiting[at])
            at += 1
        found.append(features.row(parcel))
    return np.array(found, dtype=np.float64)


@dataclass(slots=True)
class Model:
    """One gradient-boosted model per quantile, of the logarithm of hours; features whose column is constant are left out."""

    models: list[Any]
    columns: list[int]

    @classmethod
    def fit(cls, table: Floats, hours: Floats) -> Model:
        """Raises Missing without scikit-learn, TooFew, or ValueError where every column is constant."""
        if len(hours) < LEAST_MODEL:
            raise TooFew(len(hours), LEAST_MODEL)
        try:
            ensemble = importlib.import_module("sklearn.ensemble")
        except ImportError:
            raise Missing("scikit-learn is not installed") from None
        columns = [n for n in range(table.shape[1]) if len(np.unique(table[~np.isnan(table[:, n]), n])) > 1]
        if not columns:
            raise ValueError("every column is constant: there is nothing to learn from")
        models = []
        for quantile in QUANTILES:
            model = ensemble.HistGradientBoostingRegressor(
                loss="quantile", quantile=quantile, max_iter=120, learning_rate=0.05, max_leaf_nodes=12,
                min_samples_leaf=40, l2_regularization=1.0, random_state=_SEED,
            )  # fmt: skip
            models.append(model.fit(table[:, columns], np.log1p(np.maximum(hours, 0.0))))
        return cls(models, columns)

    def predict(self, table: Floats) -> Floats:
        """Hours [parcel, quantile], never falling along the quantiles."""
        if not len(table):
            return np.zeros((0, len(QUANTILES)))
        found = np.stack([np.expm1(model.predict(table[:, self.columns])) for model in self.models], axis=1)
        return np.maximum.accumulate(np.maximum(found, 0.0), axis=1)


class Bands:
    """Shifts each quantile by the rolling quantile of how far the last delivered parcels lay from it, as a share.

    The window must roll: a shift fixed once loses its coverage when carriers become slower or faster.
    """

    def __init__(self, window: int = WINDOW) -> None:
        self.ratios: deque[Floats] = deque(maxlen=window)
        self.factors = np.ones(len(QUANTILES))
        self.is_stale = False

    def learn(self, told: Floats, hours: float) -> None:
        """A parcel of which these quantiles were told was delivered after so many hours."""
        self.ratios.append(hours / np.maximum(told, 1.0))
        self.is_stale = True

    def shifted(self, told: Floats) -> Floats:
        """The quantiles with the present shift; as they are while too few are delivered."""
        if self.is_stale and len(self.ratios) >= LEAST_WINDOW:
            known = np.array(self.ratios)
            self.factors = np.array([np.quantile(known[:, n], share) for n, share in enumerate(QUANTILES)])
            self.is_stale = False
        return np.maximum.accumulate(told * self.factors)


def roll(parcels: Sequence[Parcel], told: Floats, bands: Bands) -> Floats:
    """Quantiles of parcels in order of sending, each shifted by what had been delivered when it was sent."""
    order = sorted(range(len(parcels)), key=lambda n: parcels[n].sent_at)
    done = sorted(
        (n for n in order if parcels[n].delivered_at is not None), key=lambda n: parcels[n].delivered_at or 0
    )
    found, at = np.zeros_like(told), 0
    for n in order:
        while at < len(done) and (parcels[done[at]].delivered_at or parcels[n].sent_at) < parcels[n].sent_at:
            bands.learn(told[done[at]], parcels[done[at]].hours)
            at += 1
        found[n] = bands.shifted(told[n])
    return found


def late_risk(quantiles: Sequence[float], promised_hours: float) -> float:
    """P(hours > promised), read off the quantiles, between them linear; beyond the ends by the nearest slope."""
    points = [0.0, *QUANTILES]
    hours = [0.0, *quantiles]
    if promised_hours <= 0:
        return 1.0
    for low, high, a, b in zip(points, points[1:], hours, hours[1:], strict=False):
        if promised_hours <= b:
            return 1.0 - (low + (high - low) * (promised_hours - a) / max(b - a, 1e-9))
    slope = (points[-1] - points[-2]) / max(hours[-1] - hours[-2], 1e-9)
    return max(0.001, (1 - points[-1]) - slope * (promised_hours - hours[-1]) / 4)


@dataclass(frozen=True, slots=True)
class Quality:
    """Coverage and pinball loss (hours) by quantile on parcels the model did not learn from."""

    parcels: int
    coverage: Mapping[float, float]
    pinball: Mapping[float, float]

    @property
    def worst_miss(self) -> float:
        """The largest distance between a quantile and its coverage."""
        return max(abs(seen - quantile) for quantile, seen in self.coverage.items())


def quality(told: Floats, hours: Floats) -> Quality:
    """How right the quantiles were."""
    gap = hours[:, None] - told
    share = np.asarray(QUANTILES)[None]
    loss = np.maximum(share * gap, (share - 1) * gap).mean(axis=0)
    coverage = (gap <= 0).mean(axis=0)
    return Quality(
        len(hours),
        dict(zip(QUANTILES, coverage.tolist(), strict=True)),
        dict(zip(QUANTILES, loss.tolist(), strict=True)),
    )
