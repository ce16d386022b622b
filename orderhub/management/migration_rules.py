"""What a migration may not do while the hub serves: old and new code run side by side during a deploy.

Expand, migrate, contract: add what is new so that old code still works; move the data; remove what is old in a
later release. Each finding names the way round. A finding that is right all the same is listed in
`migration_exceptions.json` as `app.migration:rule`, or `app.migration` for all its rules, with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import models
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.models.fields import NOT_PROVIDED

EXCEPTIONS = Path(__file__).parent / "migration_exceptions.json"
#: Tables that grow with the hub's history: nothing may lock them for as long as a scan takes.
BIG = frozenset({
    "events.event", "events.delivery", "events.streamhead", "events.parkedevent", "orders.order",
    "orders.orderline", "orders.original", "orders.person", "fulfillment.fulfillmentorder", "fulfillment.fulfillmentline",
    "fulfillment.parcel", "inventory.stockmovement", "carbon.ledgerentry", "carbon.calculationrun",
    "routing.decision", "tracking.journey", "tracking.timelineentry", "tracking.position",
    "connectors.rowerror", "access.idempotencykey",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One operation that breaks a rule."""

    migration: str
    rule: str
    says: str

    @property
    def key(self) -> str:
        """How an exception names it."""
        return f"{self.migration}:{self.rule}"


def check() -> tuple[list[Finding], list[str]]:
    """The findings that no exception covers, and the exceptions that cover nothing any more."""
    excused: dict[str, str] = json.loads(EXCEPTIONS.read_text("utf-8"))
    found = list(findings())
    seen = {finding.key for finding in found} | {finding.migration for finding in found}
    left = [each for each in found if each.key not in excused and each.migration not in excused]
    return left, sorted(excused.keys() - seen)


def findings() -> Iterator[Finding]:
    """Everything in the migrations of our own apps, the first ones of each app excepted: they meet no data."""
    loader = MigrationLoader(None)
    for (app, name), migration in sorted(loader.disk_migrations.items()):
        file = Path(str(__import__(type(migration).__module__, fromlist=["x"]).__file__))
        if not migration.initial and settings.BASE_DIR in file.parents and ".venv" not in file.parts:
            yield from of(app, name, migration)


def of(app: str, name: str, migration: Migration) -> Iterator[Finding]:
    """The findings of one migration."""
    made = {
        operation.name_lower
        for operation in migration.operations
        if isinstance(operation, operations.CreateModel)
    }
    for operation in _flat(migration.operations):
        for rule, says in _broken(app, operation, made, is_atomic=migration.atomic):
            yield Finding(f"{app}.{name}", rule, f"{operation.describe()}: {says}")


def _flat(found: Iterable[Operation]) -> Iterator[Operation]:
    for operation in found:
        if isinstance(operation, operations.SeparateDatabaseAndState):
            yield from _flat(operation.database_operations)
        else:
            yield operation


def _broken(app: str, operation: Operation, made: set[str], *, is_atomic: bool) -> Iterator[tuple[str, str]]:
    model = str(getattr(operation, "model_name", "") or getattr(operation, "name", "")).lower()
    is_new, is_big = model in made, f"{app}.{model}" in BIG
    if not operation.reversible:
        yield (
            "irreversible",
            "name what undoes it (`noop` if nothing needs to be), so that a deploy can go back",
        )
    match operation:
        case AddIndexConcurrently() | RemoveIndexConcurrently():
            if is_atomic:
                yield "atomic", "set `atomic = False`: PostgreSQL does not build it inside a transaction"
        case _ if is_new:
            return
        case operations.RenameField() | operations.RenameModel() | operations.AlterModelTable():
            yield "rename", "add the new one, write both, move the data, remove the old one a release later"
        case operations.RemoveField() | operations.DeleteModel():
            yield (
                "remove",
                "release code that no longer uses it first, then excuse this migration by that release",
            )
        case operations.AddField():
            yield from _added(operation.field, is_big=is_big)
        case operations.AlterField():
            if not operation.field.null and not operation.preserve_default:
                yield "not_null", "fill the column first; make it NOT NULL by a validated CHECK"
            if is_big:
                yield "alter_big", "it may rewrite or scan the whole table under a lock; add a column instead"
        case operations.AddIndex() | operations.RemoveIndex() if is_big:
            yield "index_big", "use AddIndexConcurrently or RemoveIndexConcurrently, `atomic = False`"
        case operations.AddConstraint() if is_big:
            yield "constraint_big", "use AddConstraintNotValid, then ValidateConstraint in the next migration"


def _added(field: models.Field, is_big: bool) -> Iterator[tuple[str, str]]:  # type: ignore[type-arg]
    if field.many_to_many or field.null:
        return
    if field.db_default is NOT_PROVIDED:
        # Django drops the default at once: rows of the old code, which does not name the column, are refused.
        yield "not_null", "give it `db_default=…`, or `null=True` until no old code writes rows any more"
    if is_big and (field.unique or (field.remote_field and getattr(field, "db_index", False))):
        yield "index_big", "add it without an index, then build the index concurrently"
