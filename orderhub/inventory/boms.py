"""Bills of materials read and checked: those in force on a day, taken apart for what is to be made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from orderhub.inventory.bom import explosion
from orderhub.inventory.bom.explosion import Circular, Need, Part, TooDeep
from orderhub.inventory.models import Bom, BomLine, Sku
from orderhub.kernel.errors import Refused


def needs(merchant_id: int, wanted: Mapping[int, int], *, on: date) -> list[Need[int]]:
    """What these units of SKUs (by id) need of components by the bills of that day; a query for each level, two at least.

    Empty where no bill is kept. Raises Refused: "bom_circular", "bom_too_deep".
    """
    bills = in_force(merchant_id, wanted, on=on)
    try:
        return explosion.explode(bills, wanted)
    except (Circular, TooDeep) as no:
        raise _refused(no) from no


def in_force(merchant_id: int, sku_ids: Iterable[int], *, on: date) -> dict[int, tuple[Part[int], ...]]:
    """The bills of that day by article: of these SKUs and of everything they are made of."""
    found: dict[int, tuple[Part[int], ...]] = {}
    asked: set[int] = set()
    wanted = set(sku_ids)
    while wanted and len(asked) < 10_000:
        asked |= wanted
        level = _parts(_of_day(merchant_id, wanted, on))
        found |= level
        wanted = {part.article for parts in level.values() for part in parts} - asked
    return found


def check(
    merchant_id: int, sku_id: int, parts: Sequence[Part[int]], *, valid_from: date | None = None
) -> None:
    """Raise Refused if an article made of these parts cannot be made: needed to make itself, or too many levels.

    Every day on which any version begins is looked at, for a circle may close only when another bill comes into force.
    """
    rows = Bom.objects.filter(merchant_id=merchant_id, is_active=True, valid_from__isnull=False)
    days = {day for day in rows.values_list("valid_from", flat=True).distinct() if day is not None}
    for day in sorted(days | {valid_from or date.min}):
        below = in_force(merchant_id, (part.article for part in parts), on=day)
        try:
            explosion.check({**below, sku_id: tuple(parts)}, [sku_id])
        except (Circular, TooDeep) as no:
            raise _refused(no) from no


def parts_of(bom: Bom) -> tuple[Part[int], ...]:
    """What a bill says, read afresh."""
    rows = Bom.objects.filter(pk=bom.pk).prefetch_related("lines__alternatives")
    return _parts(list(rows)).get(bom.sku_id, ())


def _of_day(merchant_id: int, sku_ids: Iterable[int], on: date) -> list[Bom]:
    """The bill of each article that counts on that day; two queries."""
    rows: QuerySet[Bom] = Bom.objects.filter(
        Q(valid_from__isnull=True) | Q(valid_from__lte=on), Q(valid_to__isnull=True) | Q(valid_to__gte=on),
        merchant_id=merchant_id, sku_id__in=set(sku_ids), is_active=True,
    ).order_by("sku_id", F("valid_from").desc(nulls_last=True), "-pk")  # fmt: skip
    first: dict[int, Bom] = {}
    for row in rows.prefetch_related("lines__alternatives"):
        first.setdefault(row.sku_id, row)
    return list(first.values())


def _parts(boms: Sequence[Bom]) -> dict[int, tuple[Part[int], ...]]:
    return {
        bom.sku_id: tuple(_part(line) for line in sorted(bom.lines.all(), key=lambda one: one.pk))
        for bom in boms
    }


def _part(line: BomLine) -> Part[int]:
    others = sorted(line.alternatives.all(), key=lambda one: (one.priority, one.pk))
    return Part(
        line.component_id, line.quantity, line.scrap_percent, line.unit,
        tuple((one.component_id, one.ratio) for one in others),
    )  # fmt: skip


def _refused(no: Circular | TooDeep) -> Refused:
    ids = [pk for pk in no.path if isinstance(pk, int)]
    names = dict(Sku.objects.filter(pk__in=ids).values_list("pk", "code"))
    way = " → ".join(names.get(pk, "?") for pk in ids)
    if isinstance(no, Circular):
        return Refused(
            "bom_circular", _("An article would be needed to make itself: %(way)s.") % {"way": way},
            remedy=_("Take one of these components out."), facts={"way": way},
        )  # fmt: skip
    return Refused(
        "bom_too_deep",
        _("These bills of materials have more than %(most)d levels: %(way)s.") % {"most": explosion.DEEPEST, "way": way},
        remedy=_("Write the components of the lower articles into the upper bill."), facts={"way": way},
    )  # fmt: skip
