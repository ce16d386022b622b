"""The tables of the risk check; imported here so that Django finds them in one place."""

from orderhub.orders.risk.models.cases import Action, Assessment, Label, Review
from orderhub.orders.risk.models.counters import Baseline, Key, Link, Observed, OrderKey, Tally
from orderhub.orders.risk.models.policy import RiskPolicy, RiskPolicyVersion, RiskSignal

__all__ = [
    "Action", "Assessment", "Baseline", "Key", "Label", "Link", "Observed", "OrderKey", "Review", "RiskPolicy",
    "RiskPolicyVersion", "RiskSignal", "Tally",
]  # fmt: skip
