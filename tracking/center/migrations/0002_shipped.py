from django.db import migrations

from tracking.center import shipped


def load(apps, schema_editor):
    shipped.load(apps)


class Migration(migrations.Migration):
    dependencies = [("center", "0001_start")]

    operations = [
        migrations.RunPython(load, migrations.RunPython.noop, elidable=False),
    ]
