"""The tables of the cross-border checks; imported here so that Django finds them in one place."""

from orderhub.orders.compliance.models.checks import BuyerIdentity, ComplianceCheck, YearUsage
from orderhub.orders.compliance.models.parties import Clearance, Party, PartyKey, PartyList, PartyName
from orderhub.orders.compliance.models.rules import (
    ComplianceRule,
    CustomsGoods,
    ExchangeRate,
    GoodsList,
    Paper,
)

__all__ = [
    "BuyerIdentity", "Clearance", "ComplianceCheck", "ComplianceRule",
    "CustomsGoods", "ExchangeRate", "GoodsList", "Paper", "Party",
    "PartyKey", "PartyList", "PartyName", "YearUsage",
]  # fmt: skip
