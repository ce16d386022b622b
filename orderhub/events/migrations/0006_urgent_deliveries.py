from django.db import migrations, models

from orderhub.events.operations import AddIndexBesideTraffic


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('events', '0005_delivery_topic'),
    ]

    operations = [
        AddIndexBesideTraffic(
            model_name='delivery',
            index=models.Index(condition=models.Q(('is_urgent', True), ('state__in', ['ready', 'leased'])), fields=['subscriber', 'id'], name='events_delivery_urgent'),
        ),
    ]
