"""Every fault of a message as one sentence with what to do, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from orderhub.connectors.console.our_fields import FIELDS, LISTS
from orderhub.connectors.models import Alias
from orderhub.connectors.speech import words
from orderhub.connectors.ways import reasons
from orderhub.inventory.admin_base import is_chinese

Text = str | Promise
_MAP = _("Change the map, or correct this one message.")
_SENDER = _("Ask the other side; this one message can be corrected here meanwhile.")

#: What is wrong, what to do; %(value)s is theirs.
_SAYS: Mapping[str, tuple[Text, Text]] = {
    "unknown_sku": (_("Nobody knows the article “%(value)s”."), _("Say below which of our articles it is, then replay.")),
    "unknown_warehouse": (_("Nobody knows the warehouse “%(value)s”."), _("Say below which of our warehouses it is, then replay.")),
    "unknown_carrier": (_("Nobody knows the carrier “%(value)s”."), _("Say below which of our carriers it is, then replay.")),
    "unknown_order": (_("There is no order “%(value)s” of this channel."), _("It may still be on its way; it is tried again by itself for a day. Else dismiss it.")),
    "unknown_parcel": (_("No parcel has the tracking number “%(value)s”."), _("It is tried again by itself as soon as the warehouse tells of the parcel, for three days. If the parcel is not yours, dismiss it.")),
    "unknown_fulfillment": (_("There is no fulfillment order “%(value)s”."), _("Check the number the warehouse sent.")),
    "not_shipped": (_("Parcel “%(value)s” was delivered before the warehouse said that it left."), _("It is tried again by itself once the warehouse tells of it, for three days.")),
    "nothing_made": (_("Nothing of “%(value)s” is made to order."), _("Check the number the factory sent, then dismiss it.")),
    "too_many": (_("More pieces than there are to make or to ship: “%(value)s”."), _SENDER),
    "unknown_call": (_("We asked nothing like “%(value)s”."), _("Check number and operation in the map, or dismiss it.")),
    "answered_otherwise": (_("“%(value)s” was answered otherwise before."), _("See which answer is right; settle the order by hand if it is this one, then dismiss the message.")),
    "version_conflict": (_("Two messages have the same version and differ."), _("See which one is right: replay it after correcting, dismiss the other.")),
    "lines_changed": (_("The channel changed articles or numbers of an order we know."), _("Decide on the order: split, cancel or place it anew; then dismiss this message.")),
    "unknown_code": (_("The code “%(value)s” is in no list of codes."), _("Add to the profile what it means, then replay.")),
    "unknown_status": (_("“%(value)s” is no status of ours."), _("Add it to the table of the map, then replay.")),
    "unknown_event": (_("“%(value)s” is nothing a warehouse does."), _("Add it to the table of the map, then replay.")),
    "unknown_meaning": (_("Messages that mean “%(value)s” are not taken here."), _("Change what the map means.")),
    "unknown_value": (_("The table does not have “%(value)s”."), _("Add to the table what it means, then replay.")),
    "unrouted": (_("No map is for a message like this one."), _("Add a route to the profile's door, or dismiss it.")),
    "unreadable": (_("It cannot be read at all."), _("Check the form of body in the profile's door.")),
    "in_future": (_("“%(value)s” has not come yet: its clock or its zone is wrong."), _("It is tried again by itself until that time has come, for a day. Correct the clock, or the zone in the map.")),
    "unknown_journey": (_("No order, fulfillment order or parcel is called “%(value)s”."), _("It is tried again by itself as soon as there is one. If it is not yours, dismiss it.")),
    "bad_moment": (_("“%(value)s” is not a time with its zone."), _("Change how the time is read in the map.")),
    "bad_values": (_("Some values cannot be read."), _MAP),
    "missing": (_("A value that must be there is missing."), _("Change the path in the map, or correct this one message.")),
    "bad_amount": (_("“%(value)s” is not an amount of money."), _MAP),
    "bad_quantity": (_("“%(value)s” is not a number of pieces."), _MAP),
    "scientific": (_("“%(value)s” was rewritten by a spreadsheet; its digits are lost."), _("Have it sent again.")),
    "not_number": (_("“%(value)s” is not a number."), _MAP),
    "not_whole": (_("“%(value)s” is not a whole number."), _MAP),
    "not_moment": (_("“%(value)s” is no date and time we can read."), _("Change how the time is read in the map.")),
    "no_zone": (_("The time “%(value)s” has no zone."), _("Read it as “local time” in the map.")),
    "not_one_value": (_("One value is wanted and a list came."), _("Make the path in the map longer.")),
    "path_failed": (_("The path cannot work on this message."), _("Change the path in the map.")),
    "no_channel": (_("The connection has no channel to put orders into."), _("Choose its channel under Settings, then replay.")),
    "no_number": (_("The order has no number."), _MAP),
    "bad_position": (_("It is no place on Earth."), _MAP),
    "no_lines": (_("The order has no lines."), _MAP),
    "bad_address": (_("The address is not complete: %(value)s."), _SENDER),
    "duplicate": (_("It is there already."), _("Dismiss it.")),
    **reasons.SAYS,
    "too_late": (_("It is too late for that: the goods have left."), _("Speak with the carrier, then dismiss the message.")),
}  # fmt: skip
_ALIAS = {
    "unknown_sku": Alias.Sort.SKU, "unknown_warehouse": Alias.Sort.WAREHOUSE, "unknown_carrier": Alias.Sort.CARRIER,
}  # fmt: skip
#: Faults whose cure is in the profile.
_IN_MAP = frozenset({
    "unknown_code", "unknown_status", "unknown_event", "unknown_value", "unrouted", "unreadable", "bad_moment", "missing",
    "not_number", "not_whole", "not_moment", "no_zone", "not_one_value", "path_failed", "bad_values", "unknown_meaning",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sentence:
    """A fault for people: where, what, what to do; `alias` is the sort of name that would mend it, "" for none."""

    place: str
    text: str
    remedy: str
    code: str
    value: str
    alias: str = ""
    in_map: bool = False


def sentence(fault: Mapping[str, str]) -> Sentence:
    """One fault as it is kept with a message: field, code, value."""
    code, value = str(fault.get("code", "")), str(fault.get("value", ""))
    if code in _SAYS:
        text, remedy = _SAYS[code]
        said, cure = str(text) % {"value": value or "–"}, str(remedy)
    else:
        # Services say no in a whole sentence, which is kept as the value.
        is_known = code in words.FAULTS
        said = (
            words.say(words.FAULTS, code, {"value": value}, get_language() or "en")
            if is_known
            else value or code
        )
        cure = str(_MAP) if is_known else ""
    return Sentence(
        place_of(str(fault.get("field", ""))),
        said,
        cure,
        code,
        value,
        str(_ALIAS.get(code, "")),
        code in _IN_MAP,
    )


def place_of(path: str) -> str:
    """`lines[2].sku` in words: lines 3 · SKU."""
    head, _dot, rest = path.rpartition(".")
    zh = is_chinese()
    known = next((one for fields in FIELDS.values() for one in fields if one.name == path), None)
    if known is not None:
        return known.label(zh)
    list_name, _bracket, number = head.partition("[")
    for lists in LISTS.values():
        if list_name in lists and rest:
            fields, _others, name_zh, name_en = lists[list_name]
            one = next((field for field in fields if field.name == rest), None)
            at = f" {int(number.rstrip(']')) + 1}" if number.rstrip("]").isdigit() else ""
            return f"{name_zh if zh else name_en}{at} · {one.label(zh) if one else rest}"
    return path


def sentences(faults: Sequence[Mapping[str, str]], error: str) -> list[Sentence]:
    """Every fault once; of a message without noted faults its error."""
    if not faults:
        return [sentence({"field": "", "code": code.strip(), "value": ""}) if code.strip() in _SAYS
                else Sentence("", code.strip(), str(_MAP), code.strip(), "") for code in error.split(";") if code.strip()]  # fmt: skip
    seen = dict.fromkeys((f.get("field", ""), f.get("code", ""), f.get("value", "")) for f in faults)
    return [sentence({"field": field, "code": code, "value": value}) for field, code, value in seen]
