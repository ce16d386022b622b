from django.db import migrations

from orderhub.events.operations import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("carbon", "0001_start"), ("events", "0003_partitions")]

    operations = [
        AppendOnly("carbon_ledgerentry"),
        AppendOnly("carbon_calculationrun"),
        AppendOnly("carbon_activityrecord"),
    ]
