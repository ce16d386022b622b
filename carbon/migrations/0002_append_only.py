from django.db import migrations

from orderhub.events.operations import AppendOnly


class Migration(migrations.Migration):
    dependencies = [
        ("carbon", "0001_initial"),
        ("events", "0002_runtime"),
    ]

    operations = [
        AppendOnly("carbon_ledgerentry"),
    ]
