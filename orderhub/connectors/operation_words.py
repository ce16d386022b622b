"""What systems are asked, in words for the order page."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

OPERATIONS = {
    "release": _("ship it"), "cancel": _("give it back"), "erp_order": _("book the order"),
    "erp_change": _("change the order"), "erp_cancel": _("cancel the order"), "ship_notice": _("tell it was shipped"),
    "address_confirm": _("answer the address change"), "subscribe": _("report the parcel"),
    "intercept": _("redirect the parcel"), "fetch_order": _("fetch the order"), "stock": _("take over the stock"),
    "milestone": _("tell what happened"), "change": _("change the work order"), "plan_notice": _("tell the new date"),
    "erp_restore": _("book the cancelled order again"), "units_changed": _("change the units of the order"),
}  # fmt: skip
