"""Scoring of orders, pure: signals as data, points with a cap per group, three bands, and how good the points were.

A signal is a condition of the rule language over the facts of one order (`words.FACTS`), some of them counted over the
signal's own window. No Django here, no clock, no chance: the same policy and facts give the same answer for ever.
"""

from __future__ import annotations

from orderhub.orders.risk.engine.learning import Proposal, propose
from orderhub.orders.risk.engine.policy import Mode, Policy, Signal, compile_policy, words_of
from orderhub.orders.risk.engine.quality import Case, Interval, SignalQuality, by_signal, of_band, wilson
from orderhub.orders.risk.engine.scoring import Band, Facts, Fired, Score, judge, score, still_fires
from orderhub.orders.risk.engine.words import FACTS, VOCABULARY, WINDOWED

__all__ = [
    "FACTS",
    "VOCABULARY",
    "WINDOWED",
    "Band",
    "Case",
    "Facts",
    "Fired",
    "Interval",
    "Mode",
    "Policy",
    "Proposal",
    "Score",
    "Signal",
    "SignalQuality",
    "by_signal",
    "compile_policy",
    "judge",
    "of_band",
    "propose",
    "score",
    "still_fires",
    "wilson",
    "words_of",
]
