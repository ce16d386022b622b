"""What is wrong with a row of a factor table, in a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from carbon.factors.sheet import Fault

SENTENCES: Mapping[str, Promise | str] = {
    "column_missing": _("This column is missing."),
    "empty": _("The sheet has no rows."),
    "unreadable": _("The file could not be read; use CSV in UTF-8 or XLSX."),
    "missing": _("This cell must not be empty."),
    "too_long": _("This name is too long."),
    "not_a_number": _("This is no number."),
    "negative": _("A factor cannot be negative."),
    "not_a_date": _("This is no date; write 2026-12-31."),
    "ends_before_it_begins": _("The validity ends before it begins."),
    "distance_kind_unknown": _("Distances are sfd, gcd or actual."),
    "kind_unknown": _("This kind of factor is not known."),
    "unit_wrong": _("This unit does not fit the kind of factor."),
    "incomplete": _("A total, or both TTW and WTT, are needed."),
    "sum_differs": _("TTW and WTT do not add up to the total."),
    "validity_overlaps": _("Two rows of this factor are valid at the same time."),
    "region_vanished": _("The edition before has this region, this one has not."),
}

#: Why a candidate was taken or left out (`carbon.factors.resolving`).
REASONS: Mapping[str, Promise | str] = {
    "only": _("the only one"),
    "valid": _("by its validity on the day"),
    "publisher": _("by its publisher"),
    "region": _("by its region"),
    "year": _("by the year of its edition"),
    "order": _("equal; the order of names decides"),
    "draft": _("a draft, not yet activated"),
    "retired": _("retired"),
    "no_licence": _("without a licence"),
    "not_yet_valid": _("not valid yet"),
    "expired": _("expired"),
}


def sentence(fault: Fault) -> str:
    """The fault in the reader's language."""
    return str(SENTENCES[fault.code])
