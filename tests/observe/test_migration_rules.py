"""The linter of migrations: what stops a serving hub is refused, with the way round."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.postgres.operations import AddIndexConcurrently
from django.core.management import call_command
from django.db import models
from django.db.migrations import Migration, operations

from orderhub.management import migration_rules

TEXT = models.CharField(max_length=9)
INDEX = models.Index(fields=["stage"], name="by_stage")


def rules_of(*found: operations.base.Operation, app: str = "orders", atomic: bool = True) -> list[str]:
    """The rules that a migration of these operations breaks."""
    migration = Migration("0009_test", app)
    migration.operations, migration.atomic = list(found), atomic
    return [finding.rule for finding in migration_rules.of(app, "0009_test", migration)]


@pytest.mark.parametrize(
    ("operation", "broken"),
    [
        (operations.RemoveField("order", "stage"), ["remove"]),
        (operations.DeleteModel("order"), ["remove"]),
        (operations.RenameField("order", "stage", "step"), ["rename"]),
        (operations.RenameModel("order", "sale"), ["rename"]),
        (operations.AlterModelTable("order", "sales"), ["rename"]),
        (operations.AddField("order", "shade", TEXT), ["not_null"]),
        (operations.AddField("order", "shade", models.CharField(max_length=9, default="x")), ["not_null"]),
        (operations.AddField("order", "shade", models.CharField(max_length=9, db_default="x")), []),
        (operations.AddField("order", "shade", models.CharField(max_length=9, null=True)), []),
        (operations.AlterField("order", "stage", TEXT), ["alter_big"]),
        (operations.AlterField("channel", "code", TEXT), []),
        (operations.AlterField("channel", "code", TEXT, preserve_default=False), ["not_null"]),
        (operations.AddIndex("order", INDEX), ["index_big"]),
        (operations.AddIndex("channel", INDEX), []),
        (operations.AddConstraint("order", models.UniqueConstraint(fields=["number"], name="once")),
         ["constraint_big"]),
        (operations.RunPython(lambda _apps, _editor: None), ["irreversible"]),
        (operations.RunPython(lambda _apps, _editor: None, operations.RunPython.noop), []),
        (operations.RunSQL("SELECT 1"), ["irreversible"]),
        (operations.RunSQL("SELECT 1", operations.RunSQL.noop), []),
        (AddIndexConcurrently("order", INDEX), ["atomic"]),
    ],
)  # fmt: skip
def test_each_rule(operation: Any, broken: list[str]) -> None:
    assert rules_of(operation) == broken


def test_an_index_is_built_beside_the_traffic() -> None:
    assert rules_of(AddIndexConcurrently("order", INDEX), atomic=False) == []


def test_a_table_made_by_the_same_migration_is_empty() -> None:
    made = operations.CreateModel("leaflet", [("id", models.BigAutoField(primary_key=True))])

    assert rules_of(made, operations.AddField("leaflet", "text", TEXT)) == []


def test_what_hides_in_another_operation_is_found() -> None:
    hidden = operations.SeparateDatabaseAndState([operations.RemoveField("order", "stage")])

    assert rules_of(hidden) == ["remove"]


def test_the_migrations_of_the_hub_pass_and_every_exception_is_needed(capsys: Any) -> None:
    call_command("lint_migrations")

    assert "can run while the hub serves" in capsys.readouterr().out


def test_a_finding_without_an_exception_ends_with_1(monkeypatch: Any, capsys: Any) -> None:
    bad = migration_rules.Finding("orders.0009_test", "remove", "Remove field stage: …")
    monkeypatch.setattr(migration_rules, "findings", lambda: iter([*migration_findings, bad]))

    with pytest.raises(SystemExit):
        call_command("lint_migrations")

    assert "orders.0009_test:remove" in capsys.readouterr().out


migration_findings = list(migration_rules.findings())
