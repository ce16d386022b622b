import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("access", "0001_initial"),
        ("connectors", "0002_confirmed_imports"),
    ]

    operations = [
        migrations.AddField(
            model_name="importbatch",
            name="uploaded_key",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="access.apikey",
            ),
        ),
        migrations.AlterField(
            model_name="importbatch",
            name="status",
            field=models.CharField(
                choices=[
                    ("queued", "queued"),
                    ("running", "running"),
                    ("paused", "paused"),
                    ("done", "done"),
                    ("failed", "failed"),
                ],
                default="queued",
                max_length=8,
                verbose_name="status",
            ),
        ),
    ]
