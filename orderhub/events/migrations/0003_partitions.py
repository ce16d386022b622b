from django.db import migrations

from orderhub.events.splitting import SplitLog


class Migration(migrations.Migration):
    dependencies = [("events", "0002_guards")]

    operations = [
        SplitLog(),
    ]
