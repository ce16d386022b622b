from django.db import migrations, models

from orderhub.events.operations import AddIndexBesideTraffic


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('orders', '0004_changed_orders'),
    ]

    operations = [
        AddIndexBesideTraffic(
            model_name='order',
            index=models.Index(fields=['received_at'], name='orders_order_received'),
        ),
    ]
