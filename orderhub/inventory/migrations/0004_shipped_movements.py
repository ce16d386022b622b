from django.db import migrations, models

from orderhub.events.operations import AddIndexBesideTraffic


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('inventory', '0003_movement_order'),
    ]

    operations = [
        AddIndexBesideTraffic(
            model_name='movement',
            index=models.Index(condition=models.Q(('kind', 'ship')), fields=['stock', 'moved_at', 'on_hand_change'], name='inventory_movement_shipped'),
        ),
    ]
