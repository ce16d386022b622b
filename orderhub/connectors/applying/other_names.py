"""Their names for our things, and those they use that we do not know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orderhub.connectors.models import Alias, Connection
from orderhub.inventory.models import Sku


def names(connection: Connection, sort: str, theirs: Iterable[str]) -> dict[str, str]:
    """Our code by their name, for those that somebody entered; one query, none for no names."""
    asked = {name for name in theirs if name}
    if not asked:
        return {}
    rows = Alias.objects.filter(connection=connection, sort=sort, theirs__in=asked)
    return dict(rows.values_list("theirs", "ours"))


def skus(connection: Connection, theirs: Iterable[str]) -> dict[str, str]:
    """Our SKU code by what they call it: an entered name first, else a code of ours; two queries."""
    asked = {name for name in theirs if name}
    known = names(connection, Alias.Sort.SKU, asked)
    rest = asked - known.keys()
    if rest:
        own = Sku.objects.filter(merchant_id=connection.merchant_id, is_active=True, code__in=rest)
        known.update((code, code) for code in own.values_list("code", flat=True))
    return known


def called(known: Mapping[str, str], name: str) -> str:
    """Our code for their name; their own where nobody said otherwise."""
    return known.get(name, name)
