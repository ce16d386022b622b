from django.db import migrations

from orderhub.events.operations import AppendOnly, TransactionColumn


class Migration(migrations.Migration):
    replaces = [("events", "0002_runtime")]
    dependencies = [("events", "0001_start")]

    operations = [TransactionColumn(), AppendOnly("events_event")]
