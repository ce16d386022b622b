"""Faults of fields in words of the reader's language."""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from orderhub.fields.engine import Definition, Fault

WORDS: dict[str, Any] = {
    "field_unknown": _("There is no such field."),
    "field_read_only": _("This field is filled by staff only."),
    "field_required": _("This field is required."),
    "field_text": _("Must be a text."),
    "field_long": _("At most %(most)s characters."),
    "field_characters": _("Contains characters that cannot be stored."),
    "field_integer": _("Must be a whole number."),
    "field_number_size": _("The number is too large."),
    "field_decimal": _("Must be a number such as 12.5."),
    "field_places": _("At most %(most)s decimal places."),
    "field_boolean": _("Must be true or false; in files also yes or no, 是 or 否."),
    "field_date": _("Must be a date that exists, such as 2026-11-22."),
    "field_time": _("Must be a time of day, such as 20:30."),
    "field_choice": _("%(value)s is none of its choices: %(known)s."),
    "field_list": _("Must be a list of codes."),
    "field_most_chosen": _("At most %(most)s choices."),
    "field_link": _("Must be a link that begins with https:// or http://."),
    "field_least": _("Must be at least %(least)s."),
    "field_most": _("Must be at most %(most)s."),
    "field_length_least": _("At least %(least)s characters."),
    "field_length_most": _("At most %(most)s characters."),
    "field_count_least": _("At least %(least)s choices."),
    "field_count_most": _("At most %(most)s choices."),
    "field_pattern": _("Does not follow the pattern %(pattern)s."),
    "fields_large": _("All custom fields of one record together hold at most %(most)s characters."),
    "field_kind": _("There is no such type."),
    "field_code": _("Use small letters, digits and _, a letter first, at most 40."),
    "field_pattern_kind": _("Only texts have a pattern."),
    "field_limit": _("Must be a number, or a date or time for such fields."),
    "field_limit_kind": _("Fields of this type have no limits."),
    "field_limits": _("Must not be below the lower limit."),
    "field_choices": _("Give 1 to %(most)s choices."),
    "field_choice_twice": _("%(value)s stands twice among the choices."),
    "field_choice_form": _(
        "The choice %(value)s needs a code of small letters, digits and _, and labels of at most 80."
    ),
    "pattern_long": _("The pattern is too long."),
    "pattern_big": _("The pattern stands for too many characters, at place %(at)s."),
    "pattern_end": _("The pattern ends too early, at place %(at)s."),
    "pattern_sign": _(
        "This sign is not part of patterns here, at place %(at)s; write \\ before it to mean itself."
    ),
    "pattern_escape": _("Only \\d and \\w are known, at place %(at)s."),
    "pattern_range": _("The range is the wrong way round, at place %(at)s."),
    "pattern_class": _("The brackets are empty, at place %(at)s."),
    "pattern_count": _("The count is wrong, at place %(at)s; write for instance {3} or {2,5}."),
}


def sentence(fault: Fault) -> str:
    """What is wrong, in the language that is active."""
    return str(WORDS[fault.code]) % fault.facts


def is_chinese() -> bool:
    """Whether this is read in Chinese."""
    return (get_language() or "").startswith("zh")


def label(definition: Definition) -> str:
    """The field's label in the language that is active."""
    return definition.label(zh=is_chinese())
