"""All tables as they came to be in 3 steps: a new database makes them once."""

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("rules", "0001_initial"),
        ("rules", "0002_scheduled_versions"),
        ("rules", "0003_drawn_flows"),
    ]

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Flow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.SlugField(max_length=40, verbose_name="code")),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                (
                    "name_en",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=80, verbose_name="English name"
                    ),
                ),
                ("scope", models.CharField(blank=True, max_length=40, verbose_name="scope")),
                ("steps", models.JSONField(blank=True, default=list, verbose_name="steps")),
                ("draft", models.JSONField(blank=True, db_default={}, default=dict, verbose_name="drawing")),
                ("revision", models.PositiveIntegerField(db_default=0, default=0, editable=False)),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
            ],
            options={
                "verbose_name": "flow",
                "verbose_name_plural": "flows",
                "constraints": [models.UniqueConstraint(fields=("scope", "code"), name="rules_flow_code")],
            },
        ),
        migrations.CreateModel(
            name="HistoricalFlow",
            fields=[
                (
                    "id",
                    models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID"),
                ),
                ("code", models.SlugField(max_length=40, verbose_name="code")),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                (
                    "name_en",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=80, verbose_name="English name"
                    ),
                ),
                ("scope", models.CharField(blank=True, max_length=40, verbose_name="scope")),
                ("steps", models.JSONField(blank=True, default=list, verbose_name="steps")),
                ("draft", models.JSONField(blank=True, db_default={}, default=dict, verbose_name="drawing")),
                ("revision", models.PositiveIntegerField(db_default=0, default=0, editable=False)),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical flow",
                "verbose_name_plural": "historical flows",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="RuleSet",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.SlugField(max_length=40, verbose_name="code")),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("name_en", models.CharField(blank=True, max_length=80, verbose_name="English name")),
                (
                    "purpose",
                    models.CharField(
                        choices=[("screen", "screening: hold or let pass"), ("price", "promotions")],
                        max_length=12,
                        verbose_name="purpose",
                    ),
                ),
                ("scope", models.CharField(blank=True, max_length=40, verbose_name="scope")),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
            ],
            options={
                "verbose_name": "rule set",
                "verbose_name_plural": "rule sets",
                "constraints": [models.UniqueConstraint(fields=("scope", "code"), name="rules_ruleset_code")],
            },
        ),
        migrations.CreateModel(
            name="HistoricalRule",
            fields=[
                (
                    "id",
                    models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID"),
                ),
                ("code", models.SlugField(max_length=40, verbose_name="code")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("name_en", models.CharField(blank=True, max_length=120, verbose_name="English name")),
                (
                    "priority",
                    models.IntegerField(
                        default=100, help_text="Smaller numbers come first.", verbose_name="priority"
                    ),
                ),
                ("condition", models.JSONField(default=dict, verbose_name="condition")),
                ("actions", models.JSONField(default=list, verbose_name="actions")),
                ("group", models.CharField(blank=True, max_length=40, verbose_name="exclusive group")),
                ("stops", models.BooleanField(default=False, verbose_name="stops later rules")),
                ("valid_from", models.DateTimeField(blank=True, null=True, verbose_name="valid from")),
                ("valid_to", models.DateTimeField(blank=True, null=True, verbose_name="valid to")),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "ruleset",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="rules.ruleset",
                        verbose_name="rule set",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical rule",
                "verbose_name_plural": "historical rules",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="FlowVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(verbose_name="version")),
                ("content", models.JSONField(verbose_name="drawing")),
                ("digest", models.CharField(editable=False, max_length=64)),
                ("published_at", models.DateTimeField(verbose_name="published at")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
                (
                    "effective_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Empty means from when it was published.",
                        null=True,
                        verbose_name="in force from",
                    ),
                ),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True, verbose_name="withdrawn at")),
                (
                    "flow",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="rules.flow",
                        verbose_name="flow",
                    ),
                ),
                (
                    "published_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="published by",
                    ),
                ),
            ],
            options={
                "verbose_name": "flow version",
                "verbose_name_plural": "flow versions",
                "constraints": [
                    models.UniqueConstraint(fields=("flow", "number"), name="rules_flowversion_number")
                ],
            },
        ),
        migrations.CreateModel(
            name="Rule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.SlugField(max_length=40, verbose_name="code")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("name_en", models.CharField(blank=True, max_length=120, verbose_name="English name")),
                (
                    "priority",
                    models.IntegerField(
                        default=100, help_text="Smaller numbers come first.", verbose_name="priority"
                    ),
                ),
                ("condition", models.JSONField(default=dict, verbose_name="condition")),
                ("actions", models.JSONField(default=list, verbose_name="actions")),
                ("group", models.CharField(blank=True, max_length=40, verbose_name="exclusive group")),
                ("stops", models.BooleanField(default=False, verbose_name="stops later rules")),
                ("valid_from", models.DateTimeField(blank=True, null=True, verbose_name="valid from")),
                ("valid_to", models.DateTimeField(blank=True, null=True, verbose_name="valid to")),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "ruleset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rules",
                        to="rules.ruleset",
                        verbose_name="rule set",
                    ),
                ),
            ],
            options={
                "verbose_name": "rule",
                "verbose_name_plural": "rules",
                "constraints": [models.UniqueConstraint(fields=("ruleset", "code"), name="rules_rule_code")],
            },
        ),
        migrations.CreateModel(
            name="RuleVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(verbose_name="version")),
                ("content", models.JSONField(verbose_name="rules")),
                ("published_at", models.DateTimeField(verbose_name="published at")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
                (
                    "effective_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Empty means from when it was published.",
                        null=True,
                        verbose_name="in force from",
                    ),
                ),
                (
                    "withdrawn_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Taken back before it came into force.",
                        null=True,
                        verbose_name="withdrawn at",
                    ),
                ),
                (
                    "digest",
                    models.CharField(blank=True, db_default="", default="", editable=False, max_length=64),
                ),
                (
                    "published_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="published by",
                    ),
                ),
                (
                    "ruleset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="rules.ruleset",
                        verbose_name="rule set",
                    ),
                ),
            ],
            options={
                "verbose_name": "rule version",
                "verbose_name_plural": "rule versions",
                "constraints": [
                    models.UniqueConstraint(fields=("ruleset", "number"), name="rules_version_number")
                ],
            },
        ),
    ]
