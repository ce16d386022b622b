"""Names of dimensions, stages and files on the report pages."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

Text = str | Promise

DIMENSION_WORDS: Mapping[str, Text] = {
    "period": pgettext_lazy("carbon", "Month"),
    "merchant": pgettext_lazy("carbon", "Merchant"),
    "channel": pgettext_lazy("carbon", "Channel"),
    "warehouse": pgettext_lazy("carbon", "Warehouse"),
    "lane": pgettext_lazy("carbon", "Lane"),
    "product": pgettext_lazy("carbon", "Product"),
    "customer": pgettext_lazy("carbon", "Customer"),
    "order": pgettext_lazy("carbon", "Order"),
    "line": pgettext_lazy("carbon", "Order line"),
}
STAGE_WORDS: Mapping[str, Text] = {
    "transport": _("transport"),
    "warehouse": _("storage"),
    "packaging": _("packaging"),
    "return": _("returns"),
}
TOLD: Mapping[str, Text] = {
    "statement": _("Statement in the manner of ISO 14083 (PDF)"),
    "audit-book": _("Audit book with live formulas (XLSX)"),
    "ghg-protocol": _("GHG Protocol categories 4, 9, 12 (CSV)"),
    "esrs-e1-6": _("ESRS E1-6 on AR6 values (CSV)"),
    "en17837-parcels": _("EN 17837 line per parcel (CSV)"),
    "ledger": _("Ledger entries (CSV)"),
}
