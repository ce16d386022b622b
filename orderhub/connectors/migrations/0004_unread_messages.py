from django.db import migrations, models

from orderhub.events.operations import AddIndexBesideTraffic


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('connectors', '0003_paused_imports'),
    ]

    operations = [
        AddIndexBesideTraffic(
            model_name='inboxmessage',
            index=models.Index(condition=models.Q(('state', 'quarantined')), fields=['connection'], name='connectors_inbox_unread'),
        ),
    ]
