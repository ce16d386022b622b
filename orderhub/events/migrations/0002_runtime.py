from django.db import migrations, models

from orderhub.events.operations import AppendOnly, TransactionColumn


class Migration(migrations.Migration):

    dependencies = [
        ("events", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="WorkerBeat",
            fields=[
                ("name", models.CharField(max_length=120, primary_key=True, serialize=False, verbose_name="name")),
                ("queues", models.CharField(blank=True, max_length=120, verbose_name="queues")),
                ("beat_at", models.DateTimeField(verbose_name="last heard")),
            ],
            options={"verbose_name": "worker", "verbose_name_plural": "workers"},
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state__in", ["ready", "leased"])),
                fields=["subscriber", "id"],
                name="events_delivery_queue",
            ),
        ),
        TransactionColumn(),
        AppendOnly("events_event"),
    ]
