from django.db import migrations, models

from orderhub.events.operations import AddIndexBesideTraffic


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('inventory', '0009_stock_reports'),
    ]

    operations = [
        AddIndexBesideTraffic(
            model_name='movement',
            index=models.Index(condition=models.Q(('kind__in', ['receipt', 'return', 'adjust'])), fields=['stock', 'moved_at', 'on_hand_change'], name='inventory_movement_moving'),
        ),
    ]
