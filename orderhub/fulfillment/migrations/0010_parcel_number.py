from django.db import migrations, models

from orderhub.events.operations import AddIndexBesideTraffic


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('fulfillment', '0009_returns_and_work_orders'),
    ]

    operations = [
        AddIndexBesideTraffic(
            model_name='parcel',
            index=models.Index(fields=['tracking_number'], name='fulfillment_parcel_number'),
        ),
    ]
