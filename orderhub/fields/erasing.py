"""Personal values end with the person they are about, wherever operators put them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import Q

from orderhub.fields import targets
from orderhub.fields.lookups import has_value
from orderhub.fields.models import Field


def erase(person_ids: Collection[UUID], merchant_id: int) -> int:
    """Remove the values of personal fields, archived ones too, from all records about these receivers; how many records.

    Two queries per kind of record that has such fields; in the caller's transaction, which has locked the orders.
    """
    rows = Field.objects.filter(Q(merchant__isnull=True) | Q(merchant_id=merchant_id), is_personal=True)
    codes: dict[str, set[str]] = {}
    for target, code in rows.values_list("target", "code"):
        codes.setdefault(target, set()).add(code)
    count = 0
    for one in targets.of_persons():
        mine = codes.get(one.name, set())
        if not mine:
            continue
        held = Q()
        for code in sorted(mine):
            held |= has_value(code)
        records: Any = one.model._default_manager.filter(held, **{f"{one.person_path}__in": list(person_ids)})
        found = list(records.order_by("pk"))
        for record in found:
            record.custom = {code: value for code, value in record.custom.items() if code not in mine}
        one.model._default_manager.bulk_update(found, ["custom"], batch_size=500)
        count += len(found)
    return count
