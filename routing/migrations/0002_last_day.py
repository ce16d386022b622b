from django.db import migrations, models

from orderhub.events.operations import AddIndexBesideTraffic


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('routing', '0001_initial'),
    ]

    operations = [
        AddIndexBesideTraffic(
            model_name='decision',
            index=models.Index(fields=['decided_at'], name='routing_decision_decided'),
        ),
        AddIndexBesideTraffic(
            model_name='decision',
            index=models.Index(condition=models.Q(('status', 'unroutable'), ('superseded_at__isnull', True)), fields=['order'], name='routing_decision_unroutable'),
        ),
    ]
