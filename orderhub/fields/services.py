"""Making, changing, removing and bringing back fields; every process knows with its next order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant, new_revision
from orderhub.fields import targets, uses
from orderhub.fields.engine import MOST_FIELDS, Definition, Fault, check_definition, from_text, parse, to_text
from orderhub.fields.lookups import has_value
from orderhub.fields.models import Field
from orderhub.fields.targets import Use
from orderhub.fields.wording import sentence
from orderhub.kernel.errors import Refused

#: More values than these are not converted: their rows would be locked for too long.
MOST_CONVERTED = 100_000
SHOWN = 20
_CHUNK = 1000


class InUse(Refused):
    """A field that something in force names."""

    def __init__(self, found: list[Use]) -> None:
        names = ", ".join(f"{use.kind}: {use.title}" for use in found[:10])
        super().__init__(
            "field_in_use", _("The field is in use: %(uses)s.") % {"uses": names},
            remedy=_("Publish these without the field first."), facts={"uses": names},
        )  # fmt: skip
        self.uses = found


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change of type would do: how many values there are, and those (record, value, why) that do not convert."""

    values: int
    bad: int = 0
    examples: list[tuple[int, str, str]] = field(default_factory=list)


@transaction.atomic
def save(row: Field, *, actor: str, user: Any = None) -> Field:
    """Write a new or changed field; raises Fault for one that contradicts itself, Refused if it cannot be.

    A changed type converts the values that are there, all of them or none.
    """
    _lock()
    old = Field.objects.filter(pk=row.pk).first() if row.pk else None
    wanted = row.definition()
    check_definition(wanted)
    if wanted.default is not None:
        row.default = parse(wanted, wanted.default)
    _check_room(row)
    if old is not None:
        _check_change(old, row)
    _keep(row, actor=actor, user=user)
    return row


@transaction.atomic
def archive(row: Field, *, now: datetime, actor: str, user: Any = None) -> Field:
    """Take a field out of use; its values stay. Raises InUse while anything in force names it."""
    _lock()
    found = [use for use in uses.of(row) if use.blocks]
    if found:
        raise InUse(found)
    row.archived_at = now
    _keep(row, actor=actor, user=user)
    return row


@transaction.atomic
def restore(row: Field, *, actor: str, user: Any = None) -> Field:
    """Bring an archived field back, with the values it had; Refused if there are too many fields by now."""
    _lock()
    row.archived_at = None
    _check_room(row)
    _keep(row, actor=actor, user=user)
    return row


def preview(row: Field) -> Preview:
    """What saving this changed, unsaved field would do to the values of the one that stands."""
    old = Field.objects.get(pk=row.pk)
    count, bad, examples = 0, 0, list[tuple[int, str, str]]()
    for pk, value in _values(old):
        count += 1
        try:
            _converted(old.definition(), row.definition(), value)
        except Fault as fault:
            bad += 1
            if len(examples) < SHOWN:
                examples.append((pk, to_text(old.definition(), value)[:80], sentence(fault)))
    return Preview(count, bad, examples)


# ---- checks -------------------------------------------------------------------------------------


def _lock() -> None:
    """One change of fields at a time: what is counted and compared here stays true until it is written."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('orderhub.fields'))")


def _check_room(row: Field) -> None:
    others = Field.objects.filter(target=row.target).exclude(pk=row.pk)
    alike = others.filter(code=row.code)
    if row.merchant_id is not None:
        alike = alike.filter(merchant__in=[row.merchant_id]) | alike.filter(merchant__isnull=True)
    if alike.exists():
        raise Refused(
            "field_exists", _("A field with the code %(code)s exists.") % {"code": row.code}, field="code",
            remedy=_("Choose another code, or bring the removed field back."),
        )  # fmt: skip
    active = others.filter(archived_at__isnull=True)
    if row.merchant_id is not None:
        active = active.filter(merchant__in=[row.merchant_id]) | active.filter(merchant__isnull=True)
    if active.count() >= MOST_FIELDS:
        raise Refused(
            "too_many_fields", _("There are %(count)d fields already.") % {"count": MOST_FIELDS}, field="target",
            remedy=_("Remove one that is no longer needed."),
        )  # fmt: skip


def _check_change(old: Field, row: Field) -> None:
    for name in ("target", "code", "merchant_id"):
        if getattr(old, name) != getattr(row, name):
            raise Refused(
                "field_fixed", _("What a field belongs to and its code are never changed."),
                field=name.removesuffix("_id"), remedy=_("Add another field instead."),
            )  # fmt: skip
    before, after = old.definition(), row.definition()
    gone = [code for code in before.codes if code not in after.codes]
    if before.kind == after.kind and not gone:
        return
    found = [use for use in uses.of(old) if use.blocks]
    if found:
        raise InUse(found)
    _convert(old, row)


def _convert(old: Field, row: Field) -> None:
    looked = preview(row)
    if looked.bad:
        raise Refused(
            "field_values", _("%(count)d values do not fit: %(examples)s.") % {
                "count": looked.bad, "examples": "; ".join(f"{value}: {why}" for _pk, value, why in looked.examples[:3]),
            },
            field="kind", remedy=_("Correct these values first."), facts={"count": looked.bad},
        )  # fmt: skip
    if looked.values > MOST_CONVERTED:
        raise Refused(
            "field_values", _("There are more than %(count)d values.") % {"count": MOST_CONVERTED}, field="kind",
            remedy=_("Add another field instead."),
        )  # fmt: skip
    if old.kind == row.kind:
        return
    model: Any = targets.get(old.target).model
    ids = [pk for pk, _value in _values(old)]
    for start in range(0, len(ids), _CHUNK):
        rows = list(model.objects.select_for_update().filter(pk__in=ids[start : start + _CHUNK]))
        for record in rows:
            value = _converted(old.definition(), row.definition(), record.custom.get(old.code))
            record.custom = {**record.custom, old.code: value}
        model.objects.bulk_update(rows, ["custom"])


def _converted(old: Definition, new: Definition, value: Any) -> Any:
    """The value as one of the new type; raises Fault. Limits may have changed since, so only the type counts."""
    free = replace(new, least="", most="", pattern="", is_required=False)
    if old.kind in ("integer", "decimal", "money") and new.kind == "integer":
        text = to_text(old, value)
        return parse(free, int(text)) if "." not in text else from_text(free, text)
    if new.kind == "choices" and old.kind == "choice":
        return parse(free, [value])
    if new.kind == "choice" and old.kind == "choices":
        if len(value) > 1:
            raise Fault("field_most_chosen", most=1)
        return parse(free, value[0]) if value else None
    return from_text(free, to_text(old, value))


def _values(row: Field) -> Iterator[tuple[int, Any]]:
    target = targets.get(row.target)
    rows: Any = target.model._default_manager.filter(has_value(row.code))
    if row.merchant_id is not None:
        rows = rows.filter(**{target.merchant_path: row.merchant_id})
    for pk, custom in rows.order_by("pk").values_list("pk", "custom").iterator(chunk_size=_CHUNK):
        if row.code in custom:
            yield pk, custom[row.code]


def _keep(row: Field, *, actor: str, user: Any) -> None:
    row._history_user = user  # type: ignore[attr-defined]
    row._change_reason = actor  # type: ignore[attr-defined]
    row.save()
    whose = Merchant.objects.all() if row.merchant_id is None else Merchant.objects.filter(pk=row.merchant_id)
    whose.update(fields_revision=new_revision())
