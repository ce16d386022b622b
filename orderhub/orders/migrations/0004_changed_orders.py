from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class AddIndexBesideTraffic(AddIndexConcurrently):
    """Concurrently where the database can (PostgreSQL), plainly elsewhere (SQLite, which has one writer)."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == 'postgresql':
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == 'postgresql':
            super().database_backwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_backwards(self, app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('orders', '0003_kin_and_addresses'),
    ]

    operations = [
        AddIndexBesideTraffic(
            model_name='order',
            index=models.Index(fields=['merchant', 'updated_at', 'id'], name='orders_order_changed'),
        ),
    ]
